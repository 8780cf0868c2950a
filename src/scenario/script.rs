//! A scenario as it is written, read line by line.

use std::time::Duration;

use super::claim::{Claim, MessageRef};
use super::expect::{self, ClaimWindow, Expect};
use super::rehearsal::{Rehearsal, spoken};
use super::time::{When, split_time};
use super::words::brief;
use crate::command::Command;
use crate::command::grammar::{at_most, split};
use crate::command::limits::NetworkLimits;
use crate::command::words::{WordError, lab_peers, lab_seeds};
use crate::engine::Refusal;
use crate::proto::fault::span_word;
use crate::proto::message::Dialect;
use crate::proto::text::Escaped;

/// A scenario, read and rehearsed, without errors that can be found before it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The comment at its top.
    pub about: Vec<String>,
    /// Seeds at the start.
    pub seeds: usize,
    /// The line of its lab, counted from 1.
    lab_line: usize,
    /// Peers at the start.
    pub peers: usize,
    /// Settings of its nodes, as written.
    pub settings: Vec<Setting>,
    /// What is done and expected, in order.
    pub steps: Vec<ScriptStep>,
}

/// A setting of the nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Line number, counted from 1.
    pub line: usize,
    /// The name of its flag, without dashes.
    pub name: String,
    pub value: String,
}

/// An action or an expectation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptStep {
    /// Line number, counted from 1.
    pub line: usize,
    /// Time since the start.
    pub at: Duration,
    /// The line without its time.
    pub text: String,
    /// The comment right above it.
    pub comment: Vec<String>,
    pub(super) what: Step,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// A command; its text is read again when it runs, when nodes have their addresses.
    Command,
    Expect(Expect),
    /// The scenario is over.
    End,
}

/// An error in a scenario.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}: {what}")]
pub struct ScriptError {
    /// Line number, counted from 1.
    pub line: usize,
    /// The word at fault, and what was expected.
    pub what: String,
}

impl Script {
    /// Reads a scenario. Stops at the first error: later ones may follow from it.
    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        // Some editors put a byte order mark before UTF-8 text.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reader = ScriptReader::default();
        for (line, text) in (1..).zip(text.lines()) {
            let read = check_text(text).and_then(|()| reader.take(line, text.trim()));
            read.map_err(|what| ScriptError { line, what: brief(&what) })?;
        }
        reader.finish(text.lines().count().max(1))
    }

    /// A scenario of a lab without steps.
    pub fn of_lab(seeds: usize, peers: usize) -> Self {
        Self { about: Vec::new(), lab_line: 1, seeds, peers, settings: Vec::new(), steps: Vec::new() }
    }

    /// The dialect of its nodes, unless something else overrides it.
    pub fn dialect(&self) -> Dialect {
        dialect(&self.settings)
    }

    /// Rehearses it again with nodes of this dialect and with these limits. The error names the
    /// first line that cannot be done then.
    pub fn rehearse(&self, dialect: Dialect, limits: NetworkLimits) -> Result<(), ScriptError> {
        let begun = Rehearsal::new(self.seeds, self.peers, dialect, limits);
        let mut rehearsal = begun.map_err(|why| ScriptError { line: self.lab_line, what: why.to_string() })?;
        for ScriptStep { line, text, what, .. } in &self.steps {
            if *what == Step::Command {
                let done = rehearsal.try_out(Some(*line), text);
                done.map_err(|what| ScriptError { line: *line, what: brief(&what) })?;
            }
        }
        Ok(())
    }
}

impl ScriptStep {
    /// When this step is done or decided at the latest.
    pub(super) fn decided_at(&self) -> Duration {
        match &self.what {
            Step::Command | Step::End => self.at,
            Step::Expect(expect) => self.at + expect.window.span(),
        }
    }
}

/// What has been read so far.
#[derive(Debug, Default)]
struct ScriptReader {
    about: Vec<String>,
    comment: Vec<String>,
    lab: Option<Lab>,
    settings: Vec<Setting>,
    steps: Vec<ScriptStep>,
    /// What the step before says, if it is a `say`.
    said: Option<MessageRef>,
}

/// The lab at the start of the scenario.
#[derive(Debug)]
struct Lab {
    line: usize,
    seeds: usize,
    peers: usize,
    /// Present from the first line on that does something.
    rehearsal: Option<Rehearsal>,
}

impl ScriptReader {
    fn take(&mut self, line: usize, text: &str) -> Result<(), String> {
        if let Some(comment) = text.strip_prefix('#') {
            self.comment.push(comment.trim().to_owned());
            return Ok(());
        }
        if text.is_empty() {
            self.end_comment();
            return Ok(());
        }
        if self.steps.last().is_some_and(|step| step.what == Step::End) {
            return Err(format!("'{}' comes after the end: expected nothing more", split(text).0));
        }
        match split(text) {
            ("lab", rest) => self.lab(line, rest),
            ("set", rest) => self.set(line, rest),
            _ => self.step(line, text),
        }
    }

    /// The comment at the top is about the whole; any other belongs to the line below it.
    fn end_comment(&mut self) {
        let comment = std::mem::take(&mut self.comment);
        if self.about.is_empty() && self.lab.is_none() && self.settings.is_empty() {
            self.about = comment;
        }
    }

    fn lab(&mut self, line: usize, rest: &str) -> Result<(), String> {
        self.end_comment();
        if self.lab.is_some() {
            return Err(Refusal::SecondLab.to_string());
        }
        at_most::<2>("lab SEEDS PEERS", rest).map_err(|error| error.to_string())?;
        let words: Vec<&str> = rest.split_whitespace().collect();
        let [seeds, peers] = words[..] else {
            return Err("expected 'lab SEEDS PEERS', such as 'lab 2 8'".to_owned());
        };
        let told = |fault: WordError| fault.to_string();
        let (seeds, peers) = (lab_seeds(seeds).map_err(told)?, lab_peers(peers).map_err(told)?);
        self.lab = Some(Lab { line, seeds, peers, rehearsal: None });
        Ok(())
    }

    fn set(&mut self, line: usize, rest: &str) -> Result<(), String> {
        self.end_comment();
        if !self.steps.is_empty() {
            return Err("'set' comes too late: expected it before the first line that does something".to_owned());
        }
        let (name, value) = split(rest);
        if name.is_empty() || value.is_empty() {
            return Err("expected 'set NAME VALUE', such as 'set gossip-interval 1s'".to_owned());
        }
        if let Some(other) = self.settings.iter().find(|setting| setting.name == name) {
            return Err(format!("'{name}' is set in line {} already: expected it once", other.line));
        }
        self.settings.push(Setting { line, name: name.to_owned(), value: value.to_owned() });
        Ok(())
    }

    fn step(&mut self, line: usize, text: &str) -> Result<(), String> {
        let Some(lab) = &mut self.lab else {
            return Err(format!("'{}' comes too early: expected 'lab SEEDS PEERS' first", split(text).0));
        };
        let dialect = dialect(&self.settings);
        let rehearsal = match &mut lab.rehearsal {
            Some(rehearsal) => rehearsal,
            begun @ None => {
                // Where it will run is not known yet: `rehearse` looks again where fewer nodes fit.
                let rehearsal = Rehearsal::new(lab.seeds, lab.peers, dialect, NetworkLimits::VIRTUAL);
                begun.insert(rehearsal.map_err(|refusal| refusal.to_string())?)
            }
        };
        let (when, text) = split_time(text)?;
        let at = moment(when, self.steps.last())?;
        // All expectations right after a `say` are about its message.
        let above = self.said.take().filter(|_| same_moment(&self.steps, at));
        let what = match split(text) {
            ("", _) => return Err("a time without a command: expected a command, 'expect' or 'end'".to_owned()),
            ("end", "") => end(&self.steps, at)?,
            ("end", more) => return Err(format!("'{more}' cannot follow 'end': expected the end of the line")),
            ("expect", rest) => {
                let expect = about(expect::parse(rest)?, above.clone());
                self.said = above;
                Step::Expect(has_time(expect)?)
            }
            _ => {
                self.said = said(rehearsal.try_out(Some(line), text)?, text);
                Step::Command
            }
        };
        if let Step::Expect(Expect { claim, .. }) = &what {
            rehearsal.check_known(claim.nodes())?;
        }
        let comment = std::mem::take(&mut self.comment);
        self.steps.push(ScriptStep { line, at, text: text.to_owned(), comment, what });
        Ok(())
    }

    fn finish(self, lines: usize) -> Result<Script, ScriptError> {
        let Self { about, lab, settings, steps, .. } = self;
        match lab {
            Some(Lab { line, seeds, peers, .. }) => Ok(Script { about, lab_line: line, seeds, peers, settings, steps }),
            None => {
                Err(ScriptError { line: lines, what: "the end, and no lab: expected 'lab SEEDS PEERS'".to_owned() })
            }
        }
    }
}

/// Lines are shown on a terminal, which control characters would act on.
fn check_text(line: &str) -> Result<(), String> {
    // Not at every blank: some blanks are control characters.
    let mut words = line.split([' ', '\t']);
    match words.find(|word| word.contains(char::is_control)) {
        Some(word) => {
            let word = Escaped(word.as_bytes());
            Err(format!(
                "'{word}' has a control character: expected text; in a message, write it in quotes, as in JSON"
            ))
        }
        None => Ok(()),
    }
}

/// The dialect in these settings. A bad value is reported by whoever reads them all.
fn dialect(settings: &[Setting]) -> Dialect {
    spoken(settings.iter().map(|setting| (setting.name.as_str(), setting.value.as_str())))
}

/// Time since the start. Times never go back.
fn moment(when: When, before: Option<&ScriptStep>) -> Result<Duration, String> {
    let last = before.map_or(Duration::ZERO, |step| step.at);
    match (when, before) {
        (When::At(at), Some(before)) if at < last => {
            let (at, last) = (span_word(at), span_word(last));
            Err(format!("'{at}' is in the past: line {} is at {last}, so expected {last} or later", before.line))
        }
        (When::At(at), _) => Ok(at),
        (When::After(span), _) => Ok(last + span),
        (When::Together, _) => Ok(last),
    }
}

fn same_moment(steps: &[ScriptStep], at: Duration) -> bool {
    steps.last().is_some_and(|step| step.at == at)
}

/// The `end` step; all expectations must be decided by then.
fn end(steps: &[ScriptStep], at: Duration) -> Result<Step, String> {
    match steps.iter().find(|step| step.decided_at() > at) {
        Some(open) => {
            let (at, later) = (span_word(at), span_word(open.decided_at()));
            Err(format!("'end' at {at} is too early: line {} is decided at {later}", open.line))
        }
        None => Ok(Step::End),
    }
}

/// What a `say` sends, for a claim about it.
fn said(commands: Vec<Command>, text: &str) -> Option<MessageRef> {
    match commands.into_iter().next() {
        Some(Command::Say { body, .. }) => {
            let origin = split(split(text).1).0.to_owned();
            Some(MessageRef::Said { origin, body })
        }
        Some(_) | None => None,
    }
}

/// At the moment when a message begins no other node has it, and a later message is not there yet.
fn has_time(expect: Expect) -> Result<Expect, String> {
    let is_beginning = match &expect.claim {
        Claim::Coverage { message: MessageRef::Next | MessageRef::Said { .. }, .. } => true,
        Claim::Coverage { message: MessageRef::Named(_), .. } | Claim::Network(_) | Claim::Node(..) => false,
    };
    if is_beginning && expect.window == ClaimWindow::Now {
        return Err(
            "a message that begins needs its time: expected 'within' or 'for' and a time, such as 5s, or 'of' and a \
                    message that has begun, such as p3#2"
                .to_owned(),
        );
    }
    Ok(expect)
}

/// A claim about the next message is about the one that was just said, if there is one.
fn about(expect: Expect, said: Option<MessageRef>) -> Expect {
    match (expect.claim, said) {
        (Claim::Coverage { percent, message: MessageRef::Next }, Some(said)) => {
            Expect { claim: Claim::Coverage { percent, message: said }, ..expect }
        }
        (claim, _) => Expect { claim, ..expect },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Script {
        Script::parse(text).unwrap()
    }

    fn error(text: &str) -> String {
        Script::parse(text).unwrap_err().to_string()
    }

    fn expectations(script: &Script) -> usize {
        script.steps.iter().filter(|step| matches!(step.what, Step::Expect(_))).count()
    }

    fn length(script: &Script) -> Duration {
        script.steps.iter().map(ScriptStep::decided_at).max().unwrap_or_default()
    }

    #[test]
    fn a_scenario_is_read_with_its_times_and_its_comments() {
        let script = read(
            "# How a death is found.\n# And told.\n\nset gossip-interval 1s\nlab 2 8\n\n# It falls silent.\n5s hang p3\n\
             expect no dead\n+2s expect dead p3 within 10s\n\n1m kill p1 p2\nend\n",
        );
        assert_eq!(script.about, ["How a death is found.", "And told."]);
        assert_eq!((script.seeds, script.peers, expectations(&script)), (2, 8, 2));
        let setting = Setting { line: 4, name: "gossip-interval".to_owned(), value: "1s".to_owned() };
        assert_eq!(script.settings, [setting]);
        let steps: Vec<_> =
            script.steps.iter().map(|step| (step.line, step.at.as_secs(), step.text.as_str())).collect();
        let lines = [
            (8, 5, "hang p3"),
            (9, 5, "expect no dead"),
            (10, 7, "expect dead p3 within 10s"),
            (12, 60, "kill p1 p2"),
            (13, 60, "end"),
        ];
        assert_eq!(steps, lines);
        assert_eq!(script.steps[0].comment, ["It falls silent."]);
        assert!(script.steps[3].comment.is_empty());
        assert_eq!(length(&script), Duration::from_secs(60));
    }

    #[test]
    fn coverage_after_a_say_is_that_of_what_was_said() {
        let claims = |text| match &read(text).steps.last().unwrap().what {
            Step::Expect(Expect { claim: Claim::Coverage { message, .. }, .. }) => message.clone(),
            other => panic!("{other:?}"),
        };
        let said = MessageRef::Said { origin: "p1".to_owned(), body: "all right".into() };
        assert_eq!(claims("lab 1 3\n1s say p1 all right\nexpect coverage 100% within 1s"), said);
        assert_eq!(claims("lab 1 3\n1s say p1 all right\n+1s expect coverage 100% within 1s"), MessageRef::Next);
        assert_eq!(claims("lab 1 3\n1s kill p1\nexpect coverage 100% within 1s"), MessageRef::Next);
    }

    #[test]
    fn an_error_names_the_line_the_word_and_what_was_expected() {
        assert_eq!(error(""), "1: the end, and no lab: expected 'lab SEEDS PEERS'");
        assert_eq!(error("\n5s kill p1"), "2: '5s' comes too early: expected 'lab SEEDS PEERS' first");
        let coverage = error("lab 1 3\n1s say p1 x\nexpect coverage 100%");
        assert!(
            coverage.starts_with("3: a message that begins needs its time: expected 'within' or 'for'"),
            "{coverage}"
        );
        assert_eq!(error("lab 2"), "1: expected 'lab SEEDS PEERS', such as 'lab 2 8'");
        assert_eq!(error("lab 2 8 9"), "1: lab takes SEEDS PEERS: unexpected '9'");
        assert_eq!(error("lab 2 8\ncalm now"), "2: calm takes nothing: unexpected 'now'");
        assert_eq!(error("lab 2 none"), "1: 'none' is not a number of peers: expected 1 to 1000000");
        assert_eq!(error("lab 0 8"), "1: '0' is not a number of seeds: expected 1 to 64");
        assert!(error("lab 2 8\nlab 2 8").starts_with("2: there is a lab already"));
        assert_eq!(error("lab 2 8\n5s"), "2: a time without a command: expected a command, 'expect' or 'end'");
        assert!(error("lab 2 8\n5 kill p1").starts_with("2: '5' is no time: expected a number with a unit"));
        assert!(error("lab 2 8\nexpect luck").starts_with("2: 'luck' cannot be expected: expected coverage 100%"));
        assert!(error("lab 2 8\nset gossip-interval").contains("expected 'set NAME VALUE'"));
        assert!(error("lab 2 8\n1s kill p1\nset messages 1").starts_with("3: 'set' comes too late"));
        assert_eq!(error("set a 1\nset a 2"), "2: 'a' is set in line 1 already: expected it once");
    }

    #[test]
    fn odd_bytes_in_a_script_are_read_or_shown_escaped() {
        let script = read("\u{feff}lab 2 8\r\n\t5s\thang\tp3\r\n\r\n+1s calm\r\n");
        assert_eq!((script.steps.len(), length(&script)), (2, Duration::from_secs(6)));
        let control = "has a control character: expected text; in a message, write it in quotes, as in JSON";
        assert_eq!(error("lab 2 8\n5s hang\0 p3"), format!("2: 'hang\\x00' {control}"));
        assert_eq!(error("lab 2 8\n# \x1b[31mred"), format!("2: '\\x1b[31mred' {control}"));
        read(
            r#"lab 2 8
            5s say p1 "\u001b[31mred""#,
        );
    }

    #[test]
    fn a_time_in_the_past_is_refused() {
        assert!(error("lab 2 8\n-5s kill p1").starts_with("2: '-5s' is no time"));
        let text = "lab 2 8\n5s kill p1\n3s restart p1";
        assert_eq!(error(text), "3: '3s' is in the past: line 2 is at 5s, so expected 5s or later");
    }

    #[test]
    fn a_tab_is_a_blank_and_other_control_characters_are_errors() {
        for (blank, told) in [('\u{b}', "\\x0b"), ('\u{c}', "\\x0c"), ('\u{85}', "")] {
            let error = error(&format!("lab 2 8\n1s say p1 one{blank}two"));
            assert!(error.starts_with("2: 'one") && error.contains("has a control character"), "{error:?}");
            assert!(error.contains(told) && !error.contains(blank), "{error:?}");
            assert!(Script::parse(&format!("# one{blank}two\nlab 2 8")).is_err(), "in a comment");
        }
        read("lab\t2 8\n1s\tkill\tp1");
    }

    #[test]
    fn an_error_shows_both_ends_of_a_long_word() {
        let long = "a".repeat(200_000);
        let lines = [
            format!("{long} p1"),
            format!("kill {long}"),
            format!("loss all {long}"),
            format!("say {} p1", "a b ".repeat(50_000)),
            format!("say p1 {}", "a b ".repeat(50_000)),
            format!("expect dead {long}"),
            format!("expect {long}"),
            format!("{long}\u{1}"),
            format!("1{long} kill p1"),
        ];
        for line in lines {
            let error = error(&format!("lab 2 8\n{line}"));
            assert!(error.len() < 800, "{} bytes for {}", error.len(), &line[..20]);
        }
        let told = error(&format!("lab 2 8\nkill {long}z"));
        assert!(told.contains("no node 'aaaa") && told.contains("…aaaaaz'"), "{told}");
    }

    #[test]
    fn the_end_comes_last_and_leaves_nothing_open() {
        let text = "lab 2 8\n5s expect connected within 10s\n+5s end";
        assert_eq!(error(text), "3: 'end' at 10s is too early: line 2 is decided at 15s");
        assert_eq!(error("lab 2 8\n5s end\nkill p1"), "3: 'kill' comes after the end: expected nothing more");
        assert_eq!(error("lab 2 8\n5s end now"), "2: 'now' cannot follow 'end': expected the end of the line");
    }

    #[test]
    fn what_cannot_be_done_to_a_node_is_known_before_anything_runs() {
        assert!(error("lab 2 8\n1s kill p9").starts_with("2: no node 'p9'"), "{}", error("lab 2 8\n1s kill p9"));
        assert_eq!(error("lab 2 8\n1s kill p3\n+1s kill p3"), "3: 'kill p3': p3 was killed in line 2");
        assert_eq!(error("lab 2 8\n1s kill p3\n+1s say p3 hello"), "3: 'say p3 hello': p3 was killed in line 2");
        assert_eq!(error("lab 2 8\n1s restart p3"), "2: 'restart p3': p3 runs: kill or hang it first");
        assert_eq!(
            error("lab 2 8\n1s say s1 hello"),
            "2: 'say s1 hello': s1 is a seed, and seeds do not gossip: choose a peer"
        );
        assert!(error("lab 2 8\n1s expect dead p9").starts_with("2: no node 'p9'"));
        read("lab 2 8\n1s kill p3\n+1s restart p3\n+1s kill p3\n+1s peer\n+1s kill p9");
        read("lab 2 8\n1s kill p3\nhang p4\n+1s calm\nkill p3 p4");
        assert_eq!(
            error("lab 2 8\n1s kill p3\n+1s calm\nrestart p3"),
            "4: 'restart p3': p3 runs: kill or hang it first"
        );
    }
}
