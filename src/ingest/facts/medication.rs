//! MedicationRequest, MedicationStatement and Immunization.
//! <https://hl7.org/fhir/R4/medicationrequest.html>,
//! <https://hl7.org/fhir/R4/medicationstatement.html>,
//! <https://hl7.org/fhir/R4/immunization.html>

use serde_json::Value;

use super::reading::{Reading, each};
use super::value;

pub(super) fn medication_request(reading: &mut Reading<'_>) {
    reading.status("status");
    reading.intent();
    reading.categories("category");
    medication(reading);
    reading.authored("authoredOn");
    reading.facts.when = reading.facts.authored;
    let dosages = each(reading.resource.get("dosageInstruction")).map(value::dosage).collect();
    reading.add_values("", dosages);
}

pub(super) fn medication_statement(reading: &mut Reading<'_>) {
    reading.status("status");
    reading.categories("category");
    medication(reading);
    reading.when("effective");
    reading.authored("dateAsserted");
    let dosages = each(reading.resource.get("dosage")).map(value::dosage).collect();
    reading.add_values("", dosages);
}

pub(super) fn immunization(reading: &mut Reading<'_>) {
    reading.status("status");
    reading.codes("vaccineCode");
    reading.when("occurrence");
    reading.authored("recorded");
    let doses = each(reading.resource.get("protocolApplied"))
        .map(|p| value::choice_of(p, "doseNumber", &["PositiveInt", "String"]))
        .collect();
    reading.add_values("dose", doses);
    let lot = reading.resource.get("lotNumber").map(value::scalar).unwrap_or_default();
    reading.add_value("lot", &lot);
}

/// The drug: its concept, the name of its reference, or the Medication contained with it.
pub(super) fn medication(reading: &mut Reading<'_>) {
    reading.codes("medicationCodeableConcept");
    let Some(reference) = reading.resource.get("medicationReference") else {
        return;
    };
    let literal = reference.get("reference").and_then(Value::as_str).unwrap_or_default();
    let container = reading.container;
    let contained = literal.strip_prefix('#').and_then(|fragment| {
        each(container.get("contained"))
            .find(|c| c.get("id").and_then(Value::as_str) == Some(fragment))
    });
    if let Some(concept) = contained.and_then(|drug| drug.get("code")) {
        reading.concept(concept);
    }
    if reading.facts.text.is_empty() {
        reading.facts.text = super::reading::name(reference);
    }
}
