//! After a discharge: nobody has seen the patient, nobody has reconciled the medications, other
//! lines of the checklist are open; the patient is back.
//! <https://hl7.org/fhir/R4/encounter.html>

use jiff::civil::Date;

use crate::fhir::ResourceType;
use crate::flow::DerivedId;

use super::super::checklist::{Item, checklist, follow_up_days};
use super::super::plan::Shown;
use super::super::transition::{Contact, Discharge, contacts, to_follow_up};
use super::super::windows::EncounterKind;
use super::calendar::{Calendar, days_after};
use super::scene::{Scene, order_name, status};
use super::{Conflict, Severity};

/// All that discharges give rise to.
pub(super) fn transitions(scene: &Scene<'_>, calendar: &mut Calendar) -> Vec<Conflict> {
    let contacts = contacts(scene);
    let last_visit =
        contacts.iter().filter(|c| c.kind == EncounterKind::FollowUp).map(|c| c.from).max();
    let mut found = readmissions(scene, &contacts, calendar);
    for (stay, discharge) in to_follow_up(scene, &contacts, calendar) {
        found.extend(no_follow_up(scene, stay, &discharge, last_visit, calendar));
        found.extend(unreconciled(scene, stay, discharge.on, calendar));
        let items = checklist(scene, &contacts, &discharge);
        found.extend(overdue(scene, stay, &discharge, &items, calendar));
    }
    found
}

/// A stay that began soon after another one had ended.
fn readmissions(
    scene: &Scene<'_>,
    contacts: &[Contact<'_>],
    calendar: &mut Calendar,
) -> Vec<Conflict> {
    let policy = scene.person.policy;
    let look_back = policy.findings().transition_look_back_days;
    let mut found = Vec::new();
    let mut last: Option<(&Contact<'_>, Date)> = None;
    for stay in contacts.iter().filter(|c| c.kind == EncounterKind::Inpatient) {
        if let Some((before, discharged)) = last {
            let until = days_after(discharged, policy.transition().readmission_days);
            // On the day itself the patient was moved.
            let is_back = stay.from > discharged && stay.from <= until;
            if is_back && !calendar.is_past(days_after(stay.from, look_back)) {
                let detail = format!(
                    "In hospital again on {} ({}), after a discharge on {discharged} ({}). Look at \
                     what was missed, and plan the next discharge with the care team.",
                    stay.from,
                    scene.speaker(stay.group.first()),
                    scene.speaker(before.group.first()),
                );
                let about = [scene.shown_as(stay.group), scene.shown_as(before.group)];
                let title = "in hospital again soon after a discharge";
                let told = of_stay("readmission", Severity::High, &about, title, detail);
                found.push(told.since(stay.from));
            }
        }
        let own = stay.discharge.filter(|d| !d.died).map(|d| (stay, d.on));
        // A stay within another one ends no stay.
        last = match (last, own) {
            (Some((_, end)), Some((_, own))) if own < end => last,
            (before, own) => own.or(before),
        };
    }
    found
}

/// Lines of the checklist that nobody has taken up in time; a missing visit and a missing
/// reconciliation are told apart.
fn overdue(
    scene: &Scene<'_>,
    stay: &Contact<'_>,
    discharge: &Discharge,
    items: &[Item<'_>],
    calendar: &mut Calendar,
) -> Option<Conflict> {
    let others = items.iter().filter(|item| item.met_by.is_none() && !item.has_own_finding());
    let late: Vec<&Item<'_>> = others.filter(|item| calendar.is_past(item.due)).collect();
    let since = late.iter().map(|item| item.due).min()?.tomorrow().ok();
    let lines: Vec<String> = late
        .iter()
        .map(|item| match item.order {
            Some(order) => format!("{} ({}), due {}", item.rule.text, order_name(order), item.due),
            None => format!("{}, due {}", item.rule.text, item.due),
        })
        .collect();
    let detail = format!(
        "Discharged on {} ({}), and nothing is known of: {}. See to it, or record that it is not \
         needed.",
        discharge.on,
        scene.speaker(stay.group.first()),
        lines.join("; ")
    );
    let about = [scene.shown_as(stay.group)];
    let title = "open lines of the checklist after discharge";
    Some(of_stay("checklist-overdue", Severity::Low, &about, title, detail).since(since))
}

/// Nobody has seen the patient since, and the days for it are over.
fn no_follow_up(
    scene: &Scene<'_>,
    stay: &Contact<'_>,
    discharge: &Discharge,
    last_visit: Option<Date>,
    calendar: &mut Calendar,
) -> Option<Conflict> {
    let discharged = discharge.on;
    let days = follow_up_days(scene, discharge);
    let due = days_after(discharged, days);
    let seen = last_visit.is_some_and(|visit| visit > discharged);
    if seen || !calendar.is_past(due) {
        return None;
    }
    let detail = format!(
        "Discharged on {discharged} ({}), and no visit is known since; one was due by {due}. Call \
         the patient and book one.",
        scene.speaker(stay.group.first())
    );
    let about = [scene.shown_as(stay.group)];
    let title = "no follow-up after discharge";
    let since = due.tomorrow().unwrap_or(due);
    Some(of_stay("no-follow-up", Severity::High, &about, title, detail).since(since))
}

/// Medications are prescribed, and nobody has gone through them since the discharge.
fn unreconciled(
    scene: &Scene<'_>,
    stay: &Contact<'_>,
    discharged: Date,
    calendar: &mut Calendar,
) -> Option<Conflict> {
    let active: Vec<&Shown> =
        scene.material.medications.iter().filter(|m| status(m) == "active").collect();
    // On the day of discharge itself the hospital may not have sent all of it.
    if active.is_empty() || !calendar.is_past(discharged) || is_reconciled(scene, discharged) {
        return None;
    }
    let due = days_after(discharged, scene.person.policy.findings().reconciliation_days);
    let late = calendar.is_past(due);
    let by = if late { "it was due by" } else { "it is due by" };
    let detail = format!(
        "Discharged on {discharged} ({}) with {} active prescription(s), and no reconciliation of \
         the medications is recorded since; {by} {due}. Go through them with the patient and \
         record that it was done.",
        scene.speaker(stay.group.first()),
        active.len()
    );
    let about = [scene.shown_as(stay.group)];
    let severity = if late { Severity::High } else { Severity::Moderate };
    let title = "medications not reconciled after discharge";
    Some(of_stay("medications-unreconciled", severity, &about, title, detail).since(discharged))
}

/// A procedure or a completed task on the day of discharge or after it.
fn is_reconciled(scene: &Scene<'_>, discharged: Date) -> bool {
    let policy = scene.person.policy.findings();
    let recorded = ["Procedure", "Task"].into_iter().flat_map(|name| scene.groups_of(name));
    recorded.into_iter().any(|group| {
        scene.facts_of(group).any(|facts| {
            let days = [facts.when, facts.changed, facts.authored];
            let day = days.into_iter().flatten().find_map(|span| span.high.or(span.low));
            facts.status.as_deref() == Some("completed")
                && policy.is_reconciliation(&facts.codes)
                && day.is_some_and(|day| day >= discharged)
        })
    })
}

fn of_stay(
    rule: &'static str,
    severity: Severity,
    about: &[(ResourceType, DerivedId)],
    title: &'static str,
    detail: String,
) -> Conflict {
    let mut conflict = Conflict::of(rule, severity, &[], title, detail);
    conflict.about = about.iter().map(|(_, id)| *id).collect();
    conflict.implicated = about.to_vec();
    conflict
}
