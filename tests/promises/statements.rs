//! What endpoints say: a made population's records, and edits of them.

use std::fmt;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use careweave::fhir::ResourceType;
use careweave::flow::RecordKey;
use careweave::population::{Population, generate};

use super::world::TODAY;

/// How many seeds the properties draw their populations from.
const SEEDS: u64 = 64;

/// One endpoint says one thing of one record at one moment.
#[derive(Clone, PartialEq)]
pub(crate) struct Statement {
    pub(crate) key: RecordKey,
    /// Minutes after the first observations.
    pub(crate) wave: i64,
    pub(crate) said: Said,
}

#[derive(Clone, PartialEq)]
pub(crate) enum Said {
    /// The record, in this state.
    Resource(Value),
    /// It is not there.
    Gone,
}

/// What happens to a record after its first statement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Edit {
    Changed,
    /// A, B, A.
    Reverted,
    Retracted,
    Deleted,
    DeletedAndBack,
    /// The next statement names another patient of the endpoint.
    Moved,
    /// What it contained is no longer in it.
    Emptied,
}

impl fmt::Debug for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, wave, said } = self;
        match said {
            Said::Gone => write!(f, "{wave} {key} gone"),
            Said::Resource(resource) => {
                let text = |pointer| resource.pointer(pointer).and_then(Value::as_str);
                let version = text("/meta/versionId").unwrap_or("-");
                let status = text("/status").or(text("/lifecycleStatus")).unwrap_or("-");
                write!(f, "{wave} {key} v{version} {status}")
            }
        }
    }
}

pub(crate) fn population(seed: u64, persons: usize) -> Population {
    generate(seed, persons, TODAY)
}

/// Everything a population says, in the first wave.
pub(crate) fn all_of(population: &Population) -> Vec<Statement> {
    let endpoints = population.endpoints.iter();
    let said = endpoints.flat_map(|e| e.resources.iter().map(|r| stated(e.id, r.clone(), 0)));
    said.collect()
}

pub(crate) fn stated(endpoint: &str, resource: Value, wave: i64) -> Statement {
    let kind = ResourceType::parse(resource["resourceType"].as_str().unwrap()).unwrap();
    let key = RecordKey::new(endpoint, kind, resource["id"].as_str().unwrap());
    Statement { key, wave, said: Said::Resource(resource) }
}

/// Some records of a population, most often with all its Patients, and edits of some.
pub(crate) fn some(
    persons: usize,
    records: std::ops::Range<usize>,
) -> impl Strategy<Value = Vec<Statement>> {
    (0..SEEDS).prop_flat_map(move |seed| {
        let all = all_of(&population(seed, persons));
        let size = records.start.min(all.len())..records.end.min(all.len());
        let patients = all.iter().filter(|s| is_patient(s)).cloned().collect::<Vec<_>>();
        let edits = prop::collection::vec((any::<prop::sample::Index>(), edit()), 0..12);
        let known = prop::bool::weighted(0.8);
        let by_identifier = prop::collection::vec(any::<prop::sample::Index>(), 0..4);
        (prop::sample::subsequence(all, size), known, by_identifier, edits).prop_map(
            move |(mut said, known, by_identifier, edits)| {
                name_by_identifier(&mut said, &by_identifier, &patients);
                let patients = if known { &patients[..] } else { &[] };
                said.extend(
                    patients.iter().filter(|p| !said.contains(p)).cloned().collect::<Vec<_>>(),
                );
                with_edits(said, &edits)
            },
        )
    })
}

/// Some records name their Patient by an identifier only.
fn name_by_identifier(
    said: &mut [Statement],
    which: &[prop::sample::Index],
    patients: &[Statement],
) {
    for index in which {
        let at = index.index(said.len());
        let statement = &mut said[at];
        let Said::Resource(resource) = &mut statement.said else { continue };
        for element in ["subject", "patient", "for", "beneficiary"] {
            let Some(reference) = resource.get_mut(element).and_then(|s| s.get_mut("reference"))
            else {
                continue;
            };
            let named = patients.iter().find(|p| {
                p.key.endpoint == statement.key.endpoint
                    && *reference == json!(format!("Patient/{}", p.key.id))
            });
            let Some(Said::Resource(patient)) = named.map(|p| &p.said) else { continue };
            let of = |name: &str| patient["identifier"][0][name].as_str().unwrap_or_default();
            let name = format!("Patient?identifier={}|{}", of("system"), of("value"));
            *reference = json!(name);
        }
    }
}

fn edit() -> impl Strategy<Value = Edit> {
    prop::sample::select(vec![
        Edit::Changed,
        Edit::Reverted,
        Edit::Retracted,
        Edit::Deleted,
        Edit::DeletedAndBack,
        Edit::Moved,
        Edit::Emptied,
    ])
}

fn with_edits(said: Vec<Statement>, edits: &[(prop::sample::Index, Edit)]) -> Vec<Statement> {
    let mut all = said.clone();
    let mut edited = Vec::new();
    for (index, edit) in edits {
        let first = index.get(&said);
        if !edited.contains(&first.key) {
            edited.push(first.key.clone());
            all.extend(edited_states(first, *edit, &said));
        }
    }
    all
}

/// What an endpoint says of a record later on.
pub(crate) fn edited_states(first: &Statement, edit: Edit, said: &[Statement]) -> Vec<Statement> {
    let Said::Resource(a) = &first.said else { return Vec::new() };
    let endpoint = &*first.key.endpoint;
    let resource = |r: Value, wave: i64| stated(endpoint, restamped(r, wave), wave);
    let gone = |wave| Statement { key: first.key.clone(), wave, said: Said::Gone };
    match edit {
        Edit::Changed => vec![resource(changed(a), 1)],
        Edit::Reverted => vec![resource(changed(a), 1), resource(a.clone(), 2)],
        Edit::Retracted => vec![resource(retracted(a), 1)],
        Edit::Deleted => vec![gone(1)],
        Edit::DeletedAndBack => vec![gone(1), resource(changed(a), 2)],
        Edit::Moved => {
            let others = said.iter().filter(|s| is_patient(s) && &*s.key.endpoint == endpoint);
            let patient = others.map(|s| s.key.id.clone()).max();
            vec![resource(moved(a, patient.as_deref()), 1)]
        }
        Edit::Emptied => vec![resource(emptied(a), 1)],
    }
}

pub(crate) fn is_patient(statement: &Statement) -> bool {
    statement.key.resource_type.name() == "Patient"
}

/// The same with the stamp that its endpoint gives a later version; one that gives none to the
/// first gives none later.
fn restamped(mut resource: Value, wave: i64) -> Value {
    if let Some(meta) = resource.get_mut("meta").and_then(Value::as_object_mut) {
        let version: i64 = meta["versionId"].as_str().unwrap().parse().unwrap();
        meta["versionId"] = json!((version + wave).to_string());
        meta["lastUpdated"] = json!(format!("2026-11-22T07:{wave:02}:00.000Z"));
    }
    resource
}

fn changed(resource: &Value) -> Value {
    let mut resource = resource.clone();
    let name = resource["resourceType"].as_str().unwrap_or_default().to_owned();
    let members = resource.as_object_mut().unwrap();
    match &*name {
        "Patient" => set(members, "birthDate", json!("1931-02-03")),
        "Goal" => set(members, "lifecycleStatus", json!("on-hold")),
        "CarePlan" | "ServiceRequest" | "Task" | "MedicationRequest" => {
            set(members, "status", json!("on-hold"));
        }
        "Organization" | "Location" => set(members, "name", json!("Another Name")),
        _ => set(members, "language", json!("en-US")),
    }
    resource
}

fn retracted(resource: &Value) -> Value {
    let mut resource = resource.clone();
    let name = resource["resourceType"].as_str().unwrap_or_default().to_owned();
    let members = resource.as_object_mut().unwrap();
    let error = json!("entered-in-error");
    match &*name {
        "Goal" => set(members, "lifecycleStatus", error),
        "Condition" | "AllergyIntolerance" => {
            let codes = match &*name {
                "Condition" => "condition-ver-status",
                _ => "allergyintolerance-verification",
            };
            let system = format!("http://terminology.hl7.org/CodeSystem/{codes}");
            members.shift_remove("clinicalStatus");
            let coding = json!({"coding": [{"system": system, "code": error}]});
            set(members, "verificationStatus", coding);
        }
        // A Location can only be suspended.
        _ if name != "Location" && members.contains_key("status") => {
            set(members, "status", error);
        }
        _ => set(members, "language", json!("en-GB")),
    }
    resource
}

fn moved(resource: &Value, patient: Option<&str>) -> Value {
    let mut resource = resource.clone();
    let Some(patient) = patient else { return resource };
    for element in ["subject", "patient", "for", "beneficiary"] {
        if let Some(reference) = resource.get_mut(element).and_then(|s| s.get_mut("reference")) {
            *reference = json!(format!("Patient/{patient}"));
        }
    }
    resource
}

fn emptied(resource: &Value) -> Value {
    let mut resource = resource.clone();
    let members = resource.as_object_mut().unwrap();
    let Some(Value::Array(inner)) = members.shift_remove("contained") else { return resource };
    let named = |r: &Value| {
        inner.iter().any(|i| r["reference"] == format!("#{}", i["id"].as_str().unwrap()))
    };
    if let Some(goals) = members.get_mut("goal").and_then(Value::as_array_mut) {
        goals.retain(|goal| !named(goal));
        if goals.is_empty() {
            members.shift_remove("goal");
        }
    }
    resource
}

fn set(members: &mut Map<String, Value>, name: &str, value: Value) {
    members.insert(name.to_owned(), value);
}
