//! Real persons and what is planned for them, read from other people's data.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::archive::{files_of, unpacked};

/// What is judged.
pub(crate) const JUDGED: [&str; 6] =
    ["CarePlan", "Condition", "Goal", "MedicationRequest", "ServiceRequest", "Task"];

/// Folders of examples and care coordination, relative to the data.
const DONORS: [&str; 6] = [
    "02-hl7-r4-examples",
    "03-us-core-6.1.0-examples",
    "05-care-coordination/chronic-care-multi-provider",
    "05-care-coordination/inferno-reference-server",
    "05-care-coordination/sdoh-clinicalcare-sushi",
    "06-transition-documents-fhir",
];

/// The records of one person as one system has them, with everything they name.
#[derive(Clone, Default)]
pub(crate) struct Record {
    /// By reference (`Type/id` and `urn:uuid:…`).
    pub(crate) all: BTreeMap<String, Value>,
    /// References of what is judged.
    pub(crate) own: Vec<String>,
    /// References of what was done or measured, from which orders can be made.
    pub(crate) done: Vec<String>,
}

pub(crate) struct Pool {
    pub(crate) synthea: Vec<Record>,
    pub(crate) donors: Vec<Record>,
    /// Tasks as they stand in the data.
    pub(crate) tasks: Vec<Value>,
    /// Texts of dosage instructions.
    pub(crate) doses: Vec<Value>,
    /// Codings that stand beside a coding in one concept, of another system.
    pub(crate) beside: BTreeMap<(String, String), Vec<Value>>,
}

impl Pool {
    pub(crate) fn read(data: &Path) -> Option<Self> {
        let archive = unpacked(&data.join("04-synthea-r4"))?;
        let mut pool = Self {
            synthea: Vec::new(),
            donors: Vec::new(),
            tasks: Vec::new(),
            doses: Vec::new(),
            beside: BTreeMap::new(),
        };
        for file in files_of(archive.path()) {
            let mut record = Record::default();
            record.take(&parsed(&file)?, None);
            if !record.own.is_empty() {
                record.sort();
                pool.synthea.push(record);
            }
        }
        for folder in DONORS {
            let mut all = Record::default();
            for file in files_of(&data.join(folder)) {
                // Some files of the sets are no JSON.
                let Some(resource) = parsed(&file) else { continue };
                pool.learn(&resource);
                all.take(&resource, None);
            }
            all.sort();
            pool.tasks.extend(
                all.own
                    .iter()
                    .map(|r| &all.all[r])
                    .filter(|r| r["resourceType"] == "Task")
                    .cloned(),
            );
            pool.donors.extend(by_person(&all));
        }
        Some(pool)
    }

    /// Codings that stand together, and dosages.
    fn learn(&mut self, value: &Value) {
        match value {
            Value::Object(map) => {
                if let Some(Value::Array(codings)) = map.get("coding") {
                    self.learn_codings(codings);
                }
                let dose = map.get("dosageInstruction").and_then(|d| d.get(0));
                let told = |d: &&Value| d["text"].is_string() || d["timing"].is_object();
                self.doses.extend(dose.filter(told).cloned());
                map.values().for_each(|v| self.learn(v));
            }
            Value::Array(list) => list.iter().for_each(|v| self.learn(v)),
            _ => {}
        }
    }

    fn learn_codings(&mut self, codings: &[Value]) {
        // One coding a system: more say that they are not the same concept.
        let systems: BTreeSet<_> = codings.iter().filter_map(|c| c["system"].as_str()).collect();
        let clinical = |c: &Value| {
            let system = c["system"].as_str().unwrap_or_default();
            ["snomed", "loinc", "icd-10", "rxnorm", "cpt", "diet-type"]
                .iter()
                .any(|s| system.contains(s))
        };
        if systems.len() != codings.len() || codings.len() < 2 {
            return;
        }
        for a in codings.iter().filter(|c| clinical(c)) {
            for b in codings.iter().filter(|c| clinical(c) && c["system"] != a["system"]) {
                let list = self.beside.entry(coding_key(a)).or_default();
                if !list.iter().any(|c| c["code"] == b["code"]) {
                    list.push(b.clone());
                }
            }
        }
    }
}

pub(crate) fn coding_key(coding: &Value) -> (String, String) {
    let text = |name: &str| coding[name].as_str().unwrap_or_default().to_owned();
    (text("system"), text("code"))
}

fn parsed(file: &Path) -> Option<Value> {
    serde_json::from_str(&fs::read_to_string(file).ok()?).ok()
}

/// The persons of a folder, those with at least three records that are judged.
fn by_person(all: &Record) -> Vec<Record> {
    let mut persons: BTreeMap<&str, Record> = BTreeMap::new();
    for reference in &all.own {
        let body = &all.all[reference];
        let subject = body["subject"]["reference"].as_str().or(body["for"]["reference"].as_str());
        if let Some(subject) = subject {
            let person = persons.entry(subject).or_default();
            person.own.push(reference.clone());
        }
    }
    let of_some = persons.into_values().filter(|p| p.own.len() >= 3);
    of_some.map(|p| Record { all: all.all.clone(), ..p }).collect()
}

impl Record {
    fn sort(&mut self) {
        self.own.sort();
        self.own.dedup();
        self.done.sort();
        self.done.dedup();
    }

    /// Takes a resource, or the entries of a Bundle.
    fn take(&mut self, resource: &Value, full_url: Option<&str>) {
        let Some(kind) = resource["resourceType"].as_str() else { return };
        if kind == "Bundle" {
            for entry in resource["entry"].as_array().into_iter().flatten() {
                self.take(&entry["resource"], entry["fullUrl"].as_str());
            }
            return;
        }
        let Some(id) = resource["id"].as_str() else { return };
        let reference = format!("{kind}/{id}");
        let mut body = resource.clone();
        inline_medication(&mut body);
        if JUDGED.contains(&kind) && !self.all.contains_key(&reference) {
            self.own.push(reference.clone());
        }
        if ["Procedure", "DiagnosticReport"].contains(&kind) {
            self.done.push(reference.clone());
        }
        if let Some(url) = full_url {
            self.all.insert(url.to_owned(), Value::String(reference.clone()));
        }
        self.all.insert(reference, body);
    }

    /// The resource a reference leads to, with the reference it is known by.
    pub(crate) fn target<'a>(&'a self, reference: &'a str) -> Option<(&'a str, &'a Value)> {
        let relative = match self.all.get(reference) {
            Some(Value::String(to)) => to.as_str(),
            Some(_) => reference,
            None => {
                let cut = reference.rmatch_indices('/').nth(1)?.0;
                &reference[cut + 1..]
            }
        };
        self.all.get_key_value(relative).map(|(key, body)| (key.as_str(), body))
    }
}

/// A contained Medication becomes the concept it holds.
fn inline_medication(body: &mut Value) {
    let Some(reference) = body["medicationReference"]["reference"].as_str() else { return };
    let Some(id) = reference.strip_prefix('#') else { return };
    let contained = body["contained"].as_array().into_iter().flatten();
    let code = contained.into_iter().find(|c| c["id"] == id).map(|c| c["code"].clone());
    if let (Some(code), Some(map)) = (code.filter(Value::is_object), body.as_object_mut()) {
        map.remove("medicationReference");
        map.insert("medicationCodeableConcept".to_owned(), code);
    }
}
