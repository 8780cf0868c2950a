//! The mouse: the wheel scrolls what is below the pointer, a click selects it.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use super::action::{Move, PaneId};
use super::app::App;
use super::modal::Modal;

/// Lines that one notch of the wheel scrolls.
const WHEEL: usize = 3;

/// What the mouse did; the key that means the same in a dialog, and how often it is pressed.
pub(super) fn on_mouse(app: &mut App, mouse: MouseEvent) -> Option<(KeyEvent, usize)> {
    let at = Position { x: mouse.column, y: mouse.row };
    match mouse.kind {
        MouseEventKind::ScrollUp => wheel(app, at, Move::Up, KeyCode::Up),
        MouseEventKind::ScrollDown => wheel(app, at, Move::Down, KeyCode::Down),
        MouseEventKind::Down(MouseButton::Left) => {
            click(app, at);
            None
        }
        _ => None,
    }
}

fn wheel(app: &mut App, at: Position, wanted: Move, key: KeyCode) -> Option<(KeyEvent, usize)> {
    if let Some(modal) = app.modals.last() {
        return is_read(modal).then_some((KeyEvent::new(key, KeyModifiers::NONE), WHEEL));
    }
    let pane = pane_at(app, at)?;
    app.armed = None;
    let (panes, view) = app.split();
    for _ in 0..WHEEL {
        panes.act(pane, wanted, &view);
    }
    None
}

/// A dialog that is scrolled; in the others the wheel would change what is filled in.
fn is_read(modal: &Modal) -> bool {
    match modal {
        Modal::Faults(_) | Modal::Help(_) | Modal::Why(_) | Modal::Wave(_) => true,
        Modal::Start(_) | Modal::Add(_) | Modal::Say(_) | Modal::Path(_) | Modal::Confirm(_) => false,
    }
}

/// The pane below the pointer has the keys from now on, its line or node is selected. What lies under a dialog
/// or waits for the end of a line that is typed stays as it is.
fn click(app: &mut App, at: Position) {
    if !app.modals.is_empty() || app.prompt.is_some() {
        return;
    }
    let Some(pane) = pane_at(app, at) else { return };
    app.armed = None;
    app.focus = pane;
    let (panes, view) = app.split();
    panes.click(pane, at, &view);
}

fn pane_at(app: &App, at: Position) -> Option<PaneId> {
    app.panes.areas.iter().find(|(_, area)| area.contains(at)).map(|(pane, _)| *pane)
}
