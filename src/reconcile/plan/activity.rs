//! The activities of the woven plan: one by reference per request, one by detail per planned
//! thing; never both in one activity (cpl-3).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::compare::clinical_text;
use crate::flow::Choice;

use super::super::narrative;
use super::{Material, Shown, lines};

/// The activities, with what had to be chosen and a line for each.
pub(super) struct Activities {
    pub(super) all: Vec<Value>,
    pub(super) lines: Vec<String>,
    pub(super) choices: Vec<Choice>,
}

/// Types that `activity.reference` may lead to.
const REQUESTS: [&str; 9] = [
    "Appointment",
    "CommunicationRequest",
    "DeviceRequest",
    "MedicationRequest",
    "NutritionOrder",
    "Task",
    "ServiceRequest",
    "VisionPrescription",
    "RequestGroup",
];

/// Statuses in the order in which they are shown where plans differ: what may still need doing
/// is not hidden by who thinks that it is over.
const DETAIL_ORDER: [&str; 9] = [
    "in-progress",
    "on-hold",
    "scheduled",
    "not-started",
    "completed",
    "cancelled",
    "stopped",
    "entered-in-error",
    "unknown",
];

/// Collects the activities of all source plans and the person's requests.
pub(super) fn activities(material: &Material) -> Activities {
    let mut found = Activities { all: Vec::new(), lines: Vec::new(), choices: Vec::new() };
    by_reference(material, &mut found);
    by_detail(material, &mut found);
    found
}

fn by_reference(material: &Material, found: &mut Activities) {
    // In the order of first mention: plans first, then requests.
    let mut activities: Map<String, Value> = Map::new();
    for activity in plan_activities(material).map(|(_, activity)| activity) {
        let reference = activity.pointer("/reference/reference").and_then(Value::as_str);
        let Some(reference) = reference.filter(|r| leads_to_request(r)) else { continue };
        let entry = activities.entry(reference).or_insert_with(|| json!({}));
        let Some(entry) = entry.as_object_mut() else { continue };
        for name in ["outcomeCodeableConcept", "outcomeReference", "progress"] {
            unite(entry, name, activity.get(name));
        }
    }
    let plans: BTreeSet<&str> = material.plans.iter().map(|p| p.reference.as_str()).collect();
    let requests = [&material.requests, &material.tasks, &material.medications];
    for (place, request) in
        requests.iter().enumerate().flat_map(|(i, r)| r.iter().map(move |r| (i, r)))
    {
        let is_care = place < 2;
        if fulfils(request, &plans) || (is_care && is_open(request)) {
            activities.entry(request.reference.as_str()).or_insert_with(|| json!({}));
        }
    }
    // An order that is shown open is shown with the work that was done on it.
    for task in material.tasks.iter().filter(|t| is_completed(t)) {
        let focus = task.body.pointer("/focus/reference").and_then(Value::as_str);
        if focus.is_some_and(|focus| activities.contains_key(focus)) {
            activities.entry(task.reference.as_str()).or_insert_with(|| json!({}));
        }
    }
    let known: BTreeMap<&str, &Shown> = requests
        .into_iter()
        .flatten()
        .map(|request| (request.reference.as_str(), request))
        .collect();
    for (reference, mut activity) in activities {
        found.lines.push(lines::request(&known, &reference));
        activity["reference"] = json!({"reference": reference});
        found.all.push(activity);
    }
}

fn by_detail(material: &Material, found: &mut Activities) {
    let mut details: BTreeMap<String, Vec<(&Shown, &Value)>> = BTreeMap::new();
    for (plan, activity) in plan_activities(material) {
        let Some(detail) = activity.get("detail") else { continue };
        details.entry(detail_key(detail)).or_default().push((plan, activity));
    }
    for mut stated in details.into_values() {
        // Plans come in the order of their keys.
        stated.sort_by_key(|(_, activity)| rank(detail_status(activity)));
        let Some((plan, shown)) = stated.first() else { continue };
        let mut activity = without_fragments((*shown).clone());
        if let Some(object) = activity.as_object_mut() {
            object.shift_remove("reference");
            for (_, other) in stated.iter().skip(1) {
                for name in ["outcomeCodeableConcept", "outcomeReference", "progress"] {
                    let other = other.get(name).cloned().map(without_fragments);
                    unite(object, name, other.as_ref());
                }
            }
        }
        let others: Vec<_> = stated
            .iter()
            .filter(|(_, other)| detail_status(other) != detail_status(shown))
            .map(|(other, activity)| (other.id, json!(detail_status(activity)).to_string().into()))
            .collect();
        if !others.is_empty() {
            found.choices.push(Choice {
                element: detail_status_path(shown).into(),
                rule: "open-over-closed".into(),
                from: plan.id,
                others,
            });
        }
        let detail = shown.get("detail").unwrap_or(&Value::Null);
        found.lines.push(lines::detail(detail, detail_status(shown)));
        found.all.push(activity);
    }
}

fn plan_activities(material: &Material) -> impl Iterator<Item = (&Shown, &Value)> {
    material.plans.iter().flat_map(|plan| {
        let activities = plan.body.get("activity").and_then(Value::as_array);
        activities.into_iter().flatten().map(move |activity| (plan, activity))
    })
}

fn leads_to_request(reference: &str) -> bool {
    reference.rsplit('/').nth(1).is_some_and(|kind| REQUESTS.contains(&kind))
}

/// Whether a request is based on one of the plans.
fn fulfils(request: &Shown, plans: &BTreeSet<&str>) -> bool {
    let based_on = request.body.get("basedOn").and_then(Value::as_array).into_iter().flatten();
    based_on.filter_map(|r| r.get("reference")?.as_str()).any(|r| plans.contains(r))
}

fn is_completed(task: &Shown) -> bool {
    task.body.get("status").and_then(Value::as_str) == Some("completed")
}

fn is_open(request: &Shown) -> bool {
    let status = request.body.get("status").and_then(Value::as_str).unwrap_or("unknown");
    !matches!(
        status,
        "draft"
            | "completed"
            | "revoked"
            | "cancelled"
            | "failed"
            | "rejected"
            | "stopped"
            | "entered-in-error"
    )
}

/// What makes two details one: their kind and concept; a prohibition is another thing.
fn detail_key(detail: &Value) -> String {
    let kind = detail.get("kind").and_then(Value::as_str).unwrap_or_default();
    let not = detail.get("doNotPerform").and_then(Value::as_bool).unwrap_or(false);
    let coding = detail.pointer("/code/coding/0");
    let part = |name: &str| coding.and_then(|c| c.get(name)?.as_str()).unwrap_or_default();
    let words = narrative::concept(detail.get("code"));
    let description = detail.get("description").and_then(Value::as_str);
    let words = words.as_deref().or(description).unwrap_or_default();
    let words = clinical_text(words);
    if words.is_empty() && part("code").is_empty() {
        return detail.to_string();
    }
    match (part("system"), part("code")) {
        ("", _) | (_, "") => format!("{kind}|{not}||{words}"),
        (system, code) => format!("{kind}|{not}|{system}|{code}"),
    }
}

/// The status of one activity as FHIRPath, by the activity's name: a plan may hold several that
/// sources disagree on, and their places change.
fn detail_status_path(activity: &Value) -> String {
    let names = [
        ("code.text", "/detail/code/text"),
        ("code.coding.display", "/detail/code/coding/0/display"),
        ("code.coding.code", "/detail/code/coding/0/code"),
        ("description", "/detail/description"),
    ];
    let named = |(path, pointer): &(&str, &str)| {
        let name = activity.pointer(pointer)?.as_str()?.replace('\\', "\\\\").replace('\'', "\\'");
        Some(format!("CarePlan.activity.where(detail.{path} = '{name}').detail.status"))
    };
    let path = names.iter().find_map(named);
    path.unwrap_or_else(|| "CarePlan.activity.detail.status".to_owned())
}

fn detail_status(activity: &Value) -> &str {
    activity.pointer("/detail/status").and_then(Value::as_str).unwrap_or("unknown")
}

fn rank(status: &str) -> usize {
    DETAIL_ORDER.iter().position(|s| *s == status).unwrap_or(DETAIL_ORDER.len())
}

fn unite(into: &mut Map<String, Value>, name: &str, from: Option<&Value>) {
    let Some(items) = from.and_then(Value::as_array).filter(|items| !items.is_empty()) else {
        return;
    };
    let list = into.entry(name).or_insert_with(|| Value::Array(Vec::new()));
    let Some(list) = list.as_array_mut() else { return };
    for item in items {
        if !list.contains(item) {
            list.push(item.clone());
        }
    }
}

/// A fragment names something within the plan it was taken from, and nothing here.
fn without_fragments(value: Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(without_fragments).collect()),
        Value::Object(object) => {
            let fragment =
                object.get("reference").and_then(Value::as_str).is_some_and(|r| r.starts_with('#'));
            let mut kept: Map<String, Value> = object
                .into_iter()
                .filter(|(name, _)| !(fragment && name == "reference"))
                .map(|(name, value)| (name, without_fragments(value)))
                .collect();
            if kept.is_empty() {
                kept.insert("display".to_owned(), json!("see the source plan"));
            }
            Value::Object(kept)
        }
        other => other,
    }
}
