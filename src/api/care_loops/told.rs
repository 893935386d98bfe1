//! The loops of one person, and how they are told.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::fhir::ResourceType;
use crate::flow::{DerivedId, Owner};
use crate::reconcile::{Loop, RULE_SYSTEM, referral_loops};

use super::super::error::ApiError;
use super::super::reader::{Reader, RowRef};

/// What is known of one person's referrals.
pub(super) struct Known {
    pub(super) loops: Vec<Loop>,
    patient: String,
    resources: BTreeMap<String, (RowRef, Value)>,
    issues: Vec<Value>,
}

/// Reads a person's orders, tasks and findings.
pub(super) fn known(reader: &mut Reader<'_>, owner: Owner) -> Result<Known, ApiError> {
    let mut resources = BTreeMap::new();
    let mut read = |name: &'static str| -> Result<Vec<Value>, ApiError> {
        let mut rows = reader.rows(owner, ResourceType::of(name))?;
        // What we propose is nobody's referral.
        rows.retain(|row| name == "DetectedIssue" || !row.row().made_by_us);
        let bodies = reader.bodies(&rows)?;
        let mut all = Vec::with_capacity(rows.len());
        for (row, body) in rows.into_iter().zip(bodies) {
            let parsed = body.and_then(|body| serde_json::from_slice::<Value>(&body).ok());
            let Some(parsed) = parsed else { continue };
            resources.insert(row.reference(), (row, parsed.clone()));
            all.push(parsed);
        }
        Ok(all)
    };
    let (requests, tasks) = (read("ServiceRequest")?, read("Task")?);
    let issues = read("DetectedIssue")?;
    let loops = referral_loops(&requests, &tasks, reader.gateway.policy());
    Ok(Known { loops, patient: format!("Patient/{}", owner.id()), resources, issues })
}

impl Known {
    /// The id of a resource.
    pub(super) fn id_of(&self, reference: &str) -> Option<DerivedId> {
        self.resources.get(reference).map(|(row, _)| row.row().id)
    }

    /// The loop that a finding is about.
    pub(super) fn of_issue(&self, issue: DerivedId) -> Option<&Loop> {
        let (_, issue) = self.resources.get(&format!("DetectedIssue/{issue}"))?;
        let request = issue.pointer("/implicated/0/reference")?.as_str()?;
        self.loops.iter().find(|found| found.request == request)
    }

    /// A loop as JSON; what it tells of is noted as disclosed.
    pub(super) fn told(&self, reader: &mut Reader<'_>, found: &Loop) -> Value {
        let named = std::iter::once(&found.request).chain(&found.tasks).chain(&found.passed_on);
        let rows = named.filter_map(|reference| self.resources.get(reference));
        let rows: Vec<RowRef> = rows.map(|(row, _)| row.clone()).collect();
        reader.note_disclosed(&rows);
        let late = found.due.is_some_and(|due| due < reader.gateway.today());
        let mut told = Map::new();
        let mut set = |name: &str, value: Value| {
            let empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
            if !empty {
                told.insert(name.to_owned(), value);
            }
        };
        set("patient", json!({"reference": self.patient}));
        set("request", self.request(&found.request));
        set("status", json!(if found.stage.is_open() { "open" } else { "closed" }));
        set("stage", json!(found.stage.code()));
        set("stageText", json!(found.stage.text()));
        set("since", day(found.since));
        set("due", day(found.due));
        set("late", json!(late));
        if !found.stage.advice().is_empty() {
            set("advice", json!(found.stage.advice()));
        }
        set("toldBy", reference(found.told_by.as_deref()));
        set("tasks", found.tasks.iter().map(|task| self.task(task)).collect());
        set("within", reference(found.within.as_deref()));
        set("passedOn", found.passed_on.iter().map(|leg| self.leg(leg)).collect());
        set("findings", self.findings(found));
        Value::Object(told)
    }

    fn request(&self, reference: &str) -> Value {
        let body = self.body(reference);
        stated(json!({
            "reference": reference,
            "service": concept(body.get("code")),
            "orderStatus": body.get("status"),
            "authoredOn": body.get("authoredOn"),
            "requester": body.get("requester"),
            "performer": body.get("performer"),
        }))
    }

    fn task(&self, reference: &str) -> Value {
        let body = self.body(reference);
        stated(json!({
            "reference": reference,
            "taskStatus": body.get("status"),
            "reason": concept(body.get("statusReason")),
            "owner": body.get("owner"),
            "lastModified": body.get("lastModified"),
            "hasOutcome": body.get("output").is_some(),
        }))
    }

    fn leg(&self, reference: &str) -> Value {
        let leg = self.loops.iter().find(|found| found.request == reference);
        stated(json!({
            "reference": reference,
            "service": concept(self.body(reference).get("code")),
            "stage": leg.map(|leg| leg.stage.code()),
            "since": leg.and_then(|leg| leg.since).map(|day| day.to_string()),
        }))
    }

    /// The conflicts and findings about the order and its tasks.
    fn findings(&self, found: &Loop) -> Value {
        let concerns = |issue: &&Value| {
            let implicated = issue.get("implicated").and_then(Value::as_array);
            implicated.into_iter().flatten().any(|to| {
                let to = to.get("reference").and_then(Value::as_str).unwrap_or_default();
                to == found.request || found.tasks.iter().any(|task| task == to)
            })
        };
        let of_rule = |issue: &Value| {
            let codings = issue.pointer("/code/coding")?.as_array()?;
            let ours = codings.iter().find(|coding| coding["system"] == RULE_SYSTEM)?;
            Some(json!({
                "reference": format!("DetectedIssue/{}", issue["id"].as_str()?),
                "rule": ours.get("code"),
                "severity": issue.get("severity"),
                "text": issue.get("detail"),
            }))
        };
        self.issues.iter().filter(concerns).filter_map(of_rule).collect()
    }

    fn body(&self, reference: &str) -> &Value {
        self.resources.get(reference).map_or(&Value::Null, |(_, body)| body)
    }
}

/// Without the members that nobody states.
fn stated(mut object: Value) -> Value {
    if let Some(members) = object.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    object
}

fn day(day: Option<jiff::civil::Date>) -> Value {
    day.map_or(Value::Null, |day| Value::String(day.to_string()))
}

fn reference(reference: Option<&str>) -> Value {
    reference.map_or(Value::Null, |reference| json!({"reference": reference}))
}

/// What a concept is called.
fn concept(concept: Option<&Value>) -> Option<&str> {
    let concept = concept?;
    let coding = |name: &str| {
        let codings = concept.get("coding").and_then(Value::as_array)?;
        codings.iter().find_map(|coding| coding.get(name)?.as_str())
    };
    let text = concept.get("text").and_then(Value::as_str);
    text.or_else(|| coding("display")).or_else(|| coding("code"))
}
