//! Which lines to show: those that contain a text, or with `!` in front, those that do not.

use ratatui::style::Style;
use ratatui::text::Span;

use super::text;
use super::theme::selected;
use super::view::View;

/// What the user typed after `/`; if empty, everything matches.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    typed: String,
    /// The text that is looked for.
    wanted: String,
}

impl Filter {
    pub fn new(typed: &str) -> Self {
        Self { typed: typed.to_owned(), wanted: as_named(typed.strip_prefix('!').unwrap_or(typed)) }
    }

    /// The sign of a filter that is on, in at most so many columns: ` /text `.
    pub(crate) fn sign(&self, columns: usize, view: &View<'_>) -> Option<Span<'static>> {
        let text = format!(" /{} ", self.typed);
        let text = text::truncate(&text, columns, view.theme.glyphs).into_owned();
        (!self.is_all()).then(|| Span::styled(text::plain(text, view.theme.glyphs), selected(Style::new())))
    }

    pub fn typed(&self) -> &str {
        &self.typed
    }

    pub(crate) fn is_all(&self) -> bool {
        self.wanted.is_empty()
    }

    /// Case matters only if the filter has an upper-case letter.
    pub fn matches(&self, line: &str) -> bool {
        self.is_all() || holds(line, &self.wanted) != self.typed.starts_with('!')
    }
}

/// A filter, and what `n` and `N` search for after it was removed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Search {
    pub(crate) filter: Filter,
    pub(crate) sought: Filter,
}

impl Search {
    pub(crate) fn set(&mut self, filter: Filter) {
        if !filter.is_all() {
            self.sought = filter.clone();
        }
        self.filter = filter;
    }
}

/// With the addresses of nodes as lines have them: see [`Addr::name`](crate::proto::addr::Addr::name).
fn as_named(text: &str) -> String {
    text.replace("127.0.0.1:", ":")
}

fn holds(line: &str, wanted: &str) -> bool {
    if wanted.chars().any(char::is_uppercase) {
        line.contains(wanted)
    } else if wanted.is_ascii() {
        let mut windows = line.as_bytes().windows(wanted.len());
        windows.any(|window| window.eq_ignore_ascii_case(wanted.as_bytes()))
    } else {
        line.to_lowercase().contains(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_ignores_case_until_it_has_some_and_a_bang_inverts() {
        let matches = |filter, line| Filter::new(filter).matches(line);
        assert!(matches("gossip", "p1 GOSSIP hello"));
        assert!(!matches("Gossip", "p1 GOSSIP hello"));
        assert!(!matches("!gossip", "p1 GOSSIP hello"));
        assert!(matches("!gossip", "p1 PROBE"));
        assert!(matches("Ärger", "viel Ärger") && matches("ärger", "viel Ärger"));
        assert!(matches("", "anything") && matches("!", "anything"));
    }

    #[test]
    fn a_filter_takes_a_whole_address_for_its_name() {
        for line in [":3000 says hello", "cannot reach 127.0.0.1:3000"] {
            assert!(Filter::new("127.0.0.1:3000").matches(line) && Filter::new(":3000").matches(line), "{line}");
        }
        assert!(!Filter::new("!127.0.0.1:3000").matches(":3000 says hello"));
    }
}
