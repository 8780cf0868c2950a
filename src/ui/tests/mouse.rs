//! `--mouse`: the wheel and clicks.

use crossterm::event::{Event, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use super::fixture::{P1, P4, dead, options, picture, press, session, suspect, told};
use crate::ui::action::PaneId;
use crate::ui::app::App;
use crate::ui::host::{FromHost, Severity};
use crate::ui::keys::KeyOverrides;
use crate::ui::options::Options;
use crate::ui::update::{on_event, on_host};

/// Where this text is on a screen of 120 by 40.
fn find(app: &mut App, text: &str) -> (u16, u16) {
    let shown = picture(app, 120, 40);
    let (row, line) = shown.lines().enumerate().find(|(_, line)| line.contains(text)).expect(text);
    let column = line.split(text).next().unwrap().chars().count();
    (u16::try_from(column).unwrap(), u16::try_from(row).unwrap())
}

fn mouse(app: &mut App, kind: MouseEventKind, (column, row): (u16, u16)) {
    on_event(app, &Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }));
}

fn click(app: &mut App, text: &str) {
    let at = find(app, text);
    mouse(app, MouseEventKind::Down(MouseButton::Left), at);
}

#[test]
fn the_wheel_scrolls_the_pane_below_the_pointer_and_leaves_the_keys_where_they_are() {
    let mut app = suspect();
    let at = find(&mut app, "3 Gossip log");
    mouse(&mut app, MouseEventKind::ScrollUp, at);
    assert_eq!(app.focus, PaneId::Topology);
    assert!(!app.panes.gossip.follows());
    assert_eq!(app.panes.node(&app.view()), Some(P1), "the selection of the pane with the keys stays");
    let selected = app.panes.gossip.selected(app.view().model.gossip());
    assert_eq!(selected, Some(app.view().model.gossip().end() - 4), "three lines up from the last one");
}

#[test]
fn a_click_gives_a_pane_the_keys_and_selects_the_line_below_the_pointer() {
    let mut app = suspect();
    click(&mut app, "─ ● p4");
    assert_eq!((app.focus, app.panes.node(&app.view())), (PaneId::Connections, Some(P4)));
    click(&mut app, "p3      NODE    hung");
    assert_eq!(app.focus, PaneId::Gossip);
    press(&mut app, "y");
    let shown = app.panes.line_of(PaneId::Gossip, &app.view()).unwrap();
    assert!(shown.contains("p3      NODE    hung"), "{shown}");
    click(&mut app, "6 Notices");
    assert_eq!(app.focus, PaneId::Notices, "on a frame it gives the keys and selects nothing");
    assert!(app.panes.notices.follows());
}

#[test]
fn a_click_on_a_node_of_the_map_selects_it() {
    let mut app = dead();
    picture(&mut app, 120, 40);
    let at = app.panes.topology.drawn.iter().find(|(addr, _)| *addr == P4).unwrap().1;
    mouse(&mut app, MouseEventKind::Down(MouseButton::Left), (at.x + 1, at.y));
    assert_eq!(app.panes.node(&app.view()), Some(P4));
    assert!(picture(&mut app, 120, 40).contains("> ● p4"), "and among the connections, too");
}

#[test]
fn what_lies_under_a_dialog_is_not_clicked_and_the_wheel_scrolls_the_dialog() {
    let mut app = suspect();
    press(&mut app, "?");
    let before = picture(&mut app, 120, 24);
    mouse(&mut app, MouseEventKind::Down(MouseButton::Left), (10, 18));
    assert_eq!(app.focus, PaneId::Topology);
    mouse(&mut app, MouseEventKind::ScrollDown, (60, 12));
    assert_ne!(picture(&mut app, 120, 24), before);
    press(&mut app, "esc");
    assert!(app.modals.is_empty());
}

#[test]
fn the_wheel_scrolls_a_dialog_whatever_the_arrow_keys_mean() {
    let keys = KeyOverrides::new([("up".to_owned(), vec!["u".to_owned()]), ("down".to_owned(), vec!["d".to_owned()])])
        .unwrap();
    let mut app = told(Options { keys, ..options() }, session(), 13_200);
    press(&mut app, "?");
    let before = picture(&mut app, 120, 24);
    mouse(&mut app, MouseEventKind::ScrollDown, (60, 12));
    assert_ne!(picture(&mut app, 120, 24), before);
    mouse(&mut app, MouseEventKind::ScrollUp, (60, 12));
    assert_eq!(picture(&mut app, 120, 24), before);
}

#[test]
fn a_click_on_any_row_of_a_long_notice_selects_it() {
    let mut app = suspect();
    for text in ["the first one. ".repeat(12) + "its end", "the second one".to_owned()] {
        on_host(&mut app, FromHost::Notice { severity: Severity::Info, text });
    }
    press(&mut app, "6 z");
    for (text, selected) in [("the second one", "the second one"), ("its end", "the first one")] {
        click(&mut app, text);
        let line = app.panes.line_of(PaneId::Notices, &app.view()).unwrap();
        assert!(line.contains(selected), "{text}: {line}");
    }
}
