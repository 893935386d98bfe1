//! The three organisations while they are being filled: ids, stamps, facts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::{Population, PopulationEndpoint, Truth};
use crate::fhir::ResourceType;
use crate::flow::RecordKey;

/// The hospital.
pub(super) const MERCY: usize = 0;
/// The family practice.
pub(super) const VALLEY: usize = 1;
/// The payer.
pub(super) const HARBOR: usize = 2;

/// Index of an organisation, and what its systems are called.
pub(super) const SYSTEMS: [&str; 3] =
    ["http://mercy.example", "http://valley.example", "http://harbor.example"];
const IDS: [&str; 3] = ["mercy", "valley", "harbor"];

/// Everything made so far.
pub(super) struct World {
    /// The day it is made for.
    pub(super) today: Date,
    endpoints: Vec<PopulationEndpoint>,
    counters: BTreeMap<(usize, String), u64>,
    truth: Truth,
    kinds: BTreeMap<u64, &'static str>,
    retracted: BTreeSet<RecordKey>,
    facts: u64,
}

impl World {
    pub(super) fn new(today: Date) -> Self {
        let names = ["Mercy General", "Valley Family Practice", "Harbor Health Plan"];
        let bases = [
            "https://fhir.mercy.example/r4",
            "https://fhir.valley.example/r4",
            "https://fhir.harbor.example/r4",
        ];
        let endpoint = |at: usize| PopulationEndpoint {
            id: IDS[at],
            name: names[at],
            base_hint: bases[at],
            organization: format!("{}/org|O{}", SYSTEMS[at], 100 + at),
            resources: Vec::new(),
            requires_patient: at == HARBOR,
            offers_everything: at == MERCY,
        };
        Self {
            today,
            endpoints: [MERCY, VALLEY, HARBOR].map(endpoint).into(),
            counters: BTreeMap::new(),
            truth: Truth::default(),
            kinds: BTreeMap::new(),
            retracted: BTreeSet::new(),
            facts: 0,
        }
    }

    /// A new fact; `kind` tells how it is planted when more than one record states it.
    pub(super) fn fact(&mut self, kind: &'static str) -> u64 {
        self.facts += 1;
        self.kinds.insert(self.facts, kind);
        self.facts
    }

    /// Lets an organisation state a fact; gives back the literal reference to the record.
    pub(super) fn add(&mut self, at: usize, fact: u64, resource: Value) -> String {
        let retracted = is_retracted(&resource);
        let reference = self.add_unusable(at, resource);
        let key = record_key(at, &reference);
        if retracted {
            self.retracted.insert(key.clone());
        }
        self.truth.fact_of.insert(key, fact);
        reference
    }

    /// Lets an organisation state something that nobody can use.
    pub(super) fn add_unusable(&mut self, at: usize, resource: Value) -> String {
        let Value::Object(members) = resource else { return String::new() };
        let name = members.get("resourceType").and_then(Value::as_str).unwrap_or_default();
        let counter = self.counters.entry((at, name.to_owned())).or_insert_with(|| {
            // Numbers overlap between organisations, and mean different people there.
            1001 - u64::try_from(at).unwrap_or(0)
        });
        let number = *counter;
        *counter += 1;
        let reference = format!("{name}/{number}");
        let stamped = self.stamped(at, number, members);
        self.endpoints[at].resources.push(Value::Object(stamped));
        reference
    }

    fn stamped(&self, at: usize, number: u64, members: Map<String, Value>) -> Map<String, Value> {
        let mut stamped = Map::new();
        for (name, value) in members {
            let first = name == "resourceType";
            stamped.insert(name, value);
            if !first {
                continue;
            }
            stamped.insert("id".to_owned(), json!(number.to_string()));
            // The practice's old server says neither version nor time.
            if at != VALLEY {
                let days = i64::try_from(1 + number * 37 % 180).unwrap_or(0);
                let minute = number % 60;
                let at = format!("{}T06:{minute:02}:00.000Z", self.day(days));
                let version = (number % 3 + 1).to_string();
                stamped.insert("meta".to_owned(), json!({"versionId": version, "lastUpdated": at}));
            }
        }
        stamped
    }

    /// Notes the fact that a contained resource states.
    pub(super) fn contains(
        &mut self,
        at: usize,
        parent: &str,
        kind: &'static str,
        id: &str,
        fact: u64,
    ) {
        let id = format!("{parent}#{id}");
        let key = RecordKey::new(IDS[at], ResourceType::of(kind), &id);
        self.truth.fact_of.insert(key, fact);
    }

    /// Notes that two records look alike and are not.
    pub(super) fn distinct(&mut self, a: (usize, &str), b: (usize, &str)) {
        let pair = (record_key(a.0, a.1), record_key(b.0, b.1));
        self.truth.distinct.push(pair);
    }

    /// Notes whose Patient it is.
    pub(super) fn patient(&mut self, at: usize, reference: &str, person: usize) {
        let id = reference.trim_start_matches("Patient/").to_owned();
        if person == 0 && at == MERCY {
            self.truth.showcase = (IDS[at].to_owned(), id.clone());
        }
        self.truth.person_of.insert((IDS[at].to_owned(), id), person);
    }

    /// The day this many days ago (or ahead, if negative).
    pub(super) fn day(&self, ago: i64) -> Date {
        self.today.saturating_sub(ago.days())
    }

    pub(super) fn finish(mut self) -> Population {
        self.truth.group(&self.kinds, &self.retracted);
        Population { endpoints: self.endpoints, truth: self.truth }
    }
}

fn record_key(at: usize, reference: &str) -> RecordKey {
    let (name, id) = reference.split_once('/').unwrap_or_default();
    let resource_type = ResourceType::parse(name).expect("we make R4 resources only");
    RecordKey::new(IDS[at], resource_type, id)
}

fn is_retracted(resource: &Value) -> bool {
    let coded = resource.pointer("/verificationStatus/coding/0/code");
    [coded, resource.get("status"), resource.get("lifecycleStatus")]
        .into_iter()
        .flatten()
        .any(|status| status == "entered-in-error")
}

/// A CodeableConcept of one coding.
pub(super) fn coded(system: &str, code: &str, display: &str) -> Value {
    json!({"coding": [{"system": system, "code": code, "display": display}], "text": display})
}

/// A Reference.
pub(super) fn to(reference: &str) -> Value {
    json!({"reference": reference})
}

pub(super) const LOINC: &str = "http://loinc.org";
pub(super) const SNOMED: &str = "http://snomed.info/sct";
pub(super) const ICD10: &str = "http://hl7.org/fhir/sid/icd-10-cm";
pub(super) const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";
pub(super) const CVX: &str = "http://hl7.org/fhir/sid/cvx";
pub(super) const UCUM: &str = "http://unitsofmeasure.org";
pub(super) const NPI: &str = "http://hl7.org/fhir/sid/us-npi";
