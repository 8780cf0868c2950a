use std::collections::BTreeSet;
use std::io::Write as _;
use std::time::Duration;

use tempfile::NamedTempFile;

use super::deeds::DeedKind;
use super::diagrams::DIAGRAMS_MAX;
use super::messages::CoverageBin;
use super::{SessionReport, page};
use crate::model::recovery::DeathKind;
use crate::proto::addr::Addr;
use crate::proto::time::Time;

const HEADER: &str =
    r#"{"format":"gossipctl session","version":2,"started":1000000,"utc_offset_s":0,"gossipctl":"0.1.0"}"#;

fn peer(number: u16) -> Addr {
    Addr::loopback(3000 + number)
}

fn at(ms: u64) -> Time {
    Time::from_micros(1_000_000 + ms * 1_000)
}

/// A recording, line by line.
#[derive(Default)]
struct Script {
    lines: Vec<String>,
}

impl Script {
    fn event(&mut self, ms: u64, number: u16, rest: &str) {
        let at = at(ms).as_micros();
        self.lines.push(format!(r#"{{"at":{at},"node":"{}",{rest}}}"#, peer(number)));
    }

    fn start(&mut self, ms: u64, number: u16, name: &str) {
        let pace = r#"{"gossip_interval_us":3000000,"liveness_interval_us":2000000,"liveness_misses":3}"#;
        let name = serde_json::to_string(name).unwrap();
        let rest = format!(r#""event":"started","name":{name},"role":"peer","dialect":"framed","pace":{pace}"#);
        self.event(ms, number, &rest);
    }

    fn link(&mut self, ms: u64, one: u16, other: u16) {
        for (node, to) in [(one, other), (other, one)] {
            let rest = r#""event":"link_up","direction":"outbound","purpose":"neighbor""#;
            self.event(ms, node, &format!(r#"{rest},"link":{to},"peer":"{}""#, peer(to)));
        }
    }

    fn lose(&mut self, ms: u64, one: u16, other: u16) {
        for (node, to) in [(one, other), (other, one)] {
            let end = r#"{"why":"dead","cause":{"how":"misses","misses":3}}"#;
            let rest =
                format!(r#""event":"link_down","link":{to},"peer":"{}","purpose":"neighbor","end":{end}"#, peer(to));
            self.event(ms, node, &rest);
        }
    }

    /// A message of `origin` that gets to these, a millisecond a hop.
    fn message(&mut self, ms: u64, origin: u16, seq: u64, body: &str, to: &[(u16, u16)]) {
        let (run, body) = (at(0).as_micros(), serde_json::to_string(body).unwrap());
        let trace = |hop: usize| format!(r#"{{"sent":{},"hop":{hop}}}"#, at(ms).as_micros());
        let id = format!(r#""id":{{"origin":"{}","run":{run},"seq":{seq}}},"body":{body}"#, peer(origin));
        self.event(ms, origin, &format!(r#""event":"generated",{id},"trace":{},"forwarded":1"#, trace(0)));
        let mut hops = vec![(origin, 0)];
        for (from, node) in to {
            let hop = hops.iter().find(|(had, _)| had == from).map_or(0, |(_, hop)| hop + 1);
            hops.push((*node, hop));
            let trace = trace(hop);
            let rest = format!(r#""event":"received","from":"{}",{id},"trace":{trace},"forwarded":1"#, peer(*from));
            self.event(ms + hop as u64, *node, &rest);
        }
    }

    /// p1, p2 and p3 in a line.
    fn line() -> Self {
        let mut script = Self::default();
        for (number, name) in [(1, "p1"), (2, "p2"), (3, "p3")] {
            script.start(0, number, name);
        }
        script.link(10, 1, 2);
        script.link(20, 2, 3);
        script
    }

    fn report(&self) -> SessionReport {
        let mut file = NamedTempFile::with_suffix(".jsonl").unwrap();
        writeln!(file, "{HEADER}").unwrap();
        self.lines.iter().for_each(|line| writeln!(file, "{line}").unwrap());
        SessionReport::read(file.path()).unwrap()
    }
}

/// A partition of p3 from 30 s to 60 s, and a message before, within and after it.
fn parted() -> Script {
    let mut script = Script::line();
    let border = format!(r#""id":1,"fault":{{"trouble":"cut","on":{{"border":["{}"]}}}}"#, peer(3));
    script.message(10_000, 1, 1, "before", &[(1, 2), (2, 3)]);
    script.event(30_000, 3, &format!(r#""event":"fault_set",{border}"#));
    script.lose(36_000, 2, 3);
    script.message(40_000, 1, 2, "within", &[(1, 2)]);
    script.event(60_000, 3, &format!(r#""event":"fault_cleared",{border}"#));
    script.link(62_500, 2, 3);
    script.message(70_000, 1, 3, "after", &[(1, 2), (2, 3)]);
    script.message(90_000, 2, 1, "at last", &[(2, 1), (2, 3)]);
    script
}

/// More messages in ten seconds than the model holds.
#[test]
fn messages_that_all_have_are_judged_before_they_go() {
    let mut script = Script::line();
    for seq in 1..=9_000 {
        let to: &[(u16, u16)] = if seq == 2_000 { &[(1, 2)] } else { &[(1, 2), (2, 3)] };
        script.message(1_000 + seq, 1, seq, "many", to);
    }
    script.lines.sort_by_key(|line| line[6..].split(',').next().unwrap().parse::<u64>().unwrap());
    let report = script.report();
    let figures = &report.messages;
    // The one that p3 lacks could still have come when it was forgotten.
    assert_eq!((figures.judged, figures.full, figures.unjudged), (8_999, 8_999, 1));
    let (text, _) = parsed(&page(&report));
    assert!(text.contains("1 message was forgotten before") && text.contains("of judged messages"), "{text}");
}

/// The text between tags, and the names of the tags.
fn parsed(page: &str) -> (String, BTreeSet<String>) {
    let (mut text, mut tags) = (String::new(), BTreeSet::new());
    let body = page.split_once("<body>").unwrap().1;
    for piece in body.split('<') {
        let (tag, after) = piece.split_once('>').unwrap_or(("", piece));
        tags.extend(tag.trim_start_matches('/').split([' ', '/']).next().map(str::to_owned));
        text += after;
    }
    (text, tags)
}

#[test]
fn the_figures_of_messages_are_those_of_the_session() {
    let report = parted().report();
    let figures = &report.messages;
    assert_eq!((figures.judged, figures.full, figures.incomplete(), figures.under_way), (4, 3, 1, 0));
    assert_eq!(figures.hops, [0, 5, 2], "as the links were crossed");
    assert_eq!(figures.hops_predicted, [0, 5, 2], "theory knows the line, and that it was cut");
    assert_eq!((figures.delays_us.len(), figures.delays_us.max()), (7, 2_000));
    let all = figures.coverage.iter().fold(CoverageBin::default(), |mut all, (_, bin)| {
        super::bins::MergeBins::merge(&mut all, bin);
        all
    });
    assert_eq!(all, CoverageBin { messages: 4, full: 3, have: 11, of: 12, least: Some(6_666) });
    let (text, _) = parsed(&page(&report));
    assert!(text.contains("3 of 4 messages (75%) reached every peer"), "{text}");
}

#[test]
fn an_incomplete_message_is_told_with_its_reason() {
    let report = parted().report();
    let [lacked] = &report.messages.reasons[..] else { panic!("{:?}", report.messages.reasons) };
    assert_eq!((lacked.messages, lacked.asked), (1, 1));
    assert!(lacked.why[0].contains("on the other side of 'partition p3'"), "{:?}", lacked.why);
    assert_eq!(lacked.nodes.keys().copied().collect::<Vec<_>>(), [peer(3)]);
    let (text, _) = parsed(&page(&report));
    assert!(text.contains("p1#2") && text.contains("within") && text.contains("2/3"), "{text}");
}

#[test]
fn a_partition_is_told_with_who_was_cut_off_and_when_it_healed() {
    let report = parted().report();
    let [parting] = &report.overlay.partings[..] else { panic!("{:?}", report.overlay) };
    assert_eq!((parting.from, parting.until), (at(36_000), Some(at(62_500))));
    assert_eq!(parting.parts, [vec![peer(1), peer(2)], vec![peer(3)]]);
    let [episode] = &report.episodes[..] else { panic!("{:?}", report.episodes) };
    assert_eq!((episode.title.as_str(), episode.from), ("partition p3", at(30_000)));
    let fact = |word| episode.facts.iter().find(|(known, _)| *known == word).map(|(_, text)| text.as_str());
    assert_eq!(fact("Fault"), Some("partition p3, from 00:00:31.0 to 00:01:01.0 (30 s)"));
    assert_eq!(fact("Cut off"), Some("p1 and p2 | p3 (2 parts of the overlay) from 00:00:37.0 to 00:01:03.5 (26 s)"));
    assert_eq!(fact("Whole again"), Some("at 00:01:03.5, 2.5 s after 'heal partition'"));
    assert_eq!(fact("Messages"), Some("1 message did not reach every peer, begun at 00:00:41.0"));
    let (text, _) = parsed(&page(&report));
    assert!(text.contains("2.5 s after 'heal partition'"), "{text}");
}

#[test]
fn a_hung_node_is_found_when_theory_says() {
    let mut script = Script::line();
    script.event(10_000, 3, r#""event":"hung""#);
    script.message(11_000, 1, 1, "go on", &[(1, 2)]);
    let rest = r#""cause":{"how":"misses","misses":3},"last_heard":10990000"#;
    script.event(15_500, 2, &format!(r#""event":"neighbor_died","peer":"{}",{rest}"#, peer(3)));
    let report = script.report();
    let [death] = &report.deaths[..] else { panic!("{:?}", report.deaths) };
    assert_eq!(
        (death.dead, death.kind, death.detection),
        (peer(3), DeathKind::Hang, Some(Duration::from_millis(5_500)))
    );
    assert_eq!(report.model.silence_found(), Some((Duration::from_secs(4), Duration::from_secs(8))));
    assert!(death.answer.as_ref().unwrap().verdict.contains("p3 hangs since"), "{:?}", death.answer);
    let (text, _) = parsed(&page(&report));
    assert!(text.contains("p3 hangs since") && text.contains("4 s to 8 s"), "{text}");
}

/// Peers beside p1 that hang one after the other, each taken for dead by p1.
fn silent(peers: u16) -> Script {
    let mut script = Script::default();
    (1..=peers + 1).for_each(|number| script.start(0, number, &format!("p{number}")));
    (2..=peers + 1).for_each(|number| script.link(10, 1, number));
    for number in 2..=peers + 1 {
        let ms = u64::from(number) * 20_000;
        script.event(ms, number, r#""event":"hung""#);
        let rest = r#""cause":{"how":"misses","misses":3},"last_heard":10990000"#;
        script.event(ms + 5_500, 1, &format!(r#""event":"neighbor_died","peer":"{}",{rest}"#, peer(number)));
    }
    script
}

#[test]
fn a_death_and_a_message_have_a_diagram_each() {
    let (deaths, parted) = (silent(2).report(), parted().report());
    assert_eq!((deaths.diagrams.left_out, parted.diagrams.left_out), (0, 0));
    for (report, of) in [(&deaths, "the death of p2"), (&deaths, "the death of p3"), (&parted, "p1#2")] {
        let page = page(report);
        assert!(page.contains(&format!("aria-label=\"Space-time diagram of {of}\"")), "{of}");
        assert_eq!(page.matches("<style>").count(), 1, "one for all pictures");
    }
    let death = deaths.diagrams.of(&deaths.deaths[0].subject()).unwrap();
    assert!(death.contains(">hangs<"), "{death}");
    assert!(death.contains(">p1</text>"), "{death}");
}

#[test]
fn a_page_says_how_many_diagrams_it_leaves_out() {
    let report = silent(30).report();
    let page = page(&report);
    assert_eq!(page.matches("Space-time diagram of").count(), 2 * DIAGRAMS_MAX, "a label and a title each");
    let (text, _) = parsed(&page);
    let told = format!("{} of the deaths and messages that are told above are not drawn", report.diagrams.left_out);
    assert!(report.diagrams.left_out > 0 && text.contains(&told), "{told}");
}

#[test]
fn text_of_strangers_stays_text() {
    let evil = "</td><script>alert(1)</script><img src=x onerror=alert(2)>\"'&\u{202e}\u{0}\u{1b}[31m";
    let mut script = Script::default();
    script.start(0, 1, &format!("{evil}{}", "x".repeat(10_000)));
    script.start(0, 2, "p2' onload='alert(3)");
    script.link(10, 1, 2);
    script.message(1_000, 1, 1 << 63, evil, &[]);
    script.message(20_000, 2, 1, "end", &[(2, 1)]);
    let report = script.report();
    assert_eq!(report.deeds.last().map(|deed| deed.kind), Some(DeedKind::Say));
    let page = page(&report);
    let (text, tags) = parsed(&page);
    let ours = "header h1 h2 h3 p ul li b span nav a main section article figure figcaption div svg line text polyline \
                circle rect polygon path g title table caption thead tr th td dl dt dd details summary pre code footer body html";
    let ours: BTreeSet<_> = ours.split(' ').collect();
    let others: Vec<_> = tags.iter().filter(|tag| !tag.is_empty() && !ours.contains(tag.as_str())).collect();
    assert!(others.is_empty(), "{others:?}");
    assert!(text.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{text}");
    assert!(!page.contains(['\u{202e}', '\u{0}', '\u{1b}']), "nothing acts on a reader's terminal or browser");
    assert!(!page.contains(&"x".repeat(100)), "a name is cut");
    assert!(
        !page.contains("http://")
            || page.matches("http://").count() == page.matches("http://www.w3.org/2000/svg").count()
    );
}

#[test]
fn what_a_damaged_recording_lacks_stands_on_the_page() {
    let mut script = parted();
    script.lines.insert(9, "{\"at\":1,\"nonsense".to_owned());
    script.lines.insert(9, "{\"skipped\":12}".to_owned());
    let report = script.report();
    assert_eq!((report.gaps.events, report.gaps.damage.lines), (13, 1));
    let (text, _) = parsed(&page(&report));
    assert!(text.contains("13 events of the session are missing in the recording"), "{text}");
    assert!(text.contains("1 line of the recording cannot be read"), "{text}");
    assert!(report.activity.width() < Duration::from_secs(10), "what is missing stands at its time");
}

#[test]
fn a_session_without_events_says_so() {
    let report = Script::default().report();
    let (text, _) = parsed(&page(&report));
    assert!(text.contains("Nothing happened in this session"), "{text}");
    assert!(!text.contains("What happened"), "{text}");
}

#[test]
fn the_same_recording_gives_the_same_bytes() {
    let script = parted();
    let mut file = NamedTempFile::with_suffix(".jsonl").unwrap();
    writeln!(file, "{HEADER}\n{}", script.lines.join("\n")).unwrap();
    let pages = [(); 2].map(|()| page(&SessionReport::read(file.path()).unwrap()));
    assert!(pages[0] == pages[1]);
}

#[test]
fn times_that_go_back_or_far_ahead_give_a_page() {
    let mut script = Script::line();
    script.message(u64::MAX / 10_000_000, 1, 1, "far", &[(1, 2)]);
    script.message(5_000, 1, 2, "back", &[(1, 2)]);
    let (text, _) = parsed(&page(&script.report()));
    assert!(text.contains("Messages"), "{text}");
}

#[test]
fn colors_of_plots_are_those_of_the_page() {
    let page = page(&parted().report());
    assert!(page.contains("fill=\"var(--measured)\"") && page.contains("fill=\"var(--bad)\""));
    assert!(!page.contains("\"#0"), "no color is fixed");
    let named = page.split("var(--").skip(1).map(|rest| rest.split(')').next().unwrap());
    let missing: BTreeSet<_> = named
        .filter(|name| !page.contains(&format!("--{name}: #")) && !page.contains(&format!("--{name}:#")))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_page_runs_a_lab_again_with_its_recorded_settings() {
    let header = HEADER.replace(
        '}',
        r#","lab":{"seeds":2,"peers":5},"virtual_time":true,"settings":{"max-dial":"4","rng-seed":"7","$(rm)":"1"}}"#,
    );
    let mut file = NamedTempFile::with_suffix(".jsonl").unwrap();
    writeln!(file, "{header}").unwrap();
    let page = page(&SessionReport::read(file.path()).unwrap());
    assert!(
        page.contains("<code>gossipctl lab --seeds 2 --peers 5 --virtual --max-dial 4 --rng-seed 7</code>"),
        "{page}"
    );
    assert!(page.contains("<code>gossipctl rerun "), "{page}");
}

#[test]
fn a_session_in_virtual_time_lasts_as_long_as_its_events() {
    let header = HEADER.replace(r#""started":1000000"#, r#""started":1795889889456335,"epoch":1000000"#);
    let mut file = NamedTempFile::with_suffix(".jsonl").unwrap();
    writeln!(file, "{header}").unwrap();
    parted().lines.iter().for_each(|line| writeln!(file, "{line}").unwrap());
    let report = SessionReport::read(file.path()).unwrap();
    assert_eq!((report.first, report.lasted()), (at(0), Duration::from_millis(90_001)));
}

#[test]
fn a_hung_node_restarted_with_others_was_not_killed() {
    let mut script = Script::line();
    script.event(1_000, 1, r#""event":"hung""#);
    script.event(5_000, 2, r#""event":"stopped","how":"killed""#);
    script.event(9_000, 1, r#""event":"stopped","how":"killed""#);
    script.start(9_000, 1, "p1");
    script.start(9_000, 2, "p2");
    let deeds: Vec<String> = script.report().deeds.into_iter().map(|deed| deed.text).collect();
    assert_eq!(deeds, ["start p1, p2 and p3", "hang p1", "kill p2", "restart p1 and p2"]);
}
