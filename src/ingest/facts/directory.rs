//! The directory: Practitioner, PractitionerRole, Organization, Location, HealthcareService.
//! <https://hl7.org/fhir/R4/administration-module.html>

use serde_json::{Map, Value};

use super::patient::demographics;
use super::reading::{Reading, each, tokens};
use crate::compare::clinical_text;

pub(super) fn practitioner(reading: &mut Reading<'_>) {
    let qualifications =
        each(reading.resource.get("qualification")).filter_map(|q| q.get("code")).flat_map(tokens);
    reading.facts.codes.extend(qualifications);
    reading.facts.demographics = demographics(reading.resource);
}

pub(super) fn practitioner_role(reading: &mut Reading<'_>) {
    reading.codes("code");
    reading.categories("specialty");
    reading.when("period");
}

/// Organization, Location and HealthcareService, whose name is a text.
pub(super) fn place(reading: &mut Reading<'_>) {
    reading.status("status");
    reading.facts.text = reading.text("name").map(clinical_text).unwrap_or_default();
    let resource = reading.resource;
    for concept in each(resource.get("type")) {
        reading.facts.codes.extend(tokens(concept));
    }
    // An address and a telecom as a person has them, so that both are normalised alike.
    let mut as_person = Map::new();
    for element in ["identifier", "address", "telecom"] {
        let values: Vec<Value> = each(resource.get(element)).cloned().collect();
        if !values.is_empty() {
            as_person.insert(element.to_owned(), Value::Array(values));
        }
    }
    reading.facts.demographics = demographics(&Value::Object(as_person));
}
