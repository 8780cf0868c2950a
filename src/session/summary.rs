//! What a user reads after quitting.

use unicode_width::UnicodeWidthStr;

use super::recorder::RecorderReport;
use crate::event::NodeState;
use crate::model::Model;
use crate::model::death::DeathCase;
use crate::model::elsewhere::Sight;
use crate::model::node::NodeRecord;
use crate::model::rumor::{Counting, Coverage};
use crate::model::span_text;
use crate::model::words::{count_text, list_text, second_text};
use crate::proto::message::Role;

/// Deaths that are listed one by one.
const DEATHS_MAX: usize = 5;

/// A few lines: nodes, messages, coverage, deaths, missing events, and where the files are.
/// `record` is `None` for a session that was not recorded.
pub fn summary(model: &Model, record: Option<&RecorderReport>, utc_offset_s: i32) -> String {
    let mut text = format!("The session lasted {}.\n", span_text(model.lasted()));
    let mut line = |what: &str, told: String| text += &summary_line(what, &told);
    line("nodes", nodes(model));
    if let Some(warning) = model.no_seed() {
        line("seeds", format!("none reachable since {}", second_text(warning.since, utc_offset_s)));
    }
    line("messages", messages(model));
    line("coverage", coverage(model));
    line("deaths", deaths(model, utc_offset_s));
    if let Some(told) = disputes(model, utc_offset_s) {
        line("disputes", told);
    }
    if let Some(told) = missing(model, record) {
        line("missing", told);
    }
    if let Some(record) = record {
        if let Some(told) = logs(record) {
            line("logs", told);
        }
        line("journal", record.journal.as_ref().map_or("none".to_owned(), |journal| journal.display().to_string()));
    }
    text
}

/// Columns of the narrowest usual terminal, and of the words in front of a line.
const COLUMNS: usize = 80;
const INDENT: usize = 12;

/// A line of the summary: the words after the first two columns of words, broken between words. A
/// word that is too long for that, such as a path, has a line of its own.
pub fn summary_line(what: &str, told: &str) -> String {
    let mut lines = vec![format!("  {what:<10}")];
    for (nth, word) in told.split(' ').enumerate() {
        let used = lines.last().map_or(0, |line| line.width());
        let gap = usize::from(nth > 0 && used > INDENT);
        match word.width() {
            width if INDENT + width > COLUMNS => lines.push(String::new()),
            width if used + gap + width > COLUMNS => lines.push(" ".repeat(INDENT)),
            _ => lines.last_mut().into_iter().for_each(|line| line.extend(std::iter::repeat_n(' ', gap))),
        }
        lines.last_mut().into_iter().for_each(|line| *line += word);
    }
    lines.iter().flat_map(|line| [line.trim_end(), "\n"]).collect()
}

fn nodes(model: &Model) -> String {
    let ours = || model.nodes().iter().filter(|node| node.is_ours());
    let with_role = |role| ours().filter(|node| node.role == Some(role)).count() as u64;
    let in_life = |life| ours().filter(|node| node.life() == life).count() as u64;
    let elsewhere = model.nodes().len() - ours().count();
    let counts = [
        (in_life(Some(NodeState::Killed)), "killed"),
        (in_life(Some(NodeState::Hangs)), "hung"),
        (elsewhere as u64, "elsewhere"),
    ];
    let mut told = vec![count_text(with_role(Role::Seed), "seed"), count_text(with_role(Role::Peer), "peer")];
    told.extend(counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")));
    told.join(", ")
}

fn messages(model: &Model) -> String {
    let totals = model.totals();
    let received = count_text(totals.received, "first receipt");
    format!("{}{} generated, {received}, {} further copies", least(model), totals.generated, totals.duplicates)
}

/// Stands before figures that lack skipped events.
fn least(model: &Model) -> &'static str {
    if model.totals().skipped > 0 { "at least " } else { "" }
}

fn coverage(model: &Model) -> String {
    let rumors = model.rumors().ring();
    let Some(latest) = model.latest_rumor() else { return "no message was seen".to_owned() };
    let sight = model.sight();
    if !sight.is_whole() {
        return partial_coverage(model, sight);
    }
    let everywhere =
        rumors.iter().filter(|(_, rumor)| rumor.coverage(model.nodes(), Counting::HadTime).is_full()).count();
    let Coverage { have, of: expected } = latest.coverage(model.nodes(), Counting::HadTime);
    let hops = count_text(u64::from(latest.hop_max), "hop");
    let of = count_text(rumors.len() as u64, "message");
    let name = model.message_name(latest.id);
    let least = least(model);
    format!("{least}{everywhere} of {of} reached every peer; the last, {name}: {least}{have}/{expected} in {hops}")
}

/// Of nodes elsewhere it is known only if they sent a copy.
fn partial_coverage(model: &Model, sight: Sight) -> String {
    let rumors = || model.rumors().ring().iter().map(|(_, rumor)| rumor);
    let elsewhere = rumors().filter(|rumor| rumor.elsewhere(model.nodes()).next().is_some()).count();
    let seen = count_text(rumors().count() as u64, "message");
    let (of, least) = (sight.text(), least(model));
    format!("known of {of} alone: {least}{seen} seen here, {elsewhere} of them known to be elsewhere, too")
}

fn deaths(model: &Model, utc_offset_s: i32) -> String {
    let cases = model.deaths().cases().iter().map(|(_, case)| case).filter(|case| !case.is_unfounded());
    let killed =
        |node: &&NodeRecord| node.life() == Some(NodeState::Killed) && model.deaths().latest_of(node.addr).is_none();
    let unnoticed: Vec<_> = model.nodes().iter().filter(killed).map(|node| model.name_of(node.addr)).collect();
    let mut told: Vec<String> = cases.take(DEATHS_MAX).map(|case| death(model, case, utc_offset_s)).collect();
    told.extend(more(model.deaths().counts().deaths, told.len()));
    if !unnoticed.is_empty() {
        told.push(format!("{} killed, not noticed by anybody", list_text(&unnoticed, 4)));
    }
    if told.is_empty() {
        told.push("none".to_owned());
    }
    // That there was none, or that nobody noticed, rests on the absence of events.
    told.extend(model.doubt());
    told.join("; ")
}

fn death(model: &Model, case: &DeathCase, utc_offset_s: i32) -> String {
    let at = second_text(case.at, utc_offset_s);
    let runs = model.nodes().get(case.dead).is_some_and(NodeRecord::runs);
    let back = match (case.back_at.is_some(), runs) {
        (true, _) => ", back since",
        (false, true) => ", though it runs",
        (false, false) => "",
    };
    let by = if case.evidence.is_empty() {
        list_text(&case.seeds().into_iter().map(|seed| model.name_of(seed)).collect::<Vec<_>>(), 4)
    } else {
        reporters(model, case)
    };
    format!("{} at {at}, noticed by {by}{back}", model.name_of(case.dead))
}

/// Reports of nodes that were not dead.
fn disputes(model: &Model, utc_offset_s: i32) -> Option<String> {
    let cases = model.deaths().cases().iter().map(|(_, case)| case).filter(|case| case.is_unfounded());
    let dispute = |case: &DeathCase| {
        let (who, dead, at) = (reporters(model, case), model.name_of(case.dead), second_text(case.at, utc_offset_s));
        let what = match case.away {
            Some(span) => format!("away for {}", span_text(span)),
            None if case.is_disputed() => "false".to_owned(),
            None => "a lie".to_owned(),
        };
        format!("{who} reported {dead} dead: {what}, at {at}")
    };
    let mut told: Vec<String> = cases.take(DEATHS_MAX).map(dispute).collect();
    told.extend(more(model.deaths().counts().unfounded, told.len()));
    (!told.is_empty()).then(|| told.join("; "))
}

fn reporters(model: &Model, case: &DeathCase) -> String {
    let by: Vec<_> = case.evidence.iter().map(|evidence| model.name_of(evidence.reporter)).collect();
    list_text(&by, 4)
}

fn more(all: u64, told: usize) -> Option<String> {
    let more = all.saturating_sub(told as u64);
    (more > 0).then(|| format!("{more} more"))
}

fn missing(model: &Model, record: Option<&RecorderReport>) -> Option<String> {
    let screen = model.totals().skipped;
    let on_screen = told([(screen, "not shown: the screen was too slow")]);
    let parts: Vec<_> = on_screen.into_iter().chain(record.and_then(unrecorded)).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// How many events the journal lacks, and why; `None` if it has all.
pub fn unrecorded(record: &RecorderReport) -> Option<String> {
    told([
        (record.skipped, "not recorded: the disk was too slow"),
        (record.lost, "not recorded: the journal was full or could not be written"),
    ])
}

fn told<const N: usize>(parts: [(u64, &str); N]) -> Option<String> {
    let told: Vec<_> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, why)| format!("{} {why}", count_text(*count, "event")))
        .collect();
    (!told.is_empty()).then(|| told.join("; "))
}

fn logs(record: &RecorderReport) -> Option<String> {
    let dir = record.logs.first()?.parent()?;
    Some(format!("{} ({})", dir.display(), count_text(record.logs.len() as u64, "file")))
}

#[cfg(test)]
mod tests;
