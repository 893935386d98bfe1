//! Care-management shapes.
#![expect(clippy::unwrap_used, reason = "test")]

use axum::http::StatusCode;

use super::world::World;

#[tokio::test]
async fn the_concept_map_as_json_csv_and_fhir() {
    let world = World::new();
    let all = world.get("/care/concepts").await;
    assert_eq!(all.header("content-type"), "application/json; charset=utf-8");
    assert_eq!(all.json()["total"], 62);
    let goals = world.get("/care/concepts?resource=Goal&_pretty=true").await.json();
    assert!(goals["total"].as_u64().unwrap() > 5, "{goals}");
    let one = world.get("/care/concepts?concept=closed%20loop").await.json();
    assert_eq!(
        (&one["total"], &one["concepts"][0]["id"]),
        (&1.into(), &"referral-tracking".into())
    );
    let table = world.get_with("/care/concepts?concept=tier", "accept", "text/csv").await;
    assert_eq!(table.header("content-type"), "text/csv; charset=utf-8");
    assert!(table.body.starts_with("row,id,says,term,element,"), "{}", table.body);
    assert_eq!(table.body.lines().count(), 4);
    assert_eq!(world.get("/care/concepts?_format=csv&concept=tier").await.body, table.body);
    assert_eq!(world.get("/care/concepts?nonsense=1").await.status, StatusCode::BAD_REQUEST);
    let map = world.get("/fhir/ConceptMap/care-concepts").await;
    assert_eq!(map.status, StatusCode::OK);
    assert_eq!(map.json()["resourceType"], "ConceptMap");
}
