//! Disagreements between sources: other values, retractions, related things that do not fit.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use crate::fhir::ResourceType;
use crate::flow::{Choice, DerivedId, ViewRow};

use super::super::claim::ClaimState;
use super::super::merge::stem;
use super::super::person::{Group, Person};
use super::super::words::{in_words, shortened, subject_matter};
use super::scene::Scene;
use super::{Conflict, Severity};

/// Chosen values that others contradict, where the policy says that it matters.
pub(super) fn disagreements(
    scene: &Scene<'_>,
    tables: &BTreeMap<ResourceType, Vec<ViewRow>>,
) -> Vec<Conflict> {
    let person = scene.person;
    let by_id: HashMap<DerivedId, usize> =
        person.claims.iter().enumerate().map(|(i, c)| (c.id, i)).collect();
    let mut found = Vec::new();
    for (resource_type, rows) in tables {
        for row in rows.iter().filter(|r| !r.choices.is_empty()) {
            for choice in &row.choices {
                let (_, element) = choice.element.split_once('.').unwrap_or_default();
                let matters = row.made_by_us
                    || person.policy.is_conflict(resource_type.name(), stem(element));
                if matters {
                    found.extend(disagreement(scene, *resource_type, row, choice, &by_id));
                }
            }
        }
    }
    found
}

fn disagreement(
    scene: &Scene<'_>,
    resource_type: ResourceType,
    row: &ViewRow,
    choice: &Choice,
    by_id: &HashMap<DerivedId, usize>,
) -> Option<Conflict> {
    let (_, element) = choice.element.split_once('.').unwrap_or_default();
    let body: Map<String, Value> = serde_json::from_slice(&row.body).unwrap_or_default();
    let claim_of = |id: &DerivedId| by_id.get(id).copied();
    let who = |id: &DerivedId| {
        claim_of(id).map_or_else(|| "another source".to_owned(), |i| scene.speaker_and_day(i))
    };
    let shown = match row.made_by_us {
        true => String::new(),
        false => body.get(element).map(in_words).unwrap_or_default(),
    };
    // Values that read the same (another display, a later date of the same status) are chosen
    // among, and nobody needs to hear of it.
    let others: Vec<(&DerivedId, String)> = choice
        .others
        .iter()
        .map(|(id, json)| (id, stated(json, element)))
        .filter(|(_, words)| *words != shown)
        .collect();
    if others.is_empty() {
        return None;
    }
    let both_ended = matches!(element, "status" | "lifecycleStatus")
        && row.members.iter().any(|m| matches!(&*m.rule, "identifier" | "same-record"))
        && is_terminal(&shown)
        && others.iter().any(|(_, words)| is_terminal(words));
    let (rule, title) = match both_ended {
        true => ("C11", "two sources ended the same thing differently"),
        false => ("value-disagreement", "the sources disagree on a value"),
    };
    let says: Vec<String> =
        others.iter().map(|(id, words)| format!("{} says {}", who(id), shortened(words))).collect();
    let from = std::iter::once(&choice.from).chain(others.iter().map(|(id, _)| *id));
    let speakers: Vec<usize> = from.filter_map(claim_of).collect();
    let shown = if shown.is_empty() { "something else".to_owned() } else { shortened(&shown) };
    let about = subject_matter(&body).map(|a| format!("{resource_type} \"{a}\", {element}"));
    let since = speakers.iter().filter_map(|&claim| scene.said_on(claim)).max();
    Some(Conflict {
        rule,
        aspect: choice.element.to_string(),
        severity: Severity::Moderate,
        about: vec![row.id],
        implicated: vec![(resource_type, row.id)],
        // The woven plan's activities are chosen by rule alone.
        sides: if row.made_by_us { Vec::new() } else { speakers.clone() },
        speakers,
        stage: None,
        since,
        title,
        detail: format!(
            "{}: {} says {shown}, which is shown (rule {}); {}. Confirm the right value with the \
             sources and have the others corrected.",
            about.unwrap_or_else(|| choice.element.to_string()),
            who(&choice.from),
            choice.rule,
            says.join("; "),
        ),
    })
}

const TERMINAL: [&str; 8] = [
    "completed",
    "revoked",
    "cancelled",
    "rejected",
    "failed",
    "stopped",
    "finished",
    "entered-in-error",
];

/// C12: one source has withdrawn what another still states.
pub(super) fn retractions(scene: &Scene<'_>) -> Vec<Conflict> {
    scene.person.groups.iter().filter_map(|group| retraction(scene, group)).collect()
}

fn retraction(scene: &Scene<'_>, group: &Group) -> Option<Conflict> {
    let person = scene.person;
    let retracted: Vec<usize> = group
        .withdrawn
        .iter()
        .map(|(i, _)| *i)
        .filter(|&i| {
            let state = person.claims[i].state;
            matches!(state, ClaimState::EnteredInError | ClaimState::Deleted)
        })
        .filter(|&i| !only_transmitted(person, group, i))
        .collect();
    let first = *retracted.first()?;
    let mut speakers: Vec<&str> = group.members.iter().map(|(i, _)| scene.speaker(*i)).collect();
    speakers.dedup();
    let (speakers, verb) =
        (speakers.join(", "), if speakers.len() == 1 { "states" } else { "state" });
    let body: Map<String, Value> =
        serde_json::from_slice(person.claims[group.first()].body).unwrap_or_default();
    let about = subject_matter(&body).map_or_else(
        || group.resource_type.to_string(),
        |a| format!("{} \"{a}\"", group.resource_type),
    );
    let shown = &person.claims[group.shown];
    let word = match person.claims[first].state {
        ClaimState::EnteredInError => "says that it was entered in error",
        ClaimState::Deleted | ClaimState::Absent | ClaimState::Live => "has deleted it",
    };
    let everyone = retracted.iter().copied().chain(group.members.iter().map(|(i, _)| *i));
    Some(Conflict {
        rule: "C12",
        aspect: String::new(),
        severity: Severity::High,
        about: vec![shown.id],
        implicated: vec![(group.resource_type, shown.id)],
        speakers: everyone.collect(),
        sides: Vec::new(),
        stage: None,
        since: scene.said_on(first),
        title: "retracted by one source, still stated by another",
        detail: format!(
            "{about}: {} {word}; {speakers} still {verb} it. Ask {speakers} whether the record \
             holds, and have it retracted there if not.",
            scene.speaker_and_day(first),
        ),
    })
}

/// Whether all live members have it from the retracting source.
fn only_transmitted(person: &Person<'_>, group: &Group, retracted: usize) -> bool {
    let address = person.url(person.claims[retracted].key());
    address.is_some()
        && group
            .members
            .iter()
            .all(|(i, _)| person.claims[*i].origin.as_deref() == address.as_deref())
}

/// Pairs that comparison found related and contradictory, once per pair of groups.
pub(super) fn related(scene: &Scene<'_>) -> Vec<Conflict> {
    let person = scene.person;
    let mut found = BTreeMap::new();
    for pair in &person.related {
        let (Some(a), Some(b)) = (person.group_of[pair.a], person.group_of[pair.b]) else {
            continue;
        };
        if a != b {
            found.entry((pair.rule, a.min(b), a.max(b))).or_insert((pair.a, pair.b));
        }
    }
    found
        .into_iter()
        .map(|((rule, a, b), (x, y))| {
            let implicated = [a, b].map(|g| scene.shown_as(&person.groups[g]));
            let (title, advice) = words(rule);
            let (of_x, of_y) = (scene.speaker_and_day(x), scene.speaker_and_day(y));
            Conflict {
                rule,
                aspect: String::new(),
                severity: Severity::Moderate,
                about: implicated.iter().map(|(_, id)| *id).collect(),
                implicated: implicated.to_vec(),
                speakers: vec![x, y],
                sides: Vec::new(),
                stage: None,
                since: scene.said_on(x).max(scene.said_on(y)),
                title,
                detail: format!("{of_x} and {of_y} differ. {advice}"),
            }
        })
        .collect()
}

fn words(rule: &str) -> (&'static str, &'static str) {
    match rule {
        "goal-target-differs" => (
            "the same goal with different targets",
            "Agree on one target and due date with the patient and the care team.",
        ),
        "dose-differs" => (
            "the same drug prescribed in different doses",
            "Find out which dose the patient takes and stop the other.",
        ),
        "given-or-not" => (
            "one source says done, the other not done",
            "Ask the source that gave it, and have the other corrected.",
        ),
        _ => ("sources differ", "Clear it up with the sources."),
    }
}

/// What a source states for an element, in words; elements of a group are stated together.
fn stated(json: &str, element: &str) -> String {
    let Ok(value) = serde_json::from_str::<Value>(json) else { return json.to_owned() };
    in_words(value.get(element).unwrap_or(&value))
}

fn is_terminal(words: &str) -> bool {
    TERMINAL.contains(&words.trim_matches('"'))
}
