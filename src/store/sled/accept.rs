//! The accept commit, and dirty marks.

use std::collections::{BTreeMap, BTreeSet};

use super::commit::Commit;
use super::homes::{self, HomeBatch, HomeEntry};
use super::keys::{self, Key};
use crate::flow::{Content, Hash, Home, Quarantined, RecordHeader, State};
use crate::store::{Accept, CounterDelta, Counters, Dirty, RecordWrite, Result, StoreError};

/// Where a home stands among the dirty ones: the seq that marked it first, those of the
/// directory before all others.
type DirtyPlace = u64;

/// Persons are woven by the links of the directory: were they settled first, they would be woven
/// again after it.
const BEHIND_DIRECTORY: DirtyPlace = 1 << 63;

/// Stages everything of an accept commit.
pub(super) fn accept(commit: &mut Commit<'_>, batch: Accept) -> Result<()> {
    let mut by_home: BTreeMap<Home, HomeBatch> = BTreeMap::new();
    for write in batch.records {
        record(commit, write, &mut by_home)?;
    }
    for (home, entries) in by_home {
        homes::add_batch(commit, &home, entries)?;
    }
    let mut counters = batch.counters;
    for (nth, quarantined) in (0..).zip(&batch.quarantined) {
        let counter = if quarantine(commit, nth, quarantined)? { "quarantined" } else { "repeats" };
        *counters.entry((quarantined.endpoint.clone(), counter.into())).or_default() += 1;
    }
    for ((endpoint, part), cursor) in &batch.cursors {
        commit.put(Key::new(keys::CURSOR).text(endpoint).text(part), &(part, cursor))?;
    }
    count(commit, &counters)?;
    mark_dirty(commit, batch.dirty.iter())
}

fn record(
    commit: &mut Commit<'_>,
    write: RecordWrite,
    by_home: &mut BTreeMap<Home, HomeBatch>,
) -> Result<()> {
    let key = Key::new(keys::RECORD).id(write.id);
    let known: Option<RecordHeader> = commit.get("record header", &key)?;
    let versions = known.as_ref().map_or(0, |header| header.versions().len());
    if versions != write.expected_versions {
        return Err(StoreError::Conflict);
    }
    homes::check_header(&write.header)?;
    let mut header = write.header;
    if header.first_seq == 0 {
        header.first_seq = commit.seq;
    }
    // A, B, A: the content of the first A is there already.
    let is_stored = |hash: Hash, home: &Home| {
        let mut versions = known.iter().flat_map(RecordHeader::versions);
        versions.any(|v| v.state == State::Live && v.hash == hash && v.home == *home)
    };
    let contents = write.contents.into_iter().filter(|(hash, home, _)| !is_stored(*hash, home));
    let mut contents_of: BTreeMap<Home, Vec<(Hash, Content)>> = BTreeMap::new();
    for (hash, home, content) in contents {
        contents_of.entry(home).or_default().push((hash, content));
    }
    commit.put(&key, &header)?;
    // Also homes that only earlier headers name: they must learn that the record has left.
    let before = known.iter().flat_map(RecordHeader::versions);
    let named: BTreeSet<Home> =
        header.versions().iter().chain(before).map(|v| v.home.clone()).collect();
    for home in named {
        let contents = contents_of.remove(&home).unwrap_or_default();
        let mut entries = contents.into_iter().map(Some).collect::<Vec<_>>();
        if entries.is_empty() {
            entries.push(None);
        }
        by_home.entry(home).or_default().extend(entries.into_iter().map(|content| HomeEntry {
            id: write.id,
            header: header.clone(),
            content,
        }));
    }
    Ok(())
}

/// Returns whether the input is a new one.
fn quarantine(commit: &mut Commit<'_>, nth: u32, quarantined: &Quarantined) -> Result<bool> {
    let place = Key::new(keys::QUARANTINE_PLACE).hash(quarantined.hash);
    if commit.has(&place)? {
        return Ok(false);
    }
    commit.put(&place, &(commit.seq, nth))?;
    commit.put(Key::new(keys::QUARANTINE).number(commit.seq).small(nth), quarantined)?;
    Ok(true)
}

/// Adds to counters.
pub(super) fn count(commit: &mut Commit<'_>, delta: &CounterDelta) -> Result<()> {
    if delta.values().all(|&by| by == 0) {
        return Ok(());
    }
    let mut counters: Counters = commit.get("counters", keys::COUNTERS)?.unwrap_or_default();
    for (name, &by) in delta {
        let counter = counters.entry(name.clone()).or_default();
        *counter = counter.saturating_add(by);
    }
    commit.put(keys::COUNTERS, &counters)
}

/// Marks homes dirty. One that is dirty keeps its place in the queue but not its seq.
pub(super) fn mark_dirty<'h>(
    commit: &mut Commit<'_>,
    homes: impl Iterator<Item = &'h Home>,
) -> Result<()> {
    let seq = commit.seq;
    let mut added = 0;
    for home in homes {
        let hash = keys::home_hash(home);
        let place_key = Key::new(keys::DIRTY_PLACE).hash(hash);
        let place = match commit.get::<DirtyPlace>("dirty mark", &place_key)? {
            Some(place) => place,
            None => {
                added += 1;
                let place = match home {
                    Home::Directory(_) => seq,
                    Home::Chart(_) | Home::Shared(_) => seq | BEHIND_DIRECTORY,
                };
                commit.put(&place_key, &place)?;
                place
            }
        };
        commit.put(Key::new(keys::DIRTY).number(place).hash(hash), &(home, seq))?;
    }
    change_dirty_count(commit, added)
}

/// Clears marks, unless they were set again since.
pub(super) fn clean(commit: &mut Commit<'_>, marks: &[Dirty]) -> Result<()> {
    let mut cleared = 0;
    for mark in marks {
        let hash = keys::home_hash(&mark.home);
        let place_key = Key::new(keys::DIRTY_PLACE).hash(hash);
        let Some(place) = commit.get::<DirtyPlace>("dirty mark", &place_key)? else { continue };
        let key = Key::new(keys::DIRTY).number(place).hash(hash);
        let current: Option<(Home, u64)> = commit.get("dirty mark", &key)?;
        if current.is_some_and(|(_, seq)| seq <= mark.seq) {
            commit.remove(&key);
            commit.remove(&place_key);
            cleared -= 1;
        }
    }
    change_dirty_count(commit, cleared)
}

fn change_dirty_count(commit: &mut Commit<'_>, by: i64) -> Result<()> {
    if by == 0 {
        return Ok(());
    }
    let count: i64 = commit.get("dirty count", keys::DIRTY_COUNT)?.unwrap_or(0);
    commit.put(keys::DIRTY_COUNT, &(count + by))
}
