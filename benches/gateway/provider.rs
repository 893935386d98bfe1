//! A provider's FHIR endpoint whose pages are made when they are asked for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use careweave::net::{ServeOptions, serve};
use serde_json::json;
use tokio::net::TcpListener;

use super::world::{PROVIDERS, UPDATED, World, types};

/// A running provider.
pub(crate) struct Provider {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

struct Shared {
    world: World,
    provider: usize,
    url: String,
    /// Per type: how many records all persons before this one have.
    before: BTreeMap<&'static str, Vec<u64>>,
    records: AtomicU64,
    bytes: AtomicU64,
}

/// The port of the first provider; the others follow.
const FIRST_PORT: u16 = 42_170;

impl Provider {
    /// Starts all providers of a world.
    pub(crate) async fn start_all(world: World) -> Vec<Self> {
        let mut providers = Vec::new();
        for provider in 0..PROVIDERS.len() {
            providers.push(Self::start(world, provider).await);
        }
        providers
    }

    /// Starts the provider of this number; it serves until the process ends.
    async fn start(world: World, provider: usize) -> Self {
        // The same address each time: a gateway whose endpoints have moved weaves all views anew.
        let port = FIRST_PORT + provider as u16;
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("the provider's port");
        let url = format!("http://{}/fhir", listener.local_addr().expect("an address"));
        let before = types().map(|name| (name, before(world, provider, name))).collect();
        let (records, bytes) = (AtomicU64::new(0), AtomicU64::new(0));
        let shared = Arc::new(Shared { world, provider, url: url.clone(), before, records, bytes });
        let router = Router::new()
            .route("/fhir/metadata", get(metadata))
            .route("/fhir/{type}", get(search))
            .with_state(shared.clone());
        tokio::spawn(serve(listener, router, std::future::pending(), ServeOptions::default()));
        Self { url, shared }
    }

    /// How many records were handed out, and how many bytes they are as JSON.
    pub(crate) fn handed_out(&self) -> (u64, u64) {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (load(&self.shared.records), load(&self.shared.bytes))
    }
}

fn before(world: World, provider: usize, name: &str) -> Vec<u64> {
    let mut sum = 0;
    let mut sums = vec![0];
    for person in 0..world.persons {
        sum += u64::from(world.count(provider, name, person));
        sums.push(sum);
    }
    sums
}

async fn metadata(State(shared): State<Arc<Shared>>) -> Response {
    let resource = |name| {
        json!({
            "type": name,
            "interaction": [{"code": "read"}, {"code": "search-type"}],
            "searchParam": [{"name": "_lastUpdated", "type": "date"}],
        })
    };
    let statement = json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-01-01",
        "kind": "instance",
        "implementation": {"description": PROVIDERS[shared.provider], "url": shared.url},
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [{"mode": "server", "resource": types().map(resource).collect::<Vec<_>>()}],
    });
    ([(CONTENT_TYPE, "application/fhir+json")], statement.to_string()).into_response()
}

async fn search(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    let number = |key: &str, or: u64| query.get(key).and_then(|v| v.parse().ok()).unwrap_or(or);
    let count = number("_count", 100).clamp(1, 500);
    let offset = number("offset", 0);
    let since = query.get("_lastUpdated").and_then(|v| v.get(2..));
    // All of it is as old as the rest.
    let changed = since.is_none_or(|since| since <= UPDATED);
    let body = if changed { page(&shared, &name, offset, count) } else { empty() };
    ([(CONTENT_TYPE, "application/fhir+json")], body).into_response()
}

fn empty() -> String {
    r#"{"resourceType":"Bundle","type":"searchset","total":0}"#.to_owned()
}

fn page(shared: &Shared, name: &str, offset: u64, count: u64) -> String {
    let Some((name, before)) = shared.before.get_key_value(name) else { return empty() };
    let total = before.last().copied().unwrap_or(0);
    let end = (offset + count).min(total);
    let mut body = format!(
        concat!(
            r#"{{"resourceType":"Bundle","type":"searchset","total":{total},"#,
            r#""link":[{{"relation":"self","url":"{url}/{name}"}}"#,
        ),
        total = total,
        name = name,
        url = shared.url
    );
    if end < total {
        body += &format!(
            r#",{{"relation":"next","url":"{}/{name}?_count={count}&offset={end}"}}"#,
            shared.url
        );
    }
    body += r#"],"entry":["#;
    let mut person = before.partition_point(|sum| *sum <= offset).saturating_sub(1);
    for at in offset..end {
        while before.get(person + 1).is_some_and(|sum| *sum <= at) {
            person += 1;
        }
        let n = u32::try_from(at - before[person]).unwrap_or(0);
        if at > offset {
            body.push(',');
        }
        body += &format!(r#"{{"fullUrl":"{}/{name}/{person}-{n}","resource":"#, shared.url);
        let start = body.len();
        let number = u32::try_from(person).unwrap_or(0);
        shared.world.write(shared.provider, name, number, n, &mut body);
        shared.bytes.fetch_add((body.len() - start) as u64, Ordering::Relaxed);
        body += r#","search":{"mode":"match"}}"#;
    }
    shared.records.fetch_add(end.saturating_sub(offset), Ordering::Relaxed);
    body + "]}"
}
