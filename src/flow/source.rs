//! What ingest hands to accept.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::fhir::{ResourceType, is_id};

use super::facts::Facts;
use super::id::Hash;
use super::key::{Home, RecordKey};
use super::version::{Stamp, State};

/// Contained resources of these types become records keyed `Parent/id#fragment`.
const LIFTED_TYPES: [&str; 10] = [
    "CommunicationRequest",
    "Condition",
    "DeviceRequest",
    "Goal",
    "MedicationRequest",
    "NutritionOrder",
    "Patient",
    "ServiceRequest",
    "Task",
    "VisionPrescription",
];

/// The key that a contained resource has as a record of its own; `None` if it stays in its
/// container. Nothing but the resource itself decides, so that who reads the container, and whose
/// the lifted record is, makes no difference.
pub fn lifted_key(parent: &RecordKey, inner: &Value) -> Option<RecordKey> {
    let name = inner.get("resourceType")?.as_str()?;
    let kind = LIFTED_TYPES.contains(&name).then(|| ResourceType::parse(name)).flatten()?;
    // Some senders write the reference's "#" into the id.
    let fragment = inner.get("id")?.as_str()?.trim_start_matches('#');
    is_id(fragment).then(|| {
        let id = format!("{}/{}#{fragment}", parent.resource_type, parent.id);
        RecordKey::new(&parent.endpoint, kind, &id)
    })
}

/// One version of one source record, ready to be accepted.
#[derive(Clone, Debug)]
pub struct SourceRecord {
    /// The record.
    pub key: RecordKey,
    /// The record it was lifted from, if it was contained.
    pub parent: Option<RecordKey>,
    /// When and as what it was stated.
    pub stamp: Stamp,
    /// Live, deleted or absent.
    pub state: State,
    /// The home that its content names. For a deletion, which has no content: the home of the
    /// record's last version (accept fills it in), else what its type alone says.
    pub home: Home,
    /// Hash of the canonical content without `meta.versionId` and `meta.lastUpdated`.
    pub hash: Hash,
    /// Content and facts; empty for a deletion.
    pub content: Content,
}

/// The content of a version; immutable.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug, Default)]
pub struct Content {
    /// The JSON exactly as the endpoint stated it (for a lifted record: the contained object).
    pub body: Bytes,
    /// Facts extracted from it.
    pub facts: Facts,
    /// What is wrong with it, though it could be used.
    pub issues: Vec<RecordIssue>,
}

/// Something questionable in a usable resource.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct RecordIssue {
    /// `IssueType` code: `structure`, `value`, `code-invalid`, `not-found` …
    pub code: Box<str>,
    /// FHIRPath of the element.
    pub expression: Box<str>,
    /// Text without patient data that says what to do.
    pub text: Box<str>,
}

/// Input that could not be used, with its bytes and the reason.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Quarantined {
    /// Hash of endpoint and bytes: the same input again is a repeat.
    pub hash: Hash,
    /// Where it came from.
    pub endpoint: std::sync::Arc<str>,
    /// Type and id as far as they could be read; empty if not.
    pub resource_type: Box<str>,
    /// See `resource_type`.
    pub id: Box<str>,
    /// The input.
    pub bytes: Bytes,
    /// `IssueType` code.
    pub code: Box<str>,
    /// Why, without patient data, and what to do.
    pub reason: Box<str>,
    /// When it was received.
    pub observed_at: jiff::Timestamp,
}

/// Everything one input (a page, a file, a Bundle) came to. Every entry received is in
/// exactly one of `records` without parent, `quarantined` and `not_records`.
#[derive(Clone, Debug, Default)]
pub struct Ingested {
    /// Usable versions, lifted ones after their parent.
    pub records: Vec<SourceRecord>,
    /// Unusable entries.
    pub quarantined: Vec<Quarantined>,
    /// Entries that hold no record: OperationOutcome, search outcome, Parameters.
    pub not_records: u32,
}

impl Ingested {
    /// Adds what another input of the same endpoint came to.
    pub fn add(&mut self, other: Self) {
        self.records.extend(other.records);
        self.quarantined.extend(other.quarantined);
        self.not_records += other.not_records;
    }

    /// The same in parts of at most so many records, in order. An empty input is no part.
    pub fn parts(mut self, records_max: usize) -> impl Iterator<Item = Self> {
        let records = std::mem::take(&mut self.records);
        let count = records.len().div_ceil(records_max.max(1));
        let is_empty = self.quarantined.is_empty() && self.not_records == 0;
        let mut rest = records.into_iter();
        let mut first = Some(self);
        let parts = if is_empty { count } else { count.max(1) };
        (0..parts).map(move |_| Self {
            records: rest.by_ref().take(records_max.max(1)).collect(),
            ..first.take().unwrap_or_default()
        })
    }
}
