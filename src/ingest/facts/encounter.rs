//! Encounter, EpisodeOfCare, Procedure.
//! <https://hl7.org/fhir/R4/encounter.html>, <https://hl7.org/fhir/R4/procedure.html>

use super::reading::Reading;
use super::value;

pub(super) fn encounter(reading: &mut Reading<'_>) {
    reading.status("status");
    reading.categories("class");
    reading.codes("type");
    reading.when("period");
    let discharge = reading.resource.get("hospitalization");
    let discharge = discharge.and_then(|h| h.get("dischargeDisposition")).map(value::concept);
    reading.add_value("discharge", &discharge.unwrap_or_default());
}

pub(super) fn episode_of_care(reading: &mut Reading<'_>) {
    reading.status("status");
    reading.codes("type");
    reading.when("period");
}

pub(super) fn procedure(reading: &mut Reading<'_>) {
    reading.status("status");
    reading.categories("category");
    reading.codes("code");
    reading.when("performed");
    let sites = reading.concept_values("bodySite");
    reading.add_values("site", sites);
    let outcome = reading.concept_values("outcome");
    reading.add_values("outcome", outcome);
}
