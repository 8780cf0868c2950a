//! Nodes and messages of a recorded session, by name.

use super::failure::Failure;
use crate::event::{Event, EventKind};
use crate::model::Model;
use crate::model::moment::SessionSpan;
use crate::model::rumor::DELIVERY_TIME;
use crate::proto::addr::Addr;
use crate::proto::message::MessageId;
use crate::session::journal::JournalError;
use crate::session::past::Past;

/// Names that an error names.
const NAMES_TOLD: usize = 16;

/// Why a name leads to nothing.
#[derive(Debug)]
pub(super) enum NameError {
    /// There is no such node or message, in words.
    NotThere(String),
    Journal(JournalError),
}

impl From<JournalError> for NameError {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

impl NameError {
    /// A failure, if a wrong name is wrong usage of the command.
    pub(super) fn usage(self) -> Failure {
        match self {
            Self::NotThere(why) => Failure::usage(why),
            Self::Journal(error) => error.into(),
        }
    }

    /// A failure, if a wrong name is an answer of its own.
    pub(super) fn other(self) -> Failure {
        match self {
            Self::NotThere(why) => Failure::other(why),
            Self::Journal(error) => error.into(),
        }
    }
}

/// The node of this name or address.
pub(super) fn node(name: &str, model: &Model) -> Result<Addr, NameError> {
    model.nodes().find(name).map(|node| node.addr).ok_or_else(|| {
        let ours = model.nodes().iter().filter(|node| node.is_ours()).map(|node| node.addr);
        let there = model.names_in_order(ours, NAMES_TOLD);
        NameError::NotThere(format!("there is no node '{name}' in this session up to then: it has {there}"))
    })
}

/// The message of this name. One that is too old for the model of the moment is looked for in the whole
/// recording, and the model is then that of its own time.
pub(super) fn message(
    name: &str,
    model: &mut Model,
    past: &Past,
    session: SessionSpan,
) -> Result<MessageId, NameError> {
    if let Some(id) = model.find_message(name) {
        return Ok(id);
    }
    let (origin, number) = name.split_at(name.find('#').unwrap_or(name.len()));
    let origin = node(origin, model)?;
    let is_it = |event: &Event| {
        let named = matches!(event.kind, EventKind::Gossip(_)).then(|| event.kind.subject().message).flatten();
        named.filter(|id| id.origin == origin && id.to_string() == number)
    };
    let found = past.events(session.first, model.now())?.find_map(|event| Some((event.at, is_it(&event)?)));
    let Some((began, id)) = found else { return Err(no_message(name, origin, model)) };
    *model = past.at(began + DELIVERY_TIME)?.model;
    Ok(id)
}

fn no_message(name: &str, origin: Addr, model: &Model) -> NameError {
    let numbers = model.rumors().ring().iter().filter(|(_, rumor)| rumor.id.origin == origin);
    let ids: Vec<_> = numbers.map(|(_, rumor)| rumor.id).collect();
    let there = match (ids.first(), ids.last()) {
        (Some(first), Some(last)) if first == last => format!("the only one of {} is {first}", model.name_of(origin)),
        (Some(first), Some(last)) => format!("the latest of {} are {first} to {last}", model.name_of(origin)),
        (_, _) => format!("none of {} is known", model.name_of(origin)),
    };
    NameError::NotThere(format!("there is no message '{name}' in this session up to then: {there}"))
}
