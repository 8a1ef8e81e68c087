use std::collections::{BTreeSet, VecDeque};
use std::fmt::Write;

use crate::modules::mention::Mention;
use crate::modules::tree::{Edges, Tree};

/// Modules that all reach each other.
#[derive(Debug)]
pub(super) struct Circle<'a> {
    /// All of them.
    knot: BTreeSet<usize>,
    /// The shortest way around, in its order: from a module to the next by these lines, and from the last to the first.
    way: Vec<(usize, &'a [Mention])>,
}

/// The circles of a graph, each module in one at most.
pub(super) fn circles(edges: &Edges) -> Vec<Circle<'_>> {
    let modules: BTreeSet<usize> = edges.keys().flat_map(|(from, to)| [*from, *to]).collect();
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for start in modules {
        let knot: BTreeSet<usize> = reached(edges, start)
            .into_iter()
            .filter(|other| reached(edges, *other).contains(&start))
            .collect();
        // Empty where no way leads back to the start.
        if !knot.is_empty() && seen.insert(knot.clone()) {
            let ways = knot.iter().filter_map(|module| way_around(edges, *module));
            let way = ways.min_by_key(Vec::len).unwrap_or_default();
            found.push(Circle { knot, way });
        }
    }
    found
}

/// The modules that an edge of `from` leads to.
fn next(edges: &Edges, from: usize) -> impl Iterator<Item = usize> {
    edges.range((from, 0)..=(from, usize::MAX)).map(|((_, to), _)| *to)
}

/// All that can be reached by one edge or more.
fn reached(edges: &Edges, start: usize) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut open: Vec<usize> = next(edges, start).collect();
    while let Some(module) = open.pop() {
        if found.insert(module) {
            open.extend(next(edges, module));
        }
    }
    found
}

/// The shortest way from a module back to itself.
fn way_around(edges: &Edges, start: usize) -> Option<Vec<(usize, &[Mention])>> {
    let mut open = VecDeque::from([vec![start]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = open.pop_front() {
        let last = *way.last()?;
        for module in next(edges, last) {
            if module == start {
                let ends = way.iter().skip(1).chain([&start]);
                let lines = way.iter().zip(ends).map(|(from, to)| (*from, &edges[&(*from, *to)][..]));
                return Some(lines.collect());
            }
            if seen.insert(module) {
                open.push_back([&way[..], &[module]].concat());
            }
        }
    }
    None
}

impl Circle<'_> {
    /// The modules, and the lines of the shortest way around.
    pub(super) fn shown(&self, tree: &Tree) -> String {
        let names: Vec<String> = self.knot.iter().map(|module| tree.name(*module)).collect();
        let mut shown = format!("  a circle of {} modules: {}", names.len(), names.join(", "));
        for (module, lines) in &self.way {
            let _ = write!(shown, "\n    {} uses", tree.name(*module));
            for line in *lines {
                let _ = write!(shown, "\n      {line}");
            }
        }
        shown
    }
}
