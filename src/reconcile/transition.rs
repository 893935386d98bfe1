//! Transitions of care: stays, visits, and the discharges that are still to be followed up.
//! <https://hl7.org/fhir/R4/encounter.html>

use jiff::civil::Date;

use crate::flow::Facts;

use super::calendar::{Calendar, days_after};
use super::person::Group;
use super::policy::Policy;
use super::scene::Scene;
use super::windows::EncounterKind;

/// A discharge, as an Encounter states it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Discharge {
    /// The first day of the stay.
    pub admitted: Date,
    /// The day of discharge.
    pub on: Date,
    /// The patient died.
    pub died: bool,
}

/// A stay, or a visit.
pub(super) struct Contact<'a> {
    pub(super) group: &'a Group,
    pub(super) kind: EncounterKind,
    pub(super) from: Date,
    /// None while a stay goes on, or if nobody says that it ended.
    pub(super) discharge: Option<Discharge>,
}

/// The discharge that an Encounter states, by the facts of all records of it: pulled ones, and
/// those that messages and alerts bring, which come as Encounters too.
pub fn discharge(stated: &[&Facts], policy: &Policy) -> Option<Discharge> {
    let (kind, admitted) = contact(stated, policy)?;
    let is_over = stated.iter().any(|f| f.status.as_deref() == Some("finished"));
    let on = stated.iter().find_map(|f| f.when?.high)?;
    let died = stated.iter().any(|f| f.value.contains("|exp"));
    let is_discharge = kind == EncounterKind::Inpatient && is_over;
    is_discharge.then_some(Discharge { admitted, on, died })
}

/// What kind of contact took place or is planned, and from which day.
fn contact(stated: &[&Facts], policy: &Policy) -> Option<(EncounterKind, Date)> {
    let happens = |f: &&Facts| !matches!(f.status.as_deref(), Some("cancelled" | "unknown"));
    stated.iter().copied().find(happens)?;
    let mut kinds = stated.iter().map(|f| policy.findings().encounter_kind(&f.categories));
    let kind = kinds.find(|kind| *kind != EncounterKind::Other)?;
    Some((kind, stated.iter().find_map(|f| f.when?.low)?))
}

/// Stays and visits, by their first day.
pub(super) fn contacts<'a>(scene: &Scene<'a>) -> Vec<Contact<'a>> {
    let policy = scene.person.policy;
    let mut contacts: Vec<Contact<'_>> = Vec::new();
    for group in scene.groups_of("Encounter") {
        let facts: Vec<&Facts> = scene.facts_of(group).collect();
        let Some((kind, from)) = contact(&facts, policy) else { continue };
        contacts.push(Contact { group, kind, from, discharge: discharge(&facts, policy) });
    }
    contacts.sort_by_key(|contact| contact.from);
    contacts
}

/// The discharges that somebody should still look after: the patient lives, is not back, and it
/// is not too long ago. The latest first.
pub(super) fn to_follow_up<'c, 'a>(
    scene: &Scene<'_>,
    contacts: &'c [Contact<'a>],
    calendar: &mut Calendar,
) -> Vec<(&'c Contact<'a>, Discharge)> {
    let days = scene.person.policy.findings().transition_look_back_days;
    // Who is back in hospital, or was only moved, is not to be seen at home.
    let mut last_begin: Option<Date> = None;
    let mut found = Vec::new();
    for stay in contacts.iter().filter(|c| c.kind == EncounterKind::Inpatient).rev() {
        let until = stay.discharge.map(|discharge| discharge.on);
        let back = last_begin.is_some_and(|begin| until.is_none_or(|until| begin >= until));
        last_begin = last_begin.max(Some(stay.from));
        let Some(discharge) = stay.discharge.filter(|d| !back && !d.died) else { continue };
        let is_due = calendar.has_come(discharge.on);
        if is_due && !is_dead(scene) && !calendar.is_past(days_after(discharge.on, days)) {
            found.push((stay, discharge));
        }
    }
    found
}

fn is_dead(scene: &Scene<'_>) -> bool {
    let patients = scene.groups_of("Patient");
    let mut demographics = patients
        .iter()
        .flat_map(|group| scene.facts_of(group))
        .filter_map(|facts| facts.demographics.as_deref());
    demographics.any(|d| d.deceased)
}
