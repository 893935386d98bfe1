//! Reads: rows, aliases, retired Patients, Provenances, source records, the statement.
#![expect(clippy::unwrap_used, reason = "test")]

use axum::body::Body;
use axum::http::{Request, StatusCode};

use serde_json::json;

use super::live::{Live, goal, patient};
use super::world::{BASE, World};
use crate::api::metadata::statement;
use crate::api::served;
use crate::fhir::search::SearchTable;
use crate::fhir::{ResourceType, StructureCheck};
use crate::flow::{Access, DerivedId};

#[tokio::test]
async fn a_row_is_read_with_its_version_and_not_again_when_known() {
    let world = World::new();
    let path = format!("/fhir/Goal/{}", world.id("mercy", "Goal/g1"));
    let told = world.get(&path).await;
    assert_eq!(told.status, StatusCode::OK);
    assert_eq!(told.json()["meta"]["versionId"], "1");
    assert_eq!(told.header("etag"), "W/\"1\"");
    assert_eq!(told.header("last-modified"), "Sun, 22 Nov 2026 11:00:00 GMT");
    assert_eq!(
        told.header("x-careweave-endpoints"),
        "mercy=complete@2026-11-22T10:00:00Z; valley=failed"
    );
    let again = world.get_with(&path, "if-none-match", "W/\"1\"").await;
    assert_eq!((again.status, again.body.as_str()), (StatusCode::NOT_MODIFIED, ""));
    for (time, status) in [
        ("Sun, 22 Nov 2026 11:00:00 GMT", 304),
        ("Sun, 22 Nov 2026 10:59:59 GMT", 200),
        ("yesterday", 200),
    ] {
        let told = world.get_with(&path, "if-modified-since", time).await;
        assert_eq!(told.status.as_u16(), status, "{time}");
    }
    let head = Request::head(&path).body(Body::empty()).unwrap();
    let head = world.send(head).await;
    assert_eq!((head.status, head.body.as_str()), (StatusCode::OK, ""));
}

#[tokio::test]
async fn an_earlier_version_stays_readable() {
    let world = World::new();
    let path = format!("/fhir/Observation/{}", world.id("mercy", "Observation/o1"));
    let first = world.get(&path).await;
    let same = world.get(&format!("{path}/_history/1")).await;
    assert_eq!((same.status, &same.body), (StatusCode::OK, &first.body));
    world.reweave_observations(&[1]);
    let now = world.get(&path).await;
    assert_eq!(now.json()["meta"]["versionId"], "2");
    for (version, told) in [("1", &first), ("2", &now)] {
        let read = world.get(&format!("{path}/_history/{version}")).await;
        assert_eq!((read.status, &read.body), (StatusCode::OK, &told.body), "{version}");
        assert_eq!(read.header("etag"), format!("W/\"{version}\""));
    }
    for version in ["0", "3", "01", "+1", "x", "99999999999"] {
        let told = world.get(&format!("{path}/_history/{version}")).await;
        assert_eq!((told.status, told.issue_codes()), not_found(), "{version}");
    }
    let patient = format!("/fhir/Patient/{}/_history/1", world.ada());
    assert_eq!(world.get(&patient).await.status, StatusCode::OK);
    let trail = world.store.audit_trail(&Access::system(), 0, 20).unwrap();
    let last = &trail.last().unwrap().entry;
    assert_eq!((&*last.action, &*last.resource_type, last.count), ("read", "Patient", 1));
    assert_eq!(last.owners, vec![world.ada().parse::<DerivedId>().unwrap()]);
}

fn not_found() -> (StatusCode, Vec<String>) {
    (StatusCode::NOT_FOUND, vec!["not-found".to_owned()])
}

#[tokio::test]
async fn every_alias_answers_and_a_merged_patient_points_to_the_shown_one() {
    let world = World::new();
    let shown = world.id("mercy", "Goal/g1");
    let told = world.get(&format!("/fhir/Goal/{}", world.id("valley", "Goal/g1"))).await;
    assert_eq!(told.json()["id"], shown);
    assert_eq!(told.header("content-location"), format!("{BASE}/fhir/Goal/{shown}"));
    let retired = world.id("valley", "Patient/1");
    let told = world.get(&format!("/fhir/Patient/{retired}")).await;
    assert_eq!(told.status, StatusCode::OK);
    let patient = told.json();
    assert_eq!((&patient["id"], &patient["active"]), (&retired.into(), &false.into()));
    let other = format!("Patient/{}", world.ada());
    assert_eq!(patient["link"][0]["other"]["reference"], other);
    assert_eq!(patient["link"][0]["type"], "replaced-by");
}

#[tokio::test]
async fn what_never_was_is_404_and_what_no_longer_is_410() {
    let world = World::new();
    let goal = world.id("mercy", "Goal/g1");
    for path in [
        format!("/fhir/Goal/{}", DerivedId(1)),
        "/fhir/Goal/g1".to_owned(),
        format!("/fhir/Condition/{goal}"),
        "/fhir/Slot/1".to_owned(),
        "/fhir/Nonsense/1".to_owned(),
        "/nowhere".to_owned(),
        "/sources/mercy/fhir/Goal/none".to_owned(),
        format!("/fhir/Provenance/Goal.{}", DerivedId(1)),
    ] {
        let told = world.get(&path).await;
        assert_eq!(told.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(told.json()["resourceType"], "OperationOutcome", "{path}");
    }
    let gone = world.get(&format!("/fhir/CarePlan/{}", DerivedId(4711))).await;
    assert_eq!((gone.status, gone.issue_codes()), (StatusCode::GONE, vec!["deleted".to_owned()]));
}

#[tokio::test]
async fn a_provenance_names_every_source_and_a_source_reads_as_stated() {
    let world = World::new();
    let goal = world.id("mercy", "Goal/g1");
    let told = world.get(&format!("/fhir/Provenance/Goal.{goal}")).await;
    assert_eq!(told.status, StatusCode::OK);
    assert_eq!(told.json()["entity"].as_array().map(Vec::len), Some(2));
    let stated = world.get("/sources/valley/fhir/Goal/g1").await;
    assert_eq!((stated.status, stated.header("etag")), (StatusCode::OK, "W/\"7\""));
    assert!(stated.json().get("meta").is_none());
}

#[tokio::test]
async fn every_disclosure_has_its_audit_entry_without_search_values() {
    let world = World::new();
    world.get_with(&format!("/fhir/Patient/{}", world.ada()), "x-request-id", "r-1").await;
    world.get("/fhir/Patient?family=Lovelace&given=Ada").await;
    world.get(&format!("/fhir/Goal/{}", DerivedId(1))).await;
    let trail = world.store.audit_trail(&Access::system(), 0, 10).unwrap();
    let entries: Vec<_> = trail.iter().map(|row| &row.entry).collect();
    assert_eq!(entries.len(), 3);
    assert_eq!(
        (&*entries[0].action, &*entries[0].request_id, entries[0].count),
        ("read", "r-1", 1)
    );
    assert_eq!(entries[1].owners, vec![world.ada().parse::<DerivedId>().unwrap()]);
    assert_eq!((entries[2].count, entries[2].owners.len()), (0, 0));
    assert!(!format!("{entries:?}").contains("Lovelace"));
}

#[tokio::test]
async fn everything_gives_the_patient_first_and_each_row_once() {
    let world = World::new();
    let mut path = format!("/fhir/Patient/{}/$everything?_count=50", world.ada());
    let mut seen = Vec::new();
    let mut total = 0;
    loop {
        let told = world.get(&path).await;
        assert_eq!(told.status, StatusCode::OK, "{}", told.body);
        // Told once the page is reached behind which the directory's rows stand.
        total = told.json()["total"].as_u64().unwrap_or(0).max(total);
        seen.extend(told.references("match"));
        match told.link("next") {
            Some(next) => path = next,
            None => break,
        }
    }
    assert_eq!(seen[0], format!("Patient/{}", world.ada()));
    assert!(seen.contains(&format!("Organization/{}", world.id("mercy", "Organization/clinic"))));
    // Patient, condition, 2 goals, order, task, 3 plans, provenance, 120 readings, clinic.
    assert_eq!((seen.len(), total), (131, 131));
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 131);
    let typed = format!("/fhir/Patient/{}/$everything?_type=Goal,Task", world.ada());
    assert_eq!(world.get(&typed).await.references("match").len(), 3);
    let since = format!("/fhir/Patient/{}/$everything?_since=2026-11-23", world.ada());
    assert_eq!(world.get(&since).await.json()["total"], 0);
}

#[tokio::test]
async fn everything_of_a_range_of_dates_is_care_of_then_and_what_has_no_date() {
    let live = Live::new();
    let dated = |id: &str, text: &str, start: &str, due: &str| {
        let mut goal = goal(id, text, "active");
        goal["startDate"] = start.into();
        goal["target"] = json!([{ "dueDate": due }]);
        goal
    };
    live.says(
        "mercy",
        &[
            patient("m1", "Lovelace"),
            goal("none", "Sleep more", "active"),
            dated("old", "Walk", "2020-01-01", "2020-06-30"),
            dated("long", "Swim", "2020-03-01", "2026-03-01"),
        ],
    );
    let id = live.id("mercy", "Patient/1");
    let of = |id: &str| format!("Goal/{}", live.id("mercy", &format!("Goal/{id}")));
    let (none, old, long) = (of("none"), of("old"), of("long"));
    for (range, held) in [
        ("start=2021&end=2021", vec![&none, &long]),
        ("start=2020-06-30", vec![&none, &old, &long]),
        ("start=2020-07", vec![&none, &long]),
        ("end=2020-02", vec![&none, &old]),
        ("end=2019", vec![&none]),
        ("start=2026-03-02", vec![&none]),
    ] {
        let told = live.get(&format!("/fhir/Patient/{id}/$everything?{range}&_count=1")).await;
        let mut found = told.references("match");
        let mut next = told.link("next");
        while let Some(page) = next {
            let told = live.get(&page).await;
            found.extend(told.references("match"));
            next = told.link("next");
        }
        assert_eq!(found[0], format!("Patient/{id}"), "{range}");
        found.retain(|reference| reference.starts_with("Goal/"));
        let mut held: Vec<String> = held.into_iter().cloned().collect();
        found.sort();
        held.sort();
        assert_eq!(found, held, "{range}");
    }
}

#[tokio::test]
async fn the_statement_says_what_is_served() {
    let world = World::new();
    let told = world.get("/fhir/metadata").await;
    assert_eq!(told.status, StatusCode::OK);
    let date = "2026-11-22";
    let stated = statement(SearchTable::embedded(), BASE, date);
    let mut served_types: Vec<String> = served::types().map(|t| t.name().to_owned()).collect();
    served_types.sort();
    let mut resources = stated["rest"][0]["resource"].as_array().unwrap().clone();
    // Both have an entry and routes of their own.
    resources.retain(|r| !["OperationDefinition", "Group"].contains(&r["type"].as_str().unwrap()));
    let types: Vec<&str> = resources.iter().map(|r| r["type"].as_str().unwrap()).collect();
    assert_eq!(types, served_types);
    for resource in &resources {
        let name = resource["type"].as_str().unwrap();
        let resource_type = ResourceType::parse(name).unwrap();
        let parameters = SearchTable::embedded().parameters(resource_type).len();
        assert_eq!(resource["searchParam"].as_array().unwrap().len(), parameters + 2, "{name}");
        // Every interaction that is stated has a route: neither is "no such type".
        let read = world.get(&format!("/fhir/{name}/{}", DerivedId(1))).await;
        assert_eq!(read.issue_codes(), ["not-found"], "{name}");
        let vread = world.get(&format!("/fhir/{name}/{}/_history/1", DerivedId(1))).await;
        assert_eq!(vread.issue_codes(), ["not-found"], "{name}");
        let search = world.get(&format!("/fhir/{name}?_id={}", DerivedId(1))).await;
        assert_eq!(search.status, StatusCode::OK, "{name}");
    }
}

#[tokio::test]
async fn everything_we_make_is_right_r4_in_json_and_in_xml() {
    let world = World::new();
    let check = StructureCheck::new(&[]).unwrap();
    let goal = world.id("mercy", "Goal/g1");
    let found = format!("patient={}&_revinclude=Provenance:target", world.ada());
    for path in [
        "/fhir/metadata".to_owned(),
        format!("/fhir/Provenance/Goal.{goal}"),
        format!("/fhir/Patient/{}", world.id("valley", "Patient/1")),
        format!("/fhir/Goal?{found}&colour=red"),
        "/fhir/Goal".to_owned(),
    ] {
        let told = world.get(&path).await;
        let problems = check.check(&told.body, &told.json());
        assert!(problems.is_empty(), "{path}: {problems:?}");
        let xml = world.get_with(&path, "accept", "application/fhir+xml").await;
        assert_eq!(xml.status, told.status, "{path}");
        assert!(xml.header("content-type").starts_with("application/fhir+xml"), "{path}");
        let name = told.json()["resourceType"].as_str().unwrap().to_owned();
        assert!(xml.body.contains(&format!("<{name} xmlns=")), "{path}: {}", xml.body);
    }
}
