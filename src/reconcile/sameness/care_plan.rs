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
    if contradicted || custodian.differs() || addresses.differs() && goals.differs() {
        return Sameness::Apart;
    }
    if custodian != Agreement::Same {
        return republished(person, a, b);
    }
    let strength = match (addresses, goals) {
        (Agreement::Same, Agreement::Same) => 60,
        (Agreement::Same, _) | (_, Agreement::Same) => 50,
        _ => return Sameness::Apart,
    };
    Sameness::Same { rule: "care-plan-custodian", strength }
}

/// No custodian is known: the same plan only if made at the same visit, or alike in everything
/// that makes a plan (category, exact period, all planned activities).
fn republished(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Sameness {
    let category = in_common(&a.facts.categories, &b.facts.categories) == Agreement::Same;
    let period = spans(a.facts.when, b.facts.when) == Agreement::Same;
    let activities = !a.facts.codes.is_empty() && a.facts.codes == b.facts.codes;
    let visit = references(person, a, b, Role::Encounter);
    if !category || !period || visit.differs() {
        return Sameness::Apart;
    }
    let planned_apart = in_common(&a.facts.codes, &b.facts.codes).differs();
    match (visit == Agreement::Same && !planned_apart, activities) {
        (true, _) => Sameness::Same { rule: "care-plan-visit", strength: 48 },
        (false, true) => Sameness::Same { rule: "care-plan-content", strength: 44 },
        (false, false) => Sameness::Apart,
    }
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
