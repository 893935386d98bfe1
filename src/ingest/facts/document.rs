//! DocumentReference, Coverage, Consent, Provenance.
//! <https://hl7.org/fhir/R4/documentreference.html>, <https://hl7.org/fhir/R4/coverage.html>

use serde_json::Value;

use super::reading::{Reading, each};
use super::{span, value};

pub(super) fn document_reference(reading: &mut Reading<'_>) {
    reading.status("status");
    reading.facts.second_status = reading.text("docStatus").map(Into::into);
    reading.codes("type");
    reading.categories("category");
    reading.authored("date");
    let resource = reading.resource;
    let period = resource.get("context").and_then(|c| c.get("period")).and_then(span::span);
    reading.facts.when = period;
    reading.title(&["description"]);
    let contents = each(resource.get("content")).filter_map(|c| c.get("attachment")).filter_map(
        |attachment| {
            let text = |name: &str| attachment.get(name).and_then(Value::as_str);
            // A URL differs from server to server; the hash does not.
            text("hash").or_else(|| text("url")).map(str::to_owned)
        },
    );
    let contents = contents.collect();
    reading.add_values("content", contents);
}

pub(super) fn coverage(reading: &mut Reading<'_>) {
    reading.status("status");
    reading.codes("type");
    reading.when("period");
    for element in ["subscriberId", "dependent", "policyHolder"] {
        let text = reading.text(element).map(str::trim).unwrap_or_default();
        reading.add_value(element, text);
    }
    let classes = each(reading.resource.get("class")).map(|class| {
        let kind = class.get("type").map(value::concept).unwrap_or_default();
        format!("{kind}:{}", class.get("value").map(value::scalar).unwrap_or_default())
    });
    let classes = classes.collect();
    reading.add_values("class", classes);
}

pub(super) fn consent(reading: &mut Reading<'_>) {
    reading.status("status");
    reading.codes("scope");
    reading.categories("category");
    reading.authored("dateTime");
    let provision = reading.resource.get("provision");
    reading.facts.when = provision.and_then(|p| p.get("period")).and_then(span::span);
    let verdict = provision.and_then(|p| p.get("type")).and_then(Value::as_str);
    reading.add_value("provision", verdict.unwrap_or_default());
}

pub(super) fn provenance(reading: &mut Reading<'_>) {
    reading.codes("activity");
    reading.when("occurred");
    reading.authored("recorded");
}
