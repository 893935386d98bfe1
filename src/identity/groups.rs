//! Union-find that knows which nodes must not meet, by number.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// A link between two nodes by number.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct NumberedLink {
    /// One end.
    pub a: usize,
    /// The other.
    pub b: usize,
    /// Match weight in bits.
    pub weight_bits: f64,
}

/// What is known of a set of nodes, by number.
#[derive(Clone, Debug, Default)]
pub struct NumberedPairs {
    /// Links to follow.
    pub links: Vec<NumberedLink>,
    /// Pairs that must never be together.
    pub contradictions: Vec<(usize, usize)>,
    /// Pairs that were compared and do not match, without contradiction.
    pub unlike: Vec<(usize, usize)>,
}

/// Groups nodes `0..count`: links by falling weight, none that brings a contradiction together,
/// chains most of whose ends do not match, or makes a group larger than `group_cap`. The
/// groups are sorted, and sorted among each other; the order of the input does not matter.
pub fn cluster_numbered(count: usize, pairs: &NumberedPairs, group_cap: usize) -> Vec<Vec<usize>> {
    let mut groups = Groups::new(count, group_cap);
    for &(a, b) in &pairs.contradictions {
        groups.part(a, b, "contradiction");
    }
    for &(a, b) in &pairs.unlike {
        groups.note_unlike(a, b);
    }
    let mut links = pairs.links.clone();
    links.sort_by(strongest_first);
    for link in links {
        groups.join(link.a, link.b, group_cap);
    }
    groups.finish().0
}

fn strongest_first(x: &NumberedLink, y: &NumberedLink) -> Ordering {
    let ends = |l: &NumberedLink| (l.a.min(l.b), l.a.max(l.b));
    y.weight_bits.total_cmp(&x.weight_bits).then(ends(x).cmp(&ends(y)))
}

/// Links that were not followed, and why.
pub(super) type Cuts = BTreeSet<(usize, usize, &'static str)>;

/// Groups while they are made.
pub(super) struct Groups {
    group_of: Vec<usize>,
    members: Vec<Vec<usize>>,
    apart: Vec<BTreeMap<usize, &'static str>>,
    unlike: Vec<BTreeSet<usize>>,
    cuts: Cuts,
    pub(super) group_cap: usize,
}

impl Groups {
    pub(super) fn new(count: usize, group_cap: usize) -> Self {
        Self {
            group_of: (0..count).collect(),
            members: (0..count).map(|i| vec![i]).collect(),
            apart: vec![BTreeMap::new(); count],
            unlike: vec![BTreeSet::new(); count],
            cuts: BTreeSet::new(),
            group_cap,
        }
    }

    /// These two must never meet.
    pub(super) fn part(&mut self, a: usize, b: usize, reason: &'static str) {
        self.apart[a].entry(b).or_insert(reason);
        self.apart[b].entry(a).or_insert(reason);
    }

    /// These two do not match, which counts when chains are joined.
    pub(super) fn note_unlike(&mut self, a: usize, b: usize) {
        self.unlike[a].insert(b);
        self.unlike[b].insert(a);
    }

    pub(super) fn group_of(&self, node: usize) -> usize {
        self.group_of[node]
    }

    /// Joins the groups of two nodes, unless something forbids it; then that is a cut.
    pub(super) fn join(&mut self, a: usize, b: usize, cap: usize) {
        let (keep, lose) =
            (self.group_of[a].min(self.group_of[b]), self.group_of[a].max(self.group_of[b]));
        if keep == lose {
            return;
        }
        let too_large = self.members[keep].len() + self.members[lose].len() > cap;
        // A steward's own link, which has no cap, is followed along any chain.
        let weak = cap < usize::MAX && self.is_weak_chain(keep, lose);
        let reason = self
            .between(keep, lose)
            .or(too_large.then_some("group-cap"))
            .or(weak.then_some("weak-chain"));
        if let Some(reason) = reason {
            self.cut(a, b, reason);
            return;
        }
        let moved = std::mem::take(&mut self.members[lose]);
        for &node in &moved {
            self.group_of[node] = keep;
        }
        self.members[keep].extend(moved);
    }

    /// What keeps two groups apart, if anything does.
    fn between(&self, x: usize, y: usize) -> Option<&'static str> {
        let (small, large) = self.by_size(x, y);
        let found = self.members[small]
            .iter()
            .flat_map(|&node| &self.apart[node])
            .filter(|(other, _)| self.group_of[**other] == large)
            .map(|(_, reason)| *reason);
        found.min()
    }

    /// Whether more than half of the pairs across two groups do not match.
    fn is_weak_chain(&self, x: usize, y: usize) -> bool {
        let (small, large) = self.by_size(x, y);
        let across = self.members[small].len() * self.members[large].len();
        let unlike = self.members[small]
            .iter()
            .flat_map(|&node| &self.unlike[node])
            .filter(|other| self.group_of[**other] == large)
            .count();
        unlike * 2 > across
    }

    fn by_size(&self, x: usize, y: usize) -> (usize, usize) {
        if self.members[x].len() <= self.members[y].len() { (x, y) } else { (y, x) }
    }

    /// Notes a link that is not followed.
    pub(super) fn cut(&mut self, a: usize, b: usize, reason: &'static str) {
        self.cuts.insert((a, b, reason));
    }

    /// The groups, sorted, and the cuts.
    pub(super) fn finish(self) -> (Vec<Vec<usize>>, Cuts) {
        let mut groups: Vec<Vec<usize>> =
            self.members.into_iter().filter(|m| !m.is_empty()).collect();
        groups.iter_mut().for_each(|group| group.sort_unstable());
        groups.sort();
        (groups, self.cuts)
    }
}
