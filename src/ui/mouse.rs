//! The mouse: the wheel scrolls what is under the pointer, a click selects it, or the moment of the
//! timeline.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use super::action::{Move, PaneId};
use super::app::App;
use super::travel;

/// Lines that one notch of the wheel scrolls.
const WHEEL: usize = 3;

/// Does what a mouse event means.
pub(super) fn on_mouse(app: &mut App, mouse: MouseEvent) {
    let at = Position { x: mouse.column, y: mouse.row };
    match mouse.kind {
        MouseEventKind::ScrollUp => wheel(app, at, Move::Up),
        MouseEventKind::ScrollDown => wheel(app, at, Move::Down),
        MouseEventKind::Down(MouseButton::Left) => click(app, at),
        _ => {}
    }
}

fn wheel(app: &mut App, at: Position, wanted: Move) {
    for _ in 0..WHEEL {
        if let Some(modal) = app.modals.last_mut() {
            modal.scroll(wanted);
        } else if let Some(pane) = pane_at(app, at) {
            app.armed = None;
            let (panes, view) = app.split();
            panes.act(pane, wanted, &view);
        }
    }
}

/// Gives the keys to the pane under the pointer, and selects its line or node. Panes under a
/// dialog, or behind a line being typed, stay as they are.
fn click(app: &mut App, at: Position) {
    if !app.modals.is_empty() || app.prompt.is_some() {
        return;
    }
    let moment = app.time_scale.filter(|scale| scale.area.y == at.y).and_then(|scale| scale.moment_at(at.x));
    if let Some(moment) = moment {
        return travel::click(app, moment);
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
