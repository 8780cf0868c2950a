//! Keys, and which action each of them means.

mod odd;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crokey::OneToThree;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

pub use self::odd::OddKey;
pub(super) use self::odd::heard;
pub(crate) use self::odd::is_interrupt;
use super::action::Action;

/// One line of the table of keys.
#[derive(Debug, Clone)]
pub(crate) struct Binding {
    pub(crate) action: Action,
    /// Its name in the config file and on the command line.
    pub(crate) name: Cow<'static, str>,
    /// The default keys, as in `g g or home`: two keys with a space between are pressed one after
    /// the other.
    pub(crate) keys: Cow<'static, str>,
    /// What it does, in a line.
    pub(crate) help: &'static str,
    /// Its place in the footer, if it has one.
    pub(crate) hint: Option<Hint>,
}

/// What the footer says about a key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hint {
    pub(crate) word: &'static str,
    /// Hints with a high rank are dropped first when the footer is narrow.
    pub(crate) rank: u8,
}

/// As it is shown.
const INTERRUPT: &str = "Ctrl-C";

/// One key with its modifiers, in the one spelling by which keys are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

impl Key {
    /// Terminals send `X`, shift and `X`, or shift and `x`: here it is `X`.
    fn new(code: KeyCode, mut modifiers: KeyModifiers) -> Self {
        let code = match code {
            KeyCode::Char(c) if modifiers.contains(KeyModifiers::SHIFT) => KeyCode::Char(c.to_ascii_uppercase()),
            KeyCode::Char('\r' | '\n') => KeyCode::Enter,
            KeyCode::Tab if modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
            KeyCode::Char(letter) if modifiers.contains(KeyModifiers::CONTROL) => KeyCode::Char(odd::same_byte(letter)),
            other => other,
        };
        if matches!(code, KeyCode::Char(_) | KeyCode::BackTab) {
            modifiers.remove(KeyModifiers::SHIFT);
        }
        Self { code, modifiers }
    }

    pub(crate) const fn code(self) -> KeyCode {
        self.code
    }

    /// The character that the key types into a field, if any.
    pub(crate) fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if self.modifiers.is_empty() => Some(c),
            _ => None,
        }
    }
}

impl From<KeyEvent> for Key {
    fn from(event: KeyEvent) -> Self {
        Self::new(event.code, event.modifiers)
    }
}

impl From<Key> for KeyEvent {
    fn from(key: Key) -> Self {
        Self::new(key.code, key.modifiers)
    }
}

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut letters = text.chars();
        if let (Some(letter), None) = (letters.next(), letters.next()) {
            return Ok(Self::new(KeyCode::Char(letter), KeyModifiers::NONE));
        }
        match crokey::parse(text) {
            Ok(crokey::KeyCombination { codes: OneToThree::One(code), modifiers }) => Ok(Self::new(code, modifiers)),
            Ok(_) | Err(_) => Err(KeyError::NotAKey { text: text.to_owned() }),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            KeyCode::BackTab => f.write_str("Shift-Tab"),
            KeyCode::Char(' ') if self.modifiers.is_empty() => f.write_str("Space"),
            KeyCode::Char(c) if self.modifiers.is_empty() => write!(f, "{c}"),
            code => {
                let key = crokey::KeyCombination::one_key(code, self.modifiers);
                let text = crokey::KeyCombinationFormat::default().to_string(key);
                match text.rsplit_once('-') {
                    Some((modifier, letter)) if letter.len() == 1 => {
                        write!(f, "{modifier}-{}", letter.to_ascii_uppercase())
                    }
                    _ => f.write_str(&text),
                }
            }
        }
    }
}

/// One key, or two pressed one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Chord {
    first: Key,
    second: Option<Key>,
}

impl FromStr for Chord {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut keys = text.split_whitespace();
        let not_a_key = || KeyError::NotAKey { text: text.to_owned() };
        let first = keys.next().ok_or_else(not_a_key)?.parse()?;
        let second = keys.next().map(Key::from_str).transpose()?;
        if keys.next().is_some() { Err(not_a_key()) } else { Ok(Self { first, second }) }
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.second {
            Some(second) => write!(f, "{} {second}", self.first),
            None => self.first.fmt(f),
        }
    }
}

/// An error in the keys of the config file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("'{name}' is not an action: expected one of {expected}")]
    NoSuchAction { name: String, expected: String },
    #[error("'{text}' is not a key: expected one such as x, X, ctrl-k, f5, space or 'g g'")]
    NotAKey { text: String },
    /// Two actions would share a key.
    #[error("'{key}' would mean both {one} and {other}: give one of them another key")]
    Twice { key: String, one: &'static str, other: &'static str },
}

/// The user's changes to the keys, checked by [`KeyOverrides::new`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyOverrides {
    pub(super) map: KeyMap,
    pub(super) odd: Vec<OddKey>,
}

impl KeyOverrides {
    /// Keys that may not do what the user meant.
    pub fn odd(&self) -> &[OddKey] {
        &self.odd
    }

    pub(crate) fn into_map(self) -> KeyMap {
        self.map
    }
}

/// The same keys, or one begins with the other.
fn collide(one: Chord, other: Chord) -> bool {
    one.first == other.first && (one.second.is_none() || other.second.is_none() || one.second == other.second)
}

#[derive(Debug, Clone)]
pub(crate) struct KeyMap {
    chords: Vec<(Chord, &'static Binding)>,
}

impl PartialEq for KeyMap {
    fn eq(&self, other: &Self) -> bool {
        let named = |map: &Self| map.chords.iter().map(|(chord, binding)| (*chord, &binding.name)).collect::<Vec<_>>();
        named(self) == named(other)
    }
}

impl Eq for KeyMap {}

/// The meaning of a key press.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pressed {
    Action(Action),
    /// It may begin a chord; the next key decides.
    Begun(Key),
    Nothing,
}

impl KeyMap {
    /// A map without keys.
    pub(super) const fn new() -> Self {
        Self { chords: Vec::new() }
    }

    /// Gives these keys to an action.
    pub(super) fn add(&mut self, binding: &'static Binding, keys: &[impl AsRef<str>]) -> Result<(), KeyError> {
        for key in keys {
            let chord: Chord = key.as_ref().parse()?;
            if let Some((_, other)) = self.chords.iter().find(|(taken, _)| collide(*taken, chord)) {
                return Err(KeyError::Twice { key: chord.first.to_string(), one: &other.name, other: &binding.name });
            }
            self.chords.push((chord, binding));
        }
        Ok(())
    }

    pub(super) fn has(&self, action: Action) -> bool {
        self.chords.iter().any(|(_, binding)| binding.action == action)
    }

    /// What `key` means when `begun` was pressed before it.
    pub(crate) fn press(&self, begun: Option<Key>, key: Key) -> Pressed {
        let is = |first, second| move |(chord, _): &&(Chord, &Binding)| *chord == Chord { first, second };
        let chord = begun.and_then(|first| self.chords.iter().find(is(first, Some(key))));
        if let Some((_, binding)) = chord.or_else(|| self.chords.iter().find(is(key, None))) {
            Pressed::Action(binding.action)
        } else if self.chords.iter().any(|(chord, _)| chord.first == key) {
            Pressed::Begun(key)
        } else {
            Pressed::Nothing
        }
    }

    /// The keys of an action as people write them.
    pub(crate) fn keys_of(&self, action: Action) -> Vec<String> {
        let chords = self.chords.iter().filter(|(_, binding)| binding.action == action);
        let mut keys: Vec<String> = chords.map(|(chord, _)| chord.to_string()).collect();
        // It quits even if the map does not say so.
        if action == Action::Quit && !keys.iter().any(|key| key == INTERRUPT) {
            keys.push(INTERRUPT.to_owned());
        }
        keys
    }

    /// The first key of an action; empty if it has none.
    pub(crate) fn key_of(&self, action: Action) -> String {
        self.keys_of(action).into_iter().next().unwrap_or_default()
    }
}
