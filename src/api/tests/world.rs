//! A store filled by hand: two persons who share an identifier and a family name, a directory
//! entry, one endpoint that failed.
#![expect(clippy::unwrap_used, reason = "test")]

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::Value;
use tower::ServiceExt;

use super::people;
use crate::api::{ApiOptions, router};
use crate::fhir::ResourceType;
use crate::flow::{ChartKey, DerivedId, RecordKey};
use crate::pipeline::{EndpointState, Gateway};
use crate::store::{SledStore, Store};

/// The running face over the filled store.
pub(super) struct World {
    pub(super) store: Arc<dyn Store>,
    pub(super) router: Router,
    _dir: tempfile::TempDir,
}

/// An answer, read.
pub(super) struct Told {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

pub(super) const BASE: &str = "http://gateway.test";

impl World {
    /// The standard world.
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(SledStore::open(dir.path()).unwrap());
        people::fill(&*store);
        let gateway = Arc::new(Gateway::for_tests(store.clone(), endpoints()));
        let router = router(gateway, ApiOptions::default());
        Self { store, router, _dir: dir }
    }

    /// The id of a record.
    pub(super) fn id(&self, endpoint: &str, reference: &str) -> String {
        record_id(&*self.store, endpoint, reference).to_string()
    }

    /// Ada's shown id.
    pub(super) fn ada(&self) -> String {
        self.id("mercy", "Patient/1")
    }

    /// The woven plan of Ada.
    pub(super) fn woven(&self) -> String {
        self.store.id_key().woven_plan(&ChartKey::new("mercy", "1")).to_string()
    }

    /// Weaves Ada's observations anew: those with these numbers are there, no other.
    pub(super) fn reweave_observations(&self, numbers: &[usize]) {
        people::reweave_observations(&*self.store, numbers);
    }

    /// Adds a person at mercy with these rows beside the Patient.
    pub(super) fn add_person(&self, chart: &str, rows: &[(String, serde_json::Value)]) {
        people::add_person(&*self.store, chart, rows);
    }

    /// Weaves Ada's observations anew: those with these numbers, each on a day of a month.
    pub(super) fn date_observations(&self, days: &[(usize, usize)]) {
        people::date_observations(&*self.store, days);
    }

    /// A GET below the base.
    pub(super) async fn get(&self, path: &str) -> Told {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// A GET with a header.
    pub(super) async fn get_with(&self, path: &str, name: &str, value: &str) -> Told {
        let request = Request::get(path).header(name, value);
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// A search by form.
    pub(super) async fn post(&self, path: &str, form: &str) -> Told {
        let request = Request::post(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()));
        self.send(request.unwrap()).await
    }

    /// Any request.
    pub(super) async fn send(&self, request: Request<Body>) -> Told {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let body = String::from_utf8(bytes.to_vec()).unwrap();
        Told { status: parts.status, headers: parts.headers, body }
    }
}

impl Told {
    /// The body as JSON.
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// `Type/id` of the entries with a mode.
    pub(super) fn references(&self, mode: &str) -> Vec<String> {
        let bundle = self.json();
        let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
        let of_mode = entries.iter().filter(|entry| entry["search"]["mode"] == mode);
        of_mode.map(|entry| reference(&entry["resource"])).collect()
    }

    /// The issue codes of an outcome, or of the outcome entry.
    pub(super) fn issue_codes(&self) -> Vec<String> {
        let body = self.json();
        let entries = body["entry"].as_array().cloned().unwrap_or_default();
        let outcomes = entries.iter().map(|entry| &entry["resource"]).chain([&body]);
        let issues = outcomes
            .filter(|resource| resource["resourceType"] == "OperationOutcome")
            .flat_map(|outcome| outcome["issue"].as_array().cloned().unwrap_or_default());
        issues.map(|issue| issue["code"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// The link of a relation.
    pub(super) fn link(&self, relation: &str) -> Option<String> {
        let bundle = self.json();
        let links = bundle["link"].as_array()?;
        let link = links.iter().find(|link| link["relation"] == relation)?;
        Some(link["url"].as_str()?.trim_start_matches(BASE).to_owned())
    }

    /// A header as text.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

fn reference(resource: &Value) -> String {
    let text = |name: &str| resource[name].as_str().unwrap_or_default().to_owned();
    format!("{}/{}", text("resourceType"), text("id"))
}

pub(super) fn record_id(store: &dyn Store, endpoint: &str, reference: &str) -> DerivedId {
    store.id_key().record(&key(endpoint, reference))
}

pub(super) fn key(endpoint: &str, reference: &str) -> RecordKey {
    let (name, id) = reference.split_once('/').unwrap();
    RecordKey::new(endpoint, ResourceType::parse(name).unwrap(), id)
}

fn endpoints() -> Vec<EndpointState> {
    let endpoint = |id: &str, state: &str, stale: bool, until: Option<&str>| EndpointState {
        id: id.into(),
        name: id.into(),
        base_url: format!("http://{id}.test/r4").into(),
        state: state.into(),
        stale,
        complete_until: until.map(|time| time.parse().unwrap()),
    };
    vec![
        endpoint("mercy", "complete", false, Some("2026-11-22T10:00:00Z")),
        endpoint("valley", "failed: connection refused", true, None),
    ]
}
