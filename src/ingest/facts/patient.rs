//! Patient and RelatedPerson.
//! <https://hl7.org/fhir/R4/patient.html>, <https://hl7.org/fhir/R4/relatedperson.html>

use serde_json::Value;

use super::reading::Reading;
use crate::compare;
use crate::flow::Demographics;

pub(super) fn patient(reading: &mut Reading<'_>) {
    reading.facts.demographics = demographics(reading.resource);
}

pub(super) fn related_person(reading: &mut Reading<'_>) {
    reading.codes("relationship");
    reading.when("period");
    reading.facts.demographics = demographics(reading.resource);
}

/// Who a resource with names, birth date, addresses and telecoms says it is.
pub(super) fn demographics(resource: &Value) -> Option<Box<Demographics>> {
    Some(Box::new(compare::demographics(resource)))
}
