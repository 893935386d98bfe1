//! The four steps of care management for one made patient across three organisations: a hospital
//! discharges her, a payer's programme plans, a community food service helps. With a conflict and a
//! missed follow-up on the way.

use std::collections::BTreeSet;
use std::fs;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use super::site::{Gateway, Site};

const ENDPOINTS: &str = r#"
[[endpoint]]
id = "hospital"
name = "Mercy Hospital"
kind = "files"
[[endpoint]]
id = "plan"
name = "Harbor Health Plan"
kind = "files"
[[endpoint]]
id = "shelf"
name = "Harbor Food Shelf"
kind = "client"
"#;
const CLASSES: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
const LOINC: &str = "http://loinc.org";
const GOAL: (&str, &str) = ("http://harbor.example/goals", "F1");

/// So many days from today; findings are woven for the day of the clock.
fn day(days: i64) -> String {
    let today: Date = Timestamp::now().to_zoned(TimeZone::UTC).date();
    today.checked_add(days.days()).unwrap().to_string()
}

fn coded(system: &str, code: &str) -> Value {
    json!({"coding": [{"system": system, "code": code}]})
}

fn food_risk(answer: &str, on: &str) -> Value {
    json!({"resourceType": "Observation", "status": "final", "code": coded(LOINC, "88124-3"),
        "category": [coded("http://terminology.hl7.org/CodeSystem/observation-category", "survey")],
        "effectiveDateTime": on, "valueCodeableConcept": coded(LOINC, answer)})
}

/// What the hospital states: a discharge 20 days ago, with a screening answer, a prescription,
/// and the goal as it stood on that day.
fn of_hospital(goal: &str) -> Vec<Value> {
    let subject = json!({"reference": "Patient/100"});
    let mut answer = food_risk("LA19952-3", &day(-21));
    answer["id"] = json!("risk");
    answer["subject"] = subject.clone();
    vec![
        json!({"resourceType": "Patient", "id": "100", "gender": "female",
            "birthDate": "1948-02-19", "name": [{"family": "Quist", "given": ["Rosa", "M"]}],
            "identifier": [{"system": "http://state.example/medicaid", "value": "ME-4711"}],
            "address": [{"line": ["12 Quay Rd"], "city": "Harbor", "postalCode": "04000"}]}),
        json!({"resourceType": "Encounter", "id": "stay", "status": "finished", "subject": subject,
            "class": {"system": CLASSES, "code": "IMP"},
            "period": {"start": day(-25), "end": day(-20)},
            "hospitalization": {"dischargeDisposition": {"text": "home"}}}),
        answer,
        json!({"resourceType": "MedicationRequest", "id": "m", "status": "active",
            "intent": "order", "subject": subject, "authoredOn": day(-20),
            "medicationCodeableConcept": {"text": "lisinopril 10 mg"}}),
        json!({"resourceType": "Goal", "id": "g", "lifecycleStatus": goal, "subject": subject,
            "description": {"text": "Enough food every day"},
            "identifier": [{"system": GOAL.0, "value": GOAL.1}]}),
    ]
}

/// The payer's care record: what its programme knows and wants. `closed`: the end of the story.
fn of_plan(closed: bool) -> Value {
    let mut record = json!({
        "careRecord": "1.0",
        "person": {"id": "H1", "names": [{"family": "Quist", "given": ["Rosa"]}],
            "birthDate": "1948-02-19", "gender": "female",
            "identifiers": [{"system": "http://state.example/medicaid", "value": "ME-4711"}],
            "addresses": [{"line": ["12 Quay Road"], "city": "Harbor", "postalCode": "04000"}]},
        "enrolments": [{"id": "e1", "status": "active", "programmes": ["Complex care"],
            "period": {"start": day(-19)}, "careManager": "Ana Ruiz, RN"}],
        "needs": [{"id": "n1", "status": "active", "certainty": "unconfirmed",
            "need": {"codes": [{"system": "http://snomed.info/sct", "code": "733423003"}]}}],
        "goals": [{"id": "g1", "status": "active", "achievement": "in-progress", "needs": ["n1"],
            "goal": "Enough food every day", "start": day(-18), "statusDate": day(-18),
            "identifiers": [{"system": GOAL.0, "value": GOAL.1}],
            "targets": [{"measure": {"codes": [{"system": LOINC, "code": "88124-3"}]},
                "value": {"codes": [{"system": LOINC, "code": "LA19983-8"}]}, "due": day(60)}],
            "agreed": [{"who": "H1", "answer": "agree"}]}],
        "referrals": [{"id": "r1", "status": "active", "intent": "order", "service": "food box",
            "ordered": day(-18), "performers": ["Harbor Food Shelf"], "needs": ["n1"],
            "goals": ["g1"]}],
        "consents": [{"id": "c1", "status": "active", "scope": "patient-privacy",
            "categories": ["share with the food service"], "date": day(-18), "rule": "state law",
            "says": {"answer": "permit"}}]
    });
    if closed {
        record["referrals"][0]["status"] = json!("completed");
        let goal = &mut record["goals"][0];
        goal["status"] = json!("completed");
        goal["achievement"] = json!("achieved");
        goal["statusDate"] = json!(day(0));
    }
    record
}

fn ingest(site: &Site, endpoint: &str, resources: &[Value]) {
    let lines: String = resources.iter().map(|resource| format!("{resource}\n")).collect();
    let file = format!("{endpoint}.ndjson");
    fs::write(site.path(&file), lines).unwrap();
    let report = site.json(&["ingest", &file, "--endpoint", endpoint, "--json"]);
    assert_eq!(report["quarantined"], 0, "{report:#}");
}

/// What the food service says over FHIR.
fn say(gateway: &Gateway<'_>, method: &str, path: &str, body: &Value) -> Value {
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let (status, text) = gateway.send(path, |http, url| {
        http.request(method, url)
            .header("Content-Type", "application/fhir+json")
            .header("Prefer", "return=representation")
            .body(body.to_string())
    });
    assert!((200..300).contains(&status), "{path}: {text}");
    serde_json::from_str(&text).unwrap()
}

/// The rules of the conflicts and findings that stand.
fn told(gateway: &Gateway<'_>, person: &str) -> BTreeSet<String> {
    let found = gateway.get(&format!("DetectedIssue?patient={person}&_count=100"));
    let entries = found["entry"].as_array().cloned().unwrap_or_default();
    let code = |e: &Value| e["resource"]["code"]["coding"][0]["code"].as_str().map(str::to_owned);
    entries.iter().filter_map(code).collect()
}

fn care(gateway: &Gateway<'_>, person: &str, of: &str) -> Value {
    let (status, body) = gateway.root(&format!("care/person/{person}{of}"));
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

#[test]
fn from_a_screening_answer_to_a_closed_loop_and_an_achieved_goal() {
    let site = Site::with(&[], ENDPOINTS);

    // 1. Assess: discharged, at risk of hunger, nobody has seen her since.
    ingest(&site, "hospital", &of_hospital("on-hold"));
    // 2. Plan: the payer enrols her, takes up the need, and refers her to the food service.
    ingest(&site, "plan", &[of_plan(false)]);
    let found = site.json(&["person", "find", "quist", "--json"]);
    assert_eq!(found.as_array().unwrap().len(), 1, "two charts, one person: {found:#}");
    let person = found[0]["id"].as_str().unwrap();
    let gateway = site.serve();
    let rules = told(&gateway, person);
    for rule in ["no-follow-up", "medications-unreconciled", "value-disagreement"] {
        assert!(rules.contains(rule), "{rule}: {rules:?}");
    }
    let goals = gateway.get(&format!("Goal?patient={person}"));
    assert_eq!(goals["total"], 1, "stated by two, {goals:#}");
    let progress = care(&gateway, person, "/progress");
    assert_eq!(progress["goals"][0]["proposed"], Value::Null, "{progress:#}");

    // 3. Coordinate: the food service takes the referral and does it.
    coordinate(&gateway, person);
    let rules = told(&gateway, person);
    assert!(rules.contains("awaiting-closure") && rules.contains("no-follow-up"), "{rules:?}");

    // 4. Evaluate: the last answer speaks for the goal; the gateway proposes, the payer decides.
    // The hospital makes up for the missed follow-up and corrects its goal.
    let progress = care(&gateway, person, "/progress");
    let proposed = &progress["goals"][0]["proposed"];
    assert_eq!(proposed["achievement"], "achieved", "{progress:#}");
    assert_eq!(proposed["evidence"].as_array().unwrap().len(), 2);
    assert_eq!(progress["goals"][0]["achievement"], "in-progress", "not by us");
    drop(gateway);
    let mut late = of_hospital("completed");
    late.push(json!({"resourceType": "Encounter", "id": "visit", "status": "finished",
        "subject": {"reference": "Patient/100"}, "period": {"start": day(-1), "end": day(-1)},
        "class": {"system": CLASSES, "code": "AMB"}}));
    late.push(json!({"resourceType": "Procedure", "id": "rec", "status": "completed",
        "subject": {"reference": "Patient/100"}, "performedDateTime": day(-1),
        "code": coded("http://snomed.info/sct", "430193006")}));
    ingest(&site, "plan", &[of_plan(true)]);
    ingest(&site, "hospital", &late);
    site.run(&["verify", "--quiet"], 0);
    evaluated(&site.serve(), person);
}

/// The food service accepts, delivers, asks again.
fn coordinate(gateway: &Gateway<'_>, person: &str) {
    let orders = gateway.get(&format!("ServiceRequest?patient={person}&status=active"));
    let order = orders["entry"][0]["resource"]["id"].as_str().unwrap();
    let patient = json!({"reference": format!("Patient/{person}")});
    let task = json!({"resourceType": "Task", "status": "accepted", "intent": "order",
        "code": coded("http://hl7.org/fhir/CodeSystem/task-code", "fulfill"),
        "owner": {"display": "Harbor Food Shelf"}, "authoredOn": day(-18), "lastModified": day(-16),
        "focus": {"reference": format!("ServiceRequest/{order}")}, "for": patient});
    let mut task = say(gateway, "POST", "Task", &task);
    assert!(told(gateway, person).contains("open-loop"));
    task["status"] = json!("completed");
    task["lastModified"] = json!(day(-2));
    task["output"] = json!([{"type": {"text": "delivered"}, "valueString": "12 food boxes"}]);
    let id = task["id"].as_str().unwrap().to_owned();
    say(gateway, "PUT", &format!("Task/{id}"), &task);
    let mut answer = food_risk("LA19983-8", &day(-1));
    answer["subject"] = patient;
    say(gateway, "POST", "Observation", &answer);
}

/// The loop is closed, the goal achieved, and nothing is left to be done.
fn evaluated(gateway: &Gateway<'_>, person: &str) {
    let rules = told(gateway, person);
    for rule in [
        "open-loop",
        "awaiting-closure",
        "no-follow-up",
        "medications-unreconciled",
        "value-disagreement",
        "C1",
        "C5",
    ] {
        assert!(!rules.contains(rule), "{rule}: {rules:?}");
    }
    let progress = care(gateway, person, "/progress");
    assert_eq!(progress["goals"][0]["achievement"], "achieved", "{progress:#}");
    assert_eq!(progress["goals"][0]["proposed"], Value::Null);
    let needs = care(gateway, person, "/needs");
    assert_eq!(needs["consents"][0]["answer"], "permit", "{needs:#}");
    let request = &needs["domains"]["food-insecurity"]["requests"][0];
    assert_eq!(
        (&request["status"], &request["tasks"][0]["status"]),
        (&json!("completed"), &json!("completed")),
        "{needs:#}"
    );
    let need = &needs["domains"]["food-insecurity"]["needs"][0];
    assert_eq!(need["certainty"], "unconfirmed", "a clinician confirms, not the gateway");
    let record = care(gateway, person, "");
    assert_eq!(record["enrolments"][0]["careManager"], "Ana Ruiz, RN");
    // What we propose after the discharge stays a draft; what was asked of somebody is done.
    let tasks = record["tasks"].as_array().unwrap();
    let stated: Vec<_> = tasks.iter().filter(|task| task["status"] != "draft").collect();
    assert_eq!(stated.len(), 1, "{record:#}");
    assert_eq!(stated[0]["status"], "completed", "{record:#}");
}
