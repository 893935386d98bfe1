//! Appointment.
//! <https://hl7.org/fhir/R4/appointment.html>

use super::reading::{Reading, each};
use super::span;
use crate::compare::clinical_text;

pub(super) fn appointment(reading: &mut Reading<'_>) {
    reading.status("status");
    reading.categories("serviceCategory");
    reading.codes("serviceType");
    if reading.facts.text.is_empty() {
        // Many say what it is for in their own words only.
        let described = reading.text("description").map(clinical_text);
        reading.facts.text = described.unwrap_or_default();
    }
    // It has a start and an end of its own, where others have a period.
    let booked = span::span(reading.resource);
    let wished = || each(reading.resource.get("requestedPeriod")).find_map(span::span);
    reading.facts.when = booked.or_else(wished);
    reading.authored("created");
    let kind = reading.concept_values("appointmentType");
    reading.add_values("kind", kind);
}
