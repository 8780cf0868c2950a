use proptest::prelude::*;

use super::*;

fn p(number: usize) -> Addr {
    Addr::loopback(u16::try_from(3000 + number).unwrap())
}

fn graph(nodes: usize, links: &[(usize, usize)]) -> Graph {
    let mut graph = Graph::default();
    (0..nodes).for_each(|node| assert_eq!(graph.add(p(node)), node));
    for (a, b) in links {
        graph.join(p(*a), p(*b));
    }
    graph
}

#[test]
fn the_middle_of_a_line_parts_it_and_a_ring_has_no_such_node() {
    let line = graph(3, &[(0, 1), (1, 2)]).cuts();
    assert_eq!(line.nodes, [p(1)]);
    assert_eq!(line.links.len(), 2);
    assert_eq!(graph(4, &[(0, 1), (1, 2), (2, 3), (3, 0)]).cuts(), Cuts::default());
}

#[test]
fn two_rings_that_share_a_node_are_parted_by_it_and_by_no_link() {
    let cuts = graph(5, &[(0, 1), (1, 2), (2, 0), (2, 3), (3, 4), (4, 2)]).cuts();
    assert_eq!((cuts.nodes, cuts.links), (vec![p(2)], vec![]));
}

#[test]
fn distances_and_ways_are_the_shortest() {
    let graph = graph(6, &[(0, 1), (1, 2), (2, 3), (0, 3), (3, 4)]);
    assert_eq!(graph.distances(p(0)), [(p(0), 0), (p(1), 1), (p(3), 1), (p(2), 2), (p(4), 2)]);
    assert_eq!(graph.ways([p(0)]).to(p(4)), [p(0), p(3), p(4)]);
    assert_eq!(graph.ways([p(0), p(3)]).to(p(4)), [p(3), p(4)]);
    assert_eq!(graph.ways([p(0)]).to(p(5)), []);
    assert_eq!(graph.parts(), [vec![p(0), p(1), p(3), p(2), p(4)], vec![p(5)]]);
}

#[test]
fn a_long_line_needs_no_deep_stack() {
    let links: Vec<_> = (0..50_000).map(|node| (node, node + 1)).collect();
    let cuts = graph(50_001, &links).cuts();
    assert_eq!((cuts.nodes.len(), cuts.links.len()), (49_999, 50_000));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_cut_is_what_makes_more_parts_when_it_is_taken_out(
        links in prop::collection::vec((0_usize..12, 0_usize..12), 0..24),
    ) {
        let graph = graph(12, &links);
        let (cuts, parts) = (graph.cuts(), graph.parts().len());
        for node in graph.nodes() {
            // A node that is alone is a part itself: without it there is one less.
            let alone = usize::from(graph.degree(node) == 0);
            let parts_more = graph.without(node).parts().len() + alone > parts;
            prop_assert_eq!(cuts.nodes.contains(&node), parts_more, "{}", node);
            let left: Vec<usize> = graph.without(node).parts().iter().map(Vec::len).collect();
            let split = cuts.splits.iter().find(|split| split.node == node);
            prop_assert_eq!(split.is_some(), parts_more);
            if let Some(split) = split {
                let reached = graph.distances(node).len() - 1;
                let others: Vec<usize> = graph.parts().iter().filter(|part| !part.contains(&node)).map(Vec::len).collect();
                prop_assert_eq!(split.parts, left.len() - others.len());
                let mut sides = left.clone();
                for len in &others {
                    sides.swap_remove(sides.iter().position(|side| side == len).unwrap());
                }
                prop_assert_eq!(split.cut_off, reached - sides.iter().max().unwrap());
            }
            for neighbor in graph.neighbors(node) {
                let is_cut = cuts.links.contains(&(node, neighbor)) || cuts.links.contains(&(neighbor, node));
                prop_assert_eq!(is_cut, graph.without_link(node, neighbor).parts().len() > parts);
            }
        }
    }
}

#[test]
fn each_of_a_hundred_thousand_nodes_without_links_is_a_part() {
    let mut graph = Graph::default();
    for number in 0..100_000 {
        graph.add(Addr::new((0x0a00_0000 + number).into(), 1));
    }
    // With a walk of all nodes for each part, this would take minutes.
    assert_eq!(graph.parts().len(), 100_000);
}
