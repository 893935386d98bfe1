//! Task.
//! <https://hl7.org/fhir/R4/task.html>

use super::reading::{Reading, each};
use super::value;

pub(super) fn task(reading: &mut Reading<'_>) {
    reading.status("status");
    reading.intent();
    reading.codes("code");
    reading.when("executionPeriod");
    reading.authored("authoredOn");
    reading.changed("lastModified");
    reading.title(&["description"]);
    let business = reading.concept_values("businessStatus");
    reading.add_values("business", business);
    // Whether a completed task has an outcome decides if its loop is closed.
    let outputs = each(reading.resource.get("output")).map(|output| {
        let kind = output.get("type").map(value::concept).unwrap_or_default();
        format!("{kind} {}", value::choice(output, "value")).trim().to_owned()
    });
    let outputs = outputs.collect();
    reading.add_values("output", outputs);
}
