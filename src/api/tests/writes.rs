//! Writes are claims of a client: they come, join what they are about, lose to who knows better,
//! and are withdrawn without taking anybody else's word along.
#![expect(clippy::unwrap_used, reason = "test")]

use serde_json::{Value, json};

use super::live::{Live, goal, patient};
use super::world::{BASE, Told};
use crate::flow::Verdict;

const CLINIC: (&str, &str) = ("x-careweave-client", "clinic");
const JSON: (&str, &str) = ("content-type", "application/fhir+json");
const PATCH: (&str, &str) = ("content-type", "application/json-patch+json");
const WALK: &str = "Walk 30 minutes a day";

async fn post(live: &Live, resource: &Value) -> Told {
    let path = format!("/fhir/{}", resource["resourceType"].as_str().unwrap());
    live.send("POST", &path, &[CLINIC, JSON], resource.to_string()).await
}

async fn put(live: &Live, resource: &Value, headers: &[(&str, &str)]) -> Told {
    let text = |name: &str| resource[name].as_str().unwrap().to_owned();
    let path = format!("/fhir/{}/{}", text("resourceType"), text("id"));
    let headers: Vec<_> = [CLINIC, JSON].iter().chain(headers).copied().collect();
    live.send("PUT", &path, &headers, resource.to_string()).await
}

/// A Goal as a client of the view states it.
fn goal_of(patient: &str, text: &str, status: &str) -> Value {
    let mut goal = goal("ignored", text, status);
    goal["subject"]["reference"] = format!("Patient/{patient}").into();
    goal
}

fn live() -> (Live, String) {
    let live = Live::new();
    live.says("mercy", &[patient("m1", "Lovelace")]);
    let id = live.id("mercy", "Patient/1");
    (live, id)
}

/// Everything is as if woven anew, and the ledger balances.
fn assert_sound(live: &Live) {
    let verified = live.gateway.verify(&mut |_| {}).unwrap();
    assert!(verified.findings.is_empty(), "{:?}", verified.findings);
}

fn status(told: &Told) -> u16 {
    told.status.as_u16()
}

#[tokio::test]
async fn a_created_resource_is_there_at_once_under_its_location() {
    let (live, patient) = live();
    let goal = goal_of(&patient, WALK, "active");
    let made = post(&live, &goal).await;
    assert_eq!(status(&made), 201, "{}", made.body);
    assert_eq!(made.header("etag"), "W/\"1\"");
    assert_eq!(made.json()["description"]["text"], WALK);
    let place = made.header("location").trim_start_matches(BASE).to_owned();
    assert!(place.ends_with("/_history/1"), "{place}");
    assert_eq!(live.get(&place).await.body, made.body);
    let found = live.get(&format!("/fhir/Goal?patient={patient}")).await;
    assert_eq!(found.json()["total"], 1);
    let again = post(&live, &goal).await;
    assert_eq!((status(&again), again.header("location")), (200, made.header("location")));
    let source = live.get(&format!("/fhir/Provenance/Goal.{}", id_of(&made))).await;
    assert!(source.body.contains("urn:careweave:endpoint:clinic/Goal/h-"), "{}", source.body);
    let other = live.send("POST", "/fhir/Goal", &[JSON], goal.to_string()).await;
    assert_eq!((status(&other), other.issue_codes()), (403, vec!["forbidden".to_owned()]));
    assert_sound(&live);
}

#[tokio::test]
async fn a_created_resource_that_is_known_already_is_an_alias_of_it() {
    let (live, patient) = live();
    live.says("mercy", &[goal("g", WALK, "active")]);
    let known = live.id("mercy", "Goal/g");
    let made = post(&live, &goal_of(&patient, WALK, "active")).await;
    assert_eq!((status(&made), id_of(&made)), (201, known.clone()), "{}", made.body);
    let place = made.header("location").trim_start_matches(BASE).to_owned();
    assert!(!place.contains(&known), "{place}");
    let read = live.get(&place).await;
    assert_eq!((status(&read), id_of(&read)), (200, known));
    let history = live.get(place.rsplit_once('/').unwrap().0).await;
    assert_eq!(status(&history), 200);
    assert_sound(&live);
}

#[tokio::test]
async fn an_update_is_a_claim_about_the_same_record_and_may_be_overruled() {
    let (live, patient) = live();
    live.says("mercy", &[goal("g", WALK, "active")]);
    let path = format!("/fhir/Goal/{}", live.id("mercy", "Goal/g"));
    let mut claim = live.get(&path).await.json();
    claim["lifecycleStatus"] = "completed".into();
    claim["description"]["text"] = "Swim on Sundays".into();
    claim["statusDate"] = "2026-11-01".into();
    let told = put(&live, &claim, &[("if-match", "W/\"1\"")]).await;
    assert_eq!(status(&told), 200, "{}", told.body);
    assert_eq!(told.header("etag"), "W/\"2\"");
    let now = live.get(&path).await;
    assert_eq!(now.body, told.body);
    assert_eq!(now.json()["statusDate"], "2026-11-01");
    let all = live.get(&format!("/fhir/Goal?patient={patient}")).await;
    assert_eq!(all.json()["total"], 1, "other words, the same record: {}", all.body);
    let differ = live.get(&format!("/fhir/DetectedIssue?patient={patient}")).await;
    assert!(differ.body.contains("value-disagreement"), "{}", differ.body);
    // One of the two has each element; what is lost is told.
    let shown = now.json();
    let lost: Vec<&str> = told.header("x-careweave-overruled").split(", ").collect();
    for (element, stated) in [("lifecycleStatus", "completed"), ("description", "Swim on Sundays")]
    {
        let is_shown = shown[element] == stated || shown[element]["text"] == stated;
        let is_lost = lost.contains(&format!("Goal.{element}").as_str());
        assert_ne!(is_shown, is_lost, "{element}: {lost:?} {shown}");
    }
    let outcome = put(&live, &claim, &[("prefer", "return=OperationOutcome")]).await;
    let text = outcome.json()["issue"].to_string();
    assert!(lost.iter().all(|element| text.contains(element)), "{text}");
    let stale = put(&live, &claim, &[("if-match", "W/\"1\"")]).await;
    assert_eq!((status(&stale), stale.issue_codes()), (412, vec!["conflict".to_owned()]));
    let minimal = put(&live, &claim, &[("prefer", "return=minimal")]).await;
    assert_eq!((status(&minimal), minimal.body.as_str()), (200, ""));
    assert_sound(&live);
}

#[tokio::test]
async fn a_patch_changes_what_is_shown_and_nothing_when_it_does_not_fit() {
    let (live, _) = live();
    live.says("mercy", &[goal("g", WALK, "active")]);
    let path = format!("/fhir/Goal/{}", live.id("mercy", "Goal/g"));
    let send = async |patch: Value, media: (&'static str, &'static str)| {
        live.send("PATCH", &path, &[CLINIC, media], patch.to_string()).await
    };
    let date = json!([
        { "op": "test", "path": "/lifecycleStatus", "value": "active" },
        { "op": "add", "path": "/startDate", "value": "2026-01-02" },
    ]);
    let told = send(date.clone(), PATCH).await;
    assert_eq!((status(&told), &told.json()["startDate"]), (200, &json!("2026-01-02")));
    let wrong = json!([{ "op": "test", "path": "/lifecycleStatus", "value": "proposed" }]);
    assert_eq!(status(&send(wrong, PATCH).await), 422);
    let bomb: Vec<Value> =
        (0..60).map(|n| json!({ "op": "copy", "from": "", "path": format!("/x{n}") })).collect();
    assert_eq!(status(&send(bomb.into(), PATCH).await), 422);
    assert_eq!(status(&send(json!({ "op": "add" }), PATCH).await), 400);
    assert_eq!(status(&send(date, JSON).await), 415);
    let id = json!([{ "op": "replace", "path": "/id", "value": "x" }]);
    assert_eq!(status(&send(id, PATCH).await), 400);
    assert_eq!(live.get(&path).await.json()["meta"]["versionId"], "2");
    assert_sound(&live);
}

#[tokio::test]
async fn a_merge_patch_replaces_what_it_names_and_takes_away_what_is_null() {
    let (live, patient) = live();
    let mut stated = goal_of(&patient, WALK, "active");
    stated["startDate"] = "2026-01-02".into();
    let path = format!("/fhir/Goal/{}", id_of(&post(&live, &stated).await));
    let send = async |patch: Value, media: &'static str| {
        live.send("PATCH", &path, &[CLINIC, ("content-type", media)], patch.to_string()).await
    };
    let patch = json!({ "lifecycleStatus": "on-hold", "startDate": null });
    let told = send(patch, "application/merge-patch+json").await;
    assert_eq!(status(&told), 200, "{}", told.body);
    let shown = told.json();
    assert_eq!((&shown["lifecycleStatus"], &shown["startDate"]), (&json!("on-hold"), &Value::Null));
    assert_eq!(shown["description"]["text"], WALK);
    // Clients that send plain JSON mean one or the other, by its shape.
    let told = send(json!({ "lifecycleStatus": "active" }), "application/json").await;
    assert_eq!(told.json()["lifecycleStatus"], "active");
    let list = json!([{ "op": "replace", "path": "/lifecycleStatus", "value": "completed" }]);
    assert_eq!(send(list, "application/json").await.json()["lifecycleStatus"], "completed");
    for (patch, media, refused) in [
        (json!({ "id": "x" }), "application/merge-patch+json", 400),
        (json!([]), "application/merge-patch+json", 400),
        (json!("x"), "application/json", 400),
        (json!({ "lifecycleStatus": null }), "application/merge-patch+json", 422),
    ] {
        assert_eq!(status(&send(patch.clone(), media).await), refused, "{patch}");
    }
    assert_sound(&live);
}

#[tokio::test]
async fn a_delete_withdraws_this_clients_claim_only() {
    let (live, patient) = live();
    live.says("mercy", &[goal("g", WALK, "active")]);
    let path = format!("/fhir/Goal/{}", live.id("mercy", "Goal/g"));
    let before = live.get(&path).await.json();
    let delete = async |path: &str| live.send("DELETE", path, &[CLINIC], "").await;
    let told = delete(&path).await;
    assert_eq!((status(&told), told.issue_codes()), (409, vec!["business-rule".to_owned()]));
    let mut claim = before.clone();
    claim["statusDate"] = "2026-11-01".into();
    put(&live, &claim, &[]).await;
    let told = delete(&path).await;
    assert_eq!((status(&told), told.issue_codes()), (200, vec!["informational".to_owned()]));
    let mut after = live.get(&path).await.json();
    after["meta"] = before["meta"].clone();
    assert_eq!(after, before, "as if it had never been said");
    assert_eq!(status(&delete(&path).await), 409);
    // Its own goes, and comes back by another update.
    let made = post(&live, &goal_of(&patient, "Drink water", "active")).await;
    let own = format!("/fhir/Goal/{}", id_of(&made));
    assert_eq!(status(&delete(&own).await), 204);
    assert_eq!(status(&live.get(&own).await), 410);
    assert_eq!(status(&delete(&own).await), 204);
    let back = put(&live, &made.json(), &[]).await;
    assert_eq!((status(&back), id_of(&back)), (201, id_of(&made)), "{}", back.body);
    assert_sound(&live);
}

#[tokio::test]
async fn a_conditional_create_makes_one_and_finds_it_again() {
    let (live, _) = live();
    let condition = ("if-none-exist", "identifier=http://clinic.test/mrn|7");
    let mut body = patient("7", "Hopper");
    body["identifier"][0]["system"] = "http://clinic.test/mrn".into();
    let send = async || {
        live.send("POST", "/fhir/Patient", &[CLINIC, JSON, condition], body.to_string()).await
    };
    let first = send().await;
    assert_eq!(status(&first), 201, "{}", first.body);
    let second = send().await;
    assert_eq!((status(&second), id_of(&second)), (200, id_of(&first)));
    let bad = [CLINIC, JSON, ("if-none-exist", "nonsense=1")];
    let told = live.send("POST", "/fhir/Patient", &bad, body.to_string()).await;
    assert_eq!(status(&told), 400);
    assert_sound(&live);
}

#[tokio::test]
async fn what_is_not_valid_is_refused_with_its_paths_and_quarantined() {
    let (live, patient) = live();
    let mut wrong = goal_of(&patient, WALK, "going-well");
    let told = post(&live, &wrong).await;
    assert_eq!(status(&told), 422, "{}", told.body);
    assert!(told.body.contains("Goal.lifecycleStatus"), "{}", told.body);
    wrong["lifecycleStatus"] = "active".into();
    wrong["subject"]["reference"] = "Patient/1".into();
    let told = post(&live, &wrong).await;
    assert_eq!((status(&told), told.issue_codes()), (422, vec!["not-found".to_owned()]));
    assert!(told.body.contains("Goal.subject"), "{}", told.body);
    let report = live.gateway.report().unwrap();
    assert_eq!(report.ledger.quarantined, 2);
    assert!(report.ledger.balanced);
    let woven = live.get(&format!("/fhir/Goal?patient={patient}")).await;
    assert_eq!(woven.json()["total"], 0);
    assert_sound(&live);
}

#[tokio::test]
async fn after_an_unlink_a_claim_goes_with_the_record_it_is_about() {
    let live = Live::new();
    let mut other = patient("v1", "Byron");
    other["birthDate"] = "1980-05-05".into();
    live.says("mercy", &[patient("m1", "Lovelace")]);
    live.says("valley", &[other, goal("g", WALK, "active")]);
    let [mercy, valley] = ["mercy", "valley"].map(|endpoint| live.id(endpoint, "Patient/1"));
    let alone = live.get(&format!("/fhir/Patient/{mercy}/$everything")).await.json();
    live.decides(Verdict::Link);
    let path = format!("/fhir/Goal/{}", live.id("valley", "Goal/g"));
    let mut claim = live.get(&path).await.json();
    assert_eq!(claim["subject"]["reference"], format!("Patient/{mercy}"));
    claim["startDate"] = "2026-01-02".into();
    let told = put(&live, &claim, &[]).await;
    assert_eq!(status(&told), 200, "{}", told.body);
    live.decides(Verdict::NoMatch);
    let goal = live.get(&path).await.json();
    assert_eq!(goal["startDate"], "2026-01-02");
    assert_eq!(goal["subject"]["reference"], format!("Patient/{valley}"));
    let again = live.get(&format!("/fhir/Patient/{mercy}/$everything")).await.json();
    assert_eq!(again["total"], alone["total"], "{again}");
    assert_sound(&live);
}

#[tokio::test]
async fn what_careweave_makes_takes_no_claims() {
    let (live, patient) = live();
    live.says("mercy", &[goal("g", WALK, "active")]);
    let plan = live.get(&format!("/fhir/CarePlan?patient={patient}&_tag=woven")).await.json();
    let plan = plan["entry"][0]["resource"].clone();
    let told = put(&live, &plan, &[]).await;
    assert_eq!((status(&told), told.issue_codes()), (405, vec!["business-rule".to_owned()]));
    // It may be referred to.
    let task = json!({
        "resourceType": "Task", "status": "requested", "intent": "order",
        "for": { "reference": format!("Patient/{patient}") },
        "basedOn": [{ "reference": format!("CarePlan/{}", plan["id"].as_str().unwrap()) }],
    });
    let made = post(&live, &task).await;
    assert_eq!((status(&made), &made.json()["basedOn"]), (201, &task["basedOn"]), "{}", made.body);
    let unknown = goal("none", WALK, "active");
    assert_eq!(status(&put(&live, &unknown, &[]).await), 405);
    assert_sound(&live);
}

fn id_of(told: &Told) -> String {
    told.json()["id"].as_str().unwrap_or_default().to_owned()
}
