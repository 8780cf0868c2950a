//! Where panes stand on the screen, and how much of it they take.

/// Where a pane stands: panes of a strip share it, in the order of their numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PanePlace {
    pub(crate) strip: usize,
    pub(crate) size: PaneSize,
}

/// How much of a screen or a strip something takes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum PaneSize {
    Percent(u16),
    /// As many lines as it wants, within these shares in percent: a large network does not push out
    /// the rest, and a small one leaves no gap.
    Wanted {
        least: u32,
        most: u32,
    },
    /// As many lines as it wants, up to this number; none if it wants none.
    UpTo(u16),
    /// An equal share of what is left.
    Rest,
    /// The same once it has lines; until then it takes no more than it needs to say so.
    Log,
}
