//! The store, in the domain's words: two commits (accept and settle), and reads that each
//! require an [`Access`].
//!
//! An engine keeps nothing but what these two commits, an audit entry or a decision wrote. It
//! decides nothing clinical: rows come ready from the pipeline.

mod codec;
mod contents;
mod error;
#[cfg(test)]
mod fixture;
mod listing;
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod model;
mod sled;
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod suite;
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod suite_notes;
mod trail;
pub mod write;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::fhir::ResourceType;
use crate::flow::{
    Access, BlockingKey, ChartKey, Decision, Demographics, DerivedId, Edge, Hash, Home, IdKey,
    Owner, PairNote, PastDecision, PastOverride, Quarantined, RecordDisposition, RecordHeader,
    Undo, ViewStamp,
};

pub use self::contents::Contents;
pub use self::error::StoreError;
pub use self::listing::{ListedRow, Listing, Values};
pub use self::sled::SledStore;
pub use self::trail::verify_audit_chain;
pub use self::write::{
    Accept, AuditEntry, AuditRow, Change, ChangeKind, CounterDelta, Cursor, LinkWrite, RecordWrite,
    ReviewPair, RowWrite, Settle, TableRow, TableWrite, ViewWrite,
};

/// Result of every store call.
pub type Result<T> = std::result::Result<T, StoreError>;

/// Counters: (endpoint, name) → count.
pub type Counters = BTreeMap<(Arc<str>, Arc<str>), i64>;

/// All source records of one home, with every version's content.
#[derive(Clone, Debug, Default)]
pub struct HomeContent {
    /// The records, ordered by id. A record that has moved away is among them as long as one of
    /// its versions lives here; its header's `home()` tells.
    pub records: Vec<StoredRecord>,
}

/// One source record with its contents.
#[derive(Clone, Debug)]
pub struct StoredRecord {
    /// Its derived id.
    pub id: DerivedId,
    /// All its versions.
    pub header: RecordHeader,
    /// Contents by version hash; deletions have none.
    pub contents: Contents,
}

/// The homes that share a blocking key.
#[derive(Clone, Debug)]
pub struct Block {
    /// The key.
    pub key: BlockingKey,
    /// Raised by every commit that changes its homes: handed back at settle.
    pub generation: u64,
    /// Its homes, sorted; at most `limit` of them.
    pub homes: Vec<Home>,
    /// How many there are.
    pub total: usize,
}

/// A stored link: which owner a home belongs to, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredLink {
    /// The person or directory entry; `None` while its Patient has not come.
    pub owner: Option<Owner>,
    /// All its edges of grade possible and better.
    pub edges: Vec<Edge>,
    /// The blocking keys it stands under.
    pub blocking: Vec<BlockingKey>,
    /// What it was compared by.
    pub demographics: Demographics,
}

/// A place in the review queue.
#[derive(Clone, Debug, PartialEq)]
pub struct ReviewPlace {
    /// Match weight of the pair that stands, or stood, there.
    pub weight_bits: f64,
    /// One home; the smaller.
    pub a: Home,
    /// The other.
    pub b: Home,
}

/// A pair that was queued for review or decided about; it stays known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownPair {
    /// One home; the smaller.
    pub a: Home,
    /// The other.
    pub b: Home,
    /// When it was first queued.
    pub queued: Option<jiff::Timestamp>,
}

/// A link that one steward proposes and a second one must make.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Proposal {
    /// One home; the smaller.
    pub a: Home,
    /// The other.
    pub b: Home,
    /// Who proposes it, when and why.
    pub note: PairNote,
}

/// The contents of one type of a view, without bodies.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Rows ordered by id.
    pub rows: Vec<TableRow>,
}

/// What stands above a view's tables.
#[derive(Clone, Debug, PartialEq)]
pub struct ViewHead {
    /// Whose.
    pub owner: Owner,
    /// Made with what.
    pub stamp: ViewStamp,
    /// The homes it is woven from, sorted.
    pub homes: Vec<Home>,
    /// Rows per type.
    pub types: BTreeMap<ResourceType, u32>,
    /// The next day on which a rule flips.
    pub next_change: Option<jiff::civil::Date>,
    /// The commit that wrote it.
    pub seq: u64,
}

/// What an id of ours stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Issued {
    /// A source record.
    Record(RecordId),
    /// Something made by us (woven plan, finding) for the person of this chart.
    Made {
        /// Its type.
        resource_type: ResourceType,
        /// A chart of the person it was first made for.
        chart: ChartKey,
    },
}

/// A record's key and present home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordId {
    /// The record.
    pub key: crate::flow::RecordKey,
    /// Where its current version lives.
    pub home: Home,
}

/// A dirty mark: the settle that clears it must name the seq it saw.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dirty {
    /// The home whose owner must be settled.
    pub home: Home,
    /// The commit that marked it last.
    pub seq: u64,
}

/// The store.
///
/// Every call is synchronous and may block on the disk: call it from a blocking thread. Writes
/// are durable when the call returns, and all of one call or nothing of it is stored.
pub trait Store: Send + Sync {
    // ---- identity of the store ----------------------------------------------------------------

    /// The secret from which ids are derived; drawn when the store was made.
    fn id_key(&self) -> &IdKey;

    // ---- commits ------------------------------------------------------------------------------

    /// Accepts source versions: after it returns they are acknowledged. Returns the commit's seq.
    ///
    /// # Errors
    /// `Conflict` when a header changed since it was read; nothing is stored then.
    fn accept(&self, batch: Accept) -> Result<u64>;

    /// Settles owners: links, views, index, dispositions, change log in one transaction.
    /// Versions and times of rows are decided here: a row whose hash is unchanged keeps both.
    /// Returns the commit's seq.
    ///
    /// # Errors
    /// `Conflict` when the generation of a named blocking key changed; nothing is stored then.
    fn settle(&self, batch: Settle) -> Result<u64>;

    /// Records a steward's decisions, all or none, and marks their homes dirty. One about a pair
    /// that has one stands in its place; the earlier one stays in the history.
    fn decide(&self, decisions: &[Decision]) -> Result<u64>;

    /// Takes the standing decisions of these pairs back, marking their homes dirty: the one
    /// before, if there was one that is not undone, stands again. Returns for how many pairs
    /// there was one.
    fn undo_decisions(&self, pairs: &[(Home, Home)], undo: &Undo) -> Result<usize>;

    /// Appends a steward's note to the log of a pair; it changes no view.
    fn note_pair(&self, pair: (&Home, &Home), note: &PairNote) -> Result<u64>;

    /// Records a steward's override of a conflict under the homes of the source versions it was
    /// decided on, and marks these dirty. One that is known already is replaced: so a conflict is
    /// reopened.
    fn record_override(&self, homes: &[Home], decided: &PastOverride) -> Result<u64>;

    /// Appends audit entries, each chained to the one before by hash.
    fn audit(&self, entries: &[AuditEntry]) -> Result<()>;

    /// Marks homes dirty (rebuild, a stale stamp, a day that has come). `None`: all homes.
    fn mark_dirty(&self, homes: Option<&[Home]>) -> Result<()>;

    // ---- reads: sources -----------------------------------------------------------------------

    /// Headers of records by id, in the order asked.
    fn headers(&self, access: &Access, ids: &[DerivedId]) -> Result<Vec<Option<RecordHeader>>>;

    /// All records of a home.
    fn home(&self, access: &Access, home: &Home) -> Result<HomeContent>;

    /// One record of a home, as [`Store::home`] would have it.
    fn record(&self, access: &Access, home: &Home, id: DerivedId) -> Result<Option<StoredRecord>>;

    /// Homes, sorted, after the given one; for walking all of them.
    fn homes(&self, access: &Access, after: Option<&Home>, limit: usize) -> Result<Vec<Home>>;

    /// Quarantined input, oldest first, after the given hash.
    fn quarantine(
        &self,
        access: &Access,
        after: Option<Hash>,
        limit: usize,
    ) -> Result<Vec<Quarantined>>;

    /// Where a pull of this endpoint stands: name of the part (`Goal`, `roster` …) → cursor.
    fn cursors(&self, access: &Access, endpoint: &str) -> Result<BTreeMap<Arc<str>, Cursor>>;

    /// Raised by every commit that stores a cursor: what was read of cursors holds as long as it
    /// stays the same.
    fn cursors_generation(&self) -> u64;

    /// All counters: (endpoint, name) → count. Kept by deltas, never by scanning.
    fn counters(&self, access: &Access) -> Result<Counters>;

    // ---- reads: identity ----------------------------------------------------------------------

    /// Up to `limit` dirty homes: those of the directory before others, and those marked first.
    fn dirty(&self, access: &Access, limit: usize) -> Result<Vec<Dirty>>;

    /// The mark of a home, if it is dirty.
    fn dirty_mark(&self, access: &Access, home: &Home) -> Result<Option<Dirty>>;

    /// How many homes are dirty.
    fn dirty_count(&self, access: &Access) -> Result<usize>;

    /// The stored link of a home, if it was ever settled.
    fn link(&self, access: &Access, home: &Home) -> Result<Option<StoredLink>>;

    /// The owner in the stored link of a home.
    fn owner(&self, access: &Access, home: &Home) -> Result<Option<Owner>>;

    /// The blocks of these keys, with at most `limit` homes each.
    fn candidates(&self, access: &Access, keys: &[BlockingKey], limit: usize)
    -> Result<Vec<Block>>;

    /// Decisions that name a home.
    fn decisions(&self, access: &Access, home: &Home) -> Result<Vec<Decision>>;

    /// All decisions that were ever made about a pair, oldest first.
    fn past_decisions(&self, access: &Access, a: &Home, b: &Home) -> Result<Vec<PastDecision>>;

    /// What stewards noted about a pair, oldest first.
    fn pair_notes(&self, access: &Access, a: &Home, b: &Home) -> Result<Vec<PairNote>>;

    /// The open proposal to link a pair: not declined, and nothing was decided since.
    fn proposal(&self, access: &Access, a: &Home, b: &Home) -> Result<Option<PairNote>>;

    /// Open proposals of links.
    fn proposals(&self, access: &Access, limit: usize) -> Result<Vec<Proposal>>;

    /// The homes about which and this one something was ever decided or noted.
    fn partners(&self, access: &Access, home: &Home, limit: usize) -> Result<Vec<Home>>;

    /// All overrides of conflicts that were ever recorded under a home, also those that have
    /// expired or were reopened.
    fn overrides(&self, access: &Access, home: &Home) -> Result<Vec<PastOverride>>;

    /// The review queue: pairs below certain, or unproven, by weight, highest first, behind a
    /// place in it (which may be empty by now).
    fn reviews(
        &self,
        access: &Access,
        after: Option<&ReviewPlace>,
        limit: usize,
    ) -> Result<Vec<ReviewPair>>;

    /// How many pairs are queued for review.
    fn review_count(&self, access: &Access) -> Result<usize>;

    /// Pairs ever queued or decided about whose id ([`IdKey::pair`]) begins so.
    fn known_pairs(&self, access: &Access, beginning: &str, limit: usize)
    -> Result<Vec<KnownPair>>;

    /// Homes whose views refer to a directory record.
    fn referrers(&self, access: &Access, directory: DerivedId) -> Result<Vec<Home>>;

    /// Owners whose `next_change` is on or before this day.
    fn due(&self, access: &Access, day: jiff::civil::Date, limit: usize) -> Result<Vec<Owner>>;

    // ---- reads: views -------------------------------------------------------------------------

    /// The owners, ordered, after the given one.
    fn owners(&self, access: &Access, after: Option<Owner>, limit: usize) -> Result<Vec<Owner>>;

    /// The head of an owner's view.
    fn view(&self, access: &Access, owner: Owner) -> Result<Option<ViewHead>>;

    /// What one table of a view lists of its rows: far cheaper than the table.
    fn listing(
        &self,
        access: &Access,
        owner: Owner,
        resource_type: ResourceType,
    ) -> Result<Option<Listing>>;

    /// The search values that the rows of one table have for these parameters.
    fn values(
        &self,
        access: &Access,
        owner: Owner,
        resource_type: ResourceType,
        params: &[u16],
    ) -> Result<Values>;

    /// One table of a view, with all that is kept of its rows.
    fn table(
        &self,
        access: &Access,
        owner: Owner,
        resource_type: ResourceType,
    ) -> Result<Option<Table>>;

    /// Bodies of rows of one table by id, with version and time stamped in; `None` for a row
    /// that is not there.
    fn bodies(
        &self,
        access: &Access,
        owner: Owner,
        resource_type: ResourceType,
        ids: &[DerivedId],
    ) -> Result<Vec<Option<Bytes>>>;

    /// An earlier body of a view resource, if what was woven then came from these homes only:
    /// after a link was taken back an earlier version may hold another person's data. The
    /// current one is not among the history.
    fn past_body(
        &self,
        access: &Access,
        resource_type: ResourceType,
        id: DerivedId,
        version: u32,
        within: &[Home],
    ) -> Result<Option<Bytes>>;

    /// What became of an owner's records.
    fn dispositions(&self, access: &Access, owner: Owner) -> Result<Vec<RecordDisposition>>;

    /// What an id stands for; every id ever issued stays.
    fn issued(&self, access: &Access, id: DerivedId) -> Result<Option<Issued>>;

    /// Rows of any owner that carry this key of the cross-person index, at most `limit`.
    fn by_index(
        &self,
        access: &Access,
        resource_type: ResourceType,
        key: Hash,
        limit: usize,
    ) -> Result<Vec<(Owner, DerivedId)>>;

    /// The change log after a seq.
    fn changes(&self, access: &Access, after_seq: u64, limit: usize) -> Result<Vec<Change>>;

    /// The change log before a seq, the newest commit first and of each the last change first;
    /// commits are never parted, so there may be more than `limit`.
    fn newest_changes(&self, access: &Access, before_seq: u64, limit: usize)
    -> Result<Vec<Change>>;

    /// The changes of one owner's view, oldest first, after a seq; those of one commit are never
    /// parted, so there may be more than `limit`.
    fn history(
        &self,
        access: &Access,
        owner: Owner,
        after_seq: u64,
        limit: usize,
    ) -> Result<Vec<Change>>;

    /// The audit trail after an entry number.
    fn audit_trail(&self, access: &Access, after: u64, limit: usize) -> Result<Vec<AuditRow>>;

    /// How many entries the audit trail has.
    fn audit_count(&self) -> Result<u64>;

    /// Fails if the store takes no commits any more. Writes nothing.
    fn check_writable(&self) -> Result<()>;

    /// The seq of the last commit.
    fn last_seq(&self) -> Result<u64>;

    /// Bytes on disk.
    fn size_on_disk(&self) -> Result<u64>;
}
