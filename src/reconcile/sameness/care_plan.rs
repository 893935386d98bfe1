//! When two CarePlans are one plan, republished. Plans of different custodians never are.
//! <https://hl7.org/fhir/R4/careplan.html>

use std::collections::BTreeSet;

use crate::flow::Role;

use super::super::claim::Claim;
use super::super::person::{Canon, Person};
use super::Sameness;
use super::evidence::{Agreement, in_common, parties, references, spans, texts};

/// The same custodian, category and time, and a problem or goal in common.
pub(super) fn same_fact(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Sameness {
    let custodian = parties(&custodians(person, a), &custodians(person, b));
    let addresses = references(person, a, b, Role::Addresses);
    let goals = references(person, a, b, Role::Goal);
    let title = texts(person, &a.facts.text, &b.facts.text);
    let contradicted = in_common(&a.facts.categories, &b.facts.categories).differs()
        || spans(a.facts.when, b.facts.when).differs()
        || title.differs();
    if custodian != Agreement::Same || contradicted {
        return Sameness::Apart;
    }
    let strength = match (addresses, goals) {
        (Agreement::Same, Agreement::Same) => 60,
        (Agreement::Same, _) | (_, Agreement::Same) => 50,
        _ => return Sameness::Apart,
    };
    Sameness::Same { rule: "care-plan-custodian", strength }
}

/// Whether the two are known to have different custodians.
pub(super) fn other_custodian(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> bool {
    let of = |c: &Claim<'_>| person.canons(c, Role::Custodian);
    parties(&of(a), &of(b)).differs()
}

/// The custodian, else the author (who vouches for a plan without custodian).
pub(super) fn custodians(person: &Person<'_>, claim: &Claim<'_>) -> BTreeSet<Canon> {
    let stated = person.canons(claim, Role::Custodian);
    if stated.is_empty() { person.canons(claim, Role::Author) } else { stated }
}
