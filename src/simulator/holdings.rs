//! What a simulated server holds.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;

use crate::fhir::ResourceType;

/// A resource that cannot be served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its place in the input.
    pub index: usize,
    /// Why.
    pub reason: &'static str,
}

/// All resources by type and id, so that pages have an order and go on after an id.
#[derive(Debug, Default)]
pub(super) struct Holdings {
    types: BTreeMap<ResourceType, BTreeMap<Box<str>, Held>>,
}

/// One resource, or the place where one was.
#[derive(Debug)]
pub(super) struct Held {
    /// The JSON as given; `None` when deleted.
    pub(super) body: Option<Bytes>,
    /// Ids of the patients it is about.
    pub(super) patients: BTreeSet<Box<str>>,
    /// (system, value) of its identifiers.
    pub(super) identifiers: Vec<(Box<str>, Box<str>)>,
    /// `meta.lastUpdated`, or when it came.
    pub(super) last_updated: Timestamp,
}

/// Elements that say whom a resource is about.
const SUBJECT_ELEMENTS: [&str; 5] = ["subject", "patient", "for", "beneficiary", "individual"];

impl Holdings {
    /// Adds a resource with its own `meta.lastUpdated`.
    pub(super) fn load(&mut self, body: Bytes) -> Result<(), &'static str> {
        let (resource_type, id, held) = read(body)?;
        self.types.entry(resource_type).or_default().insert(id, held);
        Ok(())
    }

    /// Adds a resource as changed now, whatever its `meta.lastUpdated` says.
    pub(super) fn put(&mut self, body: Bytes) -> Result<(), &'static str> {
        let (resource_type, id, mut held) = read(body)?;
        held.last_updated = held.last_updated.max(Timestamp::now());
        self.types.entry(resource_type).or_default().insert(id, held);
        Ok(())
    }

    pub(super) fn delete(&mut self, resource_type: ResourceType, id: &str) -> bool {
        let held = self.types.get_mut(&resource_type).and_then(|all| all.get_mut(id));
        let Some(held) = held else { return false };
        let was_there = held.body.take().is_some();
        held.patients.clear();
        held.identifiers.clear();
        held.last_updated = Timestamp::now();
        was_there
    }

    pub(super) fn get(&self, resource_type: ResourceType, id: &str) -> Option<&Held> {
        self.types.get(&resource_type)?.get(id)
    }

    /// The live resources of a type, by id.
    pub(super) fn of_type(&self, resource_type: ResourceType) -> impl Iterator<Item = Row<'_>> {
        let rows = self.types.get(&resource_type).into_iter().flatten();
        rows.filter_map(move |(id, held)| {
            Some(Row { resource_type, id, held, body: held.body.as_ref()? })
        })
    }

    /// The types that are held, with whether any of their resources is about a patient.
    pub(super) fn types(&self) -> impl Iterator<Item = (ResourceType, bool)> {
        self.types
            .iter()
            .map(|(kind, all)| (*kind, all.values().any(|held| !held.patients.is_empty())))
    }

    pub(super) fn len(&self) -> usize {
        self.types.values().flat_map(BTreeMap::values).filter(|h| h.body.is_some()).count()
    }
}

/// One live resource.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) resource_type: ResourceType,
    pub(super) id: &'a str,
    pub(super) held: &'a Held,
    pub(super) body: &'a Bytes,
}

fn read(body: Bytes) -> Result<(ResourceType, Box<str>, Held), &'static str> {
    let resource: Value = serde_json::from_slice(&body).map_err(|_| "not JSON")?;
    let text = |name: &str| resource.get(name).and_then(Value::as_str);
    let name = text("resourceType").ok_or("no resourceType")?;
    let resource_type = ResourceType::parse(name).ok_or("resourceType is no R4 type")?;
    let id = text("id").filter(|id| !id.is_empty()).ok_or("no id")?;
    let updated = resource.pointer("/meta/lastUpdated").and_then(Value::as_str);
    let held = Held {
        patients: patients(name, id, &resource),
        identifiers: identifiers(&resource),
        last_updated: updated.and_then(|t| t.parse().ok()).unwrap_or_else(Timestamp::now),
        body: None,
    };
    let id = id.into();
    Ok((resource_type, id, Held { body: Some(body), ..held }))
}

fn patients(name: &str, id: &str, resource: &Value) -> BTreeSet<Box<str>> {
    if name == "Patient" {
        return BTreeSet::from([id.into()]);
    }
    let references = SUBJECT_ELEMENTS
        .iter()
        .filter_map(|element| resource.get(element)?.get("reference")?.as_str());
    // Provenance and List entries name patients among others.
    let targets = resource.get("target").and_then(Value::as_array).into_iter().flatten();
    let targets = targets.filter_map(|t| t.get("reference")?.as_str());
    references.chain(targets).filter_map(patient_of).map(Into::into).collect()
}

/// The id in a reference to a Patient: relative, absolute, or a `urn:uuid:` as exports have it
/// in a subject's place.
fn patient_of(reference: &str) -> Option<&str> {
    if let Some(uuid) = reference.strip_prefix("urn:uuid:") {
        return Some(uuid);
    }
    let mut parts = reference.rsplit('/');
    let id = parts.next()?;
    (parts.next()? == "Patient" && !id.is_empty()).then_some(id)
}

fn identifiers(resource: &Value) -> Vec<(Box<str>, Box<str>)> {
    let list = match resource.get("identifier") {
        Some(Value::Array(list)) => list.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    let text = |i: &Value, name: &str| i.get(name).and_then(Value::as_str).unwrap_or("").into();
    list.iter().map(|i| (text(i, "system"), text(i, "value"))).collect()
}
