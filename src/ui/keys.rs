//! The one table of keys: key map, footer, help and man page are made from it.

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
    /// What the keys do.
    pub(crate) action: Action,
    /// How the config file and the command line call it.
    pub(crate) name: &'static str,
    /// The keys as shipped; two keys with a space between are pressed one after the other.
    pub(crate) keys: &'static [&'static str],
    /// What it does, in a line.
    pub(crate) help: &'static str,
    /// One word for the footer, if it stands there.
    pub(crate) hint: Option<Hint>,
}

/// What the footer says of a key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hint {
    /// One word.
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
            "crash the selected node; of another process: cut our link to it. Press twice",
        ),
        "kill",
        1,
    ),
    shown(key(Action::Hang, "hang", &["X"], "let the selected node fall silent with its sockets open"), "hang", 9),
    shown(
        key(
            Action::Restart,
            "restart",
            &["r"],
            "start a killed or hung node again at its address; heal a link that was cut",
        ),
        "restart",
        4,
    ),
    shown(
        key(
            Action::Faults,
            "faults",
            &["F"],
            "what can be done to the selected node or link, and the faults that are set",
        ),
        "faults",
        7,
    ),
    key(Action::Calm, "calm", &["C"], "no faults any more; killed and hung nodes start again"),
    shown(key(Action::Details, "details", &["enter"], "why: all that is known about what is selected"), "why", 1),
    shown(key(Action::Wave, "wave", &["w"], "show the way of the message once more, slowly, hop by hop"), "wave", 4),
    shown(
        key(Action::WaveTable, "who", &["W"], "who lacks the message and why, who has it and from whom"),
        "who has it",
        4,
    ),
    shown(key(Action::Filter, "filter", &["/"], "show only matching lines; ! in front: only the others"), "filter", 6),
    shown(key(Action::CommandLine, "command", &[":"], "type a command: everything a key does, by name"), "command", 7),
    shown(key(Action::Freeze, "freeze", &["space"], "hold the picture still; what happens is collected"), "freeze", 8),
    shown(key(Action::NextPane, "next-pane", &["tab"], "to the next pane"), "pane", 10),
    shown(key(Action::Zoom, "zoom", &["z"], "this pane on the whole screen, and back"), "zoom", 11),
    shown(key(Action::Export, "export", &["e"], "write the session to a file (.txt, .jsonl or .csv)"), "export", 5),
    shown(key(Action::Help, "help", &["?"], "what the keys do"), "help", 0),
    shown(key(Action::Quit, "quit", &["q", "ctrl-c"], "leave: every node of this process says goodbye"), "quit", 2),
    key(Action::Pane(PaneId::Topology), "pane-1", &["1"], "topology: the overlay, and the way of a message through it"),
    key(Action::Pane(PaneId::Connections), "pane-2", &["2"], "connections: the nodes and their links"),
    key(Action::Pane(PaneId::Gossip), "pane-3", &["3"], "gossip log: what the nodes tell each other"),
    key(Action::Pane(PaneId::Liveness), "pane-4", &["4"], "liveness: who answers probes and who does not"),
    key(Action::Pane(PaneId::Reports), "pane-5", &["5"], "dead-node reports, and what the seeds did"),
    key(Action::Pane(PaneId::Notices), "pane-6", &["6"], "notices: what went wrong or changed"),
    key(Action::Pane(PaneId::Warnings), "pane-7", &["7"], "warnings: what is wrong with the network as a whole"),
    key(Action::PreviousPane, "previous-pane", &["backtab"], "to the pane before"),
    key(Action::Move(Move::Up), "up", &["up", "k"], "one line up, or to the node above"),
    key(Action::Move(Move::Down), "down", &["down", "j"], "one line down, or to the node below"),
    key(Action::Move(Move::Left), "left", &["left", "h"], "to the node on the left; fold the links of a node"),
    key(Action::Move(Move::Right), "right", &["right", "l"], "to the node on the right; unfold the links of a node"),
    key(Action::Move(Move::PageUp), "page-up", &["pageup", "ctrl-b"], "a screenful up"),
    key(Action::Move(Move::PageDown), "page-down", &["pagedown", "ctrl-f"], "a screenful down"),
    key(Action::Move(Move::Top), "top", &["g g", "home"], "to the first line"),
    key(Action::Move(Move::Bottom), "bottom", &["G", "end"], "to the last line"),
    key(Action::Move(Move::Follow), "follow", &["f"], "stay with the newest line, or message, or stop doing so"),
    key(Action::Move(Move::NextMatch), "next-match", &["n"], "to the next line that matches"),
    key(Action::Move(Move::PreviousMatch), "previous-match", &["N"], "to the line before that matches"),
    key(
        Action::Move(Move::Sort),
        "sort",
        &["s"],
        "the next order of this pane; in the topology: all registrations, or those of the selected node",
    ),
    key(Action::Layout, "layout", &["L"], "let all nodes of the topology find a place anew"),
    key(Action::Copy, "copy", &["y"], "copy what is selected to the clipboard (OSC 52)"),
    key(Action::Back, "back", &["esc"], "out of a dialog, a zoom, a filter"),
    key(Action::Suspend, "suspend", &["ctrl-z"], "back to the shell; fg returns"),
];

/// The keys that do something on this system.
pub(crate) const KEYS: &[Binding] = match ALL_KEYS.split_last() {
    Some((_suspend, others)) if !CAN_SUSPEND => others,
    Some(_) | None => ALL_KEYS,
};

/// One line of the table for those who print it: the keys as shipped, the name by which the config
/// file remaps them, and what they do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyHelp {
    /// `x`, `g g or Home`.
    pub keys: String,
    /// `kill`.
    pub name: &'static str,
    /// What it does, in a line.
    pub help: &'static str,
}

/// As it is shown.
const INTERRUPT: &str = "Ctrl-C";

/// The whole table as shipped, for the man page and the config template.
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
    /// Terminals differ in whether they say `X`, shift and `X`, or shift and `x`: here it is `X`.
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

    /// The key without its modifiers.
    pub(crate) const fn code(self) -> KeyCode {
        self.code
    }

    /// The character that the key types into a field, if it does.
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

/// What is wrong with a key in the config file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// There is no action of that name.
    #[error("'{name}' is no action: expected one of {}", action_names())]
    NoSuchAction {
        /// What stood there.
        name: String,
    },
    /// There is no key of that name.
    #[error("'{text}' is no key: expected one such as x, X, ctrl-k, f5, space or 'g g'")]
    NotAKey {
        /// What stood there.
        text: String,
    },
    /// Two actions would hear the same key.
    #[error("'{key}' would mean both {one} and {other}: give one of them another key")]
    Twice {
        /// The key.
        key: String,
        /// One action.
        one: &'static str,
        /// The other.
        other: &'static str,
    },
}

fn action_names() -> String {
    let names: Vec<_> = KEYS.iter().map(|binding| binding.name).collect();
    names.join(", ")
}

/// The keys that a user wants changed: sound, because [`KeyOverrides::new`] checks them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyOverrides {
    map: KeyMap,
    odd: Vec<OddKey>,
}

impl KeyOverrides {
    /// For each action by name the keys that it shall have instead of those shipped; none at all
    /// takes its keys away.
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

    /// What is not as the user may have meant it.
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

/// The same keys, or one is the beginning of the other.
fn collide(one: Chord, other: Chord) -> bool {
    one.first == other.first && (one.second.is_none() || other.second.is_none() || one.second == other.second)
}

/// Which key means what.
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
    /// The keys as shipped. A test holds that the table is sound; a broken line would lose its key.
    fn default() -> Self {
        let mut chords = Vec::new();
        for binding in KEYS {
            let sound = add_chords(&mut chords, binding, binding.keys);
            debug_assert_eq!(sound, Ok(()));
        }
        Self { chords }
    }
}

/// What a key came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pressed {
    Action(Action),
    /// It may begin a chord; the next key tells.
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
        // It quits even where the map does not say so.
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
        assert!(wrong("kil", "x").starts_with("'kil' is no action: expected one of add, message, kill"));
        assert!(wrong("kill", "hyper-x").starts_with("'hyper-x' is no key"));
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
