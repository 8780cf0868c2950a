//! The words of commands other than nodes: addresses to listen on, sizes, amounts, texts. Forms ask
//! for the same things and check them here, too.

use super::Placement;
use super::limits::{BODY_LEN_MAX, PEERS_MAX, RATE_MAX, SEEDS_MAX, SPAN_MAX};
use crate::proto::addr::{Addr, AddrError};
use crate::proto::fault::{Amount, Percent};

/// What is wrong with a word.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WordError {
    #[error(transparent)]
    Address(#[from] AddrError),
    #[error("expected a port from 1 to 65535, or auto")]
    NoPort,
    #[error("'{given}' is not a number of {what}: expected 1 to {most}")]
    NotACount {
        given: String,
        /// Seeds or peers.
        what: &'static str,
        /// The limit.
        most: usize,
    },
    /// Nobody could reach a node there.
    #[error("{0} cannot be dialed, and a node's address is its name: give one that other nodes can reach")]
    NobodyThere(Addr),
    #[error("a message needs a text")]
    NoText,
    #[error("the text has {0} bytes and a message takes {BODY_LEN_MAX}: shorten it")]
    TextTooLong(usize),
    #[error("'{0}': expected a time such as 100ms, at most a day")]
    NotASpan(String),
    #[error("'{0}': expected a clock error, ahead or behind, such as +5s or -200ms, at most a day")]
    NotAnOffset(String),
    #[error("'{0}': expected a percentage such as 30%, from 1% to 100%; off to end it")]
    NotAPercentage(String),
    #[error("'{0}': expected a rate per second, such as 5/s, from 1/s to {RATE_MAX}/s; off to end it")]
    NotARate(String),
}

/// `127.0.0.1:3000`, `3000` for this machine, `auto` or nothing for the next free one.
pub fn placement(text: &str) -> Result<Placement, WordError> {
    if text.is_empty() || text.eq_ignore_ascii_case("auto") {
        return Ok(Placement::Auto);
    }
    let addr = match text.parse::<u16>() {
        Ok(port) => Addr::loopback(port),
        Err(_) => text.parse::<Addr>()?,
    };
    match addr {
        addr if addr.port() == 0 => Err(WordError::NoPort),
        addr if addr.ip().is_unspecified() || addr.is_dialable() => Ok(Placement::At(addr)),
        addr => Err(WordError::NobodyThere(addr)),
    }
}

/// The number of seeds of a lab.
pub fn lab_seeds(text: &str) -> Result<usize, WordError> {
    count(text, "seeds", SEEDS_MAX)
}

/// The number of peers of a lab.
pub fn lab_peers(text: &str) -> Result<usize, WordError> {
    count(text, "peers", PEERS_MAX)
}

fn count(text: &str, what: &'static str, most: usize) -> Result<usize, WordError> {
    let number = text.parse().ok().filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| WordError::NotACount { given: text.to_owned(), what, most })
}

/// What is wrong with a message text of this length, in any dialect.
pub fn body_fault(len: usize) -> Option<WordError> {
    match len {
        0 => Some(WordError::NoText),
        1..=BODY_LEN_MAX => None,
        len => Some(WordError::TextTooLong(len)),
    }
}

/// An amount of a fault, as it is typed.
#[derive(Debug, Clone, Copy)]
pub(super) struct AmountWord {
    pub(super) read: fn(&str) -> Result<Amount, WordError>,
    /// If it is left out.
    pub(super) default: Option<Amount>,
}

impl AmountWord {
    /// `100ms`.
    pub(super) const SPAN: Self =
        Self::new(|text| micros(text).map(Amount::Span).ok_or_else(|| WordError::NotASpan(text.to_owned())));
    /// `+5s`, `-200ms`.
    pub(super) const OFFSET: Self = Self::new(|text| {
        let (sign, rest) = match (text.strip_prefix('+'), text.strip_prefix('-')) {
            (None, Some(rest)) => (-1, rest),
            (Some(rest), _) => (1, rest),
            (None, None) => (1, text),
        };
        let micros = micros(rest).and_then(|micros| i64::try_from(micros).ok());
        micros.map(|micros| Amount::Offset(sign * micros)).ok_or_else(|| WordError::NotAnOffset(text.to_owned()))
    });
    /// `30%`.
    pub(super) const PERCENT: Self = Self::new(|text| {
        let number = text.strip_suffix('%').unwrap_or(text).parse::<u8>().ok();
        let percent = number.filter(|number| *number > 0).and_then(Percent::new);
        percent.map(Amount::Percent).ok_or_else(|| WordError::NotAPercentage(text.to_owned()))
    });
    /// `5/s`.
    pub(super) const RATE: Self = Self::new(|text| {
        let number = text.strip_suffix("/s").unwrap_or(text).parse::<u32>().ok();
        let rate = number.filter(|number| (1..=RATE_MAX).contains(number));
        rate.map(Amount::PerSecond).ok_or_else(|| WordError::NotARate(text.to_owned()))
    });

    const fn new(read: fn(&str) -> Result<Amount, WordError>) -> Self {
        Self { read, default: None }
    }

    /// It may be left out.
    pub(super) const fn or(self, default: Amount) -> Self {
        Self { default: Some(default), ..self }
    }
}

fn micros(text: &str) -> Option<u64> {
    let span = humantime::parse_duration(text).ok().filter(|span| *span <= SPAN_MAX)?;
    u64::try_from(span.as_micros()).ok()
}
