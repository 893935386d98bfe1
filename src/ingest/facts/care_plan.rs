//! CarePlan and CareTeam.
//! <https://hl7.org/fhir/R4/careplan.html>, <https://hl7.org/fhir/R4/careteam.html>

use super::reading::{Reading, each, tokens};
use crate::compare::clinical_text;

pub(super) fn care_plan(reading: &mut Reading<'_>) {
    reading.status("status");
    reading.intent();
    reading.categories("category");
    reading.when("period");
    reading.authored("created");
    reading.title(&["title", "description"]);
    reading.facts.text = reading.text("title").map(clinical_text).unwrap_or_default();
    // What the plan is made of; each activity is read from the body when plans are woven.
    let details = each(reading.resource.get("activity")).filter_map(|a| a.get("detail"));
    let codes = details.filter_map(|d| d.get("code")).flat_map(tokens);
    reading.facts.codes.extend(codes);
}

pub(super) fn care_team(reading: &mut Reading<'_>) {
    reading.status("status");
    reading.categories("category");
    reading.when("period");
    reading.title(&["name"]);
    reading.facts.text = reading.facts.title.clone();
    let roles = each(reading.resource.get("participant"))
        .flat_map(|p| each(p.get("role")))
        .flat_map(tokens);
    reading.facts.codes.extend(roles);
}
