//! When two Conditions are one problem, and two AllergyIntolerances one allergy.
//! <https://hl7.org/fhir/R4/condition.html>

use super::super::claim::Claim;
use super::super::person::Person;
use super::Sameness;
use super::evidence::{Agreement, concept, part, spans};

/// The same diagnosis with an onset that can be the same; a recurrence is another problem.
pub(super) fn same_fact(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Sameness {
    let about = concept(person, a, b);
    let onset = spans(a.facts.when, b.facts.when);
    let site = part(&a.facts.value, &b.facts.value, "site");
    if !about.agrees() || onset.differs() || site.differs() {
        return Sameness::Apart;
    }
    let strength = 50
        + u8::from(about == Agreement::Same) * 4
        + u8::from(onset.agrees()) * 2
        + u8::from(onset == Agreement::Same);
    Sameness::Same { rule: "condition-code-onset", strength }
}

/// The same substance.
pub(super) fn same_allergy(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Sameness {
    let about = concept(person, a, b);
    if !about.agrees() {
        return Sameness::Apart;
    }
    let strength = if about == Agreement::Same { 55 } else { 45 };
    Sameness::Same { rule: "allergy-code", strength }
}

/// One says it has been ruled out, the other does not.
pub(super) fn one_refuted(a: &Claim<'_>, b: &Claim<'_>) -> bool {
    let refuted = |c: &Claim<'_>| c.facts.second_status.as_deref() == Some("refuted");
    refuted(a) != refuted(b)
}
