//! Open referral loops and their stage; tasks past their day.
//! <https://hl7.org/fhir/R4/request.html>

use std::collections::BTreeMap;

use super::super::loops::{LoopOf, Stage, loops};
use super::super::plan::Shown;
use super::calendar::{Calendar, last_day};
use super::loops::is_open;
use super::scene::{Scene, at, named, status};
use super::{Conflict, Severity};

/// Loops that are open, and overdue tasks.
pub(super) fn open_loops(scene: &Scene<'_>, calendar: &mut Calendar) -> Vec<Conflict> {
    let policy = scene.person.policy.findings();
    let loops = loops(&scene.workflow, &scene.material.requests, policy);
    let known: BTreeMap<&str, &LoopOf<'_>> =
        loops.iter().map(|known| (known.request.reference.as_str(), known)).collect();
    let mut found = Vec::new();
    for open in loops.iter().filter(|open| is_told(open)) {
        // One loop is one finding, however many have passed it on.
        let whole = open.within.and_then(|whole| known.get(whole.reference.as_str()));
        if whole.is_none_or(|whole| !is_told(whole)) {
            found.push(open_loop(open, &known, calendar));
        }
    }
    found.extend(scene.material.tasks.iter().filter_map(|task| overdue(task, calendar)));
    found
}

/// Whether somebody has to move it on. One whose work is done awaits closure, which is told apart.
fn is_told(found: &LoopOf<'_>) -> bool {
    found.stage.is_open() && found.stage != Stage::AwaitingClosure
}

fn open_loop(
    open: &LoopOf<'_>,
    known: &BTreeMap<&str, &LoopOf<'_>>,
    calendar: &mut Calendar,
) -> Conflict {
    let until = open.due();
    let is_late = open.days.is_none() || until.is_some_and(|until| calendar.is_past(until));
    let on = open.since.map(|day| format!(" since {day}")).unwrap_or_default();
    let due = match until {
        Some(until) if is_late => format!(", which was to end by {until}"),
        Some(until) => format!(", to end by {until}"),
        None => String::new(),
    };
    let passed_on: Vec<String> = open
        .passed_on
        .iter()
        .filter_map(|leg| known.get(leg.reference.as_str()))
        .map(|leg| {
            let since = leg.since.map(|day| format!(" since {day}")).unwrap_or_default();
            format!(" Passed on as {}: {}{since}.", named(leg.request, "code"), leg.stage.text())
        })
        .collect();
    let detail = format!(
        "{}: {}{on}{due}. {}{}",
        named(open.request, "code"),
        open.stage.text(),
        open.stage.advice(),
        passed_on.concat()
    );
    let severity = if is_late { Severity::Moderate } else { Severity::Low };
    let title = if is_late { "the loop is stuck" } else { "the loop is open" };
    let about: Vec<&Shown> = std::iter::once(open.request).chain(open.told_by).collect();
    let found = Conflict::of("open-loop", severity, &about, title, detail);
    found.of_first().at(open.stage).since(open.since)
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
