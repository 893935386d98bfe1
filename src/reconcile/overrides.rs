//! Stewards' overrides at the loom: which stand, which have expired, and whose value they prefer.
//!
//! An override names the source versions it was decided on and stands only while the conflict
//! rests on exactly these. So it needs no clean-up: that it has expired is seen, not stored.

use std::collections::{BTreeMap, BTreeSet};

use crate::flow::{Basis, DerivedId, Override, Resolution};

use super::person::Person;

/// The rule by which a value that a steward chose is shown.
pub(super) const STEWARD: &str = "steward";

/// All overrides that were handed in, by what they are about.
#[derive(Default)]
pub(super) struct Overrides {
    /// Newest first.
    by_matter: BTreeMap<Box<str>, Vec<Override>>,
    /// (group, element) → the claim whose value is shown.
    preferred: BTreeMap<(usize, Box<str>), usize>,
}

impl Overrides {
    /// Sorts them, and finds whose values are preferred now that claims are grouped.
    pub(super) fn of(person: &Person<'_>, given: &[Override]) -> Self {
        let mut all = Self::default();
        for decided in given {
            all.by_matter.entry(decided.matter.clone()).or_default().push(decided.clone());
        }
        for of_matter in all.by_matter.values_mut() {
            of_matter.sort_by(|a, b| (b.at, b).cmp(&(a.at, a)));
            of_matter.dedup();
        }
        let mut preferred = BTreeMap::new();
        for decided in given {
            let Resolution::Prefer(record) = decided.resolution else { continue };
            let Some(claim) = person.claims.iter().position(|c| c.id == record) else { continue };
            let Some(group) = person.group_of[claim] else { continue };
            let basis = basis(person, person.groups[group].all());
            if all.standing(&decided.matter, &basis) == Some(decided) {
                preferred.insert((group, decided.matter.clone()), claim);
            }
        }
        all.preferred = preferred;
        all
    }

    /// The last override of this matter that was decided on these very versions.
    pub(super) fn standing(&self, matter: &str, basis: &[Basis]) -> Option<&Override> {
        self.by_matter.get(matter)?.iter().find(|decided| decided.basis == basis)
    }

    /// The last override of this matter that was decided on other versions of these things; each
    /// of them is given by its records.
    pub(super) fn expired(
        &self,
        matter: &str,
        things: &[BTreeSet<DerivedId>],
    ) -> Option<&Override> {
        let about = |decided: &&Override| {
            let names = |thing: &BTreeSet<DerivedId>| {
                decided.basis.iter().any(|basis| thing.contains(&basis.record))
            };
            !things.is_empty() && things.iter().all(names)
        };
        self.by_matter.get(matter)?.iter().find(about)
    }

    /// The claim whose value a steward chose for an element (`Goal.target`) of a group.
    pub(super) fn preferred(&self, group: usize, element: &str) -> Option<usize> {
        if self.preferred.is_empty() {
            return None;
        }
        self.preferred.get(&(group, element.into())).copied()
    }

    /// All that is preferred within a group.
    pub(super) fn within(&self, group: usize) -> impl Iterator<Item = (&str, usize)> {
        let of_group = self.preferred.range((group, "".into())..(group + 1, "".into()));
        of_group.map(|((_, element), claim)| (&**element, *claim))
    }
}

/// The present versions of some claims, sorted.
pub(super) fn basis(person: &Person<'_>, claims: impl Iterator<Item = usize>) -> Vec<Basis> {
    let of = |claim: usize| {
        let claim = &person.claims[claim];
        let current = claim.header.current();
        Basis { record: claim.id, hash: current.hash, state: current.state }
    };
    let mut basis: Vec<Basis> = claims.map(of).collect();
    basis.sort_unstable();
    basis.dedup();
    basis
}
