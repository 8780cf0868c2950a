//! A form for a message of the user: which peer sends it, and its text.

use super::form::{Form, Values};
use crate::command::Command;
use crate::command::words::body_fault;
use crate::model::Model;
use crate::proto::addr::Addr;
use crate::proto::text::Body;
use crate::ui::fault;
use crate::ui::host::ToHost;

const FROM: usize = 0;
const TEXT: usize = 1;

/// With the running peers of this process to choose from; `None` if there is none.
pub(crate) fn say(model: &Model, preferred: Option<Addr>) -> Option<Form> {
    let senders = senders(model);
    if senders.is_empty() {
        return None;
    }
    let names = senders.iter().map(|addr| model.name_of(*addr).into_owned()).collect();
    let chosen = senders.iter().position(|addr| Some(*addr) == preferred).unwrap_or(0);
    let command = move |values: &Values| match (values.chosen(FROM), values.typed(TEXT)) {
        (_, text) if let Some(fault) = body_fault(text.len()) => Err((TEXT, fault.to_string())),
        (from, text) => {
            Ok(vec![ToHost::Command(Command::Say { node: senders[from % senders.len()], body: text.into() })])
        }
    };
    let form = Form::new("Send a message", "send", command);
    Some(form.choice("From", names, chosen).text("Text", "").focused(TEXT))
}

/// The peers of this process that can send.
fn senders(model: &Model) -> Vec<Addr> {
    let say = |node| Command::Say { node, body: Body::default() };
    let addrs = model.nodes().iter().map(|node| node.addr);
    addrs.filter(|node| fault::judge(model, &say(*node), *node).is_ok()).collect()
}
