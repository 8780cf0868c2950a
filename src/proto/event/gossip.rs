//! Events about messages.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};

use super::{EventSubject, MessageLoss};
use crate::proto::addr::Addr;
use crate::proto::message::{MessageId, Trace};
use crate::proto::text::Body;

/// Something about a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, VariantNames, IntoStaticStr)]
#[serde(rename_all = "snake_case", tag = "event")]
#[strum(serialize_all = "snake_case")]
pub enum GossipEvent {
    /// A message begins here.
    Generated {
        id: MessageId,
        body: Body,
        /// When, in the classic dialect to the second only.
        trace: Option<Trace>,
        /// Neighbors that it was sent to.
        forwarded: usize,
    },
    /// A message was seen here for the first time.
    Received {
        id: MessageId,
        /// The neighbor that sent it.
        from: Addr,
        body: Body,
        /// What it carries about its path.
        trace: Option<Trace>,
        /// Neighbors that it was forwarded to.
        forwarded: usize,
    },
    /// Another copy of a message that had been seen here.
    Duplicate {
        id: MessageId,
        /// The neighbor that sent it.
        from: Addr,
        /// What it carries about its path.
        trace: Option<Trace>,
    },
    /// A message in this node's name that it did not send; neither forwarded nor counted. The first
    /// in ten seconds.
    Forged {
        id: MessageId,
        /// The neighbor that sent it, which may only have forwarded it.
        from: Addr,
    },
    /// A copy of a message did not arrive.
    #[serde(rename = "message_lost")]
    #[strum(serialize = "message_lost")]
    Lost {
        id: MessageId,
        #[serde(flatten)]
        loss: MessageLoss,
    },
}

impl GossipEvent {
    pub(super) fn subject(&self) -> EventSubject<'_> {
        let (message, peer, text) = match self {
            Self::Generated { id, body, .. } => (*id, None, Some(body)),
            Self::Received { id, from, body, .. } => (*id, Some(*from), Some(body)),
            Self::Duplicate { id, from, .. } | Self::Forged { id, from } => (*id, Some(*from), None),
            Self::Lost { id, loss } => (*id, Some(loss.from), None),
        };
        EventSubject { peer, message: Some(message), text }
    }
}
