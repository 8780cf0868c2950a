//! Which characters the terminal can show, as far as the user and the environment say.

use super::settings::ConsoleArgs;
use crate::ui::Glyphs;

/// Variables that name the locale; the first that is set counts.
const LOCALE: [&str; 3] = ["LC_ALL", "LC_CTYPE", "LANG"];
/// Terminals without Braille, and often without UTF-8: the consoles of Linux and the BSDs, Emacs's
/// shell, and terminals that only say that they are one.
const PLAIN_TERMINALS: [&str; 6] = ["dumb", "linux", "ansi", "cons25", "unknown", "wsvt25"];

/// What to draw with, and the reason if the environment made it ASCII. Without any locale it is
/// Unicode: a container has none, but the terminal that shows it has one.
pub(crate) fn choose(args: &ConsoleArgs, env: impl Fn(&str) -> Option<String>) -> (Glyphs, Option<String>) {
    if args.ascii {
        return (Glyphs::Ascii, None);
    }
    if args.unicode {
        return (Glyphs::Unicode, None);
    }
    match obstacle(|name| env(name).filter(|value| !value.is_empty())) {
        Some(what) => (Glyphs::Ascii, Some(format!("ASCII, since {what}: --unicode draws with Unicode all the same"))),
        None => (Glyphs::Unicode, None),
    }
}

/// What says that the terminal shows no Unicode.
fn obstacle(env: impl Fn(&str) -> Option<String>) -> Option<String> {
    let locale = LOCALE.iter().find_map(|name| Some((name, env(name)?)));
    if let Some((name, value)) = locale.filter(|(_, value)| !is_utf8(value)) {
        return Some(format!("{name}={value}"));
    }
    match env("TERM") {
        None => Some("TERM is not set".to_owned()),
        Some(terminal) => is_plain(&terminal).then(|| format!("TERM={terminal}")),
    }
}

/// `en_US.UTF-8`, `C.utf8`.
fn is_utf8(locale: &str) -> bool {
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

/// One of those, also as `linux-16color`, or a model number from the days of `vt100`.
fn is_plain(terminal: &str) -> bool {
    let kind = terminal.split('-').next().unwrap_or_default();
    let model = kind.strip_prefix("vt").unwrap_or_default();
    PLAIN_TERMINALS.contains(&kind) || model.starts_with(|digit: char| digit.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(args: &ConsoleArgs, set: &[(&str, &str)]) -> (Glyphs, Option<String>) {
        choose(args, |name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    fn why(set: &[(&str, &str)]) -> Option<String> {
        let (glyphs, why) = chosen(&ConsoleArgs::default(), set);
        assert_eq!(glyphs == Glyphs::Ascii, why.is_some(), "{set:?}");
        why
    }

    #[test]
    fn a_terminal_without_unicode_gets_ascii_and_a_reason() {
        let xterm = ("TERM", "xterm-256color");
        let ascii = [
            (vec![("LC_ALL", "C"), ("LANG", "en_US.UTF-8"), xterm], "LC_ALL=C"),
            (vec![("LC_CTYPE", "POSIX"), xterm], "LC_CTYPE=POSIX"),
            (vec![("LC_ALL", ""), ("LANG", "de_DE.ISO-8859-1"), xterm], "LANG=de_DE.ISO-8859-1"),
            (vec![("LANG", "C.UTF-8"), ("TERM", "dumb")], "TERM=dumb"),
            (vec![("TERM", "linux")], "TERM=linux"),
            (vec![("TERM", "linux-16color")], "TERM=linux-16color"),
            (vec![("TERM", "vt100")], "TERM=vt100"),
            (vec![("TERM", "")], "TERM is not set"),
            (vec![], "TERM is not set"),
        ];
        for (set, what) in ascii {
            let wanted = format!("ASCII, since {what}: --unicode draws with Unicode all the same");
            assert_eq!(why(&set), Some(wanted), "{set:?}");
        }
        for terminal in ["xterm", "screen-256color", "tmux", "foot", "xterm-kitty", "vte-256color"] {
            assert_eq!(why(&[("TERM", terminal)]), None, "{terminal}");
            assert_eq!(why(&[("TERM", terminal), ("LC_ALL", "C.utf8"), ("LANG", "C")]), None);
        }
    }

    #[test]
    fn what_the_user_says_stands_before_what_the_environment_says() {
        let unicode = ConsoleArgs { unicode: true, ..ConsoleArgs::default() };
        assert_eq!(chosen(&unicode, &[("LC_ALL", "C")]), (Glyphs::Unicode, None));
        let ascii = ConsoleArgs { ascii: true, ..ConsoleArgs::default() };
        assert_eq!(chosen(&ascii, &[("TERM", "xterm")]), (Glyphs::Ascii, None));
        let both = unicode.over_file(&ascii);
        assert!(both.unicode && !both.ascii, "a flag stands before the config file");
    }
}
