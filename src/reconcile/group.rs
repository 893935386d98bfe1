//! Grouping: which claims of one type state one thing. Facts only, no bodies.
//!
//! Candidate pairs come from shared comparison keys, the strongest are joined first, and two
//! groups are joined only if no member of the one contradicts a member of the other. So the
//! result depends on the set of claims alone. A withdrawn claim joins no others: it is attached
//! to the group that it was about, for the record.

use std::collections::{BTreeMap, BTreeSet};

use crate::fhir::ResourceType;
use crate::flow::PERSON_TYPES;

use super::person::{Group, Person, Related};
use super::sameness::{self, Bucket, Sameness};

/// A pair found the same: strongest first, then by place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Joint {
    weakness: u8,
    a: usize,
    b: usize,
    rule: &'static str,
}

/// Groups all claims, type after type.
pub(super) fn group_all(person: &mut Person<'_>) {
    for name in PERSON_TYPES {
        let resource_type = ResourceType::of(name);
        let of_type: Vec<usize> = (0..person.claims.len())
            .filter(|&i| person.claims[i].key().resource_type == resource_type)
            .collect();
        match name {
            "Patient" => group_as_one(person, &of_type, "linked"),
            "Provenance" => of_type.iter().for_each(|&i| group_as_one(person, &[i], "only")),
            _ => group_type(person, &of_type),
        }
    }
    person.related.sort();
    person.related.dedup();
}

/// Puts all claims into one group, for which identity has decided already.
pub(super) fn group_as_one(person: &mut Person<'_>, claims: &[usize], rule: &'static str) {
    let (live, withdrawn): (Vec<usize>, Vec<usize>) =
        claims.iter().partition(|&&i| person.claims[i].is_live());
    let rule = if live.len() == 1 { "only" } else { rule };
    add_group(
        person,
        live.iter().map(|&i| (i, rule)).collect(),
        withdrawn.iter().map(|&i| (i, rule)).collect(),
    );
}

fn group_type(person: &mut Person<'_>, of_type: &[usize]) {
    let (joints, related) = compare_candidates(person, of_type);
    person.related.extend(related);
    let live = |i: usize| person.claims[i].is_live();
    let mut clusters = Clusters::new(of_type);
    let of_strength = |strength: u8| -> Vec<&Joint> {
        let found = joints.iter().filter(|j| j.weakness == u8::MAX - strength);
        found.filter(|j| live(j.a) && live(j.b)).collect()
    };
    let weakest = u8::MAX - sameness::ALONE_THAT_DAY;
    for joint in joints.iter().filter(|j| j.weakness < weakest && live(j.a) && live(j.b)) {
        clusters.join(person, joint.a, joint.b);
    }
    clusters.join_unique(person, &of_strength(sameness::ALONE_THAT_DAY), OnOneDay(true));
    clusters.join_unique(person, &of_strength(sameness::ONLY_IF_UNIQUE), OnOneDay(false));
    // The strongest rule that holds within the group is the one that put a member there.
    let mut rule_of = vec!["only"; of_type.len()];
    let at = |i: usize| of_type.binary_search(&i).expect("a joint is between claims of the type");
    for joint in joints.iter().rev().filter(|j| live(j.a) && live(j.b)) {
        if clusters.root(at(joint.a)) == clusters.root(at(joint.b)) {
            rule_of[at(joint.a)] = joint.rule;
            rule_of[at(joint.b)] = joint.rule;
        }
    }
    let mut withdrawn_of: Vec<Vec<(usize, &'static str)>> = vec![Vec::new(); of_type.len()];
    for &gone in of_type.iter().filter(|&&i| !live(i)) {
        let strongest =
            joints.iter().find(|j| (j.a == gone && live(j.b)) || (j.b == gone && live(j.a)));
        if let Some(joint) = strongest {
            let other = if joint.a == gone { joint.b } else { joint.a };
            withdrawn_of[clusters.root(at(other))].push((gone, joint.rule));
        }
    }
    let groups: Vec<_> = (0..of_type.len())
        .filter(|&i| clusters.root(i) == i && live(of_type[i]))
        .map(|root| {
            let members = clusters.members[root].iter();
            let members: Vec<_> = members.map(|&m| (of_type[m], rule_of[m])).collect();
            (members, std::mem::take(&mut withdrawn_of[root]))
        })
        .collect();
    for (members, withdrawn) in groups {
        add_group(person, members, withdrawn);
    }
}

fn add_group(
    person: &mut Person<'_>,
    mut members: Vec<(usize, &'static str)>,
    withdrawn: Vec<(usize, &'static str)>,
) {
    members.sort_unstable();
    let Some(shown) = members.iter().map(|m| m.0).min_by_key(|&i| person.claims[i].precedence())
    else {
        return;
    };
    let index = person.groups.len();
    for (claim, _) in members.iter().chain(&withdrawn) {
        person.group_of[*claim] = Some(index);
    }
    let resource_type = person.claims[shown].key().resource_type;
    person.groups.push(Group { resource_type, members, withdrawn, shown });
}

fn compare_candidates(person: &Person<'_>, of_type: &[usize]) -> (Vec<Joint>, Vec<Related>) {
    let mut joints = Vec::new();
    let mut related = Vec::new();
    for (a, b) in candidates(person, of_type) {
        let (x, y) = (&person.claims[a], &person.claims[b]);
        match sameness::compare(person, x, y) {
            Sameness::Same { rule, strength } => {
                joints.push(Joint { weakness: u8::MAX - strength, a, b, rule });
            }
            Sameness::Conflicting(rule) if x.is_live() && y.is_live() => {
                related.push(Related { rule, a, b });
            }
            Sameness::Conflicting(_) | Sameness::Apart => {}
        }
    }
    joints.sort_unstable();
    (joints, related)
}

/// Pairs that share a comparison key, sorted. Beyond the cap of the policy a claim is compared
/// with its neighbours in key order only, so the work stays linear.
fn candidates(person: &Person<'_>, of_type: &[usize]) -> Vec<(usize, usize)> {
    let with_origin = of_type.iter().any(|&i| person.claims[i].origin.is_some());
    let mut keyed: Vec<(Bucket, usize)> = Vec::new();
    for &i in of_type {
        let claim = &person.claims[i];
        let url = if with_origin { person.url(claim.key()) } else { None };
        keyed
            .extend(sameness::buckets(person, claim, with_origin, url).into_iter().map(|k| (k, i)));
    }
    keyed.sort_unstable();
    keyed.dedup();
    let cap = person.policy.bucket_cap();
    let mut pairs = Vec::new();
    for bucket in keyed.chunk_by(|a, b| a.0 == b.0).filter(|bucket| bucket.len() > 1) {
        let reach = if bucket.len() <= cap { cap } else { cap / 2 };
        for (place, &(_, a)) in bucket.iter().enumerate() {
            pairs.extend(bucket[place + 1..].iter().take(reach).map(|&(_, b)| (a, b)));
        }
    }
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

/// Whether all partners tell the same day.
#[derive(Clone, Copy)]
struct OnOneDay(bool);

/// Disjoint sets over the claims of one type, each with its members.
struct Clusters<'a> {
    of_type: &'a [usize],
    parent: Vec<usize>,
    members: Vec<Vec<usize>>,
}

/// How many members of each of two clusters are tested for contradiction.
const GUARD_REACH: usize = 64;

impl<'a> Clusters<'a> {
    fn new(of_type: &'a [usize]) -> Self {
        let count = of_type.len();
        let members = (0..count).map(|i| vec![i]).collect();
        Self { of_type, parent: (0..count).collect(), members }
    }

    fn root(&self, mut i: usize) -> usize {
        while self.parent[i] != i {
            i = self.parent[i];
        }
        i
    }

    /// Joins the clusters of two claims, unless they contradict each other.
    fn join(&mut self, person: &Person<'_>, a: usize, b: usize) {
        let at = |i: usize| self.of_type.binary_search(&i).unwrap_or_default();
        let (x, y) = (self.root(at(a)), self.root(at(b)));
        if x == y || self.contradicts(person, x, y) {
            return;
        }
        // The smaller goes into the larger, so paths stay short.
        let (from, into) =
            if self.members[x].len() <= self.members[y].len() { (x, y) } else { (y, x) };
        let moved = std::mem::take(&mut self.members[from]);
        self.members[into].extend(moved);
        self.parent[from] = into;
    }

    /// Joins what has no other partner: of the clusters found so far, a joint's two must each have
    /// but one partner at any endpoint of the other. Where no day is told, it must be the only one.
    fn join_unique(&mut self, person: &Person<'_>, joints: &[&Joint], on_one_day: OnOneDay) {
        let at = |i: usize| self.of_type.binary_search(&i).unwrap_or_default();
        let mut partners: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for joint in joints {
            let (x, y) = (self.root(at(joint.a)), self.root(at(joint.b)));
            if x != y && !self.contradicts(person, x, y) {
                partners.entry(x).or_default().insert(y);
                partners.entry(y).or_default().insert(x);
            }
        }
        let held_at = |root: &usize| -> BTreeSet<&str> {
            let claims = self.members[*root].iter().map(|m| &person.claims[self.of_type[*m]]);
            claims.map(|claim| claim.endpoint()).collect()
        };
        let dated = |root: &usize| {
            let mut claims = self.members[*root].iter().map(|m| &person.claims[self.of_type[*m]]);
            claims.any(|claim| sameness::is_dated(claim))
        };
        let alone = |x: &usize, y: &usize| {
            let others = partners.get(x).into_iter().flatten().filter(|other| *other != y);
            // Several endpoints may each have lost the day of one thing.
            let mut others = others.map(|other| (dated(other), held_at(other)));
            let told = |other: bool| on_one_day.0 || dated(x) && !other;
            others.all(|(other, held)| told(other) && held.is_disjoint(&held_at(y)))
        };
        let sure: Vec<(usize, usize)> = partners
            .iter()
            .flat_map(|(x, ys)| ys.iter().map(move |y| (*x, *y)))
            .filter(|(x, y)| x < y && alone(x, y) && alone(y, x))
            .map(|(x, y)| (self.of_type[x], self.of_type[y]))
            .collect();
        for (a, b) in sure {
            self.join(person, a, b);
        }
    }

    fn contradicts(&self, person: &Person<'_>, x: usize, y: usize) -> bool {
        let claim = |i: &usize| &person.claims[self.of_type[*i]];
        self.members[x].iter().take(GUARD_REACH).any(|a| {
            let others = self.members[y].iter().take(GUARD_REACH);
            others.into_iter().any(|b| sameness::contradict(person, claim(a), claim(b)))
        })
    }
}
