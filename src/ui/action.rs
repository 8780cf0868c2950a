//! Actions: what a key can mean.

/// What the user wants of the console. Keys become actions through the table in [`super::keys`];
/// commands typed after `:` name the same actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Something within the focused pane or dialog.
    Move(Move),
    /// Go to this pane.
    Pane(PaneId),
    NextPane,
    PreviousPane,
    /// Explain the selection.
    Details,
    /// Prove the answer that is open.
    Prove,
    /// Leave a dialog, a zoom or a filter.
    Back,
    /// Show one pane on the whole screen, or all of them again.
    Zoom,
    /// Freeze the picture, or let it go on; play or pause a recording.
    Freeze,
    /// To another moment of the session.
    Travel(Travel),
    /// Show only matching lines.
    Filter,
    CommandLine,
    /// Start a node.
    Add,
    Message,
    /// Do this to the selected node.
    Act(NodeDeed),
    /// List the faults of the selected node or link, and those that are set.
    Faults,
    /// End all faults.
    Calm,
    /// Copy the selection.
    Copy,
    /// Write the session to a file.
    Export,
    /// Give the terminal back to the shell for a while.
    Suspend,
    /// Replay the spread of the message, slowly.
    Wave,
    /// Show who has the message, from whom, and who lacks it.
    WaveTable,
    /// Show the space-time diagram of the selection.
    Diagram,
    /// Lay out the topology again.
    Layout,
    /// Show what the keys do.
    Help,
    Quit,
}

/// Ways through a session's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Travel {
    /// To the event before the moment, of those that the focused pane shows.
    EventBack,
    EventForward,
    /// To the mark of the timeline before the moment.
    MarkBack,
    MarkForward,
    Beginning,
    /// To the end of a recording; of a session that runs, to now.
    End,
}

/// What can be done to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NodeDeed {
    /// Crash it; for a node elsewhere, cut the link to it.
    Kill,
    /// Make it fall silent.
    Hang,
    /// Restart it; for a node elsewhere, heal the link to it.
    Restart,
}

/// Movements within a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move {
    Up,
    Down,
    /// To the left; fold; the previous value.
    Left,
    /// To the right; unfold; the next value.
    Right,
    PageUp,
    PageDown,
    Top,
    Bottom,
    /// Follow the newest line.
    Follow,
    /// To the next matching line.
    NextMatch,
    /// To the previous matching line.
    PreviousMatch,
    /// The next sort order.
    Sort,
    /// The same order, reversed.
    Reverse,
    /// More room for the same time.
    ZoomIn,
    /// Less room for the same time.
    ZoomOut,
}

/// A pane, by its row in the registry of panes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PaneId(pub(crate) usize);
