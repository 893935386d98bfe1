//! What weaving is handed: the source records of one person, and what it may ask about others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::fhir::ResourceType;
use crate::flow::{
    ChartKey, Content, DerivedId, Identifier, Override, RecordHeader, RecordKey, ViewRow, ViewStamp,
};

/// Everything the view of one person is woven from.
pub struct PersonInput<'a> {
    /// The person's charts, in any order.
    pub charts: Vec<ChartInput>,
    /// What stewards decided about conflicts and findings, and did not reopen; in any order.
    pub overrides: Vec<Override>,
    /// What records of others stand for.
    pub outside: &'a dyn Outside,
    /// The configured endpoints.
    pub endpoints: &'a BTreeMap<Arc<str>, EndpointFacts>,
    /// What the view is stamped with.
    pub stamp: ViewStamp,
}

/// Everything the view of one directory entry is woven from.
pub struct DirectoryInput<'a> {
    /// The entry's records: all of one type, in any order.
    pub records: Vec<InputRecord>,
    /// What records of others stand for.
    pub outside: &'a dyn Outside,
    /// The configured endpoints.
    pub endpoints: &'a BTreeMap<Arc<str>, EndpointFacts>,
    /// What the view is stamped with.
    pub stamp: ViewStamp,
}

/// One chart of the person.
pub struct ChartInput {
    /// Which.
    pub key: ChartKey,
    /// The records that are or once were in it, in any order.
    pub records: Vec<InputRecord>,
}

/// One source record.
#[derive(Clone)]
pub struct InputRecord {
    /// Its derived id.
    pub id: DerivedId,
    /// Its versions.
    pub header: RecordHeader,
    /// Content of the current version if that is live, else of the last live one; `None` if
    /// there never was one.
    pub content: Option<Arc<Content>>,
    /// Of a Task: what each version says its status is, oldest first; `None` where it was
    /// withdrawn. Of others nothing.
    pub statuses: Vec<Option<Box<str>>>,
}

/// What is configured about an endpoint.
#[derive(Clone, Debug, Default)]
pub struct EndpointFacts {
    /// How much its word counts where no other rule decides; more is more.
    pub trust: i32,
    /// Its base URL, without trailing slash.
    pub base_url: String,
    /// The organizations whose system it is.
    pub organizations: Vec<Identifier>,
    /// Its name for people.
    pub name: String,
}

/// What records that are not this person's stand for.
pub trait Outside {
    /// What a record stands for.
    fn stands_for(&self, key: &RecordKey) -> Standing;

    /// The one record of an endpoint that has this identifier.
    fn identified(
        &self,
        _endpoint: &str,
        _resource_type: Option<ResourceType>,
        _identifier: &Identifier,
    ) -> Option<RecordKey> {
        None
    }

    /// The endpoints that are the system of this Organization, or of the Organization that this
    /// Practitioner or PractitionerRole works for.
    fn systems_of(&self, _key: &RecordKey) -> BTreeSet<Arc<str>> {
        BTreeSet::new()
    }
}

/// What a record that is not this person's stands for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Standing {
    /// A member of the directory entry shown under this type and id.
    Directory(ResourceType, DerivedId),
    /// A record of another person, by its own derived id (which answers as an alias).
    OtherPerson(DerivedId),
    /// Kept as stated, not served.
    Stored,
    /// It has not come.
    Unknown,
}

/// The rows of the stored view, so that a row of equal input is taken over, not made again.
pub trait PreviousRows {
    /// The stored row of this type and id.
    fn row(&self, resource_type: ResourceType, id: DerivedId) -> Option<ViewRow>;
}

/// No stored view.
pub struct NoPreviousRows;

impl PreviousRows for NoPreviousRows {
    fn row(&self, _resource_type: ResourceType, _id: DerivedId) -> Option<ViewRow> {
        None
    }
}

/// Nothing known of other records.
pub struct NothingOutside;

impl Outside for NothingOutside {
    fn stands_for(&self, _key: &RecordKey) -> Standing {
        Standing::Unknown
    }
}
