//! The charts of rates over time.

use insta::assert_snapshot;

use super::fixture::{P1, P2, P3, P4, Script, at, dead, empty, options, session, suspect, told};
use crate::event::{EventKind, FaultEvent};
use crate::proto::fault::{Fault, FaultKind, Scope};
use crate::ui::app::{App, Ticked};
use crate::ui::options::{Glyphs, Options};

/// The session, and after it so many seconds of gossip and probes; a fault, and then some misses.
fn long(options: Options, seconds: u64) -> App {
    let mut app = told(options, session(), 13_200);
    let mut script = Script::default();
    for second in 0..seconds {
        script.at(14_000 + second * 1_000);
        if second % 3 == 0 {
            script.gossip(10 + second, "again", &[(P1, P2, 1), (P1, P4, 1), (P2, P3, 2)]);
        }
        script.ping(P1, P2, second, 300 + second * 7).ping(P2, P1, second, 280);
        if (seconds / 2..seconds / 2 + 9).contains(&second) {
            script.miss(P2, P3, second, 1);
        }
    }
    let fault = Fault { what: FaultKind::Slow { per_s: 9 }, on: Scope::Node(P1) };
    script.at(14_000 + seconds * 500).add(P1, EventKind::Fault(FaultEvent::Set { id: None, fault }));
    script.events.sort_by_key(|event| event.at);
    app.tick(at(14_000 + seconds * 1_000));
    app.get(script.events);
    app
}

#[test]
fn rates_are_charts_with_units_figures_and_marks() {
    let mut app = long(options(), 330);
    app.press("9");
    assert_snapshot!("rates_80x24", app.picture(80, 24));
    assert_snapshot!("rates_120x40", app.picture(120, 40));
}

#[test]
fn rates_are_drawn_in_ascii_alone_too() {
    let mut app = long(Options { glyphs: Glyphs::Ascii, ..options() }, 40);
    app.press("9");
    let picture = app.picture(80, 24);
    assert!(picture.is_ascii(), "{picture}");
    assert_snapshot!(picture);
}

#[test]
fn the_charts_have_the_screen_to_themselves_and_esc_leads_back() {
    let mut app = dead();
    assert!(!app.picture(120, 40).contains("Rates"), "they never stand beside other panes");
    app.command("pane-9");
    let shown = app.picture(80, 24);
    assert!(shown.contains("9 Rates") && !shown.contains("1 Topology"), "{shown}");
    assert!(shown.lines().last().unwrap().contains("Esc back to all panes"), "{shown}");
    assert_eq!(shown.matches('✗').count(), 3, "the death, also on the timeline, and what the sign means: {shown}");
    let line = app.line();
    assert!(line.starts_with("messages/s now 0, min 0, max "), "{line}");
    app.press("esc");
    assert!(app.picture(80, 24).contains("1 Topology"));
    let mut new = empty(options());
    new.press("9");
    assert!(new.picture(80, 24).contains("Nothing was measured yet."));
}

#[test]
fn the_charts_move_once_a_second_and_only_while_shown() {
    let mut app = suspect();
    app.press("9");
    app.picture(80, 24);
    assert_eq!(app.tick(at(13_900)), Ticked::Nothing);
    assert_eq!(app.tick(at(14_000)), Ticked::Picture);
    let mut quiet = told(options(), Vec::new(), 13_200);
    quiet.press("1");
    quiet.picture(80, 24);
    assert_eq!(quiet.tick(at(14_000)), Ticked::Clock, "elsewhere only the clock is drawn");
}

#[test]
fn the_pane_of_rates_is_counted_named_and_not_filtered() {
    let mut app = suspect();
    assert!(app.picture(160, 40).lines().last().unwrap().contains("9 rates"));
    app.press(":");
    app.type_text("rat");
    let palette = app.picture(80, 24);
    assert!(palette.contains("rates                  rates: messages, answered probes"), "{palette}");
    app.press("esc");
    for (name, word) in
        [("rates", "rates"), ("connections", "nodes"), ("dead-node-reports", "reports"), ("pane 9", "rates")]
    {
        app.command(name);
        assert_eq!(app.focused(), word, "{name}");
    }
    assert!(!app.picture(80, 24).lines().last().unwrap().contains("/ filter"));
    app.press("/");
    assert!(app.picture(80, 24).contains("Rates has no lines to filter") && app.prompt.is_none());
}
