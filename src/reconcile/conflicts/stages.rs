//! Open referral loops and their stage; tasks past their day.
//! <https://hl7.org/fhir/R4/request.html>

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::super::plan::Shown;
use super::calendar::{Calendar, days_after, last_day};
use super::loops::{fulfils, is_open, recurs, since};
use super::scene::{Scene, at, named, status, text};
use super::{Conflict, Severity};

/// Where a loop stands.
struct Stage {
    name: &'static str,
    /// The day since which it stands there.
    since: Option<Date>,
    /// For how many days it may.
    days: Option<u16>,
    advice: &'static str,
}

/// Loops that are open, and overdue tasks.
pub(super) fn open_loops(scene: &Scene<'_>, calendar: &mut Calendar) -> Vec<Conflict> {
    let referred_on = scene.based_on(&["ServiceRequest"]);
    let mut found = Vec::new();
    for request in &scene.material.requests {
        found.extend(open_loop(scene, request, &referred_on, calendar));
    }
    found.extend(scene.material.tasks.iter().filter_map(|task| overdue(task, calendar)));
    found
}

/// A referral that is under way, by the task that is furthest. One whose work is done awaits
/// closure, which is told apart.
fn open_loop(
    scene: &Scene<'_>,
    request: &Shown,
    referred_on: &BTreeSet<usize>,
    calendar: &mut Calendar,
) -> Option<Conflict> {
    let ordered = !matches!(text(request, "intent"), Some("proposal" | "plan" | "option"));
    if status(request) != "active" || !ordered || recurs(request) {
        return None;
    }
    let tasks: Vec<&Shown> =
        scene.tasks_on(request).iter().copied().filter(|task| fulfils(task)).collect();
    let (task, stage) = match furthest(&tasks) {
        Some(task) => (Some(task), stage_of(scene, task)?),
        None => {
            let codes: Vec<_> = scene.codes(request).into_iter().cloned().collect();
            let passed_on = scene.group_index(request).is_some_and(|g| referred_on.contains(&g));
            if !scene.person.policy.findings().is_referral(&codes) || passed_on {
                return None;
            }
            (None, unsent(scene, request))
        }
    };
    let until = stage.since.zip(stage.days).map(|(day, days)| days_after(day, days));
    let is_late = stage.days.is_none() || until.is_some_and(|until| calendar.is_past(until));
    let on = stage.since.map(|day| format!(" since {day}")).unwrap_or_default();
    let due = match until {
        Some(until) if is_late => format!(", which was to end by {until}"),
        Some(until) => format!(", to end by {until}"),
        None => String::new(),
    };
    let detail = format!("{}: {}{on}{due}. {}", named(request, "code"), stage.name, stage.advice);
    let severity = if is_late { Severity::Moderate } else { Severity::Low };
    let title = if is_late { "the loop is stuck" } else { "the loop is open" };
    let about: Vec<&Shown> = std::iter::once(request).chain(task).collect();
    let found = Conflict::of("open-loop", severity, &about, title, detail);
    Some(found.of_first().since(stage.since))
}

/// The task that tells the stage: an open one before one that was turned down, the one that is
/// furthest, then the one that moved last.
fn furthest<'t>(tasks: &[&'t Shown]) -> Option<&'t Shown> {
    let rank = |task: &Shown| match status(task) {
        "in-progress" => 8,
        "on-hold" => 7,
        "accepted" => 6,
        "ready" | "received" | "requested" => 5,
        "draft" => 4,
        "completed" => 3,
        "failed" | "rejected" | "cancelled" => 2,
        _ => 1,
    };
    // The first of several in the order of keys.
    tasks.iter().rev().copied().max_by_key(|task| (rank(task), since(task)))
}

fn stage_of(scene: &Scene<'_>, task: &Shown) -> Option<Stage> {
    let days = &scene.person.policy.findings().loop_days;
    let (name, days, advice) = match status(task) {
        "draft" => {
            ("the task is written and not sent", Some(days.unsent), "Send it to who is to do it.")
        }
        "requested" | "received" | "ready" if task.body.get("owner").is_none() => (
            "the task is open to whoever takes it",
            Some(days.sent),
            "Find somebody to take it on.",
        ),
        "requested" | "received" | "ready" => {
            ("sent, not answered", Some(days.sent), "Ask the receiver for an answer.")
        }
        "accepted" => {
            ("accepted, not begun", Some(days.accepted), "Ask the receiver for an appointment.")
        }
        "in-progress" => ("under way", Some(days.in_progress), "Ask the receiver how it stands."),
        "on-hold" => ("on hold", Some(days.on_hold), "Ask the receiver what it waits for."),
        "rejected" => ("turned down", None, "Refer to somebody else, or revoke the order."),
        "failed" => ("failed", None, "Try again, or revoke the order."),
        "cancelled" => ("the task was cancelled", None, "Revoke the order, or send it again."),
        _ => return None,
    };
    Some(Stage { name, since: since(task), days, advice })
}

fn unsent(scene: &Scene<'_>, request: &Shown) -> Stage {
    Stage {
        name: "ordered, and no task says that it was sent",
        since: request.body.get("authoredOn").and_then(last_day),
        days: Some(scene.person.policy.findings().loop_days.unsent),
        advice: "Send the referral, or ask the requester whether it was.",
    }
}

/// C10 for a task: the end of its restriction is past and it is open.
fn overdue(task: &Shown, calendar: &mut Calendar) -> Option<Conflict> {
    let due = at(&task.body, &["restriction", "period", "end"]).and_then(last_day);
    let due = due.filter(|_| is_open(task))?;
    calendar.is_past(due).then(|| {
        let detail = format!(
            "{}: to be done by {due}, still {}. Follow up with its owner.",
            named(task, "code"),
            status(task)
        );
        let since = due.tomorrow().unwrap_or(due);
        Conflict::of("C10", Severity::Moderate, &[task], "task overdue", detail).since(since)
    })
}
