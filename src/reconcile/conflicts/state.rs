//! Contradictions between states: of a request and its task, of a goal in itself, of a plan and
//! what it holds. The ids C1 … C10 are those of the policy's documentation.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::Value;

use crate::fhir::{ResourceType, parse_moment};
use crate::flow::ViewRow;

use super::super::narrative;
use super::super::plan::{Shown, shown};
use super::{Calendar, Conflict, Severity};

/// All contradictions of the state machines.
pub(super) fn contradictions(
    tables: &BTreeMap<ResourceType, Vec<ViewRow>>,
    calendar: &mut Calendar,
) -> Vec<Conflict> {
    let goals = shown(tables, "Goal");
    let requests = shown(tables, "ServiceRequest");
    let tasks = shown(tables, "Task");
    let plans = shown(tables, "CarePlan");
    let mut found = Vec::new();
    for task in &tasks {
        found.extend(
            requests.iter().filter(|r| focuses(task, r)).filter_map(|r| loop_state(r, task)),
        );
        found.extend(overdue_task(task, calendar));
    }
    found.extend(requests.iter().filter_map(|r| awaiting_closure(r, &tasks)));
    for goal in &goals {
        found.extend(goal_state(goal));
        found.extend(overdue_goal(goal, calendar));
    }
    for plan in &plans {
        found.extend(ended_plan(plan, &goals));
        found.extend(stale_plan(plan, calendar));
    }
    found
}

fn conflict(
    rule: &'static str,
    severity: Severity,
    about: &[&Shown],
    title: &'static str,
    detail: String,
) -> Conflict {
    Conflict {
        rule,
        aspect: String::new(),
        severity,
        about: about.iter().map(|s| s.id).collect(),
        implicated: about.iter().map(|s| s.reference.clone()).collect(),
        evidence: Vec::new(),
        title,
        detail,
    }
}

fn focuses(task: &Shown, request: &Shown) -> bool {
    let focus = task.body.pointer("/focus/reference").and_then(Value::as_str);
    focus == Some(request.reference.as_str())
}

fn status(shown: &Shown) -> &str {
    shown.body.get("status").and_then(Value::as_str).unwrap_or("unknown")
}

fn named(shown: &Shown, element: &str) -> String {
    narrative::concept(shown.body.get(element)).unwrap_or_else(|| "unnamed".to_owned())
}

/// An active order whose work is done. A repeating order is not closed by one task, and neither
/// is one by a task that only approved or changed it.
fn awaiting_closure(request: &Shown, tasks: &[Shown]) -> Option<Conflict> {
    if status(request) != "active" || request.body.get("occurrenceTiming").is_some() {
        return None;
    }
    let fulfils = |task: &&Shown| {
        let code = narrative::code(task.body.get("code"));
        let other = ["approve", "abort", "replace", "change", "suspend", "resume"];
        focuses(task, request)
            && task.body.get("partOf").is_none()
            && !code.is_some_and(|code| other.contains(&code))
    };
    let over = ["completed", "cancelled", "rejected", "failed", "entered-in-error"];
    let own: Vec<&Shown> = tasks.iter().filter(fulfils).collect();
    let done = *own.iter().find(|task| status(task) == "completed")?;
    if own.iter().any(|task| !over.contains(&status(task))) {
        return None;
    }
    let detail = format!(
        "{}: its task is completed and the order is still active. \
         The requester should close the order, or say what is still to be done.",
        named(request, "code")
    );
    let mut found = conflict(
        "awaiting-closure",
        Severity::Low,
        &[request, done],
        "work done, order still active",
        detail,
    );
    // Which task did it may change; the finding is the order's.
    found.about.truncate(1);
    Some(found)
}

/// C1, C2 and C13: a request and the task that fulfils it.
fn loop_state(request: &Shown, task: &Shown) -> Option<Conflict> {
    let open = matches!(
        status(task),
        "requested" | "received" | "accepted" | "ready" | "in-progress" | "on-hold"
    );
    let what = named(request, "code");
    let (r, t) = (status(request), status(task));
    match r {
        "completed" if open => Some(conflict(
            "C1",
            Severity::Moderate,
            &[request, task],
            "request completed, task still open",
            format!(
                "{what}: the request is completed and its task is {t}. \
                 Close the task, or reopen the request if the service is still needed."
            ),
        )),
        "revoked" if open => Some(conflict(
            "C2",
            Severity::High,
            &[request, task],
            "request revoked, task still open",
            format!(
                "{what}: the request is revoked and its task is {t}. \
                 Cancel the task before someone acts on it."
            ),
        )),
        _ => {
            let intent = request.body.get("intent").and_then(Value::as_str);
            let unauthorised = matches!(intent, Some("proposal" | "plan")) && t == "in-progress";
            unauthorised.then(|| {
                conflict(
                    "C13",
                    Severity::Moderate,
                    &[request, task],
                    "work on what was only proposed",
                    format!(
                        "{what}: the task is in progress and the request is no order. \
                     Have it ordered, or stop the task."
                    ),
                )
            })
        }
    }
}

/// C4 to C7: the lifecycle of a goal against its achievement.
fn goal_state(goal: &Shown) -> Option<Conflict> {
    let lifecycle = goal.body.get("lifecycleStatus").and_then(Value::as_str)?;
    let achievement = narrative::code(goal.body.get("achievementStatus"))?;
    let what = named(goal, "description");
    let under_way = matches!(achievement, "in-progress" | "improving" | "worsening" | "no-change");
    let (rule, severity, title, advice) = match (lifecycle, achievement) {
        ("proposed" | "planned" | "rejected", _) => (
            "C4",
            Severity::Moderate,
            "progress on a goal that was not taken up",
            "Accept the goal, or remove the achievement.",
        ),
        ("completed", _) if under_way => (
            "C5",
            Severity::Moderate,
            "completed goal still in progress",
            "Record the outcome, or reopen the goal.",
        ),
        ("active", "achieved") => {
            ("C6", Severity::Low, "active goal is achieved", "Complete the goal.")
        }
        ("cancelled", "achieved") => (
            "C7",
            Severity::Low,
            "cancelled goal is achieved",
            "Complete the goal if it was reached.",
        ),
        _ => return None,
    };
    let detail = format!("{what}: lifecycle {lifecycle}, achievement {achievement}. {advice}");
    Some(conflict(rule, severity, &[goal], title, detail))
}

/// C10: the due day is past and the goal is not reached.
fn overdue_goal(goal: &Shown, calendar: &mut Calendar) -> Option<Conflict> {
    let lifecycle = goal.body.get("lifecycleStatus").and_then(Value::as_str).unwrap_or_default();
    let achievement = narrative::code(goal.body.get("achievementStatus")).unwrap_or("in-progress");
    let sought = matches!(lifecycle, "accepted" | "active" | "on-hold")
        && !matches!(achievement, "achieved" | "sustaining" | "not-achieved" | "not-attainable");
    let targets = goal.body.get("target").and_then(Value::as_array).into_iter().flatten();
    let due = targets.filter_map(|t| last_day(t.get("dueDate")?)).max().filter(|_| sought)?;
    calendar.is_past(due).then(|| {
        let detail = format!(
            "{}: due {due}, still {achievement}. Review the goal with the patient and set a new \
             date or record the outcome.",
            named(goal, "description")
        );
        conflict("C10", Severity::Moderate, &[goal], "goal overdue", detail)
    })
}

/// C10 for a task: the end of its restriction is past and it is open.
fn overdue_task(task: &Shown, calendar: &mut Calendar) -> Option<Conflict> {
    let open = matches!(
        status(task),
        "requested" | "received" | "accepted" | "ready" | "in-progress" | "on-hold"
    );
    let due = task.body.pointer("/restriction/period/end").and_then(last_day).filter(|_| open)?;
    calendar.is_past(due).then(|| {
        let detail = format!(
            "{}: to be done by {due}, still {}. Follow up with its owner.",
            named(task, "code"),
            status(task)
        );
        conflict("C10", Severity::Moderate, &[task], "task overdue", detail)
    })
}

/// C8: a plan that has ended with something open in it.
fn ended_plan(plan: &Shown, goals: &[Shown]) -> Option<Conflict> {
    if !matches!(status(plan), "completed" | "revoked") {
        return None;
    }
    let listed = plan.body.get("goal").and_then(Value::as_array).into_iter().flatten();
    let listed: Vec<&str> = listed.filter_map(|g| g.get("reference")?.as_str()).collect();
    let active = goals.iter().filter(|goal| {
        listed.contains(&goal.reference.as_str())
            && goal.body.get("lifecycleStatus").and_then(Value::as_str) == Some("active")
    });
    let mut about: Vec<&Shown> = vec![plan];
    about.extend(active);
    let activities = plan.body.get("activity").and_then(Value::as_array).into_iter().flatten();
    let unfinished = activities
        .filter(|a| {
            let status = a.pointer("/detail/status").and_then(Value::as_str);
            matches!(status, Some("not-started" | "scheduled" | "in-progress" | "on-hold"))
        })
        .count();
    let active = about.len() - 1;
    if active + unfinished == 0 {
        return None;
    }
    let title = plan.body.get("title").and_then(Value::as_str).unwrap_or("care plan");
    let detail = format!(
        "{title} is {}, with {active} active goal(s) and {unfinished} unfinished activities. \
         Carry them over into a current plan, or close them.",
        status(plan)
    );
    // Goals come and go; the conflict is the plan's.
    let mut found = conflict("C8", Severity::Moderate, &about, "ended plan with open work", detail);
    found.about.truncate(1);
    Some(found)
}

/// C9: an active plan whose period is over.
fn stale_plan(plan: &Shown, calendar: &mut Calendar) -> Option<Conflict> {
    let end = plan.body.pointer("/period/end").and_then(last_day)?;
    if status(plan) != "active" || !calendar.is_past(end) {
        return None;
    }
    let title = plan.body.get("title").and_then(Value::as_str).unwrap_or("care plan");
    let detail = format!("{title} is active and ended on {end}. Renew the plan, or complete it.");
    Some(conflict("C9", Severity::Low, &[plan], "plan past its period", detail))
}

fn last_day(value: &Value) -> Option<Date> {
    parse_moment(value.as_str()?).map(|m| m.last_day)
}
