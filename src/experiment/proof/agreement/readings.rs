//! What answers and summaries say, read from their words.
//!
//! An answer whose words are not understood says nothing: where it has to say something, that is told
//! as a disagreement, so that these readings cannot fall behind the words.

use super::ToldState;
use crate::event::NodeState;
use crate::model::Map;

/// What an answer says of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ToldNode {
    pub(super) state: ToldState,
    /// `None`: it does not say.
    pub(super) life: Option<NodeState>,
}

/// `p7 hangs since 03:13:02, and its neighbors take it for dead: ...`.
pub(super) fn node(name: &str, verdict: &str) -> Option<ToldNode> {
    let told = verdict.strip_prefix(name)?.trim_start();
    // Clauses about reporters and seeds follow.
    let head = told.split(": ").next().unwrap_or(told).trim_end_matches('.');
    let (begins, has) = (|words: &str| head.starts_with(words), |words: &str| head.contains(words));
    let after = head.rsplit_once(", and ").filter(|_| has(" after that")).map(|(_, clause)| clause);
    let life = || match after {
        Some(later) if later.starts_with("was killed") => Some(NodeState::Killed),
        Some(later) if later.starts_with("hung") => Some(NodeState::Hangs),
        Some(_) => Some(NodeState::Left),
        None => life(head),
    };
    let (state, life) = match () {
        () if has("runs again since") => {
            (if has("is taken for dead") { ToldState::Dead } else { ToldState::Up }, Some(NodeState::Runs))
        }
        () if begins("runs in this process") || begins("runs, and was reported dead") => {
            (ToldState::Up, Some(NodeState::Runs))
        }
        () if begins("runs elsewhere") => (ToldState::Up, None),
        () if begins("was named by others") => (ToldState::Named, None),
        () if begins("is suspect") => {
            let hangs = told.contains("; it hangs since ");
            (ToldState::Suspect, Some(if hangs { NodeState::Hangs } else { NodeState::Runs }))
        }
        () if has(" after that") || has("though others heard from it") => (ToldState::Dead, life()),
        () if has("is back since") => (ToldState::Up, Some(NodeState::Runs)),
        () if begins("was away for") || begins("was reported dead") => (ToldState::Up, None),
        () if begins("hangs since") && !has("take it for dead") => (ToldState::Suspect, life()),
        () if begins("left") && !has("taken for dead") => (ToldState::Left, life()),
        () if has("for dead") || has("treated as dead") || begins("was killed") || has("neighbors noticed") => {
            (ToldState::Dead, life())
        }
        () => return None,
    };
    Some(ToldNode { state, life })
}

/// What a clause says became of a node.
fn life(clause: &str) -> Option<NodeState> {
    let begins = |words: &str| clause.starts_with(words);
    match () {
        () if begins("runs") || begins("was started") => Some(NodeState::Runs),
        () if begins("was killed") => Some(NodeState::Killed),
        () if begins("hangs") || begins("hung") => Some(NodeState::Hangs),
        () if begins("left") => Some(NodeState::Left),
        () => None,
    }
}

/// Which of the two ends hold a link, by the answer about it.
pub(super) fn link((one, other): (&str, &str), verdict: &str) -> Option<(bool, bool)> {
    let holds = |holder: &str| (holder == one, holder == other);
    let begins = |from: &str, words: &str, to: &str| verdict.starts_with(&format!("{from} {words} {to}"));
    let either = |words: &str| begins(one, words, other) || begins(other, words, one);
    if let Some(before) = verdict.split_once(" has not noticed") {
        // `p7 hangs since 03:13:02 and has not noticed`.
        let clause = before.0.rsplit(". ").next().unwrap_or(before.0).trim_end_matches(" and");
        return clause.split(' ').next().map(holds);
    }
    if either("holds a link to") {
        return verdict.split(' ').next().map(holds);
    }
    if either("is linked to") || either("is registered with") {
        return Some((true, true));
    }
    let never = ["never had a link to", "has no link to", "has been dialing"].into_iter().any(either);
    let ended = ["The link ", "The registration ", "There never was a link"];
    let is_none =
        ended.into_iter().any(|words| verdict.starts_with(words)) || verdict.contains(" has not accepted ") || never;
    is_none.then_some((false, false))
}

/// Whether a node has a message, by the answer about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ToldCopy {
    Has,
    /// `is_due`: it should have it.
    Lacks {
        is_due: bool,
    },
}

/// `p7 does not have p3#12 because of 'cut p3 p7' since 03:13:02; ...`.
pub(super) fn copy((name, message): (&str, &str), verdict: &str) -> Option<ToldCopy> {
    let told = verdict.strip_prefix(name)?;
    if told.starts_with(&format!(" did get {message}")) || told.starts_with(&format!(" has {message}")) {
        return Some(ToldCopy::Has);
    }
    let why = told.strip_prefix(&format!(" does not have {message}"))?;
    let excuses = [
        "it is a seed, and",
        "after the message began, and nobody repeats it",
        "it was down when the message began",
        "it went down before the message came",
        // With what else would have kept it away.
        " besides",
    ];
    Some(ToldCopy::Lacks { is_due: !excuses.into_iter().any(|excuse| why.contains(excuse)) })
}

/// `".." reached 7 of 8 peers here in 2 hops`.
pub(super) fn reach(verdict: &str) -> Option<(u64, u64)> {
    // The text of the message may say anything.
    let (_, told) = verdict.rsplit_once(" reached ")?;
    let told = told.strip_prefix("at least ").unwrap_or(told);
    let mut words = told.split(' ');
    let have = words.next()?.parse().ok()?;
    words.next().filter(|word| *word == "of")?;
    Some((have, words.next()?.parse().ok()?))
}

/// The lines of a summary, by what they are about.
pub(super) fn summary(text: &str) -> Map<String, String> {
    let mut lines: Map<String, String> = Map::default();
    for line in text.lines().skip(1) {
        match line.strip_prefix("  ").filter(|line| !line.starts_with(' ')) {
            Some(begins) => {
                let (what, told) = begins.split_once(' ').unwrap_or((begins, ""));
                lines.insert(what.to_owned(), told.trim().to_owned());
            }
            None => {
                if let Some((_, told)) = lines.last_mut() {
                    *told += " ";
                    *told += line.trim();
                }
            }
        }
    }
    lines
}

/// `1 seed, 8 peers, 2 killed`: how many of this.
pub(super) fn count_of(told: &str, what: &str) -> u64 {
    let is_it = |part: &&str| part.split(' ').nth(1).is_some_and(|word| word.trim_end_matches('s') == what);
    let part = told.split(", ").find(is_it);
    part.and_then(|part| part.split(' ').next()?.parse().ok()).unwrap_or(0)
}

/// Entries of a list of deaths or of reports, and how many more there are.
pub(super) fn entries(told: &str, each: &str) -> u64 {
    let more = |part: &str| part.strip_suffix(" more")?.parse::<u64>().ok();
    told.split("; ").map(|part| more(part).unwrap_or(u64::from(part.contains(each)))).sum()
}

/// `2 of 3 messages reached every peer; the last, p1#1: 7/8 in 2 hops`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ToldCoverage {
    pub(super) everywhere: u64,
    pub(super) last: (u64, u64),
}

pub(super) fn coverage(told: &str) -> Option<ToldCoverage> {
    let told = told.replace("at least ", "");
    let everywhere = told.split(' ').next()?.parse().ok()?;
    let (_, last) = told.split_once("the last, ")?;
    let (have, of) = last.split_once(": ")?.1.split(' ').next()?.split_once('/')?;
    Some(ToldCoverage { everywhere, last: (have.parse().ok()?, of.parse().ok()?) })
}

/// `The overlay is in 3 parts.`, within an answer.
pub(super) fn parts(verdict: &str) -> Option<u64> {
    let (_, told) = verdict.split_once("he overlay is in ")?;
    told.split(' ').next()?.parse().ok()
}

/// `linked to p1, p2 and p3`: the names; `None` if some were left out.
pub(super) fn names<'a>(what: &str, line: &'a str) -> Option<Vec<&'a str>> {
    let told = line.strip_prefix(what)?.strip_prefix(' ')?;
    match told {
        "nobody" => Some(Vec::new()),
        more if more.ends_with(" more") => None,
        names => Some(names.split(", ").flat_map(|some| some.split(" and ")).collect()),
    }
}

/// As two answers name one deed: `hung` and `hangs`, `left politely` and `left`.
pub(super) fn as_deeds_are_named(text: &str) -> String {
    text.replace("hangs", "hung").replace("hang ", "hung ").replace("left politely", "left")
}
