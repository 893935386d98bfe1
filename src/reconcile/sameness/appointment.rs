//! When two Appointments are one.
//! <https://hl7.org/fhir/R4/appointment.html>

use std::collections::BTreeSet;

use crate::flow::Role;

use super::super::claim::Claim;
use super::super::person::{Canon, Person};
use super::Sameness;
use super::evidence::{Agreement, concept, moments, parties, references};

/// The same moment: nobody is at two places at once. For something else, for another order, or
/// with others who are known to be others it is a double booking, and both are shown. What has no
/// moment yet is told by its order alone.
pub(super) fn same_fact(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Sameness {
    let about = concept(person, a, b);
    let order = references(person, a, b, Role::BasedOn);
    let with = parties(&attending(person, a), &attending(person, b));
    if about.differs() || order.differs() || with.differs() {
        return Sameness::Apart;
    }
    match moments(a, b) {
        Agreement::Same => {
            let support = [about.agrees(), order.agrees(), with.agrees()];
            let support = support.into_iter().filter(|s| *s).count() as u8;
            Sameness::Same { rule: "appointment-start", strength: 50 + support }
        }
        Agreement::Silent if order.agrees() && about.agrees() => {
            Sameness::Same { rule: "appointment-order", strength: super::only_one(a, b) }
        }
        Agreement::Close | Agreement::Silent | Agreement::Differs => Sameness::Apart,
    }
}

/// Who and what takes part, but for the patient.
fn attending(person: &Person<'_>, claim: &Claim<'_>) -> BTreeSet<Canon> {
    let mut all = person.canons(claim, Role::Performer);
    if let Some(patient) = person.patient_group() {
        all.remove(&Canon::Group(patient));
    }
    all
}
