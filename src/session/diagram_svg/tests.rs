use super::*;
use crate::event::{Event, EventKind, GossipEvent, LossReason, MessageLoss, Methods, NodeEvent, Pace};
use crate::model::Model;
use crate::model::diagram::DiagramSpec;
use crate::model::diagram::subject::DiagramSubject;
use crate::proto::message::{Dialect, MessageId, Role, Trace};

fn at(micros: u64) -> Time {
    Time::from_micros(micros)
}

/// A message that reaches one of two nodes, one of which has a name that is markup.
fn drawn(on: SvgPlace) -> (Diagram, String) {
    with_losses(on, 1)
}

/// The same, with so many copies to the other node that were lost.
fn with_losses(on: SvgPlace, losses: u64) -> (Diagram, String) {
    let nodes = [3001, 3002, 3003].map(Addr::loopback);
    let id = MessageId { origin: nodes[0], run: 1, seq: 4 };
    let started = |name: &str, node| {
        let pace = Pace { gossip_interval_us: 0, liveness_interval_us: 0, liveness_misses: 3 };
        let (name, role, dialect) = (name.to_owned(), Role::Peer, Dialect::Framed);
        (1, node, EventKind::from(NodeEvent::Started { name, role, dialect, pace, methods: Methods::default() }))
    };
    let trace = Some(Trace { sent: at(10), hop: 1 });
    let loss = MessageLoss { from: nodes[0], to: nodes[2], connection: None, why: LossReason::QueueFull };
    let all = [
        started("p1", nodes[0]),
        started("<script>&\"", nodes[1]),
        started("p3", nodes[2]),
        (10, nodes[0], GossipEvent::Generated { id, body: "hello".into(), trace, forwarded: 2 }.into()),
        (900, nodes[1], GossipEvent::Received { id, from: nodes[0], body: "hello".into(), trace, forwarded: 0 }.into()),
    ];
    let copies = (0..losses).map(|nth| (950 + nth, nodes[2], GossipEvent::Lost { id, loss }.into()));
    let events: Vec<Event> =
        all.into_iter().chain(copies).map(|(micros, node, kind)| Event { at: at(micros), node, kind }).collect();
    let mut model = Model::new();
    for event in &events {
        model.apply(event);
    }
    let subject = DiagramSubject::Message(id);
    let spec = DiagramSpec { subject, from: at(2), to: at(2_000), picked: Vec::new(), columns_max: 9, utc_offset_s: 0 };
    let diagram = crate::model::diagram::diagram(&spec, &events, &model);
    let style = SvgStyle { place: on, title: "p1#4".to_owned(), caption: vec!["session <x> & y".to_owned()] };
    let picture = svg(&diagram, &style);
    (diagram, picture)
}

/// Every element that is opened is closed, in order. Returns their names.
fn elements(svg: &str) -> Vec<String> {
    let (mut open, mut all) = (Vec::new(), Vec::new());
    for tag in svg.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').expect("a tag ends");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name));
        } else {
            let name = tag.split([' ', '/']).next().unwrap_or_default().to_owned();
            all.push(name.clone());
            if !tag.ends_with('/') {
                open.push(name);
            }
        }
    }
    assert_eq!(open, Vec::<String>::new());
    all
}

#[test]
fn names_and_captions_are_text_and_never_markup() {
    let (_, svg) = drawn(SvgPlace::File);
    let elements = elements(&svg);
    assert!(!elements.contains(&"script".to_owned()), "{svg}");
    assert!(svg.contains(">&lt;script&gt;&amp;&quot;</text>"), "{svg}");
    assert!(svg.contains(">session &lt;x&gt; &amp; y</text>"), "{svg}");
    assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
}

#[test]
fn each_item_is_a_group_that_tells_itself_in_a_sentence() {
    let (diagram, svg) = drawn(SvgPlace::File);
    assert_eq!(diagram.items.len(), 3);
    for item in &diagram.items {
        let title = format!("<title>{}</title>", escaped(&item.text));
        assert_eq!(svg.matches(&title).count(), 1, "{title} in {svg}");
    }
    assert!(svg.contains(">lost: the queue was full</text>"), "{svg}");
    assert!(svg.contains(">hop 1, 890 us</text>"), "{svg}");
    for word in ["a message begins", "first copy", "lost copy"] {
        assert!(svg.contains(&format!(">{word}</text>")), "{word} in the legend of {svg}");
    }
}

#[test]
fn an_arrow_slopes_from_when_it_was_sent_to_when_it_came() {
    let (_, svg) = drawn(SvgPlace::File);
    let strong = svg.lines().find(|line| line.contains("p1#4") && line.contains("line strong")).unwrap();
    let path = strong.split_once("d=\"M").unwrap().1;
    let numbers: Vec<f64> = path.split(['M', 'L', ' ', '"']).map_while(|number| number.parse().ok()).collect();
    let [x1, y1, x2, y2] = numbers[..] else { panic!("{strong}") };
    assert!(x1 < x2 && y1 < y2, "{strong}");
}

#[test]
fn a_picture_of_a_page_is_a_sheet_high_and_says_what_it_lacks() {
    let (diagram, svg) = with_losses(SvgPlace::Page, 60);
    elements(&svg);
    assert_eq!(diagram.items.len(), 62);
    assert_eq!(svg.matches(">lost: the queue was full</text>").count(), PAGE_ROWS_MAX - 2);
    assert!(svg.contains(">not drawn: 26 items after that</text>"), "{svg}");
    let whole = with_losses(SvgPlace::File, 60).1;
    assert_eq!(whole.matches(">lost: the queue was full</text>").count(), 60);
    assert!(!whole.contains("not drawn"));
}

#[test]
fn a_picture_of_a_page_has_no_ground_of_its_own() {
    assert!(drawn(SvgPlace::File).1.contains("<rect class=\"ground\""));
    assert!(!drawn(SvgPlace::Page).1.contains("<rect class=\"ground\""));
}
