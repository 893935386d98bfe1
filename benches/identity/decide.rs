//! What it costs to decide about one record more against a store of many: the decision by
//! itself, and then all of it, durable.

use std::sync::Arc;
use std::time::{Duration, Instant};

use careweave::compare::demographics;
use careweave::fhir::StructureCheck;
use careweave::flow::{Access, MatchGrade};
use careweave::identity::Model;
use careweave::ingest::{EndpointBases, Ingest};
use careweave::pipeline::{EndpointSettings, Gateway, GatewayOptions, accept};
use careweave::reconcile::{EndpointFacts, Policy};
use careweave::store::SledStore;
use serde_json::{Value, json};

use super::world;

/// How many records are decided about.
const NEW: usize = 2_000;
/// How many of these are then taken in and settled, one by one.
const TAKEN: usize = 200;
/// Records that are loaded at once.
const PAGE: usize = 500;
const ENDPOINTS: [&str; 3] = ["s0", "s1", "s2"];

pub(crate) fn decide(charts: usize, seed: u64) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = Arc::new(SledStore::open(dir.path()).expect("a store"));
    let endpoints = ENDPOINTS.map(|id| EndpointSettings {
        id: id.into(),
        facts: EndpointFacts {
            base_url: base_of(id),
            name: id.to_owned(),
            ..EndpointFacts::default()
        },
        ..Default::default()
    });
    let gateway = Gateway::new(
        store,
        GatewayOptions {
            public_base_url: "http://gateway.example".to_owned(),
            endpoints: endpoints.into(),
            model: Model::embedded(),
            policy: Policy::embedded(),
            as_of: None,
        },
    );
    let check = Arc::new(StructureCheck::new(&[]).expect("the embedded profiles"));
    let bases = ENDPOINTS.map(|id| (base_of(id), id.into()));
    let ingest = Ingest::new(check, EndpointBases::new(bases));
    let rows = patients(&world::table(charts + NEW, seed));
    let (known, new) = rows.split_at(charts);
    let begun = Instant::now();
    for page in known.chunks(PAGE) {
        take(&gateway, &ingest, page);
    }
    gateway.settle_all(&mut |_, _| ()).expect("it settles");
    println!("{charts} charts loaded and settled in {:.1} s", begun.elapsed().as_secs_f64());

    let access = Access::open();
    let mut took = Vec::with_capacity(NEW);
    let mut certain = 0;
    for (_, patient) in new {
        let begun = Instant::now();
        let stated = demographics(patient);
        let found = gateway.match_patient(&access, &stated).expect("it decides");
        took.push(begun.elapsed());
        certain += usize::from(found.first().is_some_and(|m| m.grade == MatchGrade::Certain));
    }
    tell("decision, nothing written", took);
    println!("{certain} of {} records have a certain match", new.len());
    let mut took = Vec::with_capacity(TAKEN);
    for record in new.iter().take(TAKEN) {
        let begun = Instant::now();
        take(&gateway, &ingest, std::slice::from_ref(record));
        gateway.settle_all(&mut |_, _| ()).expect("it settles");
        took.push(begun.elapsed());
    }
    tell("accepted, decided, woven, both commits durable", took);
}

fn tell(what: &str, mut took: Vec<Duration>) {
    took.sort_unstable();
    let at = |percent: usize| took[(took.len() * percent / 100).min(took.len() - 1)];
    println!("{what}: p50 {:.2?}, p99 {:.2?}, most {:.2?}", at(50), at(99), at(100));
}

fn base_of(endpoint: &str) -> String {
    format!("http://{endpoint}.example/fhir")
}

/// The table's rows as Patients, each with the endpoint that states it.
fn patients(table: &str) -> Vec<(usize, Value)> {
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let rows = reader.records().map(|row| row.expect("it was just made"));
    rows.enumerate().map(|(n, row)| (n % ENDPOINTS.len(), patient(&row))).collect()
}

fn patient(row: &csv::StringRecord) -> Value {
    let cell = |at: usize| row.get(at).unwrap_or_default();
    let given: Vec<&str> = [cell(2), cell(3)].into_iter().filter(|t| !t.is_empty()).collect();
    let mut made = json!({
        "resourceType": "Patient", "id": cell(0),
        "name": [{"family": cell(4), "given": given}]
    });
    let suffix = cell(5);
    if !suffix.is_empty() {
        made["name"][0]["suffix"] = json!([suffix]);
    }
    match cell(6) {
        "M" => made["gender"] = json!("male"),
        "F" => made["gender"] = json!("female"),
        _ => {}
    }
    if !cell(7).is_empty() {
        made["birthDate"] = json!(cell(7));
    }
    made["address"] = json!([{"city": cell(9), "state": cell(10), "postalCode": cell(11)}]);
    if !cell(8).is_empty() {
        made["address"][0]["line"] = json!([cell(8)]);
    }
    let telecoms = [("phone", cell(12)), ("email", cell(13))];
    let known: Vec<Value> = telecoms
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(system, value)| json!({"system": system, "value": value}))
        .collect();
    if !known.is_empty() {
        made["telecom"] = json!(known);
    }
    if !cell(14).is_empty() {
        made["identifier"] =
            json!([{"system": "http://hl7.org/fhir/sid/us-ssn", "value": cell(14)}]);
    }
    made
}

/// Takes records in, endpoint by endpoint, durable when it returns.
fn take(gateway: &Gateway, ingest: &Ingest, records: &[(usize, Value)]) {
    for (at, endpoint) in ENDPOINTS.into_iter().enumerate() {
        let of_endpoint = records.iter().filter(|(of, _)| *of == at);
        let entries: Vec<Value> = of_endpoint
            .map(|(_, patient)| {
                let id = patient["id"].as_str().unwrap_or_default();
                let url = format!("{}/Patient/{id}", base_of(endpoint));
                json!({"fullUrl": url, "resource": patient})
            })
            .collect();
        if entries.is_empty() {
            continue;
        }
        let bundle = json!({"resourceType": "Bundle", "type": "searchset", "entry": entries});
        let body = bundle.to_string();
        let ingested = ingest.page(endpoint, gateway.now(), body.as_bytes());
        accept(gateway.store().as_ref(), &endpoint.into(), &ingested, None)
            .expect("it is accepted");
    }
}
