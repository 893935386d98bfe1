//! A conflict or finding as a DetectedIssue, with what a steward decided about it.
//! <https://hl7.org/fhir/R4/detectedissue.html>

use std::collections::BTreeSet;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::fhir::canonical_bytes;
use crate::flow::{DerivedId, Dispute, Hash, Override, Resolution, ViewRow};

use super::super::loops::STAGE_SYSTEM;
use super::super::merge::TAG_SYSTEM;
use super::super::overrides::basis;
use super::super::{FINDING_RULES, RESOLVED, RULE_SYSTEM};
use super::scene::{Scene, literal};
use super::{Conflict, Severity};

/// The row of a conflict, and what can be decided about it.
pub(super) fn issue(
    scene: &Scene<'_>,
    mut conflict: Conflict,
    subject: Option<&str>,
) -> (ViewRow, Dispute) {
    let person = scene.person;
    conflict.about.sort_unstable();
    let (name, matter) = match conflict.aspect.as_str() {
        "" => (conflict.rule.to_owned(), conflict.rule),
        aspect => (format!("{}/{aspect}", conflict.rule), aspect),
    };
    let id = person.ids.finding(&name, &conflict.about);
    let stating = conflict.implicated.iter().filter_map(|(_, id)| scene.group(*id));
    let everyone: BTreeSet<usize> =
        stating.flat_map(|group| group.all()).chain(conflict.speakers.iter().copied()).collect();
    let basis = basis(person, everyone.into_iter());
    let decided = match person.overrides.standing(matter, &basis) {
        Some(standing) => Decided::Standing(standing),
        None => person
            .overrides
            .expired(matter, &things(scene, &conflict))
            .map_or(Decided::Not, Decided::Expired),
    };
    let matter = matter.into();
    let mut sides: Vec<DerivedId> =
        conflict.sides.iter().map(|&claim| person.claims[claim].id).collect();
    sides.sort_unstable();
    let bytes = canonical_bytes(body(scene, id, &conflict, &decided, subject));
    let hash = Hash::of(&bytes);
    let row = ViewRow {
        id,
        hash,
        input: hash,
        body: Bytes::from(bytes),
        values: Vec::new(),
        members: Vec::new(),
        aliases: Vec::new(),
        choices: Vec::new(),
        made_by_us: true,
    };
    (row, Dispute { issue: id, matter, basis, sides })
}

enum Decided<'a> {
    Not,
    Standing(&'a Override),
    Expired(&'a Override),
}

/// The things that a conflict is about, each as the records that state it.
fn things(scene: &Scene<'_>, conflict: &Conflict) -> Vec<BTreeSet<DerivedId>> {
    let record = |claim: usize| scene.person.claims[claim].id;
    let of_groups = conflict.about.iter().filter_map(|id| scene.group(*id));
    let things: Vec<_> = of_groups.map(|group| group.all().map(record).collect()).collect();
    match things.is_empty() {
        true => vec![conflict.speakers.iter().map(|&claim| record(claim)).collect()],
        false => things,
    }
}

fn body(
    scene: &Scene<'_>,
    id: DerivedId,
    conflict: &Conflict,
    decided: &Decided<'_>,
    subject: Option<&str>,
) -> Value {
    let severity = match conflict.severity {
        Severity::High => "high",
        Severity::Moderate => "moderate",
        Severity::Low => "low",
    };
    let is_finding = FINDING_RULES.contains(&conflict.rule);
    let mut tags = vec![if is_finding { "finding" } else { "conflict" }];
    tags.extend(matches!(decided, Decided::Standing(_)).then_some(RESOLVED));
    let tags = tags.into_iter().map(|tag| json!({"system": TAG_SYSTEM, "code": tag}));
    let mut issue = Map::new();
    let mut set = |name: &str, value: Value| issue.insert(name.to_owned(), value);
    set("resourceType", json!("DetectedIssue"));
    set("id", json!(id.to_string()));
    set("meta", json!({"source": "urn:careweave:conflicts", "tag": tags.collect::<Vec<_>>()}));
    set("status", json!("final"));
    let coding = json!({
        "system": RULE_SYSTEM,
        "code": conflict.rule,
        "display": conflict.title,
    });
    let stage = conflict.stage.map(
        |stage| json!({"system": STAGE_SYSTEM, "code": stage.code(), "display": stage.text()}),
    );
    let codings: Vec<Value> = std::iter::once(coding).chain(stage).collect();
    set("code", json!({"coding": codings, "text": conflict.title}));
    set("severity", json!(severity));
    if let Some(subject) = subject {
        set("patient", json!({"reference": subject}));
    }
    if let Some(since) = conflict.since {
        set("identifiedDateTime", json!(since.to_string()));
    }
    set("implicated", references(conflict.implicated.iter().copied().map(literal)));
    let evidence = evidence(scene, conflict);
    if !evidence.is_empty() {
        set("evidence", json!([{"detail": references(evidence.into_iter())}]));
    }
    let expired = match decided {
        Decided::Expired(past) => format!(" {}", expiry(scene, past)),
        Decided::Not | Decided::Standing(_) => String::new(),
    };
    set("detail", json!(format!("{}{expired}", conflict.detail)));
    if let Decided::Standing(standing) = decided {
        set("mitigation", json!([mitigation(scene, standing)]));
    }
    Value::Object(issue)
}

fn references(all: impl Iterator<Item = String>) -> Value {
    Value::Array(all.map(|reference| json!({"reference": reference})).collect())
}

/// Addresses of the source records that speak, sorted.
fn evidence(scene: &Scene<'_>, conflict: &Conflict) -> BTreeSet<String> {
    let url = |claim: usize| scene.person.url(scene.person.claims[claim].key());
    if !conflict.speakers.is_empty() {
        return conflict.speakers.iter().filter_map(|&claim| url(claim)).collect();
    }
    let stating = conflict.implicated.iter().filter_map(|(_, id)| scene.group(*id));
    stating.flat_map(|group| &group.members).filter_map(|(claim, _)| url(*claim)).collect()
}

/// What a steward decided, as what was done about it.
fn mitigation(scene: &Scene<'_>, decided: &Override) -> Value {
    let (code, what) = match decided.resolution {
        Resolution::Accept => ("accept", "accepted as it is".to_owned()),
        Resolution::Prefer(record) => {
            let mut claims = scene.person.claims.iter();
            let key = claims.find(|claim| claim.id == record).map(|claim| claim.key().to_string());
            ("prefer", format!("the value of {} is shown", key.unwrap_or_default()))
        }
    };
    let text = match decided.note.trim() {
        "" => what,
        note => format!("{what}: {note}"),
    };
    json!({
        "action": {"coding": [{"system": RULE_SYSTEM, "code": code}], "text": text},
        "date": decided.at.to_string(),
        "author": {"display": decided.by},
    })
}

/// That an override has expired, and because of whom.
fn expiry(scene: &Scene<'_>, past: &Override) -> String {
    let claims = &scene.person.claims;
    let changed = past.basis.iter().filter_map(|was| {
        let claim = claims.iter().position(|claim| claim.id == was.record)?;
        let current = claims[claim].header.current();
        ((current.hash, current.state) != (was.hash, was.state)).then(|| scene.speaker(claim))
    });
    let changed: BTreeSet<&str> = changed.collect();
    let because = match changed.is_empty() {
        true => "the records it was decided on are no longer the same ones".to_owned(),
        false => {
            let changed: Vec<&str> = changed.into_iter().collect();
            format!("{} changed a record since", changed.join(", "))
        }
    };
    let day = past.at.to_zoned(jiff::tz::TimeZone::UTC).date();
    format!("An earlier override, by {} on {day}, has expired: {because}.", past.by)
}
