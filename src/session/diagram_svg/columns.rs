//! Where the columns of a picture are, and which part of a row an item takes.

use super::CHAR;
use crate::model::diagram::Diagram;
use crate::model::diagram::item::{DiagramItem, ItemKind, ItemRoute};
use crate::model::diagram::layout::Extent;

/// The columns of a picture.
pub(super) struct SvgColumns<'a> {
    pub(super) diagram: &'a Diagram,
    /// The middle of each column, in pixels.
    pub(super) middles: Vec<usize>,
    /// Characters of what is said beside an item.
    pub(super) label_len_max: usize,
}

impl SvgColumns<'_> {
    /// What it says beside it.
    pub(super) fn label(&self, item: &DiagramItem) -> String {
        let is_long = item.label.chars().count() > self.label_len_max;
        let cut: String = item.label.chars().take(self.label_len_max).collect();
        match cut.rsplit_once(' ').filter(|_| is_long) {
            Some((whole, _)) => format!("{whole} …"),
            None => cut,
        }
    }

    /// Beside the node that gets it, or that waits for an answer; else after it. Whoever gets a further copy has
    /// nothing to say.
    pub(super) fn label_place(&self, item: &DiagramItem) -> Option<usize> {
        let reach = self.diagram.reach(item);
        let (_, last) = reach.filter(|_| !item.label.is_empty() && item.kind != ItemKind::Duplicate)?;
        let place = match (&item.route, item.kind) {
            (ItemRoute::Between { from, sent: Some(_), .. }, ItemKind::Probe | ItemKind::MissedProbe) => {
                self.diagram.place_of(*from)
            }
            (ItemRoute::Between { to, sent: Some(_), .. }, _) => self.diagram.place_of(*to),
            (ItemRoute::Between { .. } | ItemRoute::At(_) | ItemRoute::Across(_) | ItemRoute::Everywhere, _) => {
                Some(last)
            }
        };
        self.middles.get(place?).map(|middle| middle + 14)
    }

    pub(super) fn label_extent(&self, item: &DiagramItem) -> Option<Extent> {
        let left = self.label_place(item)?;
        Some(Extent { left, right: left + self.label(item).chars().count() * CHAR })
    }

    /// The part of a row that it takes with its label. A probe without an answer has its line elsewhere: where it
    /// was sent.
    pub(super) fn extent(&self, item: &DiagramItem) -> Option<Extent> {
        let own = self.line_extent(item)?;
        let label = self.label_extent(item);
        if item.kind == ItemKind::MissedProbe && item.flight().is_some() {
            return label.map(|label| Extent { left: label.left.saturating_sub(20), ..label });
        }
        Some(label.map_or(own, |label| Extent { left: own.left.min(label.left), right: own.right.max(label.right) }))
    }

    /// The part that nothing else may take.
    pub(super) fn room(&self, item: &DiagramItem) -> Option<Extent> {
        if !item.kind.is_quiet() {
            return self.extent(item);
        }
        self.line_extent(item).filter(|_| !self.diagram.is_inside_fold(item))
    }

    /// The part that its line takes, without its label.
    fn line_extent(&self, item: &DiagramItem) -> Option<Extent> {
        let (first, last) = self.diagram.reach(item)?;
        Some(Extent { left: *self.middles.get(first)?, right: self.middles.get(last)? + 1 })
    }
}
