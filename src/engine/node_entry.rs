//! What the engine knows of a node, and what people call it.

use std::fmt;
use std::str::FromStr;

use crate::event::NodeState;
use crate::proto::addr::Addr;
use crate::proto::message::Role;

/// A node, through all its lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeEntry {
    /// Its role is in it.
    pub name: NodeName,
    pub state: NodeState,
    /// How often it was restarted.
    pub life: u64,
}

/// What people call a node, which says its role, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NodeName {
    /// `s1`, `p7`: in a lab. For each role, nodes are numbered from 1 in the order of their first
    /// start.
    Numbered { role: Role, number: u32 },
    /// `:3000`: in any other session. So a node has the same name in each window of its network.
    Address { role: Role, addr: Addr },
}

impl NodeName {
    pub const fn role(self) -> Role {
        match self {
            Self::Numbered { role, .. } | Self::Address { role, .. } => role,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected s or p and a number, such as p7")]
pub struct NotANodeName;

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Numbered { role: Role::Seed, number } => write!(f, "s{number}"),
            Self::Numbered { role: Role::Peer, number } => write!(f, "p{number}"),
            Self::Address { addr, .. } => f.write_str(&addr.name()),
        }
    }
}

/// Reads a number; what an address says of a role, nobody knows.
impl FromStr for NodeName {
    type Err = NotANodeName;

    fn from_str(text: &str) -> Result<Self, NotANodeName> {
        let role = match text.chars().next() {
            Some('s') => Role::Seed,
            Some('p') => Role::Peer,
            Some(_) | None => return Err(NotANodeName),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_and_no_other_text_is_one() {
        for (role, number, text) in [(Role::Seed, 1, "s1"), (Role::Peer, 1_000_000, "p1000000")] {
            assert_eq!(NodeName::Numbered { role, number }.to_string(), text);
            assert_eq!(text.parse(), Ok(NodeName::Numbered { role, number }));
        }
        for text in
            ["", "p", "s0", "p07", "p+7", "p-7", "q1", "P1", "p1 ", ":3000", "p4294967296", "ä1", "127.0.0.1:3000"]
        {
            assert_eq!(text.parse::<NodeName>(), Err(NotANodeName), "{text}");
        }
    }
}
