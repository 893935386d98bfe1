//! What a simulated server reads of a resource: who it is, whom it is about, when it changed.

use jiff::Timestamp;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::fhir::bundle::members;
use crate::fhir::{Reference, ResourceType, parse_moment, parse_reference};

/// System (may be empty) and value of an identifier.
pub(super) type Identifier = (Box<str>, Box<str>);

/// What is read of a resource; its other members are not parsed.
#[derive(Debug)]
pub(super) struct About {
    pub(super) resource_type: ResourceType,
    pub(super) id: Option<Box<str>>,
    /// Ids of the patients it names.
    pub(super) patients: Vec<Box<str>>,
    /// Of a Provenance: what it is about, other than patients.
    pub(super) targets: Vec<(ResourceType, Box<str>)>,
    pub(super) identifiers: Vec<Identifier>,
    /// `meta.lastUpdated`.
    pub(super) last_updated: Option<Timestamp>,
}

/// The members that are read: what a resource says of itself, then whom it is about.
const MEMBERS: [&str; 13] = [
    "resourceType",
    "id",
    "meta",
    "identifier",
    "subject",
    "patient",
    "for",
    "beneficiary",
    "individual",
    "candidate",
    "target",
    "participant",
    "actor",
];

impl About {
    /// Reads one JSON text.
    pub(super) fn read(body: &[u8]) -> Result<Self, &'static str> {
        let found = members(body, MEMBERS).ok_or("not JSON")?;
        let [name, id, meta, identifier, subjects @ .., target, participant, actor] = found;
        let name: Option<String> = name.and_then(value);
        let name = name.ok_or("no resourceType")?;
        let resource_type = ResourceType::parse(&name).ok_or("resourceType is no R4 type")?;
        let id: Option<String> = id.and_then(value).filter(|id: &String| !id.is_empty());
        let id = id.map(String::into_boxed_str);
        let mut references = Vec::new();
        subjects.into_iter().flatten().for_each(|raw| refer_to(raw, None, &mut references));
        let (others, inner) = match name.as_str() {
            "Provenance" => (target, None),
            "Appointment" => (participant, Some("actor")),
            "AppointmentResponse" => (actor, None),
            _ => (None, None),
        };
        others.into_iter().for_each(|raw| refer_to(raw, inner, &mut references));
        let mut about = Self {
            resource_type,
            patients: Vec::new(),
            targets: Vec::new(),
            identifiers: identifier.and_then(value).map(identifiers).unwrap_or_default(),
            last_updated: meta.and_then(value).as_ref().and_then(last_updated),
            id,
        };
        match (name.as_str(), &about.id) {
            ("Patient", id) => about.patients.extend(id.clone()),
            _ => references.iter().for_each(|to| about.refer(to)),
        }
        Ok(about)
    }

    fn refer(&mut self, to: &str) {
        if let Some(patient) = patient_id(to) {
            if !self.patients.iter().any(|known| **known == *patient) {
                self.patients.push(patient.into());
            }
        } else if let Reference::Relative { resource_type, id, .. }
        | Reference::Absolute { resource_type, id, .. } = parse_reference(to)
            && self.resource_type.name() == "Provenance"
        {
            self.targets.push((resource_type, id.into()));
        }
    }
}

/// The id in a reference to a Patient: relative, absolute, or a `urn:uuid:` as exports have it
/// in a subject's place.
pub(super) fn patient_id(reference: &str) -> Option<&str> {
    if let Some(uuid) = reference.strip_prefix("urn:uuid:") {
        return Some(uuid);
    }
    let reference = reference.split("/_history/").next().unwrap_or(reference);
    let mut parts = reference.rsplit('/');
    let id = parts.next()?;
    (parts.next()? == "Patient" && !id.is_empty()).then_some(id)
}

/// Adds the literal references of an element, or of an element in it; of a list, of each.
fn refer_to(raw: &RawValue, inner: Option<&str>, found: &mut Vec<String>) {
    let Some(whole) = value::<Value>(raw) else { return };
    let list = match &whole {
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    let named = list.iter().filter_map(|one| inner.map_or(Some(one), |name| one.get(name)));
    let references = named.filter_map(|one| one.get("reference")?.as_str());
    found.extend(references.map(str::to_owned));
}

fn identifiers(value: Value) -> Vec<Identifier> {
    let list = match value {
        Value::Array(list) => list,
        one => vec![one],
    };
    let text = |i: &Value, name: &str| i.get(name).and_then(Value::as_str).unwrap_or("").into();
    list.iter().map(|i| (text(i, "system"), text(i, "value"))).collect()
}

fn last_updated(meta: &Value) -> Option<Timestamp> {
    parse_moment(meta.get("lastUpdated")?.as_str()?).map(|moment| moment.from)
}

fn value<T: serde::de::DeserializeOwned>(raw: &RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}
