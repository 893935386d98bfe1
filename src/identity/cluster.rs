//! From comparisons and decisions to groups of homes: one group, one person.
//!
//! Decisions come first, then certain links by falling weight. A link that would bring together
//! what must stay apart is cut, so a contradiction within a component splits it at its weakest
//! edge. The result is a function of the set of edges and decisions, not of their order.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::groups::Groups;
use super::veto::separation;
use crate::flow::{Comparison, Decision, Home, MatchGrade, Verdict};

/// Most homes of one group when the caller names no other bound.
const GROUP_CAP: usize = 64;

/// Homes grouped into persons (or directory entries).
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Clustering {
    /// The groups: each sorted, and sorted among each other. Every node is in exactly one.
    pub groups: Vec<Vec<Home>>,
    /// Links that were not followed, sorted.
    pub cuts: Vec<Cut>,
}

/// A link that was not followed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cut {
    /// One end, the smaller.
    pub a: Home,
    /// The other.
    pub b: Home,
    /// Why: the veto or rule that keeps their groups apart.
    pub reason: Box<str>,
}

/// The grade that counts for linking: a pair that only an overfull block proposed is not
/// certain, whatever its weight.
pub fn linking_grade(comparison: &Comparison) -> MatchGrade {
    match comparison.grade {
        MatchGrade::Certain if comparison.unproven => MatchGrade::Probable,
        grade => grade,
    }
}

/// Groups the nodes. Edges and decisions about homes that are no nodes are ignored.
pub fn cluster(
    nodes: &[Home],
    edges: &[(Home, Home, Comparison)],
    decisions: &[Decision],
) -> Clustering {
    cluster_within(nodes, edges, decisions, GROUP_CAP)
}

/// Groups the nodes; certain links make no group larger than `group_cap` (decisions may).
pub fn cluster_within(
    nodes: &[Home],
    edges: &[(Home, Home, Comparison)],
    decisions: &[Decision],
    group_cap: usize,
) -> Clustering {
    let nodes: Vec<&Home> = nodes.iter().collect::<BTreeSet<_>>().into_iter().collect();
    let nodes = Nodes(nodes);
    let mut groups = Groups::new(nodes.0.len(), group_cap);
    let verdicts = nodes.latest_verdicts(decisions);
    let mut edges = nodes.numbered(edges);
    // Stewards outrank the algorithm: their links are only stopped by their own no-match.
    for (&(a, b), decision) in &verdicts {
        if decision.verdict == Verdict::NoMatch {
            groups.part(a, b, "no-match decision");
        }
    }
    let mut links: Vec<_> = verdicts.iter().filter(|(_, d)| d.verdict == Verdict::Link).collect();
    links.sort_by(|(pair_a, a), (pair_b, b)| b.at.cmp(&a.at).then(pair_a.cmp(pair_b)));
    for (&(a, b), _) in links {
        groups.join(a, b, usize::MAX);
    }
    let chains = nodes.chains(&edges, &verdicts);
    for edge in edges.iter().filter(|e| !verdicts.contains_key(&(e.a, e.b))) {
        if let Some(reason) = separation(edge.comparison) {
            groups.part(edge.a, edge.b, reason);
        } else if nodes.is_unlike(edge) && chains[edge.a] == chains[edge.b] {
            // Whom only a steward's link brings together may well be unlike: that was decided.
            groups.note_unlike(edge.a, edge.b);
        }
    }
    edges.retain(|e| {
        linking_grade(e.comparison) == MatchGrade::Certain && separation(e.comparison).is_none()
    });
    edges.sort_by(Numbered::strongest_first);
    let (by_identifier, between): (Vec<_>, Vec<_>) =
        edges.into_iter().partition(|e| nodes.is_by_identifier(e.a) || nodes.is_by_identifier(e.b));
    for edge in between {
        groups.join(edge.a, edge.b, group_cap);
    }
    nodes.join_references(&by_identifier, &mut groups);
    nodes.named(groups)
}

/// An edge by the positions of its ends, the smaller first.
struct Numbered<'a> {
    a: usize,
    b: usize,
    comparison: &'a Comparison,
}

impl Numbered<'_> {
    fn strongest_first(x: &Self, y: &Self) -> Ordering {
        y.comparison
            .weight_bits
            .total_cmp(&x.comparison.weight_bits)
            .then((x.a, x.b).cmp(&(y.a, y.b)))
    }
}

/// The homes by number, sorted.
struct Nodes<'a>(Vec<&'a Home>);

impl<'a> Nodes<'a> {
    fn pair(&self, a: &Home, b: &Home) -> Option<(usize, usize)> {
        let a = self.0.binary_search(&a).ok()?;
        let b = self.0.binary_search(&b).ok()?;
        (a != b).then_some((a.min(b), a.max(b)))
    }

    fn latest_verdicts<'d>(
        &self,
        decisions: &'d [Decision],
    ) -> BTreeMap<(usize, usize), &'d Decision> {
        let mut latest: BTreeMap<(usize, usize), &Decision> = BTreeMap::new();
        for decision in decisions {
            let Some(pair) = self.pair(&decision.a, &decision.b) else { continue };
            let known = latest.entry(pair).or_insert(decision);
            // At one and the same time, keeping apart is the safer of two.
            let safer = decision.at == known.at && decision.verdict == Verdict::NoMatch;
            if decision.at > known.at || safer {
                *known = decision;
            }
        }
        latest
    }

    /// The edges by position; of several about one pair the one that is least for a link.
    fn numbered(&self, edges: &'a [(Home, Home, Comparison)]) -> Vec<Numbered<'a>> {
        let mut by_pair: BTreeMap<(usize, usize), &Comparison> = BTreeMap::new();
        for (a, b, comparison) in edges {
            let Some(pair) = self.pair(a, b) else { continue };
            let known = by_pair.entry(pair).or_insert(comparison);
            if caution(comparison).partial_cmp(&caution(known)) == Some(Ordering::Less) {
                *known = comparison;
            }
        }
        by_pair.into_iter().map(|((a, b), comparison)| Numbered { a, b, comparison }).collect()
    }

    /// Numbers of the parts that certain links alone would connect.
    fn chains(
        &self,
        edges: &[Numbered<'_>],
        verdicts: &BTreeMap<(usize, usize), &Decision>,
    ) -> Vec<usize> {
        let mut chains = Groups::new(self.0.len(), usize::MAX);
        let certain = edges.iter().filter(|e| {
            linking_grade(e.comparison) == MatchGrade::Certain
                && separation(e.comparison).is_none()
                && !verdicts.contains_key(&(e.a, e.b))
        });
        for edge in certain {
            chains.join(edge.a, edge.b, usize::MAX);
        }
        (0..self.0.len()).map(|node| chains.group_of(node)).collect()
    }

    fn is_by_identifier(&self, node: usize) -> bool {
        self.0[node].chart().is_some_and(|chart| chart.is_by_identifier())
    }

    /// Whether two charts were compared by what they state, and do not match.
    fn is_unlike(&self, edge: &Numbered<'_>) -> bool {
        edge.comparison.grade == MatchGrade::CertainlyNot
            && edge.comparison.weight_bits < 0.0
            && !self.is_by_identifier(edge.a)
            && !self.is_by_identifier(edge.b)
    }

    /// A chart of which only an identifier is known joins if exactly one person has it.
    fn join_references(&self, edges: &[Numbered<'_>], state: &mut Groups) {
        let mut reached: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for edge in edges {
            for (from, to) in [(edge.a, edge.b), (edge.b, edge.a)] {
                if self.is_by_identifier(from) && !self.is_by_identifier(to) {
                    reached.entry(from).or_default().push(to);
                }
            }
        }
        for (from, targets) in reached {
            let groups: BTreeSet<usize> = targets.iter().map(|&to| state.group_of(to)).collect();
            if groups.len() == 1 {
                state.join(from, targets[0], state.group_cap);
            } else {
                for to in targets {
                    state.cut(from, to, "identifier-of-several-persons");
                }
            }
        }
    }

    fn named(&self, groups: Groups) -> Clustering {
        let (groups, cuts) = groups.finish();
        let home = |node: usize| self.0[node].clone();
        let cut = |(a, b, reason): (usize, usize, &str)| Cut {
            a: home(a),
            b: home(b),
            reason: reason.into(),
        };
        let mut cuts: Vec<Cut> = cuts.into_iter().map(cut).collect();
        cuts.sort();
        let groups = groups.into_iter().map(|g| g.into_iter().map(home).collect()).collect();
        Clustering { groups, cuts }
    }
}

/// Orders comparisons of one pair: separated first, then by grade, then by weight.
fn caution(comparison: &Comparison) -> (bool, Option<&'static str>, MatchGrade, f64) {
    let apart = separation(comparison);
    (apart.is_none(), apart, linking_grade(comparison), comparison.weight_bits)
}
