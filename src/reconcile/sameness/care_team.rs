//! When two CareTeams are one team.
//! <https://hl7.org/fhir/R4/careteam.html>

use crate::flow::Role;

use super::super::claim::Claim;
use super::super::person::Person;
use super::Sameness;
use super::care_plan::custodian_agreement;
use super::evidence::{Agreement, actors, in_common, spans, texts};

/// The same name (or category where one has no name), time, and somebody in common: the managing
/// organization or a member.
pub(super) fn same_fact(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Sameness {
    let custodian = custodian_agreement(person, a, b);
    let name = texts(name_of(a), name_of(b));
    let category = in_common(&a.facts.categories, &b.facts.categories);
    let members = actors(person, a, b, Role::Member);
    let contradicted = [custodian, name, category, members, spans(a.facts.when, b.facts.when)];
    if contradicted.into_iter().any(|e| e.differs()) {
        return Sameness::Apart;
    }
    if custodian.agrees() && (name.agrees() || category == Agreement::Same) {
        return Sameness::Same { rule: "care-team-custodian", strength: 50 };
    }
    if name.agrees() && members.agrees() {
        return Sameness::Same { rule: "care-team-members", strength: 46 };
    }
    Sameness::Apart
}

fn name_of<'a>(claim: &Claim<'a>) -> &'a str {
    if claim.facts.title.is_empty() { &claim.facts.text } else { &claim.facts.title }
}
