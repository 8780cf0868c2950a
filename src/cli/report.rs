//! `report`: a session as one page.

use std::io::{self, IsTerminal as _};
use std::process::ExitCode;

use super::args::ReportArgs;
use super::failure::Failure;
use super::output::{self, warn};
use super::with;
use crate::model::words::count_text;
use crate::session::export::{self, OverwritePolicy};
use crate::session::report::{SessionReport, page};

pub(crate) fn report(args: &ReportArgs) -> Result<ExitCode, Failure> {
    if args.output.is_none() && io::stdout().is_terminal() {
        return Err(Failure::usage("a report is a page for a browser: name a file with -o report.html"));
    }
    let journal = with::open(&args.session, &args.with)?;
    if let Some(file) = &args.output {
        export::check_dest(journal.path(), file, overwrite(args))?;
    }
    let report = SessionReport::read(journal.path())?;
    let page = page(&report);
    complain(&report);
    let Some(file) = &args.output else { return output::print(page.as_bytes()) };
    export::write_text(file, &page, overwrite(args))?;
    output::print_lines(&format!(
        "report of {} written to {}\n",
        count_text(report.model.totals().events, "event"),
        file.display()
    ))
}

const fn overwrite(args: &ReportArgs) -> OverwritePolicy {
    if args.force { OverwritePolicy::Replace } else { OverwritePolicy::Refuse }
}

/// Reports what the recording lacks; the page says so, too.
fn complain(report: &SessionReport) {
    let gaps = &report.gaps;
    gaps.damage.told.iter().for_each(warn);
    if gaps.events > 0 {
        warn(format_args!("{} missing in the recording: the report says so", count_text(gaps.events, "event")));
    }
}
