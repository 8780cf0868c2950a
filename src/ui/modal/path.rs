//! A file to write the session to, or a recorded session to open.

use std::path::{Path, PathBuf};

use super::Reply;
use super::form::{Form, Outcome};
use crate::ui::host::{Overwrite, ToHost};
use crate::ui::keys::Key;

/// What the file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Export,
    Open,
}

/// A form for one path.
#[derive(Debug)]
pub(crate) struct PathPrompt {
    pub(crate) form: Form,
    purpose: Purpose,
}

impl PathPrompt {
    /// Where to write the session.
    pub(crate) fn export(suggested: &str) -> Self {
        let form = Form::new("Export this session", "write").text("File", suggested);
        let form = form.noted("The ending chooses the form: .txt log lines, .jsonl events, .csv a table.");
        Self { form, purpose: Purpose::Export }
    }

    /// Which recorded session to open: the last one, unless the user names another.
    pub(crate) fn open(last: Option<&Path>) -> Self {
        let last = last.map_or_else(String::new, |last| last.to_string_lossy().into_owned());
        let form = Form::new("Open a recorded session", "open").text("File", last);
        let form = form.noted("A .jsonl file that the console exported, or a session that it recorded.");
        Self { form, purpose: Purpose::Open }
    }

    pub(crate) fn press(&mut self, key: Key) -> Reply {
        match self.form.press(key) {
            Outcome::Stay | Outcome::Chosen => Reply::Stay,
            Outcome::Cancel => Reply::Close,
            Outcome::Submit if self.form.typed(0).is_empty() => {
                self.form.fault(0, "a file name is needed");
                Reply::Stay
            }
            Outcome::Submit => Reply::Done(vec![self.wanted()]),
        }
    }

    fn wanted(&self) -> ToHost {
        let path = PathBuf::from(self.form.typed(0));
        match self.purpose {
            Purpose::Export => ToHost::Export { path, overwrite: Overwrite::Ask },
            Purpose::Open => ToHost::OpenRecording(path),
        }
    }
}
