//! Observation, DiagnosticReport, QuestionnaireResponse, RiskAssessment.
//! <https://hl7.org/fhir/R4/observation.html>

use serde_json::Value;

use super::reading::{Reading, each, name, tokens};
use super::value;
use crate::compare::clinical_text;
use crate::flow::{Hash, Token};

/// Answers deeper than this are not compared.
const ITEM_DEPTH_MAX: usize = 16;

pub(super) fn observation(reading: &mut Reading<'_>) {
    reading.status("status");
    reading.categories("category");
    reading.codes("code");
    reading.when("effective");
    reading.authored("issued");
    let resource = reading.resource;
    reading.add_value("", &measured(resource));
    let parts = each(resource.get("component")).map(|component| {
        let code = component.get("code").map(value::concept).unwrap_or_default();
        format!("{code}={}", measured(component))
    });
    let parts = parts.collect();
    reading.add_values("", parts);
}

pub(super) fn diagnostic_report(reading: &mut Reading<'_>) {
    reading.status("status");
    reading.categories("category");
    reading.codes("code");
    reading.when("effective");
    reading.authored("issued");
    reading.add_value("", &reading.text("conclusion").map(clinical_text).unwrap_or_default());
    let conclusions = reading.concept_values("conclusionCode");
    reading.add_values("conclusion", conclusions);
}

pub(super) fn questionnaire_response(reading: &mut Reading<'_>) {
    reading.status("status");
    reading.authored("authored");
    reading.facts.when = reading.facts.authored;
    if let Some(form) = reading.text("questionnaire") {
        // The version of the form is not what the form is.
        let url = form.split('|').next().unwrap_or(form);
        reading.facts.codes.push(Token { system: "".into(), code: url.into() });
    }
    let mut answers = Vec::new();
    collect_answers(reading.resource, ITEM_DEPTH_MAX, &mut answers);
    answers.sort();
    if !answers.is_empty() {
        let hash = Hash::of_parts(answers.iter().map(String::as_bytes));
        reading.add_value("answers", &format!("{:032x}", hash.0));
    }
}

pub(super) fn risk_assessment(reading: &mut Reading<'_>) {
    reading.status("status");
    reading.codes("code");
    reading.categories("method");
    reading.when("occurrence");
    let predictions = each(reading.resource.get("prediction")).map(|prediction| {
        let outcome = prediction.get("outcome").map(value::concept).unwrap_or_default();
        let risk = prediction.get("qualitativeRisk").map(value::concept).unwrap_or_default();
        format!("{outcome} {} {risk}", value::choice(prediction, "probability")).trim().to_owned()
    });
    let predictions = predictions.collect();
    reading.add_values("", predictions);
}

/// The value, or why there is none.
fn measured(holder: &Value) -> String {
    let found = value::choice(holder, "value");
    if !found.is_empty() {
        return found;
    }
    let absent = holder.get("dataAbsentReason").map(tokens).unwrap_or_default();
    absent.first().map(|t| format!("absent {}", t.code)).unwrap_or_default()
}

fn collect_answers(holder: &Value, depth: usize, answers: &mut Vec<String>) {
    let Some(depth) = depth.checked_sub(1) else {
        return;
    };
    for item in each(holder.get("item")) {
        let question = item.get("linkId").and_then(Value::as_str).unwrap_or_default();
        for answer in each(item.get("answer")) {
            let coding = answer.get("valueCoding");
            let text = coding
                .map(|c| tokens(c).first().map_or_else(|| name(c), |t| t.code.clone()))
                .map_or_else(|| value::choice(answer, "value"), Into::into);
            answers.push(format!("{question}={text}"));
            collect_answers(answer, depth, answers);
        }
        collect_answers(item, depth, answers);
    }
}
