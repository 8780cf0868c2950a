//! The picture: header, as many panes as fit, footer, dialogs on top.
//!
//! ```text
//! 100 x 30 and more        60 x 16 and more          less
//! + header ------------+   + header ------------+    + header ---+
//! | 1 topology    | 2  |   | 1          | 2     |    | tabs      |
//! |               | 4  |   | 3 gossip log       |    | one pane  |
//! | 3 gossip log  | 5  |   + footer: 4, 5, 6 ---+    + footer ---+
//! |               | 6  |
//! + footer ------------+
//! ```

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Clear, Paragraph};

use super::action::PaneId;
use super::app::{App, Zoom};
use super::items::{self, Item};
use super::modal::Modal;
use super::pane::{Focus, connections};
use super::theme::Tone;
use super::view::View;
use super::{footer, header};

/// Below this nothing useful fits.
const WIDTH_MIN: u16 = 40;
const HEIGHT_MIN: u16 = 10;
/// From here on three panes fit.
const WIDTH_THREE: u16 = 60;
const HEIGHT_THREE: u16 = 16;
/// From here on all panes fit.
const WIDTH_ALL: u16 = 100;
const HEIGHT_ALL: u16 = 30;

/// Rows for warnings, frame included.
const WARNINGS_HEIGHT: u16 = 5;

/// Which panes are on the screen, and where.
#[derive(Debug, PartialEq, Eq)]
struct PaneLayout {
    panes: Vec<(PaneId, Rect)>,
    /// Panes that the footer counts instead.
    hidden: Vec<PaneId>,
    /// Where the tabs are, if there is one pane at a time.
    tabs: Option<Rect>,
}

/// Draws everything.
pub(crate) fn draw(app: &mut App, frame: &mut Frame<'_>) {
    #[cfg(test)]
    super::tests::panic::strike(app);
    let area = frame.area();
    if area.width < WIDTH_MIN || area.height < HEIGHT_MIN {
        draw_too_small(frame, area);
        return;
    }
    app.prepare();
    let [head, body, foot] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(0), Constraint::Length(1)]).areas(area);
    let plan = plan(app, body);
    draw_head(app, frame, head);
    draw_panes(app, &plan, frame);
    footer::render(app, &plan.hidden, frame, foot, &app.view());
    draw_modals(app, frame, Rect { height: area.height - 1, ..area });
}

fn draw_too_small(frame: &mut Frame<'_>, area: Rect) {
    let text = format!("needs {WIDTH_MIN}x{HEIGHT_MIN}, is {}x{}", area.width, area.height);
    frame.render_widget(Paragraph::new(text), area);
}

fn draw_head(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let view = app.view();
    let inside = Rect { x: area.x + 1, width: area.width - 2, ..area };
    frame.render_widget(header::render(app, usize::from(inside.width), &view), inside);
}

fn draw_panes(app: &mut App, plan: &PaneLayout, frame: &mut Frame<'_>) {
    let focus = app.focus;
    let (panes, view) = app.split();
    if let Some(area) = plan.tabs {
        frame.render_widget(tabs(focus, usize::from(area.width), &view), area);
    }
    panes.areas.clone_from(&plan.panes);
    for (pane, area) in &plan.panes {
        let focus = if *pane == focus { Focus::Here } else { Focus::Elsewhere };
        panes.render(*pane, frame, *area, &view, focus);
    }
}

/// The start screen covers everything, and gives way to the form that it opens; other dialogs lie
/// on top of each other and of the panes.
fn draw_modals(app: &mut App, frame: &mut Frame<'_>, area: Rect) {
    let view = app.scene.view();
    if matches!(app.modals.first(), Some(Modal::Start(_))) {
        frame.render_widget(Clear, area);
    }
    let covered = usize::from(app.modals.len() > 1 && matches!(app.modals.first(), Some(Modal::Start(_))));
    for modal in app.modals.iter_mut().skip(covered) {
        let area = match modal {
            Modal::Start(_) | Modal::Faults(_) | Modal::Help(_) => area,
            Modal::Add(_) | Modal::Say(_) | Modal::Path(_) | Modal::Confirm(_) | Modal::Why(_) | Modal::Wave(_) => {
                Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area }
            }
        };
        modal.render(frame, area, &view);
    }
}

fn tabs(focus: PaneId, columns: usize, view: &View<'_>) -> Line<'static> {
    let items = PaneId::ALL.into_iter().map(|pane| {
        let (tone, text) = if pane == focus {
            (Tone::Strong, format!("[{} {}]", pane.number(), pane.word()))
        } else {
            (Tone::Stale, format!("{} {}", pane.number(), pane.word()))
        };
        Item::new(0, u8::from(pane != focus), tone, text)
    });
    items::line(items.collect(), columns, "  ", view)
}

fn plan(app: &App, body: Rect) -> PaneLayout {
    let (width, height) = (body.width, body.height + 2);
    if width < WIDTH_THREE || height < HEIGHT_THREE {
        let [tabs, pane] = Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(body);
        return PaneLayout { panes: vec![(app.focus, pane)], hidden: Vec::new(), tabs: Some(tabs) };
    }
    let lines = lines(app);
    let panes = if width < WIDTH_ALL || height < HEIGHT_ALL { three(body, lines) } else { all(body, lines) };
    let is_shown = |pane: &PaneId| panes.iter().any(|(shown, _)| shown == pane);
    let hidden = PaneId::ALL.into_iter().filter(|pane| !is_shown(pane)).collect();
    // A pane that is only counted opens on the whole screen.
    if app.zoom == Zoom::On || !is_shown(&app.focus) {
        return PaneLayout { panes: vec![(app.focus, body)], hidden, tabs: None };
    }
    PaneLayout { panes, hidden, tabs: None }
}

/// Lines that the panes of nodes want, frames and headings included.
#[derive(Debug, Clone, Copy)]
struct Lines {
    connections: u16,
    liveness: u16,
    /// None while there are no warnings.
    warnings: u16,
}

fn lines(app: &App) -> Lines {
    let model = app.scene.view().model;
    let (nodes, peers) = connections::counts(model);
    let warnings = model.warnings().count();
    let lines = |count: usize, around| u16::try_from(count).unwrap_or(u16::MAX).saturating_add(around);
    Lines {
        connections: lines(nodes, 3),
        liveness: lines(peers, 2),
        warnings: lines(warnings, if warnings > 0 { 2 } else { 0 }),
    }
}

/// As many lines as wanted, within these shares of the height in percent: a large network does not
/// push out the rest, and a small one leaves no gap.
fn share(wanted: u16, height: u16, least: u32, most: u32) -> Constraint {
    let of_height = |percent: u32| u16::try_from(u32::from(height) * percent / 100).unwrap_or(u16::MAX);
    Constraint::Length(wanted.clamp(of_height(least), of_height(most)))
}

fn three(body: Rect, lines: Lines) -> Vec<(PaneId, Rect)> {
    let top = share(lines.connections, body.height, 55, 65);
    let [top, bottom] = Layout::vertical([top, Constraint::Min(0)]).areas(body);
    let [left, right] = Layout::horizontal([Constraint::Percentage(58), Constraint::Percentage(42)]).areas(top);
    vec![(PaneId::Topology, left), (PaneId::Connections, right), (PaneId::Gossip, bottom)]
}

fn all(body: Rect, lines: Lines) -> Vec<(PaneId, Rect)> {
    let [left, right] = Layout::horizontal([Constraint::Percentage(60), Constraint::Percentage(40)]).areas(body);
    let [top, bottom] = Layout::vertical([Constraint::Percentage(60), Constraint::Percentage(40)]).areas(left);
    let connections = share(lines.connections, body.height, 20, 40);
    let liveness = share(lines.liveness, body.height, 12, 25);
    let warnings = Constraint::Length(lines.warnings.min(WARNINGS_HEIGHT));
    let [connections, liveness, reports, notices, warned] =
        Layout::vertical([connections, liveness, Constraint::Fill(1), Constraint::Fill(1), warnings]).areas(right);
    let mut panes = vec![
        (PaneId::Topology, top),
        (PaneId::Connections, connections),
        (PaneId::Gossip, bottom),
        (PaneId::Liveness, liveness),
        (PaneId::Reports, reports),
        (PaneId::Notices, notices),
    ];
    if lines.warnings > 0 {
        panes.push((PaneId::Warnings, warned));
    }
    panes
}
