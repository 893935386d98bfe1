//! Who is meant by some demographics: the persons of the store that may be them.

use std::collections::{BTreeMap, BTreeSet};

use crate::flow::{Access, ChartKey, Comparison, Demographics, Home, MatchGrade, Owner};
use crate::identity::{self, linking_grade};

use super::gateway::{Gateway, GatewayError};

/// The endpoint that a caller's demographics are compared as: no configured one has such an id.
const CALLER: &str = "?";

/// A person who may be meant.
#[derive(Clone, Debug)]
pub struct Matched {
    /// The person.
    pub owner: Owner,
    /// The chart that is most like it.
    pub chart: ChartKey,
    /// How alike that chart is.
    pub comparison: Comparison,
    /// The grade, other charts of the person considered.
    pub grade: MatchGrade,
}

impl Gateway {
    /// The persons that may be meant, the likeliest first. Decided as a link would be: the same
    /// blocks, weights, vetoes and proof; nothing is written.
    ///
    /// # Errors
    /// When the store fails.
    pub fn match_patient(
        &self,
        access: &Access,
        stated: &Demographics,
    ) -> Result<Vec<Matched>, GatewayError> {
        let caller = Home::Chart(ChartKey::new(CALLER, CALLER));
        let (model, store) = (self.model(), self.store());
        let keys = identity::blocking_keys(&caller, stated, model);
        let cap = model.block_cap();
        // Home → only blocks beyond their cap propose it.
        let mut proposed: BTreeMap<Home, bool> = BTreeMap::new();
        for block in store.candidates(access, &keys, cap + 1)? {
            let beyond = block.total > cap;
            for home in block.homes.into_iter().take(cap) {
                *proposed.entry(home).or_insert(true) &= beyond;
            }
        }
        let mut owners: BTreeMap<Owner, bool> = BTreeMap::new();
        for (home, beyond) in proposed {
            if let Some(owner) = store.owner(access, &home)? {
                *owners.entry(owner).or_insert(true) &= beyond;
            }
        }
        let mut found = Vec::new();
        for (owner, unproven) in owners {
            found.extend(self.as_person(access, (&caller, stated), owner, unproven)?);
        }
        found.sort_by(|x, y| {
            let weight = |m: &Matched| m.comparison.weight_bits;
            y.grade
                .cmp(&x.grade)
                .then(weight(y).total_cmp(&weight(x)))
                .then(x.owner.id().cmp(&y.owner.id()))
        });
        Ok(found)
    }

    /// How a person compares: by the chart that is most alike, unless another contradicts.
    fn as_person(
        &self,
        access: &Access,
        (caller, stated): (&Home, &Demographics),
        owner: Owner,
        unproven: bool,
    ) -> Result<Option<Matched>, GatewayError> {
        let homes = self.store().view(access, owner)?.map(|head| head.homes).unwrap_or_default();
        let mut best: Option<Matched> = None;
        let mut against: BTreeSet<Box<str>> = BTreeSet::new();
        for home in homes {
            let Home::Chart(chart) = &home else { continue };
            let link = self.store().link(access, &home)?;
            let known =
                link.map(|link| link.demographics).filter(|d| *d != Demographics::default());
            let Some(known) = known else { continue };
            let mut comparison =
                identity::compare_homes((caller, stated), (&home, &known), self.model());
            comparison.unproven = unproven;
            against.extend(identity::contradictions(&comparison).map(|(name, _)| name.into()));
            let grade = linking_grade(&comparison);
            let better = best.as_ref().is_none_or(|best| {
                (grade, comparison.weight_bits) > (best.grade, best.comparison.weight_bits)
            });
            if better {
                best = Some(Matched { owner, chart: chart.clone(), comparison, grade });
            }
        }
        Ok(best
            .map(|mut best| {
                if !against.is_empty() {
                    // A person is all of their charts.
                    best.grade = best.grade.min(MatchGrade::Possible);
                    let known: BTreeSet<Box<str>> =
                        best.comparison.vetoes.iter().cloned().collect();
                    best.comparison.vetoes.extend(against.difference(&known).cloned());
                }
                best
            })
            .filter(|best| best.grade > MatchGrade::CertainlyNot))
    }
}
