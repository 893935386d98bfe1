//! What one version of a care plan says otherwise than the one before it.
//! <https://hl7.org/fhir/R4/careplan.html>

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

/// What changed in a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Revision {
    /// The status before and now, if it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<[String; 2]>,
    /// Goals that came.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub goals_added: Vec<String>,
    /// Goals that went.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub goals_removed: Vec<String>,
    /// Activities that came: requests and tasks, or what a detail describes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub activities_added: Vec<String>,
    /// Activities that went.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub activities_removed: Vec<String>,
    /// Other elements that say something else, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
}

impl Revision {
    /// From one version to the next.
    pub fn between(before: &Value, now: &Value) -> Self {
        let status = |plan: &Value| plan.get("status").and_then(Value::as_str).map(str::to_owned);
        let statuses = status(before).zip(status(now)).map(|(from, to)| [from, to]);
        let (goals_added, goals_removed) = apart(before, now, "goal", reference);
        let (activities_added, activities_removed) = apart(before, now, "activity", activity);
        let names = |plan: &Value| -> BTreeSet<String> {
            plan.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
        };
        // Told above, or no part of what the plan says.
        let told = ["status", "meta", "text", "id"];
        let is_told = |name: &String| {
            let listed = match name.as_str() {
                "goal" => goals_added.len() + goals_removed.len() > 0,
                "activity" => activities_added.len() + activities_removed.len() > 0,
                _ => false,
            };
            listed || told.contains(&name.as_str())
        };
        let all = names(before).into_iter().chain(names(now)).collect::<BTreeSet<_>>();
        let also =
            all.into_iter().filter(|name| before.get(name) != now.get(name) && !is_told(name));
        Self {
            status: statuses.filter(|[from, to]| from != to),
            also: also.collect(),
            goals_added,
            goals_removed,
            activities_added,
            activities_removed,
        }
    }
}

/// What only one of two versions has in a list: what came, and what went.
fn apart(
    before: &Value,
    now: &Value,
    name: &str,
    of: fn(&Value) -> Option<String>,
) -> (Vec<String>, Vec<String>) {
    let listed = |plan: &Value| -> BTreeSet<String> {
        plan.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(of).collect()
    };
    let (before, now) = (listed(before), listed(now));
    (now.difference(&before).cloned().collect(), before.difference(&now).cloned().collect())
}

fn reference(value: &Value) -> Option<String> {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    text("reference").or_else(|| text("display")).map(str::to_owned)
}

fn activity(value: &Value) -> Option<String> {
    if let Some(request) = value.get("reference") {
        return reference(request);
    }
    let detail = value.get("detail")?;
    let named = detail.get("code").and_then(super::progress::name);
    named.or_else(|| Some(detail.get("description")?.as_str()?.to_owned()))
}
