//! The table of one message: who lacks it and why, who has it and from whom, and the curve of its
//! spread beside the predicted one.
//!
//! ```text
//! + p2#6 ---------------------------------------------------+
//! | "Gossip Message 6" reached 7/8 in 2 hops and 5.1 ms     |
//! | LDH 2, flood predicts 2; RMR 1.43, flood predicts 1.40  |
//! | (chart)                                                 |
//! |   NODE FROM  HOP  DELAY DUP                             |
//! | x p4   it had no neighbor; its last link, ...           |
//! | * p2   begins  0      -   1                             |
//! +---------------------------------------------------------+
//! ```

mod chart;
mod rows;

use std::ops::Range;
use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use self::rows::WaveTableRow;
use super::{Modal, Reply, action, columns, foot, framed};
use crate::model::FastHashMap;
use crate::model::rumor::Coverage;
use crate::model::wave::Wave;
use crate::model::why::{Lack, why_not_each};
use crate::model::words::span_text;
use crate::proto::addr::Addr;
use crate::proto::message::MessageId;
use crate::proto::time::Time;
use crate::ui::action::{Action, Move};
use crate::ui::explain::Subject;
use crate::ui::keys::{Key, KeyMap};
use crate::ui::line::{fit, mark};
use crate::ui::list_view::ListView;
use crate::ui::text;
use crate::ui::theme::Tone;
use crate::ui::view::View;

const WIDTH_MAX: u16 = 120;
/// Below this height there is no room for the chart above the table.
const HEIGHT_MIN: u16 = 16;
const CHART_HEIGHT_MIN: u16 = 7;
/// The heading and three nodes: in a small window, the prediction gives way to these.
const TABLE_HEIGHT_MIN: u16 = 4;
/// How often the figures are updated from the model: to a person who watches a message spread, this
/// is at once.
const REFRESH: Duration = Duration::from_millis(500);

/// One message, and the reader's position.
#[derive(Debug)]
pub(crate) struct WaveTable {
    id: MessageId,
    list: ListView<Addr>,
    facts: Option<Box<Facts>>,
    begun: Option<Key>,
}

/// What was read from the model, and when.
#[derive(Debug)]
struct Facts {
    at: Time,
    wave: Wave,
    body: String,
    rows: Vec<WaveTableRow>,
    /// Why each of the nodes that were on the screen lacks it: each answer is a walk through the
    /// network, and many may lack it.
    why: FastHashMap<Addr, Lack>,
}

impl Facts {
    fn of(id: MessageId, view: &View<'_>) -> Option<Self> {
        let wave = view.model.wave(id)?;
        let rumor = view.model.rumors().get(id)?;
        let rows = rows::rows(&wave);
        Some(Self { at: view.now, body: rumor.body.to_string(), wave, rows, why: FastHashMap::default() })
    }

    /// Asks why these lack it, unless they were asked about already.
    fn ask(&mut self, window: Range<usize>, view: &View<'_>) {
        let Some(rumor) = view.model.rumors().get(self.wave.id) else { return };
        let lacks = |row: &WaveTableRow| match row {
            WaveTableRow::Lacks(node) => Some(*node).filter(|node| !self.why.contains_key(node)),
            WaveTableRow::Has(_) | WaveTableRow::Elsewhere(..) | WaveTableRow::Origin(..) => None,
        };
        let new: Vec<Addr> = self.rows[window].iter().filter_map(lacks).collect();
        if new.is_empty() {
            return;
        }
        let answers = why_not_each(view.model, rumor, &new, view.utc_offset_s);
        self.why.extend(new.into_iter().zip(answers));
    }
}

impl WaveTable {
    pub(crate) fn new(id: MessageId) -> Self {
        Self { id, list: ListView::default(), facts: None, begun: None }
    }

    fn nodes(&self) -> Vec<Addr> {
        self.facts.iter().flat_map(|facts| &facts.rows).map(WaveTableRow::node).collect()
    }

    fn refresh(&mut self, view: &View<'_>) {
        let is_fresh = |facts: &Facts| view.now.since(facts.at) < REFRESH && facts.at <= view.now;
        if !self.facts.as_deref().is_some_and(is_fresh) {
            // What is no longer held stays as it was last seen.
            self.facts = Facts::of(self.id, view).map(Box::new).or(self.facts.take());
        }
    }

    fn render_table(&mut self, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
        let nodes = self.nodes();
        let Some(facts) = &mut self.facts else { return };
        let columns = usize::from(area.width);
        let window = self.list.window(&nodes, usize::from(area.height.saturating_sub(1)));
        facts.ask(window.clone(), view);
        let selected = self.list.selected(&nodes);
        let names = rows::name_width(&facts.wave, view);
        let mut lines = vec![fit(&rows::heading(names, view), columns, view)];
        lines.extend(facts.rows[window].iter().map(|row| {
            let mut line = fit(&row.parts(facts.why.get(&row.node()), names, view), columns, view);
            if selected == Some(row.node()) {
                mark(&mut line, columns);
            }
            line
        }));
        frame.render_widget(Paragraph::new(lines), area);
    }
}

impl Modal for WaveTable {
    fn press(&mut self, key: Key, keys: &KeyMap) -> Reply {
        match action(key, &mut self.begun, keys) {
            Some(Action::Move(wanted)) => self.scroll(wanted),
            Some(Action::Details) => {
                let Some(node) = self.list.selected(&self.nodes()) else { return Reply::Close };
                return Reply::Explain(Subject::Lack { node, id: self.id });
            }
            Some(Action::Back | Action::Quit | Action::WaveTable) => return Reply::Close,
            Some(_) | None => {}
        }
        Reply::Stay
    }

    fn render(&mut self, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
        self.refresh(view);
        let title = view.model.message_name(self.id);
        let inside = framed(&title, (columns(WIDTH_MAX, area), usize::MAX), frame, area, view);
        let Some(facts) = &self.facts else {
            let gone = format!("{title} is no longer held here.");
            frame.render_widget(Line::from(view.span(Tone::Stale, gone)), inside);
            return;
        };
        let mut head = head(facts, usize::from(inside.width), view);
        head.truncate(usize::from(inside.height.saturating_sub(TABLE_HEIGHT_MIN)).max(1));
        let lines = u16::try_from(head.len()).unwrap_or(u16::MAX);
        let [top, body] = Layout::vertical([Constraint::Length(lines), Constraint::Min(0)]).areas(inside);
        frame.render_widget(Paragraph::new(head), top);
        let chart_height = if inside.height < HEIGHT_MIN { 0 } else { (body.height / 3).max(CHART_HEIGHT_MIN) };
        let [chart, table] = Layout::vertical([Constraint::Length(chart_height), Constraint::Min(0)]).areas(body);
        chart::render(&facts.wave, frame, chart, view);
        self.render_table(frame, table, view);
        let key = |action, what| format!("{} {what}", view.keys.key_of(action));
        foot(&[key(Action::Details, "why"), key(Action::Back, "closes")], frame, inside, view);
    }

    fn scroll(&mut self, wanted: Move) {
        let nodes = self.nodes();
        self.list.act(&nodes, wanted, |node| node.to_string());
    }
}

fn head(facts: &Facts, columns: usize, view: &View<'_>) -> Vec<Line<'static>> {
    let body = text::truncate(&facts.body, columns / 2, view.theme.glyphs).into_owned();
    let (wave, Coverage { have, of }) = (&facts.wave, facts.wave.coverage());
    let least = if wave.is_complete { "" } else { "at least " };
    let spread = wave.rows.iter().map(|row| row.delay).max().unwrap_or_default();
    let hops = wave.hops_told.as_ref().map_or_else(String::new, |hops| format!("{hops} and "));
    let elsewhere = view.model.beyond_text(wave.elsewhere.len(), view.vantage);
    let so_far = if wave.is_under_way { " so far" } else { "" };
    let reached = format!("\"{body}\" reached {least}{have}/{of}{elsewhere}{so_far} in {hops}{}", span_text(spread));
    let (lacking, tone) = match (wave.lacking.len(), wave.is_under_way) {
        (more @ 1.., false) if !wave.is_complete => (format!("{more} not seen to have it"), Tone::Suspect),
        (0, _) if !view.model.sight().is_whole() => ("nobody here lacks it".to_owned(), Tone::Up),
        (0, _) => ("nobody lacks it".to_owned(), Tone::Up),
        (1, false) => ("1 lacks it".to_owned(), Tone::Suspect),
        (more, false) => (format!("{more} lack it"), Tone::Suspect),
        (1, true) => ("1 lacks it still".to_owned(), Tone::Plain),
        (more, true) => (format!("{more} lack it still"), Tone::Plain),
    };
    let first = fit(&[(Tone::Strong, reached), (tone, format!(", {lacking}"))], columns, view);
    let second = view.wrapped(&measures(wave, view), Tone::Plain, columns);
    std::iter::once(first).chain(second).collect()
}

/// The measured figures, and the predicted ones.
fn measures(wave: &Wave, view: &View<'_>) -> String {
    let ratio = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"));
    let measured = ratio(wave.redundancy);
    let text = match &wave.prediction {
        Some(theory) => {
            let word = theory.strategy.word();
            let predicted = match theory.redundancy {
                Some(predicted) => format!("{word} predicts {predicted:.2}"),
                None => "theory not certain: peers elsewhere take part".to_owned(),
            };
            if theory.is_alone {
                format!("{} had no link when it began: nothing to predict", view.name(wave.id.origin))
            } else {
                format!("{word} predicts {}; redundancy (RMR) {measured}, {predicted}", theory.hops)
            }
        }
        None => format!("redundancy (RMR) {measured}; no prediction: it began elsewhere"),
    };
    let hop_time = wave.hop_time.map(|time| format!("; a hop takes {} in the median", span_text(time)));
    let last = match &wave.hops_told {
        Some(_) if wave.is_hop_certain => wave.hops.to_string(),
        Some(_) => format!("~{}", wave.hops),
        None => "not certain".to_owned(),
    };
    format!("last delivery hop {last}, {text}{}", hop_time.unwrap_or_default())
}
