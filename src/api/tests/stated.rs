//! What the CapabilityStatement says against what is served, both ways; and the operations.
#![expect(clippy::unwrap_used, reason = "test")]

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::live::{Live, goal, patient};
use super::world::{BASE, Told};
use crate::api::operations::OPERATIONS;
use crate::api::routes::{Stated, table};
use crate::fhir::StructureCheck;

/// A route's path, filled in.
fn filled(path: &str, id: &str) -> String {
    let path = path.replace("{type}/{id}/{member}", "Patient/{id}/Goal");
    let path = path.replace("{type}", "Goal").replace("{version}", "1");
    let path = match path.starts_with("/fhir/OperationDefinition") {
        true => path.replace("{id}", "everything"),
        false => path.replace("{id}", id),
    };
    path.replace("{endpoint}", "mercy").replace(&format!("/fhir/Goal/{id}/x"), "/fhir/Goal/g")
}

fn is_routed(told: &Told) -> bool {
    told.status.as_u16() != 405
        && !told.body.contains("there is nothing here; GET /fhir/metadata lists")
}

#[tokio::test]
async fn every_route_is_stated_and_every_stated_interaction_answers() {
    let live = Live::new();
    live.says("mercy", &[patient("m1", "Lovelace"), goal("g", "Walk", "active")]);
    let id = live.id("mercy", "Goal/g");
    let statement = live.get("/fhir/metadata").await.json();
    let rest = &statement["rest"][0];
    let resources = rest["resource"].as_array().unwrap();
    let of_goal = resources.iter().find(|r| r["type"] == "Goal").unwrap();
    let codes = |list: &Value, name: &str| -> BTreeSet<String> {
        let listed = list.as_array().cloned().unwrap_or_default();
        listed.iter().map(|item| item[name].as_str().unwrap().to_owned()).collect()
    };
    let of_type = codes(&of_goal["interaction"], "code");
    let of_system = codes(&rest["interaction"], "code");
    let operations: BTreeSet<String> = resources
        .iter()
        .map(|resource| &resource["operation"])
        .chain([&rest["operation"]])
        .flat_map(|operations| codes(operations, "name"))
        .collect();
    let (mut types, mut systems, mut named) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut conditional = BTreeSet::new();
    for route in table() {
        for (method, stated) in &route.states {
            match stated {
                Stated::Nothing => {}
                Stated::Conditional(code) => drop(conditional.insert(*code)),
                Stated::Type(code) => drop(types.insert((*code).to_owned())),
                Stated::System(codes) => systems.extend(codes.iter().map(|c| (*c).to_owned())),
                Stated::Operation(code) => drop(named.insert((*code).to_owned())),
            }
            let told = live.send(method, &filled(route.path, &id), &[], "").await;
            assert!(is_routed(&told), "{method} {}: {}", route.path, told.body);
        }
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            if !route.states.iter().any(|(known, _)| known == &method) {
                let told = live.send(method, &filled(route.path, &id), &[], "").await;
                assert!(!is_routed(&told), "{method} {} is not stated", route.path);
            }
        }
    }
    assert_eq!((of_type, of_system, operations), (types, systems, named.clone()));
    let names = ["conditionalCreate", "conditionalUpdate", "conditionalDelete"];
    let stated = names.map(|name| of_goal[name].clone());
    assert_eq!(stated, [json!(true), json!(true), json!("single")]);
    assert_eq!(conditional.into_iter().collect::<Vec<_>>(), ["delete", "patch", "update"]);
    let known: BTreeSet<String> = OPERATIONS.iter().map(|o| o.code.to_owned()).collect();
    assert_eq!(known, named, "each operation has a definition and a route");
}

#[tokio::test]
async fn definitions_of_operations_are_served_and_right() {
    let live = Live::new();
    let check = StructureCheck::new(&[]).unwrap();
    let all = live.get("/fhir/OperationDefinition").await;
    let bundle = all.json();
    assert!(check.check(&all.body, &bundle).is_empty());
    assert_eq!(bundle["total"], OPERATIONS.len());
    for entry in bundle["entry"].as_array().unwrap() {
        let url = entry["fullUrl"].as_str().unwrap();
        let told = live.get(url.trim_start_matches(BASE)).await;
        assert_eq!(told.json(), entry["resource"]);
        let problems = check.check(&told.body, &told.json());
        assert!(problems.is_empty(), "{problems:?}");
    }
    let everything = live.get("/fhir/OperationDefinition/everything").await.json();
    let levels = ["system", "type", "instance"].map(|level| everything[level].as_bool().unwrap());
    assert_eq!((levels, &everything["resource"]), ([false, false, true], &json!(["Patient"])));
    assert_eq!(live.get("/fhir/OperationDefinition/x").await.status.as_u16(), 404);
}

#[tokio::test]
async fn validate_tells_what_is_wrong_and_keeps_nothing() {
    let live = Live::new();
    let send = async |path: &str, body: Value| {
        let json = [("content-type", "application/fhir+json")];
        live.send("POST", path, &json, body.to_string()).await
    };
    let right = goal("g", "Walk", "active");
    let wrong = goal("g", "Walk", "going-well");
    let within = |goal: &Value| {
        json!({ "resourceType": "Parameters",
                "parameter": [{ "name": "resource", "resource": goal }] })
    };
    for (body, is_right) in
        [(&right, true), (&wrong, false), (&within(&right), true), (&within(&wrong), false)]
    {
        for path in ["/fhir/Goal/$validate", "/fhir/Goal/x/$validate"] {
            let told = send(path, body.clone()).await;
            assert_eq!(told.status.as_u16(), 200, "{}", told.body);
            let errors = told.json()["issue"].to_string().contains("Goal.lifecycleStatus");
            assert_eq!(errors, !is_right, "{}", told.body);
        }
    }
    assert_eq!(send("/fhir/Task/$validate", right.clone()).await.status.as_u16(), 400);
    assert_eq!(send("/fhir/Goal/$validate", json!({})).await.status.as_u16(), 400);
    let report = live.gateway.report().unwrap();
    assert_eq!(report.ledger.received, 0);
}

#[tokio::test]
async fn meta_and_the_documents_of_a_patient() {
    let live = Live::new();
    let document = json!({
        "resourceType": "DocumentReference", "id": "d", "status": "current",
        "subject": { "reference": "Patient/1" },
        "type": { "coding": [{ "system": "http://loinc.org", "code": "34133-9" }] },
        "content": [{ "attachment": { "contentType": "text/plain", "data": "aGk=" } }],
    });
    live.says("mercy", &[patient("m1", "Lovelace"), document]);
    let meta = live.get(&format!("/fhir/Patient/{}/$meta", live.id("mercy", "Patient/1"))).await;
    let told = meta.json();
    assert_eq!(told["parameter"][0]["name"], "return");
    assert_eq!(told["parameter"][0]["valueMeta"]["versionId"], "1");
    for path in ["/fhir/$meta", "/fhir/Goal/$meta"] {
        assert!(live.get(path).await.body.contains("\"woven\""), "{path}");
    }
    assert_eq!(live.get("/fhir/Gaol/$meta").await.status.as_u16(), 404);
    let patient = live.id("mercy", "Patient/1");
    let path = "/fhir/DocumentReference/$docref";
    for (query, total) in [
        (format!("patient={patient}"), 1),
        (format!("patient={patient}&type=http://loinc.org|34133-9"), 1),
        (format!("patient={patient}&type=http://loinc.org|1-1"), 0),
    ] {
        let told = live.get(&format!("{path}?{query}")).await;
        assert_eq!(told.json()["total"], total, "{query}: {}", told.body);
    }
    let body = json!({ "resourceType": "Parameters",
                       "parameter": [{ "name": "patient", "valueId": patient }] });
    let json = [("content-type", "application/fhir+json")];
    let told = live.send("POST", path, &json, body.to_string()).await;
    assert_eq!(told.json()["total"], 1, "{}", told.body);
    for bad in ["", "?start=2020", "?patient=x&colour=red"] {
        let told = live.get(&format!("{path}{bad}")).await;
        assert_eq!(told.status.as_u16(), 400, "{bad}: {}", told.body);
    }
}
