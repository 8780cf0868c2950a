//! `expect` lines: what they claim, and for which time.

use std::time::Duration;

use super::claim::{CLAIMS, Claim, MessageRef, NETWORK_CLAIMS, NODE_CLAIMS, SOMEBODY_DEAD};
use super::time::span_of;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expect {
    pub(super) sense: Sense,
    pub(super) claim: Claim,
    pub(super) window: ClaimWindow,
}

/// Whether the claim must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sense {
    Holds,
    DoesNot,
}

/// When the claim must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClaimWindow {
    /// At the moment of the line.
    Now,
    /// At some moment in the time that follows.
    Within(Duration),
    /// During all the time that follows.
    For(Duration),
}

impl ClaimWindow {
    pub(super) const fn span(self) -> Duration {
        match self {
            Self::Now => Duration::ZERO,
            Self::Within(span) | Self::For(span) => span,
        }
    }
}

/// Reads the text after the word `expect`.
pub(super) fn parse(text: &str) -> Result<Expect, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (sense, words) = match words.as_slice() {
        ["not", rest @ ..] => (Sense::DoesNot, rest),
        ["no", "dead", rest @ ..] => return whole(Sense::DoesNot, Claim::Network(SOMEBODY_DEAD), rest),
        ["no", other, ..] => {
            return Err(format!("'{other}' cannot follow 'no': expected 'no dead', or 'not' and a claim"));
        }
        all => (Sense::Holds, all),
    };
    let (claim, rest) = claim(words)?;
    whole(sense, claim, rest)
}

fn whole(sense: Sense, claim: Claim, rest: &[&str]) -> Result<Expect, String> {
    Ok(Expect { sense, claim, window: window(rest)? })
}

/// The claim, and the words after it.
fn claim<'a, 'w>(words: &'a [&'w str]) -> Result<(Claim, &'a [&'w str]), String> {
    let [word, rest @ ..] = words else { return Err(format!("nothing is expected: expected {CLAIMS}")) };
    if let Some(row) = NETWORK_CLAIMS.iter().find(|row| row.word == *word) {
        return Ok((Claim::Network(row), rest));
    }
    if let Some(row) = NODE_CLAIMS.iter().find(|row| row.word == *word) {
        return match rest {
            [] => Err(format!("expected a node after '{word}', such as p3")),
            [next @ ("within" | "for"), ..] => {
                Err(format!("expected a node after '{word}', such as p3, before '{next}'"))
            }
            [name, rest @ ..] => Ok((Claim::Node(row, (*name).to_owned()), rest)),
        };
    }
    match (*word, rest) {
        ("coverage", [share, rest @ ..]) => {
            let (message, rest) = message(rest)?;
            Ok((Claim::Coverage { percent: percent(share)?, message }, rest))
        }
        ("coverage", []) => Err("expected a share after 'coverage', such as 100%".to_owned()),
        (other, _) => Err(format!("'{other}' cannot be expected: expected {CLAIMS}")),
    }
}

fn percent(word: &str) -> Result<u32, String> {
    let share = word.strip_suffix('%').and_then(|number| number.parse().ok()).filter(|share| (1..=100).contains(share));
    share.ok_or_else(|| format!("'{word}' is not a share: expected 1% to 100%"))
}

fn message<'a, 'w>(words: &'a [&'w str]) -> Result<(MessageRef, &'a [&'w str]), String> {
    match words {
        ["of", name, rest @ ..] if name.contains('#') => Ok((MessageRef::Named((*name).to_owned()), rest)),
        ["of", name, ..] => Err(format!("'{name}' is not a message: expected a node and a number, such as p3#2")),
        ["of"] => Err("expected a message after 'of', such as p3#2".to_owned()),
        rest => Ok((MessageRef::Next, rest)),
    }
}

fn window(words: &[&str]) -> Result<ClaimWindow, String> {
    match words {
        [] => Ok(ClaimWindow::Now),
        ["within", span] => span_of(span).map(ClaimWindow::Within),
        ["for", span] => span_of(span).map(ClaimWindow::For),
        [word @ ("within" | "for")] => Err(format!("expected a time after '{word}', such as 5s")),
        ["within" | "for", _, more, ..] => Err(format!("unexpected '{more}': expected the end of the line")),
        [other, ..] => Err(format!("'{other}' cannot stand here: expected 'within' or 'for' and a time, or the end")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_stands_alone_or_with_a_window() {
        let of = |text| parse(text).unwrap();
        let coverage = |percent, message| Claim::Coverage { percent, message };
        let within = Expect {
            sense: Sense::Holds,
            claim: coverage(100, MessageRef::Next),
            window: ClaimWindow::Within(Duration::from_secs(5)),
        };
        assert_eq!(of("coverage 100% within 5s"), within);
        assert_eq!(of("coverage 90% of p3#2").claim, coverage(90, MessageRef::Named("p3#2".to_owned())));
        let nobody = of("no dead for 10s");
        assert_eq!((nobody.sense, nobody.claim), (Sense::DoesNot, Claim::Network(SOMEBODY_DEAD)));
        assert_eq!(nobody.window, ClaimWindow::For(Duration::from_secs(10)));
        assert_eq!(of("not connected").sense, Sense::DoesNot);
        assert_eq!(of("dead p3 within 45s").claim, Claim::Node(&NODE_CLAIMS[0], "p3".to_owned()));
        assert_eq!(of("not listed p3").claim, Claim::Node(&NODE_CLAIMS[2], "p3".to_owned()));
    }

    #[test]
    fn an_error_names_the_word_and_what_was_expected() {
        let error = |text| parse(text).unwrap_err();
        assert!(error("").contains("expected coverage 100%, connected"), "{}", error(""));
        assert!(error("happiness").starts_with("'happiness' cannot be expected: expected coverage"));
        assert_eq!(error("coverage 101%"), "'101%' is not a share: expected 1% to 100%");
        assert_eq!(error("coverage all"), "'all' is not a share: expected 1% to 100%");
        assert_eq!(error("dead within 5s"), "expected a node after 'dead', such as p3, before 'within'");
        assert_eq!(
            error("connected soon"),
            "'soon' cannot stand here: expected 'within' or 'for' and a time, or the end"
        );
        assert_eq!(error("connected within"), "expected a time after 'within', such as 5s");
        assert_eq!(error("connected within 5s please"), "unexpected 'please': expected the end of the line");
        assert!(error("connected within 5").starts_with("'5' is no time"));
        assert_eq!(error("coverage 100% of p3"), "'p3' is not a message: expected a node and a number, such as p3#2");
        assert!(error("no connected").starts_with("'connected' cannot follow 'no'"));
    }
}
