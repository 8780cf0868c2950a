//! The console without a terminal of its own: what it shows of a session, drawn wherever the caller likes.

use ratatui::Frame;

use super::app::App;
use super::draw::draw;
use super::options::Options;
use super::theme::NoColor;
use crate::feed::Delivery;

/// A console that is told events and drawn by hand: no keys, no clock.
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

    /// Draws the picture as it is now.
    pub fn draw(&mut self, frame: &mut Frame<'_>) {
        draw(&mut self.0, frame);
    }
}
