//! Disagreements between sources: other values, retractions, related things that do not fit.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use crate::fhir::ResourceType;
use crate::flow::{Choice, DerivedId, ViewRow};

use super::super::claim::ClaimState;
use super::super::merge::stem;
use super::super::person::{Group, Person};
use super::super::resolve::local;
use super::super::words::{in_words, shortened, subject_matter};
use super::{Conflict, Severity};

/// Chosen values that others contradict, where the policy says that it matters.
pub(super) fn disagreements(
    person: &Person<'_>,
    tables: &BTreeMap<ResourceType, Vec<ViewRow>>,
) -> Vec<Conflict> {
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
                    found.extend(disagreement(person, *resource_type, row, choice, &by_id));
                }
            }
        }
    }
    found
}

fn disagreement(
    person: &Person<'_>,
    resource_type: ResourceType,
    row: &ViewRow,
    choice: &Choice,
    by_id: &HashMap<DerivedId, usize>,
) -> Option<Conflict> {
    let (_, element) = choice.element.split_once('.').unwrap_or_default();
    let body: Map<String, Value> = serde_json::from_slice(&row.body).unwrap_or_default();
    let who = |id: &DerivedId| by_id.get(id).map_or("another source", |&i| name(person, i));
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
    let both_ended = element == "status"
        && row.members.iter().any(|m| matches!(&*m.rule, "identifier" | "same-record"))
        && is_terminal(&shown)
        && others.iter().any(|(_, words)| is_terminal(words));
    let (rule, title) = match both_ended {
        true => ("C11", "two sources ended the same thing differently"),
        false => ("value-disagreement", "the sources disagree on a value"),
    };
    let says: Vec<String> =
        others.iter().map(|(id, words)| format!("{} says {}", who(id), shortened(words))).collect();
    let speakers = std::iter::once(&choice.from).chain(others.iter().map(|(id, _)| *id));
    let evidence =
        speakers.filter_map(|id| person.url(person.claims[*by_id.get(id)?].key())).collect();
    let shown = if shown.is_empty() { "something else".to_owned() } else { shortened(&shown) };
    let about = subject_matter(&body).map(|a| format!("{resource_type} \"{a}\", {element}"));
    Some(Conflict {
        rule,
        aspect: choice.element.to_string(),
        severity: Severity::Moderate,
        about: vec![row.id],
        implicated: vec![local(resource_type, row.id)],
        evidence,
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
pub(super) fn retractions(person: &Person<'_>) -> Vec<Conflict> {
    person.groups.iter().filter_map(|group| retraction(person, group)).collect()
}

fn retraction(person: &Person<'_>, group: &Group) -> Option<Conflict> {
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
    let mut speakers: Vec<&str> = group.members.iter().map(|(i, _)| name(person, *i)).collect();
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
        implicated: vec![local(group.resource_type, shown.id)],
        evidence: everyone.filter_map(|i| person.url(person.claims[i].key())).collect(),
        title: "retracted by one source, still stated by another",
        detail: format!(
            "{about}: {} {word}; {speakers} still {verb} it. Ask {speakers} whether the record \
             holds, and have it retracted there if not.",
            name(person, first),
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
pub(super) fn related(person: &Person<'_>) -> Vec<Conflict> {
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
            let shown = |g: usize| {
                let group = &person.groups[g];
                (person.claims[group.shown].id, group.resource_type)
            };
            let ((a, kind), (b, _)) = (shown(a), shown(b));
            let (title, advice) = words(rule);
            Conflict {
                rule,
                aspect: String::new(),
                severity: Severity::Moderate,
                about: vec![a, b],
                implicated: vec![local(kind, a), local(kind, b)],
                evidence: [x, y]
                    .iter()
                    .filter_map(|&i| person.url(person.claims[i].key()))
                    .collect(),
                title,
                detail: format!("{} and {} differ. {advice}", name(person, x), name(person, y)),
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

fn name<'a>(person: &'a Person<'_>, claim: usize) -> &'a str {
    let endpoint = person.claims[claim].endpoint();
    let named = person.endpoints.get(endpoint).map(|e| e.name.as_str());
    named.filter(|n| !n.is_empty()).unwrap_or(endpoint)
}

/// What a source states for an element, in words; elements of a group are stated together.
fn stated(json: &str, element: &str) -> String {
    let Ok(value) = serde_json::from_str::<Value>(json) else { return json.to_owned() };
    in_words(value.get(element).unwrap_or(&value))
}

fn is_terminal(words: &str) -> bool {
    TERMINAL.contains(&words.trim_matches('"'))
}
