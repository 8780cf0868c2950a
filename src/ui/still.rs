//! The console without a terminal: what it shows of a session, drawn wherever the caller likes.

use crossterm::event::{Event, KeyEvent};
use ratatui::Frame;

use super::app::App;
use super::draw::draw;
use super::options::Options;
use super::theme::NoColor;
use super::update::on_event;
use crate::feed::Delivery;

/// A console that gets events and is drawn by hand: no keyboard, no clock.
pub struct Still(App);

impl Still {
    pub fn new(options: Options) -> Self {
        Self(App::new(options, NoColor::Unset))
    }

    pub fn take(&mut self, deliveries: &[Delivery]) {
        self.0.take(deliveries);
    }

    /// Does what a key means. Effects outside of the console are dropped.
    pub fn press(&mut self, key: KeyEvent) {
        on_event(&mut self.0, &Event::Key(key));
    }

    /// Draws the current picture.
    pub fn draw(&mut self, frame: &mut Frame<'_>) {
        draw(&mut self.0, frame);
    }
}
