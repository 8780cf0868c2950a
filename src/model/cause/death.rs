//! To be filled.

use super::reason::Reason;
use crate::model::Model;
use crate::proto::addr::Addr;
use crate::proto::time::Time;

pub(super) fn reason(_model: &Model, _reporter: Addr, _dead: Addr, _at: Time) -> Reason {
    Reason::NotCertain(Vec::new())
}
