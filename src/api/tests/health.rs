//! The root page and the health routes.
#![expect(clippy::unwrap_used, reason = "test")]

use std::sync::Arc;

use axum::http::StatusCode;

use super::world::{BASE, World};
use crate::api::{ApiOptions, router};
use crate::pipeline::Gateway;

#[tokio::test]
async fn the_root_page_leads_to_the_statement() {
    let world = World::new();
    let root = world.get("/").await;
    assert_eq!((root.status, root.header("content-type")), (StatusCode::OK, "application/json"));
    let page = root.json();
    assert_eq!(
        (&page["name"], &page["fhir"]),
        (&"careweave".into(), &format!("{BASE}/fhir").into())
    );
    let metadata = page["metadata"].as_str().unwrap().trim_start_matches(BASE).to_owned();
    let statement = world.get(&metadata).await;
    assert_eq!(statement.json()["resourceType"], "CapabilityStatement");
}

#[tokio::test]
async fn livez_and_readyz_answer_and_disclose_nothing() {
    let world = World::new();
    for (path, status) in [("/livez", "live"), ("/readyz", "ready")] {
        let told = world.get(path).await;
        assert_eq!(told.status, StatusCode::OK, "{path}");
        assert_eq!(told.json(), serde_json::json!({ "status": status }), "{path}");
        assert_eq!(told.header("cache-control"), "no-store", "{path}");
    }
}

#[tokio::test]
async fn readyz_says_that_the_gateway_is_stopping() {
    let mut world = World::new();
    let gateway = Arc::new(Gateway::for_tests(world.store.clone(), Vec::new()));
    world.router = router(gateway.clone(), ApiOptions::default());
    assert_eq!(world.get("/readyz").await.status, StatusCode::OK);
    gateway.stop();
    let told = world.get("/readyz").await;
    assert_eq!(told.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(told.json()["failed"], serde_json::json!(["stopping"]));
    assert_eq!(world.get("/livez").await.status, StatusCode::OK, "it lives until it has ended");
}

#[tokio::test]
async fn beyond_the_bound_requests_are_refused_and_operators_are_not() {
    let mut world = World::new();
    let gateway = Arc::new(Gateway::for_tests(world.store.clone(), Vec::new()));
    world.router = router(gateway, ApiOptions { requests_max: 1, ..ApiOptions::default() });
    for _ in 0..3 {
        let path = format!("/fhir/Patient/{}", world.ada());
        assert_eq!(world.get(&path).await.status, StatusCode::OK, "its place is given back");
    }
    let gateway = Arc::new(Gateway::for_tests(world.store.clone(), Vec::new()));
    world.router = router(gateway, ApiOptions { requests_max: 0, ..ApiOptions::default() });
    let told = world.get("/fhir/metadata").await;
    assert_eq!(told.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(told.header("retry-after"), "1");
    assert_eq!(told.issue_codes(), ["throttled"]);
    for path in ["/livez", "/readyz", "/metrics"] {
        assert_eq!(world.get(path).await.status, StatusCode::OK, "{path}");
    }
    let metrics = world.get("/metrics").await;
    assert!(metrics.header("content-type").starts_with("text/plain; version=0.0.4"));
    assert!(metrics.body.contains("careweave_http_requests_refused_total 1\n"), "{}", metrics.body);
}
