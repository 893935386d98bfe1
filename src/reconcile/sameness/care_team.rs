//! When two CareTeams are one team.
//! <https://hl7.org/fhir/R4/careteam.html>

use super::super::claim::Claim;
use super::super::person::Person;
use super::Sameness;
use super::care_plan::custodians;
use super::evidence::{Agreement, in_common, parties, spans, texts};

/// The same managing organization, time, and name (or category where one has no name).
pub(super) fn same_fact(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Sameness {
    let custodian = parties(&custodians(person, a), &custodians(person, b));
    let name = texts(person, name_of(a), name_of(b));
    let category = in_common(&a.facts.categories, &b.facts.categories);
    let contradicted =
        name.differs() || category.differs() || spans(a.facts.when, b.facts.when).differs();
    if custodian != Agreement::Same || contradicted {
        return Sameness::Apart;
    }
    if name.agrees() || category == Agreement::Same {
        return Sameness::Same { rule: "care-team-custodian", strength: 50 };
    }
    Sameness::Apart
}

fn name_of<'a>(claim: &Claim<'a>) -> &'a str {
    if claim.facts.title.is_empty() { &claim.facts.text } else { &claim.facts.title }
}
