//! JSON for programs, which a terminal may show.

use std::borrow::Cow;

use crate::proto::text::printable_json;

/// A line of JSON without anything that acts on a terminal.
pub fn printed_json(line: &impl serde::Serialize) -> serde_json::Result<String> {
    let json = serde_json::to_string(line)?;
    Ok(match printable_json(&json) {
        Cow::Owned(printed) => printed,
        Cow::Borrowed(_) => json,
    })
}
