//! To be filled.

use super::reason::Reason;
use crate::model::Model;
use crate::proto::addr::Addr;
use crate::proto::message::MessageId;

pub(super) fn reason(_model: &Model, _node: Addr, _message: MessageId) -> Reason {
    Reason::NotCertain(Vec::new())
}
