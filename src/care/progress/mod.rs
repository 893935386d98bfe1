//! How a person gets on: goals against the readings that measure them, and check-ins that are
//! due. What is proposed is proposed: nothing here changes a goal.
//! <https://hl7.org/fhir/R4/goal.html>

mod achievement;
mod check_ins;
mod measure;
mod readings;
#[cfg(test)]
mod tests;

use jiff::civil::Date;
use serde::Serialize;
use serde_json::Value;

pub use achievement::{GoalProgress, Proposed, TargetProgress, Trend};
pub use check_ins::{CheckIn, Standing};
pub(super) use measure::{name, shown};
pub use readings::ToldReading;

/// How a person gets on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// Each goal that is not rejected or cancelled.
    pub goals: Vec<GoalProgress>,
    /// What is to be done again and again, with the day on which it is next due.
    pub check_ins: Vec<CheckIn>,
}

/// Of the resources of a person's view, in any order, as things stand on a day.
pub fn progress(resources: &[Value], on: Date) -> Progress {
    let readings = readings::readings(resources);
    let goals = of_type(resources, "Goal");
    Progress {
        goals: goals.filter_map(|goal| achievement::of_goal(goal, &readings, on)).collect(),
        check_ins: check_ins::check_ins(resources, on),
    }
}

fn of_type<'r>(
    resources: &'r [Value],
    name: &'static str,
) -> impl Iterator<Item = &'r Value> + use<'r> {
    resources.iter().filter(move |r| r.get("resourceType").and_then(Value::as_str) == Some(name))
}

fn reference(resource: &Value) -> String {
    let text = |name: &str| resource.get(name).and_then(Value::as_str).unwrap_or_default();
    format!("{}/{}", text("resourceType"), text("id"))
}

fn list<'v>(resource: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    resource.get(name).and_then(Value::as_array).into_iter().flatten()
}
