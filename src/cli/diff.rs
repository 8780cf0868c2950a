//! `diff`: what changed between two moments of a session, for the command line and for the console.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::args::{DiffArgs, DiffFormat};
use super::failure::Failure;
use super::output;
use super::recorded::complain_of;
use crate::model::diff::{DiffGroup, DiffLine};
use crate::model::moment::{Anchor, SessionSpan, WrittenMoment};
use crate::proto::time::Time;
use crate::session::comparison::Comparison;
use crate::session::past::Past;
use crate::session::text::printed_json;
use crate::ui::{Differences, FromHost, HostRefusal, WantedDiff};

/// What stands where there is no difference.
const NOTHING: &str = "nothing changed";

/// Compares two moments of this journal.
pub(crate) fn diff(args: &DiffArgs, journal: &Path) -> Result<ExitCode, Failure> {
    let past = Past::open(journal)?;
    let span = past.span()?;
    let at = |written: WrittenMoment| written.resolve(span, Anchor::Ends).map_err(Failure::usage);
    let [from, to] = [at(args.from)?, at(args.to)?];
    let comparison = Comparison::between(&past, from, to)?;
    match args.format {
        DiffFormat::Text => output::print_lines(&text(&comparison, span, [from, to]))?,
        DiffFormat::Json => {
            let json = printed_json(&comparison.document()).map_err(|error| Failure::Stdout(error.into()))?;
            output::print(format!("{json}\n").as_bytes())?
        }
    };
    Ok(complain_of(&comparison.damage))
}

/// The differences in groups, one line each.
fn text(comparison: &Comparison, span: SessionSpan, moments: [Time; 2]) -> String {
    let mut text = format!("{}\n", title(span, moments));
    if let Some(doubt) = comparison.doubt() {
        let _ = writeln!(text, "{doubt}");
    }
    let mut group: Option<DiffGroup> = None;
    let lines = comparison.lines();
    if lines.is_empty() {
        let _ = writeln!(text, "{NOTHING}");
    }
    for DiffLine { group: next, text: line } in lines {
        if group != Some(next) {
            let _ = write!(text, "\n{}\n", next.title());
        }
        group = Some(next);
        let _ = writeln!(text, "  {line}");
    }
    text
}

fn title(span: SessionSpan, [from, to]: [Time; 2]) -> String {
    format!("from {} to {}", span.text_of(from), span.text_of(to))
}

/// The answer for the console, read on a thread that may wait for the disk.
pub(super) async fn answer(journal: PathBuf, wanted: WantedDiff) -> FromHost {
    let compared = tokio::task::spawn_blocking(move || compared(&journal, wanted)).await;
    match compared {
        Ok(Ok(differences)) => FromHost::Differences(Box::new(differences)),
        Ok(Err(why)) => FromHost::Refused { why: HostRefusal::File(why) },
        Err(panic) => FromHost::Refused { why: HostRefusal::File(format!("internal error: {panic}")) },
    }
}

fn compared(journal: &Path, WantedDiff { from, to, shown }: WantedDiff) -> Result<Differences, String> {
    let past = Past::open(journal).map_err(|error| error.to_string())?;
    let span = past.span().map_err(|error| error.to_string())?;
    let at = |written: WrittenMoment| written.resolve(span, Anchor::Shown(shown)).map_err(|error| error.to_string());
    let moments = [at(from)?, at(to)?];
    let comparison = Comparison::between(&past, moments[0], moments[1]).map_err(|error| error.to_string())?;
    Ok(Differences { title: title(span, moments), doubt: comparison.doubt(), lines: comparison.lines() })
}
