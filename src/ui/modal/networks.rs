//! The networks that sessions of other processes run: which of them is to be shown.
//!
//! ```text
//! + Watch a network 1 of 2 --------------------------------------+
//! | > 20:44:12  lab of 2 seeds, 8 peers                          |
//! |   20:45:03  seed 127.0.0.1:5001, peer 127.0.0.1:3000         |
//! |                                                              |
//! | Up Down choose   Enter show   q quit                         |
//! +--------------------------------------------------------------+
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::{ChosenItem, Covers, Modal, Reply, action, columns, framed, key_line};
use crate::ui::action::{Action, Move};
use crate::ui::host::{NetworkRow, ToHost};
use crate::ui::keys::{Key, KeyMap};
use crate::ui::text;
use crate::ui::view::View;

const WIDTH_MAX: u16 = 100;
/// Lines beside those of the list: the frame, a blank line and the keys.
const LINES_AROUND: u16 = 4;

pub(crate) struct Networks {
    rows: Vec<NetworkRow>,
    items: ChosenItem,
}

pub(crate) fn networks(rows: Vec<NetworkRow>) -> Box<dyn Modal> {
    Box::new(Networks { items: ChosenItem::of(rows.len()), rows })
}

impl Modal for Networks {
    fn press(&mut self, key: Key, keys: &KeyMap) -> Reply {
        match action(key, &mut None, keys) {
            Some(Action::Details | Action::Move(Move::Right)) => match self.rows.get(self.items.chosen) {
                Some(row) => Reply::Ask(ToHost::WatchNetwork(row.session.clone())),
                None => Reply::Stay,
            },
            Some(Action::Back | Action::Quit) => Reply::Quit,
            Some(action) => {
                self.items.press(action);
                Reply::Stay
            }
            None => Reply::Stay,
        }
    }

    fn render(&mut self, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
        let columns = columns(WIDTH_MAX, area);
        let height = usize::from(area.height.saturating_sub(LINES_AROUND));
        let rows = self.rows.iter().enumerate().skip(self.items.first_shown(height)).take(height);
        let mut lines: Vec<Line<'static>> = rows
            .map(|(index, row)| {
                let told = format!("{}  {}", row.since, row.what);
                let told = text::truncate(&told, columns.saturating_sub(2), view.theme.glyphs).into_owned();
                self.items.line(index, &told, columns, view)
            })
            .collect();
        if self.rows.is_empty() {
            let told = "No network runs here now. One that begins is listed here.";
            lines.extend(text::wrap(told, columns).into_iter().map(Line::from));
        }
        let key = |action| view.keys.key_of(action);
        let choosing = [("Up Down".to_owned(), "choose"), (key(Action::Details), "show")];
        let choosing = choosing.into_iter().filter(|_| !self.rows.is_empty());
        let keys = choosing.chain([(key(Action::Quit), "quit")]);
        lines.extend([Line::default(), key_line(keys, view)]);
        let title = match self.rows.len() {
            0 => "Watch a network".to_owned(),
            all => format!("Watch a network {} of {all}", self.items.chosen + 1),
        };
        let inside = framed(&title, (columns, lines.len()), frame, area, view);
        frame.render_widget(Paragraph::new(lines), inside);
    }

    /// The network that was chosen stays chosen, wherever it stands now.
    fn hear_networks(&mut self, rows: &[NetworkRow]) -> bool {
        let chosen = self.rows.get(self.items.chosen).map(|row| row.session.as_str());
        let place = rows.iter().position(|row| Some(row.session.as_str()) == chosen);
        self.items = ChosenItem { items: rows.len(), chosen: place.unwrap_or_default() };
        self.rows = rows.to_vec();
        true
    }

    fn covers(&self) -> Covers {
        Covers::Screen
    }
}
