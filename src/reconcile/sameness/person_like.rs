//! When two RelatedPersons are one human.
//! <https://hl7.org/fhir/R4/relatedperson.html>

use super::super::claim::Claim;
use super::super::person::Person;
use super::Sameness;
use super::evidence::{concept, in_common};

/// The same name in the same relationship, with no birth date against it.
pub(super) fn same_related_person(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Sameness {
    let Some((x, y)) = a.facts.demographics.as_deref().zip(b.facts.demographics.as_deref()) else {
        return Sameness::Apart;
    };
    let same_name = x.names.iter().any(|n| {
        let known = !n.family.is_empty() && !n.given.is_empty();
        let fits = |m: &crate::flow::PersonName| {
            m.family == n.family && m.given.first() == n.given.first() && m.suffix == n.suffix
        };
        known && y.names.iter().any(fits)
    });
    let born_apart = matches!((x.birth_date, y.birth_date), (Some(x), Some(y)) if x != y);
    let kinship = concept(person, a, b);
    let category = in_common(&a.facts.categories, &b.facts.categories);
    if same_name && !born_apart && !kinship.differs() && !category.differs() {
        return Sameness::Same { rule: "related-person-name", strength: 50 };
    }
    Sameness::Apart
}
