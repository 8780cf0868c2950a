//! Keys that can be written in the config file but do not do what they say.

use crossterm::event::{KeyCode, KeyModifiers};

use super::{Binding, Chord, Key, KeyError};
use crate::ui::action::Action;

/// A problem with the user's keys. None of them keeps the console from running.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OddKey {
    /// This key never arrives: terminals send another one for it, or nothing.
    #[error("no terminal sends {key}{}: it cannot be a key for {action}", instead.map_or_else(String::new, |instead| format!(" (it arrives as {instead})")))]
    Unsent {
        /// As it is written.
        key: String,
        /// The action that it was given to.
        action: &'static str,
        /// What arrives for it.
        instead: Option<&'static str>,
    },
    /// The way out that is always there.
    #[error("ctrl-c always quits: it cannot be a key for {action}")]
    Reserved {
        /// The action that it was given to.
        action: &'static str,
    },
    /// Neither quit nor command has a key.
    #[error("neither quit nor command has a key: only ctrl-c leaves")]
    NoWayOut,
}

impl OddKey {
    /// The action that it was given to.
    pub fn action(&self) -> &'static str {
        match self {
            Self::Unsent { action, .. } | Self::Reserved { action } => action,
            Self::NoWayOut => "quit",
        }
    }
}

/// Ctrl-C, whatever the config file says.
pub(crate) fn is_interrupt(key: Key) -> bool {
    (key.code, key.modifiers) == (KeyCode::Char('c'), KeyModifiers::CONTROL)
}

/// An action's keys that can arrive; reports the others.
pub(crate) fn heard(
    binding: &'static Binding,
    keys: Vec<String>,
    odd: &mut Vec<OddKey>,
) -> Result<Vec<String>, KeyError> {
    let mut heard = Vec::new();
    for text in keys {
        let chord: Chord = text.parse()?;
        let unsent = [Some(chord.first), chord.second].into_iter().flatten().find(|key| !can_be_sent(*key));
        if let Some(key) = unsent {
            odd.push(OddKey::Unsent { key: text, action: &binding.name, instead: instead_of(key) });
        } else if is_interrupt(chord.first) && binding.action != Action::Quit {
            odd.push(OddKey::Reserved { action: &binding.name });
        } else {
            heard.push(text);
        }
    }
    Ok(heard)
}

/// Terminals send one byte for each of these with Ctrl; here it has one name.
pub(super) const fn same_byte(letter: char) -> char {
    match letter {
        '@' | '2' => ' ',
        '\\' => '4',
        ']' => '5',
        '^' => '6',
        '_' | '/' => '7',
        other => other,
    }
}

/// Whether terminals send this key as itself.
fn can_be_sent(key: Key) -> bool {
    let (shift, alt, control) = (KeyModifiers::SHIFT, KeyModifiers::ALT, KeyModifiers::CONTROL);
    let is_held_by = |most: KeyModifiers| most.contains(key.modifiers);
    match key.code {
        KeyCode::Char(letter) if key.modifiers.contains(control) => {
            // Ctrl with I, M and [ are the bytes of Tab, Enter and Esc.
            is_held_by(alt | control) && matches!(letter, 'a'..='h' | 'j'..='l' | 'n'..='z' | ' ' | '4'..='7')
        }
        // Esc before one of these letters begins a sequence.
        KeyCode::Char('[' | 'O') | KeyCode::Esc | KeyCode::BackTab => is_held_by(KeyModifiers::NONE),
        KeyCode::Char(_) | KeyCode::Enter | KeyCode::Tab | KeyCode::Backspace => is_held_by(alt),
        KeyCode::Up
        | KeyCode::Down
        | KeyCode::Left
        | KeyCode::Right
        | KeyCode::Home
        | KeyCode::End
        | KeyCode::PageUp
        | KeyCode::PageDown
        | KeyCode::Insert
        | KeyCode::Delete
        | KeyCode::F(1..=20) => is_held_by(shift | alt | control),
        _ => false,
    }
}

/// What arrives in its place.
fn instead_of(key: Key) -> Option<&'static str> {
    let has_control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Char('i' | 'I') | KeyCode::Tab if has_control => Some("Tab"),
        KeyCode::Char('m' | 'M') | KeyCode::Enter if has_control => Some("Enter"),
        KeyCode::Enter if key.modifiers.contains(KeyModifiers::SHIFT) => Some("Enter"),
        KeyCode::Char('[' | '3') if has_control => Some("Esc"),
        KeyCode::Char('8' | '?') if has_control => Some("Backspace"),
        KeyCode::Char(letter) if has_control && letter.is_ascii_uppercase() => Some("the same without Shift"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::Event;

    use super::*;
    use crate::proto::time::Time;
    use crate::ui::action::NodeDeed;
    use crate::ui::decode::Decoder;
    use crate::ui::decode::UserInput;
    use crate::ui::keys::{KeyOverrides, Pressed};

    fn key(text: &str) -> Key {
        text.parse().unwrap()
    }

    fn chosen(keys: &[(&str, &[&str])]) -> KeyOverrides {
        let owned = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
        KeyOverrides::new(keys.iter().map(|(name, keys)| ((*name).to_owned(), owned(keys)))).unwrap()
    }

    fn told(keys: &[(&str, &[&str])]) -> Vec<String> {
        chosen(keys).odd().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_terminals_send_is_a_key_that_can_be_sent() {
        let one = (0..=0x7f_u8).map(|byte| vec![byte]);
        let with_alt = (0..=0x7f_u8).map(|byte| vec![0x1b, byte]);
        for bytes in one.chain(with_alt) {
            let mut decoder = Decoder::default();
            let heard = decoder.take(&bytes, Time::from_micros(0)).into_iter().chain(decoder.give_up());
            for heard in heard {
                let UserInput::Event(Event::Key(event)) = heard else { continue };
                // Most terminals get it right if a user holds Alt and types one of these.
                let is_begun = matches!(event.code, KeyCode::Char('[' | 'O')) && !event.modifiers.is_empty();
                assert!(is_begun || can_be_sent(Key::from(event)), "{bytes:?}: {event:?}");
            }
        }
    }

    #[test]
    fn a_key_that_no_terminal_sends_is_told_and_not_shown() {
        let overrides = chosen(&[("kill", &["ctrl-i", "K"])]);
        assert_eq!(overrides.odd()[0].action(), "kill");
        assert_eq!(overrides.into_map().keys_of(Action::Act(NodeDeed::Kill)), ["K"]);
        let text = |key: &'static str| told(&[("kill", &[key])]).join("");
        assert_eq!(text("ctrl-i"), "no terminal sends ctrl-i (it arrives as Tab): it cannot be a key for kill");
        assert_eq!(text("ctrl-m"), "no terminal sends ctrl-m (it arrives as Enter): it cannot be a key for kill");
        assert_eq!(text("ctrl-["), "no terminal sends ctrl-[ (it arrives as Esc): it cannot be a key for kill");
        assert_eq!(
            text("g ctrl-enter"),
            "no terminal sends g ctrl-enter (it arrives as Enter): it cannot be a key for kill"
        );
        assert_eq!(text("ctrl-1"), "no terminal sends ctrl-1: it cannot be a key for kill");
        for good in ["K", "ctrl-k", "alt-x", "f5", "ctrl-right", "shift-f5", "insert", "ctrl-space", "ctrl-\\"] {
            assert_eq!(text(good), "", "{good}");
        }
    }

    #[test]
    fn keys_with_one_byte_are_one_key() {
        assert_eq!(key("ctrl-\\"), key("ctrl-4"));
        assert_eq!(key("ctrl-/"), key("ctrl-_"));
    }

    #[test]
    fn ctrl_c_is_nobody_elses_and_the_way_out_that_is_left() {
        assert_eq!(told(&[("copy", &["ctrl-c"])]), ["ctrl-c always quits: it cannot be a key for copy"]);
        let no_way_out = ["neither quit nor command has a key: only ctrl-c leaves"];
        assert_eq!(told(&[("quit", &[]), ("command", &[])]), no_way_out);
        assert_eq!(told(&[("quit", &["ctrl-m"]), ("command", &[])])[1..], no_way_out);
        assert_eq!(told(&[("quit", &[])]), [""; 0], "a command quits, too");
        let map = chosen(&[("quit", &["f10"])]).into_map();
        assert_eq!(map.press(None, key("q")), Pressed::Nothing);
        assert_eq!(map.keys_of(Action::Quit), ["F10", "Ctrl-C"]);
        assert_eq!(chosen(&[("quit", &[])]).into_map().key_of(Action::Quit), "Ctrl-C");
    }
}
