//! What names a source record, its chart and its home.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::id::DerivedId;
use crate::fhir::ResourceType;

/// A source record: one resource as one endpoint states it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Debug)]
pub struct RecordKey {
    /// The configured endpoint's id.
    pub endpoint: Arc<str>,
    /// The resource type.
    pub resource_type: ResourceType,
    /// The id at the endpoint; `Parent/id#frag` when lifted from a parent's `contained`.
    pub id: Arc<str>,
}

/// A chart: all source records about one Patient of one endpoint.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Debug)]
pub struct ChartKey {
    /// The configured endpoint's id.
    pub endpoint: Arc<str>,
    /// The Patient's id at the endpoint, or [`ChartKey::BY_IDENTIFIER`] and `system|value` when
    /// records name their Patient by an identifier only (`Patient?identifier=…`).
    pub patient: Arc<str>,
}

/// What `meta.source` of a client's claim begins with when it is a claim about a record that the
/// view shows already; behind it stands `Type/id`, the record's id in the view.
pub const ABOUT: &str = "urn:careweave:record/";

/// Where a source record's versions live.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Debug)]
pub enum Home {
    /// In the chart of a patient.
    Chart(ChartKey),
    /// In the directory (Practitioner, Organization, Location …): a unit by itself, matched
    /// with the same record of other endpoints.
    Directory(RecordKey),
    /// With no patient (Group, Questionnaire, Medication …): kept, not in the view.
    Shared(RecordKey),
}

/// The mark of a claim about the record with this id.
pub fn about(resource_type: ResourceType, id: DerivedId) -> String {
    format!("{ABOUT}{resource_type}/{id}")
}

impl RecordKey {
    /// Makes a key.
    pub fn new(endpoint: &str, resource_type: ResourceType, id: &str) -> Self {
        Self { endpoint: endpoint.into(), resource_type, id: id.into() }
    }
}

impl ChartKey {
    /// What a chart's patient id begins with when only an identifier is known. No R4 id has it.
    pub const BY_IDENTIFIER: &str = "?identifier=";

    /// Makes a key.
    pub fn new(endpoint: &str, patient: &str) -> Self {
        Self { endpoint: endpoint.into(), patient: patient.into() }
    }

    /// The key of the chart's Patient record.
    pub fn patient_record(&self) -> RecordKey {
        RecordKey {
            endpoint: self.endpoint.clone(),
            resource_type: ResourceType::of("Patient"),
            id: self.patient.clone(),
        }
    }

    /// Whether only an identifier of the Patient is known.
    pub fn is_by_identifier(&self) -> bool {
        self.patient.starts_with(Self::BY_IDENTIFIER)
    }
}

impl Home {
    /// The endpoint whose records live here.
    pub fn endpoint(&self) -> &Arc<str> {
        match self {
            Self::Chart(chart) => &chart.endpoint,
            Self::Directory(record) | Self::Shared(record) => &record.endpoint,
        }
    }

    /// The chart, if this home is one.
    pub fn chart(&self) -> Option<&ChartKey> {
        match self {
            Self::Chart(chart) => Some(chart),
            Self::Directory(_) | Self::Shared(_) => None,
        }
    }
}

impl fmt::Display for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chart(chart) => chart.fmt(f),
            Self::Directory(record) | Self::Shared(record) => record.fmt(f),
        }
    }
}

impl fmt::Display for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.endpoint, self.resource_type, self.id)
    }
}

impl fmt::Display for ChartKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/Patient/{}", self.endpoint, self.patient)
    }
}
