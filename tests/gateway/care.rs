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
    assert_eq!(shown["risks"].as_array().unwrap().len(), 1, "a row without tier states none");
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

#[test]
fn an_export_with_a_column_mapping_becomes_care_records() {
    let site = Site::with(&[], FILES_ENDPOINT);
    for name in ["mapping.toml", "export.csv"] {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/care-records");
        fs::copy(format!("{folder}/{name}"), site.path(name)).unwrap();
    }
    let args = ["ingest", "export.csv", "--endpoint", "harbor", "--format", "care"];
    let mapped = [&args[..], &["--mapping", "mapping.toml", "--json"]].concat();
    let report = site.json(&mapped);
    assert_eq!(report["ledger"]["balanced"], true, "{report:#}");
    let reasons = report["quarantine"].as_array().unwrap().iter();
    let reasons: Vec<&str> = reasons.map(|q| q["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons.len(), 2, "{reasons:#?}");
    assert!(
        reasons[0].starts_with("line 4, column \"Goal Status\": write one of Met, Not Met, Open"),
        "{reasons:#?}"
    );
    assert!(
        reasons[1].starts_with("line 5, column \"DOB\": not a date of the form"),
        "{reasons:#?}"
    );
    assert!(!reasons.concat().contains("1951"), "no value is told");
    assert_eq!(report["persons"], 2, "{report:#}");

    let person = site.json(&["person", "find", "quist", "--json"])[0]["id"].clone();
    let shown = site.json(&["person", "show", person.as_str().unwrap(), "--format", "care"]);
    assert_eq!(shown["person"]["birthDate"], "1948-02-19");
    assert_eq!(shown["person"]["addresses"][0]["postalCode"], "04000");
    assert_eq!(shown["risks"].as_array().unwrap().len(), 1, "a row without tier states none");
    assert_eq!(shown["risks"][0]["predictions"][0]["tier"], "Tier 3 (complex)");
    let goals = shown["goals"].as_array().unwrap();
    assert_eq!(goals.len(), 2, "two rows of one record: {shown:#}");
    let food = goals.iter().find(|goal| goal["goal"] == "Enough food every day").unwrap();
    assert_eq!((&food["status"], &food["achievement"]), (&json!("active"), &json!("in-progress")));
    assert_eq!(food["targets"][0]["due"], "2026-06-30");
    let needs = shown["needs"].as_array().unwrap();
    let need = needs.iter().find(|need| need["need"] == "Food insecurity").unwrap();
    assert_eq!(food["needs"], json!([need["id"]]));
    assert_eq!(shown["referrals"][0]["goals"], json!([food["id"]]));
    assert_eq!(shown["referrals"][0]["performers"], json!(["Harbor Food Shelf"]));
    let kept = shown["risks"][0]["columns"]["Care Coordinator"].as_str();
    assert_eq!(kept, Some("Ana Ruiz"), "a column that nobody mapped is kept: {shown:#}");
    the_same_as_ndjson(&site);
}

/// Rows as NDJSON are the same rows; a mapping that cannot be meant is refused.
fn the_same_as_ndjson(site: &Site) {
    let args = ["ingest", "export.csv", "--endpoint", "harbor", "--format", "care"];
    let table = fs::read_to_string(site.path("export.csv")).unwrap();
    let names: Vec<&str> = table.lines().next().unwrap().split(',').collect();
    let first: Vec<&str> = table.lines().nth(1).unwrap().split(',').collect();
    let row: Value = names.iter().zip(first).map(|(n, v)| ((*n).to_owned(), json!(v))).collect();
    let no_date = json!({"Member ID": "H-4711", "Last Name": "Quist", "Risk Tier": "Tier 2"});
    fs::write(site.path("rows.ndjson"), format!("{row}\nnot json\n{no_date}\n")).unwrap();
    let again = ["ingest", "rows.ndjson", "--endpoint", "harbor", "--mapping", "mapping.toml"];
    let again = site.json(&[&again[..], &["--json"]].concat());
    let new = |of: &str| again["ingested"][of]["new"].as_u64();
    assert_eq!([new("Patient"), new("Goal"), new("ServiceRequest")], [Some(0); 3], "{again:#}");
    assert_eq!(again["quarantine"][0]["place"], "rows.ndjson:2");
    let reason = again["quarantine"][1]["reason"].as_str().unwrap();
    let lost = "column \"Tier Date\": empty, and column \"Risk Tier\" is not";
    assert!(reason.contains(lost), "what has no id is not dropped silently: {reason}");

    for (mapping, expected) in [
        (
            "version = \"1\"\n[person]\nid = \"A\"\n[[item]]\nsection = \"goal\"\nid = \"G\"\n",
            "no section \"goal\"; known: enrolments",
        ),
        (
            "version = \"1\"\n[person]\nid = \"A\"\nfields = { dob = \"D\" }\n",
            "person has no field \"dob\"; known: identifiers",
        ),
    ] {
        fs::write(site.path("wrong.toml"), mapping).unwrap();
        let told = site.run(&[&args[..], &["--mapping", "wrong.toml"]].concat(), 2);
        assert!(told.contains(expected), "{told}");
    }
}
