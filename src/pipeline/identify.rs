//! Identity within a settle: which charts are one person, which directory records one entry.
//!
//! For every home whose comparison may have changed the edges are made anew, the part of the
//! link graph they reach is cut into groups, and every group is an owner. The result depends on
//! what is stored and on the model alone, not on which home was dirty first (P2).

use std::collections::{BTreeMap, BTreeSet};

use crate::flow::{
    Access, BlockingKey, Comparison, Decision, Demographics, Edge, Facts, Home, Identifier,
    MatchGrade, Step, Verdict,
};
use crate::identity::{self, Model};
use crate::store::{LinkWrite, ReviewPair, Store, StoreError, StoredLink};

use super::last_seen::compare_charts;

/// A home with what it is compared by.
#[derive(Clone, Debug, Default)]
pub(super) struct Subject {
    /// Demographics; of a chart whose Patient has not come: none.
    pub(super) demographics: Option<Demographics>,
    /// For a directory record: its facts.
    pub(super) facts: Option<Facts>,
}

/// What identity decided for one settle.
#[derive(Debug, Default)]
pub(super) struct Identified {
    /// Groups of homes, each an owner; sorted.
    pub(super) groups: Vec<Vec<Home>>,
    /// The links of all homes whose edges changed or that are in a group, without owner yet.
    pub(super) links: BTreeMap<Home, LinkWrite>,
    /// Pairs for review.
    pub(super) reviews: Vec<ReviewPair>,
    /// Generations of the blocks read.
    pub(super) expected: Vec<(BlockingKey, u64)>,
}

/// Decides the links of `subjects` (homes whose comparison is to be made anew) and of everything
/// that they are or were linked with.
///
/// # Errors
/// When the store fails.
pub(super) fn identify(
    store: &dyn Store,
    model: &Model,
    subjects: BTreeMap<Home, Subject>,
) -> Result<Identified, StoreError> {
    identify_if(store, model, subjects, &[])
}

/// The same as if these decisions stood in the store.
///
/// # Errors
/// When the store fails.
pub(super) fn identify_if(
    store: &dyn Store,
    model: &Model,
    subjects: BTreeMap<Home, Subject>,
    assumed: &[Decision],
) -> Result<Identified, StoreError> {
    let mut graph = Graph::new(store, model, subjects);
    graph.assumed = assumed.to_vec();
    graph.read_blocks()?;
    graph.compare()?;
    let nodes = graph.reach()?;
    graph.group(nodes)
}

struct Graph<'a> {
    store: &'a dyn Store,
    model: &'a Model,
    access: Access,
    /// Homes whose edges are made anew.
    fresh: BTreeMap<Home, Subject>,
    /// Blocking keys of fresh homes.
    keys: BTreeMap<Home, Vec<BlockingKey>>,
    /// Per key: the homes under it once this settle is done, and whether that is beyond the cap.
    blocks: BTreeMap<BlockingKey, (BTreeSet<Home>, bool)>,
    expected: Vec<(BlockingKey, u64)>,
    stored: BTreeMap<Home, Option<StoredLink>>,
    others: BTreeMap<Home, Subject>,
    edges: BTreeMap<(Home, Home), Comparison>,
    neighbours: BTreeMap<Home, BTreeSet<Home>>,
    touched: BTreeSet<Home>,
    /// Decisions that count as if the store had them.
    assumed: Vec<Decision>,
}

impl<'a> Graph<'a> {
    fn new(store: &'a dyn Store, model: &'a Model, fresh: BTreeMap<Home, Subject>) -> Self {
        Self {
            store,
            model,
            access: Access::system(),
            touched: fresh.keys().cloned().collect(),
            fresh,
            keys: BTreeMap::new(),
            blocks: BTreeMap::new(),
            expected: Vec::new(),
            stored: BTreeMap::new(),
            others: BTreeMap::new(),
            edges: BTreeMap::new(),
            neighbours: BTreeMap::new(),
            assumed: Vec::new(),
        }
    }

    fn decisions_of(&self, home: &Home) -> Result<Vec<Decision>, StoreError> {
        let mut decisions = self.store.decisions(&self.access, home)?;
        let replaced = |d: &Decision| self.assumed.iter().any(|x| (&x.a, &x.b) == (&d.a, &d.b));
        decisions.retain(|decision| !replaced(decision));
        let assumed = self.assumed.iter().filter(|d| d.a == *home || d.b == *home);
        decisions.extend(assumed.cloned());
        Ok(decisions)
    }

    fn add_edge(&mut self, pair: (Home, Home), comparison: Comparison) {
        self.neighbours.entry(pair.0.clone()).or_default().insert(pair.1.clone());
        self.neighbours.entry(pair.1.clone()).or_default().insert(pair.0.clone());
        self.edges.entry(pair).or_insert(comparison);
    }

    fn edges_of(&self, home: &Home) -> impl Iterator<Item = (&Home, &Comparison)> {
        let others = self.neighbours.get(home).into_iter().flatten();
        let home = home.clone();
        others.filter_map(move |other| Some((other, self.edges.get(&ordered(&home, other))?)))
    }

    /// Reads the blocks of fresh homes, old and new ones. A block that passes its cap, either
    /// way, makes all its homes fresh: their pairs become unproven, or proven again.
    fn read_blocks(&mut self) -> Result<(), StoreError> {
        let mut waiting: Vec<Home> = self.fresh.keys().cloned().collect();
        while let Some(home) = waiting.pop() {
            let new_keys = self.keys_of(&home)?;
            let old_keys = self.link(&home)?.map(|l| l.blocking.clone()).unwrap_or_default();
            let all: BTreeSet<BlockingKey> = new_keys.iter().chain(&old_keys).copied().collect();
            let unread: Vec<BlockingKey> =
                all.iter().filter(|k| !self.blocks.contains_key(k)).copied().collect();
            let cap = self.model.block_cap();
            for block in self.store.candidates(&self.access, &unread, cap + 1)? {
                self.expected.push((block.key, block.generation));
                self.blocks
                    .insert(block.key, (block.homes.into_iter().collect(), block.total > cap));
            }
            for key in &all {
                let Some((homes, beyond)) = self.blocks.get_mut(key) else { continue };
                let was_beyond = *beyond;
                if new_keys.contains(key) {
                    homes.insert(home.clone());
                } else {
                    homes.remove(&home);
                }
                *beyond = if homes.len() > cap { true } else { was_beyond && homes.len() == cap };
                if *beyond != was_beyond {
                    let changed: Vec<Home> =
                        homes.iter().filter(|h| !self.fresh.contains_key(*h)).cloned().collect();
                    for other in changed {
                        let subject = self.subject(&other)?;
                        self.fresh.insert(other.clone(), subject);
                        self.touched.insert(other.clone());
                        waiting.push(other);
                    }
                }
            }
            self.keys.insert(home, new_keys);
        }
        Ok(())
    }

    /// Compares every fresh home with all homes that share a block.
    fn compare(&mut self) -> Result<(), StoreError> {
        let homes: Vec<Home> = self.fresh.keys().cloned().collect();
        for home in homes {
            let mut proposed: BTreeMap<Home, bool> = BTreeMap::new();
            for key in self.keys.get(&home).into_iter().flatten() {
                let Some((members, beyond)) = self.blocks.get(key) else { continue };
                for other in members.iter().filter(|o| **o != home) {
                    let unproven = proposed.entry(other.clone()).or_insert(true);
                    *unproven &= *beyond;
                }
            }
            for (other, unproven) in proposed {
                let pair = ordered(&home, &other);
                if self.edges.contains_key(&pair) {
                    continue;
                }
                let mut comparison = self.compare_pair(&pair.0, &pair.1)?;
                comparison.unproven = unproven;
                if comparison.grade > MatchGrade::CertainlyNot {
                    self.add_edge(pair, comparison);
                }
                self.touched.insert(other);
            }
            // Edges that are no more: the other end must forget them too.
            let old = self.link(&home)?.map(|l| l.edges.clone()).unwrap_or_default();
            self.touched.extend(old.into_iter().map(|e| e.other));
        }
        Ok(())
    }

    /// Everything that fresh homes are, or were, linked with.
    fn reach(&mut self) -> Result<BTreeSet<Home>, StoreError> {
        let mut seen: BTreeSet<Home> = BTreeSet::new();
        let mut waiting: Vec<Home> = self.touched.iter().cloned().collect();
        while let Some(home) = waiting.pop() {
            if !seen.insert(home.clone()) {
                continue;
            }
            let old = self.link(&home)?.map(|l| l.edges.clone()).unwrap_or_default();
            for edge in old {
                let pair = ordered(&home, &edge.other);
                let is_stale =
                    self.fresh.contains_key(&home) || self.fresh.contains_key(&edge.other);
                if edge.comparison.grade == MatchGrade::Certain {
                    waiting.push(edge.other.clone());
                }
                if !is_stale {
                    self.add_edge(pair, edge.comparison);
                }
            }
            let new = self.edges_of(&home).filter(|(_, c)| c.grade == MatchGrade::Certain);
            let linked: Vec<Home> = new.map(|(other, _)| other.clone()).collect();
            waiting.extend(linked);
            for decision in self.decisions_of(&home)? {
                let other = if decision.a == home { decision.b } else { decision.a };
                waiting.push(other);
            }
        }
        Ok(seen)
    }

    /// Cuts what was reached into groups.
    fn group(mut self, nodes: BTreeSet<Home>) -> Result<Identified, StoreError> {
        let mut decisions: Vec<Decision> = Vec::new();
        for home in &nodes {
            decisions.extend(self.decisions_of(home)?);
        }
        decisions.sort_by(|x, y| (x.at, &x.a, &x.b).cmp(&(y.at, &y.a, &y.b)));
        decisions.dedup();

        let mut identified = Identified { expected: self.expected.clone(), ..Default::default() };
        for component in components(&nodes, &self.edges, &decisions) {
            self.group_component(&component, &decisions, &mut identified)?;
        }
        for home in &nodes {
            let write = self.link_write(home)?;
            identified.links.insert(home.clone(), write);
        }
        identified.groups.sort();
        self.queue(&decisions, &mut identified);
        Ok(identified)
    }

    /// Pairs that a steward should look at: not certain, or resting on a block beyond its cap,
    /// not in one group already, and not decided.
    fn queue(&self, decisions: &[Decision], into: &mut Identified) {
        let mut group_of: BTreeMap<&Home, usize> = BTreeMap::new();
        for (number, group) in into.groups.iter().enumerate() {
            group_of.extend(group.iter().map(|home| (home, number)));
        }
        for ((a, b), comparison) in &self.edges {
            let together = group_of.contains_key(a) && group_of.get(a) == group_of.get(b);
            let decided = decisions.iter().any(|d| ordered(&d.a, &d.b) == (a.clone(), b.clone()));
            let settled = comparison.grade == MatchGrade::Certain && !comparison.unproven;
            if together || decided || settled {
                continue;
            }
            into.reviews.push(ReviewPair {
                a: a.clone(),
                b: b.clone(),
                weight_bits: comparison.weight_bits,
                grade: comparison.grade,
                reason: if comparison.unproven { "unproven" } else { "below-certain" }.into(),
            });
        }
    }

    fn group_component(
        &mut self,
        component: &BTreeSet<Home>,
        decisions: &[Decision],
        into: &mut Identified,
    ) -> Result<(), StoreError> {
        let members: Vec<Home> = component.iter().cloned().collect();
        let mut edges = Vec::new();
        for (i, a) in members.iter().enumerate() {
            for b in &members[i + 1..] {
                let known = self.edges.get(&(a.clone(), b.clone())).cloned();
                let comparison = match known {
                    Some(comparison) => comparison,
                    // Never proposed by a block: it may forbid a group, not make one.
                    None => Comparison { unproven: true, ..self.compare_pair(a, b)? },
                };
                edges.push((a.clone(), b.clone(), comparison));
            }
        }
        let inside: Vec<Decision> = decisions
            .iter()
            .filter(|d| component.contains(&d.a) && component.contains(&d.b))
            .cloned()
            .collect();
        let cap = self.model.group_cap();
        let clustering = identity::cluster_within(&members, &edges, &inside, cap);
        into.groups.extend(clustering.groups);
        for cut in clustering.cuts {
            let of_pair = |(a, b, _): &&(Home, Home, Comparison)| *a == cut.a && *b == cut.b;
            let compared = edges.iter().find(of_pair).map(|(_, _, comparison)| comparison);
            into.reviews.push(ReviewPair {
                weight_bits: compared.map_or(0.0, |c| c.weight_bits),
                grade: compared.map_or(MatchGrade::CertainlyNot, |c| c.grade),
                a: cut.a,
                b: cut.b,
                reason: cut.reason,
            });
        }
        Ok(())
    }

    fn link_write(&mut self, home: &Home) -> Result<LinkWrite, StoreError> {
        let edges: Vec<Edge> = self
            .edges_of(home)
            .map(|(other, c)| Edge { other: other.clone(), comparison: c.clone() })
            .collect();
        let stored = self.link(home)?.cloned();
        let blocking = match self.keys.get(home) {
            Some(keys) => keys.clone(),
            None => stored.as_ref().map(|l| l.blocking.clone()).unwrap_or_default(),
        };
        let demographics = self.subject(home)?.demographics.unwrap_or_default();
        Ok(LinkWrite { home: home.clone(), owner: None, edges, blocking, demographics })
    }

    fn keys_of(&mut self, home: &Home) -> Result<Vec<BlockingKey>, StoreError> {
        let subject = self.subject(home)?;
        let mut keys = match (home, &subject.demographics, &subject.facts) {
            (Home::Chart(_), Some(demographics), _) => {
                identity::blocking_keys(home, demographics, self.model)
            }
            (Home::Directory(record), _, Some(facts)) => {
                identity::directory_keys(facts, record.resource_type)
            }
            _ => Vec::new(),
        };
        keys.sort();
        keys.dedup();
        Ok(keys)
    }

    fn compare_pair(&mut self, a: &Home, b: &Home) -> Result<Comparison, StoreError> {
        let (of_a, of_b) = (self.subject(a)?, self.subject(b)?);
        let comparison = match (a, b) {
            (Home::Chart(_), Home::Chart(_)) => match (&of_a.demographics, &of_b.demographics) {
                (Some(x), Some(y)) => {
                    compare_charts(self.store, &self.access, (a, x), (b, y), self.model)?
                }
                _ => never(),
            },
            (Home::Directory(x), Home::Directory(y)) if x.resource_type == y.resource_type => {
                match (&of_a.facts, &of_b.facts) {
                    (Some(f), Some(g)) => {
                        identity::same_directory_entry((x, f), (y, g)).map_or_else(never, by_rule)
                    }
                    _ => never(),
                }
            }
            _ => never(),
        };
        Ok(comparison)
    }

    fn link(&mut self, home: &Home) -> Result<Option<&StoredLink>, StoreError> {
        if !self.stored.contains_key(home) {
            let link = self.store.link(&self.access, home)?;
            self.stored.insert(home.clone(), link);
        }
        Ok(self.stored.get(home).and_then(Option::as_ref))
    }

    fn subject(&mut self, home: &Home) -> Result<Subject, StoreError> {
        if let Some(subject) = self.fresh.get(home).or_else(|| self.others.get(home)) {
            return Ok(subject.clone());
        }
        let subject = match home {
            Home::Chart(_) => {
                let has_patient = |l: &&StoredLink| l.demographics != Demographics::default();
                let known = self.link(home)?.filter(has_patient).map(|l| l.demographics.clone());
                Subject { demographics: known, facts: None }
            }
            Home::Directory(_) | Home::Shared(_) => read_subject(self.store, &self.access, home)?,
        };
        self.others.insert(home.clone(), subject.clone());
        Ok(subject)
    }
}

/// Reads from its records what a home is compared by.
///
/// # Errors
/// When the store fails.
pub(super) fn read_subject(
    store: &dyn Store,
    access: &Access,
    home: &Home,
) -> Result<Subject, StoreError> {
    let record = match home {
        Home::Chart(chart) if chart.is_by_identifier() => {
            let rest = &chart.patient[crate::flow::ChartKey::BY_IDENTIFIER.len()..];
            let (system, value) = rest.split_once('|').unwrap_or(("", rest));
            let identifier =
                Identifier { system: system.into(), value: value.into(), ..Default::default() };
            let demographics = Demographics {
                identifiers: vec![identifier],
                by_identifier_only: true,
                ..Default::default()
            };
            return Ok(Subject { demographics: Some(demographics), facts: None });
        }
        Home::Chart(chart) => chart.patient_record(),
        Home::Directory(record) => record.clone(),
        Home::Shared(_) => return Ok(Subject::default()),
    };
    let id = store.id_key().record(&record);
    let facts = store.record(access, home, id)?.and_then(|mut stored| {
        let version = stored.header.last_live()?.hash;
        stored.contents.remove(&version).map(|c| c.facts)
    });
    Ok(match home {
        Home::Chart(_) => {
            let demographics = facts.and_then(|f| f.demographics).map(|d| *d);
            Subject { demographics, facts: None }
        }
        Home::Directory(_) | Home::Shared(_) => Subject { demographics: None, facts },
    })
}

/// The connected parts over certain edges, proven or not, and link decisions.
fn components(
    nodes: &BTreeSet<Home>,
    edges: &BTreeMap<(Home, Home), Comparison>,
    decisions: &[Decision],
) -> Vec<BTreeSet<Home>> {
    let mut neighbours: BTreeMap<&Home, Vec<&Home>> = BTreeMap::new();
    let certain = edges
        .iter()
        .filter(|(_, c)| c.grade == MatchGrade::Certain && !c.unproven)
        .map(|((a, b), _)| (a, b));
    let decided = decisions.iter().filter(|d| d.verdict == Verdict::Link).map(|d| (&d.a, &d.b));
    for (a, b) in certain.chain(decided).filter(|(a, b)| nodes.contains(*a) && nodes.contains(*b)) {
        neighbours.entry(a).or_default().push(b);
        neighbours.entry(b).or_default().push(a);
    }
    let mut parts = Vec::new();
    let mut seen: BTreeSet<&Home> = BTreeSet::new();
    for start in nodes {
        let mut part = BTreeSet::new();
        let mut waiting = vec![start];
        while let Some(home) = waiting.pop() {
            if seen.insert(home) {
                part.insert(home.clone());
                waiting.extend(neighbours.get(home).into_iter().flatten());
            }
        }
        if !part.is_empty() {
            parts.push(part);
        }
    }
    parts
}

fn ordered(a: &Home, b: &Home) -> (Home, Home) {
    if a <= b { (a.clone(), b.clone()) } else { (b.clone(), a.clone()) }
}

/// The comparison of two directory records that a rule declares one entry.
fn by_rule(rule: &'static str) -> Comparison {
    let step = Step { field: "directory".into(), level: rule.into(), weight_bits: 0.0 };
    let waterfall = vec![step];
    Comparison { probability: 1.0, grade: MatchGrade::Certain, waterfall, ..never() }
}

fn never() -> Comparison {
    Comparison {
        weight_bits: 0.0,
        probability: 0.0,
        grade: MatchGrade::CertainlyNot,
        unproven: false,
        waterfall: Vec::new(),
        vetoes: Vec::new(),
    }
}
