use super::*;
use crate::event::samples::AT;

#[test]
fn a_time_is_that_of_the_readers_clock() {
    assert_eq!(stamp(AT, -4 * 3600), "1970-01-01 23:13:02.418");
}
