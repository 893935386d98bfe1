//! C8 and C9: plans against what they hold and against their period; plans that nobody keeps.
//! <https://hl7.org/fhir/R4/careplan.html>

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde_json::Value;

use super::super::plan::Shown;
use super::calendar::{Calendar, days_after, last_day};
use super::loops::is_open;
use super::scene::{Scene, at, list, plan_title, reference, status, text};
use super::{Conflict, Severity};

/// All that plans give rise to.
pub(super) fn plans(scene: &Scene<'_>, calendar: &mut Calendar) -> Vec<Conflict> {
    let carried: BTreeSet<&str> = scene
        .material
        .plans
        .iter()
        .filter(|plan| status(plan) == "active")
        .flat_map(held)
        .collect();
    let mut found = Vec::new();
    for plan in &scene.material.plans {
        found.extend(ended(scene, plan, &carried));
        let over = past_period(plan, calendar);
        if over.is_none() {
            found.extend(stale(scene, plan, calendar));
        }
        found.extend(over);
    }
    found
}

/// The goals and activities that a plan refers to.
fn held(plan: &Shown) -> impl Iterator<Item = &str> {
    let activities = list(plan, "activity").filter_map(|a| reference(a.get("reference")?));
    list(plan, "goal").filter_map(reference).chain(activities)
}

/// C8: a plan that has ended with something open in it that no active plan has taken over.
fn ended(scene: &Scene<'_>, plan: &Shown, carried: &BTreeSet<&str>) -> Option<Conflict> {
    if !matches!(status(plan), "completed" | "revoked") {
        return None;
    }
    let left: BTreeSet<&str> = held(plan).filter(|r| !carried.contains(r)).collect();
    let open: Vec<&Shown> =
        held(plan).filter(|r| left.contains(r)).filter_map(|r| scene.find(r)).collect();
    let open: Vec<&Shown> = open.into_iter().filter(|shown| is_unfinished(shown)).collect();
    let detailed = list(plan, "activity")
        .filter(|a| {
            let status = at(a, &["detail", "status"]).and_then(Value::as_str);
            matches!(status, Some("not-started" | "scheduled" | "in-progress" | "on-hold"))
        })
        .count();
    if open.is_empty() && detailed == 0 {
        return None;
    }
    let goals = open.iter().filter(|shown| shown.resource_type.name() == "Goal").count();
    let activities = open.len() - goals + detailed;
    let detail = format!(
        "{} is {}, with {goals} active goal(s) and {activities} unfinished activities. \
         Carry them over into a current plan, or close them.",
        plan_title(plan),
        status(plan)
    );
    let about: Vec<&Shown> = std::iter::once(plan).chain(open).collect();
    // Goals come and go; the conflict is the plan's.
    let found = Conflict::of("C8", Severity::Moderate, &about, "ended plan with open work", detail);
    Some(found.of_first().since(at(&plan.body, &["period", "end"]).and_then(last_day)))
}

fn is_unfinished(shown: &Shown) -> bool {
    match shown.resource_type.name() {
        "Goal" => text(shown, "lifecycleStatus") == Some("active"),
        "Task" => is_open(shown),
        _ => matches!(status(shown), "active" | "on-hold"),
    }
}

/// C9: an active plan whose period is over.
fn past_period(plan: &Shown, calendar: &mut Calendar) -> Option<Conflict> {
    let end = at(&plan.body, &["period", "end"]).and_then(last_day)?;
    if status(plan) != "active" || !calendar.is_past(end) {
        return None;
    }
    let detail = format!(
        "{} is active and ended on {end}. Renew the plan, or complete it.",
        plan_title(plan)
    );
    let since = end.tomorrow().unwrap_or(end);
    Some(Conflict::of("C9", Severity::Low, &[plan], "plan past its period", detail).since(since))
}

/// An active plan that nobody has touched for long.
fn stale(scene: &Scene<'_>, plan: &Shown, calendar: &mut Calendar) -> Option<Conflict> {
    if status(plan) != "active" {
        return None;
    }
    let touched = last_touched(scene, plan)?;
    let days = scene.person.policy.findings().stale_plan_days;
    if !calendar.is_past(days_after(touched, days)) {
        return None;
    }
    let detail = format!(
        "{} is active and was last changed on {touched}, more than {days} days ago. Review the \
         plan with the patient and its owner, then renew or complete it.",
        plan_title(plan)
    );
    let since = days_after(touched, days.saturating_add(1));
    Some(
        Conflict::of("stale-plan", Severity::Low, &[plan], "plan not kept up", detail).since(since),
    )
}

/// The last day on which a plan began, was written, or was changed at its endpoint.
fn last_touched(scene: &Scene<'_>, plan: &Shown) -> Option<Date> {
    let stated = scene
        .facts(plan)
        .flat_map(|facts| [facts.when.and_then(|s| s.low), facts.authored.and_then(|s| s.high)]);
    let members = scene.group(plan.id).map_or(&[][..], |group| group.members.as_slice());
    let served = members.iter().map(|(claim, _)| {
        let updated = scene.person.claims[*claim].header.current().stamp.last_updated;
        updated.map(|at| at.to_zoned(jiff::tz::TimeZone::UTC).date())
    });
    stated.chain(served).flatten().max()
}
