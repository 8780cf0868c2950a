//! Colors and signs. A sign always says the same as the color, so nothing is lost without color.
//!
//! Only the terminal's own 16 colors on its default background are used. `NO_COLOR` and `--theme
//! mono` use weight and reversal alone; [`take_color_from_theme_alone`] says why we do that
//! ourselves.

use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::border;

use super::options::{Glyphs, ThemeChoice};

/// What a piece of text is about; the theme turns it into a style.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    /// Runs and is heard from.
    Up,
    /// Missed probes, or a warning.
    Suspect,
    /// Dead, or an error.
    Dead,
    Seed,
    /// The message or node that is highlighted.
    Wave,
    /// Over, or of little weight.
    Stale,
    /// Frame of a pane.
    Frame,
    /// Frame of the focused pane, titles and keys.
    Strong,
}

/// The colors in use, from the user's choice and the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Palette {
    /// Reads well on dark and light.
    Both,
    Dark,
    Light,
    Mono,
}

/// Colors and signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Theme {
    palette: Palette,
    pub(crate) glyphs: Glyphs,
}

/// Whether the environment asks for no color (<https://no-color.org>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoColor {
    Set,
    Unset,
}

impl NoColor {
    /// Present and not empty.
    pub(crate) fn from_env() -> Self {
        match std::env::var_os("NO_COLOR") {
            Some(value) if !value.is_empty() => Self::Set,
            Some(_) | None => Self::Unset,
        }
    }
}

/// crossterm writes a reset instead of a color when `NO_COLOR` is set, and takes reversed and bold
/// with it. So it is made to write what it is given, and the mono palette holds no color.
pub(crate) fn take_color_from_theme_alone() {
    crossterm::style::force_color_output(true);
}

impl Theme {
    pub(crate) const fn new(choice: ThemeChoice, no_color: NoColor, glyphs: Glyphs) -> Self {
        let palette = match (choice, no_color) {
            (ThemeChoice::Mono, _) | (ThemeChoice::Auto, NoColor::Set) => Palette::Mono,
            (ThemeChoice::Auto, NoColor::Unset) => Palette::Both,
            (ThemeChoice::Dark, _) => Palette::Dark,
            (ThemeChoice::Light, _) => Palette::Light,
        };
        Self { palette, glyphs }
    }

    pub(crate) fn style(self, tone: Tone) -> Style {
        match self.palette {
            Palette::Mono => mono(tone),
            Palette::Both => colored(tone, [Color::Green, Color::Yellow, Color::Red, Color::Cyan, Color::Magenta]),
            Palette::Dark => colored(
                tone,
                [Color::LightGreen, Color::LightYellow, Color::LightRed, Color::LightCyan, Color::LightMagenta],
            ),
            Palette::Light => light(tone),
        }
    }

    /// The lines of a frame.
    pub(crate) const fn border(self) -> border::Set<'static> {
        match self.glyphs {
            Glyphs::Unicode => border::PLAIN,
            Glyphs::Ascii => border::Set {
                top_left: "+",
                top_right: "+",
                bottom_left: "+",
                bottom_right: "+",
                vertical_left: "|",
                vertical_right: "|",
                horizontal_top: "-",
                horizontal_bottom: "-",
            },
        }
    }

    /// One of two signs.
    pub(crate) const fn sign(self, unicode: &'static str, ascii: &'static str) -> &'static str {
        match self.glyphs {
            Glyphs::Unicode => unicode,
            Glyphs::Ascii => ascii,
        }
    }

    /// From one node to another.
    pub(crate) const fn arrow(self) -> &'static str {
        self.sign("→", ">")
    }

    /// Between the items of a line.
    pub(crate) const fn bar(self) -> &'static str {
        self.sign(" │ ", " | ")
    }
}

/// The selected line: reversed, whatever its color.
pub(crate) fn selected(style: Style) -> Style {
    style.remove_modifier(Modifier::DIM).add_modifier(Modifier::REVERSED)
}

fn colored(tone: Tone, [up, suspect, dead, seed, wave]: [Color; 5]) -> Style {
    let style = Style::new();
    match tone {
        Tone::Plain => style,
        Tone::Up => style.fg(up),
        Tone::Suspect => style.fg(suspect),
        Tone::Dead => style.fg(dead),
        Tone::Seed => style.fg(seed),
        Tone::Wave => style.fg(wave).add_modifier(Modifier::BOLD),
        Tone::Stale | Tone::Frame => style.add_modifier(Modifier::DIM),
        Tone::Strong => style.add_modifier(Modifier::BOLD),
    }
}

/// Yellow text on white is hard to read, so here it is bold and underlined as well.
fn light(tone: Tone) -> Style {
    let style = colored(tone, [Color::Green, Color::Yellow, Color::Red, Color::Blue, Color::Magenta]);
    match tone {
        Tone::Suspect => style.add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
        Tone::Dead => style.add_modifier(Modifier::BOLD),
        Tone::Plain | Tone::Up | Tone::Seed | Tone::Wave | Tone::Stale | Tone::Frame | Tone::Strong => style,
    }
}

fn mono(tone: Tone) -> Style {
    let style = Style::new();
    match tone {
        Tone::Plain | Tone::Up | Tone::Seed => style,
        Tone::Suspect | Tone::Wave | Tone::Strong => style.add_modifier(Modifier::BOLD),
        Tone::Dead => style.add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
        Tone::Stale | Tone::Frame => style.add_modifier(Modifier::DIM),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TONES: [Tone; 9] = [
        Tone::Plain,
        Tone::Up,
        Tone::Suspect,
        Tone::Dead,
        Tone::Seed,
        Tone::Wave,
        Tone::Stale,
        Tone::Frame,
        Tone::Strong,
    ];

    #[test]
    fn mono_has_no_color_and_still_tells_what_is_wrong() {
        let theme = Theme::new(ThemeChoice::Auto, NoColor::Set, Glyphs::Ascii);
        for tone in TONES {
            assert_eq!((theme.style(tone).fg, theme.style(tone).bg), (None, None));
        }
        assert_ne!(theme.style(Tone::Dead), theme.style(Tone::Up));
        assert!(selected(Style::new()).add_modifier.contains(Modifier::REVERSED));
    }

    #[test]
    fn no_theme_touches_the_background() {
        for choice in [ThemeChoice::Auto, ThemeChoice::Dark, ThemeChoice::Light, ThemeChoice::Mono] {
            let theme = Theme::new(choice, NoColor::Unset, Glyphs::Unicode);
            assert!(TONES.iter().all(|tone| theme.style(*tone).bg.is_none()));
        }
    }
}
