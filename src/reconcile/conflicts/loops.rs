//! C1, C2, C3, C13, C14, C15: an order against the tasks that fulfil it, and tasks in themselves;
//! orders whose work is done.
//! <https://hl7.org/fhir/R4/task.html>

use std::cell::OnceCell;
use std::collections::BTreeSet;

use serde_json::Value;

use crate::fhir::parse_moment;
use crate::flow::{RefTarget, Role};

use super::super::claim::ClaimState;
use super::super::loops::{Stage, since};
use super::super::plan::Shown;
use super::scene::{Scene, list, named, status, text};
use super::{Conflict, Severity};

/// Statuses of a task that somebody still has to act on.
pub(super) const OPEN: [&str; 6] =
    ["requested", "received", "accepted", "ready", "in-progress", "on-hold"];
/// Statuses of a task that nobody acts on any more.
const OVER: [&str; 5] = ["completed", "cancelled", "rejected", "failed", "entered-in-error"];
/// Where the outcome of an order is stated.
const OUTCOMES: [&str; 5] =
    ["Procedure", "Observation", "DiagnosticReport", "DocumentReference", "Encounter"];

/// All contradictions and loose ends of orders and tasks.
pub(super) fn loops(scene: &Scene<'_>) -> Vec<Conflict> {
    let outcomes = OnceCell::new();
    let mut found = Vec::new();
    for request in &scene.material.requests {
        for task in scene.tasks_on(request) {
            found.extend(loop_state(request, task));
            let outcomes = || outcomes.get_or_init(|| scene.based_on(&OUTCOMES));
            found.extend(without_outcome(scene, request, task, outcomes));
        }
        found.extend(awaiting_closure(scene, request));
    }
    for task in &scene.material.tasks {
        found.extend(retracted_focus(scene, task));
        found.extend(modified_too_early(scene, task));
        found.extend(parts_done(scene, task));
    }
    found
}

pub(super) fn is_open(task: &Shown) -> bool {
    OPEN.contains(&status(task))
}

fn is_over(task: &Shown) -> bool {
    OVER.contains(&status(task))
}

/// C1, C2 and C13: a request and the task that fulfils it.
fn loop_state(request: &Shown, task: &Shown) -> Option<Conflict> {
    let what = named(request, "code");
    let (r, t) = (status(request), status(task));
    let intent = text(request, "intent");
    let on = since(task).map(|day| format!(" ({day})")).unwrap_or_default();
    let (rule, severity, title, detail) = match r {
        "completed" if is_open(task) => (
            "C1",
            Severity::Moderate,
            "request completed, task still open",
            format!(
                "{what}: the request is completed and its task is {t}{on}. \
                 Close the task, or reopen the request if the service is still needed."
            ),
        ),
        "revoked" if !is_over(task) => (
            "C2",
            Severity::High,
            "request revoked, task still open",
            format!(
                "{what}: the request is revoked and its task is {t}{on}. \
                 Cancel the task before someone acts on it."
            ),
        ),
        _ if matches!(intent, Some("proposal" | "plan")) && t == "in-progress" => (
            "C13",
            Severity::Moderate,
            "work on what was only proposed",
            format!(
                "{what}: the task is in progress{on} and the request is no order. \
                 Have it ordered, or stop the task."
            ),
        ),
        _ => return None,
    };
    Some(Conflict::of(rule, severity, &[request, task], title, detail).since(since(task)))
}

/// C2 where the order is no more: every source has retracted it.
fn retracted_focus(scene: &Scene<'_>, task: &Shown) -> Option<Conflict> {
    if is_over(task) {
        return None;
    }
    let person = scene.person;
    let retracted = |target: &RefTarget| {
        let RefTarget::Record(key) = target else { return None };
        let claim = person.claim_of(key)?;
        let stands = person.group_of[claim].is_some();
        (!stands && person.claims[claim].state == ClaimState::EnteredInError).then_some(claim)
    };
    let focus =
        scene.facts(task).flat_map(|facts| facts.linked(Role::Focus)).find_map(retracted)?;
    let detail = format!(
        "{}: {} entered the order in error, and the task is {}. Cancel the task before someone \
         acts on it.",
        named(task, "code"),
        scene.speaker_and_day(focus),
        status(task)
    );
    let title = "request entered in error, task still open";
    let mut found = Conflict::of("C2", Severity::High, &[task], title, detail);
    let tasks = scene.group(task.id).map(|group| group.all().collect::<Vec<_>>());
    found.speakers = tasks.unwrap_or_default();
    found.speakers.push(focus);
    Some(found.since(scene.said_on(focus)))
}

/// C3: the work was reported done, and nobody says what came of it.
fn without_outcome<'o>(
    scene: &Scene<'_>,
    request: &Shown,
    task: &Shown,
    outcomes: impl FnOnce() -> &'o BTreeSet<usize>,
) -> Option<Conflict> {
    let is_done = status(task) == "completed" && scene.workflow.fulfils(task);
    if !is_done || list(task, "output").next().is_some() {
        return None;
    }
    let stated = [request, task].into_iter().filter_map(|s| scene.group_index(s));
    let outcomes = outcomes();
    if stated.into_iter().any(|group| outcomes.contains(&group)) {
        return None;
    }
    let on = since(task).map(|day| format!(" on {day}")).unwrap_or_default();
    let detail = format!(
        "{}: the task was completed{on} without an outcome. Ask its owner for the result, or for \
         what was delivered.",
        named(request, "code")
    );
    let title = "task completed without outcome";
    Some(Conflict::of("C3", Severity::Low, &[task, request], title, detail).since(since(task)))
}

/// An active order whose work is done. A repeating order is not closed by one task, and neither
/// is one by a task that only approved or changed it.
fn awaiting_closure(scene: &Scene<'_>, request: &Shown) -> Option<Conflict> {
    if status(request) != "active" || request.body.get("occurrenceTiming").is_some() {
        return None;
    }
    let own = || scene.tasks_on(request).iter().filter(|task| scene.workflow.fulfils(task));
    let done = *own().find(|task| status(task) == "completed")?;
    if own().any(|task| !is_over(task)) {
        return None;
    }
    let on = since(done).map(|day| format!(" since {day}")).unwrap_or_default();
    let detail = format!(
        "{}: its task is completed{on} and the order is still active. \
         The requester should close the order, or say what is still to be done.",
        named(request, "code")
    );
    let title = "work done, order still active";
    // Which task did it may change; the finding is the order's.
    let found = Conflict::of("awaiting-closure", Severity::Low, &[request, done], title, detail);
    Some(found.of_first().at(Stage::AwaitingClosure).since(since(done)))
}

/// C14: changed before it was written.
fn modified_too_early(scene: &Scene<'_>, task: &Shown) -> Option<Conflict> {
    let moment = |element: &str| task.body.get(element)?.as_str().and_then(parse_moment);
    let shown = || Some(moment("lastModified")?.until <= moment("authoredOn")?.from);
    let mut stated = scene.facts(task).filter_map(|facts| {
        Some(facts.changed.and_then(|s| s.high)? < facts.authored.and_then(|s| s.low)?)
    });
    if shown() != Some(true) && !stated.any(|too_early| too_early) {
        return None;
    }
    let date = |element: &str| text(task, element).unwrap_or("unknown").to_owned();
    let detail = format!(
        "{}: last modified {}, written {}. The owner's system should correct the dates; which \
         status is the newest cannot be told until then.",
        named(task, "code"),
        date("lastModified"),
        date("authoredOn")
    );
    let title = "task modified before it was written";
    Some(Conflict::of("C14", Severity::Low, &[task], title, detail).since(since(task)))
}

/// C15: all parts are done, and the whole is not.
fn parts_done(scene: &Scene<'_>, task: &Shown) -> Option<Conflict> {
    let parts = scene.parts_of(task);
    let counted = || parts.iter().filter(|part| !matches!(status(part), "cancelled" | "rejected"));
    let all_done = counted().next().is_some() && counted().all(|p| status(p) == "completed");
    if !matches!(status(task), "accepted" | "in-progress") || !all_done {
        return None;
    }
    let about: Vec<&Shown> = std::iter::once(task).chain(counted().copied()).collect();
    let last = counted().filter_map(|part| since(part)).max();
    let on = last.map(|day| format!(" since {day}")).unwrap_or_default();
    let detail = format!(
        "{}: {} of it are completed{on}, and the task itself is {}. Its owner should report it \
         completed, or say what is left.",
        named(task, "code"),
        match about.len() - 1 {
            1 => "all parts (one)".to_owned(),
            parts => format!("all {parts} parts"),
        },
        status(task)
    );
    let title = "parts completed, task still open";
    Some(Conflict::of("C15", Severity::Low, &about, title, detail).of_first().since(last))
}

/// Whether an order recurs: it is not closed by one task.
pub(super) fn recurs(request: &Shown) -> bool {
    request.body.get("occurrenceTiming").is_some_and(Value::is_object)
}
