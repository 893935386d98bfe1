//! Accept: what ingest read becomes durable source versions, on the ledger, with its cursor.
//!
//! One commit per input. Whatever order, paging or repetition inputs come in, the versions of a
//! record end up the same ([`RecordHeader::observe`]).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::flow::{
    Access, Content, Cursor, DerivedId, Hash, Home, Ingested, Observed, RecordHeader, RecordKey,
    RefTarget, Role, SourceRecord, State, Version,
};
use crate::store::{Accept, CounterDelta, RecordWrite, Store, StoreError};

/// How often a commit is tried again when another writer was faster.
const CONFLICT_RETRIES_MAX: u32 = 20;

/// What became of one input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Versions that were not known.
    pub new_versions: u64,
    /// Versions that were.
    pub repeats: u64,
    /// Unusable entries.
    pub quarantined: u64,
    /// Entries that hold no record.
    pub not_records: u64,
}

/// Where a pull stands after the input.
pub struct CursorAt {
    /// The part: a type, `roster`, `everything` …
    pub part: Arc<str>,
    /// Its cursor.
    pub cursor: Cursor,
}

impl Receipt {
    /// All entries, lifted ones included.
    pub fn received(&self) -> u64 {
        self.new_versions + self.repeats + self.quarantined + self.not_records
    }

    /// All types together.
    pub fn total(receipts: &Receipts) -> Self {
        let mut total = Self::default();
        receipts.values().for_each(|receipt| total.add(*receipt));
        total
    }

    /// Adds another input's receipt.
    pub fn add(&mut self, other: Self) {
        self.new_versions += other.new_versions;
        self.repeats += other.repeats;
        self.quarantined += other.quarantined;
        self.not_records += other.not_records;
    }
}

/// What became of one input, by resource type; what is no record, or has none, under "".
pub type Receipts = BTreeMap<Box<str>, Receipt>;

/// Accepts one input of one endpoint; durable when it returns.
///
/// # Errors
/// When the store fails, or other writers keep being faster.
pub fn accept(
    store: &dyn Store,
    endpoint: &Arc<str>,
    ingested: &Ingested,
    at: Option<&CursorAt>,
) -> Result<Receipt, StoreError> {
    let receipts = accept_by_type(store, endpoint, ingested, at)?;
    Ok(Receipt::total(&receipts))
}

/// The same, and tells what became of which resource type.
///
/// # Errors
/// As [`accept`].
pub(super) fn accept_by_type(
    store: &dyn Store,
    endpoint: &Arc<str>,
    ingested: &Ingested,
    at: Option<&CursorAt>,
) -> Result<Receipts, StoreError> {
    let mut tries = 0;
    loop {
        let (batch, receipts) = prepare(store, endpoint, ingested, at)?;
        match store.accept(batch) {
            Ok(_) => return Ok(receipts),
            Err(StoreError::Conflict) if tries < CONFLICT_RETRIES_MAX => tries += 1,
            Err(error) => return Err(error),
        }
    }
}

fn prepare(
    store: &dyn Store,
    endpoint: &Arc<str>,
    ingested: &Ingested,
    at: Option<&CursorAt>,
) -> Result<(Accept, Receipts), StoreError> {
    let access = Access::system();
    let mut known = Known::read(store, &access, &ingested.records)?;
    let mut receipts = Receipts::new();
    if ingested.not_records > 0 {
        receipts.entry("".into()).or_default().not_records = ingested.not_records.into();
    }
    let mut batch = Accept::default();

    for record in &ingested.records {
        let id = store.id_key().record(&record.key);
        let version = version_of(record, known.home_for(store, &access, record)?);
        let before = known.headers.get(&id).cloned();
        let is_new = known.observe(id, record, version.clone()) == Observed::New;
        let receipt = receipts.entry(record.key.resource_type.name().into()).or_default();
        match is_new {
            true => receipt.new_versions += 1,
            false => receipt.repeats += 1,
        }
        let Some(after) = known.headers.get(&id) else { continue };
        // A late observation may make a version of an earlier repeat, or take two for one.
        let grown = versions(Some(after)) - versions(before.as_ref());
        count(&mut batch.counters, endpoint, "versions", grown);
        count(&mut batch.counters, endpoint, "repeats", 1 - grown);
        if before.is_none() {
            let name = format!("records:{}", record.key.resource_type);
            count(&mut batch.counters, endpoint, &name, 1);
        }
        if before.as_ref().map(RecordHeader::home) != Some(after.home()) {
            batch.dirty.extend(store.referrers(&access, id)?);
        }
        let says_more = before.as_ref().is_none_or(|before| !before.says_the_same(after));
        if says_more {
            batch.dirty.insert(after.home().clone());
        }
        // That an upstream version still holds is not worth a write: its stamp orders it.
        let confirmed = version.stamp.last_updated.is_none() || version.stamp.version_id.is_none();
        if says_more || (confirmed && before.as_ref() != Some(after)) {
            let content = (is_new && record.state == State::Live)
                .then(|| (version.hash, version.home, record.content.clone()));
            known.writes.entry(id).or_default().extend(content);
        }
    }
    for unusable in &ingested.quarantined {
        receipts.entry(unusable.resource_type.clone()).or_default().quarantined += 1;
        batch.quarantined.push(unusable.clone());
    }
    count(&mut batch.counters, endpoint, "not_records", i64::from(ingested.not_records));
    let received = Receipt::total(&receipts).received();
    count(&mut batch.counters, endpoint, "received", received.cast_signed());
    if let Some(at) = at {
        batch.cursors.insert((endpoint.clone(), at.part.clone()), at.cursor.clone());
    }
    known.finish(&mut batch);
    Ok((batch, receipts))
}

fn count(counters: &mut CounterDelta, endpoint: &Arc<str>, name: &str, by: i64) {
    if by != 0 {
        *counters.entry((endpoint.clone(), name.into())).or_default() += by;
    }
}

fn versions(header: Option<&RecordHeader>) -> i64 {
    header.map_or(0, |h| i64::try_from(h.versions().len()).unwrap_or(i64::MAX))
}

fn version_of(record: &SourceRecord, home: Home) -> Version {
    Version {
        stamp: record.stamp.clone(),
        confirmed_at: record.stamp.observed_at,
        hash: record.hash,
        state: record.state,
        home,
    }
}

/// The headers that an input touches, as stored and as they are to be.
struct Known {
    headers: BTreeMap<DerivedId, RecordHeader>,
    versions_before: BTreeMap<DerivedId, (usize, Home)>,
    writes: BTreeMap<DerivedId, Vec<(Hash, Home, Content)>>,
}

impl Known {
    fn read(
        store: &dyn Store,
        access: &Access,
        records: &[SourceRecord],
    ) -> Result<Self, StoreError> {
        let ids: BTreeSet<DerivedId> =
            records.iter().map(|r| store.id_key().record(&r.key)).collect();
        let ids: Vec<DerivedId> = ids.into_iter().collect();
        let mut headers = BTreeMap::new();
        let mut versions_before = BTreeMap::new();
        for (id, header) in ids.iter().zip(store.headers(access, &ids)?) {
            if let Some(header) = header {
                versions_before.insert(*id, (header.versions().len(), header.home().clone()));
                headers.insert(*id, header);
            }
        }
        Ok(Self { headers, versions_before, writes: BTreeMap::new() })
    }

    /// Where a version lives: what its content names; for a deletion, where the record was; for
    /// a Provenance that names no patient, where its targets are.
    fn home_for(
        &self,
        store: &dyn Store,
        access: &Access,
        record: &SourceRecord,
    ) -> Result<Home, StoreError> {
        let id = store.id_key().record(&record.key);
        if record.state != State::Live {
            let before = self.headers.get(&id).map(|h| h.home().clone());
            return Ok(before.unwrap_or_else(|| record.home.clone()));
        }
        let is_unplaced = matches!(record.home, Home::Shared(_))
            && record.key.resource_type.name() == "Provenance";
        if !is_unplaced {
            return Ok(record.home.clone());
        }
        let targets = provenance_targets(&record.content.facts);
        let found = home_of_targets(store, access, &self.headers, &targets)?;
        Ok(found.unwrap_or_else(|| record.home.clone()))
    }

    fn observe(&mut self, id: DerivedId, record: &SourceRecord, version: Version) -> Observed {
        match self.headers.get_mut(&id) {
            Some(header) => header.observe(version),
            None => {
                let parent = record.parent.clone();
                let header = RecordHeader::new(record.key.clone(), 0, parent, version);
                self.headers.insert(id, header);
                Observed::New
            }
        }
    }

    fn finish(self, batch: &mut Accept) {
        for (id, contents) in self.writes {
            let Some(header) = self.headers.get(&id) else { continue };
            let before = self.versions_before.get(&id);
            if let Some((_, old_home)) = before
                && old_home != header.home()
            {
                batch.dirty.insert(old_home.clone());
            }
            batch.records.push(RecordWrite {
                id,
                expected_versions: before.map_or(0, |(versions, _)| *versions),
                header: header.clone(),
                contents,
            });
        }
    }
}

/// The records that a Provenance is about.
pub(super) fn provenance_targets(facts: &crate::flow::Facts) -> Vec<RecordKey> {
    let records = facts.linked(Role::Target).filter_map(|to| match to {
        RefTarget::Record(key) => Some(key.clone()),
        RefTarget::Identified { .. } | RefTarget::External(_) | RefTarget::Dangling(_) => None,
    });
    records.collect()
}

/// The smallest chart in which one of these records lives.
pub(super) fn home_of_targets(
    store: &dyn Store,
    access: &Access,
    in_batch: &BTreeMap<DerivedId, RecordHeader>,
    targets: &[RecordKey],
) -> Result<Option<Home>, StoreError> {
    let ids: Vec<DerivedId> = targets.iter().map(|key| store.id_key().record(key)).collect();
    let stored = store.headers(access, &ids)?;
    let homes = ids.iter().zip(stored).filter_map(|(id, header)| {
        let home = in_batch.get(id).or(header.as_ref()).map(|h| h.home().clone());
        home.filter(|h| h.chart().is_some())
    });
    Ok(homes.min())
}

/// The accept commit that moves a record, with all its versions, to another home.
pub(super) fn move_record(record: &crate::store::StoredRecord, to: Home) -> Accept {
    let mut header = record.header.clone();
    let from = header.home().clone();
    header.move_versions(&from, &to);
    let mut batch = Accept::default();
    let contents = record.contents.iter();
    batch.records.push(RecordWrite {
        id: record.id,
        expected_versions: record.header.versions().len(),
        header,
        contents: contents.map(|(hash, c)| (*hash, to.clone(), c.clone())).collect(),
    });
    batch.dirty.extend([from, to]);
    batch
}
