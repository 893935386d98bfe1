//! The whole pipeline on other people's data, where it is at hand (see `corpus_fhir`): everything
//! received is on the ledger, every view equals its rebuild, every reference answers.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "test that tells what it saw")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use careweave::fhir::xml::{from_xml, to_xml};
use careweave::fhir::{ResourceType, StructureCheck};
use careweave::flow::{Access, Hash, Ingested, Owner, PERSON_TYPES, RecordKey};
use careweave::identity::Model;
use careweave::ingest::{EndpointBases, Ingest};
use careweave::pipeline::{EndpointSettings, Gateway, GatewayOptions, accept};
use careweave::reconcile::{EndpointFacts, Policy};
use careweave::store::SledStore;
use serde_json::Value;

/// Folders of the data, each taken as one endpoint.
const FOLDERS: [&str; 8] = [
    "04-synthea-r4",
    "05-care-coordination/chronic-care-multi-provider/ckd",
    "05-care-coordination/chronic-care-multi-provider/mae",
    "05-care-coordination/chronic-care-multi-provider/veterans",
    "05-care-coordination/inferno-reference-server",
    "05-care-coordination/sdoh-clinicalcare-sushi",
    "06-transition-documents-fhir/ips-1.1.0",
    "06-transition-documents-fhir/pacio-toc-1.0.0-ballot",
];

#[test]
fn real_data_goes_through_and_balances() {
    let Some(data) = data() else { return };
    let dir = tempfile::tempdir().unwrap();
    let endpoints = FOLDERS.iter().enumerate().map(|(n, folder)| EndpointSettings {
        id: format!("e{n}").into(),
        facts: EndpointFacts {
            base_url: format!("http://e{n}.example/fhir"),
            name: (*folder).to_owned(),
            ..EndpointFacts::default()
        },
        ..EndpointSettings::default()
    });
    let options = GatewayOptions {
        public_base_url: "http://gateway.example".to_owned(),
        endpoints: endpoints.collect(),
        model: Model::embedded(),
        policy: Policy::embedded(),
        as_of: None,
    };
    let gateway = Gateway::new(Arc::new(SledStore::open(dir.path()).unwrap()), options);
    let ingest = ingest();
    for (n, folder) in FOLDERS.iter().enumerate() {
        let endpoint: Arc<str> = format!("e{n}").into();
        for file in json_files(&data.join(folder)) {
            let input = std::fs::read(&file).unwrap();
            let ingested = ingest.page(&endpoint, gateway.now(), &input);
            accept(gateway.store().as_ref(), &endpoint, &ingested, None).unwrap();
        }
    }
    gateway.settle_all(&mut |_, _| {}).unwrap();
    let report = gateway.report().unwrap();
    println!("{report:#?}");
    tell_quarantined(&gateway);
    assert!(report.ledger.balanced, "{:?}", report.ledger);
    let verified = gateway.verify(&mut |_| {}).unwrap();
    println!("{} views, {} resources", verified.owners, verified.resources);
    assert_eq!(verified.findings_total, 0, "{:#?}", verified.findings);
    every_person_is_a_care_record(&gateway);
}

/// Every woven person is a care record that is valid, that names what it has no place for, and
/// that goes to FHIR and back unchanged.
fn every_person_is_a_care_record(gateway: &Gateway) {
    let access = Access::system();
    let store = gateway.store();
    let records = &gateway.care().records;
    let (mut persons, mut items, mut left) = (0, 0, 0);
    let mut last = None;
    loop {
        let owners = store.owners(&access, last, 500).unwrap();
        let Some(end) = owners.last() else { break };
        last = Some(*end);
        for owner in owners.into_iter().filter(|owner| matches!(owner, Owner::Person(_))) {
            let mut resources = Vec::new();
            for resource_type in PERSON_TYPES.into_iter().map(ResourceType::of) {
                let Some(table) = store.table(&access, owner, resource_type).unwrap() else {
                    continue;
                };
                let ids: Vec<_> = table.rows.iter().map(|row| row.id).collect();
                let bodies = store.bodies(&access, owner, resource_type, &ids).unwrap();
                let bodies = bodies.into_iter().flatten();
                resources.extend(bodies.map(|b| serde_json::from_slice::<Value>(&b).unwrap()));
            }
            if resources.first().is_none_or(|first| first["resourceType"] != "Patient") {
                continue;
            }
            let record = records.from_fhir(&resources);
            assert_eq!(records.check(&record), [], "{record:#}");
            let again = records.from_fhir(&records.to_fhir(&record).unwrap());
            let lists = |record: &Value| -> usize {
                record.as_object().unwrap().values().filter_map(Value::as_array).map(Vec::len).sum()
            };
            assert_eq!(lists(&again), lists(&record));
            persons += 1;
            items += lists(&record);
            left += record["notRepresented"].as_array().map_or(0, Vec::len);
        }
    }
    println!("{persons} care records, {items} items, {left} of them say what has no place");
    assert!(persons > 0);
}

fn ingest() -> Ingest {
    let bases = (0..FOLDERS.len())
        .map(|n| (format!("http://e{n}.example/fhir"), Arc::from(format!("e{n}"))));
    Ingest::new(Arc::new(StructureCheck::new(&[]).unwrap()), EndpointBases::new(bases))
}

fn tell_quarantined(gateway: &Gateway) {
    let access = careweave::flow::Access::system();
    let mut reasons: BTreeMap<String, u32> = BTreeMap::new();
    for unusable in gateway.store().quarantine(&access, None, 10_000).unwrap() {
        *reasons.entry(format!("{}: {}", unusable.resource_type, unusable.reason)).or_default() +=
            1;
    }
    for (reason, times) in reasons {
        println!("quarantined {times} × {reason}");
    }
}

fn data() -> Option<PathBuf> {
    let data = std::env::var("CAREWEAVE_DATA").map_or_else(
        |_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        PathBuf::from,
    );
    if !data.is_dir() {
        println!("skipped: no {}", data.display());
        return None;
    }
    Some(data)
}

fn json_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "json") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// XML of a resource states what its JSON states, to the last space of its narrative: the same
/// version.
#[test]
fn the_same_in_xml_is_the_same_version() {
    let Some(data) = data() else { return };
    let ingest = ingest();
    let at = "2026-01-02T03:04:05Z".parse().unwrap();
    let mut compared = 0;
    for folder in FOLDERS.iter().chain(&["02-hl7-r4-examples", "03-us-core-6.1.0-examples"]) {
        for file in json_files(&data.join(folder)) {
            let json = std::fs::read(&file).unwrap();
            let stated = ingest.page("e0", at, &json);
            let Ok(xml) = to_xml(&json) else {
                assert!(!stated.quarantined.is_empty(), "no XML of {}", file.display());
                continue;
            };
            let again = ingest.page("e0", at, &from_xml(&xml).unwrap());
            let versions = |found: &Ingested| -> Vec<(RecordKey, Hash)> {
                found.records.iter().map(|r| (r.key.clone(), r.hash)).collect()
            };
            assert_eq!(versions(&stated), versions(&again), "{}", file.display());
            compared += stated.records.len();
        }
    }
    println!("{compared} versions compared");
    assert!(compared > 0);
}
