//! What was done in this session, so that it can be written down as a scenario.

use std::collections::BTreeMap;

use super::plan::Plan;
use super::settings;
use crate::command::Command;
use crate::proto::addr::Addr;
use crate::proto::time::Time;
use crate::scenario::record::{DEEDS_MAX, Deed, Record};

/// What the user did since the network began.
#[derive(Debug, Default)]
pub(crate) struct Diary {
    begun: Option<Begun>,
    deeds: Vec<Deed>,
}

/// The network that the session began with.
#[derive(Debug, Clone, Copy)]
struct Begun {
    at: Time,
    seeds: usize,
    peers: usize,
}

impl Diary {
    /// A lab was started, and is all there is.
    pub(crate) fn begin(&mut self, at: Time, seeds: usize, peers: usize) {
        self.begun = Some(Begun { at, seeds, peers });
    }

    /// The user did this. Beyond a limit nothing is noted any more.
    pub(crate) fn note(&mut self, at: Time, command: &Command) {
        match (self.begun, command) {
            (None, Command::StartLab { seeds, peers }) if self.deeds.is_empty() => self.begin(at, *seeds, *peers),
            (Some(begun), _) if self.deeds.len() < DEEDS_MAX => {
                self.deeds.push(Deed { at: at.since(begun.at), command: command.clone() });
            }
            (Some(_) | None, _) => {}
        }
    }

    /// All of it as a scenario; the error is a line for the user.
    pub(crate) fn scenario(&self, plan: &Plan, names: &[(Addr, String)], now: Time) -> Result<String, String> {
        let Some(Begun { at, seeds, peers }) = self.begun else {
            return Err("a scenario begins with a lab, and this session did not: see gossipctl lab".to_owned());
        };
        let names: BTreeMap<Addr, &str> = names.iter().map(|(addr, name)| (*addr, name.as_str())).collect();
        let name = |addr: Addr| names.get(&addr).map_or_else(|| addr.to_string(), |name| (*name).to_owned());
        let steps = plan.scenario.as_ref().map(|file| file.script.steps.clone()).unwrap_or_default();
        let (settings, deeds) = (settings::written(plan.lab_settings()), self.deeds.clone());
        Ok(Record { seeds, peers, settings, steps, deeds, lasted: now.since(at) }.text(&name))
    }
}
