//! One key or click at the beginning of some bytes.
//!
//! The sequences are those of xterm and its followers; see
//! <https://invisible-island.net/xterm/ctlseqs/ctlseqs.html>.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

const ESC: u8 = 0x1b;
/// The longest sequence: that of a click on the largest screen is under 20 bytes.
const SEQUENCE_LEN_MAX: usize = 64;

/// What is at the beginning of some bytes, and how many of them it takes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    Event(Event, usize),
    PasteBegins(usize),
    /// Nothing that means anything here.
    Unknown(usize),
    /// More must come.
    Incomplete,
}

impl Parsed {
    fn key(code: KeyCode, modifiers: KeyModifiers, len: usize) -> Self {
        Self::Event(Event::Key(KeyEvent::new(code, modifiers)), len)
    }
}

/// What is at the beginning of these bytes (at least one).
pub(super) fn parse(bytes: &[u8]) -> Parsed {
    match bytes {
        [] | [ESC] => Parsed::Incomplete,
        [ESC, ESC, ..] => Parsed::key(KeyCode::Esc, KeyModifiers::NONE, 1),
        [ESC, b'[', ..] => parse_csi(bytes),
        [ESC, b'O', ..] => parse_ss3(bytes),
        [ESC, rest @ ..] => with_alt(&parse_plain(rest)),
        _ => parse_plain(bytes),
    }
}

/// What these bytes mean if nothing follows them; [`parse`] found them incomplete.
pub(super) fn parse_rest(bytes: &[u8]) -> Option<Event> {
    let (code, modifiers) = match bytes {
        [ESC] => (KeyCode::Esc, KeyModifiers::NONE),
        [ESC, letter @ (b'[' | b'O')] => (KeyCode::Char(char::from(*letter)), KeyModifiers::ALT),
        _ => return None,
    };
    Some(Event::Key(KeyEvent::new(code, modifiers)))
}

fn with_alt(parsed: &Parsed) -> Parsed {
    match parsed {
        Parsed::Event(Event::Key(key), len) => Parsed::key(key.code, key.modifiers | KeyModifiers::ALT, len + 1),
        Parsed::Unknown(len) => Parsed::Unknown(len + 1),
        Parsed::Event(..) | Parsed::PasteBegins(_) | Parsed::Incomplete => Parsed::Incomplete,
    }
}

/// A byte, or a character of several.
fn parse_plain(bytes: &[u8]) -> Parsed {
    let Some(first) = bytes.first() else { return Parsed::Incomplete };
    let control = |letter: u8| (KeyCode::Char(char::from(letter)), KeyModifiers::CONTROL);
    let (code, modifiers) = match first {
        b'\r' => (KeyCode::Enter, KeyModifiers::NONE),
        b'\t' => (KeyCode::Tab, KeyModifiers::NONE),
        0x7f => (KeyCode::Backspace, KeyModifiers::NONE),
        0 => control(b' '),
        0x01..=0x1a => control(first - 1 + b'a'),
        0x1c..=0x1f => control(first - 0x1c + b'4'),
        _ => return parse_character(bytes),
    };
    Parsed::key(code, modifiers, 1)
}

fn parse_character(bytes: &[u8]) -> Parsed {
    let head = &bytes[..bytes.len().min(4)];
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.valid_up_to() > 0 => std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default(),
        Err(error) => return error.error_len().map_or(Parsed::Incomplete, Parsed::Unknown),
    };
    match valid.chars().next() {
        Some(letter) => Parsed::key(KeyCode::Char(letter), KeyModifiers::NONE, letter.len_utf8()),
        None => Parsed::Unknown(1),
    }
}

/// `ESC O A`: arrows and F1 to F4 of a terminal in application mode.
fn parse_ss3(bytes: &[u8]) -> Parsed {
    match bytes.get(2) {
        None => Parsed::Incomplete,
        Some(last) => match letter_key(*last) {
            Some(code) => Parsed::key(code, KeyModifiers::NONE, 3),
            None => Parsed::Unknown(3),
        },
    }
}

/// `ESC [ 1 ; 5 A`: parameters and a last byte that says what it is.
fn parse_csi(bytes: &[u8]) -> Parsed {
    // The Linux console sends F1 to F5 as `ESC [ [ A`.
    if bytes.get(2) == Some(&b'[') {
        return match bytes.get(3) {
            None => Parsed::Incomplete,
            Some(last @ b'A'..=b'E') => Parsed::key(KeyCode::F(last - b'A' + 1), KeyModifiers::NONE, 4),
            Some(_) => Parsed::Unknown(4),
        };
    }
    let Some(place) = bytes.iter().skip(2).position(|byte| !(0x20..=0x3f).contains(byte)) else {
        return if bytes.len() < SEQUENCE_LEN_MAX { Parsed::Incomplete } else { Parsed::Unknown(bytes.len()) };
    };
    let (parameters, last) = (&bytes[2..2 + place], bytes[2 + place]);
    if !(0x40..=0x7e).contains(&last) {
        // Broken off: this byte begins something else.
        return Parsed::Unknown(2 + place);
    }
    let len = 3 + place;
    let parameters = std::str::from_utf8(parameters).unwrap_or_default();
    if (parameters, last) == ("200", b'~') {
        return Parsed::PasteBegins(len);
    }
    match csi_event(parameters, last) {
        Some(event) => Parsed::Event(event, len),
        None => Parsed::Unknown(len),
    }
}

fn csi_event(parameters: &str, last: u8) -> Option<Event> {
    if let Some(click) = parameters.strip_prefix('<') {
        return mouse(click, last);
    }
    let number = |place| parameters.split(';').nth(place).and_then(|number| number.parse::<u32>().ok());
    let modifiers = modifiers(number(1).unwrap_or(1));
    let (code, modifiers) = match last {
        b'I' if parameters.is_empty() => return Some(Event::FocusGained),
        b'O' if parameters.is_empty() => return Some(Event::FocusLost),
        b'Z' => (KeyCode::BackTab, KeyModifiers::SHIFT),
        b'~' => (numbered_key(number(0)?)?, modifiers),
        b'u' => (coded_key(number(0)?)?, modifiers),
        // Alone, `R` reports the position of the cursor.
        b'R' if number(0) != Some(1) => return None,
        _ => (letter_key(last)?, modifiers),
    };
    Some(Event::Key(KeyEvent::new(code, modifiers)))
}

/// The last byte of a key without a number.
const fn letter_key(last: u8) -> Option<KeyCode> {
    Some(match last {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        b'P'..=b'S' => KeyCode::F(last - b'P' + 1),
        _ => return None,
    })
}

/// A key whose sequence ends with `~`.
fn numbered_key(number: u32) -> Option<KeyCode> {
    let function = |number: u32| u8::try_from(number).ok().map(KeyCode::F);
    match number {
        1 | 7 => Some(KeyCode::Home),
        2 => Some(KeyCode::Insert),
        3 => Some(KeyCode::Delete),
        4 | 8 => Some(KeyCode::End),
        5 => Some(KeyCode::PageUp),
        6 => Some(KeyCode::PageDown),
        11..=15 => function(number - 10),
        17..=21 => function(number - 11),
        23..=26 => function(number - 12),
        28..=29 => function(number - 13),
        31..=34 => function(number - 14),
        _ => None,
    }
}

/// A key by its character, as terminals send it on request.
fn coded_key(number: u32) -> Option<KeyCode> {
    match number {
        9 => Some(KeyCode::Tab),
        13 => Some(KeyCode::Enter),
        27 => Some(KeyCode::Esc),
        127 => Some(KeyCode::Backspace),
        32..127 | 160.. => char::from_u32(number).map(KeyCode::Char),
        _ => None,
    }
}

/// One more than the sum of the modifiers.
fn modifiers(number: u32) -> KeyModifiers {
    const HELD: [(u32, KeyModifiers); 6] = [
        (1, KeyModifiers::SHIFT),
        (2, KeyModifiers::ALT),
        (4, KeyModifiers::CONTROL),
        (8, KeyModifiers::SUPER),
        (16, KeyModifiers::HYPER),
        (32, KeyModifiers::META),
    ];
    let bits = number.saturating_sub(1);
    HELD.iter().filter(|(bit, _)| bits & bit != 0).fold(KeyModifiers::NONE, |all, (_, held)| all | *held)
}

/// `0;12;3` and `M`, or `m` when a button is released.
fn mouse(click: &str, last: u8) -> Option<Event> {
    let mut numbers = click.split(';').map(|number| number.parse::<u16>().ok());
    let (button, column, row) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let is_moving = button & 0b10_0000 != 0;
    let side = match button & 0b11 {
        0 => Some(MouseButton::Left),
        1 => Some(MouseButton::Middle),
        2 => Some(MouseButton::Right),
        _ => None,
    };
    let kind = match (button >> 6, side, last) {
        (1, Some(MouseButton::Left), _) => MouseEventKind::ScrollUp,
        (1, Some(MouseButton::Middle), _) => MouseEventKind::ScrollDown,
        (0, Some(side), b'M') if is_moving => MouseEventKind::Drag(side),
        (0, Some(side), b'M') => MouseEventKind::Down(side),
        (0, Some(side), b'm') => MouseEventKind::Up(side),
        (0, None, b'M') => MouseEventKind::Moved,
        _ => return None,
    };
    // The first column and row are 1.
    let (column, row) = (column.saturating_sub(1), row.saturating_sub(1));
    Some(Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_terminal_sends_for_a_key_is_that_key() {
        let (none, shift, alt, control) =
            (KeyModifiers::NONE, KeyModifiers::SHIFT, KeyModifiers::ALT, KeyModifiers::CONTROL);
        let keys: &[(&str, KeyCode, KeyModifiers)] = &[
            ("q", KeyCode::Char('q'), none),
            ("\u{4f60}", KeyCode::Char('\u{4f60}'), none),
            ("\r", KeyCode::Enter, none),
            ("\t", KeyCode::Tab, none),
            ("\x7f", KeyCode::Backspace, none),
            ("\x03", KeyCode::Char('c'), control),
            ("\x1a", KeyCode::Char('z'), control),
            ("\0", KeyCode::Char(' '), control),
            ("\x1f", KeyCode::Char('7'), control),
            ("\x1bx", KeyCode::Char('x'), alt),
            ("\x1b\x03", KeyCode::Char('c'), control | alt),
            ("\x1b[A", KeyCode::Up, none),
            ("\x1bOD", KeyCode::Left, none),
            ("\x1b[1;5C", KeyCode::Right, control),
            ("\x1b[1;2B", KeyCode::Down, shift),
            ("\x1b[H", KeyCode::Home, none),
            ("\x1b[4~", KeyCode::End, none),
            ("\x1b[3;3~", KeyCode::Delete, alt),
            ("\x1b[6~", KeyCode::PageDown, none),
            ("\x1b[Z", KeyCode::BackTab, shift),
            ("\x1bOP", KeyCode::F(1), none),
            ("\x1b[[C", KeyCode::F(3), none),
            ("\x1b[1;2R", KeyCode::F(3), shift),
            ("\x1b[15~", KeyCode::F(5), none),
            ("\x1b[21~", KeyCode::F(10), none),
            ("\x1b[24;6~", KeyCode::F(12), shift | control),
            ("\x1b[34~", KeyCode::F(20), none),
            ("\x1b[105;5u", KeyCode::Char('i'), control),
        ];
        for (bytes, code, modifiers) in keys {
            assert_eq!(parse(bytes.as_bytes()), Parsed::key(*code, *modifiers, bytes.len()), "{bytes:?}");
        }
    }

    #[test]
    fn a_click_and_the_wheel_are_where_they_were() {
        let kind = |bytes: &str| match parse(bytes.as_bytes()) {
            Parsed::Event(Event::Mouse(mouse), _) => Some((mouse.kind, mouse.column, mouse.row)),
            _ => None,
        };
        assert_eq!(kind("\x1b[<0;12;3M"), Some((MouseEventKind::Down(MouseButton::Left), 11, 2)));
        assert_eq!(kind("\x1b[<0;12;3m"), Some((MouseEventKind::Up(MouseButton::Left), 11, 2)));
        assert_eq!(kind("\x1b[<64;1;1M"), Some((MouseEventKind::ScrollUp, 0, 0)));
        assert_eq!(kind("\x1b[<65;0;0M"), Some((MouseEventKind::ScrollDown, 0, 0)));
        assert_eq!(kind("\x1b[<0;70000;1M"), None);
    }

    #[test]
    fn what_means_nothing_takes_no_key_with_it() {
        for bytes in ["\x1b[0;0R", "\x1b[?64;1c", "\x1b[201~", "\x1b[99~", "\x1bOx"] {
            assert_eq!(parse(format!("{bytes}q").as_bytes()), Parsed::Unknown(bytes.len()), "{bytes:?}");
        }
        assert_eq!(parse(b"\x1b[1;\x1b[A"), Parsed::Unknown(4), "a sequence that is broken off");
        assert_eq!(parse(&[0xff, b'q']), Parsed::Unknown(1));
        assert_eq!(parse(&[b"\x1b[".as_slice(), &[b'1'; SEQUENCE_LEN_MAX]].concat()), Parsed::Unknown(66));
    }

    proptest! {
        #[test]
        fn any_bytes_are_understood_or_passed_over(bytes in proptest::collection::vec(any::<u8>(), 1..80)) {
            match parse(&bytes) {
                Parsed::Event(_, len) | Parsed::PasteBegins(len) | Parsed::Unknown(len) => {
                    prop_assert!((1..=bytes.len()).contains(&len));
                }
                Parsed::Incomplete => prop_assert!(bytes.len() < SEQUENCE_LEN_MAX + 2),
            }
        }
    }
}
