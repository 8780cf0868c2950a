//! The picture: header, as many panes as fit, footer, dialogs on top.
//!
//! ```text
//! 100 x 30 and more        60 x 16 and more          less
//! + header ------------+   + header ------------+    + header ---+
//! | 1 topology    | 2  |   | 1       | 2        |    | tabs      |
//! |               | 4  |   | 3 gossip log       |    | one pane  |
//! | 3 gossip log  | 5  |   | 4       | 5        |    + footer ---+
//! |               | 6  |   + footer: 6 ---------+
//! + footer ------------+
//! ```

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Direction, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Clear, Paragraph, Widget};

use super::action::PaneId;
use super::app::{App, Zoom};
use super::items::{self, Item};
use super::modal::Covers;
use super::pane::{Focus, PaneInfo, PanePlace, PaneSize, Panes, Surface};
use super::theme::Tone;
use super::view::View;
use super::{footer, header, strip, timeline};

/// Below this nothing useful fits.
const WIDTH_MIN: u16 = 40;
const HEIGHT_MIN: u16 = 10;

/// How the panes share a screen of at least this size: it is cut into strips in one direction, and
/// each strip in the other.
struct Arrangement {
    width: u16,
    height: u16,
    direction: Direction,
    strips: &'static [PaneSize],
    place: fn(&PaneInfo) -> Option<PanePlace>,
}

/// The largest first; where none fits, there are tabs and one pane.
const ARRANGEMENTS: [Arrangement; 2] = [
    Arrangement {
        width: 100,
        height: 30,
        direction: Direction::Horizontal,
        strips: &[PaneSize::Percent(60), PaneSize::Percent(40)],
        place: |pane| Some(pane.wide),
    },
    Arrangement {
        width: 60,
        height: 16,
        direction: Direction::Vertical,
        strips: &[PaneSize::Wanted { least: 40, most: 49 }, PaneSize::Rest, PaneSize::Wanted { least: 20, most: 24 }],
        place: |pane| pane.narrow,
    },
];

/// The least height of a strip: two lines in a frame.
const STRIP_HEIGHT_MIN: u16 = 4;

/// Which panes are on the screen, and where.
#[derive(Debug, PartialEq, Eq)]
struct PaneLayout {
    panes: Vec<(PaneId, Rect)>,
    /// Panes that have no place beside the others: the footer counts them instead.
    hidden: Vec<PaneId>,
    /// Where the tabs are, if there is one pane at a time.
    tabs: Option<Rect>,
}

/// Draws everything.
pub(crate) fn draw(app: &mut App, frame: &mut Frame<'_>) {
    #[cfg(test)]
    super::tests::panic::strike(app);
    let area = frame.area();
    if is_too_small(area) {
        let text = format!("needs {WIDTH_MIN}x{HEIGHT_MIN}, is {}x{}", area.width, area.height);
        frame.render_widget(Paragraph::new(text), area);
        return;
    }
    app.prepare();
    let (strip, times) = (strip::height(app.scenario.as_ref(), area.height), timeline::height(app, area.height));
    // Where rows are few, it stands at the lower edge, so that what is read first stays in its place.
    let (above, below) = if area.height >= timeline::ROWS_ABOVE_MIN { (times, 0) } else { (0, times) };
    let [above, strip_rows, below] = [above, strip, below].map(Constraint::Length);
    let rows = [Constraint::Length(1), above, strip_rows, Constraint::Min(0), below, Constraint::Length(1)];
    let [head, above, story, body, below, foot] = Layout::vertical(rows).areas(area);
    let time = if above.height > 0 { above } else { below };
    let plan = plan(app, body, body.height + times);
    draw_head(app, frame.buffer_mut(), head);
    if let Some(scenario) = app.scenario.as_ref().filter(|_| strip > 0) {
        strip::render(scenario, frame, story, &app.view());
    }
    app.time_scale = if times > 0 { timeline::render(app, frame, time, &app.view()) } else { None };
    draw_panes(app, &plan, frame);
    app.hide(plan.hidden);
    footer::render(app, frame, foot, &app.view());
    draw_modals(app, frame, Rect { height: area.height - 1, ..area });
    footer::render_toast(app, frame, foot, &app.view());
    app.settle();
}

/// Draws the line at the top alone, into the last picture.
pub(crate) fn redraw_head(app: &App, picture: &mut Buffer) {
    let area = Rect { height: 1, ..picture.area };
    if !is_too_small(picture.area) {
        Clear.render(area, picture);
        draw_head(app, picture, area);
    }
}

fn is_too_small(area: Rect) -> bool {
    area.width < WIDTH_MIN || area.height < HEIGHT_MIN
}

fn draw_head(app: &App, picture: &mut Buffer, area: Rect) {
    let view = app.view();
    let inside = Rect { x: area.x + 1, width: area.width - 2, ..area };
    header::render(app, usize::from(inside.width), &view).render(inside, picture);
}

fn draw_panes(app: &mut App, plan: &PaneLayout, frame: &mut Frame<'_>) {
    let focused = app.focus;
    let (panes, view) = app.split();
    if let Some(area) = plan.tabs {
        frame.render_widget(tabs(focused, panes, usize::from(area.width), &view), area);
    }
    panes.areas.clone_from(&plan.panes);
    for (pane, area) in plan.panes.iter().copied() {
        let focus = if pane == focused { Focus::Here } else { Focus::Elsewhere };
        panes.get_mut(pane).render(&mut Surface { frame, pane, area, focus }, &view);
    }
}

/// The start screen gives way to the form that it opens; other dialogs lie on top of each other and
/// of the panes.
fn draw_modals(app: &mut App, frame: &mut Frame<'_>, area: Rect) {
    let view = app.scene.view();
    let covers_all = app.modals.first().is_some_and(|modal| modal.covers() == Covers::Screen);
    if covers_all {
        frame.render_widget(Clear, area);
    }
    let hidden = usize::from(covers_all && app.modals.len() > 1);
    for modal in app.modals.iter_mut().skip(hidden) {
        let area = match modal.covers() {
            Covers::Screen | Covers::Header => area,
            Covers::Panes => Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area },
        };
        modal.render(frame, area, &view);
    }
}

/// A tab with a slash has a filter.
fn tabs(focus: PaneId, panes: &Panes, columns: usize, view: &View<'_>) -> Line<'static> {
    let filter_sign = |pane| if panes.get(pane).filter().is_all() { "" } else { " /" };
    let items = PaneId::all().map(|pane| {
        let label = format!("{} {}{}", pane.number(), pane.info().word, filter_sign(pane));
        if pane == focus {
            Item::new(0, 0, Tone::Strong, format!("[{label}]"))
        } else {
            Item::new(0, 1, Tone::Stale, label)
        }
    });
    items::line(items.collect(), columns, "  ", view)
}

/// `rows`: those of the panes if there were no timeline.
fn plan(app: &App, body: Rect, rows: u16) -> PaneLayout {
    let has_room = |one: &&Arrangement| body.width >= one.width && rows + 2 >= one.height;
    let Some(arrangement) = ARRANGEMENTS.iter().find(has_room) else {
        let [tabs, pane] = Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(body);
        return PaneLayout { panes: vec![(app.focus, pane)], hidden: Vec::new(), tabs: Some(tabs) };
    };
    let panes = arrangement.panes(body, &app.scene.view());
    let is_shown = |pane: &PaneId| panes.iter().any(|(shown, _)| shown == pane);
    let hidden = PaneId::all().filter(|pane| !is_shown(pane)).collect();
    // A pane that has no place opens on the whole screen.
    if app.zoom == Zoom::On || !is_shown(&app.focus) {
        return PaneLayout { panes: vec![(app.focus, body)], hidden, tabs: None };
    }
    PaneLayout { panes, hidden, tabs: None }
}

impl Arrangement {
    fn panes(&self, body: Rect, view: &View<'_>) -> Vec<(PaneId, Rect)> {
        let wanted = |pane: PaneId| (pane.info().wanted)(view);
        let strips = 0..self.strips.len();
        let members: Vec<Vec<(PaneId, Constraint)>> = strips
            .map(|strip| {
                let placed = PaneId::all().filter_map(|pane| Some((pane, (self.place)(pane.info())?)));
                let here = placed.filter(|(_, place)| place.strip == strip);
                let sized = here.map(|(pane, place)| (pane, place.size.of(wanted(pane), body.height)));
                // A pane that nobody misses while it is empty.
                let mut sized: Vec<_> = sized.filter(|(_, size)| *size != Constraint::Length(0)).collect();
                // What nobody else takes goes to the first.
                if let [(_, first), rest @ ..] = &mut sized[..]
                    && rest.iter().all(|(_, size)| matches!(size, Constraint::Length(_)))
                {
                    *first = Constraint::Fill(1);
                }
                sized
            })
            .collect();
        let most = |strip: &[(PaneId, Constraint)]| strip.iter().map(|(pane, _)| wanted(*pane)).max().unwrap_or(0);
        let sizes = self.strips.iter().zip(&members).map(|(size, strip)| size.of(most(strip), body.height));
        let areas = Layout::new(self.direction, sizes).split(body);
        let across = self.direction.perpendicular();
        let placed = areas.iter().zip(&members).flat_map(|(area, strip)| {
            let areas = Layout::new(across, strip.iter().map(|(_, size)| *size)).split(*area);
            strip.iter().map(|(pane, _)| *pane).zip(areas.to_vec()).collect::<Vec<_>>()
        });
        placed.collect()
    }
}

impl PaneSize {
    /// In a body of this height, for something that wants so many lines.
    fn of(self, wanted: usize, height: u16) -> Constraint {
        let wanted = u16::try_from(wanted).unwrap_or(u16::MAX);
        let share = |percent: u32| u16::try_from(u32::from(height) * percent / 100).unwrap_or(u16::MAX);
        match self {
            Self::Percent(percent) => Constraint::Percentage(percent),
            Self::Wanted { least, most } => {
                Constraint::Length(wanted.clamp(share(least), share(most)).max(STRIP_HEIGHT_MIN))
            }
            Self::UpTo(most) => Constraint::Length(wanted.min(most)),
            Self::Log if wanted <= STRIP_HEIGHT_MIN => Constraint::Length(STRIP_HEIGHT_MIN),
            Self::Rest | Self::Log => Constraint::Fill(1),
        }
    }
}
