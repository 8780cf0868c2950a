//! Why a seed's list is different from what is alive.

use super::{Evidence, Explanation, Teller, in_order};
use crate::event::DelistReason;
use crate::model::Model;
use crate::model::death::{SeedAct, SeedStep};
use crate::model::node::{Life, Node};
use crate::model::seed::SeedView;
use crate::model::sentence::delisted;
use crate::model::words::{clock_text, count_text, span_text};
use crate::proto::addr::Addr;
use crate::proto::message::Role;
use crate::proto::time::Time;

/// Differences that a verdict names; all are in the evidence.
const CLAUSES_MAX: usize = 3;

/// Who is on this seed's list without being alive, and who is alive without being on it; why, in each
/// case.
pub fn why_seed(model: &Model, seed: Addr, now: Time, utc_offset_s: i32) -> Explanation {
    let teller = Teller { model, utc_offset_s };
    let name = teller.name(seed);
    let title = format!("The list of {name}");
    let is_ours = model.nodes().get(seed).is_some_and(Node::is_ours);
    let Some(view) = model.seeds().get(seed).filter(|_| is_ours) else {
        return Explanation { title, verdict: elsewhere(teller, seed), evidence: Vec::new() };
    };
    let (mut evidence, mut wrong) = (Vec::new(), Vec::new());
    for listed in view.listed.keys() {
        if let Some(clause) = not_alive(teller, *listed) {
            wrong.push(clause.clone());
            evidence.push(Evidence::now(format!("on the list: {clause}")));
            evidence.extend(steps(teller, seed, *listed));
        }
    }
    for peer in running_peers(model).filter(|peer| !view.listed.contains_key(&peer.addr)) {
        let (standing, clause) = not_listed(teller, seed, peer.addr);
        if standing == Standing::Wrong {
            wrong.push(clause.clone());
        }
        evidence.push(Evidence::now(format!("not on the list: {clause}")));
        evidence.extend(steps(teller, seed, peer.addr));
    }
    let verdict = verdict(teller, (&name, seed, now), view, &wrong);
    Explanation { title, verdict, evidence: in_order(evidence) }
}

fn verdict(teller: Teller<'_>, (name, seed, now): (&str, Addr, Time), view: &SeedView, wrong: &[String]) -> String {
    let listed = count_text(view.listed.len() as u64, "peer");
    let running = running_peers(teller.model).count();
    let run = if running == 1 { "1 runs here".to_owned() } else { format!("{running} run here") };
    let is_up = teller.model.nodes().get(seed).is_some_and(|node| node.life == Life::Running);
    let last = view.last_list.map(|(at, _)| format!("; its last list went out {} ago", span_text(now.since(at))));
    let last = last.unwrap_or_default();
    if !is_up {
        return format!("{name} does not run; when it stopped it had {listed} on its list.");
    }
    match wrong {
        [] => format!("{name} has {listed} on its list, {run}, and nobody is on it or off it without cause{last}."),
        [only] => format!("{name} has {listed} on its list, {run}: {only}{last}."),
        more => format!("{name} has {listed} on its list, {run}: {}{last}.", some_of(more)),
    }
}

/// The first of these clauses, and how many there are besides.
fn some_of(clauses: &[String]) -> String {
    let shown = clauses.iter().take(CLAUSES_MAX).cloned().collect::<Vec<_>>().join("; ");
    match clauses.len().saturating_sub(CLAUSES_MAX) {
        0 => shown,
        more => format!("{shown}; and {more} more"),
    }
}

fn elsewhere(teller: Teller<'_>, seed: Addr) -> String {
    let name = teller.name(seed);
    match teller.model.seeds().get(seed).and_then(|view| view.last_list) {
        Some((at, len)) => format!(
            "{name} runs in another process, so its list is not certain; the last one that was seen, at {}, had {}.",
            teller.clock(at),
            count_text(len as u64, "peer")
        ),
        None => format!("{name} runs in another process, or never ran: nothing is known of its list."),
    }
}

fn running_peers(model: &Model) -> impl Iterator<Item = &Node> {
    model.nodes().iter().filter(|node| node.life == Life::Running && node.role == Some(Role::Peer))
}

/// Why somebody who is on a list does not answer; `None` if nothing speaks against it.
fn not_alive(teller: Teller<'_>, listed: Addr) -> Option<String> {
    let node = teller.model.nodes().get(listed)?;
    let (name, since) = (teller.name(listed), teller.clock(node.since));
    let is_dead = node.belief == crate::model::node::Belief::Dead;
    let what = match node.life {
        Life::Killed => "was killed",
        Life::Left => "left",
        Life::Hung => "hangs since",
        Life::Elsewhere if is_dead => "is taken for dead since",
        Life::Elsewhere | Life::Running => return None,
    };
    let at = if what.ends_with("since") { "" } else { "at " };
    let reported = teller.model.deaths().latest_of(listed).is_some_and(|case| case.back_at.is_none());
    let noticed = if reported { "" } else { ", and nobody has reported it" };
    Some(format!("{name} {what} {at}{since}{noticed}"))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Wrong,
    AsMeant,
}

/// Why somebody who runs is not on the list of this seed.
fn not_listed(teller: Teller<'_>, seed: Addr, peer: Addr) -> (Standing, String) {
    let name = teller.name(peer);
    let link = teller.model.links().get(peer, seed);
    if link.is_some_and(crate::model::link::Link::is_up) {
        return (Standing::Wrong, format!("{name} runs and is registered, {}", taken_off(teller, seed, peer)));
    }
    let with: Vec<Addr> =
        teller.model.links().open_of(peer).filter(|link| link.is_up()).map(|link| link.key.peer).collect();
    let with: Vec<Addr> = with
        .into_iter()
        .filter(|to| teller.model.nodes().get(*to).is_some_and(|to| to.role == Some(Role::Seed)))
        .collect();
    match (with.is_empty(), link) {
        (true, _) => (Standing::Wrong, format!("{name} runs and is registered with no seed at all")),
        (false, None) => {
            let with = teller.names(&with);
            (Standing::AsMeant, format!("{name} registered with {with}: a peer takes more than half of the seeds"))
        }
        (false, Some(link)) => {
            let (with, since) = (teller.names(&with), teller.clock(link.since));
            (Standing::AsMeant, format!("{name} is not registered here since {since}, but with {with}"))
        }
    }
}

/// What this seed did last about this peer.
fn taken_off(teller: Teller<'_>, seed: Addr, peer: Addr) -> String {
    let case = teller.model.deaths().latest_of(peer);
    let removal = case.iter().flat_map(|case| &case.steps).rev().find_map(|step| match step.act {
        SeedAct::Delisted { reason } if step.seed == seed => Some((step.at, reason)),
        SeedAct::Delisted { .. }
        | SeedAct::Received { .. }
        | SeedAct::NoAnswer
        | SeedAct::Disputed { .. }
        | SeedAct::Relisted => None,
    });
    match removal {
        Some((at, reason)) => {
            let at = &clock_text(at, teller.utc_offset_s)[.."HH:MM:SS".len()];
            let trusting = if matches!(reason, DelistReason::Reported { .. }) { ", without asking it" } else { "" };
            format!("and was taken off the list at {at}: {}{trusting}", delisted(reason, &|addr| teller.name(addr)))
        }
        None => "and why it is not on the list is not certain".to_owned(),
    }
}

/// What the seed did about this peer.
fn steps(teller: Teller<'_>, seed: Addr, peer: Addr) -> Vec<Evidence> {
    let case = teller.model.deaths().latest_of(peer);
    let steps = case.into_iter().flat_map(|case| &case.steps);
    steps
        .filter(|step: &&SeedStep| step.seed == seed)
        .map(|step| super::death::step_line_of(teller, peer, step))
        .collect()
}
