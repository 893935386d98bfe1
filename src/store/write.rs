//! What the commits carry.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fhir::ResourceType;
use crate::flow::{
    BlockingKey, ChartKey, Choice, Content, Demographics, DerivedId, Edge, Hash, Home, MatchGrade,
    Member, Owner, Quarantined, RecordDisposition, RecordHeader, SearchValue, ViewStamp,
};

use super::Dirty;

pub use crate::flow::Cursor;

/// The accept commit: source versions, ledger counters, cursors, dirty marks.
#[derive(Clone, Debug, Default)]
pub struct Accept {
    /// Records with new or confirmed versions.
    pub records: Vec<RecordWrite>,
    /// Unusable input: the store counts it as `quarantined`, or as one of the `repeats` when it
    /// holds that input already.
    pub quarantined: Vec<Quarantined>,
    /// Changes of counters.
    pub counters: CounterDelta,
    /// Where pulls stand after this batch: (endpoint, part) → cursor.
    pub cursors: BTreeMap<(Arc<str>, Arc<str>), Cursor>,
    /// Homes whose owners must be settled.
    pub dirty: BTreeSet<Home>,
}

/// One record of an accept commit.
#[derive(Clone, Debug)]
pub struct RecordWrite {
    /// The record's id.
    pub id: DerivedId,
    /// Number of versions the record had when the header was read (0: unknown record); another
    /// number at commit is a `Conflict`.
    pub expected_versions: usize,
    /// The header as it is to be. Written to every home that one of its versions names.
    /// A `first_seq` of 0 is replaced by the commit's seq.
    pub header: RecordHeader,
    /// Hash, home and content of each new version that has content.
    pub contents: Vec<(Hash, Home, Content)>,
}

/// Changes of counters: (endpoint, name) → by how much.
pub type CounterDelta = BTreeMap<(Arc<str>, Arc<str>), i64>;

/// The settle commit.
#[derive(Clone, Debug, Default)]
pub struct Settle {
    /// Generations of the blocking keys that the decision read.
    pub expected: Vec<(BlockingKey, u64)>,
    /// Links of homes, complete: an earlier link of the home is replaced, and the blocks are
    /// changed by the difference.
    pub links: Vec<LinkWrite>,
    /// Views, complete in their head; tables that are not named stay as they are.
    pub views: Vec<ViewWrite>,
    /// Owners that are no more: their rows leave view and index and go to the history.
    pub removed: Vec<Owner>,
    /// Pairs for review, replacing all queued pairs that name one of `review_of`.
    pub reviews: Vec<ReviewPair>,
    /// The homes whose queued pairs are replaced.
    pub review_of: Vec<Home>,
    /// Marks that this settle clears, unless set again since.
    pub clean: Vec<Dirty>,
    /// Homes that become dirty by it (a directory link changed).
    pub dirty: BTreeSet<Home>,
    /// The time of the commit: `lastUpdated` of changed rows.
    pub at: Timestamp,
}

/// The link of one home.
#[derive(Clone, Debug)]
pub struct LinkWrite {
    /// The home.
    pub home: Home,
    /// Its owner, if it has one.
    pub owner: Option<Owner>,
    /// Its edges.
    pub edges: Vec<Edge>,
    /// Its blocking keys.
    pub blocking: Vec<BlockingKey>,
    /// What it is compared by.
    pub demographics: Demographics,
}

/// The view of one owner.
#[derive(Clone, Debug)]
pub struct ViewWrite {
    /// Whose.
    pub owner: Owner,
    /// Made with what.
    pub stamp: ViewStamp,
    /// The homes it is woven from, sorted.
    pub homes: Vec<Home>,
    /// Tables that changed; an empty one is removed.
    pub tables: Vec<TableWrite>,
    /// What became of the records.
    pub dispositions: Vec<RecordDisposition>,
    /// Disposition counts by endpoint (counters `kept`, `merged` …): the engine adds the
    /// difference to the ones it holds for this owner.
    pub counts: CounterDelta,
    /// The next day on which a rule flips.
    pub next_change: Option<jiff::civil::Date>,
    /// Directory records the view refers to.
    pub directory_refs: Vec<DerivedId>,
    /// Keys of the cross-person index: (type, key, id), complete for this owner.
    pub index: Vec<(ResourceType, Hash, DerivedId)>,
    /// Ids of ours that this view issues for things made by us.
    pub issued: Vec<(DerivedId, ResourceType, ChartKey)>,
}

/// A table as it is to be.
#[derive(Clone, Debug)]
pub struct TableWrite {
    /// Its type.
    pub resource_type: ResourceType,
    /// All its rows, ordered by id.
    pub rows: Vec<RowWrite>,
}

/// A row as it is to be.
#[derive(Clone, Debug)]
pub struct RowWrite {
    /// The row without version and time.
    pub row: crate::flow::ViewRow,
}

/// A stored row, without its body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableRow {
    /// The id.
    pub id: DerivedId,
    /// Version in the view, from 1; goes on when an id comes back.
    pub version: u32,
    /// When this version was settled.
    pub last_updated: Timestamp,
    /// Hash of the body.
    pub hash: Hash,
    /// Hash of the inputs.
    pub input: Hash,
    /// Search values.
    pub values: Vec<SearchValue>,
    /// Source records.
    pub members: Vec<Member>,
    /// Other ids it answers to, sorted.
    pub aliases: Vec<DerivedId>,
    /// Choices among differing values.
    pub choices: Vec<Choice>,
    /// Woven plan or finding.
    pub made_by_us: bool,
}

/// A pair for review.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReviewPair {
    /// One home; the smaller.
    pub a: Home,
    /// The other.
    pub b: Home,
    /// Match weight.
    pub weight_bits: f64,
    /// Grade.
    pub grade: MatchGrade,
    /// Why it needs a person: `below-certain`, `unproven`, or what cut a certain link: the name
    /// of a contradiction, `no-match decision`, `group-cap` …
    pub reason: Box<str>,
}

/// One entry of the change log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The commit.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// Whose view.
    pub owner: Owner,
    /// The resource.
    pub resource_type: ResourceType,
    /// Its id.
    pub id: DerivedId,
    /// Its version after the change.
    pub version: u32,
    /// What happened.
    pub kind: ChangeKind,
    /// The source records whose coming, going or new version changed it. None where what it is
    /// made of stayed and something else changed: what it refers to, a rule, the day.
    pub because: Vec<DerivedId>,
}

/// What happened to a view resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChangeKind {
    /// It came.
    Created,
    /// Its content changed.
    Updated,
    /// It went: merged into another, or withdrawn.
    Removed,
    /// It came from another owner's view as it was, with a link or an unlink.
    Arrived,
    /// It went to another owner's view.
    Left,
}

/// What is to be written to the audit trail before an answer is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who asked.
    pub reader: Box<str>,
    /// What: `read`, `search`, `everything`, `person show` …
    pub action: Box<str>,
    /// The resource type asked for.
    pub resource_type: Box<str>,
    /// Whose data, as ids of ours.
    pub owners: Vec<DerivedId>,
    /// The request's id.
    pub request_id: Box<str>,
    /// How many resources were to be disclosed.
    pub count: u32,
}

/// An entry as it stands in the trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRow {
    /// Number, from 1 without gaps.
    pub number: u64,
    /// The entry.
    pub entry: AuditEntry,
    /// Hash of the entry before and this one.
    pub chain: Hash,
}
