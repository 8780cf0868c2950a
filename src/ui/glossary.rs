//! What the signs, words and columns of each pane mean, for the help. A test holds that every sign
//! that is drawn and every head of a column has its entry.

use super::action::Action::{self, Act, Details, Faults, Filter, Layout, Message, Wave, WaveTable};
use super::action::Move::{Follow, Left, NextMatch, PreviousMatch, Right, Sort, Up, ZoomIn, ZoomOut};
use super::action::NodeDeed::{Hang, Kill, Restart};
use super::theme::Theme;

/// A sign or a word, the same with `--ascii`, and what it means.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Term {
    unicode: &'static str,
    ascii: &'static str,
    pub(crate) meaning: &'static str,
}

impl Term {
    pub(crate) const fn text(&self, theme: Theme) -> &'static str {
        theme.sign(self.unicode, self.ascii)
    }
}

/// What a pane shows, and the keys that matter most there.
pub(crate) struct Entry {
    /// The word of the pane; without one, what all panes have.
    pub(crate) pane: &'static str,
    pub(crate) terms: &'static [Term],
    pub(crate) keys: &'static [Action],
}

const fn word(text: &'static str, meaning: &'static str) -> Term {
    Term { unicode: text, ascii: text, meaning }
}

const fn sign(unicode: &'static str, ascii: &'static str, meaning: &'static str) -> Term {
    Term { unicode, ascii, meaning }
}

const LOG_KEYS: &[Action] = &[
    Action::Move(Right),
    Action::Move(Left),
    Action::Move(Follow),
    Filter,
    Action::Move(NextMatch),
    Action::Move(PreviousMatch),
    Details,
    Action::Copy,
];

pub(crate) const ENTRIES: &[Entry] = &[
    Entry {
        pane: "topology",
        terms: &[
            sign("■", "s", "a seed"),
            sign("□", "S", "a seed to which no node here has a link: whether it runs is not known"),
            sign("●", "*", "a peer that is up, or has the message"),
            sign("◆", "0", "the peer where the message began"),
            sign("❶ ❷ ❸", "1 2 3", "a peer that has the message, by the hops that it took"),
            sign("⬤", "+", "a peer that has the message after ten hops or more"),
            sign("○", "o", "a peer that does not have the message yet"),
            sign("◇", "e", "a node of another process, as far as it is known here"),
            sign("?", "?", "suspect: a neighbor had no answer to its latest probes"),
            sign("‖", "=", "hung: keeps its sockets and says nothing"),
            sign("✗", "x", "dead: killed, or taken for dead by its neighbors"),
            sign("◌", "_", "left with a goodbye"),
            sign("·", ".", "heard of, but never linked to a node here"),
            word("[ ]", "the selected node"),
            sign("┈", ".", "a registration with a seed, or a link that ended"),
            sign("╳", "/", "a link that a fault cuts or disturbs"),
            word("magenta", "the path of the message"),
        ],
        keys: &[
            Action::Move(Up),
            Action::Move(Left),
            Action::Move(Sort),
            Layout,
            Wave,
            WaveTable,
            Act(Kill),
            Act(Hang),
            Act(Restart),
        ],
    },
    Entry {
        pane: "nodes",
        terms: &[
            word("NODE", "its name; indented below it, once unfolded, the node at the other end of a link"),
            word(
                "STATE",
                "up, suspect (a neighbor counts misses), hung, dead, left, heard of; for how long it has been so",
            ),
            word("ROLE", "seed or peer; of a link: out (it dialed), in (the other did), reg (a registration)"),
            word(
                "LINKS",
                "links to neighbors; of a seed the peers registered with it; of a node elsewhere our links to it",
            ),
            word(
                "PROBES",
                "the latest probes of it: answered, or misses in a row of those that make a death (2/3 missed); \
                 of a dead node what gave it away: 3/3 missed, link lost, link cut; a dash if nobody probes it",
            ),
            word("RTT", "round-trip time of the latest answered probe"),
            word("30 s", "a sign for each three seconds of the last thirty: the slowest answer, or a miss"),
            sign("⡀ ⡄ ⡆ ⡇", ". : ! |", "answered within 1 ms, 10 ms, 100 ms, or later; ✗ or x: missed"),
            word("ADDRESS", "where it listens"),
            sign("● ‖ ? ✗ ◌ ·", "* = ? x _ .", "up, hung, suspect, dead, left, heard of"),
            word(">", "the selected node"),
            sign("▼", "v", "the column that the nodes are sorted by (s: another)"),
            sign("▲", "^", "the same in reverse order (S)"),
            sign("─", "-", "linked to the selected node"),
            sign("◆", "+", "has the selected message"),
            sign("└", "`", "a link of the node above"),
        ],
        keys: &[
            Action::Move(Right),
            Action::Move(Left),
            Action::Move(Sort),
            Details,
            Act(Kill),
            Act(Hang),
            Act(Restart),
            Faults,
            Filter,
        ],
    },
    Entry {
        pane: "gossip",
        terms: &[
            word("p1#3", "the third message of p1"),
            word("8/8", "peers of this process that have the message, of those that ran long enough to get it"),
            word("in 2 hops", "links that the longest first copy crossed; ~2: over nodes of another process, at least"),
            word("1.9 ms", "from the beginning of the message to the last first copy"),
            word("35 copies", "all copies that came, further ones included"),
            word(
                "of ours, elsewhere",
                "nodes of this process (watched: of those sessions); nodes of others that proved that they have it",
            ),
            word("lacks it", "five seconds after the message began it was not there, and why"),
            word("+ -", "Right unfolds the line, Left folds it"),
            sign("→", ">", "from whom to whom"),
            word("hop 2 +0.9 ms", "a first copy: links it crossed, and how long after the message began"),
            word("dup x3", "three more copies came later"),
            word(
                "NODE LINK DEATH",
                "a node started or stopped; a link came up or went down; a node was taken for dead",
            ),
            word("PROBE", "a probe without an answer; (2/3): misses in a row, of those that make a death"),
            word("registered", "a peer's connection to a seed came up"),
        ],
        keys: LOG_KEYS,
    },
    Entry {
        pane: "liveness",
        terms: &[
            word("every 2 s", "each peer probes each neighbor that often"),
            word("97% answered", "of the probes of the last minute"),
            word("asked", "a probe, and what came of it; no answer (2/3): misses in a row, of those that make a death"),
            word("0.7ms", "from the probe to its answer"),
            word("replied", "a node of another process asked, and ours answered"),
        ],
        keys: LOG_KEYS,
    },
    Entry {
        pane: "reports",
        terms: &[
            word("by 6 peers", "that many peers reported it dead to their seeds"),
            word("removed", "the seed took the node off its list, for this report or another"),
            word("already gone", "another report had removed it before"),
            word("asking it", "the seed probes the node before it believes the report"),
            word("disputed", "the node answered the seed: the report is false"),
            word("no answer", "the seed's own probe was not answered"),
            word("not listed", "the node was never on the seed's list"),
            word("no word", "nothing was heard of that seed about it"),
            word("back", "it registered or was heard again"),
            word("3 misses, reset, closed", "why the reporter took it for dead"),
            word("+ -", "Right unfolds a death to its reports, Left folds it"),
        ],
        keys: LOG_KEYS,
    },
    Entry { pane: "notices", terms: &[word("i ! E", "for information, a warning, an error")], keys: LOG_KEYS },
    Entry {
        pane: "warnings",
        terms: &[word("!", "it is so now"), sign("·", ".", "it was so, and is gone")],
        keys: &[Details, Filter, Message],
    },
    Entry {
        pane: "diagram",
        terms: &[
            sign("◆", "@", "a message begins"),
            sign("━━▸", "-->", "the first copy that a node gets, or a dead report to a seed"),
            sign("┈┈▹", "..>", "a further copy, which the node drops"),
            sign("──✗", "--x", "it did not arrive, and by what"),
            sign("◂──▸", "<-->", "a probe and its answer, at the time of the answer"),
            sign("╌╌╌", "~~~", "a probe without an answer, at the time when that was clear"),
            sign("✗", "x", "declared dead by a neighbor, or killed"),
            sign("▬", "#", "a seed takes a node off its list"),
            sign("═══", "===", "a link comes up or ends; with !, a fault that is set across nodes"),
            sign("│ ┊ ╎", "| : |", "the node runs, hangs, or is of another process; nothing: it does not run"),
            sign("⋮ 1.2 s", ": 1.2 s", "nothing happens for so long"),
            word("+230 us", "so much later than the row before"),
            word("+12", "so many nodes share the column, named below; Right and Left show others"),
            word("a row 500 us", "items within so much time share a row if they do not overlap"),
            word("known up to", "more may come after this moment"),
            word("FOLLOW", "the newest row of a node or a link stays in sight"),
        ],
        keys: &[
            Action::Diagram,
            Action::Move(Right),
            Action::Move(ZoomIn),
            Action::Move(ZoomOut),
            Action::Move(Follow),
            Details,
            Action::Copy,
            Action::Back,
        ],
    },
    Entry {
        pane: "rates",
        terms: &[
            word("messages/s", "first copies and new messages in a second"),
            word("answered", "of the probes whose outcome came to be known in that time; a gap: there was none"),
            word("round trip", "the median of the answered probes, of the first 64 in a second"),
            word("now, min, max", "the newest column, and the lowest and the highest of those shown"),
            word("5 s a column", "as few seconds as show all of the last five minutes"),
            sign("✗", "x", "a node was taken for dead then"),
            word("!", "a fault was set then"),
        ],
        keys: &[Action::Back, Action::Freeze, Action::Copy],
    },
    Entry {
        pane: "",
        terms: &[
            sign("▸", ">", "the pane that has the keys"),
            word("FOLLOW", "the newest line is shown and selected"),
            word("42 new below", "lines below the window"),
            word("/text", "only lines that match this filter are shown; /!text: only the others"),
            word("6 more below", "lines of a list that the window leaves out"),
            word("LIVE VIRTUAL", "a network on sockets, or in virtual time"),
            word("WATCH 4 sessions", "nodes of other processes, as their sessions record them"),
            word("REPLAY 03:12:04 4x", "a recording, the moment that is shown of it, and how fast it plays"),
            word("BEHIND 00:42", "a session that runs, as it was so long ago"),
            sign("▒ ░ · ·", "= - , .", "on the timeline: how much happened in that time; the reversed column is shown"),
            sign("✗ ! ○", "x ! o", "on the timeline: a death, a warning, a message that did not reach everybody"),
            word(": ; + #", "on the timeline: a fault was set, one ended, a node started again, events are missing"),
            word("FROZEN +12 new", "the picture stands still; that many events came meanwhile"),
            word("REC", "the session is recorded; REC FAILED: it is not, the notices say why"),
            word(
                "msg/s",
                "first copies and new messages a second, over the longest gossip interval, at least three seconds",
            ),
            word("no seed reachable", "no peer here is registered with a seed; pane 7 says how to start one"),
            sign("✓ ✗ ? !", "v x ? !", "lines of a scenario: met, failed, waiting, not done"),
            word("warning, fault", "problems of the network as a whole; faults that are set"),
            sign("│", "|", "between groups of the header"),
            word(
                "NODE FROM HOP DELAY DUP",
                "table of a message (W): who has it, from whom, links crossed, how long after it began, later copies",
            ),
            sign("◇", "+", "table of a message (W): a node of another process that has it"),
            sign("─ ┈", "* .", "chart of a message (W): its share of the peers as measured, and as predicted"),
        ],
        keys: &[],
    },
];

/// What is told of this pane.
pub(crate) fn entry_of(pane: &str) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.pane == pane)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::ui::action::PaneId;

    /// The sources of the console.
    fn sources(dir: &Path, all: &mut Vec<String>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("tests") {
                sources(&path, all);
            } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("glossary.rs") {
                all.push(std::fs::read_to_string(path).unwrap());
            }
        }
    }

    /// The string literals that follow this text, two at most.
    fn literals(source: &str, before: &str) -> Vec<Vec<String>> {
        let calls = source.match_indices(before).map(|(at, _)| &source[at + before.len()..]);
        calls
            .map(|call| call.split('"').step_by(2).zip(call.split('"').skip(1).step_by(2)))
            .map(|pairs| pairs.take_while(|(gap, _)| gap.is_empty() || *gap == ", ").map(|(_, text)| text.to_owned()))
            .map(|literals| literals.take(2).collect())
            .collect()
    }

    #[test]
    fn every_sign_and_every_column_is_explained() {
        let mut all = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ui"), &mut all);
        let terms = || ENTRIES.iter().flat_map(|entry| entry.terms);
        let mut signs = Vec::new();
        for source in &all {
            // `(`, a newline and blanks may stand between.
            let source = source.split_whitespace().collect::<Vec<_>>().join(" ");
            signs.extend(literals(&source, "sign(").into_iter().filter(|pair| pair.len() == 2));
            for column in ["left(", "right(", "column(", "title: "] {
                for head in literals(&source, column).into_iter().filter_map(|texts| texts.first().cloned()) {
                    let is_head = head.starts_with(char::is_uppercase)
                        && head.split(' ').next() == head.to_uppercase().split(' ').next();
                    let is_told =
                        terms().any(|term| term.unicode.split(' ').any(|word| word == head) || term.unicode == head);
                    assert!(!is_head || is_told, "the column {head} is in no help");
                }
            }
        }
        assert!(signs.len() > 15, "{signs:?}");
        for pair in signs {
            let (unicode, ascii) = (pair[0].trim(), pair[1].trim());
            let first = |text: &str| text.split(' ').next().unwrap_or_default().to_owned();
            let is_told = terms().any(|term| {
                let asciis: Vec<&str> = term.ascii.split(' ').collect();
                let places = term.unicode.split(' ').zip(asciis);
                places
                    .into_iter()
                    .any(|(one, other)| one == first(unicode) && (other == first(ascii) || ascii.is_empty()))
            });
            assert!(is_told, "'{unicode}' and '{ascii}' are in no help");
        }
    }

    #[test]
    fn every_pane_has_its_part_of_the_help() {
        for pane in PaneId::all() {
            assert!(entry_of(pane.info().word).is_some_and(|entry| !entry.terms.is_empty()), "{}", pane.info().word);
        }
    }
}
