//! When two documents, filled-in forms, consents or coverages are one.
//! <https://hl7.org/fhir/R4/documentreference.html>

use super::super::claim::Claim;
use super::super::person::Person;
use super::Sameness;
use super::evidence::{Agreement, concept, in_common, part, spans, values};

/// The same attachment (hash or address).
pub(super) fn same_document(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Sameness {
    let attachment = values(&a.facts.value, &b.facts.value);
    if attachment != Agreement::Same || concept(person, a, b).differs() {
        return Sameness::Apart;
    }
    Sameness::Same { rule: "document-content", strength: 55 }
}

/// The same form filled in on the same day with the same answers.
pub(super) fn same_answers(a: &Claim<'_>, b: &Claim<'_>) -> Sameness {
    let answers = values(&a.facts.value, &b.facts.value);
    let day = spans(a.facts.authored, b.facts.authored);
    // A form's address is its code; it has no system.
    let form = in_common(&a.facts.codes, &b.facts.codes);
    let told = form == Agreement::Same || answers == Agreement::Same && !form.differs();
    if told && day.agrees() && !answers.differs() {
        return Sameness::Same { rule: "form-day", strength: 50 };
    }
    Sameness::Apart
}

/// The same consent given on the same day.
pub(super) fn same_consent(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Sameness {
    let category = in_common(&a.facts.categories, &b.facts.categories);
    let day = spans(a.facts.authored, b.facts.authored);
    let content = values(&a.facts.value, &b.facts.value);
    let contradicted = concept(person, a, b).differs() || content.differs();
    if category == Agreement::Same && day.agrees() && !contradicted {
        return Sameness::Same { rule: "consent-category-day", strength: 50 };
    }
    Sameness::Apart
}

/// The same membership (member id and payor) at an overlapping time.
pub(super) fn same_coverage(a: &Claim<'_>, b: &Claim<'_>) -> Sameness {
    let membership = part(&a.facts.value, &b.facts.value, "subscriberId");
    let other = part(&a.facts.value, &b.facts.value, "dependent").differs();
    if !other && membership == Agreement::Same && !spans(a.facts.when, b.facts.when).differs() {
        return Sameness::Same { rule: "coverage-member", strength: 50 };
    }
    Sameness::Apart
}
