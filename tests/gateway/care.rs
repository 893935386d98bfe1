//! Care records as a care-management system sends them, and a person shown as one.

use std::fs;

use serde_json::{Value, json};

use super::site::Site;

const FILES_ENDPOINT: &str = "[[endpoint]]\nid = \"harbor\"\nkind = \"files\"\n";

fn rosa() -> Value {
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/care-records/rosa.json");
    serde_json::from_str(&fs::read_to_string(fixture).unwrap()).unwrap()
}

#[test]
fn a_care_record_is_woven_and_shown_as_one() {
    let site = Site::with(&[], FILES_ENDPOINT);
    let mut bad = rosa();
    bad["person"]["id"] = json!("H-4712");
    bad["goals"][0]["status"] = json!("open");
    fs::write(site.path("rosa.json"), rosa().to_string()).unwrap();
    fs::write(site.path("bad.json"), bad.to_string()).unwrap();
    let args = ["ingest", "rosa.json", "bad.json", "--endpoint", "harbor", "--json"];
    let report = site.json(&args);
    assert_eq!((&report["persons"], &report["ledger"]["balanced"]), (&json!(1), &json!(true)));
    assert_eq!(report["quarantined"], 1, "{report:#}");
    let reason = report["quarantine"][0]["reason"].as_str().unwrap();
    assert!(reason.starts_with("/goals/0/status: write one of proposed, planned"), "{reason}");
    let again = ["ingest", "rosa.json", "--endpoint", "harbor", "--format", "care", "--json"];
    let again = site.json(&again);
    assert!(again["ingested"].as_object().unwrap().values().all(|line| line["new"] == 0));

    let found = site.json(&["person", "find", "quist", "--json"]);
    let person = found[0]["id"].as_str().unwrap();
    let shown = site.json(&["person", "show", person, "--format", "care"]);
    assert_eq!(shown["sender"], rosa()["sender"], "unknown fields come back: {shown:#}");
    let enrolment = &shown["enrolments"][0];
    assert_eq!(enrolment["careManager"], "Ana Ruiz, RN", "{shown:#}");
    assert_eq!(enrolment["caseloadColour"], "green");
    let goal = &shown["goals"][0];
    assert_eq!(goal["needs"][0], shown["needs"][0]["id"], "{shown:#}");
    assert_eq!(goal["agreed"][0]["answer"], "agree");
    assert_eq!(goal["targets"], rosa()["goals"][0]["targets"]);
    assert_eq!(shown["referrals"][0]["service"], "food pantry");
    assert_eq!(shown["tasks"][0]["request"], shown["referrals"][0]["id"]);
    assert_eq!(shown["assessment"].as_array().unwrap().len(), 2, "{shown:#}");
    assert_eq!(shown["risks"][0]["predictions"], rosa()["risks"][0]["predictions"]);
    assert_eq!(shown["reconciliations"].as_array().unwrap().len(), 1);
    assert_eq!(shown["transitions"][0]["toKind"], "home");
    // The open loop is a finding; a care record has no place for it and says so.
    let left = shown["notRepresented"].as_array().unwrap();
    assert!(left.iter().any(|e| e["resourceType"] == "DetectedIssue"), "{left:#?}");

    let gateway = site.serve();
    let (status, body) = gateway.root(&format!("care/person/{person}"));
    assert_eq!(status, 200);
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), shown);
}
