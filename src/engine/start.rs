//! New and restarting nodes: where they run, what is published about them, and with which settings
//! they run.

use std::sync::Arc;

use super::{Demand, Effect, Engine, NodeTable, Place, Publication, Refusal, SiteContext, Sites};
use crate::command::NodeSpec;
use crate::engine::fault::FaultView;
use crate::event::{EventKind, Methods, NodeEvent, NodeState, Pace};
use crate::proto::addr::Addr;
use crate::proto::chance::{Chance, Topic};
use crate::proto::config::{PeerConfig, SeedConfig};
use crate::proto::machine::NodeCommand;
use crate::proto::message::Role;
use crate::proto::node::Node;
use crate::proto::peer::Peer;
use crate::proto::reach::Reach;
use crate::proto::seed::Seed;

impl Engine {
    pub(super) fn start<S: Sites>(
        &mut self,
        spec: &NodeSpec,
        sites: &mut S,
        effects: &mut Vec<Effect<S::Site>>,
    ) -> Result<(), Refusal> {
        let (seeds, peers) = match spec.role {
            Role::Seed => (1, 0),
            Role::Peer => (0, 1),
        };
        sites.check_room(&self.demand(seeds, peers))?;
        let (has_lab, seed_list) = (self.lab.is_some(), &self.settings.peer.seeds);
        let place = sites.reserve(spec, &SiteContext { nodes: &self.nodes, has_lab, seed_list })?;
        self.check_free(place.addr)?;
        if let (Role::Seed, Some(lab)) = (spec.role, &mut self.lab) {
            lab.push(place.addr);
        }
        self.enter(vec![(spec.role, place)], effects);
        Ok(())
    }

    /// All nodes listen before any runs.
    pub(super) fn start_lab<S: Sites>(
        &mut self,
        seeds: usize,
        peers: usize,
        sites: &mut S,
        effects: &mut Vec<Effect<S::Site>>,
    ) -> Result<(), Refusal> {
        sites.check_room(&self.demand(seeds, peers))?;
        if self.nodes.is_empty() {
            self.nodes = NodeTable::default();
        }
        let places = sites.reserve_lab(seeds, peers, &self.nodes)?;
        places.iter().try_for_each(|place| self.check_free(place.addr))?;
        self.lab = Some(places.iter().take(seeds).map(|place| place.addr).collect());
        let roles = std::iter::repeat_n(Role::Seed, seeds).chain(std::iter::repeat_n(Role::Peer, peers));
        self.enter(roles.zip(places).collect(), effects);
        Ok(())
    }

    pub(super) fn restart<S: Sites>(
        &mut self,
        node: Addr,
        sites: &mut S,
        effects: &mut Vec<Effect<S::Site>>,
    ) -> Result<(), Refusal> {
        let place = sites.reserve_again(node, &self.nodes)?;
        if self.nodes.get(node).is_some_and(|entry| entry.state == NodeState::Hangs) {
            effects.push(Effect::Crash(node));
        }
        self.forget_cuts(node);
        self.nodes.begin_life(node);
        effects.push(Effect::Publish(self.started(&place)));
        self.let_run(place, effects);
        Ok(())
    }

    fn demand(&self, seeds: usize, peers: usize) -> Demand<'_> {
        let seeds_known = self.lab.as_ref().map_or(self.settings.peer.seeds.len(), Vec::len).max(seeds);
        Demand {
            new: seeds + peers,
            seeds: seeds + self.nodes.count(Role::Seed),
            peers: peers + self.nodes.count(Role::Peer),
            registrations: seeds_known / 2 + 1,
            config: &self.settings.peer,
        }
    }

    /// Names new nodes and lets them listen, then lets them run. While there are faults, running
    /// nodes learn of them.
    fn enter<S>(&mut self, places: Vec<(Role, Place<S>)>, effects: &mut Vec<Effect<S>>) {
        for (role, place) in &places {
            self.nodes.enter(place.addr, *role);
        }
        effects.push(Effect::Publish(places.iter().flat_map(|(_, place)| self.started(place)).collect()));
        if !self.view.table.is_empty() {
            self.view = Arc::new(FaultView::new(Arc::clone(&self.view.table), self.nodes.addrs_from(0)));
            effects.push(Effect::Faults(Arc::clone(&self.view)));
        }
        for (_, place) in places {
            self.let_run(place, effects);
        }
    }

    /// A node begins to run, with the faults that it has from the start.
    fn let_run<S>(&self, place: Place<S>, effects: &mut Vec<Effect<S>>) {
        let Place { addr: node, site, .. } = place;
        effects.push(Effect::Start { node, site });
        let ahead_us = self.view.table.skew_us(node);
        if ahead_us != 0 {
            effects.push(Effect::Tell(node, NodeCommand::Skew(ahead_us)));
        }
        let pause = self.view.table.junk_pause_of(node);
        if pause.is_some() {
            effects.push(Effect::Junk { node, pause });
        }
    }

    /// What is published about a starting node: that it runs, and what it opens to other machines.
    fn started<S>(&self, new: &Place<S>) -> Vec<Publication> {
        let node = new.addr;
        let Some((name, role)) = self.nodes.get(node).map(|entry| (entry.name, entry.role)) else { return Vec::new() };
        let (dialect, pace, methods) = (self.dialect(role), self.pace(role), self.methods(role));
        let mut told = vec![Publication {
            node,
            kind: EventKind::Node(NodeEvent::Started { name: name.to_string(), role, dialect, pace, methods }),
        }];
        if let Some(exposure) = &new.exposure {
            let allow = self.reach(role).allowed().iter().map(ToString::to_string).collect();
            let (bind, opened) = (exposure.bind, exposure.opened.clone());
            told.push(Publication { node, kind: EventKind::Node(NodeEvent::Exposed { bind, opened, allow }) });
        }
        told
    }

    fn methods(&self, role: Role) -> Methods {
        match role {
            Role::Peer => self.settings.peer.methods,
            Role::Seed => Methods::default(),
        }
    }

    fn pace(&self, role: Role) -> Pace {
        match role {
            Role::Peer => self.settings.peer.pace(),
            Role::Seed => self.settings.seed.pace(),
        }
    }

    /// Who may link to nodes of this role.
    pub fn reach(&self, role: Role) -> &Reach {
        match role {
            Role::Peer => &self.settings.peer.reach,
            Role::Seed => &self.settings.seed.reach,
        }
    }

    /// The machine of a node of the table, for a place this far from UTC.
    pub fn machine(&mut self, node: Addr, utc_offset_s: i32) -> Option<Node> {
        let role = self.nodes.get(node)?.role;
        let random_seed = self.chance_of(Topic::Node, node).number();
        Some(match role {
            Role::Peer => Peer::new(self.peer_config(node, utc_offset_s), random_seed).into(),
            Role::Seed => {
                let config = SeedConfig { listen: node, utc_offset_s, ..self.settings.seed.clone() };
                Seed::new(config, random_seed).into()
            }
        })
    }

    /// The settings of a peer that starts now. It shares them with the last one if that had the same.
    fn peer_config(&mut self, node: Addr, utc_offset_s: i32) -> PeerConfig {
        let seeds = self.lab.as_ref().unwrap_or(&self.settings.peer.seeds);
        let shared = &mut self.peer_config;
        if shared.seeds != *seeds || shared.utc_offset_s != utc_offset_s {
            (shared.seeds, shared.utc_offset_s) = (seeds.clone(), utc_offset_s);
        }
        shared.at(node)
    }

    /// What is left to chance on this topic about the node in its current life.
    pub fn chance_of(&self, topic: Topic, node: Addr) -> Chance {
        let life = self.nodes.get(node).map_or(0, |entry| entry.life);
        Chance::new(self.settings.rng_seed).about(topic).of_node(node).of(life)
    }
}
