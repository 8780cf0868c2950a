use proptest::prelude::*;

use super::*;
use crate::proto::fault::Percent;

/// p1 to p4 and s1 run here; 127.0.0.1:4000 elsewhere.
struct Lab;

const FAR: Addr = Addr::loopback(4000);

fn p(number: u16) -> Addr {
    Addr::loopback(2999 + number)
}

fn name(addr: Addr) -> String {
    match addr.port() {
        3000..3004 => format!("p{}", addr.port() - 2999),
        5000 => "s1".to_owned(),
        _ => addr.to_string(),
    }
}

impl Names for Lab {
    fn find(&self, word: &str) -> Option<Addr> {
        [p(1), p(2), p(3), p(4), Addr::loopback(5000), FAR].into_iter().find(|addr| name(*addr) == word)
    }

    fn is_ours(&self, node: Addr) -> bool {
        node != FAR
    }
}

fn read(line: &str) -> Command {
    let mut commands = parse(line, &Lab).unwrap_or_else(|error| panic!("{line}: {error}"));
    assert_eq!(commands.len(), 1, "{line}");
    commands.remove(0)
}

fn set(what: FaultKind, on: Scope) -> Command {
    Command::Fault(FaultCommand::Set(Fault { what, on }))
}

fn clear(kind: FaultClass, on: Scope) -> Command {
    Command::Fault(FaultCommand::Clear { kind, on })
}

fn percent(of_hundred: u8) -> Percent {
    Percent::new(of_hundred).unwrap()
}

fn refused(line: &str) -> String {
    parse(line, &Lab).unwrap_err().to_string()
}

#[test]
fn cut_cuts_the_wire_to_our_nodes_and_gives_up_others() {
    assert_eq!(read("cut p2 p1"), set(FaultKind::Cut, Scope::Link(p(1), p(2))));
    assert_eq!(read("heal p1 p2"), clear(FaultClass::Cut, Scope::Link(p(1), p(2))));
    assert_eq!(read("cut 127.0.0.1:4000 p1"), Command::Cut { node: p(1), peer: FAR });
    assert_eq!(read("heal p1 127.0.0.1:4000"), Command::Heal { node: p(1), peer: FAR });
    assert_eq!(read("heal"), Command::Fault(FaultCommand::HealAll));
    assert_eq!(read("heal partition"), Command::Fault(FaultCommand::HealPartitions));
    assert_eq!(read("partition p3 p1 p3"), set(FaultKind::Cut, Scope::Border(vec![p(1), p(3)])));
}

#[test]
fn amounts_stand_after_one_node_two_nodes_or_all() {
    let delay = |by_ms: u64, jitter_ms: u64| FaultKind::Delay { by_us: by_ms * 1_000, jitter_us: jitter_ms * 1_000 };
    assert_eq!(read("delay p1 p2 100ms 50ms"), set(delay(100, 50), Scope::link(p(1), p(2))));
    assert_eq!(read("delay p1 200ms"), set(delay(200, 0), Scope::Node(p(1))));
    assert_eq!(read("delay p1 127.0.0.1:4000 1s"), set(delay(1_000, 0), Scope::link(p(1), FAR)));
    assert_eq!(read("loss all 30%"), set(FaultKind::Loss { percent: percent(30) }, Scope::All));
    assert_eq!(read("duplicate p1 5"), set(FaultKind::Duplicate { percent: percent(5) }, Scope::Node(p(1))));
    let reorder = FaultKind::Reorder { percent: percent(20), window_us: 100_000 };
    assert_eq!(read("reorder p1 20%"), set(reorder, Scope::Node(p(1))));
    assert_eq!(read("slow p3 10/s"), set(FaultKind::Slow { per_s: 10 }, Scope::Node(p(3))));
    assert_eq!(read("skew p2 -200ms"), set(FaultKind::Skew { by_us: -200_000 }, Scope::Node(p(2))));
    assert_eq!(read("junk p4"), set(FaultKind::Junk { per_s: 1 }, Scope::Node(p(4))));
    assert_eq!(read("loss p1 p2 off"), clear(FaultClass::Loss, Scope::link(p(1), p(2))));
    assert_eq!(read("junk p4 off"), clear(FaultClass::Junk, Scope::Node(p(4))));
}

#[test]
fn a_text_is_quoted_only_where_it_would_not_read_back() {
    let say = |text: &str| Command::Say { node: p(1), body: text.into() };
    assert_eq!(read("say p1 a  \"b\" c "), say("a  \"b\" c"));
    assert_eq!(read(r#"say p1 " two\nlines ""#), say(" two\nlines "));
    assert_eq!(read(r#"say p1 "one" "other""#), say(r#""one" "other""#));
    assert_eq!(read(r#"say p1 ""#), say("\""));
    assert_eq!(refused(r#"say p1 """#), "a message needs a text");
    assert_eq!(text(&say(" two\nlines "), &name), r#"say p1 " two\nlines ""#);
    assert_eq!(text(&say("it's 5s #1"), &name), "say p1 it's 5s #1");
}

#[test]
fn several_nodes_give_several_commands() {
    assert_eq!(parse("kill p1 p3", &Lab), Ok(vec![Command::Kill(p(1)), Command::Kill(p(3))]));
}

#[test]
fn what_is_wrong_is_named_with_what_was_expected() {
    assert_eq!(refused("kil p1"), "no command 'kil'");
    assert_eq!(refused("loss p9 30%"), "no node 'p9': expected a name such as p1, or an address");
    assert_eq!(refused("loss p1 130%"), "'130%': expected a percentage such as 30%, from 1% to 100%; off to end it");
    assert_eq!(refused("delay p1 100"), "'100': expected a time such as 100ms, at most a day");
    assert_eq!(
        refused("skew p1 ++5s"),
        "'++5s': expected a clock error, ahead or behind, such as +5s or -200ms, at most a day"
    );
    assert_eq!(
        refused("slow p1 0/s"),
        "'0/s': expected a rate per second, such as 5/s, from 1/s to 100000/s; off to end it"
    );
    assert_eq!(refused("cut p1"), "expected cut NODE NODE");
    assert_eq!(refused("partition"), "expected partition NODE..");
    assert_eq!(refused("lab 0 3"), "'0' is not a number of seeds: expected 1 to 64");
    assert_eq!(refused("lab 2 1000001"), "'1000001' is not a number of peers: expected 1 to 1000000");
    assert_eq!(
        refused("peer 224.0.0.1:3000"),
        "224.0.0.1:3000 cannot be dialed, and a node's address is its name: give one that other nodes can reach"
    );
    assert_eq!(refused("say p1"), "a message needs a text");
    assert_eq!(parse("loss p1 130%", &Lab).unwrap_err().word(), "130%");
}

#[test]
fn a_word_too_many_is_named_whatever_the_command() {
    let lines = [
        ("calm now", "calm takes nothing", "now"),
        ("seed 5003 5004", "seed takes [ADDRESS]", "5004"),
        ("peer auto please", "peer takes [ADDRESS]", "please"),
        ("lab 2 8 9", "lab takes SEEDS PEERS", "9"),
        ("cut p1 p2 p3", "cut takes NODE NODE", "p3"),
        ("heal p1 p2 p3", "heal takes [NODE NODE]", "p3"),
        ("heal partition p1", "heal takes [NODE NODE]", "p1"),
        ("lie p1 p2 p3", "lie takes PEER NODE", "p3"),
        ("delay p1 p2 100ms 1s 2s", "delay takes WHERE TIME [MORE]", "2s"),
        ("loss p1 30% 40%", "loss takes WHERE PERCENT", "40%"),
        ("loss all off now", "loss takes WHERE PERCENT", "now"),
        ("duplicate p1 5 x", "duplicate takes WHERE PERCENT", "x"),
        ("reorder p1 20% 1s 2s", "reorder takes WHERE PERCENT", "2s"),
        ("slow p1 5/s 6/s", "slow takes NODE COUNT/s", "6/s"),
        ("skew p1 +1s ahead", "skew takes NODE +TIME", "ahead"),
        ("junk p1 1/s 2/s", "junk takes NODE [COUNT/s]", "2/s"),
    ];
    for (line, takes, word) in lines {
        assert_eq!(refused(line), format!("{takes}: unexpected '{word}'"), "{line}");
        assert_eq!(parse(line, &Lab).unwrap_err().word(), word);
    }
    let named: Vec<&str> = lines.iter().map(|(line, ..)| split(line).0).collect();
    for help in COMMANDS {
        let takes_any = help.usage.ends_with("..") || help.name == "say";
        assert!(takes_any || named.contains(&help.name), "{}", help.name);
    }
}

#[test]
fn every_command_of_the_table_can_be_read() {
    for help in COMMANDS {
        let unknown = GrammarError::NoCommand { word: help.name.to_owned() };
        assert_ne!(parse(help.name, &Lab), Err(unknown), "{}", help.name);
        assert!(help.usage.starts_with(help.name), "{}", help.usage);
    }
}

fn a_node() -> impl Strategy<Value = Addr> {
    (1..5_u16).prop_map(p)
}

fn a_span() -> impl Strategy<Value = u64> {
    1..86_400_000_000_u64
}

fn a_link() -> impl Strategy<Value = Scope> {
    (a_node(), a_node()).prop_map(|(one, other)| Scope::link(one, other))
}

fn a_place() -> impl Strategy<Value = Scope> {
    prop_oneof![Just(Scope::All), a_node().prop_map(Scope::Node)]
}

fn a_fault() -> impl Strategy<Value = Fault> {
    let percent = || (1..=100_u8).prop_map(percent);
    let rate = || 1..=100_000_u32;
    let anywhere = || prop_oneof![a_place(), a_link()];
    let fault = |(what, on)| Fault { what, on };
    let of_messages = prop_oneof![
        (a_span(), prop_oneof![Just(0), a_span()]).prop_map(|(by_us, jitter_us)| FaultKind::Delay { by_us, jitter_us }),
        percent().prop_map(|percent| FaultKind::Loss { percent }),
        percent().prop_map(|percent| FaultKind::Duplicate { percent }),
        (percent(), a_span()).prop_map(|(percent, window_us)| FaultKind::Reorder { percent, window_us }),
    ];
    let of_nodes = prop_oneof![
        rate().prop_map(|per_s| FaultKind::Slow { per_s }),
        rate().prop_map(|per_s| FaultKind::Junk { per_s }),
        (-86_400_000_000..86_400_000_000_i64).prop_map(|by_us| FaultKind::Skew { by_us }),
    ];
    let border = prop::collection::vec(a_node(), 1..4).prop_map(Scope::border);
    prop_oneof![
        (of_messages, anywhere()).prop_map(fault),
        (of_nodes, a_place()).prop_map(fault),
        (Just(FaultKind::Cut), prop_oneof![a_link(), border]).prop_map(fault),
    ]
}

fn a_command() -> impl Strategy<Value = Command> {
    let cleared = |fault: Fault| match (fault.what, &fault.on) {
        (FaultKind::Cut, Scope::Border(_)) => FaultCommand::HealPartitions,
        _ => FaultCommand::Clear { kind: fault.what.class(), on: fault.on },
    };
    prop_oneof![
        a_fault().prop_map(|fault| Command::Fault(FaultCommand::Set(fault))),
        a_fault().prop_map(move |fault| Command::Fault(cleared(fault))),
        (a_node(), a_node()).prop_map(|(liar, about)| Command::Fault(FaultCommand::Lie { liar, about })),
        Just(Command::Fault(FaultCommand::HealAll)),
        Just(Command::Fault(FaultCommand::Calm)),
        a_node().prop_map(Command::Kill),
        a_node().prop_map(Command::Restart),
        a_node().prop_map(|node| Command::Cut { node, peer: FAR }),
        (1..9_usize, 1..99_usize).prop_map(|(seeds, peers)| Command::StartLab { seeds, peers }),
        (a_node(), prop_oneof!["[a-z]{1,9}( [a-z]{1,9})?", "(?s).{1,20}", "\"[ a-z\\\\\"\n]{0,5}\""])
            .prop_map(|(node, text)| Command::Say { node, body: text.as_str().into() }),
    ]
}

proptest! {
    #[test]
    fn a_command_that_was_written_reads_back_as_it_was(command in a_command()) {
        prop_assert_eq!(read(&text(&command, &name)), command);
    }

    #[test]
    fn no_line_is_too_strange_to_be_read(line in ".{0,60}") {
        let _ = parse(&line, &Lab);
    }
}
