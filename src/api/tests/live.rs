//! The whole gateway behind its HTTP face: what two providers and two clients say is ingested,
//! accepted, matched and woven.
#![expect(clippy::unwrap_used, reason = "test")]

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::world::{Told, key};
use crate::api::{ApiOptions, router};
use crate::config::EndpointKind;
use crate::fhir::StructureCheck;
use crate::flow::{ChartKey, Ingested, Verdict};
use crate::identity::Model;
use crate::ingest::{EndpointBases, Ingest};
use crate::pipeline::{EndpointSettings, Gateway, GatewayOptions, accept};
use crate::reconcile::{EndpointFacts, Policy};
use crate::store::SledStore;

/// A running gateway.
pub(super) struct Live {
    pub(super) gateway: Arc<Gateway>,
    router: Router,
    _dir: tempfile::TempDir,
}

impl Live {
    /// Nothing has been said yet.
    pub(super) fn new() -> Self {
        Self::with_clients(&["clinic", "payer"])
    }

    /// With these clients.
    pub(super) fn with_clients(clients: &[&str]) -> Self {
        Self::set_up(clients, |gateway| gateway)
    }

    /// Nothing has been said yet; the gateway as a site has set it up.
    pub(super) fn as_set_up(set_up: impl FnOnce(Gateway) -> Gateway) -> Self {
        Self::set_up(&[], set_up)
    }

    fn set_up(clients: &[&str], set_up: impl FnOnce(Gateway) -> Gateway) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(SledStore::open(dir.path()).unwrap());
        let endpoint = |id: &str, kind, base_url: String| EndpointSettings {
            id: id.into(),
            facts: EndpointFacts { name: id.to_owned(), base_url, ..EndpointFacts::default() },
            kind,
        };
        let providers = ["mercy", "valley"]
            .map(|id| endpoint(id, EndpointKind::Fhir, format!("http://{id}.test/r4")));
        let clients = clients.iter().map(|id| endpoint(id, EndpointKind::Client, String::new()));
        let options = GatewayOptions {
            public_base_url: "http://gateway.test".to_owned(),
            endpoints: providers.into_iter().chain(clients).collect(),
            model: Model::embedded(),
            policy: Policy::embedded(),
            as_of: None,
        };
        let gateway = Arc::new(set_up(Gateway::new(store, options)));
        let router = router(gateway.clone(), ApiOptions::default());
        Self { gateway, router, _dir: dir }
    }

    /// An endpoint states resources; all is settled.
    pub(super) fn says(&self, endpoint: &str, resources: &[Value]) {
        for resource in resources {
            let now = self.gateway.now();
            let input = resource.to_string();
            let page = ingest().page(endpoint, now, input.as_bytes());
            assert!(page.quarantined.is_empty(), "{:?}", page.quarantined);
            self.accept(endpoint, &page);
        }
    }

    /// An endpoint has deleted a record; all is settled.
    pub(super) fn deletes(&self, endpoint: &str, reference: &str) {
        let gone = ingest().deleted(key(endpoint, reference), self.gateway.now());
        self.accept(endpoint, &Ingested { records: vec![gone], ..Ingested::default() });
    }

    fn accept(&self, endpoint: &str, ingested: &Ingested) {
        // Observed one after the other, also within a millisecond.
        std::thread::sleep(std::time::Duration::from_millis(2));
        accept(&**self.gateway.store(), &endpoint.into(), ingested, None).unwrap();
        self.gateway.settle_all(&mut |_, _| {}).unwrap();
    }

    /// A steward decides about mercy's and valley's Patient 1.
    pub(super) fn decides(&self, verdict: Verdict) {
        let pair = (&ChartKey::new("mercy", "1"), &ChartKey::new("valley", "1"));
        self.gateway.decide(verdict, pair, "steward", "").unwrap();
    }

    /// The id of a record.
    pub(super) fn id(&self, endpoint: &str, reference: &str) -> String {
        self.gateway.store().id_key().record(&key(endpoint, reference)).to_string()
    }

    /// A GET below the base.
    pub(super) async fn get(&self, path: &str) -> Told {
        self.send("GET", path, &[], "").await
    }

    /// Any request.
    pub(super) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Told {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.into()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let body = String::from_utf8(bytes.to_vec()).unwrap();
        Told { status: parts.status, headers: parts.headers, body }
    }
}

/// A Patient; `number` is their own.
pub(super) fn patient(number: &str, family: &str) -> Value {
    json!({
        "resourceType": "Patient", "id": "1",
        "identifier": [{ "system": "http://hospital.test/mrn", "value": number }],
        "name": [{ "family": family, "given": ["Ada"] }],
        "gender": "female", "birthDate": "1960-02-22",
    })
}

/// A Goal of Patient 1.
pub(super) fn goal(id: &str, text: &str, status: &str) -> Value {
    json!({
        "resourceType": "Goal", "id": id, "lifecycleStatus": status,
        "description": { "text": text }, "subject": { "reference": "Patient/1" },
    })
}

fn ingest() -> &'static Ingest {
    static INGEST: OnceLock<Ingest> = OnceLock::new();
    INGEST.get_or_init(|| {
        let check = Arc::new(StructureCheck::new(&[]).unwrap());
        let bases = ["mercy", "valley"].map(|id| (format!("http://{id}.test/r4"), id.into()));
        Ingest::new(check, EndpointBases::new(bases))
    })
}
