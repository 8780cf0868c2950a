//! A form for a path: a file to write the session to, or a recording to open.

use std::path::{Path, PathBuf};

use super::Reply;
use super::form::{Form, FormOutcome};
use crate::ui::host::{Overwrite, ToHost};
use crate::ui::keys::Key;
use crate::ui::options::ExportCheck;

#[derive(Debug, Clone, Copy)]
enum PathPurpose {
    Export(ExportCheck),
    Open,
}

#[derive(Debug)]
pub(crate) struct PathPrompt {
    pub(crate) form: Form,
    purpose: PathPurpose,
}

impl PathPrompt {
    /// Where to write the session, under a name that passes this check.
    pub(crate) fn export(suggested: &str, check: ExportCheck) -> Self {
        let form = Form::new("Export this session", "write").text("File", suggested);
        let form = form.noted("The ending chooses the form: .txt log lines, .jsonl events, .csv a table.");
        Self { form, purpose: PathPurpose::Export(check) }
    }

    /// Which recording to open: the last one, unless the user names another.
    pub(crate) fn open(last: Option<&Path>) -> Self {
        let last = last.map_or_else(String::new, |last| last.to_string_lossy().into_owned());
        let form = Form::new("Open a recorded session", "open").text("File", last);
        let form = form.noted("A .jsonl file that the console exported, or a session that it recorded.");
        Self { form, purpose: PathPurpose::Open }
    }

    pub(crate) fn press(&mut self, key: Key) -> Reply {
        match self.form.press(key) {
            FormOutcome::Stay | FormOutcome::Chosen => Reply::Stay,
            FormOutcome::Cancel => Reply::Close,
            FormOutcome::Submit => match self.check() {
                Ok(()) => Reply::Done(vec![self.wanted()]),
                Err(fault) => {
                    self.form.fault(0, fault);
                    Reply::Stay
                }
            },
        }
    }

    fn check(&self) -> Result<(), String> {
        match (self.form.typed(0), self.purpose) {
            ("", _) => Err("a file name is needed".to_owned()),
            (name, PathPurpose::Export(check)) => check(Path::new(name)),
            (_, PathPurpose::Open) => Ok(()),
        }
    }

    fn wanted(&self) -> ToHost {
        let path = PathBuf::from(self.form.typed(0));
        match self.purpose {
            PathPurpose::Export(_) => ToHost::Export { path, overwrite: Overwrite::Ask },
            PathPurpose::Open => ToHost::OpenRecording(path),
        }
    }
}
