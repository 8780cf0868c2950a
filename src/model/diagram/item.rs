//! What stands in a diagram: an arrow from one node to another, or a mark at some of them.

use crate::model::fault::FaultRef;
use crate::proto::addr::Addr;
use crate::proto::message::MessageId;
use crate::proto::time::Time;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiagramItem {
    /// When it happened, or was over: the copy came, the answer was there, the time for it had passed.
    pub at: Time,
    pub kind: ItemKind,
    pub route: ItemRoute,
    /// In a few words, where there is room beside it: `hop 2, 1.2 ms`.
    pub label: String,
    /// In a sentence.
    pub text: String,
    pub about: ItemSubject,
}

/// Where an item stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemRoute {
    Between {
        from: Addr,
        to: Addr,
        /// When it began; `None`: not known, as of what a node of another process sent.
        sent: Option<Time>,
    },
    At(Addr),
    /// At these nodes, at least one.
    Across(Vec<Addr>),
    /// Wherever there is a node.
    Everywhere,
}

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ItemKind {
    /// A message begins.
    Origin,
    /// The copy by which a node got a message.
    FirstCopy,
    /// A further copy.
    Duplicate,
    LostCopy,
    /// A probe that was answered.
    Probe,
    /// One that was not, in time.
    MissedProbe,
    /// A probe that did not arrive, or its answer.
    LostProbe,
    /// A probe whose outcome is not known yet.
    OpenProbe,
    /// A node is declared dead by a neighbor.
    Death,
    Report,
    LostReport,
    /// A seed takes a node off its list, or puts it there.
    Verdict,
    /// A node that was reported dead answered the seed.
    Dispute,
    LinkUp,
    LinkDown,
    /// A link did not come up.
    NoLink,
    Fault,
    FaultCleared,
    Start,
    Stop,
    Hang,
    Away,
    /// Anything else that a node says.
    Note,
}

/// What an item is about: what explains it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemSubject {
    /// A message at a node.
    Copy {
        id: MessageId,
        node: Addr,
    },
    Death(Addr),
    Link {
        node: Addr,
        peer: Addr,
    },
    Node(Addr),
    /// A fault that is everywhere, or between two parts of the network.
    Fault(FaultRef),
}

/// How an arrow is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArrowStroke {
    Strong,
    Plain,
    Faint,
    Dashed,
    /// A link, or a fault across nodes.
    Double,
}

/// What is at the end of an arrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tip {
    Head,
    /// At both ends: there and back.
    Heads,
    /// It did not arrive.
    Cross,
    None,
}

/// What an item means for the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ink {
    /// The first copy of a message.
    Wave,
    Good,
    Plain,
    Faint,
    Doubtful,
    Bad,
}

impl ItemKind {
    pub const fn stroke(self) -> ArrowStroke {
        match self {
            Self::Origin | Self::FirstCopy | Self::Death | Self::Report => ArrowStroke::Strong,
            Self::Probe
            | Self::LostCopy
            | Self::LostReport
            | Self::Verdict
            | Self::Dispute
            | Self::Start
            | Self::Stop
            | Self::Hang
            | Self::Away
            | Self::Note => ArrowStroke::Plain,
            Self::Duplicate => ArrowStroke::Faint,
            Self::MissedProbe | Self::LostProbe | Self::OpenProbe | Self::NoLink => ArrowStroke::Dashed,
            Self::LinkUp | Self::LinkDown | Self::Fault | Self::FaultCleared => ArrowStroke::Double,
        }
    }

    pub const fn tip(self) -> Tip {
        match self {
            Self::FirstCopy | Self::Duplicate | Self::Report => Tip::Head,
            Self::Probe => Tip::Heads,
            Self::LostCopy | Self::LostProbe | Self::LostReport | Self::NoLink => Tip::Cross,
            Self::Origin
            | Self::MissedProbe
            | Self::OpenProbe
            | Self::Death
            | Self::Verdict
            | Self::Dispute
            | Self::LinkUp
            | Self::LinkDown
            | Self::Fault
            | Self::FaultCleared
            | Self::Start
            | Self::Stop
            | Self::Hang
            | Self::Away
            | Self::Note => Tip::None,
        }
    }

    pub const fn ink(self) -> Ink {
        match self {
            Self::Origin | Self::FirstCopy => Ink::Wave,
            Self::Start | Self::LinkUp | Self::FaultCleared => Ink::Good,
            Self::Probe | Self::Note | Self::Away => Ink::Plain,
            Self::Duplicate | Self::OpenProbe => Ink::Faint,
            Self::MissedProbe | Self::NoLink | Self::LinkDown | Self::Dispute | Self::Hang | Self::Fault => {
                Ink::Doubtful
            }
            Self::LostCopy
            | Self::LostProbe
            | Self::Death
            | Self::Report
            | Self::LostReport
            | Self::Verdict
            | Self::Stop => Ink::Bad,
        }
    }

    /// A picture goes without its label where there is no room.
    pub const fn is_quiet(self) -> bool {
        matches!(self, Self::FirstCopy | Self::Duplicate | Self::Probe | Self::OpenProbe)
    }

    /// What it is, for a legend.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Origin => "a message begins",
            Self::FirstCopy => "first copy",
            Self::Duplicate => "further copy",
            Self::LostCopy => "lost copy",
            Self::Probe => "probe and answer",
            Self::MissedProbe => "probe without an answer",
            Self::LostProbe => "lost probe",
            Self::OpenProbe => "probe without an outcome yet",
            Self::Death => "declared dead",
            Self::Report => "dead report",
            Self::LostReport => "lost report",
            Self::Verdict => "taken off the list",
            Self::Dispute => "disputed",
            Self::LinkUp => "link up",
            Self::LinkDown => "link down",
            Self::NoLink => "no link",
            Self::Fault => "fault set",
            Self::FaultCleared => "fault cleared",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Hang => "hang",
            Self::Away => "was away",
            Self::Note => "told",
        }
    }

    /// The sign of a mark, and that in ASCII.
    pub const fn sign(self) -> (char, char) {
        match self {
            Self::Origin => ('◆', '@'),
            Self::Death | Self::Stop => ('✗', 'x'),
            Self::Hang => ('‖', '='),
            Self::Start => ('●', '*'),
            Self::Verdict => ('▬', '#'),
            Self::Dispute | Self::Fault => ('!', '!'),
            Self::MissedProbe => ('?', '?'),
            Self::Away => ('~', '~'),
            Self::FirstCopy
            | Self::Duplicate
            | Self::LostCopy
            | Self::Probe
            | Self::LostProbe
            | Self::OpenProbe
            | Self::Report
            | Self::LostReport
            | Self::LinkUp
            | Self::LinkDown
            | Self::NoLink
            | Self::FaultCleared
            | Self::Note => ('•', 'o'),
        }
    }
}

impl DiagramItem {
    /// How long it was on its way, if that is known.
    pub fn flight(&self) -> Option<std::time::Duration> {
        match self.route {
            ItemRoute::Between { sent, .. } => sent.map(|sent| self.at.since(sent)),
            ItemRoute::At(_) | ItemRoute::Across(_) | ItemRoute::Everywhere => None,
        }
    }
}

impl ItemRoute {
    /// The nodes that it names, in its direction; none if it is everywhere.
    pub fn nodes(&self) -> Vec<Addr> {
        match self {
            Self::Between { from, to, .. } => vec![*from, *to],
            Self::At(node) => vec![*node],
            Self::Across(nodes) => nodes.clone(),
            Self::Everywhere => Vec::new(),
        }
    }
}
