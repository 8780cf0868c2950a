//! Bytes from strangers, and how they are shown.
//!
//! A gossip message's body is whatever bytes its origin chose. It travels untouched and is shared
//! between all holders; every way of showing it escapes what could harm a terminal or a log file.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The body of a gossip message: any bytes, cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Body(Bytes);

impl Body {
    /// A body of at least this length may share the buffer that it was read into, which is then at
    /// most four times its size; whoever keeps a shorter one makes a copy, see [`Body::detached`].
    pub const SHARED_LEN_MIN: usize = 16 * 1024;

    /// The bytes as they travel.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, shared.
    pub fn bytes(&self) -> &Bytes {
        &self.0
    }

    /// The same bytes in a buffer of their own. A body from the network shares the buffer that it
    /// was read into, many times its size, and keeps all of that alive.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self(Bytes::copy_from_slice(&self.0))
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self(bytes)
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&str> for Body {
    fn from(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl fmt::Display for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Escaped(&self.0).fmt(f)
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// In files that people read: a JSON string, or `{"hex": ".."}` if the bytes are not UTF-8.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Readable<'a> {
    Text(Cow<'a, str>),
    Hex { hex: String },
}

impl Serialize for Body {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => Readable::Hex { hex: to_hex(&self.0) }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Readable::deserialize(deserializer)? {
            Readable::Text(text) => Ok(text.as_ref().into()),
            Readable::Hex { hex } => from_hex(&hex)
                .map(|bytes| Self(bytes.into()))
                .ok_or_else(|| serde::de::Error::custom("'hex' needs pairs of hexadecimal digits")),
        }
    }
}

fn to_hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn from_hex(hex: &str) -> Option<Vec<u8>> {
    let pairs = hex.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|p| p.len() == 2)?, 16).ok()).collect()
}

/// Shows bytes from a stranger so that nothing in them can act on a terminal: control characters,
/// characters that turn the direction of text, and bytes that are not UTF-8 appear as `\n`, `\x1b`,
/// `\u{202e}`, `\xff`; a backslash as `\\`.
#[derive(Debug, Clone, Copy)]
pub struct Escaped<'a>(pub &'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                write_escaped(f, c)?;
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

fn write_escaped(f: &mut fmt::Formatter<'_>, c: char) -> fmt::Result {
    match c {
        '\\' => f.write_str("\\\\"),
        '\n' => f.write_str("\\n"),
        '\r' => f.write_str("\\r"),
        '\t' => f.write_str("\\t"),
        '\0'..='\x1f' | '\x7f' => write!(f, "\\x{:02x}", u32::from(c)),
        c if is_harmful(c) => write!(f, "\\u{{{:x}}}", u32::from(c)),
        c => f.write_char(c),
    }
}

/// One line for people, made of our words and of others' names, paths and texts: what could act on
/// a terminal is escaped as in [`Escaped`]. A backslash stays, because escaped text already has
/// some.
pub fn printable(line: &str) -> Cow<'_, str> {
    struct TextLine<'a>(&'a str);
    impl fmt::Display for TextLine<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.chars().try_for_each(|c| if c == '\\' { f.write_char(c) } else { write_escaped(f, c) })
        }
    }
    if acts(line) { Cow::Owned(TextLine(line).to_string()) } else { Cow::Borrowed(line) }
}

/// The same for several lines, which stay several.
pub fn printable_lines(text: &str) -> String {
    text.split_inclusive('\n')
        .map(|line| match line.strip_suffix('\n') {
            Some(line) => format!("{}\n", printable(line)),
            None => printable(line).into_owned(),
        })
        .collect()
}

/// The same for JSON text, where such characters occur only in strings: they become JSON escapes,
/// so a reader gets the original text.
pub fn printable_json(json: &str) -> Cow<'_, str> {
    if !acts(json) {
        return Cow::Borrowed(json);
    }
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if acts_on_terminal(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string does not fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

/// Only letters, digits, signs and spaces that every terminal shows as they are.
pub fn is_plain_ascii(bytes: &[u8]) -> bool {
    // Looking at every byte takes less time than stopping at the first that is not plain: the
    // compiler vectorizes it.
    bytes.iter().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~'))
}

/// Something in it acts on a terminal.
fn acts(text: &str) -> bool {
    !is_plain_ascii(text.as_bytes()) && text.contains(acts_on_terminal)
}

const fn acts_on_terminal(c: char) -> bool {
    matches!(c, '\0'..='\x1f' | '\x7f') || is_harmful(c)
}

/// C1 controls, line and paragraph separators, zero-width characters, and characters that reorder
/// text (Unicode TR 36, "Trojan Source").
const fn is_harmful(c: char) -> bool {
    matches!(c,
        '\u{80}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_acts_on_a_terminal_is_shown_raw() {
        let shown = Escaped(b"a\x1b[31mb\x00\n\\\xff\xc2\x9b").to_string();
        assert_eq!(shown, r"a\x1b[31mb\x00\n\\\xff\u{9b}");
        assert_eq!(Escaped("x\u{202e}y 你好".as_bytes()).to_string(), r"x\u{202e}y 你好");
    }

    #[test]
    fn lines_are_printed_without_what_acts_on_a_terminal() {
        assert_eq!(printable("p\x1b]0;x\x07 a\u{9b}b\u{202e} c\\n\n"), r"p\x1b]0;x\x07 a\u{9b}b\u{202e} c\n\n");
        assert_eq!(printable_lines("a\x1b\n\tb\n"), "a\\x1b\n\\tb\n");
        let json = serde_json::to_string("\u{9b}\u{7f}\u{202e}\u{e0001}\x1b").unwrap();
        let printed = printable_json(&json);
        assert!(printed.is_ascii(), "{printed}");
        assert_eq!(serde_json::from_str::<String>(&printed).unwrap(), "\u{9b}\u{7f}\u{202e}\u{e0001}\x1b");
        assert!(
            matches!(printable("你好 \\x1b"), Cow::Borrowed(_)) && matches!(printable_json("{}"), Cow::Borrowed(_))
        );
    }

    #[test]
    fn a_body_survives_a_file_whatever_its_bytes() {
        for bytes in [&b"hello"[..], b"\xff\x00\x1b", "é\"\\".as_bytes()] {
            let body = Body::from(Bytes::copy_from_slice(bytes));
            let json = serde_json::to_string(&body).unwrap();
            assert_eq!(serde_json::from_str::<Body>(&json).unwrap(), body);
        }
        assert!(serde_json::from_str::<Body>("{\"hex\":\"f\"}").is_err());
    }
}
