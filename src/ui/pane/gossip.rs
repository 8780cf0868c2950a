//! The gossip log: who sent what to whom, with deaths, reports and links between the lines.
//!
//! ```text
//! 2 Gossip log 1 284, FOLLOW, filter: all
//! 03:12.418 p2  → p4  GOSSIP  p1#12 hop 3 new, dup x3 "hello world"
//! 03:12.900 p3  → p5  PROBE   88 no answer (2/3)
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;

use super::{Focus, Parts, framed, log_note, plain_text, render_empty, render_log};
use crate::model::gossip::GossipEntry;
use crate::model::words::{GossipLine, LineTone};
use crate::proto::text::Body;
use crate::ui::action::PaneId;
use crate::ui::log_view::LogView;
use crate::ui::text;
use crate::ui::theme::Tone;
use crate::ui::view::View;

/// Bytes of a body that a line shows: more than the widest screen has columns.
const BODY_LEN: usize = 512;
/// Columns from which on there is room for the hour.
const HOURS_WIDTH_MIN: u16 = 78;

pub(crate) fn render(log: &mut LogView, frame: &mut Frame<'_>, area: Rect, view: &View<'_>, focus: Focus) {
    let entries = view.model.gossip();
    log.look(entries, |entry| plain(entry, view));
    let window = log.window(entries, usize::from(area.height.saturating_sub(2)));
    let inside = framed(PaneId::Gossip, &log_note(log, &window), frame, area, view, focus);
    if window.numbers.is_empty() {
        render_empty(&hint(log, view), frame, inside, view);
        return;
    }
    let moment = if inside.width < HOURS_WIDTH_MIN { View::minute } else { View::moment };
    render_log(&window, frame, inside, view, focus, |number| {
        let entry = entries.get(number)?;
        Some(parts(entry, &moment(view, entry.at), view))
    });
}

fn hint(log: &LogView, view: &View<'_>) -> String {
    if log.filter().is_all() {
        "Nothing was said yet. Peers gossip once they have neighbors.".to_owned()
    } else {
        let back = view.keys.key_of(crate::ui::action::Action::Back);
        format!("No line matches '{}'. {back} shows all.", log.filter().typed())
    }
}

/// The line as text.
pub(crate) fn plain(entry: &GossipEntry, view: &View<'_>) -> String {
    plain_text(&parts(entry, &view.moment(entry.at), &view.in_full()))
}

fn parts(entry: &GossipEntry, moment: &str, view: &View<'_>) -> Parts {
    let Some(line) = entry.line(&|addr| view.short_name(addr).into_owned()) else { return Parts::new() };
    let lit = entry.message().is_some() && entry.message() == view.lit.message;
    let mut parts = vec![(Tone::Stale, format!("{moment} "))];
    route(&line, view, &mut parts);
    let tone = if lit { Tone::Wave } else { tone_of(line.tone) };
    parts.push((tone, format!("{:<7} {}", line.tag, line.text)));
    if let Some(body) = entry.body() {
        let tone = if lit { Tone::Wave } else { Tone::Plain };
        parts.push((tone, format!(" \"{}\"", shown(body))));
    }
    parts
}

const fn tone_of(tone: LineTone) -> Tone {
    match tone {
        LineTone::Good => Tone::Up,
        LineTone::Plain => Tone::Plain,
        LineTone::Aside => Tone::Stale,
        LineTone::Doubtful => Tone::Suspect,
        LineTone::Bad => Tone::Dead,
    }
}

/// `p2 → p4`: from whom to whom.
fn route(line: &GossipLine, view: &View<'_>, parts: &mut Parts) {
    let mut used = 0;
    let mut push = |tone, text: String| {
        used += text::width(&text);
        parts.push((tone, text));
    };
    let from = line.from;
    match line.to {
        Some(to) => {
            push(view.node_tone(from), view.padded_name(from));
            push(Tone::Stale, format!(" {} ", view.theme.arrow()));
            push(view.node_tone(to), view.short_name(to).into_owned());
        }
        None => push(view.node_tone(from), view.short_name(from).into_owned()),
    }
    let fill = view.names.route.saturating_sub(used) + 1;
    parts.push((Tone::Plain, " ".repeat(fill)));
}

/// The beginning of a body, escaped: the rest of a long one would never be seen.
fn shown(body: &Body) -> String {
    let bytes = body.as_bytes();
    let end = bytes.len().min(BODY_LEN);
    // Not in the middle of a character, which would show as an escape.
    let end = (end.saturating_sub(3)..=end).rev().find(|end| is_boundary(bytes, *end)).unwrap_or(end);
    crate::proto::text::Escaped(&bytes[..end]).to_string()
}

fn is_boundary(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_none_or(|byte| byte & 0xc0 != 0x80)
}
