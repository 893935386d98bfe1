//! How the goals of a panel stand, as CSV and as a FHIR MeasureReport.
//! <https://hl7.org/fhir/R4/measurereport.html>

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::goal_counts::{GOAL_STATUSES, GoalCounts};

/// The measure that a panel's MeasureReport is of.
pub const PANEL_MEASURE: &str = "urn:careweave:measure:panel-goals";

const POPULATION: &str = "http://terminology.hl7.org/CodeSystem/measure-population";
const GOAL_STATUS: &str = "http://hl7.org/fhir/goal-status";
const ACHIEVEMENT: &str = "http://terminology.hl7.org/CodeSystem/goal-achievement";

/// One line: a person of the panel, or a member that is none.
#[derive(Clone, Debug)]
pub struct PanelRow<'a> {
    /// `Patient/id`; empty for a member that names no one person.
    pub person: String,
    /// The members as the panel states them.
    pub members: Vec<String>,
    /// The person's goals.
    pub counts: Option<&'a GoalCounts>,
    /// Why a member names no one person.
    pub unmatched: &'a str,
}

/// Columns: who, the goals by status, what is due, why a member was not found.
pub fn panel_csv<'a>(rows: impl Iterator<Item = PanelRow<'a>>) -> Vec<u8> {
    let mut table = csv::Writer::from_writer(Vec::new());
    let before = ["person", "member", "goals"];
    let after = ["overdue", "achieved", "changed", "unmatched"];
    let header = before.into_iter().chain(GOAL_STATUSES).chain(after);
    // Writing to memory does not fail.
    let _ = table.write_record(header);
    for row in rows {
        let mut line = vec![row.person, row.members.join(" ")];
        let number = |n: Option<u64>| n.map(|n| n.to_string()).unwrap_or_default();
        let counts = row.counts;
        line.push(number(counts.map(|c| c.goals)));
        line.extend(GOAL_STATUSES.map(|status| {
            number(counts.map(|c| c.by_status.get(status).copied().unwrap_or_default()))
        }));
        let achieved = |c: &GoalCounts| c.by_achievement.get("achieved").copied();
        line.push(number(counts.map(|c| c.overdue)));
        line.push(number(counts.map(|c| achieved(c).unwrap_or_default())));
        line.push(number(counts.and_then(|c| c.changed)));
        line.push(row.unmatched.to_owned());
        let _ = table.write_record(line);
    }
    table.into_inner().unwrap_or_default()
}

/// What a MeasureReport is of.
#[derive(Clone, Debug)]
pub struct Reported<'a> {
    /// `Group/id`.
    pub subject: &'a str,
    /// When it is made.
    pub date: &'a str,
    /// From when changes are counted; the day itself without.
    pub start: &'a str,
    /// The day on which it holds.
    pub end: &'a str,
    /// Persons of the panel.
    pub persons: u64,
    /// Members that name no one person.
    pub unmatched: u64,
    /// All their goals.
    pub counts: &'a GoalCounts,
}

/// The MeasureReport of a whole panel.
pub fn measure_report(of: &Reported<'_>) -> Value {
    let group = |code: &str, text: &str, count: u64| {
        json!({
            "code": { "coding": [{ "system": PANEL_MEASURE, "code": code }], "text": text },
            "population": population(count),
        })
    };
    let mut goals = group("goals", "goals", of.counts.goals);
    let strata = [
        ("lifecycle status", GOAL_STATUS, &of.counts.by_status),
        ("achievement", ACHIEVEMENT, &of.counts.by_achievement),
    ];
    let strata: Vec<Value> = strata
        .into_iter()
        .filter(|(_, _, counts)| !counts.is_empty())
        .map(|(name, system, counts)| stratifier(name, system, counts))
        .collect();
    if !strata.is_empty() {
        goals["stratifier"] = strata.into();
    }
    let mut groups = vec![
        group("persons", "persons of the panel", of.persons),
        group("unmatched", "members that name no one person of the view", of.unmatched),
        goals,
        group("overdue", "goals whose last due day is past", of.counts.overdue),
    ];
    groups.extend(of.counts.changed.map(|n| group("changed", "goals changed in the period", n)));
    json!({
        "resourceType": "MeasureReport",
        "status": "complete",
        "type": "summary",
        "measure": PANEL_MEASURE,
        "subject": { "reference": of.subject },
        "date": of.date,
        "period": { "start": of.start, "end": of.end },
        "group": groups,
    })
}

fn population(count: u64) -> Value {
    json!([{
        "code": { "coding": [{ "system": POPULATION, "code": "initial-population" }] },
        "count": count,
    }])
}

fn stratifier(name: &str, system: &str, counts: &BTreeMap<Box<str>, u64>) -> Value {
    let stratum = counts.iter().map(|(code, count)| {
        json!({
            "value": { "coding": [{ "system": system, "code": code }] },
            "population": population(*count),
        })
    });
    json!({ "code": [{ "text": name }], "stratum": stratum.collect::<Vec<_>>() })
}
