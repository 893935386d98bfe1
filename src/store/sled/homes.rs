//! Homes: source records with their contents, a batch of them per accept commit.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::commit::Commit;
use super::keys::{self, Key};
use crate::flow::{Content, DerivedId, Hash, Home, RecordHeader};
use crate::store::{Contents, HomeContent, Result, StoreError, StoredRecord, codec};

/// What one accept commit brought to a home; a later batch overrides the headers of earlier ones.
pub(super) type HomeBatch = Vec<HomeEntry>;

/// One record in a batch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct HomeEntry {
    pub(super) id: DerivedId,
    pub(super) header: RecordHeader,
    pub(super) content: Option<(Hash, Content)>,
}

/// A batch as it is stored, with its key.
type StoredBatch = (Vec<u8>, ::sled::IVec);

/// What a damaged batch is called.
const BATCH: &str = "batch of records";

/// A batch is cut where its bodies reach this size, so that no value is very large.
const BATCH_BYTES_MAX: usize = 256 << 10;

/// More batches than this and they are put together.
const BATCHES_MAX: usize = 8;

/// Batches are put together up to this stored size.
const JOINED_BYTES_MAX: usize = 96 << 10;

/// Stages what a commit brings to a home.
pub(super) fn add_batch(commit: &mut Commit<'_>, home: &Home, batch: HomeBatch) -> Result<()> {
    let listed = Key::new(keys::HOME).home(home);
    if !commit.has(&listed)? {
        commit.put(&listed, home)?;
    }
    let at = Key::new(keys::HOME_BLOB).hash(keys::home_hash(home)).number(commit.seq);
    let mut part = 0;
    let mut bytes = 0;
    let mut pending = HomeBatch::new();
    for entry in batch {
        bytes += entry.content.as_ref().map_or(0, |(_, content)| content.body.len());
        pending.push(entry);
        if bytes >= BATCH_BYTES_MAX {
            commit.put(at.clone().small(part), &pending)?;
            pending.clear();
            bytes = 0;
            part += 1;
        }
    }
    if !pending.is_empty() {
        commit.put(at.small(part), &pending)?;
    }
    Ok(())
}

/// Reads batches, oldest first, into records ordered by id.
pub(super) fn gather(batches: impl Iterator<Item = Result<::sled::IVec>>) -> Result<HomeContent> {
    let mut places: HashMap<DerivedId, usize> = HashMap::new();
    let mut records: Vec<StoredRecord> = Vec::new();
    for stored in batches {
        for HomeEntry { id, header, content } in read_batch(&stored?)? {
            let at = *places.entry(id).or_insert(records.len());
            if let Some(record) = records.get_mut(at) {
                record.header = header;
            } else {
                records.push(StoredRecord { id, header, contents: Contents::default() });
            }
            if let Some((hash, content)) = content {
                records[at].contents.insert(hash, content);
            }
        }
    }
    records.sort_unstable_by_key(|record| record.id);
    Ok(HomeContent { records })
}

/// One record of what [`gather`] reads. A batch that does not name it is not decoded.
pub(super) fn find(
    batches: impl Iterator<Item = Result<::sled::IVec>>,
    id: DerivedId,
) -> Result<Option<StoredRecord>> {
    let name = codec::to_postcard(&id)?;
    let name = memchr::memmem::Finder::new(&name);
    let mut found: Option<StoredRecord> = None;
    for stored in batches {
        let stored = stored?;
        let batch = codec::unpacked(BATCH, &stored)?;
        if name.find(&batch).is_none() {
            continue;
        }
        for entry in entries(&batch)?.into_iter().filter(|entry| entry.id == id) {
            let HomeEntry { header, content, .. } = entry;
            let record = found.get_or_insert_with(|| StoredRecord {
                id,
                header: header.clone(),
                contents: Contents::default(),
            });
            record.header = header;
            if let Some((hash, content)) = content {
                record.contents.insert(hash, content);
            }
        }
    }
    Ok(found)
}

/// Puts a home's newest batches together when there are many. Bounded: what stands before a
/// batch that is large enough has been put together already, and is not read again.
pub(super) fn compact(commit: &mut Commit<'_>, home: &Home) -> Result<()> {
    let prefix = Key::new(keys::HOME_BLOB).hash(keys::home_hash(home));
    let batches = commit.keys_under(prefix)?;
    if batches.len() <= BATCHES_MAX {
        return Ok(());
    }
    let mut newest: Vec<StoredBatch> = Vec::new();
    for key in batches.into_iter().rev() {
        let stored = commit.bytes(&key)?.ok_or(StoreError::Damaged { what: "home" })?;
        if stored.len() >= JOINED_BYTES_MAX / 2 {
            break;
        }
        newest.push((key, stored));
    }
    if newest.len() <= BATCHES_MAX {
        return Ok(());
    }
    let mut run = Vec::new();
    let mut run_bytes = 0;
    for (key, stored) in newest.into_iter().rev() {
        if run_bytes + stored.len() > JOINED_BYTES_MAX {
            join(commit, std::mem::take(&mut run))?;
            run_bytes = 0;
        }
        run_bytes += stored.len();
        run.push((key, stored));
    }
    join(commit, run)
}

fn join(commit: &mut Commit<'_>, run: Vec<StoredBatch>) -> Result<()> {
    let Some(last) = run.len().checked_sub(1).filter(|&last| last > 0) else { return Ok(()) };
    let mut place: BTreeMap<DerivedId, RecordHeader> = BTreeMap::new();
    let mut contents: BTreeMap<(DerivedId, Hash), Content> = BTreeMap::new();
    for (i, (key, stored)) in run.iter().enumerate() {
        for entry in read_batch(stored)? {
            place.insert(entry.id, entry.header);
            if let Some((hash, content)) = entry.content {
                contents.insert((entry.id, hash), content);
            }
        }
        if i < last {
            commit.remove(key);
        }
    }
    let joined = joined_entries(place, contents);
    // The last key, so that batches before and after keep their order.
    commit.put(&run[last].0, &joined)
}

/// Each header once, beside the record's first content; further contents repeat it.
fn joined_entries(
    headers: BTreeMap<DerivedId, RecordHeader>,
    contents: BTreeMap<(DerivedId, Hash), Content>,
) -> HomeBatch {
    let mut by_record: BTreeMap<DerivedId, Vec<(Hash, Content)>> = BTreeMap::new();
    for ((id, hash), content) in contents {
        by_record.entry(id).or_default().push((hash, content));
    }
    let mut joined = HomeBatch::new();
    for (id, header) in headers {
        let contents = by_record.remove(&id).unwrap_or_default();
        if contents.is_empty() {
            joined.push(HomeEntry { id, header: header.clone(), content: None });
        }
        for content in contents {
            joined.push(HomeEntry { id, header: header.clone(), content: Some(content) });
        }
    }
    joined
}

fn read_batch(stored: &[u8]) -> Result<HomeBatch> {
    entries(&codec::unpacked(BATCH, stored)?)
}

fn entries(raw: &[u8]) -> Result<HomeBatch> {
    let batch: HomeBatch = codec::from_postcard(BATCH, raw)?;
    batch.iter().try_for_each(|entry| check_header(&entry.header))?;
    Ok(batch)
}

/// A header without versions decodes, but nothing could be said of it.
pub(super) fn check_header(header: &RecordHeader) -> Result<()> {
    if header.versions().is_empty() {
        return Err(StoreError::Damaged { what: "record header" });
    }
    Ok(())
}
