//! Conflicts: disagreements that are kept and shown, as DetectedIssue resources. They come and
//! go with the data and the day, and each says what to do.
//! <https://hl7.org/fhir/R4/detectedissue.html>

mod disagreement;
mod state;

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::civil::Date;
use serde_json::{Map, Value, json};

use crate::fhir::{ResourceType, canonical_bytes};
use crate::flow::{DerivedId, Hash, ViewRow};

use super::RULE_SYSTEM;
use super::merge::TAG_SYSTEM;
use super::person::Person;
use super::resolve::shown_reference;

/// Something that does not agree.
struct Conflict {
    /// The rule: `C1` … of the state machines, or a name.
    rule: &'static str,
    /// What tells two conflicts of one rule about one resource apart; mostly empty.
    aspect: String,
    severity: Severity,
    /// The ids it is about: its own id is derived from them.
    about: Vec<DerivedId>,
    /// The view resources concerned, in an order that does not depend on ids.
    implicated: Vec<String>,
    /// Addresses of the source records that speak.
    evidence: Vec<String>,
    /// In a few words.
    title: &'static str,
    /// What is wrong, and what to do.
    detail: String,
}

#[derive(Clone, Copy)]
enum Severity {
    High,
    Moderate,
    Low,
}

/// The days on which rules flip: the next one after today counts.
struct Calendar {
    as_of: Date,
    next: Option<Date>,
}

impl Calendar {
    /// Whether a day is past; if it is not, the day after it is a day of change.
    fn is_past(&mut self, day: Date) -> bool {
        if day < self.as_of {
            return true;
        }
        if let Ok(flips) = day.tomorrow() {
            self.next = Some(self.next.map_or(flips, |known| known.min(flips)));
        }
        false
    }
}

/// Finds all conflicts, puts them among the rows, and returns the next day on which one may
/// come or go by itself.
pub(super) fn add_conflicts(
    person: &Person<'_>,
    tables: &mut BTreeMap<ResourceType, Vec<ViewRow>>,
    as_of: Date,
) -> Option<Date> {
    let mut calendar = Calendar { as_of, next: None };
    let mut all = disagreement::disagreements(person, tables);
    all.extend(disagreement::retractions(person));
    all.extend(disagreement::related(person));
    all.extend(state::contradictions(tables, &mut calendar));
    let subject = person.patient_group().map(|g| shown_reference(person, g));
    let mut rows: Vec<ViewRow> =
        all.into_iter().map(|conflict| row(person, conflict, subject.as_deref())).collect();
    rows.sort_by_key(|r| r.id);
    rows.dedup_by_key(|r| r.id);
    if !rows.is_empty() {
        tables.insert(ResourceType::of("DetectedIssue"), rows);
    }
    calendar.next
}

fn row(person: &Person<'_>, mut conflict: Conflict, subject: Option<&str>) -> ViewRow {
    conflict.about.sort_unstable();
    conflict.evidence.sort();
    conflict.evidence.dedup();
    let name = match conflict.aspect.as_str() {
        "" => conflict.rule.to_owned(),
        aspect => format!("{}/{aspect}", conflict.rule),
    };
    let id = person.ids.finding(&name, &conflict.about);
    let bytes = canonical_bytes(body(id, conflict, subject));
    let hash = Hash::of(&bytes);
    ViewRow {
        id,
        hash,
        input: hash,
        body: Bytes::from(bytes),
        values: Vec::new(),
        members: Vec::new(),
        aliases: Vec::new(),
        choices: Vec::new(),
        made_by_us: true,
    }
}

fn body(id: DerivedId, conflict: Conflict, subject: Option<&str>) -> Value {
    let severity = match conflict.severity {
        Severity::High => "high",
        Severity::Moderate => "moderate",
        Severity::Low => "low",
    };
    let references = |all: &[String]| -> Vec<Value> {
        all.iter().map(|reference| json!({"reference": reference})).collect()
    };
    let mut issue = Map::new();
    let mut set = |name: &str, value: Value| issue.insert(name.to_owned(), value);
    set("resourceType", json!("DetectedIssue"));
    set("id", json!(id.to_string()));
    set(
        "meta",
        json!({
            "source": "urn:careweave:conflicts",
            "tag": [{"system": TAG_SYSTEM, "code": "conflict"}],
        }),
    );
    set("status", json!("final"));
    set(
        "code",
        json!({
            "coding": [{
                "system": RULE_SYSTEM,
                "code": conflict.rule,
                "display": conflict.title,
            }],
            "text": conflict.title,
        }),
    );
    set("severity", json!(severity));
    if let Some(subject) = subject {
        set("patient", json!({"reference": subject}));
    }
    set("implicated", Value::Array(references(&conflict.implicated)));
    if !conflict.evidence.is_empty() {
        set("evidence", json!([{"detail": references(&conflict.evidence)}]));
    }
    set("detail", json!(conflict.detail));
    Value::Object(issue)
}
