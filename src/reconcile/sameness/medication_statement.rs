//! When two MedicationStatements state one therapy.
//! <https://hl7.org/fhir/R4/medicationstatement.html>

use crate::flow::Role;

use super::super::claim::Claim;
use super::super::person::Person;
use super::dosage::doses;
use super::evidence::{Agreement, references, spans};
use super::medication_request::drug;
use super::{Sameness, only_one};

/// The same drug in the same dose, taken at the same time or for the same prescription. That it
/// is taken is not that it is not. Another dose of a drug that is taken at the same time is a
/// disagreement to show.
pub(super) fn same_fact(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Sameness {
    let about = drug(person, a, b);
    let order = references(person, a, b, Role::BasedOn);
    let when = spans(a.facts.when, b.facts.when);
    let taken = |c: &Claim<'_>| c.facts.status.as_deref() != Some("not-taken");
    if !about.agrees() || order.differs() || when.differs() || taken(a) != taken(b) {
        return Sameness::Apart;
    }
    let dose = doses(&a.facts.value, &b.facts.value);
    if dose.differs() {
        return match when.agrees() || order.agrees() {
            true => Sameness::Conflicting("dose-differs"),
            false => Sameness::Apart,
        };
    }
    if when.agrees() || order.agrees() {
        let strength = 50
            + u8::from(when == Agreement::Same) * 2
            + u8::from(about == Agreement::Same) * 4
            + u8::from(order.agrees()) * 3
            + u8::from(dose == Agreement::Same) * 2;
        return Sameness::Same { rule: "therapy-drug-time", strength };
    }
    let alike = a.facts.status == b.facts.status && dose == Agreement::Same;
    match alike {
        true => Sameness::Same { rule: "therapy-drug-only", strength: only_one(a, b) },
        false => Sameness::Apart,
    }
}
