//! Simulated endpoints on loopback and the gateway that pulls them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use careweave::config::{EndpointConfig, LimitsConfig};
use careweave::endpoints::{Progress, Silent, plan_of};
use careweave::fhir::StructureCheck;
use careweave::files::Bounds;
use careweave::identity::Model;
use careweave::ingest::{EndpointBases, Ingest};
use careweave::net::{ServeOptions, serve};
use careweave::pipeline::{
    EndpointSettings, Gateway, GatewayError, GatewayOptions, LedgerFilter, LedgerRow, pull,
};
use careweave::reconcile::{EndpointFacts, Policy};
use careweave::simulator::{Simulator, SimulatorOptions, load};
use careweave::store::SledStore;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::archive::files_of;

/// The gateway after its pull.
pub(crate) struct Site {
    pub(crate) gateway: Arc<Gateway>,
    _dir: tempfile::TempDir,
}

/// What stands in files: read here without the simulator's code.
#[derive(Default)]
pub(crate) struct Held {
    /// Type and id.
    pub(crate) keys: BTreeSet<(String, String)>,
    /// How many have no id.
    pub(crate) without_id: usize,
}

impl Site {
    /// Serves each folder, pulls them side by side, settles.
    pub(crate) async fn pulled(folders: &[(&str, PathBuf, SimulatorOptions)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut endpoints = Vec::new();
        for (id, folder, options) in folders {
            endpoints.push(EndpointConfig::new(id, id, &served(folder, options).await));
        }
        let settings = endpoints.iter().map(|endpoint| EndpointSettings {
            id: endpoint.id.as_str().into(),
            facts: EndpointFacts { base_url: endpoint.url.clone(), ..EndpointFacts::default() },
            ..EndpointSettings::default()
        });
        let options = GatewayOptions {
            public_base_url: "http://gateway.example".to_owned(),
            endpoints: settings.collect(),
            model: Model::embedded(),
            policy: Policy::embedded(),
            as_of: None,
        };
        let store = Arc::new(SledStore::open(dir.path()).unwrap());
        let gateway = Arc::new(Gateway::new(store, options));
        let bases = endpoints.iter().map(|e| (e.url.clone(), Arc::from(e.id.as_str())));
        let check = Arc::new(StructureCheck::new(&[]).unwrap());
        let ingest = Arc::new(Ingest::new(check, EndpointBases::new(bases)));
        let plans = endpoints.iter().map(|endpoint| {
            let (fetcher, plan) = plan_of(endpoint, &LimitsConfig::default()).unwrap();
            (fetcher, plan, Arc::new(Silent) as Arc<dyn Progress>)
        });
        let started = Instant::now();
        let reports = pull(&gateway, &ingest, plans.collect()).await.unwrap();
        println!("pulled in {:.1} s", started.elapsed().as_secs_f64());
        for report in &reports {
            assert_eq!(report.outcome.state(), "complete", "{}", report.endpoint);
        }
        let started = Instant::now();
        let to_settle = gateway.clone();
        let settled = tokio::task::spawn_blocking(move || to_settle.settle_all(&mut |_, _| {}));
        settled.await.unwrap().unwrap();
        println!("settled in {:.1} s", started.elapsed().as_secs_f64());
        Self { gateway, _dir: dir }
    }

    /// Type and id of everything on the ledger, by endpoint.
    pub(crate) fn ledger(&self) -> BTreeMap<String, BTreeSet<(String, String)>> {
        let mut all: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
        self.walk(&mut |row| {
            let key = (row.resource_type.to_string(), row.id.to_string());
            all.entry(row.endpoint.to_string()).or_default().insert(key);
        });
        all
    }

    /// The person of each chart: by endpoint and id of the Patient.
    pub(crate) fn persons(&self) -> BTreeMap<(String, String), String> {
        let mut persons = BTreeMap::new();
        self.walk(&mut |row| {
            if let ("Patient", Some(person)) = (&*row.resource_type, row.person) {
                persons.insert((row.endpoint.to_string(), row.id.to_string()), person.into());
            }
        });
        persons
    }

    /// Prints why inputs were quarantined, and how often.
    pub(crate) fn tell_quarantined(&self) {
        let mut reasons: BTreeMap<String, u32> = BTreeMap::new();
        self.walk(&mut |row| {
            if row.disposition == "quarantined" {
                let reason = format!("{} {}: {}", row.endpoint, row.resource_type, row.reason);
                *reasons.entry(reason).or_default() += 1;
            }
        });
        for (reason, times) in reasons {
            println!("quarantined {times} × {reason}");
        }
    }

    fn walk(&self, row: &mut dyn FnMut(LedgerRow)) {
        let taken = self.gateway.ledger::<GatewayError>(&LedgerFilter::default(), &mut |one| {
            row(one);
            Ok(())
        });
        taken.unwrap();
    }
}

async fn served(folder: &Path, options: &SimulatorOptions) -> String {
    let started = Instant::now();
    let loaded = load(&[folder.to_owned()], &Bounds::default(), &mut |_, _| {}).unwrap();
    let resources: usize = loaded.counts().values().sum();
    println!("loaded {resources} resources in {:.1} s", started.elapsed().as_secs_f64());
    let simulator = Simulator::of_files(options.clone(), loaded);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/fhir", listener.local_addr().unwrap());
    let forever = std::future::pending();
    tokio::spawn(serve(listener, simulator.router(), forever, ServeOptions::default()));
    url
}

/// What stands in the JSON files of a folder: resources, and entries of Bundles.
pub(crate) fn held_in(folder: &Path) -> Held {
    let mut held = Held::default();
    for file in files_of(folder) {
        let value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        hold(&value, None, &mut held);
    }
    held
}

fn hold(resource: &Value, full_url: Option<&str>, held: &mut Held) {
    let Some(kind) = resource["resourceType"].as_str() else { return };
    let is_bundle = kind == "Bundle";
    if !is_bundle || resource["type"] == "document" {
        let given = full_url.and_then(|url| url.rsplit(['/', ':']).next());
        match resource["id"].as_str().or(given) {
            Some(id) => drop(held.keys.insert((kind.to_owned(), id.to_owned()))),
            None => held.without_id += 1,
        }
    }
    for entry in resource["entry"].as_array().into_iter().flatten().filter(|_| is_bundle) {
        hold(&entry["resource"], entry["fullUrl"].as_str(), held);
    }
}
