//! Garbage in URL, headers and body: always a 4xx OperationOutcome, never a panic.
#![expect(clippy::unwrap_used, reason = "test")]

use axum::body::Body;
use axum::http::{Request, StatusCode};

use crate::flow::DerivedId;

use super::live::{Live, goal, patient};
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
        ("_id:not=x", 400),
        ("_lastUpdated:missing=true", 400),
        ("_count:x=1", 400),
        ("_include:sideways=Goal:subject", 400),
        ("_sort=nonsense", 400),
        ("_sort=-", 400),
        ("_sort=target-date,patient.name", 400),
        ("_sort=_id,_id,_id,_id,_id,_id,_id,_id,_id", 400),
        ("_elements=target.due", 400),
        ("_elements=,", 400),
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
    let panel = format!("/care/panel/{}/goals", DerivedId(1));
    for query in ["_since=x", "_count=0", "_cursor=00", "colour=red", "a=%"] {
        let told = world.get(&format!("{panel}?{query}")).await;
        assert!(told.status.is_client_error(), "{query}: {}", told.body);
        let told = world.get(&format!("/fhir/Group?{query}")).await;
        refused(&told, StatusCode::BAD_REQUEST, query);
    }
    refused(&world.get(&panel).await, StatusCode::NOT_FOUND, "no panel");
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
    let request = Request::builder().method("QUERY").uri(&path).body(Body::empty()).unwrap();
    refused(&world.send(request).await, StatusCode::METHOD_NOT_ALLOWED, "QUERY");
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

#[tokio::test]
async fn garbage_in_what_is_written() {
    let live = Live::with_clients(&["clinic"]);
    live.says("mercy", &[patient("m1", "Lovelace"), goal("g", "Walk", "active")]);
    let path = format!("/fhir/Goal/{}", live.id("mercy", "Goal/g"));
    let json = "application/fhir+json";
    let deep = format!(r#"{{"resourceType":"Goal","contained":{}"#, "[".repeat(10_000));
    let twice = r#"{"resourceType":"Goal","lifecycleStatus":"active","lifecycleStatus":"x"}"#;
    let surrogate = r#"{"resourceType":"Goal","lifecycleStatus":"\ud800"}"#;
    let wide = format!(r#"{{"resourceType":"Goal",{}"a":1}}"#, wide_members(5_000));
    let bodies = [
        ("deep", deep.as_str(), 400),
        ("twice", twice, 400),
        ("surrogate", surrogate, 400),
        ("no JSON", "{", 400),
        ("no object", "[]", 400),
        ("no type", "{}", 400),
        ("no such type", r#"{"resourceType":"Gaol"}"#, 400),
        ("empty", "", 400),
    ];
    for (what, body, status) in bodies {
        for (method, path) in [("POST", "/fhir/Goal"), ("PUT", path.as_str())] {
            let told = live.send(method, path, &[("content-type", json)], body.to_owned()).await;
            refused(&told, StatusCode::from_u16(status).unwrap(), what);
        }
    }
    let told = live.send("POST", "/fhir/Goal", &[("content-type", json)], wide).await;
    refused(&told, StatusCode::UNPROCESSABLE_ENTITY, "wide");
    for (media, status) in [("text/csv", 415), ("application/fhir+json; fhirVersion=5.0", 415)] {
        for (method, path) in [("POST", "/fhir/Goal"), ("PUT", path.as_str()), ("PATCH", &path)] {
            let told = live.send(method, path, &[("content-type", media)], "{}").await;
            refused(&told, StatusCode::from_u16(status).unwrap(), media);
        }
    }
    let xml = [("content-type", "application/fhir+xml")];
    for body in ["<Goal", "<!DOCTYPE x><Goal/>", "<Gaol xmlns=\"http://hl7.org/fhir\"/>"] {
        let told = live.send("POST", "/fhir/Goal", &xml, body).await;
        refused(&told, StatusCode::BAD_REQUEST, body);
    }
    let bytes = live.send("POST", "/fhir/Goal", &[("content-type", json)], vec![0xff, 0xfe]).await;
    refused(&bytes, StatusCode::BAD_REQUEST, "bytes");
    let long =
        live.send("POST", "/fhir/Goal", &[("content-type", json)], "a".repeat(100_000)).await;
    refused(&long, StatusCode::PAYLOAD_TOO_LARGE, "long");
    let url = format!("/fhir/Goal?{}", "a".repeat(60_000));
    let told = live.send("POST", &url, &[("content-type", json)], "{}").await;
    refused(&told, StatusCode::URI_TOO_LONG, "long URL");
    let other = r#"{"resourceType":"Task","id":"x"}"#;
    for (method, path) in [("POST", "/fhir/Goal"), ("PUT", path.as_str())] {
        let told = live.send(method, path, &[("content-type", json)], other).await;
        refused(&told, StatusCode::BAD_REQUEST, "another type");
    }
    assert_eq!(live.gateway.report().unwrap().ledger.quarantined, 1, "only what was R4 in form");
}

fn wide_members(count: usize) -> String {
    (0..count).map(|n| format!(r#""m{n}":1,"#)).collect()
}
