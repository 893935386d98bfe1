//! Searches, named as coverage cells: type, parameters.
#![expect(clippy::unwrap_used, reason = "test")]

use axum::http::StatusCode;

use super::live::{Live, goal, patient};
use super::world::World;

/// How many rows a search of Ada gives; the patient named in every way.
async fn expect(world: &World, query: &str, rows: &[&str]) {
    let (name, query) = query.split_once('?').unwrap();
    let mut wanted: Vec<String> = rows
        .iter()
        .map(|row| match *row {
            "woven" => format!("CarePlan/{}", world.woven()),
            row => format!("{name}/{}", world.id("mercy", &format!("{name}/{row}"))),
        })
        .collect();
    wanted.sort();
    for patient in [
        format!("patient={}", world.ada()),
        format!("patient=Patient/{}", world.id("valley", "Patient/1")),
        "patient=http://valley.test/r4/Patient/1".to_owned(),
        "patient.identifier=urn:mrn%7CA-1".to_owned(),
        "patient:identifier=urn:mrn|A-1".to_owned(),
    ] {
        let path = format!("/fhir/{name}?{patient}&{query}");
        let told = world.get(&path).await;
        assert_eq!(told.status, StatusCode::OK, "{path}: {}", told.body);
        let mut found = told.references("match");
        found.sort();
        assert_eq!(found, wanted, "{path}");
    }
    let form = format!("patient={}&{query}", world.ada());
    let posted = world.post(&format!("/fhir/{name}/_search"), &form).await;
    assert_eq!(posted.references("match").len(), rows.len(), "POST {form}");
}

#[tokio::test]
async fn care_plan_patient_category_status_search() {
    let world = World::new();
    expect(&world, "CarePlan?category=assess-plan&status=active", &["woven", "p1"]).await;
    let category = "http://hl7.org/fhir/us/core/CodeSystem/careplan-category|assess-plan";
    expect(&world, &format!("CarePlan?category={category}"), &["woven", "p1", "p2"]).await;
    expect(&world, "CarePlan?category:not=assess-plan", &[]).await;
    expect(&world, "CarePlan?status=active,completed&_tag=woven", &["woven"]).await;
}

#[tokio::test]
async fn goal_patient_lifecycle_status_achievement_status_target_date_search() {
    let world = World::new();
    expect(&world, "Goal?lifecycle-status=active", &["g1"]).await;
    let achieved = "http://terminology.hl7.org/CodeSystem/goal-achievement|achieved";
    expect(&world, &format!("Goal?achievement-status={achieved}"), &["g2"]).await;
    expect(&world, "Goal?target-date=ge2026-12-01", &["g1"]).await;
    expect(&world, "Goal?lifecycle-status=active&target-date=lt2026-12-01", &[]).await;
}

#[tokio::test]
async fn service_request_patient_status_category_code_search() {
    let world = World::new();
    expect(&world, "ServiceRequest?status=active&category=education&code=urn:codes|diet", &["s"])
        .await;
    expect(&world, "ServiceRequest?code=urn:other|diet", &[]).await;
}

#[tokio::test]
async fn task_patient_status_owner_search() {
    let world = World::new();
    let clinic = world.id("mercy", "Organization/clinic");
    expect(&world, &format!("Task?status=requested&owner=Organization/{clinic}"), &["t"]).await;
    expect(&world, "Task?owner=http://mercy.test/r4/Organization/clinic", &["t"]).await;
    let path = format!("/fhir/Task?owner=Organization/{clinic}&status=requested");
    let across = world.get(&path).await;
    assert_eq!(across.references("match").len(), 1);
}

#[tokio::test]
async fn patient_identifier_search() {
    let world = World::new();
    let told = world.get("/fhir/Patient?identifier=urn:mrn|A-1").await;
    assert_eq!(told.references("match"), [format!("Patient/{}", world.ada())]);
    let other_system = world.get("/fhir/Patient?identifier=urn:other|A-1").await;
    assert_eq!(other_system.json()["total"], 0);
}

#[tokio::test]
async fn patient_family_birthdate_search() {
    let world = World::new();
    let told = world.get("/fhir/Patient?family=lovelace&birthdate=1975-12-10").await;
    assert_eq!(told.references("match"), [format!("Patient/{}", world.ada())]);
    let both = world.get("/fhir/Patient?family=Love").await;
    assert_eq!(both.json()["total"], 2);
    let path = format!("/fhir/Patient?_id={}", world.id("valley", "Patient/1"));
    let merged = world.get(&path).await;
    assert_eq!(merged.references("match"), [format!("Patient/{}", world.ada())]);
}

#[tokio::test]
async fn organization_identifier_and_name_search() {
    let world = World::new();
    for query in ["identifier=urn:npi|5", "name=river"] {
        let told = world.get(&format!("/fhir/Organization?{query}")).await;
        assert_eq!(told.references("match").len(), 1, "{query}");
    }
}

#[tokio::test]
async fn a_shared_identifier_gives_no_rows_and_a_source_id_names_nobody() {
    let world = World::new();
    let told = world.get("/fhir/Goal?patient.identifier=urn:shared|77").await;
    assert_eq!((told.status, told.references("match").len()), (StatusCode::OK, 0));
    assert!(told.issue_codes().contains(&"multiple-matches".to_owned()));
    for value in ["1", "Patient/1", "http://elsewhere.test/Patient/1"] {
        let told = world.get(&format!("/fhir/Goal?patient={value}")).await;
        assert_eq!(told.json()["total"], 0, "{value}");
    }
}

#[tokio::test]
async fn a_patient_that_is_not_known_is_told_of_however_named() {
    let world = World::new();
    let of_another_type = world.id("mercy", "Goal/g1");
    for name in [
        "patient=1",
        "patient=http://elsewhere.test/Patient/1",
        "patient=http://mercy.test/r4/Patient/777777",
        "patient=http://mercy.test/r4/Goal/g1",
        &format!("patient={of_another_type}"),
        &format!("patient=Patient/{of_another_type}"),
        "patient.identifier=urn:shared|none",
    ] {
        let told = world.get(&format!("/fhir/Goal?{name}")).await;
        assert_eq!((told.status, &told.json()["total"]), (StatusCode::OK, &0.into()), "{name}");
        assert!(told.issue_codes().contains(&"not-found".to_owned()), "{name}");
        assert!(!told.json()["entry"].to_string().contains("777777"), "{name}");
    }
    let known = world.get("/fhir/Goal?patient=http://mercy.test/r4/Patient/1").await;
    assert!(!known.issue_codes().contains(&"not-found".to_owned()));
}

#[tokio::test]
async fn a_search_that_says_not_where_to_look_is_too_costly() {
    let world = World::new();
    for query in [
        "Goal",
        "Patient",
        "Observation?date=ge2020",
        "Goal?target-date=ne2020",
        "Patient?birthdate=1975-12-10",
        "Observation?code=weight",
        "Goal?_has:x:y:z=1",
        "Goal?patient.family=Lovelace",
        "Patient?family:contains=ove",
    ] {
        let told = world.get(&format!("/fhir/{query}")).await;
        assert_eq!(told.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(told.issue_codes(), ["too-costly"], "{query}");
        assert!(told.body.contains("_id="), "{query}");
    }
}

#[tokio::test]
async fn care_plan_include_goal_and_revinclude_provenance() {
    let world = World::new();
    let path = format!(
        "/fhir/CarePlan?patient={}&_include=CarePlan:goal&_include=CarePlan:condition\
         &_revinclude=Provenance:target",
        world.ada()
    );
    let told = world.get(&path).await;
    assert_eq!(told.references("match")[0], format!("CarePlan/{}", world.woven()));
    let mut included = told.references("include");
    // 2 goals and a condition, each once; a Provenance of ours for each of 3 plans.
    assert_eq!(included.len(), 6, "{included:?}");
    included.dedup();
    assert_eq!(included.len(), 6);
    let goals = format!("/fhir/Goal?patient={}&_revinclude=Provenance:target", world.ada());
    let provenances = world.get(&goals).await.references("include");
    assert!(provenances.contains(&format!("Provenance/{}", world.id("mercy", "Provenance/pr"))));
    assert_eq!(provenances.len(), 3);
}

#[tokio::test]
async fn pages_give_every_row_once_even_when_asked_by_other_counts() {
    let world = World::new();
    let mut path = format!("/fhir/Observation?patient={}&_count=7", world.ada());
    let mut seen = Vec::new();
    loop {
        let told = world.get(&path).await;
        assert_eq!(told.json()["total"], 120);
        seen.extend(told.references("match"));
        let Some(next) = told.link("next") else { break };
        path = if seen.len() < 30 { next } else { next.replace("_count=7", "_count=40") };
    }
    assert_eq!(seen.len(), 120);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 120);
    let first = world.get(&format!("/fhir/Observation?patient={}&_count=7", world.ada())).await;
    let next = first.link("next").unwrap();
    let elsewhere = next.replace("/Observation", "/Goal");
    assert_eq!(world.get(&elsewhere).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_row_that_stays_is_given_once_whatever_comes_and_goes_meanwhile() {
    let world = World::new();
    let stays: Vec<usize> = (0..120).filter(|n| n % 3 != 0).collect();
    let mut path = format!("/fhir/Observation?patient={}&_count=9", world.ada());
    let mut seen = Vec::new();
    for round in 0.. {
        let told = world.get(&path).await;
        seen.extend(told.references("match"));
        let Some(next) = told.link("next") else { break };
        path = next;
        // Others come with every page, and those of the page before go.
        let fresh = 1000 + 50 * round..1050 + 50 * round;
        let now: Vec<usize> = stays.iter().copied().chain(fresh).collect();
        world.reweave_observations(&now);
    }
    for n in stays {
        let row = format!("Observation/{}", world.id("mercy", &format!("Observation/o{n}")));
        assert_eq!(seen.iter().filter(|found| **found == row).count(), 1, "o{n}");
    }
}

#[tokio::test]
async fn counts_without_rows() {
    let world = World::new();
    for query in ["_count=0", "_summary=count"] {
        let told = world.get(&format!("/fhir/Observation?patient={}&{query}", world.ada())).await;
        assert_eq!(told.json()["total"], 120, "{query}");
        assert!(told.references("match").is_empty() && told.link("next").is_none(), "{query}");
    }
}

#[tokio::test]
async fn what_is_not_supported_is_reported_or_refused() {
    let world = World::new();
    let path = format!("/fhir/Goal?patient={}&colour=red", world.ada());
    let lenient = world.get(&path).await;
    assert_eq!(lenient.json()["total"], 2);
    assert!(lenient.issue_codes().contains(&"not-supported".to_owned()));
    assert!(!lenient.link("self").unwrap().contains("colour"));
    let strict = world.get_with(&path, "prefer", "handling=strict").await;
    assert_eq!(strict.status, StatusCode::BAD_REQUEST);
    assert!(!strict.body.contains("red"));
}

#[tokio::test]
async fn a_searchset_says_which_endpoint_failed() {
    let world = World::new();
    let told = world.get(&format!("/fhir/Goal?patient={}", world.ada())).await;
    assert!(told.issue_codes().contains(&"incomplete".to_owned()));
    assert!(told.body.contains("endpoint valley could not be pulled completely"));
    assert!(!told.body.contains("connection refused"));
}

#[tokio::test]
async fn what_changed_lately_is_found_across_persons() {
    let live = Live::new();
    live.says("mercy", &[patient("m1", "Lovelace"), goal("g", "Walk", "active")]);
    let mut other = patient("v1", "Byron");
    other["birthDate"] = "1980-05-05".into();
    live.says("valley", &[other, goal("g", "Swim", "active"), goal("h", "Sleep", "active")]);
    let id = live.id("valley", "Goal/h");
    let last = live.get(&format!("/fhir/Goal/{id}")).await.json();
    let last = last["meta"]["lastUpdated"].as_str().unwrap();
    for (query, total) in [
        ("_lastUpdated=ge2020".to_owned(), 3),
        (format!("_lastUpdated=ge{last}"), 1),
        (format!("_lastUpdated=sa{last}"), 0),
        (format!("_lastUpdated=ge2020&_lastUpdated=lt{last}"), 2),
        (format!("_lastUpdated={last},gt2090"), 1),
        (format!("lifecycle-status=active&_lastUpdated=ge{last}"), 1),
    ] {
        let told = live.get(&format!("/fhir/Goal?{query}")).await;
        assert_eq!(told.json()["total"], total, "{query}: {}", told.body);
    }
    for query in ["_lastUpdated=lt2100", "_lastUpdated=ge2020,lt2000", "_lastUpdated=ne2020"] {
        let told = live.get(&format!("/fhir/Goal?{query}")).await;
        assert_eq!(told.issue_codes(), ["too-costly"], "{query}");
    }
    live.deletes("valley", "Goal/h");
    let told = live.get(&format!("/fhir/Goal?_lastUpdated=ge{last}")).await;
    assert_eq!(told.json()["total"], 0, "{}", told.body);
}
