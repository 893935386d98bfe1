//! Whether two claims are for the same problem: what they address, or their reasons.
//!
//! That two Conditions were not found to be one is no proof that they are two. They are two if
//! they are stated alike and differ, or if one endpoint keeps them apart.

use std::collections::BTreeSet;

use crate::compare::{Likeness, clinical_text, likeness};
use crate::flow::{Facts, Role};

use super::super::claim::Claim;
use super::super::peek;
use super::super::person::{Canon, Person};
use super::evidence::{Agreement, codings};
use super::text;

/// How the problems of two claims compare.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Problems {
    /// Every problem of the one is known to be none of the other's.
    Different,
    /// Both state problems, and nothing says whether they are the same.
    Unproven,
    /// One of them states none, or none that is known.
    Unstated,
    /// They are called much the same.
    Akin,
    /// They have one in common.
    Same,
}

/// From which similarity downwards two texts are about different things, if there is nothing
/// but text on both sides.
const DISSIMILAR: f64 = 0.5;

impl Problems {
    pub(super) fn agree(self) -> bool {
        matches!(self, Self::Same | Self::Akin)
    }
}

/// Compares what two claims address.
pub(super) fn problems(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Problems {
    let (x, y) = (addressed(person, a), addressed(person, b));
    if x.is_empty() || y.is_empty() {
        let stated = |c: &Claim<'_>, known: &BTreeSet<Canon>| {
            !known.is_empty() || !peek::displays(c, Role::Addresses).is_empty()
        };
        return match (named_alike(a, b, Role::Addresses), stated(a, &x) && stated(b, &y)) {
            (true, _) => Problems::Same,
            (false, true) => Problems::Unproven,
            (false, false) => Problems::Unstated,
        };
    }
    if !x.is_disjoint(&y) {
        return Problems::Same;
    }
    let pairs = x.iter().flat_map(|x| y.iter().map(move |y| pair(person, x, y)));
    pairs.max().unwrap_or(Problems::Unstated)
}

/// What a claim addresses; one that is only called by name is the problem of the person that is
/// called so.
pub(super) fn addressed(person: &Person<'_>, claim: &Claim<'_>) -> BTreeSet<Canon> {
    let stated = person.canons(claim, Role::Addresses);
    if !stated.is_empty() {
        return stated;
    }
    let names = peek::displays(claim, Role::Addresses);
    let groups = names.iter().flat_map(|name| person.problems_called(name));
    groups.map(Canon::Group).collect()
}

/// Whether both only name what they refer to in a role, and name one of them alike.
pub(super) fn named_alike(a: &Claim<'_>, b: &Claim<'_>, role: Role) -> bool {
    let names = |c: &Claim<'_>| -> Vec<Box<str>> {
        peek::displays(c, role).iter().map(|name| clinical_text(name)).collect()
    };
    let x = names(a);
    if x.is_empty() {
        return false;
    }
    let y = names(b);
    x.iter().any(|x| y.iter().any(|y| likeness(x, y) == Likeness::Alike))
}

fn pair(person: &Person<'_>, x: &Canon, y: &Canon) -> Problems {
    match (x, y) {
        (Canon::Group(x), Canon::Group(y)) => groups(person, *x, *y),
        (Canon::Directory(_), Canon::Directory(_)) => Problems::Different,
        _ => Problems::Unstated,
    }
}

fn groups(person: &Person<'_>, x: usize, y: usize) -> Problems {
    let (x, y) = (&person.groups[x], &person.groups[y]);
    if x.resource_type != y.resource_type {
        return Problems::Unproven;
    }
    if x.resource_type.name() != "Condition" {
        return Problems::Different;
    }
    let claims = |i: &(usize, &'static str)| &person.claims[i.0];
    let pairs = || {
        let left = x.members.iter().map(claims);
        left.flat_map(|a| y.members.iter().map(claims).map(move |b| (a, b)))
    };
    if pairs().any(|(a, b)| a.endpoint() == b.endpoint()) {
        return Problems::Different;
    }
    let found = pairs().map(|(a, b)| conditions(a.facts, b.facts));
    found.reduce(weigh).unwrap_or(Problems::Unproven)
}

/// A proof that they are two weighs more than that their names are alike.
fn weigh(a: Problems, b: Problems) -> Problems {
    if a == Problems::Different || b == Problems::Different {
        Problems::Different
    } else {
        a.max(b)
    }
}

fn conditions(a: &Facts, b: &Facts) -> Problems {
    match codings(&a.codes, &b.codes) {
        Agreement::Differs => return Problems::Different,
        // The same diagnosis, and the onsets differ: perhaps one onset is wrong.
        Agreement::Same | Agreement::Close => return Problems::Akin,
        Agreement::Silent => {}
    }
    let said_alike = likeness(&a.text, &b.text) == Likeness::Alike && !a.text.is_empty();
    if said_alike || text::specialises(&a.text, &b.text) {
        return Problems::Akin;
    }
    let only_text = |f: &Facts| f.codes.iter().all(|t| t.system.is_empty()) && !f.text.is_empty();
    let unlike = || text::similarity(&a.text, &b.text) < DISSIMILAR;
    if only_text(a) && only_text(b) && unlike() { Problems::Different } else { Problems::Unproven }
}
