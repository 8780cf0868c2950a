//! A line of items. When it is narrow, the least important are left out; no item is ever cut.

use ratatui::text::{Line, Span};

use super::text;
use super::theme::Tone;
use super::view::View;

#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// Items of one group stand closer together.
    pub(crate) group: u8,
    /// The highest is left out first.
    pub(crate) rank: u8,
    /// Pieces of text.
    pub(crate) parts: Vec<(Tone, String)>,
}

impl Item {
    pub(crate) fn new(group: u8, rank: u8, tone: Tone, text: impl Into<String>) -> Self {
        Self { group, rank, parts: vec![(tone, text.into())] }
    }

    fn width(&self) -> usize {
        self.parts.iter().map(|(_, text)| text::width(text)).sum()
    }
}

/// Items that fit into `columns`, those of the lowest ranks first. A short one may take the room that
/// is too small for one of a lower rank.
pub(crate) fn fitting(items: Vec<Item>, columns: usize, bar: &str) -> Vec<Item> {
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by_key(|index| items[*index].rank);
    let mut is_in = vec![false; items.len()];
    for index in order {
        is_in[index] = true;
        let chosen: Vec<Item> =
            items.iter().zip(&is_in).filter(|(_, is_in)| **is_in).map(|(item, _)| item.clone()).collect();
        is_in[index] = width(&chosen, bar) <= columns;
    }
    items.into_iter().zip(is_in).filter(|(_, is_in)| *is_in).map(|(item, _)| item).collect()
}

/// As many items as fit into `columns`, with `bar` between groups.
pub(crate) fn line(mut items: Vec<Item>, columns: usize, bar: &str, view: &View<'_>) -> Line<'static> {
    while width(&items, bar) > columns {
        let least = items.iter().enumerate().max_by_key(|(_, item)| item.rank).map(|(index, _)| index);
        match least {
            Some(index) => drop(items.remove(index)),
            None => break,
        }
    }
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut group = None;
    for item in items {
        if let Some(before) = group {
            spans.push(view.span(Tone::Stale, gap(before, item.group, bar)));
        }
        group = Some(item.group);
        spans.extend(item.parts.into_iter().map(|(tone, text)| view.span(tone, text)));
    }
    Line::from(spans)
}

fn gap(before: u8, after: u8, bar: &str) -> &str {
    if before == after { "  " } else { bar }
}

/// Columns that all of them take.
pub(crate) fn width(items: &[Item], bar: &str) -> usize {
    let gaps = items.windows(2).map(|pair| text::width(gap(pair[0].group, pair[1].group, bar)));
    items.iter().map(Item::width).sum::<usize>() + gaps.sum::<usize>()
}
