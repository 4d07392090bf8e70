//! Cycles in a graph: its strongly connected components with more than one node.

use std::collections::{BTreeMap, BTreeSet};

pub(crate) type Graph = BTreeMap<String, BTreeSet<String>>;

/// The cycles, the largest first.
pub(crate) fn circles(graph: &Graph) -> Vec<BTreeSet<String>> {
    let reached: BTreeMap<_, _> = graph.keys().map(|node| (node, reachable(graph, node))).collect();
    let mut circles: BTreeSet<BTreeSet<String>> = BTreeSet::new();
    for (node, from_here) in &reached {
        let back =
            from_here.iter().filter(|other| reached.get(*other).is_some_and(|far| far.contains(*node)));
        let circle: BTreeSet<String> = back.cloned().chain([(*node).clone()]).collect();
        if circle.len() > 1 {
            circles.insert(circle);
        }
    }
    let mut circles: Vec<_> = circles.into_iter().collect();
    circles.sort_by_key(|circle| std::cmp::Reverse(circle.len()));
    circles
}

/// All nodes that can be reached from a node.
fn reachable(graph: &Graph, from: &str) -> BTreeSet<String> {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from.to_owned()]);
    while let Some(node) = open.pop() {
        for next in graph.get(&node).into_iter().flatten() {
            if seen.insert(next.clone()) {
                open.push(next.clone());
            }
        }
    }
    seen
}

#[test]
fn circles_are_found_and_ways_of_one_direction_are_none() {
    let graph = |edges: &[(&str, &str)]| {
        let mut graph = Graph::new();
        for (from, to) in edges {
            graph.entry((*from).to_owned()).or_default().insert((*to).to_owned());
        }
        graph
    };
    assert!(circles(&graph(&[("a", "b"), ("b", "c"), ("a", "c")])).is_empty());
    let found = circles(&graph(&[("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("e", "f"), ("f", "e")]));
    let sizes: Vec<_> = found.iter().map(BTreeSet::len).collect();
    assert_eq!(sizes, [3, 2]);
}
