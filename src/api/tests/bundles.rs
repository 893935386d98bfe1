//! Batches and transactions: order, references between entries, all or nothing.
#![expect(clippy::unwrap_used, reason = "test")]

use serde_json::{Value, json};

use super::live::{Live, goal, patient};
use super::world::Told;
use crate::fhir::StructureCheck;

const HEADERS: [(&str, &str); 2] =
    [("x-careweave-client", "clinic"), ("content-type", "application/fhir+json")];
const WALK: &str = "Walk 30 minutes a day";

async fn send(live: &Live, kind: &str, entries: Value) -> Told {
    let bundle = json!({ "resourceType": "Bundle", "type": kind, "entry": entries });
    live.send("POST", "/fhir", &HEADERS, bundle.to_string()).await
}

/// The status of each entry, in their order.
fn statuses(told: &Told) -> Vec<String> {
    assert_eq!(told.status.as_u16(), 200, "{}", told.body);
    let bundle = told.json();
    let problems = StructureCheck::new(&[]).unwrap().check(&told.body, &bundle);
    assert!(problems.is_empty(), "{problems:?}");
    let entries = bundle["entry"].as_array().unwrap();
    entries.iter().map(|e| e["response"]["status"].as_str().unwrap()[..3].to_owned()).collect()
}

fn entry(method: &str, url: &str, resource: Value) -> Value {
    let mut entry = json!({ "request": { "method": method, "url": url } });
    if resource.is_object() {
        entry["resource"] = resource;
    }
    entry
}

/// A Patient and a Goal of theirs, which names them by `urn:uuid`.
fn patient_and_goal(status: &str) -> Value {
    let urn = "urn:uuid:5b3f3a5e-0000-4000-8000-000000000001";
    let mut own = patient("7", "Hopper");
    own["identifier"][0]["system"] = "http://clinic.test/mrn".into();
    let mut patient = entry("POST", "Patient", own);
    patient["fullUrl"] = urn.into();
    patient["request"]["ifNoneExist"] = "identifier=http://clinic.test/mrn|7".into();
    let mut goal = goal("ignored", WALK, status);
    goal["subject"]["reference"] = urn.into();
    // The reference comes before what it names.
    json!([entry("POST", "Goal", goal), patient])
}

#[tokio::test]
async fn a_transaction_resolves_references_between_its_entries() {
    let live = Live::new();
    let told = send(&live, "transaction", patient_and_goal("active")).await;
    assert_eq!(statuses(&told), ["201", "201"], "{}", told.body);
    let bundle = told.json();
    assert_eq!(bundle["type"], "transaction-response");
    let place = |index: usize| {
        let place = bundle["entry"][index]["response"]["location"].as_str().unwrap();
        place.trim_start_matches("http://gateway.test").to_owned()
    };
    let goal = live.get(&place(0)).await.json();
    let subject = goal["subject"]["reference"].as_str().unwrap();
    assert!(place(1).starts_with(&format!("/fhir/{subject}/_history/")), "{subject}");
    // Again: the patient is there by the condition, the goal is what was said before.
    let again = send(&live, "transaction", patient_and_goal("active")).await;
    assert_eq!(statuses(&again), ["200", "200"], "{}", again.body);
    let patients = live.get("/fhir/Patient?identifier=http://clinic.test/mrn|7").await;
    assert_eq!(patients.json()["total"], 1);
    let conditional = json!([entry("POST", "Goal", {
        let mut goal = self::goal("ignored", "Drink water", "active");
        goal["subject"]["reference"] = "Patient?identifier=http://clinic.test/mrn|7".into();
        goal
    })]);
    let told = send(&live, "transaction", conditional).await;
    assert_eq!(statuses(&told), ["201"], "{}", told.body);
    let goals = live.get(&format!("/fhir/Goal?{}", subject.replace("Patient/", "patient="))).await;
    assert_eq!(goals.json()["total"], 2);
    assert!(live.gateway.verify(&mut |_| {}).unwrap().findings.is_empty());
}

#[tokio::test]
async fn a_transaction_is_done_whole_or_not_at_all() {
    let live = Live::new();
    let told = send(&live, "transaction", patient_and_goal("going-well")).await;
    assert_eq!(told.status.as_u16(), 422, "{}", told.body);
    assert!(told.body.contains("Bundle.entry[0].resource.lifecycleStatus"), "{}", told.body);
    let nobody = live.get("/fhir/Patient?identifier=http://clinic.test/mrn|7").await;
    assert_eq!(nobody.json()["total"], 0, "{}", nobody.body);
    let mut unfit = patient_and_goal("active");
    unfit[0]["resource"]["subject"]["reference"] = "Patient?identifier=http://x|none".into();
    assert_eq!(send(&live, "transaction", unfit).await.status.as_u16(), 412);
    let mut dangling = patient_and_goal("active");
    dangling[0]["resource"]["subject"]["reference"] = "urn:uuid:none".into();
    assert_eq!(send(&live, "transaction", dangling).await.status.as_u16(), 422);
    let twice = json!([patient_and_goal("active")[1], patient_and_goal("active")[1]]);
    assert_eq!(send(&live, "transaction", twice).await.status.as_u16(), 400);
    let report = live.gateway.report().unwrap();
    assert_eq!(report.source_records.len(), 0, "{:?}", report.source_records);
}

#[tokio::test]
async fn entries_are_done_in_the_order_of_their_methods_and_answered_in_their_own() {
    let live = Live::new();
    live.says("mercy", &[patient("m1", "Lovelace"), goal("g", WALK, "active")]);
    let id = live.id("mercy", "Goal/g");
    let mut claim = live.get(&format!("/fhir/Goal/{id}")).await.json();
    claim["startDate"] = "2026-01-02".into();
    for kind in ["batch", "transaction"] {
        claim["statusDate"] = format!("2026-02-0{}", kind.len() % 9 + 1).into();
        let told = send(
            &live,
            kind,
            json!([
                entry("GET", &format!("Goal/{id}"), Value::Null),
                entry("PUT", &format!("Goal/{id}"), claim.clone()),
                entry("GET", "Goal/none", Value::Null),
            ]),
        )
        .await;
        assert_eq!(statuses(&told), ["200", "200", "404"], "{kind}");
        let bundle = told.json();
        let read = &bundle["entry"][0]["resource"];
        assert_eq!(read["statusDate"], claim["statusDate"], "{kind}: what was written is read");
        assert!(bundle["entry"][1].get("resource").is_none(), "brief unless asked");
        assert_eq!(bundle["entry"][2]["response"]["outcome"]["issue"][0]["code"], "not-found");
    }
    let gone = send(&live, "batch", json!([entry("DELETE", &format!("Goal/{id}"), Value::Null)]));
    assert_eq!(statuses(&gone.await), ["200"]);
    let mixed = json!([
        entry("POST", "Goal", goal("ignored", "x", "going-well")),
        entry("GET", "Patient/$nothing", Value::Null),
        entry("DELETE", "Goal/none", Value::Null),
    ]);
    assert_eq!(statuses(&send(&live, "batch", mixed).await), ["422", "404", "404"]);
}

#[tokio::test]
async fn garbage_in_a_bundle() {
    let live = Live::new();
    let many: Vec<Value> = (0..2_000).map(|_| entry("GET", "metadata", Value::Null)).collect();
    for (kind, entries, status) in [
        ("collection", json!([]), 400),
        ("batch", json!([{}]), 400),
        ("batch", json!([{ "request": { "method": "BREW", "url": "Goal" } }]), 400),
        ("transaction", json!([{ "request": { "method": "POST", "url": "Goal" } }]), 400),
        ("transaction", json!([entry("DELETE", "Goal", Value::Null)]), 400),
        ("transaction", json!([entry("PUT", "Gaol/1", json!({}))]), 404),
        ("batch", json!([entry("POST", "", json!({ "resourceType": "Bundle" }))]), 400),
        ("batch", json!([entry("POST", "/?x", json!({ "resourceType": "Bundle" }))]), 400),
        ("batch", many.into(), 413),
    ] {
        let told = send(&live, kind, entries.clone()).await;
        assert_eq!(told.status.as_u16(), status, "{kind} {}", told.body);
        assert_eq!(told.json()["resourceType"], "OperationOutcome");
    }
    let odd = json!([
        entry("GET", "http://elsewhere.test/fhir/Goal/1", Value::Null),
        entry("GET", "../metrics", Value::Null),
        entry("GET", "Goal/ x", Value::Null),
        entry("GET", &"a".repeat(9_000), Value::Null),
    ]);
    assert_eq!(statuses(&send(&live, "batch", odd).await), ["404", "404", "400", "414"]);
}
