//! The one table of keys. The key map, the footer, the help and the man page are made from it, and
//! from the registry of panes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::action::Action::{
    self, Add, Back, Calm, CommandLine, Copy, Details, Diagram, Export, Faults, Filter, Freeze, Help, Layout, Message,
    NextPane, PreviousPane, Prove, Quit, Suspend, Wave, WaveTable, Zoom,
};
use super::action::Move::{
    Bottom, Down, Follow, Left, NextMatch, PageDown, PageUp, PreviousMatch, Reverse, Right, Sort, Top, Up, ZoomIn,
    ZoomOut,
};
use super::action::{Move, NodeDeed, PaneId, Travel};
use super::keys::{Binding, Hint, KeyError, KeyMap, KeyOverrides, OddKey, heard};
use crate::platform::CAN_SUSPEND;

const fn key(action: Action, name: &'static str, keys: &'static str, help: &'static str) -> Binding {
    Binding { action, name: Cow::Borrowed(name), keys: Cow::Borrowed(keys), help, hint: None }
}

const fn step(wanted: Move, name: &'static str, keys: &'static str, help: &'static str) -> Binding {
    key(Action::Move(wanted), name, keys, help)
}

const fn travel(wanted: Travel, name: &'static str, keys: &'static str, help: &'static str) -> Binding {
    key(Action::Travel(wanted), name, keys, help)
}

const fn act(deed: NodeDeed, name: &'static str, keys: &'static str, help: &'static str) -> Binding {
    key(Action::Act(deed), name, keys, help)
}

impl Binding {
    /// What the footer says, and how soon that is left out.
    fn hint(self, word: &'static str, rank: u8) -> Self {
        Self { hint: Some(Hint { word, rank }), ..self }
    }

    fn default_keys(&self) -> Vec<&str> {
        self.keys.split(" or ").collect()
    }
}

/// The keys before those of the panes, in the order of the footer and the help.
fn first() -> Vec<Binding> {
    vec![
        key(Add, "add", "a", "start a seed, a peer or a lab in this process").hint("add", 8),
        key(Message, "message", "m", "send a message of your own").hint("say", 7),
        act(
            NodeDeed::Kill,
            "kill",
            "x",
            "crash the selected node, or cut the link to a node of another process; press twice",
        )
        .hint("kill", 1),
        act(NodeDeed::Hang, "hang", "X", "make the selected node fall silent with its sockets open; press twice")
            .hint("hang", 12),
        act(
            NodeDeed::Restart,
            "restart",
            "r",
            "restart a killed or hung node at its address; heal a link that was cut",
        )
        .hint("restart", 1),
        key(Faults, "faults", "F", "list the faults of the selected node or link, and those that are set")
            .hint("faults", 10),
        key(Calm, "calm", "C", "end all faults; killed and hung nodes restart"),
        key(Details, "details", "enter", "explain the selection, with the evidence").hint("why", 1),
        key(Prove, "prove", "p", "in an answer: run again without the cause, and tell whether it holds"),
        key(Wave, "wave", "w", "replay the spread of the message slowly, hop by hop").hint("wave", 6),
        key(WaveTable, "who", "W", "show which peers lack the message and why, and which have it and from whom")
            .hint("who has it", 8),
        key(
            Diagram,
            "diagram",
            "t",
            "draw the selected message, node or its death, or link: a column a node, time downward",
        )
        .hint("diagram", 9),
        key(Filter, "filter", "/", "show only matching lines; with ! in front, only the others").hint("filter", 1),
        key(CommandLine, "command", ":", "type a command, or the name of what a key does").hint("command", 1),
        key(Freeze, "freeze", "space", "freeze the picture, events are still collected; in the past, play or pause")
            .hint("freeze", 11),
        travel(Travel::EventBack, "event-back", ",", "go back to the event before, of those that this pane shows")
            .hint("event before", 11),
        travel(Travel::EventForward, "event-forward", ".", "go to the event after, of those that this pane shows"),
        travel(Travel::MarkBack, "mark-back", "[", "go back to the mark of the timeline before")
            .hint("mark before", 12),
        travel(Travel::MarkForward, "mark-forward", "]", "go to the mark of the timeline after"),
        travel(Travel::Beginning, "beginning", "{", "go to the beginning of the session"),
        travel(Travel::End, "end", "}", "go to the end of a recording; of a session that runs, to now"),
        key(NextPane, "next-pane", "tab", "go to the next pane").hint("pane", 13),
        key(Zoom, "zoom", "z", "show this pane on the whole screen, or return").hint("zoom", 14),
        key(Export, "export", "e", "write the session to a file (.txt, .jsonl or .csv)").hint("export", 10),
        key(Help, "help", "?", "show what the keys do").hint("help", 0),
        key(
            Quit,
            "quit",
            "q or ctrl-c",
            "leave a dialog or a zoom, else quit; every node of this process says goodbye",
        )
        .hint("quit", 2),
    ]
}

/// The keys after those of the panes.
fn last() -> Vec<Binding> {
    vec![
        key(PreviousPane, "previous-pane", "backtab", "go to the previous pane"),
        step(Up, "up", "up or k", "move one line up, or to the node above"),
        step(Down, "down", "down or j", "move one line down, or to the node below"),
        step(Left, "left", "left or h", "move to the node on the left; fold the links of a node"),
        step(Right, "right", "right or l", "move to the node on the right; unfold the links of a node"),
        step(PageUp, "page-up", "pageup or ctrl-b", "move up one screen"),
        step(PageDown, "page-down", "pagedown or ctrl-f", "move down one screen"),
        step(Top, "top", "g g or home", "go to the first line"),
        step(Bottom, "bottom", "G or end", "go to the last line"),
        step(
            Follow,
            "follow",
            "f",
            "in the past of a session that runs, back to now; else follow the newest line or message",
        ),
        step(NextMatch, "next-match", "n", "go to the next match"),
        step(PreviousMatch, "previous-match", "N", "go to the previous match"),
        step(
            Sort,
            "sort",
            "s",
            "sort this pane differently; in the topology, show all registrations or those of the selected node",
        ),
        step(Reverse, "reverse", "S", "reverse the order of the nodes"),
        step(ZoomIn, "zoom-in", "+ or =", "in the diagram, give the same time more rows"),
        step(ZoomOut, "zoom-out", "-", "in the diagram, give the same time fewer rows"),
        key(Layout, "layout", "L", "lay out the topology again"),
        key(Copy, "copy", "y", "copy the selection to the clipboard (OSC 52)"),
        key(Back, "back", "esc", "leave a dialog, a filter, a zoom or a frozen picture"),
        key(Suspend, "suspend", "ctrl-z", "suspend the program; fg resumes it"),
    ]
}

/// Every key of the console that does something on this system.
pub(crate) static KEYS: LazyLock<Vec<Binding>> = LazyLock::new(|| {
    let panes = PaneId::all().map(|pane| Binding {
        name: format!("pane-{}", pane.number()).into(),
        keys: pane.number().to_string().into(),
        ..key(Action::Pane(pane), "", "", pane.info().help)
    });
    let all = first().into_iter().chain(panes).chain(last());
    all.filter(|binding| CAN_SUSPEND || binding.action != Suspend).collect()
});

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

/// The whole table with default keys, for the man page and the config template.
pub fn key_table() -> impl Iterator<Item = KeyHelp> {
    let map = KeyMap::default();
    KEYS.iter().map(move |binding| KeyHelp {
        keys: map.keys_of(binding.action).join(" or "),
        name: &binding.name,
        help: binding.help,
    })
}

impl Default for KeyMap {
    /// The default keys. A test checks the table; a broken line would lose its key.
    fn default() -> Self {
        let mut map = Self::new();
        for binding in KEYS.iter() {
            let sound = map.add(binding, &binding.default_keys());
            debug_assert_eq!(sound, Ok(()));
        }
        map
    }
}

impl KeyOverrides {
    /// For each action, by name, its keys in place of the default ones; an empty list takes its
    /// keys away.
    pub fn new(wanted: impl IntoIterator<Item = (String, Vec<String>)>) -> Result<Self, KeyError> {
        let mut wanted: BTreeMap<String, Vec<String>> = wanted.into_iter().collect();
        let (mut map, mut odd) = (KeyMap::new(), Vec::new());
        for binding in KEYS.iter() {
            match wanted.remove(&*binding.name) {
                Some(keys) => map.add(binding, &heard(binding, keys, &mut odd)?)?,
                None => map.add(binding, &binding.default_keys())?,
            }
        }
        if let Some((name, _)) = wanted.pop_first() {
            let expected = KEYS.iter().map(|binding| &*binding.name).collect::<Vec<_>>().join(", ");
            return Err(KeyError::NoSuchAction { name, expected });
        }
        if !map.has(Quit) && !map.has(CommandLine) {
            odd.push(OddKey::NoWayOut);
        }
        Ok(Self { map, odd })
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    use super::*;
    use crate::ui::keys::{Key, Pressed};

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
        assert_eq!(letter('x', KeyModifiers::NONE), Pressed::Action(Action::Act(NodeDeed::Kill)));
        assert_eq!(letter('X', KeyModifiers::NONE), Pressed::Action(Action::Act(NodeDeed::Hang)));
        assert_eq!(letter('X', KeyModifiers::SHIFT), Pressed::Action(Action::Act(NodeDeed::Hang)));
        assert_eq!(letter('x', KeyModifiers::SHIFT), Pressed::Action(Action::Act(NodeDeed::Hang)));
        assert_eq!(letter('?', KeyModifiers::SHIFT), Pressed::Action(Action::Help));
        let suspend = if CAN_SUSPEND { Pressed::Action(Action::Suspend) } else { Pressed::Nothing };
        assert_eq!(letter('z', KeyModifiers::CONTROL), suspend);
        assert_eq!("shift-tab".parse(), Ok(Key::from(event(KeyCode::BackTab, KeyModifiers::NONE))));
        let back_tab = event(KeyCode::BackTab, KeyModifiers::SHIFT);
        assert_eq!(press(&map, &[back_tab]), Pressed::Action(Action::PreviousPane));
    }

    #[test]
    fn the_table_has_a_key_to_suspend_only_where_that_works() {
        assert_eq!(KEYS.iter().any(|binding| binding.action == Action::Suspend), CAN_SUSPEND);
        assert_eq!(first().len() + PaneId::all().len() + last().len() - KEYS.len(), usize::from(!CAN_SUSPEND));
    }

    #[test]
    fn g_twice_goes_to_the_top_and_a_single_g_is_forgotten() {
        let map = KeyMap::default();
        let key = |c| event(KeyCode::Char(c), KeyModifiers::NONE);
        assert_eq!(press(&map, &[key('g'), key('g')]), Pressed::Action(Action::Move(Top)));
        assert_eq!(press(&map, &[key('g'), key('x')]), Pressed::Action(Action::Act(NodeDeed::Kill)));
        assert_eq!(press(&map, &[key('g'), key('b')]), Pressed::Nothing);
    }

    #[test]
    fn a_remapped_key_takes_the_place_of_the_shipped_one() {
        let overrides = KeyOverrides::new([("kill".to_owned(), vec!["ctrl-k".to_owned(), "d d".to_owned()])]).unwrap();
        let map = overrides.into_map();
        assert_eq!(map.keys_of(Action::Act(NodeDeed::Kill)), ["Ctrl-K", "d d"]);
        assert_eq!(press(&map, &[event(KeyCode::Char('x'), KeyModifiers::NONE)]), Pressed::Nothing);
        let control = event(KeyCode::Char('k'), KeyModifiers::CONTROL);
        assert_eq!(press(&map, &[control]), Pressed::Action(Action::Act(NodeDeed::Kill)));
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
        assert_eq!(shown(Action::Move(Top)), "g g or Home");
        assert_eq!(shown(Action::Freeze), "Space");
        assert_eq!(shown(Action::Details), "Enter");
        assert_eq!(shown(Action::Quit), "q or Ctrl-C");
        assert_eq!(shown(Action::PreviousPane), "Shift-Tab");
        assert_eq!(shown(Action::Move(Up)), "Up or k");
    }
}
