//! When two ServiceRequests are one order.
//! <https://hl7.org/fhir/R4/servicerequest.html>

use crate::flow::Role;

use super::super::claim::Claim;
use super::super::person::Person;
use super::Sameness;
use super::evidence::{Agreement, concept, references, spans};
use super::problem::{Problems, problems};

/// The same service ordered on the same day by the same requester; where the requester is not
/// stated, something else must speak for it. A reason is not needed, and another reason is another
/// order. The same service at another time is another order.
pub(super) fn same_fact(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Sameness {
    let about = concept(person, a, b);
    let authored = spans(a.facts.authored, b.facts.authored);
    let occurrence = spans(a.facts.when, b.facts.when);
    let requester = references(person, a, b, Role::Requester);
    let reason = problems(person, a, b);
    let performer = references(person, a, b, Role::Performer);
    let contradicted = [authored, occurrence, requester].into_iter().any(|e| e.differs());
    if !about.agrees() || contradicted || reason == Problems::Different {
        return Sameness::Apart;
    }
    let dated = authored.agrees();
    let support = [occurrence.agrees(), reason.agree(), performer.agrees()];
    let support = support.into_iter().filter(|s| *s).count();
    let enough = match (dated, requester == Agreement::Same) {
        (true, true) => true,
        (true, false) | (false, true) => support >= 1,
        (false, false) => occurrence == Agreement::Same && reason.agree(),
    };
    if !enough {
        return Sameness::Apart;
    }
    let base = if about == Agreement::Same { 50 } else { 44 };
    let strength = base + u8::from(dated) * 4 + u8::from(requester == Agreement::Same) * 4;
    Sameness::Same { rule: "order-code-day-requester", strength }
}
