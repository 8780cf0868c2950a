//! The console without a terminal of its own: what it shows of a session, drawn wherever the caller likes.

use crossterm::event::{Event, KeyEvent};
use ratatui::Frame;

use super::app::App;
use super::draw::draw;
use super::options::Options;
use super::theme::NoColor;
use super::update::on_event;
use crate::feed::Delivery;

/// A console that is told events and drawn by hand: no keyboard, no clock.
pub struct Still(App);

impl Still {
    /// A console that was told nothing yet.
    pub fn new(options: Options) -> Self {
        Self(App::new(options, NoColor::Unset))
    }

    /// Takes events in.
    pub fn take(&mut self, deliveries: &[Delivery]) {
        self.0.take(deliveries);
    }

    /// Does what a key means. What it wants done outside of the console is not done.
    pub fn press(&mut self, key: KeyEvent) {
        on_event(&mut self.0, &Event::Key(key));
    }

    /// Draws the picture as it is now.
    pub fn draw(&mut self, frame: &mut Frame<'_>) {
        draw(&mut self.0, frame);
    }
}
