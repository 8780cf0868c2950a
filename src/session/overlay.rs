//! The overlay as a graph for other programs: peers and the links between them, seeds and the
//! registrations with them.

use std::fmt::Write as _;

use indexmap::{IndexMap, IndexSet};
use quick_xml::escape::escape;

use crate::event::Purpose;
use crate::model::Model;
use crate::model::link::LinkHistory;
use crate::model::node::{NodeRecord, ObservedState};
use crate::proto::addr::Addr;
use crate::proto::message::Role;
use crate::proto::text::printable;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OverlayFormat {
    /// XML for yEd, Gephi, networkx and others: <http://graphml.graphdrawing.org>.
    Graphml,
    /// The language of Graphviz.
    Dot,
}

/// The network that the model holds, in this format.
pub fn overlay_text(format: OverlayFormat, model: &Model) -> String {
    let graph = OverlayGraph::of(model);
    match format {
        OverlayFormat::Graphml => graph.graphml(),
        OverlayFormat::Dot => graph.dot(),
    }
}

struct OverlayGraph {
    nodes: Vec<GraphNode>,
    links: Vec<GraphLink>,
}

struct GraphNode {
    /// Its name, or its address if another node has that name.
    id: String,
    name: String,
    address: String,
    role: Option<Role>,
    state: ObservedState,
    /// Links to neighbors; of a seed, registered peers.
    degree: u32,
    /// Whether it ran in the recording process: of others, only their links to those are known.
    is_ours: bool,
}

struct GraphLink {
    ends: [String; 2],
    purpose: Purpose,
    /// Round-trip time of the last answered probe, in microseconds.
    rtt_us: Option<u64>,
}

impl OverlayGraph {
    fn of(model: &Model) -> Self {
        let mut ids: IndexMap<Addr, String> = IndexMap::new();
        let mut taken: IndexSet<String> = IndexSet::new();
        let mut nodes = Vec::new();
        for record in model.nodes().iter().filter(|node| node.is_ours() || node.linked > 0) {
            let name = printable(&model.name_of(record.addr)).into_owned();
            let id = if taken.insert(name.clone()) { name.clone() } else { record.addr.to_string() };
            ids.insert(record.addr, id.clone());
            nodes.push(GraphNode::of(record, id, name));
        }
        let id = |addr: Addr| ids.get(&addr).cloned().unwrap_or_else(|| addr.to_string());
        let links = model.links().up().filter(|link| is_told_here(model, link));
        let links = links.map(|link| GraphLink {
            ends: [link.key.node, link.key.peer].map(id),
            purpose: link.purpose,
            rtt_us: link.rtt_us,
        });
        Self { nodes, links: links.collect() }
    }

    fn dot(&self) -> String {
        let mut text = "graph overlay {\n".to_owned();
        for node in &self.nodes {
            let shape = if node.role == Some(Role::Seed) { "box" } else { "ellipse" };
            let style = if node.state == ObservedState::Up { "solid" } else { "dotted" };
            let (id, name, address) = (dot_quoted(&node.id), dot_quoted(&node.name), dot_quoted(&node.address));
            let (role, state) = (role_text(node.role), state_name(node.state));
            let _ = writeln!(
                text,
                "  {id} [label={name}, shape={shape}, style={style}, tooltip={address}, role=\"{role}\", \
                 state=\"{state}\", degree={}, ours={}];",
                node.degree, node.is_ours
            );
        }
        for GraphLink { ends: [a, b], purpose, rtt_us } in &self.links {
            let style = match purpose {
                Purpose::Neighbor => "solid",
                Purpose::Registration => "dashed",
            };
            let rtt = rtt_us.map_or_else(String::new, |rtt_us| format!(", rtt_us={rtt_us}"));
            let (a, b, purpose) = (dot_quoted(a), dot_quoted(b), purpose_word(*purpose));
            let _ = writeln!(text, "  {a} -- {b} [style={style}, purpose={purpose}{rtt}];");
        }
        text + "}\n"
    }

    fn graphml(&self) -> String {
        let mut text = GRAPHML_HEAD.to_owned();
        for node in &self.nodes {
            let _ = writeln!(text, "    <node id=\"{}\">", escape(&node.id));
            let (role, state, degree) = (role_text(node.role), state_name(node.state), node.degree.to_string());
            let is_ours = node.is_ours.to_string();
            let data = [("label", &*node.name), ("address", &*node.address), ("role", &*role), ("state", state)];
            push_data(&mut text, data.into_iter().chain([("degree", &*degree), ("ours", &*is_ours)]));
            text += "    </node>\n";
        }
        for GraphLink { ends: [a, b], purpose, rtt_us } in &self.links {
            let _ = writeln!(text, "    <edge source=\"{}\" target=\"{}\">", escape(a), escape(b));
            let rtt = rtt_us.map(|rtt_us| rtt_us.to_string());
            let rtt = rtt.as_deref().map(|rtt| ("rtt_us", rtt));
            push_data(&mut text, [("purpose", purpose_word(*purpose))].into_iter().chain(rtt));
            text += "    </edge>\n";
        }
        text + "  </graph>\n</graphml>\n"
    }
}

impl GraphNode {
    fn of(node: &NodeRecord, id: String, name: String) -> Self {
        Self {
            id,
            name,
            address: node.addr.to_string(),
            role: node.role,
            state: node.state(),
            degree: degree(node),
            is_ours: node.is_ours(),
        }
    }
}

/// Of a link between two nodes of ours, both ends have a row; one of them tells it.
fn is_told_here(model: &Model, link: &LinkHistory) -> bool {
    let (node, peer) = (link.key.node, link.key.peer);
    node < peer || !model.links().get(peer, node).is_some_and(LinkHistory::is_up)
}

/// Links to neighbors; of a seed, registered peers.
pub(super) fn degree(node: &NodeRecord) -> u32 {
    match node.role {
        Some(Role::Seed) => node.registrations,
        Some(Role::Peer) | None if node.is_ours() => node.neighbors,
        Some(Role::Peer) | None => node.linked,
    }
}

pub(super) fn role_text(role: Option<Role>) -> String {
    role.map_or_else(|| "-".to_owned(), |role| role.to_string())
}

/// The state in a word.
pub(super) const fn state_name(state: ObservedState) -> &'static str {
    match state {
        ObservedState::Up => "up",
        ObservedState::Hung => "hung",
        ObservedState::Suspect { .. } => "suspect",
        ObservedState::Dead => "dead",
        ObservedState::Killed => "killed",
        ObservedState::Left => "left",
        ObservedState::Known => "heard of",
    }
}

const fn purpose_word(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Neighbor => "neighbor",
        Purpose::Registration => "registration",
    }
}

const GRAPHML_HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
  <key id="label" for="node" attr.name="label" attr.type="string"/>
  <key id="address" for="node" attr.name="address" attr.type="string"/>
  <key id="role" for="node" attr.name="role" attr.type="string"/>
  <key id="state" for="node" attr.name="state" attr.type="string"/>
  <key id="degree" for="node" attr.name="degree" attr.type="int"/>
  <key id="ours" for="node" attr.name="ours" attr.type="boolean"/>
  <key id="purpose" for="edge" attr.name="purpose" attr.type="string"/>
  <key id="rtt_us" for="edge" attr.name="rtt_us" attr.type="long"/>
  <graph id="overlay" edgedefault="undirected">
"#;

fn push_data<'a>(text: &mut String, data: impl Iterator<Item = (&'static str, &'a str)>) {
    for (key, value) in data {
        let _ = writeln!(text, "      <data key=\"{key}\">{}</data>", escape(value));
    }
}

/// A string of Graphviz's language.
fn dot_quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}
