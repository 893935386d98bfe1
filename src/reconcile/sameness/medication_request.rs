//! When two MedicationRequests are one prescription. A renewal is another one.
//! <https://hl7.org/fhir/R4/medicationrequest.html>

use crate::flow::Role;

use super::super::claim::Claim;
use super::super::person::Person;
use super::Sameness;
use super::evidence::{Agreement, concept, references, spans, values};

/// The same drug prescribed on the same day, by the same prescriber or in the same dose.
pub(super) fn same_fact(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Sameness {
    let about = concept(person, a, b);
    let authored = spans(a.facts.authored, b.facts.authored);
    let requester = references(person, a, b, Role::Requester);
    let dose = values(&a.facts.value, &b.facts.value);
    if !about.agrees() || !authored.agrees() || requester.differs() {
        return Sameness::Apart;
    }
    if requester != Agreement::Same && dose.differs() {
        return Sameness::Conflicting("dose-differs");
    }
    let strength = 50
        + u8::from(about == Agreement::Same) * 4
        + u8::from(requester == Agreement::Same) * 3
        + u8::from(dose == Agreement::Same) * 2;
    Sameness::Same { rule: "prescription-drug-day", strength }
}
