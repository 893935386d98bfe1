//! References: where each one leads in the view.
//!
//! A record of the person is referred to by the id under which its group is shown, a directory
//! record by its entry's, another person's by its own id, which answers as an alias. What the
//! view does not serve is named by its absolute URL at the source.
//! <https://hl7.org/fhir/R4/references.html>

use crate::fhir::ResourceType;
use crate::flow::{DerivedId, RecordKey, RefTarget};

use super::input::Standing;
use super::person::Person;

/// The new `reference` of one Reference object.
pub(super) struct Rewrite {
    /// Where the object stands in the body, as a JSON pointer.
    pub(super) pointer: Box<str>,
    /// What it is to say; `None` leaves it as it is.
    pub(super) reference: Option<String>,
}

/// The references of one claim, rewritten, in the order of its facts; and the ids of the records
/// outside the person that this rests on.
pub(super) fn rewrites(person: &Person<'_>, claim: usize) -> (Vec<Rewrite>, Vec<DerivedId>) {
    let claim = &person.claims[claim];
    let mut outside = Vec::new();
    let rewrites = claim
        .facts
        .links
        .iter()
        .map(|link| {
            let reference = if person.is_to_self(claim, link) {
                person.patient_group().map(|g| shown_reference(person, g))
            } else {
                match &link.to {
                    RefTarget::Record(key) => Some(lead(person, key, &mut outside)),
                    RefTarget::Identified { resource_type, identifier } => person
                        .identified(claim.endpoint(), *resource_type, identifier)
                        .and_then(|key| lead_by_identifier(person, &key, &mut outside)),
                    RefTarget::External(_) | RefTarget::Dangling(_) => None,
                }
            };
            Rewrite { pointer: link.pointer.clone(), reference }
        })
        .collect();
    (rewrites, outside)
}

/// The reference to a group: `Type/id`.
pub(super) fn shown_reference(person: &Person<'_>, group: usize) -> String {
    let group = &person.groups[group];
    local(group.resource_type, person.claims[group.shown].id)
}

/// The literal reference to a resource of the view.
pub(super) fn local(resource_type: ResourceType, id: DerivedId) -> String {
    format!("{resource_type}/{id}")
}

fn lead(person: &Person<'_>, key: &RecordKey, outside: &mut Vec<DerivedId>) -> String {
    if let Some(group) = person.claim_of(key).and_then(|i| person.group_of[i]) {
        return shown_reference(person, group);
    }
    let id = person.ids.record(key);
    // A record of the person that has no group is of a stored type, or withdrawn by its source.
    let standing = match person.claim_of(key) {
        Some(_) => Standing::Stored,
        None => {
            outside.push(id);
            person.standing(key)
        }
    };
    match standing {
        Standing::Directory(resource_type, shown) => local(resource_type, shown),
        Standing::OtherPerson(id) => local(key.resource_type, id),
        Standing::Stored | Standing::Unknown => {
            person.url(key).unwrap_or_else(|| local(key.resource_type, id))
        }
    }
}

/// A name is turned into a link only where that leads to something we serve.
fn lead_by_identifier(
    person: &Person<'_>,
    key: &RecordKey,
    outside: &mut Vec<DerivedId>,
) -> Option<String> {
    let own = person.claim_of(key).is_some_and(|i| person.group_of[i].is_some());
    let served =
        own || matches!(person.standing(key), Standing::Directory(..) | Standing::OtherPerson(_));
    served.then(|| lead(person, key, outside))
}
