//! How much memory a model takes.

use super::Model;
use super::death::{DeathCase, Evidence};
use super::gossip::{Folded, GossipEntry};
use super::link::{LinkHistory, LinkStep, Ping};
use super::rumor::{ForeignCopy, MessageCopy, Rumor};
use super::seed::SeedView;
use crate::event::Event;
use crate::proto::addr::Addr;
use crate::proto::time::Time;

/// What a map takes for an entry besides it: its hash, its place in the index, and room to grow.
const MAP_ENTRY_LEN: usize = 24;
/// What a small box or a short vector takes beside what is in it.
const BOX_LEN: usize = 64;

impl Model {
    /// Bytes of memory, about; without what is shared with this other model, of which one is a later copy.
    pub fn memory_len(&self, shared_with: Option<&Self>) -> usize {
        let views = self.views.memory_len(shared_with.map(|other| &other.views), MAP_ENTRY_LEN);
        self.logs_len(shared_with) + self.nodes_len() + self.links_len() + self.seeds_len() + views + size_of::<Self>()
    }

    fn logs_len(&self, shared_with: Option<&Self>) -> usize {
        let index = self.rumors.ring().len() * (size_of::<(u64, crate::proto::message::MessageId)>() + 8);
        self.gossip.memory_len(shared_with.map(|other| &other.gossip), of_line)
            + self.rumors.ring().memory_len(shared_with.map(|other| other.rumors.ring()), of_rumor)
            + self.notices.memory_len(shared_with.map(|other| &other.notices), |notice| of_event(&notice.event))
            + self.probe_log.memory_len(shared_with.map(|other| &other.probe_log), |_| 0)
            + self.lost.memory_len(shared_with.map(|other| &other.lost), |_| 0)
            + self.lost_probes.memory_len(shared_with.map(|other| &other.lost_probes), |_| 0)
            + self.forgeries.memory_len(shared_with.map(|other| &other.forgeries), |_| 0)
            + self.deaths.cases().memory_len(shared_with.map(|other| other.deaths.cases()), of_case)
            + self.changes.memory_len(shared_with.map(|other| &other.changes))
            + self.warnings.list().memory_len(shared_with.map(|other| other.warnings.list()), |_| BOX_LEN)
            + index
    }

    fn nodes_len(&self) -> usize {
        self.nodes.len() * (super::node::NODE_LEN_MAX + MAP_ENTRY_LEN + BOX_LEN)
    }

    fn links_len(&self) -> usize {
        let of_link = |link: &LinkHistory| {
            let steps = link.steps().count() * size_of::<LinkStep>();
            size_of::<LinkHistory>() + 2 * MAP_ENTRY_LEN + BOX_LEN + link.pings().count() * size_of::<Ping>() + steps
        };
        self.links.iter().map(of_link).sum()
    }

    fn seeds_len(&self) -> usize {
        let of_view = |view: &SeedView| {
            let entries = view.listed.len() + view.delisted.len() + view.disputes.len();
            size_of::<SeedView>() + entries * (size_of::<(Addr, Time)>() + MAP_ENTRY_LEN)
        };
        self.seeds.iter().map(|(_, view)| of_view(view)).sum()
    }
}

fn of_event(event: &Event) -> usize {
    event.memory_len() - size_of::<Event>()
}

fn of_line(line: &GossipEntry) -> usize {
    let folded = match &line.folded {
        Folded::OtherEnd(event) => event.memory_len(),
        Folded::Message(Some(_)) => size_of::<super::gossip::Spread>(),
        Folded::Nothing | Folded::Death(_) | Folded::Message(None) => 0,
    };
    line.kind.heap_len() + folded
}

fn of_rumor(rumor: &Rumor) -> usize {
    let copies = rumor.copies.capacity() * (size_of::<(Addr, MessageCopy)>() + MAP_ENTRY_LEN);
    let proofs = rumor.proofs.capacity() * (size_of::<(Addr, ForeignCopy)>() + MAP_ENTRY_LEN);
    copies + proofs + rumor.body.len() + BOX_LEN
}

fn of_case(case: &DeathCase) -> usize {
    let evidence = case.evidence.len() * (size_of::<Evidence>() + BOX_LEN);
    evidence + case.steps.iter().map(Event::memory_len).sum::<usize>()
}
