//! A session as it could have been: two seeds and four peers here, one peer in another process;
//! messages spread, p3 falls silent and dies, a report is disputed, a stranger sends garbage.

use std::path::PathBuf;
use std::time::Duration;

use crossterm::event::{Event as Typed, KeyModifiers, MouseEvent, MouseEventKind};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::Position;

use crate::clock::Clock;
use crate::command::Command;
use crate::event::{
    Batch, DeathEvent, DelistReason, Direction, Event, EventKind, GossipEvent, LinkEnd, LinkEvent, LinkId, Methods,
    NodeEvent, Pace, ProbeEvent, Purpose, ReportAction, Rule, SeedEvent, Violation,
};
use crate::feed::Delivery;
use crate::model::moment::SessionSpan;
use crate::proto::addr::Addr;
use crate::proto::message::{DeathCause, Dialect, MessageId, Role, Trace};
use crate::proto::time::{ClockTime, Time};
use crate::ui::action::PaneId;
use crate::ui::app::{App, ConsoleEffect};
use crate::ui::decode::Paste;
use crate::ui::draw::draw;
use crate::ui::host::{FromHost, ToHost};
use crate::ui::keys::{Key, KeyOverrides};
use crate::ui::options::{FormDefaults, Glyphs, Mode, Mouse, Options, StartScreen, ThemeChoice};
use crate::ui::seek::OpenedRecording;
use crate::ui::speed::Speed;
use crate::ui::theme::NoColor;
use crate::ui::update::{on_event, on_host, on_paste};

pub(super) const S1: Addr = Addr::loopback(5001);
pub(super) const S2: Addr = Addr::loopback(5002);
pub(super) const P1: Addr = Addr::loopback(3000);
pub(super) const P2: Addr = Addr::loopback(3001);
pub(super) const P3: Addr = Addr::loopback(3002);
pub(super) const P4: Addr = Addr::loopback(3003);
/// Runs in another process.
pub(super) const FAR: Addr = Addr::loopback(4000);

/// 03:00:00 on the first day.
const START: Time = Time::from_micros(3 * 3_600_000_000);

/// A moment of the session.
pub(super) fn at(millis: u64) -> Time {
    START + Duration::from_millis(millis)
}

/// Writes a session down.
#[derive(Default)]
pub(super) struct Script {
    now: u64,
    links: u64,
    pub(super) events: Vec<Event>,
}

impl Script {
    pub(super) fn at(&mut self, millis: u64) -> &mut Self {
        self.now = millis;
        self
    }

    pub(super) fn add(&mut self, node: Addr, kind: EventKind) -> &mut Self {
        self.events.push(Event { at: at(self.now), node, kind });
        self
    }

    pub(super) fn start(&mut self, node: Addr, name: &str, role: Role) -> &mut Self {
        let pace = Pace { gossip_interval_us: 3_000_000, liveness_interval_us: 2_000_000, liveness_misses: 3 };
        self.add(
            node,
            EventKind::Node(NodeEvent::Started {
                name: name.to_owned(),
                role,
                dialect: Dialect::Framed,
                pace,
                methods: Methods::default(),
            }),
        )
    }

    pub(super) fn one_end(&mut self, node: Addr, peer: Addr, direction: Direction, purpose: Purpose) -> &mut Self {
        self.links += 1;
        let link = LinkId(self.links);
        self.add(node, EventKind::Link(LinkEvent::Up { link, connection: None, peer, direction, purpose }))
    }

    /// A link whose both ends are here.
    pub(super) fn link(&mut self, from: Addr, to: Addr) -> &mut Self {
        self.one_end(from, to, Direction::Outbound, Purpose::Neighbor);
        self.one_end(to, from, Direction::Inbound, Purpose::Neighbor);
        self
    }

    pub(super) fn register(&mut self, peer: Addr, seed: Addr) -> &mut Self {
        self.one_end(peer, seed, Direction::Outbound, Purpose::Registration);
        self.one_end(seed, peer, Direction::Inbound, Purpose::Registration);
        self.add(seed, EventKind::Seed(SeedEvent::PeerListed { peer, again: false }))
    }

    /// `origin` says something, and it comes to each of the others by the neighbor named.
    pub(super) fn gossip(&mut self, seq: u64, body: &str, ways: &[(Addr, Addr, u16)]) -> &mut Self {
        let origin = ways[0].0;
        let id = MessageId { origin, run: 1, seq };
        let sent = at(self.now);
        let trace = |hop| Some(Trace { sent, hop });
        self.add(
            origin,
            EventKind::Gossip(GossipEvent::Generated { id, body: body.into(), trace: trace(0), forwarded: 2 }),
        );
        for (from, to, hop) in ways {
            self.now += 3;
            let (from, trace) = (*from, trace(*hop));
            self.add(
                *to,
                EventKind::Gossip(GossipEvent::Received { id, from, body: body.into(), trace, forwarded: 1 }),
            );
        }
        self
    }

    pub(super) fn duplicate(&mut self, origin: Addr, seq: u64, from: Addr, to: Addr) -> &mut Self {
        let id = MessageId { origin, run: 1, seq };
        self.add(to, EventKind::Gossip(GossipEvent::Duplicate { id, from, trace: None }))
    }

    pub(super) fn ping(&mut self, node: Addr, peer: Addr, seq: u64, rtt_us: u64) -> &mut Self {
        self.add(node, EventKind::Probe(ProbeEvent::Sent { probe: None, peer, seq }));
        self.add(node, EventKind::Probe(ProbeEvent::Answered { probe: None, peer, seq, clock: clock(), rtt_us }))
    }

    pub(super) fn miss(&mut self, node: Addr, peer: Addr, seq: u64, misses: u32) -> &mut Self {
        self.add(node, EventKind::Probe(ProbeEvent::Sent { probe: None, peer, seq }));
        self.add(
            node,
            EventKind::Probe(ProbeEvent::Missed { probe: None, peer, seq, misses, limit: 3, last_heard: at(9_000) }),
        )
    }

    pub(super) fn dies(&mut self, by: Addr, link: u64) -> &mut Self {
        let cause = DeathCause::Misses { misses: 3 };
        self.add(
            by,
            EventKind::Death(DeathEvent::NeighborDied { missed: None, peer: P3, cause, last_heard: at(9_000) }),
        );
        let end = LinkEnd::Dead { cause };
        self.add(
            by,
            EventKind::Link(LinkEvent::Down { link: LinkId(link), peer: P3, purpose: Purpose::Neighbor, end }),
        );
        self.add(
            by,
            EventKind::Death(DeathEvent::DeadReportSent {
                report: None,
                dead: P3,
                clock: clock(),
                seeds: vec![S1, S2],
                cause,
            }),
        );
        for seed in [S1, S2] {
            self.now += 1;
            let action = ReportAction::Removed;
            let cause = Some(cause);
            self.add(
                seed,
                EventKind::Death(DeathEvent::DeadReportReceived {
                    report: None,
                    verification: None,
                    dead: P3,
                    clock: clock(),
                    reporter: by,
                    cause,
                    action,
                }),
            );
        }
        self
    }
}

fn clock() -> ClockTime {
    ClockTime::from_seconds(10_800).unwrap()
}

/// The whole session.
pub(super) fn session() -> Vec<Event> {
    let mut script = Script::default();
    script.start(S1, "s1", Role::Seed).start(S2, "s2", Role::Seed);
    for (peer, name) in [(P1, "p1"), (P2, "p2"), (P3, "p3"), (P4, "p4")] {
        script.at(300).start(peer, name, Role::Peer).register(peer, S1).register(peer, S2);
    }
    script.at(500).link(P1, P2).link(P2, P3).link(P3, P4).link(P4, P1);
    script.at(700).one_end(P1, FAR, Direction::Inbound, Purpose::Neighbor);
    script.at(3_000).gossip(1, "Gossip Message 1", &[(P1, P2, 1), (P1, P4, 1), (P2, P3, 2)]);
    script.duplicate(P1, 1, P4, P3).duplicate(P1, 1, P3, P4);
    for (seq, millis) in [(1, 4_000), (2, 6_000), (3, 8_000)] {
        script.at(millis).ping(P1, P2, seq, 310).ping(P2, P1, seq, 290).ping(P1, FAR, seq, 12_400);
        script.ping(P2, P3, seq, 1_250).ping(P4, P3, seq, 900).ping(P3, P4, seq, 700).ping(P4, P1, seq, 260);
    }
    script.at(9_000).gossip(1, "hello 你好 \x1b[31mred", &[(P3, P2, 1), (P3, P4, 1), (P2, P1, 2)]);
    script.at(9_100).add(P3, EventKind::Node(NodeEvent::Hung));
    script.at(9_500).add(
        P2,
        EventKind::Link(LinkEvent::Violation {
            connection: None,
            remote: Addr::loopback(55_001),
            peer: None,
            violation: Violation::new(Rule::Malformed, b"GET / \x1b]0;owned\x07\r\n"),
        }),
    );
    for (seq, misses) in [(4, 1), (5, 2)] {
        script.at(8_000 + u64::from(misses) * 2_000).miss(P2, P3, seq, misses).miss(P4, P3, seq, misses);
        script.ping(P1, P2, seq, 330).ping(P2, P1, seq, 280);
    }
    script.at(13_000).miss(P1, FAR, 4, 1);
    script.events
}

/// And how it went on: p3 is dead, p1 is wrong about p4.
pub(super) fn aftermath() -> Vec<Event> {
    let mut script = Script::default();
    script.at(14_000).miss(P2, P3, 6, 3).dies(P2, 19).miss(P4, P3, 6, 3).dies(P4, 22);
    let reason = DelistReason::Reported { report: None, reporter: P2 };
    script.at(14_010).add(S1, EventKind::Seed(SeedEvent::PeerDelisted { peer: P3, verification: None, reason }));
    script.add(S2, EventKind::Seed(SeedEvent::PeerDelisted { peer: P3, verification: None, reason }));
    let (clock, cause, action) = (clock(), Some(DeathCause::Closed), ReportAction::Verifying);
    script.at(15_000).add(
        S1,
        EventKind::Death(DeathEvent::DeadReportReceived {
            report: None,
            verification: None,
            dead: P4,
            clock,
            reporter: FAR,
            cause,
            action,
        }),
    );
    script.add(
        S1,
        EventKind::Death(DeathEvent::ReportDisputed {
            report: None,
            verification: None,
            dead: P4,
            reporter: FAR,
            disputes: 1,
            rtt_us: 420,
        }),
    );
    script.at(15_500).add(P1, EventKind::Seed(SeedEvent::TooFewSeeds { registered: 1, wanted: 2, known: 2 }));
    script.events
}

/// The peer of this number in a [`large_lab`].
pub(super) const fn lab_peer(number: u16) -> Addr {
    Addr::loopback(10_000 + number)
}

/// Two seeds and so many peers, each linked to the next one and to some far away; p1 says something,
/// which comes to everybody by the shortest way.
pub(super) fn large_lab(peers: u16) -> Vec<Event> {
    let mut script = Script::default();
    script.start(S1, "s1", Role::Seed).start(S2, "s2", Role::Seed);
    for number in 1..=peers {
        let name = format!("p{number}");
        script.at(300).start(lab_peer(number), &name, Role::Peer).register(lab_peer(number), S1);
        script.register(lab_peer(number), S2);
    }
    let beyond = |number: u16, by: u16| (number - 1 + by) % peers + 1;
    let mut links = Vec::new();
    for number in 1..=peers {
        for other in [beyond(number, 1), beyond(number, 3 + number * 7 % peers)] {
            let link = (number.min(other), number.max(other));
            if number != other && !links.contains(&link) {
                links.push(link);
            }
        }
    }
    script.at(800);
    for (a, b) in &links {
        script.link(lab_peer(*a), lab_peer(*b));
    }
    let mut ways = Vec::new();
    let mut hops = vec![(1, 0)];
    let mut reached = vec![false; usize::from(peers) + 2];
    reached[1] = true;
    let mut next = 0;
    while let Some((from, hop)) = hops.get(next).copied() {
        next += 1;
        for (a, b) in &links {
            let to = if *a == from {
                *b
            } else if *b == from {
                *a
            } else {
                continue;
            };
            if !std::mem::replace(&mut reached[usize::from(to)], true) {
                hops.push((to, hop + 1));
                ways.push((lab_peer(from), lab_peer(to), hop + 1));
            }
        }
    }
    if !ways.is_empty() {
        script.at(10_000).gossip(1, "Gossip Message 1", &ways);
    }
    script.events
}

pub(super) fn delivery(events: Vec<Event>) -> Delivery {
    Delivery { skipped: 0, batch: Batch::from(events) }
}

/// A recording of 20 seconds from the session's start, which is called so.
pub(super) fn recording(source: &str) -> OpenedRecording {
    let span = SessionSpan { first: START, last: at(20_000), utc_offset_s: 0 };
    OpenedRecording { source: source.to_owned(), reader: None, span, start: START, speed: Speed::NORMAL }
}

pub(super) fn options() -> Options {
    Options {
        theme: ThemeChoice::Auto,
        glyphs: Glyphs::Unicode,
        mouse: Mouse::Terminal,
        mode: Mode::Live,
        start_screen: StartScreen::Skipped,
        defaults: FormDefaults { seeds: vec![S1, S2], seed_listen: S1, peer_listen: P1, lab_seeds: 2, lab_peers: 8 },
        columns: Vec::new(),
        keys: KeyOverrides::default(),
        clock: Clock::start(),
        utc_offset_s: 0,
        export_name: PathBuf::from("session.jsonl"),
        export_check: |file| match file.extension().and_then(|ending| ending.to_str()) {
            Some("txt" | "jsonl" | "csv") => Ok(()),
            Some(_) | None => Err(format!("{}: not an ending for an export", file.display())),
        },
    }
}

/// A console at the session's start that was told nothing yet.
pub(super) fn empty(options: Options) -> App {
    let mut app = App::new(options, NoColor::Unset);
    app.started = START;
    app.scene.now = START;
    app
}

/// A console that was told these, at that moment of the session.
pub(super) fn told(options: Options, events: Vec<Event>, millis: u64) -> App {
    let mut app = empty(options);
    app.tick(at(millis));
    app.get(events);
    app
}

/// While p3 is suspect.
pub(super) fn suspect() -> App {
    told(options(), session(), 13_200)
}

/// When p3 is dead.
pub(super) fn dead() -> App {
    let mut app = suspect();
    app.tick(at(16_000));
    app.get(aftermath());
    app
}

/// What tests do with a console, and what they read of it.
impl App {
    /// Types these keys, named as in the config file; what is wanted then.
    pub(super) fn press(&mut self, keys: &str) -> Vec<ConsoleEffect> {
        let keys = keys.split(' ').map(|key| key.parse::<Key>().unwrap());
        keys.flat_map(|key| on_event(self, &Typed::Key(key.into()))).collect()
    }

    /// Types this text, letter by letter.
    pub(super) fn type_text(&mut self, text: &str) {
        for letter in text.chars() {
            let key: Key = letter.to_string().parse().unwrap();
            on_event(self, &Typed::Key(key.into()));
        }
    }

    /// Types this command; what is wanted then.
    pub(super) fn command(&mut self, line: &str) -> Vec<ConsoleEffect> {
        self.press(":");
        self.type_text(line);
        self.press("enter")
    }

    pub(super) fn paste(&mut self, paste: &Paste) {
        on_paste(self, paste);
    }

    pub(super) fn mouse(&mut self, kind: MouseEventKind, (column, row): (u16, u16)) -> Vec<ConsoleEffect> {
        on_event(self, &Typed::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }))
    }

    /// The host says this.
    pub(super) fn hear(&mut self, message: FromHost) {
        on_host(self, message);
    }

    /// These events come.
    pub(super) fn get(&mut self, events: Vec<Event>) {
        self.take(&[delivery(events)]);
    }

    /// Does the work that the loop would order elsewhere.
    pub(super) fn work(&mut self) {
        for (pane, work) in std::mem::take(&mut self.work) {
            self.panes.get_mut(pane).take(work());
        }
    }

    /// The picture, without its colors.
    pub(super) fn picture(&mut self, columns: u16, rows: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        terminal.draw(|frame| draw(self, frame)).unwrap();
        let buffer = terminal.backend().buffer();
        let mut text = String::new();
        for row in 0..rows {
            let mut skip = 0;
            for column in 0..columns {
                if skip > 0 {
                    skip -= 1;
                    continue;
                }
                let symbol = buffer[(column, row)].symbol();
                skip = crate::ui::text::width(symbol).saturating_sub(1);
                text.push_str(symbol);
            }
            text.truncate(text.trim_end_matches(' ').len());
            text.push('\n');
        }
        text
    }

    /// The answer or the news above the keys if there is one, else the line at the bottom.
    pub(super) fn footer(&mut self) -> String {
        let picture = self.picture(120, 40);
        let is_above = crate::ui::footer::toast(self).is_some() && self.modals.is_empty();
        picture.lines().rev().nth(usize::from(is_above)).unwrap().trim().to_owned()
    }

    /// The word for the pane that has the keys.
    pub(super) fn focused(&self) -> &'static str {
        self.focus.info().word
    }

    /// The node that the topology shows as selected.
    pub(super) fn selected(&self) -> Option<Addr> {
        self.panes.get(PaneId::FIRST).selection(&self.view()).node
    }

    /// The selected line of the pane that has the keys.
    pub(super) fn line(&self) -> String {
        self.panes.line_of(self.focus, &self.view()).unwrap()
    }

    /// Where the nodes were last drawn.
    pub(super) fn drawn(&self) -> &[(Addr, Position)] {
        self.panes.get(PaneId::FIRST).spots()
    }

    /// Selects this node in the topology.
    pub(super) fn select_drawn(&mut self, node: Addr) {
        let (panes, view) = self.split();
        panes.get_mut(PaneId::FIRST).select(Some(node), &view);
    }

    /// Puts the selection on this line of the connections.
    pub(super) fn select(&mut self, name: &str) {
        self.press("2 g g");
        for _ in 0..40 {
            if self.line().contains(name) {
                return;
            }
            self.press("down");
        }
        panic!("no line with {name}");
    }
}

/// What is wanted of the host for a command.
pub(super) fn command(command: Command) -> Vec<ConsoleEffect> {
    vec![ConsoleEffect::Host(ToHost::Command(command))]
}
