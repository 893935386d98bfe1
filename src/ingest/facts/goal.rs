//! Goal.
//! <https://hl7.org/fhir/R4/goal.html>

use serde_json::Value;

use super::reading::{Reading, each, name, tokens};
use super::{span, value};
use crate::flow::{Target, Token};

const ACCEPTANCE: &str = "http://hl7.org/fhir/StructureDefinition/goal-acceptance";

pub(super) fn goal(reading: &mut Reading<'_>) {
    reading.status("lifecycleStatus");
    let achievement = reading.resource.get("achievementStatus");
    reading.facts.second_status = achievement.map(tokens).and_then(status_code);
    reading.codes("description");
    reading.categories("category");
    reading.when("start");
    reading.changed("statusDate");
    let resource = reading.resource;
    let mut targets: Vec<Target> = each(resource.get("target")).map(target).collect();
    targets.sort_by(|a, b| {
        let key = |t: &Target| (t.measure.clone(), t.measure_text.clone(), t.detail.clone(), t.due);
        key(a).cmp(&key(b))
    });
    targets.dedup();
    reading.facts.targets = targets;
    reading.add_values("acceptance", acceptances(resource));
}

/// The code of the first coding that has one.
fn status_code(tokens: Vec<Token>) -> Option<Box<str>> {
    tokens.into_iter().next().map(|t| t.code)
}

fn target(target: &Value) -> Target {
    let mut measure = target.get("measure").map(tokens).unwrap_or_default();
    measure.sort();
    measure.dedup();
    Target {
        measure,
        measure_text: target.get("measure").map(name).unwrap_or_default(),
        detail: value::choice(target, "detail").into(),
        due: span::element(target, "due"),
    }
}

/// Whether patient and others agree to the goal.
fn acceptances(goal: &Value) -> Vec<String> {
    let parts = each(goal.get("extension"))
        .filter(|e| e.get("url").and_then(Value::as_str) == Some(ACCEPTANCE))
        .flat_map(|e| each(e.get("extension")));
    parts
        .filter(|p| p.get("url").and_then(Value::as_str) == Some("status"))
        .filter_map(|p| p.get("valueCode")?.as_str().map(str::to_owned))
        .collect()
}
