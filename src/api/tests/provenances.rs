//! Searches of Provenance: those that sources state, and ours of what the view shows.
#![expect(clippy::unwrap_used, reason = "test")]

use axum::http::StatusCode;

use super::world::World;

#[tokio::test]
async fn provenance_target_search_gives_the_sources_own_and_ours() {
    let world = World::new();
    let goal = world.id("mercy", "Goal/g1");
    let stated = format!("Provenance/{}", world.id("mercy", "Provenance/pr"));
    let ours = format!("Provenance/Goal.{goal}");
    for target in [
        format!("Goal/{goal}"),
        goal.clone(),
        format!("Goal/{}", world.id("valley", "Goal/g1")),
        "http://valley.test/r4/Goal/g1".to_owned(),
    ] {
        let told = world.get(&format!("/fhir/Provenance?target={target}")).await;
        assert_eq!(told.references("match"), [stated.clone(), ours.clone()], "{target}");
    }
    let told = world.get(&format!("/fhir/Provenance?target=Goal/{goal}")).await;
    let found = &told.json()["entry"][1];
    assert_eq!(found["resource"]["target"][0]["reference"], format!("Goal/{goal}"));
    let read = world.get(&format!("/fhir/{ours}")).await;
    assert_eq!(found["resource"], read.json());
    assert!(found["fullUrl"].as_str().unwrap().ends_with(&format!("/fhir/{ours}")));
    let other = world.id("mercy", "Goal/g2");
    let path = format!("/fhir/Provenance?target=Goal/{goal},Goal/{other}&recorded=ge2026-11-22");
    let both = world.get(&path).await.references("match");
    assert_eq!(both.len(), 2);
    assert!(both.contains(&ours) && both.contains(&format!("Provenance/Goal.{other}")));
    let clinic = world.id("mercy", "Organization/clinic");
    let told = world.get(&format!("/fhir/Provenance?target=Organization/{clinic}")).await;
    assert_eq!(told.references("match"), [format!("Provenance/Organization.{clinic}")]);
}

#[tokio::test]
async fn provenance_patient_search_gives_each_row_of_the_person_once() {
    let world = World::new();
    let mut path = format!("/fhir/Provenance?patient={}&_count=50", world.ada());
    let mut seen = Vec::new();
    loop {
        let told = world.get(&path).await;
        // All rows but the woven plan, whose test row states no record.
        assert_eq!(told.json()["total"], 129);
        seen.extend(told.references("match"));
        let Some(next) = told.link("next") else { break };
        path = next;
    }
    assert!(seen.contains(&format!("Provenance/Patient.{}", world.ada())));
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 129);
    let goal = world.id("mercy", "Goal/g2");
    let path = format!("/fhir/Provenance?patient={}&target=Goal/{goal}", world.ada());
    let told = world.get(&format!("{path}&_include=Provenance:target")).await;
    assert_eq!(told.references("match"), [format!("Provenance/Goal.{goal}")]);
    assert_eq!(told.references("include"), [format!("Goal/{goal}")]);
}

#[tokio::test]
async fn provenance_id_search() {
    let world = World::new();
    let (goal, other) = (world.id("mercy", "Goal/g1"), world.id("mercy", "Goal/g2"));
    let stated = world.id("mercy", "Provenance/pr");
    let path = format!("/fhir/Provenance?_id={stated},Goal.{goal},Goal.{other},Goal.none");
    assert_eq!(world.get(&path).await.json()["total"], 3);
    let told = world.get(&format!("{path}&_id=Goal.{goal}")).await;
    assert_eq!(told.references("match"), [format!("Provenance/Goal.{goal}")]);
    let bob = world.id("mercy", "Patient/2");
    let told = world.get(&format!("/fhir/Provenance?_id=Goal.{goal}&patient={bob}")).await;
    assert_eq!((told.status, told.references("match").len()), (StatusCode::OK, 0));
}
