//! What changed between two moments: asked for by name, told in a dialog.

use super::fixture::{options, suspect};
use crate::model::diff::{DiffGroup, DiffLine};
use crate::ui::app::ConsoleEffect;
use crate::ui::host::{Differences, FromHost, ToHost};

#[test]
fn two_moments_are_compared_by_the_host() {
    let mut app = suspect();
    let effects = app.command("diff 03:11 -10s");
    let [ConsoleEffect::Host(ToHost::Diff(wanted))] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!((wanted.from.to_string(), wanted.to.to_string()), ("03:11".to_owned(), "-10s".to_owned()));
}

#[test]
fn moments_that_are_none_are_refused_with_what_was_expected() {
    let mut app = suspect();
    for line in ["diff", "diff 03:11"] {
        assert_eq!(app.command(line), []);
        assert!(app.footer().contains("expected diff TIME TIME, such as diff 03:11 03:13"), "{}", app.footer());
    }
    assert_eq!(app.command("diff 03:11 soon"), []);
    assert!(app.footer().contains("'soon' is no time"), "{}", app.footer());
}

fn difference(group: DiffGroup, text: &str) -> DiffLine {
    DiffLine { group, text: text.to_owned() }
}

#[test]
fn differences_are_told_in_groups_and_scroll() {
    let mut app = suspect();
    let mut lines = vec![difference(DiffGroup::Overlay, "in 2 parts since 03:12:00: p1 and p2 | p3")];
    lines.extend((1..=40).map(|n| difference(DiffGroup::Links, &format!("- link p1 - p{n}: ended at 03:12:39"))));
    let title = "from 03:11:00.000 to 03:13:00.000".to_owned();
    app.hear(FromHost::Differences(Box::new(Differences { title, doubt: None, lines })));
    insta::assert_snapshot!(app.picture(80, 24));
    app.press("G");
    let bottom = app.picture(80, 24);
    assert!(bottom.contains("- link p1 - p40: ended at 03:12:39") && !bottom.contains("Overlay"), "{bottom}");
    app.press("esc");
    assert!(!app.picture(80, 24).contains("What changed"));
}

#[test]
fn where_nothing_changed_that_is_said() {
    let mut app = super::fixture::told(options(), Vec::new(), 0);
    let title = "from 03:11:00.000 to 03:11:00.000".to_owned();
    app.hear(FromHost::Differences(Box::new(Differences { title, doubt: None, lines: Vec::new() })));
    assert!(app.picture(80, 24).contains("Nothing changed."), "{}", app.picture(80, 24));
}
