//! A pane that shows a log of the model: a line is an entry, by its number, and may unfold to further
//! lines below it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::rc::Rc;

use super::Selection;
use super::list::{Done, Fold, Lines, fold_hint};
use crate::model::ring::Ring;
use crate::proto::time::Time;
use crate::ui::action::{Action, Move, Travel};
use crate::ui::filter::Filter;
use crate::ui::keys::Hint;
use crate::ui::line::Sentence;
use crate::ui::list_view::{Found, ListView, LogRows, Rows, Untouched};
use crate::ui::text;
use crate::ui::view::View;

/// Facts that are kept: more than any screen has lines.
const KNOWN_MAX: usize = 1_024;
/// Unfolded entries on the screen whose lines are kept: each takes a line at least.
const UNFOLDED_KNOWN_MAX: usize = 128;
/// Lines that one entry unfolds to: several screens. Who wants more opens its details.
pub(super) const PARTS_MAX: usize = 256;

/// Which log it is, and what its lines are.
pub(super) trait Log {
    type Entry;
    /// A line that an entry unfolds to; it stays the same when others are added.
    type Part: Copy + PartialEq;
    /// What a line is, in the hint of a filter that matches none; without a word, the hint is that
    /// of an empty log.
    const WORD: Option<&'static str> = None;

    fn entries<'a>(view: &View<'a>) -> &'a Ring<Self::Entry>;

    /// What a line needs that has to be looked for.
    type Fact: Clone;

    fn fact(entry: &Self::Entry, depth: Depth, view: &View<'_>) -> Self::Fact;

    /// A line, for this many columns.
    fn line(entry: &Self::Entry, fact: &Self::Fact, fold: Fold, columns: usize, view: &View<'_>) -> Sentence;

    /// What the pane says when it is empty.
    fn hint(view: &View<'_>) -> String;

    /// What to do next, below lines that leave room for it.
    fn advice(_view: &View<'_>) -> Option<String> {
        None
    }

    /// What the title says first.
    fn summary(lines: usize, _view: &View<'_>) -> Vec<String> {
        vec![text::count(lines)]
    }

    /// Lines above the window that are searched for such as stay in sight.
    const LOOK_BACK: usize = 0;

    /// It stays in sight while newer lines are followed.
    fn stays(_entry: &Self::Entry, _view: &View<'_>) -> bool {
        false
    }

    /// What an entry is about, or one of its parts.
    fn selection(number: u64, entry: &Self::Entry, part: Option<Self::Part>, view: &View<'_>) -> Selection;

    /// The lines that it unfolds to.
    fn parts(_entry: &Self::Entry, _view: &View<'_>) -> Vec<Self::Part> {
        Vec::new()
    }

    /// What those lines need that has to be looked for, for all that are shown at once.
    type PartsFact: Default;

    fn parts_fact(_entry: &Self::Entry, _shown: &[Self::Part], _view: &View<'_>) -> Self::PartsFact {
        Self::PartsFact::default()
    }

    /// One of those lines.
    fn part(
        _entry: &Self::Entry,
        _part: Self::Part,
        _fact: &Self::PartsFact,
        _columns: usize,
        _view: &View<'_>,
    ) -> Sentence {
        Sentence::default()
    }

    /// Lines before this number say the same from now on.
    fn settled(view: &View<'_>) -> u64 {
        Self::entries(view).end()
    }
}

/// What a picture is made from: a later one of the same says the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct PictureOf {
    /// Events that the model has taken.
    events: u64,
    /// The moment that is shown: what was late becomes missing without an event.
    now: Time,
}

impl PictureOf {
    fn this(view: &View<'_>) -> Self {
        Self { events: view.model.totals().events, now: view.now }
    }
}

/// What was found out of an entry, and of which picture that holds; `None`: of all from now on.
struct KnownFact<F> {
    of: Option<PictureOf>,
    fact: F,
}

impl<F> KnownFact<F> {
    fn holds(&self, picture: PictureOf) -> bool {
        self.of.is_none_or(|of| of == picture)
    }
}

/// How much is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// Enough for searching thousands of lines.
    Brief,
    /// All that a line shows.
    Full,
}

/// A line of a log: an entry, or one of the lines that it unfolds to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LineKey<P> {
    pub(super) entry: u64,
    pub(super) part: Option<P>,
}

impl<P> LineKey<P> {
    const fn whole(entry: u64) -> Self {
        Self { entry, part: None }
    }
}

/// The entries that pass the filter, with what is unfolded below them.
#[derive(Debug)]
pub(super) struct LineRows<P> {
    entries: LogRows,
    /// By the place of the entry among the others.
    open: Vec<(usize, Vec<P>)>,
}

impl<P: Copy + PartialEq> Rows<LineKey<P>> for LineRows<P> {
    fn len(&self) -> usize {
        self.entries.len() + self.open.iter().map(|(_, parts)| parts.len()).sum::<usize>()
    }

    fn item(&self, place: usize) -> Option<LineKey<P>> {
        let mut above = 0;
        for (entry, parts) in &self.open {
            let below = place.checked_sub(entry + above + 1);
            let Some(below) = below else { break };
            if let Some(part) = parts.get(below) {
                return Some(LineKey { entry: self.entries.item(*entry)?, part: Some(*part) });
            }
            above += parts.len();
        }
        self.entries.item(place - above).map(LineKey::whole)
    }

    fn place(&self, key: LineKey<P>) -> Option<usize> {
        let entry = self.entries.place(key.entry)?;
        let above = self.open.iter().take_while(|(open, _)| *open < entry).map(|(_, parts)| parts.len());
        let parts = self.open.iter().find(|(open, _)| *open == entry).map(|(_, parts)| parts);
        let below = parts.zip(key.part).and_then(|(parts, wanted)| parts.iter().position(|part| *part == wanted));
        Some(entry + above.sum::<usize>() + below.map_or(0, |below| below + 1))
    }
}

/// What the lines of a picture are made from.
pub(super) struct LineFacts<L: Log> {
    whole: BTreeMap<u64, L::Fact>,
    /// Of what entries unfold to.
    parts: BTreeMap<u64, Rc<L::PartsFact>>,
}

/// Lines that an entry unfolds to, and what they need.
struct ShownParts<L: Log> {
    shown: Vec<L::Part>,
    fact: Rc<L::PartsFact>,
}

/// The lines of such a log.
pub(super) struct LogLines<L: Log> {
    found: Found,
    /// Entries that are unfolded.
    open: BTreeSet<u64>,
    /// Facts of entries that were shown.
    known: RefCell<BTreeMap<u64, KnownFact<L::Fact>>>,
    /// The same of what they unfold to, and of which lines of it.
    parts_known: RefCell<BTreeMap<u64, KnownFact<ShownParts<L>>>>,
}

impl<L: Log> Default for LogLines<L> {
    fn default() -> Self {
        let (known, parts_known) = (RefCell::default(), RefCell::default());
        Self { found: Found::default(), open: BTreeSet::new(), known, parts_known }
    }
}

impl<L: Log> LogLines<L> {
    fn fold(&self, entry: u64) -> Fold {
        if self.open.contains(&entry) { Fold::Unfolded } else { Fold::Folded }
    }

    /// What is known of this entry, and kept if it stays so.
    fn fact(&self, number: u64, settled: u64, view: &View<'_>) -> Option<L::Fact> {
        let (mut known, picture) = (self.known.borrow_mut(), PictureOf::this(view));
        if let Some(known) = known.get(&number).filter(|known| known.holds(picture)) {
            return Some(known.fact.clone());
        }
        let fact = L::fact(L::entries(view).get(number)?, Depth::Full, view);
        let of = (number >= settled).then_some(picture);
        keep(&mut known, KNOWN_MAX, number, KnownFact { of, fact: fact.clone() });
        Some(fact)
    }

    /// What these lines need that the entry unfolds to, looked for once a picture.
    fn parts_fact(&self, number: u64, shown: Vec<L::Part>, view: &View<'_>) -> Option<Rc<L::PartsFact>> {
        let (mut known, picture) = (self.parts_known.borrow_mut(), PictureOf::this(view));
        if let Some(known) = known.get(&number).filter(|known| known.holds(picture) && known.fact.shown == shown) {
            return Some(Rc::clone(&known.fact.fact));
        }
        let fact = Rc::new(L::parts_fact(L::entries(view).get(number)?, &shown, view));
        let parts = ShownParts { shown, fact: Rc::clone(&fact) };
        keep(&mut known, UNFOLDED_KNOWN_MAX, number, KnownFact { of: Some(picture), fact: parts });
        Some(fact)
    }
}

/// Keeps this fact among at most so many.
fn keep<F>(known: &mut BTreeMap<u64, KnownFact<F>>, most: usize, number: u64, fact: KnownFact<F>) {
    if known.len() >= most && !known.contains_key(&number) {
        known.clear();
    }
    known.insert(number, fact);
}

impl<L: Log> Lines for LogLines<L> {
    type Key = LineKey<L::Part>;
    type Rows = LineRows<L::Part>;
    type Facts = LineFacts<L>;
    const UNTOUCHED: Untouched = Untouched::Newest;
    const WORD: Option<&'static str> = L::WORD;

    fn forget(&mut self) {
        self.found = Found::default();
        self.known.borrow_mut().clear();
        self.parts_known.borrow_mut().clear();
    }

    fn look(&mut self, filter: &Filter, view: &View<'_>) {
        let entries = L::entries(view);
        self.open = self.open.split_off(&entries.first());
        self.found.look(entries, filter, L::settled(view), |entry| brief::<L>(entry, view).text());
    }

    fn rows(&self, filter: &Filter, view: &View<'_>) -> LineRows<L::Part> {
        let log = L::entries(view);
        let entries = self.found.rows(log, filter);
        let open = self.open.iter().filter_map(|number| {
            let place = entries.place(*number).filter(|place| entries.item(*place) == Some(*number))?;
            Some((place, L::parts(log.get(*number)?, view)))
        });
        LineRows { open: open.collect(), entries }
    }

    fn facts(&self, rows: &[LineKey<L::Part>], _selected: Option<LineKey<L::Part>>, view: &View<'_>) -> Self::Facts {
        let settled = L::settled(view);
        let whole = rows.iter().filter(|key| key.part.is_none());
        let whole = whole.filter_map(|key| Some((key.entry, self.fact(key.entry, settled, view)?))).collect();
        let mut shown: BTreeMap<u64, Vec<L::Part>> = BTreeMap::new();
        for (entry, part) in rows.iter().filter_map(|key| Some((key.entry, key.part?))) {
            shown.entry(entry).or_default().push(part);
        }
        let parts = shown.into_iter().filter_map(|(entry, shown)| Some((entry, self.parts_fact(entry, shown, view)?)));
        LineFacts { whole, parts: parts.collect() }
    }

    fn line(&self, key: LineKey<L::Part>, facts: &Self::Facts, columns: usize, view: &View<'_>) -> Sentence {
        let Some(entry) = L::entries(view).get(key.entry) else { return Sentence::default() };
        let line = match key.part {
            None => facts.whole.get(&key.entry).map(|fact| L::line(entry, fact, self.fold(key.entry), columns, view)),
            Some(part) => facts.parts.get(&key.entry).map(|fact| L::part(entry, part, fact, columns, view)),
        };
        line.unwrap_or_default()
    }

    fn plain(&self, key: LineKey<L::Part>, view: &View<'_>) -> String {
        let picture = PictureOf::this(view);
        let known = self.known.borrow();
        let known = known.get(&key.entry).filter(|known| known.holds(picture)).map(|known| known.fact.clone());
        let Some(entry) = L::entries(view).get(key.entry) else { return String::new() };
        match (key.part, known) {
            (None, Some(fact)) => L::line(entry, &fact, self.fold(key.entry), usize::MAX, view).text(),
            (None, None) => brief::<L>(entry, view).text(),
            (Some(part), _) => L::part(entry, part, &L::parts_fact(entry, &[part], view), usize::MAX, view).text(),
        }
    }

    /// `1 284, FOLLOW` or `1 284, 42 new below`.
    fn note(&self, list: &ListView<LineKey<L::Part>>, rows: &LineRows<L::Part>, view: &View<'_>) -> String {
        let mut items = L::summary(rows.entries.len(), view);
        let below = text::count(list.below(rows));
        let place = if list.is_untouched() { "FOLLOW".to_owned() } else { format!("{below} new below") };
        if rows.len() > 0 {
            items.insert(items.len().min(1), place);
        }
        if L::entries(view).first() > 0 {
            let key = |action| view.keys.key_of(action);
            let back = key(Action::Travel(Travel::EventBack));
            items.push(format!("older lines: {back} or {}", key(Action::Filter)));
        }
        items.join(", ")
    }

    /// The newest lines, and above them in up to half of the rows older ones that stay.
    fn in_sight(
        &self,
        window: Range<usize>,
        list: &ListView<LineKey<L::Part>>,
        rows: &LineRows<L::Part>,
        view: &View<'_>,
    ) -> Vec<LineKey<L::Part>> {
        let stays = |place: &usize| {
            let key = rows.item(*place).filter(|key| key.part.is_none());
            key.and_then(|key| L::entries(view).get(key.entry)).is_some_and(|entry| L::stays(entry, view))
        };
        let mut places: Vec<usize> = Vec::with_capacity(window.len());
        if list.is_untouched() && L::LOOK_BACK > 0 {
            let from = window.start.saturating_sub(L::LOOK_BACK);
            places.extend((from..window.end).rev().filter(stays).take(window.len().div_ceil(2)));
        }
        for place in window.clone().rev() {
            if places.len() < window.len() && !places.contains(&place) {
                places.push(place);
            }
        }
        places.sort_unstable();
        places.into_iter().filter_map(|place| rows.item(place)).collect()
    }

    fn hint(&self, view: &View<'_>) -> String {
        L::hint(view)
    }

    fn advice(&self, view: &View<'_>) -> Option<String> {
        L::advice(view)
    }

    fn hints(&self, chosen: Option<LineKey<L::Part>>, view: &View<'_>) -> Vec<(Action, Hint)> {
        let entry = chosen.and_then(|key| Some((key.entry, L::entries(view).get(key.entry)?)));
        let unfolds = entry.filter(|(_, entry)| !L::parts(entry, view).is_empty());
        unfolds.map(|(number, _)| fold_hint(self.fold(number), 4)).into_iter().collect()
    }

    fn selection(&self, key: LineKey<L::Part>, view: &View<'_>) -> Selection {
        let entry = L::entries(view).get(key.entry);
        entry.map(|entry| L::selection(key.entry, entry, key.part, view)).unwrap_or_default()
    }

    fn act(
        &mut self,
        wanted: Move,
        list: &mut ListView<LineKey<L::Part>>,
        chosen: Option<LineKey<L::Part>>,
        view: &View<'_>,
    ) -> Done {
        let Some(key) = chosen else { return Done::No };
        match wanted {
            Move::Right => {
                self.open.insert(key.entry);
                list.select(key);
                let parts = L::entries(view).get(key.entry).map_or(0, |entry| L::parts(entry, view).len());
                list.show_below(if key.part.is_none() { parts } else { 0 });
            }
            Move::Left => {
                self.open.remove(&key.entry);
                list.select(LineKey::whole(key.entry));
            }
            Move::Up
            | Move::Down
            | Move::PageUp
            | Move::PageDown
            | Move::Top
            | Move::Bottom
            | Move::Follow
            | Move::NextMatch
            | Move::PreviousMatch
            | Move::Sort
            | Move::Reverse
            | Move::ZoomIn
            | Move::ZoomOut => return Done::No,
        }
        Done::Yes
    }
}

/// The line of an entry as far as it is known without a search.
fn brief<L: Log>(entry: &L::Entry, view: &View<'_>) -> Sentence {
    L::line(entry, &L::fact(entry, Depth::Brief, view), Fold::Folded, usize::MAX, view)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_places_of_unfolded_lines_fit_together() {
        let rows = LineRows { entries: LogRows::All(10..14), open: vec![(1, vec![7, 9]), (3, vec![0])] };
        let keys: Vec<_> = (0..=rows.len()).filter_map(|place| rows.item(place)).collect();
        let shown: Vec<_> = keys.iter().map(|key| (key.entry, key.part)).collect();
        let expected = [(10, None), (11, None), (11, Some(7)), (11, Some(9)), (12, None), (13, None), (13, Some(0))];
        assert_eq!(shown, expected);
        assert!(keys.iter().enumerate().all(|(place, key)| rows.place(*key) == Some(place)));
        assert_eq!(rows.place(LineKey { entry: 12, part: Some(7) }), Some(4), "folded again");
        assert_eq!(rows.place(LineKey { entry: 3, part: Some(7) }), Some(0), "forgotten");
    }
}
