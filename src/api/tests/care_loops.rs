//! Referral loops over several providers, from the first task to the closed order.
#![expect(clippy::unwrap_used, reason = "test")]

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::live::{Live, patient};

const SNOMED: &str = "http://snomed.info/sct";

fn of_patient(mut resource: Value, more: Value) -> Value {
    let subject = if resource["resourceType"] == "Task" { "for" } else { "subject" };
    resource[subject] = json!({"reference": "Patient/1"});
    for (name, value) in more.as_object().unwrap() {
        resource[name] = value.clone();
    }
    resource
}

fn referral(id: &str, status: &str, more: Value) -> Value {
    let order = json!({"resourceType": "ServiceRequest", "id": id, "status": status,
        "intent": "order", "authoredOn": "2026-01-05",
        "code": {"coding": [{"system": SNOMED, "code": "3457005"}], "text": format!("Help {id}")}});
    of_patient(order, more)
}

fn task(id: &str, focus: &str, status: &str, more: Value) -> Value {
    let task = json!({"resourceType": "Task", "id": id, "status": status, "intent": "order",
        "authoredOn": "2026-01-06T08:00:00Z", "lastModified": "2026-01-07T08:00:00Z",
        "code": {"coding": [{"system": "http://hl7.org/fhir/CodeSystem/task-code",
            "code": "fulfill"}]},
        "owner": {"display": "Harbor"}, "focus": {"reference": format!("ServiceRequest/{focus}")}});
    of_patient(task, more)
}

/// The stages that a finding about loops went through, by the change log; `gone` where it ended.
fn history(live: &Live) -> Vec<String> {
    let changes = live.gateway.store().changes(&crate::flow::Access::system(), 0, 1000).unwrap();
    let issues = changes.into_iter().filter(|c| c.resource_type.name() == "DetectedIssue");
    issues.map(|change| format!("{:?}", change.kind)).collect()
}

async fn loops(live: &Live, query: &str) -> Vec<Value> {
    let told = live.get(&format!("/care/loops?{query}")).await;
    assert_eq!(told.status, StatusCode::OK, "{}", told.body);
    told.json()["loops"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_referral_is_followed_through_an_intermediary_to_its_close() {
    let live = Live::new();
    live.says("mercy", &[patient("m1", "Lovelace"), referral("r", "active", json!({}))]);
    let mut seen = Vec::new();
    let mut stage = async |live: &Live| {
        let all = loops(live, "status=open").await;
        assert_eq!(all.len(), 1, "one loop, however many orders: {all:#?}");
        let findings = all[0]["findings"].as_array().unwrap().clone();
        assert!(!findings.is_empty(), "{all:#?}");
        seen.push(all[0]["stage"].as_str().unwrap().to_owned());
        all[0].clone()
    };
    stage(&live).await;
    live.says("mercy", &[task("t", "r", "requested", json!({}))]);
    stage(&live).await;
    live.says("mercy", &[task("t", "r", "accepted", json!({}))]);
    stage(&live).await;
    // The coordinator passes it on to a food bank: an order and a task of their own.
    let passed_on = json!({"basedOn": [{"reference": "ServiceRequest/r"}]});
    let part = json!({"partOf": [{"reference": "Task/t"}], "owner": {"display": "Food bank"}});
    live.says("mercy", &[referral("s", "active", passed_on.clone())]);
    live.says("mercy", &[task("u", "s", "in-progress", part.clone())]);
    let chain = stage(&live).await;
    assert_eq!(chain["request"]["service"], "Help r");
    assert_eq!(chain["toldBy"]["reference"], format!("Task/{}", live.id("mercy", "Task/u")));
    assert_eq!(chain["passedOn"][0]["stage"], "in-progress", "{chain:#}");
    live.says("mercy", &[referral("s", "completed", passed_on), task("u", "s", "completed", part)]);
    stage(&live).await;
    live.says("mercy", &[task("t", "r", "completed", json!({}))]);
    stage(&live).await;
    let stages =
        ["unsent", "sent", "accepted", "in-progress", "done-further-on", "awaiting-closure"];
    assert_eq!(seen, stages);
    live.says("mercy", &[referral("r", "completed", json!({}))]);
    assert!(loops(&live, "status=open").await.is_empty());
    let person = live.id("mercy", "Patient/1");
    let closed = loops(&live, &format!("patient={person}&status=closed")).await;
    assert_eq!(closed.len(), 2, "{closed:#?}");
    let leg = closed.iter().find(|c| c["request"]["service"] == "Help s").unwrap();
    assert_eq!(
        leg["within"]["reference"],
        format!("ServiceRequest/{}", live.id("mercy", "ServiceRequest/r"))
    );
    let log = history(&live);
    assert!(log.len() > stages.len(), "each stage is a change: {log:?}");
    assert_eq!(log.last().map(String::as_str), Some("Removed"), "{log:?}");
}

#[tokio::test]
async fn loops_are_paged_over_all_persons_and_chosen_by_stage() {
    let live = Live::new();
    for n in 1..=3 {
        let id = |resource: &Value| {
            let text = resource.to_string().replace("Patient/1", &format!("Patient/{n}"));
            serde_json::from_str::<Value>(&text).unwrap()
        };
        let mut somebody = patient(&format!("m{n}"), ["Ada", "Bo", "Cy"][n - 1]);
        somebody["id"] = json!(n.to_string());
        somebody["birthDate"] = json!(format!("19{n}0-02-22"));
        let status = ["requested", "requested", "rejected"][n - 1];
        let (r, t) = (format!("r{n}"), format!("t{n}"));
        let (order, task) = (referral(&r, "active", json!({})), task(&t, &r, status, json!({})));
        live.says("mercy", &[somebody, id(&order), id(&task)]);
    }
    assert_eq!(loops(&live, "stage=sent").await.len(), 2);
    assert_eq!(loops(&live, "stage=rejected").await.len(), 1);
    let (mut next, mut found) = (Some("/care/loops?_count=2".to_owned()), Vec::new());
    let mut pages = 0;
    while let Some(path) = next {
        let told = live.get(&path).await.json();
        found.extend(told["loops"].as_array().unwrap().clone());
        let url = told["next"].as_str();
        next = url.map(|url| url.strip_prefix("http://gateway.test").unwrap().to_owned());
        pages += 1;
    }
    let mut people: Vec<&str> =
        found.iter().map(|l| l["patient"]["reference"].as_str().unwrap()).collect();
    people.sort_unstable();
    people.dedup();
    assert_eq!((pages, found.len(), people.len()), (2, 3, 3));
    for (query, status) in [
        ("status=closed", 400),
        ("stage=closed", 400),
        ("status=ajar", 400),
        ("stage=nowhere", 400),
        ("colour=red", 400),
        ("_count=-1", 400),
        ("_cursor=00", 400),
    ] {
        let told = live.get(&format!("/care/loops?{query}")).await;
        assert_eq!(told.status.as_u16(), status, "{query}: {}", told.body);
        assert_eq!(told.json()["resourceType"], "OperationOutcome");
    }
}

#[tokio::test]
async fn a_step_that_the_state_machine_does_not_have_is_kept_and_told() {
    let live = Live::new();
    live.says("mercy", &[patient("m1", "Lovelace"), referral("r", "active", json!({}))]);
    let rules = async |live: &Live| -> Vec<String> {
        let found = live.get("/fhir/DetectedIssue?code=illegal-transition").await.json();
        let all = found["entry"].as_array().cloned().unwrap_or_default();
        all.iter().filter_map(|e| e["resource"]["detail"].as_str().map(str::to_owned)).collect()
    };
    // Steps in between were not seen: accepted may have been.
    for status in ["requested", "in-progress", "completed"] {
        live.says("mercy", &[task("t", "r", status, json!({}))]);
        assert_eq!(rules(&live).await, Vec::<String>::new(), "{status}");
    }
    live.says("mercy", &[task("t", "r", "in-progress", json!({}))]);
    let told = rules(&live).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("from completed to in-progress at mercy"), "{told:?}");
    let task = live.get(&format!("/fhir/Task/{}", live.id("mercy", "Task/t"))).await.json();
    assert_eq!(task["status"], "in-progress", "what is stated is shown");
    let all = loops(&live, "status=open").await;
    let about = all[0]["findings"].as_array().unwrap();
    assert!(about.iter().any(|f| f["rule"] == "illegal-transition"), "{about:#?}");
}
