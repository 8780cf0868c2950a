//! How much memory something takes, by a count of this thread's allocations.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// What `run` returns, and the most bytes that it held at one time: a buffer that grows counts twice
/// while its content moves.
pub(crate) fn measured<T>(run: impl FnOnce() -> T) -> (T, usize) {
    let mut result = None;
    // A panic must not leave the count open: proptest goes on to look for a smaller example.
    let info = allocation_counter::measure(|| result = Some(catch_unwind(AssertUnwindSafe(run))));
    match result {
        Some(Ok(value)) => (value, usize::try_from(info.bytes_max).unwrap()),
        Some(Err(panic)) => resume_unwind(panic),
        None => unreachable!("it ran"),
    }
}
