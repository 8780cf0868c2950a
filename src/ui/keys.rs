//! The one table of keys. The key map, the footer, the help and the man page are made from it.

mod odd;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crokey::OneToThree;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

pub use self::odd::OddKey;
pub(crate) use self::odd::is_interrupt;
use super::action::{Action, Move, PaneId};
use crate::platform::CAN_SUSPEND;

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Binding {
    pub(crate) action: Action,
    /// Its name in the config file and on the command line.
    pub(crate) name: &'static str,
    /// The default keys; two keys with a space between are pressed one after the other.
    pub(crate) keys: &'static [&'static str],
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

const fn key(action: Action, name: &'static str, keys: &'static [&'static str], help: &'static str) -> Binding {
    Binding { action, name, keys, help, hint: None }
}

const fn shown(binding: Binding, word: &'static str, rank: u8) -> Binding {
    Binding { hint: Some(Hint { word, rank }), ..binding }
}

/// Every key of the console, in the order of the footer and the help.
const ALL_KEYS: &[Binding] = &[
    shown(key(Action::Add, "add", &["a"], "start a seed, a peer or a lab in this process"), "add", 2),
    shown(key(Action::Message, "message", &["m"], "send a message of your own"), "say", 5),
    shown(
        key(
            Action::Kill,
            "kill",
            &["x"],
            "crash the selected node, or cut the link to a node of another process; press twice",
        ),
        "kill",
        1,
    ),
    shown(key(Action::Hang, "hang", &["X"], "make the selected node fall silent with its sockets open"), "hang", 9),
    shown(
        key(
            Action::Restart,
            "restart",
            &["r"],
            "restart a killed or hung node at its address; heal a link that was cut",
        ),
        "restart",
        4,
    ),
    shown(
        key(Action::Faults, "faults", &["F"], "list the faults of the selected node or link, and those that are set"),
        "faults",
        7,
    ),
    key(Action::Calm, "calm", &["C"], "end all faults; killed and hung nodes restart"),
    shown(key(Action::Details, "details", &["enter"], "explain the selection, with the evidence"), "why", 1),
    shown(key(Action::Wave, "wave", &["w"], "replay the spread of the message slowly, hop by hop"), "wave", 4),
    shown(
        key(
            Action::WaveTable,
            "who",
            &["W"],
            "show which peers lack the message and why, and which have it and from whom",
        ),
        "who has it",
        4,
    ),
    shown(
        key(Action::Filter, "filter", &["/"], "show only matching lines; with ! in front, only the others"),
        "filter",
        6,
    ),
    shown(key(Action::CommandLine, "command", &[":"], "type a command, or the name of what a key does"), "command", 7),
    shown(key(Action::Freeze, "freeze", &["space"], "freeze the picture; events are still collected"), "freeze", 8),
    shown(key(Action::NextPane, "next-pane", &["tab"], "go to the next pane"), "pane", 10),
    shown(key(Action::Zoom, "zoom", &["z"], "show this pane on the whole screen, or return"), "zoom", 11),
    shown(key(Action::Export, "export", &["e"], "write the session to a file (.txt, .jsonl or .csv)"), "export", 5),
    shown(key(Action::Help, "help", &["?"], "show what the keys do"), "help", 0),
    shown(key(Action::Quit, "quit", &["q", "ctrl-c"], "quit; every node of this process says goodbye"), "quit", 2),
    key(
        Action::Pane(PaneId::Topology),
        "pane-1",
        &["1"],
        "topology: the overlay, and the path of a message through it",
    ),
    key(Action::Pane(PaneId::Connections), "pane-2", &["2"], "connections: the nodes and their links"),
    key(Action::Pane(PaneId::Gossip), "pane-3", &["3"], "gossip log: the messages between nodes"),
    key(Action::Pane(PaneId::Liveness), "pane-4", &["4"], "liveness: which nodes answer probes and which do not"),
    key(Action::Pane(PaneId::Reports), "pane-5", &["5"], "dead-node reports, and what the seeds did"),
    key(Action::Pane(PaneId::Notices), "pane-6", &["6"], "notices: what went wrong or changed"),
    key(Action::Pane(PaneId::Warnings), "pane-7", &["7"], "warnings: problems of the network as a whole"),
    key(Action::PreviousPane, "previous-pane", &["backtab"], "go to the previous pane"),
    key(Action::Move(Move::Up), "up", &["up", "k"], "move one line up, or to the node above"),
    key(Action::Move(Move::Down), "down", &["down", "j"], "move one line down, or to the node below"),
    key(Action::Move(Move::Left), "left", &["left", "h"], "move to the node on the left; fold the links of a node"),
    key(
        Action::Move(Move::Right),
        "right",
        &["right", "l"],
        "move to the node on the right; unfold the links of a node",
    ),
    key(Action::Move(Move::PageUp), "page-up", &["pageup", "ctrl-b"], "move up one screen"),
    key(Action::Move(Move::PageDown), "page-down", &["pagedown", "ctrl-f"], "move down one screen"),
    key(Action::Move(Move::Top), "top", &["g g", "home"], "go to the first line"),
    key(Action::Move(Move::Bottom), "bottom", &["G", "end"], "go to the last line"),
    key(Action::Move(Move::Follow), "follow", &["f"], "follow the newest line or message, or stop following"),
    key(Action::Move(Move::NextMatch), "next-match", &["n"], "go to the next match"),
    key(Action::Move(Move::PreviousMatch), "previous-match", &["N"], "go to the previous match"),
    key(
        Action::Move(Move::Sort),
        "sort",
        &["s"],
        "sort this pane differently; in the topology, show all registrations or those of the selected node",
    ),
    key(Action::Layout, "layout", &["L"], "lay out the topology again"),
    key(Action::Copy, "copy", &["y"], "copy the selection to the clipboard (OSC 52)"),
    key(Action::Back, "back", &["esc"], "leave a dialog, a zoom or a filter"),
    key(Action::Suspend, "suspend", &["ctrl-z"], "suspend the program; fg resumes it"),
];

/// The keys that do something on this system.
pub(crate) const KEYS: &[Binding] = match ALL_KEYS.split_last() {
    Some((_suspend, others)) if !CAN_SUSPEND => others,
    Some(_) | None => ALL_KEYS,
};

/// A line of the table for printing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyHelp {
    /// The default keys: `x`, `g g or Home`.
    pub keys: String,
    /// The name by which the config file remaps them: `kill`.
    pub name: &'static str,
    /// What it does, in a line.
    pub help: &'static str,
}

/// As it is shown.
const INTERRUPT: &str = "Ctrl-C";

/// The whole table with default keys, for the man page and the config template.
pub fn key_table() -> impl Iterator<Item = KeyHelp> {
    let map = KeyMap::default();
    KEYS.iter().map(move |binding| KeyHelp {
        keys: map.keys_of(binding.action).join(" or "),
        name: binding.name,
        help: binding.help,
    })
}

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
    #[error("'{name}' is not an action: expected one of {}", action_names())]
    NoSuchAction { name: String },
    #[error("'{text}' is not a key: expected one such as x, X, ctrl-k, f5, space or 'g g'")]
    NotAKey { text: String },
    /// Two actions would share a key.
    #[error("'{key}' would mean both {one} and {other}: give one of them another key")]
    Twice { key: String, one: &'static str, other: &'static str },
}

fn action_names() -> String {
    let names: Vec<_> = KEYS.iter().map(|binding| binding.name).collect();
    names.join(", ")
}

/// The user's changes to the keys, checked by [`KeyOverrides::new`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyOverrides {
    map: KeyMap,
    odd: Vec<OddKey>,
}

impl KeyOverrides {
    /// For each action, by name, its keys in place of the default ones; an empty list takes its
    /// keys away.
    pub fn new(wanted: impl IntoIterator<Item = (String, Vec<String>)>) -> Result<Self, KeyError> {
        let mut wanted: BTreeMap<String, Vec<String>> = wanted.into_iter().collect();
        let (mut chords, mut odd) = (Vec::new(), Vec::new());
        for binding in KEYS {
            match wanted.remove(binding.name) {
                Some(keys) => add_chords(&mut chords, binding, &odd::heard(binding, keys, &mut odd)?)?,
                None => add_chords(&mut chords, binding, binding.keys)?,
            }
        }
        if let Some((name, _)) = wanted.pop_first() {
            return Err(KeyError::NoSuchAction { name });
        }
        let has_key = |action| chords.iter().any(|(_, binding): &(Chord, &Binding)| binding.action == action);
        if !has_key(Action::Quit) && !has_key(Action::CommandLine) {
            odd.push(OddKey::NoWayOut);
        }
        Ok(Self { map: KeyMap { chords }, odd })
    }

    /// Keys that may not do what the user meant.
    pub fn odd(&self) -> &[OddKey] {
        &self.odd
    }

    pub(crate) fn into_map(self) -> KeyMap {
        self.map
    }
}

fn add_chords<K: AsRef<str>>(
    chords: &mut Vec<(Chord, &'static Binding)>,
    binding: &'static Binding,
    keys: &[K],
) -> Result<(), KeyError> {
    for key in keys {
        let chord: Chord = key.as_ref().parse()?;
        if let Some((_, other)) = chords.iter().find(|(taken, _)| collide(*taken, chord)) {
            return Err(KeyError::Twice { key: chord.first.to_string(), one: other.name, other: binding.name });
        }
        chords.push((chord, binding));
    }
    Ok(())
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
        let same = |(a, b): (&(Chord, &Binding), &(Chord, &Binding))| a.0 == b.0 && a.1.name == b.1.name;
        self.chords.len() == other.chords.len() && self.chords.iter().zip(&other.chords).all(same)
    }
}

impl Eq for KeyMap {}

impl Default for KeyMap {
    /// The default keys. A test checks the table; a broken line would lose its key.
    fn default() -> Self {
        let mut chords = Vec::new();
        for binding in KEYS {
            let sound = add_chords(&mut chords, binding, binding.keys);
            debug_assert_eq!(sound, Ok(()));
        }
        Self { chords }
    }
}

/// The meaning of a key press.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pressed {
    Action(Action),
    /// It may begin a chord; the next key decides.
    Begun(Key),
    Nothing,
}

impl KeyMap {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn press(map: &KeyMap, keys: &[KeyEvent]) -> Pressed {
        let mut begun = None;
        let mut last = Pressed::Nothing;
        for key in keys {
            last = map.press(begun, (*key).into());
            begun = if let Pressed::Begun(key) = last { Some(key) } else { None };
        }
        last
    }

    fn event(code: KeyCode, modifiers: KeyModifiers) -> KeyEvent {
        KeyEvent::new(code, modifiers)
    }

    #[test]
    fn every_shipped_key_can_be_typed_and_means_one_thing() {
        assert_eq!(KeyOverrides::new([]), Ok(KeyOverrides::default()));
        let actions: Vec<_> = key_table().filter(|line| line.keys.is_empty()).collect();
        assert_eq!(actions, []);
    }

    #[test]
    fn shift_is_heard_however_the_terminal_says_it() {
        let map = KeyMap::default();
        let letter = |c, modifiers| press(&map, &[event(KeyCode::Char(c), modifiers)]);
        assert_eq!(letter('x', KeyModifiers::NONE), Pressed::Action(Action::Kill));
        assert_eq!(letter('X', KeyModifiers::NONE), Pressed::Action(Action::Hang));
        assert_eq!(letter('X', KeyModifiers::SHIFT), Pressed::Action(Action::Hang));
        assert_eq!(letter('x', KeyModifiers::SHIFT), Pressed::Action(Action::Hang));
        assert_eq!(letter('?', KeyModifiers::SHIFT), Pressed::Action(Action::Help));
        let suspend = if CAN_SUSPEND { Pressed::Action(Action::Suspend) } else { Pressed::Nothing };
        assert_eq!(letter('z', KeyModifiers::CONTROL), suspend);
        assert_eq!("shift-tab".parse(), Ok(Key::new(KeyCode::BackTab, KeyModifiers::NONE)));
        let back_tab = event(KeyCode::BackTab, KeyModifiers::SHIFT);
        assert_eq!(press(&map, &[back_tab]), Pressed::Action(Action::PreviousPane));
    }

    #[test]
    fn the_table_has_a_key_to_suspend_only_where_that_works() {
        assert_eq!(KEYS.iter().any(|binding| binding.action == Action::Suspend), CAN_SUSPEND);
        assert_eq!(ALL_KEYS.len() - KEYS.len(), usize::from(!CAN_SUSPEND));
    }

    #[test]
    fn g_twice_goes_to_the_top_and_a_single_g_is_forgotten() {
        let map = KeyMap::default();
        let key = |c| event(KeyCode::Char(c), KeyModifiers::NONE);
        assert_eq!(press(&map, &[key('g'), key('g')]), Pressed::Action(Action::Move(Move::Top)));
        assert_eq!(press(&map, &[key('g'), key('x')]), Pressed::Action(Action::Kill));
        assert_eq!(press(&map, &[key('g'), key('b')]), Pressed::Nothing);
    }

    #[test]
    fn a_remapped_key_takes_the_place_of_the_shipped_one() {
        let overrides = KeyOverrides::new([("kill".to_owned(), vec!["ctrl-k".to_owned(), "d d".to_owned()])]).unwrap();
        let map = overrides.into_map();
        assert_eq!(map.keys_of(Action::Kill), ["Ctrl-K", "d d"]);
        assert_eq!(press(&map, &[event(KeyCode::Char('x'), KeyModifiers::NONE)]), Pressed::Nothing);
        let control = event(KeyCode::Char('k'), KeyModifiers::CONTROL);
        assert_eq!(press(&map, &[control]), Pressed::Action(Action::Kill));
    }

    #[test]
    fn a_wrong_override_says_what_is_wrong_with_it() {
        let wrong = |name: &str, key: &str| {
            KeyOverrides::new([(name.to_owned(), vec![key.to_owned()])]).unwrap_err().to_string()
        };
        assert!(wrong("kil", "x").starts_with("'kil' is not an action: expected one of add, message, kill"));
        assert!(wrong("kill", "hyper-x").starts_with("'hyper-x' is not a key"));
        assert_eq!(wrong("kill", "g"), "'g' would mean both kill and top: give one of them another key");
        assert_eq!(wrong("kill", "q"), "'q' would mean both kill and quit: give one of them another key");
    }

    #[test]
    fn keys_are_shown_as_people_write_them() {
        let map = KeyMap::default();
        let shown = |action| map.keys_of(action).join(" or ");
        assert_eq!(shown(Action::Move(Move::Top)), "g g or Home");
        assert_eq!(shown(Action::Freeze), "Space");
        assert_eq!(shown(Action::Details), "Enter");
        assert_eq!(shown(Action::Quit), "q or Ctrl-C");
        assert_eq!(shown(Action::PreviousPane), "Shift-Tab");
        assert_eq!(shown(Action::Move(Move::Up)), "Up or k");
    }
}
