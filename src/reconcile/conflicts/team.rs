//! Several care managers at once: nobody, or everybody, has the lead.
//! <https://hl7.org/fhir/R4/careteam.html>

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::narrative;
use super::super::plan::Shown;
use super::calendar::{Calendar, last_day};
use super::scene::{Scene, at, list, reference, status};
use super::{Conflict, Severity};

/// One who manages care, and where that is said.
struct Manager<'a> {
    references: BTreeSet<&'a str>,
    names: BTreeSet<String>,
    said_in: Vec<&'a Shown>,
}

/// Told when teams and episodes at work name more than one care manager.
pub(super) fn care_managers(scene: &Scene<'_>, calendar: &mut Calendar) -> Option<Conflict> {
    let mut managers: Vec<Manager<'_>> = Vec::new();
    for (member, said_in) in named(scene, calendar) {
        note(&mut managers, member, said_in);
    }
    if managers.len() < 2 {
        return None;
    }
    let names: Vec<String> = managers.iter().map(|manager| name(scene, manager)).collect();
    let mut about: Vec<&Shown> = Vec::new();
    for shown in managers.iter().flat_map(|m| &m.said_in) {
        if about.iter().all(|known| known.id != shown.id) {
            about.push(shown);
        }
    }
    let detail = format!(
        "{} care managers are at work at once: {}. Agree on who has the lead, and have the other \
         teams say so.",
        names.len(),
        names.join("; ")
    );
    let title = "several care managers at once";
    Some(Conflict::of("several-care-managers", Severity::Moderate, &about, title, detail))
}

/// The members that teams and episodes at work name as care managers.
fn named<'a>(scene: &Scene<'a>, calendar: &mut Calendar) -> Vec<(&'a Value, &'a Shown)> {
    let mut found = Vec::new();
    for team in scene.material.teams.iter().filter(|team| status(team) == "active") {
        let leads: Vec<&Value> =
            list(team, "participant").filter(|p| is_care_manager(scene, p)).collect();
        if leads.is_empty() || has_ended(&team.body, calendar) {
            continue;
        }
        let at_work = leads.into_iter().filter(|lead| !has_ended(lead, calendar));
        found.extend(at_work.filter_map(|lead| Some((lead.get("member")?, team))));
    }
    for episode in scene.material.episodes.iter().filter(|e| status(e) == "active") {
        let Some(manager) = episode.body.get("careManager") else { continue };
        if !has_ended(&episode.body, calendar) {
            found.push((manager, episode));
        }
    }
    found
}

/// One reference or one name is one manager: teams refer to the person here, and to a role of
/// theirs there.
fn note<'a>(managers: &mut Vec<Manager<'a>>, member: &'a Value, said_in: &'a Shown) {
    let display = member.get("display").and_then(Value::as_str).map(str::trim);
    let display = display.filter(|name| !name.is_empty()).map(str::to_owned);
    let referred = reference(member);
    if display.is_none() && referred.is_none() {
        return;
    }
    let known = managers.iter_mut().find(|manager| {
        referred.is_some_and(|r| manager.references.contains(r))
            || display.as_ref().is_some_and(|name| manager.names.contains(name))
    });
    match known {
        Some(manager) => {
            manager.references.extend(referred);
            manager.names.extend(display);
            manager.said_in.push(said_in);
        }
        None => managers.push(Manager {
            references: referred.into_iter().collect(),
            names: display.into_iter().collect(),
            said_in: vec![said_in],
        }),
    }
}

/// What a manager is called; one without a name by who says so.
fn name(scene: &Scene<'_>, manager: &Manager<'_>) -> String {
    if let Some(name) = manager.names.first() {
        return name.clone();
    }
    let group = manager.said_in.first().and_then(|shown| scene.group(shown.id));
    let speaker = group.map_or("a source", |group| scene.speaker(group.first()));
    format!("the one of {speaker}")
}

fn has_ended(holder: &Value, calendar: &mut Calendar) -> bool {
    let end = at(holder, &["period", "end"]).and_then(last_day);
    end.is_some_and(|end| calendar.is_past(end))
}

fn is_care_manager(scene: &Scene<'_>, participant: &Value) -> bool {
    let roles = participant.get("role").and_then(Value::as_array).into_iter().flatten();
    roles.into_iter().any(|role| {
        let codings = role.get("coding").and_then(Value::as_array).into_iter().flatten();
        let codes = codings.filter_map(|c| {
            let text = |name: &str| c.get(name).and_then(Value::as_str);
            Some(format!("{}|{}", text("system")?, text("code")?))
        });
        let name = narrative::concept(Some(role)).unwrap_or_default();
        scene.person.policy.findings().is_care_manager(codes, &name)
    })
}
