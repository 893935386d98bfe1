//! After a discharge: nobody has seen the patient, nobody has reconciled the medications.
//! <https://hl7.org/fhir/R4/encounter.html>

use jiff::civil::Date;

use crate::fhir::ResourceType;
use crate::flow::{DerivedId, Facts};

use super::super::person::Group;
use super::super::plan::Shown;
use super::super::windows::EncounterKind;
use super::calendar::{Calendar, days_after};
use super::scene::{Scene, status};
use super::{Conflict, Severity};

/// A stay, or a visit.
struct Contact<'a> {
    group: &'a Group,
    kind: EncounterKind,
    from: Date,
    /// The day of discharge; none while it goes on, or if nobody says.
    until: Option<Date>,
    died: bool,
}

/// All that discharges give rise to.
pub(super) fn transitions(scene: &Scene<'_>, calendar: &mut Calendar) -> Vec<Conflict> {
    let contacts = contacts(scene);
    let stays: Vec<&Contact<'_>> =
        contacts.iter().filter(|c| c.kind == EncounterKind::Inpatient).collect();
    let last_visit =
        contacts.iter().filter(|c| c.kind == EncounterKind::FollowUp).map(|c| c.from).max();
    // Who is back in hospital, or was only moved, is not to be seen at home.
    let mut last_begin: Option<Date> = None;
    let mut found = Vec::new();
    for stay in stays.iter().rev() {
        let back = last_begin.is_some_and(|begin| stay.until.is_none_or(|until| begin >= until));
        last_begin = last_begin.max(Some(stay.from));
        let Some(discharged) = stay.until.filter(|_| !back && !stay.died) else { continue };
        if is_dead(scene) || is_told_no_more(scene, discharged, calendar) {
            continue;
        }
        found.extend(no_follow_up(scene, stay, discharged, last_visit, calendar));
        found.extend(unreconciled(scene, stay, discharged, calendar));
    }
    found
}

/// Stays and visits that took place or are planned, by their first day.
fn contacts<'a>(scene: &Scene<'a>) -> Vec<Contact<'a>> {
    let policy = scene.person.policy.findings();
    let mut contacts: Vec<Contact<'_>> = Vec::new();
    for group in scene.groups_of("Encounter") {
        let facts: Vec<&Facts> = scene.facts_of(group).collect();
        let happens = |f: &&Facts| !matches!(f.status.as_deref(), Some("cancelled" | "unknown"));
        if !facts.iter().any(happens) {
            continue;
        }
        let kinds = facts.iter().map(|f| policy.encounter_kind(&f.categories));
        let kind = kinds.into_iter().find(|kind| *kind != EncounterKind::Other);
        let spans = || facts.iter().filter_map(|f| f.when);
        let (Some(kind), Some(from)) = (kind, spans().find_map(|s| s.low)) else { continue };
        let is_over = facts.iter().any(|f| f.status.as_deref() == Some("finished"));
        let until = spans().find_map(|s| s.high).filter(|_| is_over);
        let died = facts.iter().any(|f| f.value.contains("|exp"));
        contacts.push(Contact { group, kind, from, until, died });
    }
    contacts.sort_by_key(|contact| contact.from);
    contacts
}

fn is_dead(scene: &Scene<'_>) -> bool {
    let patients = scene.groups_of("Patient");
    let mut demographics = patients
        .iter()
        .flat_map(|group| scene.facts_of(group))
        .filter_map(|facts| facts.demographics.as_deref());
    demographics.any(|d| d.deceased)
}

fn is_told_no_more(scene: &Scene<'_>, discharged: Date, calendar: &mut Calendar) -> bool {
    let days = scene.person.policy.findings().transition_look_back_days;
    calendar.is_past(days_after(discharged, days))
}

/// Nobody has seen the patient since, and the days for it are over.
fn no_follow_up(
    scene: &Scene<'_>,
    stay: &Contact<'_>,
    discharged: Date,
    last_visit: Option<Date>,
    calendar: &mut Calendar,
) -> Option<Conflict> {
    let days = scene.person.policy.findings().follow_up_days;
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
