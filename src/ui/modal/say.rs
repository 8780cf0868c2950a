//! A form for a message of the user: which peer sends it, and its text.

use super::Reply;
use super::form::{Form, FormOutcome};
use crate::command::Command;
use crate::command::words::body_fault;
use crate::model::Model;
use crate::proto::addr::Addr;
use crate::proto::text::Body;
use crate::ui::fault;
use crate::ui::host::ToHost;
use crate::ui::keys::Key;

const FROM: usize = 0;
const TEXT: usize = 1;

#[derive(Debug)]
pub(crate) struct Say {
    pub(crate) form: Form,
    senders: Vec<Addr>,
}

impl Say {
    /// With the running peers of this process to choose from; `None` if there is none.
    pub(crate) fn new(model: &Model, preferred: Option<Addr>) -> Option<Self> {
        let senders = senders(model);
        if senders.is_empty() {
            return None;
        }
        let names = senders.iter().map(|addr| model.name_of(*addr).into_owned()).collect();
        let chosen = senders.iter().position(|addr| Some(*addr) == preferred).unwrap_or(0);
        let form = Form::new("Send a message", "send").choice("From", names, chosen).text("Text", "").focused(TEXT);
        Some(Self { form, senders })
    }

    pub(crate) fn press(&mut self, key: Key) -> Reply {
        match self.form.press(key) {
            FormOutcome::Stay | FormOutcome::Chosen => Reply::Stay,
            FormOutcome::Cancel => Reply::Close,
            FormOutcome::Submit => self.submit(),
        }
    }

    fn submit(&mut self) -> Reply {
        let text = self.form.typed(TEXT).to_owned();
        match (self.senders.get(self.form.chosen(FROM)), body_fault(text.len())) {
            (Some(node), None) => Reply::Done(vec![ToHost::Command(Command::Say { node: *node, body: text.into() })]),
            (_, Some(fault)) => {
                self.form.fault(TEXT, fault.to_string());
                Reply::Stay
            }
            (None, None) => Reply::Close,
        }
    }
}

/// The peers of this process that can send.
pub(crate) fn senders(model: &Model) -> Vec<Addr> {
    let say = |node| Command::Say { node, body: Body::default() };
    let addrs = model.nodes().iter().map(|node| node.addr);
    addrs.filter(|node| fault::judge(model, &say(*node), *node).is_ok()).collect()
}
