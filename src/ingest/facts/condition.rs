//! Condition and AllergyIntolerance.
//! <https://hl7.org/fhir/R4/condition.html>, <https://hl7.org/fhir/R4/allergyintolerance.html>

use super::reading::{Reading, each, tokens};
use super::value;

pub(super) fn condition(reading: &mut Reading<'_>) {
    statuses(reading);
    reading.categories("category");
    reading.codes("code");
    onset(reading);
    reading.authored("recordedDate");
    let sites = reading.concept_values("bodySite");
    reading.add_values("site", sites);
    let severity = reading.concept_values("severity");
    reading.add_values("severity", severity);
}

pub(super) fn allergy(reading: &mut Reading<'_>) {
    statuses(reading);
    for category in
        reading.resource.get("category").and_then(|c| c.as_array()).into_iter().flatten()
    {
        if let Some(code) = category.as_str() {
            let token = crate::flow::Token { system: "".into(), code: code.into() };
            reading.facts.categories.push(token);
        }
    }
    reading.codes("code");
    // Some senders state the substance with the reaction only.
    let resource = reading.resource;
    if reading.facts.codes.is_empty() && reading.facts.text.is_empty() {
        for substance in each(resource.get("reaction")).filter_map(|r| r.get("substance")) {
            reading.concept(substance);
        }
    }
    onset(reading);
    reading.authored("recordedDate");
    reading.add_value("criticality", reading.text("criticality").unwrap_or_default());
    let reactions = each(resource.get("reaction")).flat_map(|reaction| {
        let severity = reaction.get("severity").map(value::scalar).unwrap_or_default();
        each(reaction.get("manifestation"))
            .map(move |m| format!("{} {severity}", value::concept(m)).trim().to_owned())
    });
    let reactions = reactions.collect();
    reading.add_values("reaction", reactions);
}

fn statuses(reading: &mut Reading<'_>) {
    let code = |element: &str| {
        let concept = reading.resource.get(element)?;
        tokens(concept).into_iter().next().map(|t| t.code)
    };
    let (clinical, verification) = (code("clinicalStatus"), code("verificationStatus"));
    reading.facts.status = clinical;
    reading.facts.second_status = verification;
}

/// From onset to abatement.
fn onset(reading: &mut Reading<'_>) {
    reading.when("onset");
    let ended = super::span::element(reading.resource, "abatement");
    if let (Some(when), Some(ended)) = (&mut reading.facts.when, ended) {
        when.high = ended.high;
    } else if let Some(when) = &mut reading.facts.when
        && reading.facts.status.as_deref() == Some("active")
    {
        // It goes on: the day of onset is not all of it.
        when.high = None;
    }
}
