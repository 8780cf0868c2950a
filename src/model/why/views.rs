//! Who knows whom, since when and from whom, and whether it is true.

use super::matrix::{Knowledge, KnowledgeMatrix};
use super::seed::gone;
use super::table::{AnswerCell, AnswerColumn, AnswerTable};
use super::{EvidenceLine, EvidenceSource, Explainer, Explanation, SourceKind, in_order};
use crate::event::NodeState;
use crate::model::node::{NodeRecord, ObservedState};
use crate::model::partial_view::{Acquaintance, NamedBy};
use crate::model::words::{count_text, list_text};
use crate::model::{Map, Model, Set};
use crate::proto::addr::Addr;
use crate::proto::config::RESERVE_MAX;
use crate::proto::message::Role;

/// Clauses of one kind in a verdict.
const CLAUSES_MAX: usize = 3;
/// Peers of a matrix: a quarter of a million cells.
const VIEWERS_MAX: usize = 500;
/// Lines about those who know a node that does not run.
const STALE_MAX: usize = 100;

/// The part of its addresses that a peer leaves to one source at least: beyond it, some may be gone.
const SHARE_MIN: usize = 3;

const COLUMNS: &[AnswerColumn] = &[
    AnswerColumn { title: "NODE", key: "node" },
    AnswerColumn { title: "LINKED", key: "linked" },
    AnswerColumn { title: "KNOWN", key: "known" },
    AnswerColumn { title: "STALE", key: "stale" },
    AnswerColumn { title: "NOT KNOWN", key: "not_known" },
];

/// A peer of ours, or a seed, and whom it knows.
struct Viewer {
    node: Addr,
    role: Role,
    knows: Map<Addr, Acquaintance>,
}

/// Whom each peer knows, and whom the seeds list.
pub(super) fn views(model: &Model, utc_offset_s: i32) -> Explanation {
    let explainer = Explainer { model, utc_offset_s };
    let title = "Who knows whom".to_owned();
    let peers = model.nodes().running_peers().count();
    if peers > VIEWERS_MAX {
        let verdict =
            format!("{peers} peers run here, and a matrix of all has {VIEWERS_MAX} at most: ask about one of them.");
        return Explanation {
            title,
            verdict,
            is_certain: false,
            evidence: Vec::new(),
            table: None,
            rests_on: Vec::new(),
        };
    }
    let viewers = explainer.viewers();
    let known = explainer.known(&viewers);
    let verdict = explainer.verdict_of_views(&viewers, &known);
    let is_certain = viewers.iter().any(|viewer| viewer.role == Role::Peer)
        && viewers.iter().all(|viewer| !explainer.may_have_dropped(viewer));
    let mut evidence = in_order(explainer.stale_lines(&viewers));
    evidence.extend(explainer.untold(&viewers));
    let table = AnswerTable::new(COLUMNS, viewers.iter().map(|viewer| explainer.row(viewer, &known)).collect());
    let table = table.drawn_as(explainer.matrix(&viewers, &known));
    Explanation { title, verdict, is_certain, evidence, table: Some(table), rests_on: Vec::new() }
}

/// Whom this peer knows, or who is on the list of this seed, line by line.
pub(super) fn view_of(model: &Model, node: Addr, utc_offset_s: i32) -> Explanation {
    let explainer = Explainer { model, utc_offset_s };
    let name = explainer.name(node);
    let viewer = model.nodes().get(node).and_then(|node| explainer.viewer(node));
    let Some(viewer) = viewer else {
        let (title, verdict) = (format!("Whom {name} knows"), explainer.no_view(node));
        let is_certain = model.nodes().get(node).is_some_and(|node| node.is_ours() && !node.runs());
        return Explanation { title, verdict, is_certain, evidence: Vec::new(), table: None, rests_on: Vec::new() };
    };
    let title = match viewer.role {
        Role::Peer => format!("Whom {name} knows"),
        Role::Seed => format!("Whom {name} lists"),
    };
    let mut evidence =
        in_order(viewer.knows.iter().map(|(addr, known)| explainer.line(&viewer, *addr, *known)).collect());
    let unknown = explainer.unknown(&viewer);
    if !unknown.is_empty() {
        evidence.push(EvidenceLine::now(format!("not known, though running: {}", explainer.all_names(&unknown))));
    }
    let is_certain = !explainer.may_have_dropped(&viewer);
    let verdict = explainer.verdict_of_view(&viewer);
    let viewers = [viewer];
    evidence.extend(explainer.untold(&viewers));
    Explanation { title, verdict, is_certain, evidence, table: None, rests_on: Vec::new() }
}

impl Explainer<'_> {
    /// Those whose knowledge is known here, by name, seeds last.
    fn viewers(self) -> Vec<Viewer> {
        let mut viewers: Vec<Viewer> = self.model.nodes().iter().filter_map(|node| self.viewer(node)).collect();
        viewers.sort_by_cached_key(|viewer| (viewer.role == Role::Seed, self.model.nodes().order_of(viewer.node)));
        viewers
    }

    /// A node that is down knows nobody; one that hangs knows whom it knew.
    fn viewer(self, node: &NodeRecord) -> Option<Viewer> {
        let is_there = matches!(node.life(), Some(NodeState::Runs | NodeState::Hangs));
        let (role, addr) = (node.role.filter(|_| is_there)?, node.addr);
        let listed = || {
            let listed = self.model.seeds().get(addr).into_iter().flat_map(|seed| &seed.listed);
            listed.map(|(peer, since)| (*peer, Acquaintance { since: *since, by: NamedBy::Itself })).collect()
        };
        let knows = match role {
            Role::Peer => self.model.partial_views().of(addr).collect(),
            Role::Seed => listed(),
        };
        Some(Viewer { node: addr, role, knows })
    }

    /// All that a view may be about: peers that run here, and whoever else is known, by name.
    fn known(self, viewers: &[Viewer]) -> Vec<Addr> {
        let running = self.model.nodes().running_peers().map(|node| node.addr);
        let known: Set<Addr> = running.chain(viewers.iter().flat_map(|viewer| viewer.knows.keys().copied())).collect();
        let mut known: Vec<Addr> = known.into_iter().collect();
        known.sort_by_cached_key(|addr| self.model.nodes().order_of(*addr));
        known
    }

    /// Peers that run here and that this one does not know.
    fn unknown(self, viewer: &Viewer) -> Vec<Addr> {
        let running = self.model.nodes().running_peers().map(|node| node.addr);
        let mut unknown: Vec<Addr> =
            running.filter(|peer| *peer != viewer.node && !viewer.knows.contains_key(peer)).collect();
        unknown.sort_by_cached_key(|addr| self.model.nodes().order_of(*addr));
        unknown
    }

    /// Whom it knows of those that do not run.
    fn stale(self, viewer: &Viewer) -> Vec<Addr> {
        viewer.knows.keys().copied().filter(|known| self.knowledge(*known) == Knowledge::Stale).collect()
    }

    /// Whether what is known of a node is true.
    fn knowledge(self, known: Addr) -> Knowledge {
        match self.model.nodes().get(known).map(|node| (node.life(), node.state())) {
            Some((Some(NodeState::Runs), _) | (None, ObservedState::Up)) => Knowledge::True,
            Some((Some(_), _) | (None, ObservedState::Left | ObservedState::Dead | ObservedState::Killed)) => {
                Knowledge::Stale
            }
            Some((None, ObservedState::Known | ObservedState::Hung | ObservedState::Suspect { .. })) | None => {
                Knowledge::Unsure
            }
        }
    }

    fn row(self, viewer: &Viewer, known: &[Addr]) -> Vec<AnswerCell> {
        let names = |addrs: Vec<Addr>| AnswerCell::Names(addrs.into_iter().map(|addr| self.name(addr)).collect());
        let of = |wanted: Knowledge| {
            let is_it = |addr: &&Addr| viewer.knows.contains_key(*addr) && self.knowledge(**addr) == wanted;
            known.iter().filter(is_it).copied().collect::<Vec<Addr>>()
        };
        let linked = known.iter().copied().filter(|addr| self.is_linked(viewer.node, *addr)).collect();
        let all = known.iter().copied().filter(|addr| viewer.knows.contains_key(addr)).collect();
        let name = AnswerCell::Text(self.name(viewer.node));
        vec![name, names(linked), names(all), names(of(Knowledge::Stale)), names(self.unknown(viewer))]
    }

    fn matrix(self, viewers: &[Viewer], known: &[Addr]) -> KnowledgeMatrix {
        let cell = |viewer: &Viewer, addr: Addr| match viewer.knows.get(&addr) {
            _ if addr == viewer.node => Knowledge::True,
            Some(_) => self.knowledge(addr),
            None => Knowledge::Unknown,
        };
        let row = |viewer: &Viewer| {
            (self.name(viewer.node), known.iter().map(|addr| cell(viewer, *addr)).collect::<Vec<Knowledge>>())
        };
        let heads = known.iter().map(|addr| self.name(*addr)).collect();
        KnowledgeMatrix { heads, rows: viewers.iter().map(row).collect() }
    }

    fn is_linked(self, node: Addr, peer: Addr) -> bool {
        self.model.links().get(node, peer).is_some_and(crate::model::link::LinkHistory::is_up)
    }
}

/// Verdicts.
impl Explainer<'_> {
    fn verdict_of_views(self, viewers: &[Viewer], known: &[Addr]) -> String {
        let peers: Vec<&Viewer> = viewers.iter().filter(|viewer| viewer.role == Role::Peer).collect();
        if peers.is_empty() {
            return "No peer runs here, so nobody's view is known.".to_owned();
        }
        let running = self.model.nodes().running_peers().count();
        let lacking: Vec<String> = peers
            .iter()
            .filter_map(|peer| {
                let (unknown, others) = (self.unknown(peer).len(), running - usize::from(self.runs(peer.node)));
                (unknown > 0).then(|| format!("{} knows {} of {others}", self.name(peer.node), others - unknown))
            })
            .collect();
        let complete = match (peers.len(), lacking.len()) {
            (1, 0) => {
                let known = count_text(peers[0].knows.len() as u64, "other node");
                format!("Only {} runs here; it knows {known}.", self.name(peers[0].node))
            }
            (_, 0) => format!("All {} peers know each other.", peers.len()),
            (all, some) if all == some => format!(
                "None of {} knows all others: {}.",
                count_text(all as u64, "peer"),
                list_text(&lacking, CLAUSES_MAX)
            ),
            (all, some) => format!(
                "{some} of {} {} others: {}.",
                count_text(all as u64, "peer"),
                if some == 1 { "lacks" } else { "lack" },
                list_text(&lacking, CLAUSES_MAX)
            ),
        };
        let differ: Vec<Addr> = known.iter().copied().filter(|addr| views_differ(&peers, *addr)).collect();
        let differ = if differ.is_empty() || peers.len() == 1 {
            String::new()
        } else {
            format!(" Views differ about {}.", self.names(&differ))
        };
        format!("{complete}{differ} {}", self.stale_clause(viewers, known))
    }

    fn stale_clause(self, viewers: &[Viewer], known: &[Addr]) -> String {
        let stale = known.iter().copied().filter(|addr| self.knowledge(*addr) == Knowledge::Stale);
        let clauses: Vec<String> = stale
            .map(|addr| {
                let by: Vec<Addr> = viewers
                    .iter()
                    .filter(|viewer| viewer.knows.contains_key(&addr))
                    .map(|viewer| viewer.node)
                    .collect();
                let verb = if by.len() == 1 { "knows" } else { "know" };
                format!("{} still {verb} {}, which {}", self.names(&by), self.name(addr), self.state_clause(addr))
            })
            .collect();
        match clauses.len() {
            0 => "Nobody knows a node that does not run.".to_owned(),
            all => {
                let more = all.saturating_sub(CLAUSES_MAX);
                let more = if more > 0 { format!("; and {more} more") } else { String::new() };
                let told: Vec<String> = clauses.into_iter().take(CLAUSES_MAX).collect();
                format!("{}{more}.", told.join("; "))
            }
        }
    }

    fn verdict_of_view(self, viewer: &Viewer) -> String {
        let name = self.name(viewer.node);
        let others = self.model.nodes().running_peers().filter(|peer| peer.addr != viewer.node).count();
        let there = others - self.unknown(viewer).len();
        let stale = self.stale(viewer);
        let (verb, linked) = match viewer.role {
            Role::Seed => ("lists", String::new()),
            Role::Peer => {
                let linked = viewer.knows.keys().filter(|peer| self.is_linked(viewer.node, **peer)).count();
                ("knows", format!(", and is linked to {linked}"))
            }
        };
        let told: Vec<String> =
            stale.iter().map(|addr| format!("{}, which {}", self.name(*addr), self.state_clause(*addr))).collect();
        let stale = match told.len() {
            0 => format!(" It {verb} nobody that does not run."),
            _ => format!(" It still {verb} {}.", list_text(&told, CLAUSES_MAX)),
        };
        let peers = if viewer.role == Role::Seed { "peers" } else { "other peers" };
        let of_others = match others {
            0 => format!("{} of other processes", count_text(viewer.knows.len() as u64, "node")),
            _ => format!("{there} of {others} {peers} that run here"),
        };
        format!("{name} {verb} {of_others}{linked}.{stale}")
    }

    fn no_view(self, node: Addr) -> String {
        let name = self.name(node);
        match self.model.nodes().get(node) {
            Some(record) if record.is_ours() && record.role.is_some() => {
                format!("{name} {}, and what it knew is gone with it.", self.state_clause(node))
            }
            Some(_) => format!("{name} runs elsewhere: no event tells here whom it knows."),
            None => format!("Nothing is known of {name}."),
        }
    }

    /// `was killed at 03:13:02`, `runs`.
    fn state_clause(self, addr: Addr) -> String {
        let Some(node) = self.model.nodes().get(addr) else { return "was only named".to_owned() };
        let life = node.life();
        let at = self.clock(if life.is_some() { node.life_since() } else { node.since });
        match (self.knowledge(addr), node.state()) {
            (Knowledge::Stale, ObservedState::Left) => gone(Some(NodeState::Left), &at, true),
            (Knowledge::Stale, _) => gone(life, &at, true),
            (Knowledge::Unsure, ObservedState::Suspect { .. }) => "is suspect".to_owned(),
            (Knowledge::Unsure, _) => "was only named: no node here has had a link to it".to_owned(),
            (Knowledge::True | Knowledge::Unknown, _) => "runs".to_owned(),
        }
    }

    fn runs(self, node: Addr) -> bool {
        self.model.nodes().get(node).is_some_and(NodeRecord::runs)
    }
}

/// Evidence.
impl Explainer<'_> {
    /// `s1 named p4; they are linked; p4 runs`.
    fn line(self, viewer: &Viewer, addr: Addr, known: Acquaintance) -> EvidenceLine {
        let name = self.name(addr);
        let state = self.state_clause(addr);
        if viewer.role == Role::Seed {
            let line = EvidenceLine::at(known.since, format!("{name} is on the list; it {state}"));
            return line.told_by(viewer.node, SourceKind::SeedStep(addr, "peer_listed"));
        }
        let linked = if self.is_linked(viewer.node, addr) { "; they are linked" } else { "" };
        let text = format!("{}{linked}; it {state}", self.introduction(addr, known.by));
        EvidenceLine::at(known.since, text).resting_on(source(viewer.node, addr, known.by))
    }

    /// `s1 named p4`.
    fn introduction(self, addr: Addr, by: NamedBy) -> String {
        let name = self.name(addr);
        match by {
            NamedBy::Seed(seed) => format!("{} named {name}", self.name(seed)),
            NamedBy::Peer(peer) => format!("{} named {name} when it refused a link", self.name(peer)),
            NamedBy::Itself => format!("{name} dialed it"),
            NamedBy::Untold => format!("it dialed {name}; who had named it is not told"),
        }
    }

    /// Who knows a node that does not run, and from whom.
    fn stale_lines(self, viewers: &[Viewer]) -> Vec<EvidenceLine> {
        let stale = viewers.iter().flat_map(|viewer| self.stale(viewer).into_iter().map(move |addr| (viewer, addr)));
        let line = |(viewer, addr): (&Viewer, Addr)| {
            let known = viewer.knows.get(&addr)?;
            let line = self.line(viewer, addr, *known);
            Some(EvidenceLine { text: format!("{}: {}", self.name(viewer.node), line.text), ..line })
        };
        stale.filter_map(line).take(STALE_MAX).collect()
    }

    /// What no event tells of this.
    fn untold(self, viewers: &[Viewer]) -> Vec<EvidenceLine> {
        let dropped = viewers.iter().any(|viewer| self.may_have_dropped(viewer)).then(|| {
            format!("not told: a peer keeps at most {RESERVE_MAX} addresses besides its neighbors, and no event tells which it drops")
        });
        let omitted = self.model.partial_views().omitted();
        let omitted = (omitted > 0).then(|| format!("not kept for want of room: {omitted} of what was named"));
        dropped.into_iter().chain(omitted).map(EvidenceLine::now).collect()
    }

    /// It knows of more addresses that it has no link to than it surely keeps of one source.
    fn may_have_dropped(self, viewer: &Viewer) -> bool {
        let seeds = self.model.nodes().iter().filter(|node| node.role == Some(Role::Seed)).count();
        let share = RESERVE_MAX / SHARE_MIN.max(seeds / 2 + 1);
        let unlinked = viewer.knows.keys().filter(|addr| !self.is_linked(viewer.node, **addr)).count();
        viewer.role == Role::Peer && unlinked > share
    }
}

/// The event by which a peer learned of an address.
fn source(peer: Addr, known: Addr, by: NamedBy) -> EvidenceSource {
    let kind = match by {
        NamedBy::Seed(seed) => SourceKind::SeedStep(seed, "peer_list_received"),
        NamedBy::Peer(other) => SourceKind::Link(other),
        NamedBy::Itself | NamedBy::Untold => SourceKind::Link(known),
    };
    EvidenceSource::at(peer, kind)
}

/// Some of these peers know it, and some do not. Everybody knows itself.
fn views_differ(peers: &[&Viewer], addr: Addr) -> bool {
    let knows = |peer: &&&Viewer| peer.node == addr || peer.knows.contains_key(&addr);
    let knowing = peers.iter().filter(knows).count();
    knowing > 0 && knowing < peers.len()
}
