//! A gateway on a store of its own, and what is sent to it.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use jiff::civil::{Date, date};
use serde_json::{Value, json};

use careweave::fhir::StructureCheck;
use careweave::files::{Bounds, Format, walk};
use careweave::flow::{Identifier, Ingested, RecordKey};
use careweave::identity::Model;
use careweave::ingest::{EndpointBases, Ingest};
use careweave::pipeline::{
    self, EndpointSettings, Files, Gateway, GatewayOptions, Receipt, accept,
};
use careweave::reconcile::{EndpointFacts, Policy};
use careweave::store::{SledStore, Store};

use super::statements::{Said, Statement};

pub(crate) const TODAY: Date = date(2026, 11, 22);
pub(crate) const ENDPOINTS: [&str; 3] = ["mercy", "valley", "harbor"];

/// The moment of a wave of statements; in the past, as files are not written in the future.
pub(crate) fn moment(wave: i64) -> Timestamp {
    "2024-11-22T08:00:00Z".parse::<Timestamp>().unwrap() + jiff::SignedDuration::from_mins(wave)
}

pub(crate) struct World {
    pub(crate) gateway: Gateway,
    pub(crate) received: Receipt,
    _dir: tempfile::TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(SledStore::open(dir.path()).unwrap());
        let gateway = gateway(store, Model::embedded(), TODAY);
        Self { gateway, received: Receipt::default(), _dir: dir }
    }

    /// The same store under another match model, settled.
    pub(crate) fn with_model(self, model: Model) -> Self {
        let gateway = gateway(self.gateway.store().clone(), model, TODAY);
        gateway.refresh_stale().unwrap();
        let world = Self { gateway, ..self };
        world.settle();
        world
    }

    /// The same store on another day, its sweep settled; how many homes that took.
    pub(crate) fn on(self, day: Date) -> (Self, usize) {
        let gateway = gateway(self.gateway.store().clone(), Model::embedded(), day);
        let mut homes = 0;
        loop {
            gateway.refresh_stale().unwrap();
            match gateway.settle_all(&mut |_, _| {}).unwrap().homes {
                0 => return (Self { gateway, ..self }, homes),
                settled => homes += settled,
            }
            assert!(homes < 10_000, "the sweep does not come to an end");
        }
    }

    /// One more gateway on the same store.
    pub(crate) fn another_gateway(&self) -> Gateway {
        gateway(self.gateway.store().clone(), Model::embedded(), TODAY)
    }

    /// One page of an endpoint, all of it observed at one moment.
    pub(crate) fn page(&mut self, statements: &[&Statement]) {
        let Some(first) = statements.first() else { return };
        let (endpoint, at) = (first.key.endpoint.clone(), moment(first.wave));
        let mut bundle = Vec::new();
        let mut gone = Ingested::default();
        for statement in statements {
            assert_eq!((&statement.key.endpoint, statement.wave), (&endpoint, first.wave));
            match &statement.said {
                Said::Resource(resource) => bundle.push(entry(&statement.key, resource)),
                Said::Gone => gone.records.push(ingest().deleted(statement.key.clone(), at)),
            }
        }
        if !bundle.is_empty() {
            let page = json!({"resourceType": "Bundle", "type": "searchset", "entry": bundle});
            let page = ingest().page(&endpoint, at, page.to_string().as_bytes());
            self.accept(&endpoint, &page);
        }
        if !gone.records.is_empty() {
            self.accept(&endpoint, &gone);
        }
    }

    /// All files below a folder, as files of an endpoint.
    pub(crate) fn files(&mut self, endpoint: &str, folder: &Path) {
        let bounds = Bounds::default();
        let walked = walk(&[folder.to_owned()], &bounds).unwrap();
        let files = Files { walked: &walked, format: Format::Auto, bounds, mapping: None };
        let told = pipeline::ingest(&self.gateway, ingest(), &endpoint.into(), files, &mut |_| {})
            .unwrap();
        assert_eq!((told.odd.len(), told.quarantined.len()), (0, 0), "{told:?}");
        self.received.add(told.total());
    }

    fn accept(&mut self, endpoint: &Arc<str>, ingested: &Ingested) {
        let store = self.gateway.store().as_ref();
        self.received.add(accept(store, endpoint, ingested, None).unwrap());
    }

    pub(crate) fn settle(&self) {
        self.gateway.settle_all(&mut |_, _| {}).unwrap();
    }

    /// All of it, page by page in this order, then settled.
    pub(crate) fn with(statements: &[Statement]) -> Self {
        let mut world = Self::new();
        world.take(statements);
        world.settle();
        world
    }

    /// Statements one after the other; neighbours of one endpoint and moment are one page.
    pub(crate) fn take(&mut self, statements: &[Statement]) {
        let same = |a: &Statement, b: &Statement| {
            (&a.key.endpoint, a.wave) == (&b.key.endpoint, b.wave) && a.key != b.key
        };
        for page in statements.chunk_by(same) {
            self.page(&page.iter().collect::<Vec<_>>());
        }
    }
}

fn gateway(store: Arc<dyn Store>, model: Model, day: Date) -> Gateway {
    let endpoint = |(at, id): (usize, &&'static str)| EndpointSettings {
        id: (*id).into(),
        facts: EndpointFacts {
            trust: i32::try_from(at).unwrap(),
            base_url: base(id),
            name: (*id).to_owned(),
            organizations: vec![organization(at, id)],
        },
        ..EndpointSettings::default()
    };
    let options = GatewayOptions {
        public_base_url: "http://gateway.example".to_owned(),
        endpoints: ENDPOINTS.iter().enumerate().map(endpoint).collect(),
        model,
        policy: Policy::embedded(),
        as_of: Some(day),
    };
    // So few that the homes of most cases are settled one batch ahead of another.
    Gateway::new(store, options).with_homes_per_settle(3)
}

pub(crate) fn ingest() -> &'static Ingest {
    static INGEST: OnceLock<Ingest> = OnceLock::new();
    INGEST.get_or_init(|| {
        let bases = ENDPOINTS.map(|id| (base(id), id.into()));
        Ingest::new(Arc::new(StructureCheck::new(&[]).unwrap()), EndpointBases::new(bases))
    })
}

fn base(endpoint: &str) -> String {
    format!("https://fhir.{endpoint}.example/r4")
}

fn entry(key: &RecordKey, resource: &Value) -> Value {
    let url = format!("{}/{}/{}", base(&key.endpoint), key.resource_type, key.id);
    json!({"fullUrl": url, "resource": resource})
}

/// The organization whose system the endpoint is, as it and the made population name it.
fn organization(at: usize, endpoint: &str) -> Identifier {
    Identifier {
        system: format!("http://{endpoint}.example/org").into(),
        value: format!("O{}", 100 + at).into(),
        ..Identifier::default()
    }
}
