//! `--mouse`: the wheel and clicks.

use crossterm::event::{MouseButton, MouseEventKind};

use super::fixture::{P1, P4, dead, options, session, suspect, told};
use crate::ui::app::App;
use crate::ui::host::{FromHost, Severity};
use crate::ui::keys::KeyOverrides;
use crate::ui::options::Options;

/// Where this text is on a screen of 120 by 40.
fn find(app: &mut App, text: &str) -> (u16, u16) {
    let shown = app.picture(120, 40);
    let (row, line) = shown.lines().enumerate().find(|(_, line)| line.contains(text)).expect(text);
    let column = line.split(text).next().unwrap().chars().count();
    (u16::try_from(column).unwrap(), u16::try_from(row).unwrap())
}

fn click(app: &mut App, text: &str) {
    let at = find(app, text);
    app.mouse(MouseEventKind::Down(MouseButton::Left), at);
}

#[test]
fn the_wheel_scrolls_the_pane_below_it_and_takes_no_focus() {
    let mut app = suspect();
    let at = find(&mut app, "3 Gossip log");
    app.mouse(MouseEventKind::ScrollUp, at);
    assert_eq!(app.focused(), "topology");
    assert_eq!(app.selected(), Some(P1), "the selection of the pane with the keys stays");
    let follows = |app: &mut App| {
        let shown = app.picture(120, 40);
        shown.lines().find(|line| line.contains("3 Gossip log")).unwrap().contains("FOLLOW")
    };
    app.press("3 down down down");
    assert!(!follows(&mut app), "three lines up from the last one");
    app.press("down");
    assert!(follows(&mut app));
}

#[test]
fn a_click_focuses_a_pane_and_selects_the_line_below_it() {
    let mut app = suspect();
    click(&mut app, "─● p4");
    assert_eq!((app.focused(), app.selected()), ("nodes", Some(P4)));
    click(&mut app, "p3      NODE    hung");
    assert_eq!(app.focused(), "gossip");
    app.press("y");
    let shown = app.line();
    assert!(shown.contains("p3      NODE    hung"), "{shown}");
    click(&mut app, "6 Notices");
    assert_eq!(app.focused(), "notices", "on a frame it gives the keys and selects nothing");
    assert!(app.picture(120, 40).contains("6 Notices 1, FOLLOW"));
}

#[test]
fn a_click_on_a_node_of_the_map_selects_it() {
    let mut app = dead();
    app.picture(120, 40);
    let at = app.drawn().iter().find(|(addr, _)| *addr == P4).unwrap().1;
    app.mouse(MouseEventKind::Down(MouseButton::Left), (at.x + 1, at.y));
    assert_eq!(app.selected(), Some(P4));
    assert!(app.picture(120, 40).contains(">● p4"), "and among the connections, too");
}

#[test]
fn under_a_dialog_nothing_is_clicked_and_the_wheel_scrolls_it() {
    let mut app = suspect();
    app.press("?");
    let before = app.picture(120, 24);
    app.mouse(MouseEventKind::Down(MouseButton::Left), (10, 18));
    assert_eq!(app.focused(), "topology");
    app.mouse(MouseEventKind::ScrollDown, (60, 12));
    assert_ne!(app.picture(120, 24), before);
    app.press("esc");
    assert!(app.modals.is_empty());
}

#[test]
fn the_wheel_scrolls_a_dialog_whatever_the_arrow_keys_mean() {
    let keys = KeyOverrides::new([("up".to_owned(), vec!["u".to_owned()]), ("down".to_owned(), vec!["d".to_owned()])])
        .unwrap();
    let mut app = told(Options { keys, ..options() }, session(), 13_200);
    app.press("?");
    let before = app.picture(120, 24);
    app.mouse(MouseEventKind::ScrollDown, (60, 12));
    assert_ne!(app.picture(120, 24), before);
    app.mouse(MouseEventKind::ScrollUp, (60, 12));
    assert_eq!(app.picture(120, 24), before);
}

#[test]
fn a_click_on_any_row_of_a_long_notice_selects_it() {
    let mut app = suspect();
    for text in ["the first one. ".repeat(12) + "its end", "the second one".to_owned()] {
        app.hear(FromHost::Notice { severity: Severity::Info, text });
    }
    app.press("6 z");
    for (text, selected) in [("the second one", "the second one"), ("its end", "the first one")] {
        click(&mut app, text);
        let line = app.line();
        assert!(line.contains(selected), "{text}: {line}");
    }
}
