//! What a key can mean.

/// What the user wants of the console. Keys become actions through the table in [`super::keys`];
/// commands typed after `:` name the same actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Something within the pane or dialog that has the keys.
    Move(Move),
    /// To this pane.
    Pane(PaneId),
    /// To the next pane.
    NextPane,
    /// To the pane before.
    PreviousPane,
    /// What is known about what is selected.
    Details,
    /// Out of here.
    Back,
    /// One pane on the whole screen, or all of them again.
    Zoom,
    /// Hold the picture still, or let it go on.
    Freeze,
    /// Show only lines that match.
    Filter,
    /// Type a command.
    CommandLine,
    /// Start a node.
    Add,
    /// Send a message.
    Message,
    /// Crash the selected node.
    Kill,
    /// Hang the selected node.
    Hang,
    /// Start the selected node again.
    Restart,
    /// What can be done to the selected node or link, and which faults there are.
    Faults,
    /// No faults any more.
    Calm,
    /// Copy what is selected.
    Copy,
    /// Write the session to a file.
    Export,
    /// Give the terminal back to the shell for a while.
    Suspend,
    /// The way of a message once more, slowly.
    Wave,
    /// Who has the message, from whom, and who lacks it.
    WaveTable,
    /// All nodes of the topology find a place anew.
    Layout,
    /// What the keys do.
    Help,
    Quit,
}

/// What the keys do within a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move {
    /// One line up.
    Up,
    /// One line down.
    Down,
    /// To the left, fold, or the value before.
    Left,
    /// To the right, unfold, or the value after.
    Right,
    /// A screenful up.
    PageUp,
    /// A screenful down.
    PageDown,
    /// To the first line.
    Top,
    /// To the last line.
    Bottom,
    /// Stay with the newest line.
    Follow,
    /// To the next line that matches.
    NextMatch,
    /// To the line before that matches.
    PreviousMatch,
    /// The next order.
    Sort,
    /// To this row of those on the screen: a click.
    Row(usize),
}

/// The panes, in the order of their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PaneId {
    /// The overlay, and the way of a message through it.
    Topology,
    /// The nodes and their links.
    Connections,
    /// What the nodes tell each other.
    Gossip,
    /// Who answers probes.
    Liveness,
    /// Dead-node reports.
    Reports,
    /// What went wrong or changed.
    Notices,
    /// What is wrong with the network as a whole.
    Warnings,
}

impl PaneId {
    /// All of them.
    pub(crate) const ALL: [Self; 7] =
        [Self::Topology, Self::Connections, Self::Gossip, Self::Liveness, Self::Reports, Self::Notices, Self::Warnings];

    /// The key that leads there.
    pub(crate) const fn number(self) -> usize {
        self as usize + 1
    }

    /// What stands on its frame.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Topology => "Topology",
            Self::Connections => "Connections",
            Self::Gossip => "Gossip log",
            Self::Liveness => "Liveness",
            Self::Reports => "Dead-node reports",
            Self::Notices => "Notices",
            Self::Warnings => "Warnings",
        }
    }

    /// One word for tabs and counts.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Topology => "topology",
            Self::Connections => "nodes",
            Self::Gossip => "gossip",
            Self::Liveness => "liveness",
            Self::Reports => "reports",
            Self::Notices => "notices",
            Self::Warnings => "warnings",
        }
    }

    /// The pane after this one, and after the last the first.
    pub(crate) const fn next(self) -> Self {
        Self::ALL[(self as usize + 1) % Self::ALL.len()]
    }

    /// The pane before this one, and before the first the last.
    pub(crate) const fn previous(self) -> Self {
        Self::ALL[(self as usize + Self::ALL.len() - 1) % Self::ALL.len()]
    }
}
