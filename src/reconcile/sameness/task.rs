//! When two Tasks are one task.
//! <https://hl7.org/fhir/R4/task.html>

use crate::flow::Role;

use super::super::claim::Claim;
use super::super::person::Person;
use super::Sameness;
use super::evidence::{Agreement, concept, references, spans};

/// The same owner doing the same thing to the same focus.
pub(super) fn same_fact(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Sameness {
    let focus = references(person, a, b, Role::Focus);
    let owner = references(person, a, b, Role::Performer);
    let requester = references(person, a, b, Role::Requester);
    let part_of = references(person, a, b, Role::PartOf);
    let about = concept(person, a, b);
    let authored = spans(a.facts.authored, b.facts.authored);
    let contradicted =
        [focus, owner, requester, part_of, about, authored].into_iter().any(|e| e.differs());
    // One that is part of another task is a child; its parent is not.
    let child = |c: &Claim<'_>| c.facts.linked(Role::PartOf).next().is_some();
    if contradicted || child(a) != child(b) {
        return Sameness::Apart;
    }
    if focus == Agreement::Same && (owner.agrees() || about == Agreement::Same) {
        let strength = 50 + u8::from(owner.agrees()) * 4 + u8::from(authored.agrees()) * 2;
        return Sameness::Same { rule: "task-focus-owner-code", strength };
    }
    if about.agrees() && authored.agrees() && (owner.agrees() || requester.agrees()) {
        return Sameness::Same { rule: "task-code-day-owner", strength: 45 };
    }
    Sameness::Apart
}

/// Whether the two are known to have different owners.
pub(super) fn other_owner(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> bool {
    references(person, a, b, Role::Performer).differs()
}
