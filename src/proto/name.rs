//! What people call nodes, and the order of those names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::addr::Addr;
use super::message::Role;

/// What people call a node of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum NodeName {
    /// `s1`, `p7`: in a lab. For each role, nodes are numbered from 1 in the order of their first
    /// start.
    Numbered { role: Role, number: u32 },
    /// `:3000`: in any other session. So a node has the same name in each window of its network.
    Address(Addr),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected s or p and a number, such as p7, or an address such as :3000")]
pub struct NotANodeName;

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Numbered { role: Role::Seed, number } => write!(f, "s{number}"),
            Self::Numbered { role: Role::Peer, number } => write!(f, "p{number}"),
            Self::Address(addr) => f.write_str(&addr.name()),
        }
    }
}

impl FromStr for NodeName {
    type Err = NotANodeName;

    fn from_str(text: &str) -> Result<Self, NotANodeName> {
        let role = match text.chars().next() {
            Some('s') => Role::Seed,
            Some('p') => Role::Peer,
            Some(_) | None => return Addr::by_name(text).map(Self::Address).ok_or(NotANodeName),
        };
        // `p07` and `p+7` are no names.
        match text[1..].parse() {
            Ok(number) if text[1..].starts_with(|digit: char| ('1'..='9').contains(&digit)) => {
                Ok(Self::Numbered { role, number })
            }
            Ok(_) | Err(_) => Err(NotANodeName),
        }
    }
}

impl TryFrom<String> for NodeName {
    type Error = NotANodeName;

    fn try_from(text: String) -> Result<Self, NotANodeName> {
        text.parse()
    }
}

impl From<NodeName> for String {
    fn from(name: NodeName) -> Self {
        name.to_string()
    }
}

/// A sort key for names: `p2` before `p10`, peers before seeds, and addresses last.
pub fn name_order(name: &str) -> impl Ord + use<> {
    let letters = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let number: u64 = name[letters.len()..].parse().unwrap_or(0);
    (name.contains(':'), letters.to_owned(), number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_the_order_in_which_people_count() {
        let mut names = ["10.0.0.7:3002", "s10", ":3000", "p10", "s2", ":950", "p2", "p1"];
        names.sort_by_key(|name| name_order(name));
        assert_eq!(names, ["p1", "p2", "p10", "s2", "s10", "10.0.0.7:3002", ":950", ":3000"]);
    }

    #[test]
    fn a_name_reads_back_and_no_other_text_is_one() {
        for (role, number, text) in [(Role::Seed, 1, "s1"), (Role::Peer, 1_000_000, "p1000000")] {
            assert_eq!(NodeName::Numbered { role, number }.to_string(), text);
            assert_eq!(text.parse(), Ok(NodeName::Numbered { role, number }));
        }
        assert_eq!(":3000".parse(), Ok(NodeName::Address(Addr::loopback(3_000))));
        assert_eq!(NodeName::Address(Addr::loopback(3_000)).to_string(), ":3000");
        for text in ["", "p", "s0", "p07", "p+7", "p-7", "q1", "P1", "p1 ", "p4294967296", "ä1", ":x"] {
            assert_eq!(text.parse::<NodeName>(), Err(NotANodeName), "{text}");
        }
    }
}
