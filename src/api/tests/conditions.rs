//! Writes on what a condition fits, and patches within Bundles.
//! <https://hl7.org/fhir/R4/http.html#cond-update>
#![expect(clippy::unwrap_used, reason = "test")]

use serde_json::{Value, json};

use super::live::{Live, goal, patient};
use super::world::Told;

const CLINIC: (&str, &str) = ("x-careweave-client", "clinic");
const JSON: (&str, &str) = ("content-type", "application/fhir+json");
const OWN: &str = "/fhir/Goal?identifier=http://clinic.test/goal|1";

fn live() -> (Live, Value) {
    let live = Live::new();
    live.says("mercy", &[patient("m1", "Lovelace")]);
    let id = live.id("mercy", "Patient/1");
    let mut goal = goal("ignored", "Walk 30 minutes a day", "active");
    goal.as_object_mut().unwrap().shift_remove("id");
    goal["identifier"] = json!([{ "system": "http://clinic.test/goal", "value": "1" }]);
    goal["subject"]["reference"] = format!("Patient/{id}").into();
    (live, goal)
}

async fn send(live: &Live, method: &str, path: &str, body: &Value) -> Told {
    let media = match method {
        "PATCH" => ("content-type", "application/json-patch+json"),
        _ => JSON,
    };
    let body = if body.is_null() { String::new() } else { body.to_string() };
    live.send(method, path, &[CLINIC, media], body).await
}

fn status(told: &Told) -> u16 {
    told.status.as_u16()
}

fn id(told: &Told) -> String {
    told.json()["id"].as_str().unwrap().to_owned()
}

async fn total(live: &Live) -> u64 {
    live.get(OWN).await.json()["total"].as_u64().unwrap()
}

fn assert_sound(live: &Live) {
    let verified = live.gateway.verify(&mut |_| {}).unwrap();
    assert!(verified.findings.is_empty(), "{:?}", verified.findings);
}

#[tokio::test]
async fn a_conditional_update_makes_one_and_then_changes_it() {
    let (live, mut goal) = live();
    let made = send(&live, "PUT", OWN, &goal).await;
    assert_eq!(status(&made), 201, "{}", made.body);
    goal["lifecycleStatus"] = "on-hold".into();
    let changed = send(&live, "PUT", OWN, &goal).await;
    assert_eq!((status(&changed), id(&changed)), (200, id(&made)), "{}", changed.body);
    assert_eq!(changed.json()["lifecycleStatus"], "on-hold");
    assert_eq!(total(&live).await, 1);
    goal["id"] = id(&made).into();
    assert_eq!(status(&send(&live, "PUT", OWN, &goal).await), 200, "the id may be stated");
    goal["id"] = "another".into();
    assert_eq!(status(&send(&live, "PUT", OWN, &goal).await), 400, "not another one");
    let stale = [CLINIC, JSON, ("if-match", "W/\"1\"")];
    goal["id"] = id(&made).into();
    let told = live.send("PUT", OWN, &stale, goal.to_string()).await;
    assert_eq!(status(&told), 412);
    let nowhere = "/fhir/Goal?identifier=http://clinic.test/goal|2";
    assert_eq!(status(&send(&live, "PUT", nowhere, &goal).await), 405, "ids are made here");
    assert_sound(&live);
}

#[tokio::test]
async fn patch_delete_and_create_take_conditions_too() {
    let (live, goal) = live();
    let patch = json!([{ "op": "replace", "path": "/lifecycleStatus", "value": "completed" }]);
    assert_eq!(status(&send(&live, "PATCH", OWN, &patch).await), 404);
    assert_eq!(status(&send(&live, "DELETE", OWN, &Value::Null).await), 404);
    let made = send(&live, "POST", OWN, &goal).await;
    assert_eq!(status(&made), 201, "a condition in the URL: {}", made.body);
    let mut other = goal.clone();
    other["startDate"] = "2026-01-02".into();
    let again = send(&live, "POST", OWN, &other).await;
    assert_eq!((status(&again), id(&again)), (200, id(&made)), "{}", again.body);
    let patched = send(&live, "PATCH", OWN, &patch).await;
    assert_eq!((status(&patched), id(&patched)), (200, id(&made)), "{}", patched.body);
    assert_eq!(patched.json()["lifecycleStatus"], "completed");
    assert_eq!(status(&send(&live, "DELETE", OWN, &Value::Null).await), 204);
    assert_eq!(total(&live).await, 0);
    assert_sound(&live);
}

#[tokio::test]
async fn a_condition_that_fits_several_changes_none() {
    let (live, mut goal) = live();
    let person = live.id("mercy", "Patient/1");
    for text in ["Walk", "Swim"] {
        goal["description"]["text"] = text.into();
        goal["identifier"][0]["value"] = text.into();
        assert_eq!(status(&send(&live, "POST", "/fhir/Goal", &goal).await), 201);
    }
    let both = format!("/fhir/Goal?patient={person}");
    let patch = json!([{ "op": "remove", "path": "/description" }]);
    for (method, body) in [("PUT", &goal), ("PATCH", &patch), ("DELETE", &Value::Null)] {
        let told = send(&live, method, &both, body).await;
        assert_eq!((status(&told), told.issue_codes()), (412, vec!["multiple-matches".to_owned()]));
        assert_eq!(status(&send(&live, method, "/fhir/Goal", body).await), 400, "no condition");
    }
    assert_eq!(live.get(&both).await.json()["total"], 2);
}

fn entry(method: &str, url: &str, resource: &Value) -> Value {
    let mut entry = json!({ "request": { "method": method, "url": url } });
    if !resource.is_null() {
        entry["resource"] = resource.clone();
    }
    entry
}

/// `[{"op":"replace","path":"/lifecycleStatus","value":"on-hold"}]` as a Bundle holds it.
fn binary() -> Value {
    json!({
        "resourceType": "Binary", "contentType": "application/json-patch+json",
        "data": "W3sib3AiOiJyZXBsYWNlIiwicGF0aCI6Ii9saWZlY3ljbGVTdGF0dXMiLCJ2YWx1ZSI6Im9uLWhv\
                 bGQifV0=",
    })
}

#[tokio::test]
async fn bundles_take_patches_and_conditions() {
    for kind in ["batch", "transaction"] {
        let (live, goal) = live();
        let run = async |entries: Value| {
            let bundle = json!({ "resourceType": "Bundle", "type": kind, "entry": entries });
            let told = send(&live, "POST", "/fhir", &bundle).await;
            assert_eq!(status(&told), 200, "{kind}: {}", told.body);
            let answer = told.json();
            let status = |e: &Value| e["response"]["status"].as_str().unwrap()[..3].to_owned();
            answer["entry"].as_array().unwrap().iter().map(status).collect::<Vec<_>>()
        };
        let url = OWN.trim_start_matches("/fhir/");
        assert_eq!(run(json!([entry("PUT", url, &goal)])).await, ["201"], "{kind}");
        let of_id = format!("Goal/{}", live.get(OWN).await.json()["entry"][0]["resource"]["id"]);
        let of_id = of_id.replace('"', "");
        assert_eq!(run(json!([entry("PATCH", &of_id, &binary())])).await, ["200"], "{kind}");
        let shown = live.get(&format!("/fhir/{of_id}")).await.json();
        assert_eq!(shown["lifecycleStatus"], "on-hold", "{kind}");
        assert_eq!(run(json!([entry("PUT", url, &goal)])).await, ["200"], "{kind}");
        assert_eq!(run(json!([entry("PATCH", url, &binary())])).await, ["200"], "{kind}");
        let shown = live.get(&format!("/fhir/{of_id}")).await.json();
        assert_eq!(shown["lifecycleStatus"], "on-hold", "{kind}");
        assert_eq!(run(json!([entry("DELETE", url, &Value::Null)])).await, ["204"], "{kind}");
        assert_eq!(total(&live).await, 0, "{kind}");
        assert_sound(&live);
    }
}
