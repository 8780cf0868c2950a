//! Turns the terminal's bytes into keys, clicks and pastes.
//!
//! crossterm's reader waits for the end of a paste for as long as it takes and reads no key
//! meanwhile, reads the terminal while the shell has it, and panics at some sequences. So
//! [`super::input`] reads the bytes, and this module decodes them. Time is an argument: a sequence
//! begins with the same byte as the Escape key, and only a pause tells them apart.

mod sequence;

use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};

use self::sequence::{Parsed, parse, parse_rest};
use crate::proto::time::Time;

/// How long the rest of a sequence may take: a terminal sends it in one piece, and nobody notices
/// this delay of Escape.
const SEQUENCE_TIME_MAX: Duration = Duration::from_millis(25);
/// A paste that brings nothing for this long is over, whether or not its end came: longer than a
/// slow line pauses, and short enough for a user whose key does nothing.
const PASTE_PAUSE_MAX: Duration = Duration::from_millis(500);
/// Bytes of a paste that are kept; the rest is counted. No field takes more than 4 KiB.
const PASTE_KEPT_MAX: usize = 64 * 1024;
/// Fewer bytes at a time than this come from a keyboard and do not keep a paste open.
const PASTE_PIECE_MIN: usize = 9;
/// The end of a paste.
const PASTE_END: &[u8] = b"\x1b[201~";
const CTRL_C: u8 = 0x03;

/// Input from the user or the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum UserInput {
    /// A key, a click or a resize.
    Event(Event),
    /// Text in one piece.
    Pasted(Paste),
    /// The process had been stopped, and continues.
    Continued,
}

/// Pasted text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Paste {
    /// The text, or its first part if it is too long to be kept.
    pub(crate) text: String,
    /// Length of the whole text in bytes.
    pub(crate) len: usize,
}

/// Decodes bytes.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    /// The beginning of something whose end has not come.
    rest: Vec<u8>,
    paste: Option<Pasting>,
    /// When an incomplete sequence is given up.
    until: Option<Time>,
}

/// A paste that is coming in.
#[derive(Debug, Default)]
struct Pasting {
    kept: Vec<u8>,
    len: usize,
    /// How many of the last bytes match [`PASTE_END`].
    matched: usize,
}

impl Pasting {
    /// Returns whether this byte ends the paste.
    fn take(&mut self, byte: u8) -> bool {
        if self.kept.len() < PASTE_KEPT_MAX + PASTE_END.len() {
            self.kept.push(byte);
        }
        self.len += 1;
        self.matched = match PASTE_END.get(self.matched) {
            Some(next) if *next == byte => self.matched + 1,
            Some(_) | None => usize::from(byte == PASTE_END[0]),
        };
        self.matched == PASTE_END.len()
    }

    /// The pasted text without this many bytes at its end.
    fn end(mut self, without: usize) -> UserInput {
        self.len = self.len.saturating_sub(without);
        self.kept.truncate(self.len.min(PASTE_KEPT_MAX));
        UserInput::Pasted(Paste { text: String::from_utf8_lossy(&self.kept).into_owned(), len: self.len })
    }
}

impl Decoder {
    /// What these bytes mean, together with earlier ones.
    pub(crate) fn take(&mut self, bytes: &[u8], now: Time) -> Vec<UserInput> {
        let mut heard = Vec::new();
        let is_piece = bytes.len() >= PASTE_PIECE_MIN;
        let was_pasting = self.paste.is_some();
        for byte in bytes {
            self.take_byte(*byte, &mut heard);
        }
        self.until = match (&self.paste, self.rest.is_empty()) {
            (Some(_), _) if was_pasting && !is_piece => self.until,
            (Some(_), _) => Some(now + PASTE_PAUSE_MAX),
            (None, false) => Some(now + SEQUENCE_TIME_MAX),
            (None, true) => None,
        };
        heard
    }

    /// When [`Self::give_up`] is due.
    pub(crate) const fn deadline(&self) -> Option<Time> {
        self.until
    }

    /// Stops waiting for the end of an incomplete sequence: takes what is there for what it can be.
    pub(crate) fn give_up(&mut self) -> Vec<UserInput> {
        self.until = None;
        if let Some(paste) = self.paste.take() {
            return vec![paste.end(0)];
        }
        let rest = std::mem::take(&mut self.rest);
        parse_rest(&rest).map(UserInput::Event).into_iter().collect()
    }

    fn take_byte(&mut self, byte: u8, heard: &mut Vec<UserInput>) {
        if let Some(paste) = &mut self.paste {
            // No text contains it, and a user who presses it wants out.
            let is_interrupt = byte == CTRL_C;
            if !is_interrupt && !paste.take(byte) {
                return;
            }
            heard.extend(self.paste.take().map(|paste| paste.end(if is_interrupt { 0 } else { PASTE_END.len() })));
            if is_interrupt {
                let key = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
                heard.push(UserInput::Event(Event::Key(key)));
            }
            return;
        }
        self.rest.push(byte);
        self.take_rest(heard);
    }

    fn take_rest(&mut self, heard: &mut Vec<UserInput>) {
        while !self.rest.is_empty() {
            let len = match parse(&self.rest) {
                Parsed::Event(event, len) => {
                    heard.push(UserInput::Event(event));
                    len
                }
                Parsed::PasteBegins(len) => {
                    self.paste = Some(Pasting::default());
                    len
                }
                Parsed::Unknown(len) => len,
                Parsed::Incomplete => return,
            };
            self.rest.drain(..len.min(self.rest.len()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Time = Time::from_micros(1_000_000);

    fn key(code: KeyCode) -> UserInput {
        UserInput::Event(Event::Key(code.into()))
    }

    fn letter(letter: char) -> UserInput {
        key(KeyCode::Char(letter))
    }

    fn pasted(text: &str) -> UserInput {
        UserInput::Pasted(Paste { text: text.to_owned(), len: text.len() })
    }

    fn after(millis: u64) -> Time {
        START + Duration::from_millis(millis)
    }

    #[test]
    fn a_paste_is_one_text_however_it_is_cut_into_pieces() {
        let bytes = "a\x1b[200~one\r\ntwo \u{e9} \x1b[20x\x1b[201~b".as_bytes();
        let wanted = [letter('a'), pasted("one\r\ntwo \u{e9} \x1b[20x"), letter('b')];
        for cut in 0..=bytes.len() {
            let mut decoder = Decoder::default();
            let mut heard = decoder.take(&bytes[..cut], START);
            heard.extend(decoder.take(&bytes[cut..], START));
            assert_eq!(heard, wanted, "cut at {cut}");
            assert_eq!(decoder.deadline(), None);
        }
    }

    #[test]
    fn a_paste_without_an_end_is_given_up_after_a_pause() {
        let mut decoder = Decoder::default();
        assert_eq!(decoder.take(b"\x1b[200~abc", START), []);
        assert_eq!(decoder.deadline(), Some(START + PASTE_PAUSE_MAX));
        assert_eq!(decoder.give_up(), [pasted("abc")]);
        assert_eq!(decoder.take(b"q", after(600)), [letter('q')]);
    }

    #[test]
    fn keys_that_are_pressed_do_not_keep_a_paste_open() {
        let mut decoder = Decoder::default();
        decoder.take(b"\x1b[200~abc", START);
        assert_eq!(decoder.take(b"q", after(400)), []);
        assert_eq!(decoder.take(b"\x1b", after(450)), []);
        assert_eq!(decoder.deadline(), Some(after(500)));
        decoder.take(b"a piece of text", after(480));
        assert_eq!(decoder.deadline(), Some(after(980)), "a piece of text does");
    }

    #[test]
    fn ctrl_c_ends_a_paste_and_is_heard() {
        let mut decoder = Decoder::default();
        let interrupt = UserInput::Event(Event::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)));
        assert_eq!(decoder.take(b"\x1b[200~abc\x03q", START), [pasted("abc"), interrupt, letter('q')]);
    }

    #[test]
    fn a_long_paste_is_cut_and_the_rest_of_it_counted() {
        let mut decoder = Decoder::default();
        let text = "x".repeat(PASTE_KEPT_MAX * 3);
        decoder.take(format!("\x1b[200~{text}").as_bytes(), START);
        assert!(decoder.paste.as_ref().unwrap().kept.len() <= PASTE_KEPT_MAX + PASTE_END.len());
        let [UserInput::Pasted(paste)] = &decoder.take(PASTE_END, START)[..] else { panic!("no paste") };
        assert_eq!((paste.text.len(), paste.len), (PASTE_KEPT_MAX, text.len()));
    }

    #[test]
    fn a_lone_escape_is_a_key_once_nothing_follows() {
        let mut decoder = Decoder::default();
        assert_eq!(decoder.take(b"\x1b", START), []);
        assert_eq!(decoder.deadline(), Some(START + SEQUENCE_TIME_MAX));
        assert_eq!(decoder.give_up(), [key(KeyCode::Esc)]);
        decoder.take(b"\x1b", START);
        assert_eq!(decoder.take(b"[A", after(10)), [key(KeyCode::Up)]);
        assert_eq!(
            (decoder.take(b"\x1b[1;", START), decoder.give_up()),
            (vec![], vec![]),
            "half a sequence is nothing"
        );
        assert_eq!(decoder.take(b"q", START), [letter('q')]);
    }
}
