//! Garbage in URL, headers and body: always a 4xx OperationOutcome, never a panic.
#![expect(clippy::unwrap_used, reason = "test")]

use axum::body::Body;
use axum::http::{Request, StatusCode};

use super::world::{Told, World};

fn refused(told: &Told, status: StatusCode, what: &str) {
    assert_eq!(told.status, status, "{what}: {}", told.body);
    assert_eq!(told.json()["resourceType"], "OperationOutcome", "{what}");
    assert!(told.headers.contains_key("x-request-id"), "{what}");
}

#[tokio::test]
async fn garbage_in_the_url() {
    let world = World::new();
    let patient = format!("patient={}", world.ada());
    let long = "a".repeat(9000);
    let many = "a=b&".repeat(300);
    for (query, status) in [
        ("_count=-1", 400),
        ("_count=x", 400),
        ("_count=1e3", 400),
        ("_cursor=00", 400),
        ("_cursor=zz", 400),
        ("_total=maybe", 400),
        ("_summary=all", 400),
        ("_lastUpdated=yesterday", 400),
        ("target-date=2026-02-30", 400),
        ("target-date=xx2026", 400),
        ("lifecycle-status:nonsense=active", 400),
        ("lifecycle-status=%ff", 400),
        ("lifecycle-status=%0", 400),
        ("a=%00", 400),
        ("_format=csv", 406),
        ("_format=application/fhir%2Bjson;%20fhirVersion=5.0", 406),
        (long.as_str(), 414),
        (many.as_str(), 400),
    ] {
        let told = world.get(&format!("/fhir/Goal?{patient}&{query}")).await;
        refused(&told, StatusCode::from_u16(status).unwrap(), &query[..query.len().min(40)]);
    }
    let history = format!("/fhir/Goal/{}/_history", world.id("mercy", "Goal/g1"));
    for path in [history.as_str(), "/fhir/Goal/_history", "/fhir/_history"] {
        for query in ["_since=x", "_since=2026-13", "_count=-1", "_cursor=00", "_format=csv", "a=%"]
        {
            let told = world.get(&format!("{path}?{query}")).await;
            let status = if query == "_format=csv" { 406 } else { 400 };
            refused(&told, StatusCode::from_u16(status).unwrap(), query);
        }
        refused(&world.get(&format!("{path}?{long}")).await, StatusCode::URI_TOO_LONG, path);
    }
    refused(&world.get(&format!("{history}?_at=x")).await, StatusCode::BAD_REQUEST, "_at");
    for path in ["/fhir/%ff/1", "/fhir/Goal/%ff", "/fhir/Goal/a%2Fb", "/fhir//", "/%00"] {
        refused(&world.get(path).await, StatusCode::NOT_FOUND, path);
    }
    // A count beyond the bound is cut, an overflowing one too.
    let told = world.get(&format!("/fhir/Goal?{patient}&_count=99999999999999999999999")).await;
    assert_eq!(told.status, StatusCode::OK);
    let include = "&_include=*".repeat(50);
    let told = world.get(&format!("/fhir/CarePlan?{patient}{include}")).await;
    assert_eq!(told.status, StatusCode::OK);
}

#[tokio::test]
async fn garbage_in_headers_and_body() {
    let world = World::new();
    let path = format!("/fhir/Goal?patient={}", world.ada());
    let told = world.get_with(&path, "accept", "text/csv").await;
    refused(&told, StatusCode::NOT_ACCEPTABLE, "accept");
    let told = world.get_with(&path, "accept", "application/fhir+json; fhirVersion=5.0").await;
    refused(&told, StatusCode::NOT_ACCEPTABLE, "version");
    let told = world.get_with(&path, "x-request-id", "<script>").await;
    assert_eq!(told.status, StatusCode::OK);
    assert!(!told.header("x-request-id").contains('<'));
    let post = |media: &str, body: Vec<u8>| {
        let request = Request::post("/fhir/Goal/_search").header("content-type", media);
        world.send(request.body(Body::from(body)).unwrap())
    };
    let form = "application/x-www-form-urlencoded";
    refused(
        &post("application/json", b"{}".to_vec()).await,
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "json",
    );
    refused(&post(form, vec![b'a'; 100_000]).await, StatusCode::PAYLOAD_TOO_LARGE, "long");
    refused(&post(form, vec![0xff, 0xfe]).await, StatusCode::BAD_REQUEST, "bytes");
    refused(&post(form, b"a=%".to_vec()).await, StatusCode::BAD_REQUEST, "escape");
    for method in ["DELETE", "PUT", "PATCH", "POST", "QUERY"] {
        let request = Request::builder().method(method).uri(&path).body(Body::empty()).unwrap();
        refused(&world.send(request).await, StatusCode::METHOD_NOT_ALLOWED, method);
    }
}

#[tokio::test]
async fn an_error_never_repeats_a_value() {
    let world = World::new();
    for path in [
        "/fhir/Patient?birthdate=Lovelace",
        "/fhir/Patient?Ada%20Lovelace=1",
        "/fhir/Goal?patient=Lovelace&_count=Lovelace",
        "/fhir/Lovelace/1",
    ] {
        let told = world.get(path).await;
        assert!(told.status.is_client_error(), "{path}");
        assert!(!told.body.contains("Lovelace"), "{path}: {}", told.body);
    }
}
