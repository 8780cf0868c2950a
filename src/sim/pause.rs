//! A connection that is not read for a while.

use std::collections::VecDeque;

use crate::proto::machine::Input;
use crate::proto::time::Time;

/// What waits at an end of a connection, and until when.
#[derive(Debug)]
pub(super) struct Pause {
    pub(super) until: Time,
    pub(super) held: VecDeque<Input>,
}
