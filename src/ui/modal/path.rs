//! Forms for a path: a file to write the session to, or a recording to open.

use std::path::{Path, PathBuf};

use super::form::{Form, Values};
use crate::ui::host::{Overwrite, ToHost};
use crate::ui::options::ExportCheck;

const FILE: usize = 0;

/// Where to write the session, under a name that passes this check.
pub(crate) fn export(suggested: &Path, check: ExportCheck) -> Form {
    let wanted = move |values: &Values| {
        let path = named(values)?;
        check(&path).map_err(|fault| (FILE, fault))?;
        Ok(vec![ToHost::Export { path, overwrite: Overwrite::Ask }])
    };
    let form = Form::new("Export this session", "write", wanted).text("File", suggested.to_string_lossy());
    form.noted("The ending chooses the form: .txt log lines, .jsonl events, .csv a table.")
}

/// Which file to open as a recording.
pub(crate) fn open() -> Form {
    let wanted = |values: &Values| Ok(vec![ToHost::OpenRecording(named(values)?)]);
    let form = Form::new("Open a recorded session", "open", wanted);
    let form = form.text("File", "");
    form.noted("A .jsonl file that the console exported, or a session that it recorded.")
}

fn named(values: &Values) -> Result<PathBuf, (usize, String)> {
    match values.typed(FILE) {
        "" => Err((FILE, "a file name is needed".to_owned())),
        name => Ok(PathBuf::from(name)),
    }
}
