//! The two encodings of messages, and what follows from them.
//!
//! Wherever the dialects differ, the difference has a name: a question that the dialect answers. So
//! nobody but `net/wire` asks which dialect it is.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The two encodings of messages. All nodes of one network speak the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// Length-delimited frames with a versioned hello: what our own nodes speak.
    #[default]
    Framed,
    /// The unframed protocol of the existing Python nodes, byte for byte.
    Classic,
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(if self.is_framed() { "framed" } else { "classic" })
    }
}

/// What a node may do and expect.
impl Dialect {
    const fn is_framed(self) -> bool {
        matches!(self, Self::Framed)
    }

    /// A node may refuse a link, or close one that it does not want. Otherwise the other side takes
    /// a closed link for a death, and dies itself of one that closes before it was named.
    pub const fn may_close(self) -> bool {
        self.is_framed()
    }

    /// There are words for goodbyes, refusals and requests.
    pub const fn has_words_for_requests(self) -> bool {
        self.is_framed()
    }

    /// A peer that was dialed answers with a hello of its own. Otherwise only what it says later
    /// shows that it has accepted the link.
    pub const fn answers_hello(self) -> bool {
        self.is_framed()
    }

    /// On a registration a seed sends its list at once, and the peer then names itself. Otherwise
    /// both say hello first.
    pub const fn list_comes_first(self) -> bool {
        !self.is_framed()
    }

    /// A seed sends samples of its list and tells its length. Otherwise what it sends is the list.
    pub const fn lists_are_samples(self) -> bool {
        self.is_framed()
    }

    /// On a registration either side may ask: for another list, whether one is listed, whether one
    /// is alive. Otherwise a peer gets one list for each time that it registers.
    pub const fn registrations_answer(self) -> bool {
        self.is_framed()
    }

    /// Messages and probes have numbers of their own. Otherwise they are known by time and text.
    pub const fn has_numbers(self) -> bool {
        self.is_framed()
    }

    /// Probes and reports carry more than the Python nodes know: degrees, beacons, causes.
    pub const fn carries_extras(self) -> bool {
        self.is_framed()
    }

    /// Its nodes do nothing else while they read, so an answer may take long.
    pub const fn blocks_while_reading(self) -> bool {
        !self.is_framed()
    }
}

/// What a driver may do and must keep to.
impl Dialect {
    /// A connection may end in a reset. Otherwise that would end the remote, so whatever comes is
    /// read at once, to the end.
    pub const fn may_reset(self) -> bool {
        self.is_framed()
    }

    /// Messages have boundaries, so a text may hold anything.
    pub const fn is_delimited(self) -> bool {
        self.is_framed()
    }

    /// Each message must be written alone, apart from the one before: see [`super::pacing`].
    pub const fn writes_apart(self) -> bool {
        !self.is_framed()
    }
}
