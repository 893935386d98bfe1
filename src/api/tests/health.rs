//! The root page and the health routes.
#![expect(clippy::unwrap_used, reason = "test")]

use axum::http::StatusCode;

use super::world::{BASE, World};

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
