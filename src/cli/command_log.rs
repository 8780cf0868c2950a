//! Remembers what was done in this session, so that it can be saved as a scenario.

use std::collections::BTreeMap;

use crate::command::{Command, grammar};
use crate::engine::Refusal;
use crate::proto::addr::Addr;
use crate::proto::time::Time;
use crate::request::Response;
use crate::scenario::record::{DEEDS_MAX, Precision, RecordedLine, SessionRecord};
use crate::scenario::{ScriptStep, Skipped};
use crate::ui::{HostRefusal, Refusals, Refused};

/// What the user did since the network began.
#[derive(Debug, Default)]
pub(crate) struct CommandLog {
    begun: Begun,
    entries: Vec<LoggedCommand>,
    /// Commands over the limit.
    more: usize,
}

/// How the session began.
#[derive(Debug, Default)]
enum Begun {
    /// Not yet.
    #[default]
    Nothing,
    /// With this lab.
    Lab { at: Time, seeds: usize, peers: usize, response: Option<Response> },
    /// With single nodes; no scenario begins like that.
    Nodes,
}

/// Something that the user wanted.
#[derive(Debug)]
struct LoggedCommand {
    at: Time,
    command: Command,
    response: Response,
    /// Why it was not done.
    why: Option<Refusal>,
}

/// What the rest of the program knows of the session.
#[derive(Debug, Default)]
pub(crate) struct CommandLogContext<'a> {
    /// The settings of its nodes.
    pub(crate) settings: Vec<(String, String)>,
    /// The lines of the scenario that is played.
    pub(crate) steps: &'a [ScriptStep],
    /// The names of the nodes.
    pub(crate) names: &'a [(Addr, String)],
    /// What the console refused.
    pub(crate) refused: Refusals,
    /// Lines that were not done.
    pub(crate) skipped: &'a [Skipped],
}

impl CommandLog {
    /// The session began with a lab.
    pub(crate) fn begin(&mut self, at: Time, seeds: usize, peers: usize) {
        self.begun = Begun::Lab { at, seeds, peers, response: None };
    }

    /// The session began with single nodes.
    pub(crate) fn begin_with_nodes(&mut self) {
        self.begun = Begun::Nodes;
    }

    /// The session began with this command, which was carried out.
    pub(crate) fn note_first(&mut self, at: Time, command: &Command) {
        if let Command::StartLab { seeds, peers } = command {
            self.begin(at, *seeds, *peers);
        } else {
            self.begin_with_nodes();
        }
    }

    /// The session began with a lab, as far as is known by now.
    pub(crate) fn has_lab(&mut self) -> bool {
        if let Begun::Lab { response: Some(response), .. } = &mut self.begun
            && response.refusal().is_some()
        {
            self.begun = Begun::Nothing;
            self.entries.clear();
        }
        matches!(self.begun, Begun::Lab { .. })
    }

    /// The user wanted this; whether it is done will be known later. Over the limit it is only
    /// counted.
    pub(crate) fn note(&mut self, at: Time, command: Command, response: Response) {
        if self.has_lab() {
            if self.entries.len() < DEEDS_MAX {
                self.entries.push(LoggedCommand { at, command, response, why: None });
            } else {
                self.more += 1;
            }
            return;
        }
        self.begun = match (&self.begun, command) {
            (Begun::Nothing, Command::StartLab { seeds, peers }) => {
                Begun::Lab { at, seeds, peers, response: Some(response) }
            }
            (Begun::Nothing | Begun::Lab { .. } | Begun::Nodes, _) => Begun::Nodes,
        };
    }

    /// The whole session as a scenario.
    pub(crate) fn scenario(&mut self, context: CommandLogContext<'_>, now: Time) -> Result<String, HostRefusal> {
        let (true, Begun::Lab { at, seeds, peers, .. }) = (self.has_lab(), &self.begun) else {
            return Err(HostRefusal::NoLab);
        };
        let (began, seeds, peers) = (*at, *seeds, *peers);
        let names: BTreeMap<Addr, &str> = context.names.iter().map(|(addr, name)| (*addr, name.as_str())).collect();
        let name = |addr: Addr| names.get(&addr).map_or_else(|| addr.name(), |name| (*name).to_owned());
        let record = SessionRecord {
            seeds,
            peers,
            settings: context.settings,
            steps: context.steps.to_vec(),
            skipped: context.skipped.to_vec(),
            deeds: self.deeds(began, &context.refused.kept, &name),
            more: self.more + context.refused.more,
            lasted: now.since(began),
            precision: Precision::Milliseconds,
        };
        Ok(record.text())
    }

    fn deeds(&mut self, began: Time, refused: &[Refused], name: &dyn Fn(Addr) -> String) -> Vec<RecordedLine> {
        let refused = refused.iter().filter(|refused| refused.at >= began);
        let refused =
            refused.map(|refused| RecordedLine::not_done(refused.at.since(began), refused.what.clone(), &refused.why));
        let entries = self.entries.iter_mut().filter_map(|entry| {
            let at = entry.at.since(began);
            entry.why = entry.why.take().or_else(|| entry.response.refusal());
            match &entry.why {
                None => RecordedLine::done(at, &entry.command, name),
                Some(why) => Some(RecordedLine::not_done(at, grammar::text(&entry.command, name), why)),
            }
        });
        entries.chain(refused).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::request::Request;
    use crate::scenario::Script;
    use crate::ui::Objection;

    const P1: Addr = Addr::loopback(40_000);

    fn at(ms: u64) -> Time {
        Time::from_micros(1_000_000) + Duration::from_millis(ms)
    }

    fn no_seeds(why: &str) -> Refusal {
        Refusal::NoSeedList(why.to_owned())
    }

    fn answered(result: Result<(), Refusal>) -> Response {
        let (request, answer) = Request::new(Command::Quit);
        request.split().1.answer(result);
        answer
    }

    fn saved(command_log: &mut CommandLog, refused: &[Refused]) -> Result<String, HostRefusal> {
        let names = [(P1, "p1".to_owned())];
        let refused = Refusals { kept: refused.to_vec(), more: 0 };
        command_log.scenario(CommandLogContext { names: &names, refused, ..CommandLogContext::default() }, at(10_000))
    }

    #[test]
    fn refused_commands_are_saved_as_comments_in_their_place() {
        let mut command_log = CommandLog::default();
        command_log.begin(at(0), 1, 2);
        command_log.note(
            at(1_000),
            Command::Say { node: P1, body: "long".into() },
            answered(Err(no_seeds("too long"))),
        );
        command_log.note(at(2_000), Command::Kill(P1), answered(Ok(())));
        let (request, answer) = Request::new(Command::Restart(P1));
        command_log.note(at(4_000), Command::Restart(P1), answer);
        let refusal =
            Refused { at: at(3_000), what: "hang p1".to_owned(), why: Objection::Line("p1 does not run".to_owned()) };
        let began = "lab 1 2\n\n# at 1s, not done: 'say p1 long': too long\n\n2s kill p1\n\
                     # at 3s, not done: 'hang p1': p1 does not run\n\n";
        let text = saved(&mut command_log, std::slice::from_ref(&refusal)).unwrap();
        assert!(text.ends_with(&format!("{began}4s restart p1\n10s end\n")), "{text}");
        Script::parse(&text).unwrap();
        request.split().1.answer(Err(no_seeds("its address is in use")));
        for _ in 0..2 {
            let text = saved(&mut command_log, std::slice::from_ref(&refusal)).unwrap();
            let last = "# at 4s, not done: 'restart p1': its address is in use\n\n10s end\n";
            assert!(text.ends_with(&format!("{began}{last}")), "{text}");
        }
    }

    #[test]
    fn a_session_that_did_not_begin_with_a_lab_is_no_scenario() {
        let lab = || Command::StartLab { seeds: 1, peers: 2 };
        let mut command_log = CommandLog::default();
        command_log.note(at(0), lab(), answered(Err(no_seeds("too many files"))));
        assert!(saved(&mut command_log, &[]).unwrap_err().to_string().starts_with("a scenario begins with a lab"));
        command_log.note(at(1_000), lab(), answered(Ok(())));
        assert!(saved(&mut command_log, &[]).unwrap().ends_with("lab 1 2\n\n9s end\n"), "the second one was started");
        let mut command_log = CommandLog::default();
        command_log.begin_with_nodes();
        command_log.note(at(0), lab(), answered(Ok(())));
        assert!(saved(&mut command_log, &[]).is_err(), "its names would be others");
    }
}
