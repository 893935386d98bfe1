//! From pairs to persons: which records of a table are one.

use std::collections::BTreeMap;

use super::{Pair, Pairs, Records, compare};
use crate::flow::MatchGrade;
use crate::identity::{Model, NumberedLink, NumberedPairs, cluster_numbered};

/// Of a larger connected part only the pairs already found are looked at, not all there could be.
const COMPARED_WHOLE_MAX: usize = 300;

/// For every record the position of the first record of its person. Pairs from `least` on are
/// followed; contradictions, chains and the group cap cut them.
pub fn persons(records: &Records, pairs: &Pairs, model: &Model, least: MatchGrade) -> Vec<u32> {
    let links = |pair: &&Pair| pair.grade >= least && !pair.is_contradiction;
    let mut root: Vec<u32> = (0..u32::try_from(records.len()).unwrap_or(u32::MAX)).collect();
    for pair in pairs.list.iter().filter(links) {
        let (a, b) = (find(&mut root, pair.a), find(&mut root, pair.b));
        root[a.max(b) as usize] = a.min(b);
    }
    let mut parts: BTreeMap<u32, Vec<Pair>> = BTreeMap::new();
    for pair in pairs.list.iter().filter(links) {
        parts.entry(find(&mut root, pair.a)).or_default().push(*pair);
    }
    let mut person: Vec<u32> = (0..u32::try_from(records.len()).unwrap_or(u32::MAX)).collect();
    for links in parts.into_values() {
        if let [only] = links[..] {
            person[only.b as usize] = only.a;
            continue;
        }
        for group in groups(records, pairs, model, &links) {
            for &member in &group {
                person[member as usize] = group[0];
            }
        }
    }
    person
}

fn find(root: &mut [u32], node: u32) -> u32 {
    let mut at = node;
    while root[at as usize] != at {
        root[at as usize] = root[root[at as usize] as usize];
        at = root[at as usize];
    }
    at
}

/// Cuts one connected part into groups.
fn groups(records: &Records, pairs: &Pairs, model: &Model, links: &[Pair]) -> Vec<Vec<u32>> {
    let mut nodes: Vec<u32> = links.iter().flat_map(|pair| [pair.a, pair.b]).collect();
    nodes.sort_unstable();
    nodes.dedup();
    let at = |record: u32| nodes.binary_search(&record).unwrap_or_default();
    let mut known = NumberedPairs::default();
    for pair in links {
        let (a, b, weight_bits) = (at(pair.a), at(pair.b), pair.weight_bits);
        known.links.push(NumberedLink { a, b, weight_bits });
    }
    if nodes.len() <= COMPARED_WHOLE_MAX {
        for (n, &a) in nodes.iter().enumerate() {
            for &b in &nodes[n + 1..] {
                let found = compare(records, (a, b), model);
                if found.is_contradiction() {
                    known.contradictions.push((at(a), at(b)));
                } else if found.grade == MatchGrade::CertainlyNot && found.weight_bits < 0.0 {
                    known.unlike.push((at(a), at(b)));
                }
            }
        }
    } else {
        let inside = |record: u32| nodes.binary_search(&record).is_ok();
        let apart = pairs.list.iter().filter(|p| p.is_contradiction && inside(p.a) && inside(p.b));
        known.contradictions.extend(apart.map(|p| (at(p.a), at(p.b))));
    }
    let groups = cluster_numbered(nodes.len(), &known, model.group_cap());
    groups.into_iter().map(|group| group.into_iter().map(|n| nodes[n]).collect()).collect()
}
