//! Links of searches that came by POST: nothing that was searched for stands in them.
#![expect(clippy::unwrap_used, reason = "test")]

use axum::http::StatusCode;

use super::world::World;

#[tokio::test]
async fn links_of_a_posted_search_hold_no_parameters_and_work_by_plain_get() {
    let world = World::new();
    let form = "patient.identifier=urn:mrn|A-1&_count=50&status=final";
    let mut told = world.post("/fhir/Observation/_search", form).await;
    let mut seen = told.references("match");
    loop {
        for relation in ["self", "first", "next"] {
            let Some(link) = told.link(relation) else { continue };
            assert!(link.starts_with("/fhir/Observation?"), "{link}");
            for value in ["A-1", "urn:mrn", "identifier", "status", "final"] {
                assert!(!link.contains(value), "{relation}: {link}");
            }
        }
        let Some(next) = told.link("next") else { break };
        told = world.get_with(&next, "accept", "*/*").await;
        assert_eq!(told.status, StatusCode::OK, "{}", told.body);
        seen.extend(told.references("match"));
    }
    assert_eq!(seen.len(), 120);
    let first = world.get(&told.link("first").unwrap()).await;
    assert_eq!(first.references("match"), seen[..50]);
    let own = world.get(&told.link("self").unwrap()).await;
    assert_eq!(own.references("match"), seen[100..]);
}

#[tokio::test]
async fn a_posted_patient_search_hides_the_identifier_even_of_its_url() {
    let world = World::new();
    let told = world.post("/fhir/Patient/_search?birthdate=1975-12-10", "family=Lovelace").await;
    assert_eq!(told.references("match").len(), 1);
    let link = told.link("self").unwrap();
    assert!(!link.contains("1975") && !link.contains("Lovelace"), "{link}");
    assert_eq!(world.get(&link).await.references("match"), told.references("match"));
}

#[tokio::test]
async fn a_posted_search_that_is_not_known_is_410() {
    let world = World::new();
    let told = world.post("/fhir/Patient/_search", "identifier=urn:mrn|A-1").await;
    let link = told.link("self").unwrap();
    let elsewhere = link.replace("/Patient?", "/Goal?");
    for path in ["/fhir/Patient?_search-id=00", "/fhir/Patient?_search-id=%C3%A9", &elsewhere] {
        let told = world.get(path).await;
        assert_eq!(told.status, StatusCode::GONE, "{path}");
        assert_eq!(told.issue_codes(), ["not-found"], "{path}");
        assert!(told.body.contains("post it again"));
    }
}
