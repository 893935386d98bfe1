//! The sled engine: the embedded default. One tree with prefixed keys, one batch a commit,
//! forced to the disk before the commit returns. <https://docs.rs/sled/0.34>

mod accept;
mod commit;
mod decisions;
mod homes;
mod keys;
mod links;
mod log_end;
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod measure;
mod migrate;
mod open;
mod overrides;
mod pair_notes;
mod pieces;
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod power;
mod read;
mod read_identity;
mod read_view;
mod settle;
mod tables;
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod tests;
mod versions;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, TryLockError};

use ::sled::Db;
use bytes::Bytes;

use self::commit::{Commit, Writer};
use super::trail::{self, Trail};
use super::{
    Accept, AuditEntry, AuditRow, Block, Change, Counters, Cursor, Dirty, HomeContent, Issued,
    KnownPair, Listing, Proposal, Result, ReviewPair, ReviewPlace, Settle, Store, StoredLink,
    StoredRecord, Table, Values, ViewHead,
};
use crate::fhir::ResourceType;
use crate::flow::{
    Access, BlockingKey, Decision, DerivedId, DisclosureClass, Hash, Home, IdKey, Owner, PairNote,
    PastDecision, PastOverride, Quarantined, RecordDisposition, RecordHeader, Undo,
};

/// How many homes one commit marks dirty when all of them are.
const MARK_BATCH: usize = 4096;

/// The embedded store.
pub struct SledStore {
    db: Db,
    id_key: IdKey,
    /// One commit at a time.
    writer: Mutex<Writer>,
    /// Closed while a batch is applied, so that reads of several keys see one commit's state.
    gate: RwLock<()>,
    cursors_generation: AtomicU64,
    /// Not a part of the engine: reads do not wait for its commits, nor is it rewritten by them.
    trail: Mutex<Trail>,
    trail_dir: PathBuf,
}

impl SledStore {
    /// Runs one commit: all that `stage` stages, or nothing when it fails.
    fn commit<T>(&self, stage: impl FnOnce(&mut Commit<'_>) -> Result<T>) -> Result<(u64, T)> {
        // A panic while staging has written nothing, and one later leaves the writer broken.
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut commit = writer.begin(&self.db)?;
        let result = stage(&mut commit)?;
        let seq = writer.finish(commit, &self.gate)?;
        Ok((seq, result))
    }
}

impl Store for SledStore {
    fn id_key(&self) -> &IdKey {
        &self.id_key
    }

    fn accept(&self, batch: Accept) -> Result<u64> {
        let moves_cursors = !batch.cursors.is_empty();
        let (seq, ()) = self.commit(|commit| accept::accept(commit, batch))?;
        if moves_cursors {
            self.cursors_generation.fetch_add(1, Ordering::Release);
        }
        Ok(seq)
    }

    fn settle(&self, batch: Settle) -> Result<u64> {
        self.commit(|commit| settle::settle(commit, &self.id_key, batch)).map(|(seq, ())| seq)
    }

    fn decide(&self, decisions: &[Decision]) -> Result<u64> {
        let stage = |commit: &mut Commit<'_>| decisions::decide(commit, &self.id_key, decisions);
        self.commit(stage).map(|(seq, ())| seq)
    }

    fn undo_decisions(&self, pairs: &[(Home, Home)], undo: &Undo) -> Result<usize> {
        self.commit(|commit| decisions::undo(commit, pairs, undo)).map(|(_, known)| known)
    }

    fn note_pair(&self, pair: (&Home, &Home), note: &PairNote) -> Result<u64> {
        let stage = |commit: &mut Commit<'_>| pair_notes::note(commit, &self.id_key, pair, note);
        self.commit(stage).map(|(seq, ())| seq)
    }

    fn record_override(&self, homes: &[Home], decided: &PastOverride) -> Result<u64> {
        self.commit(|commit| overrides::record(commit, homes, decided)).map(|(seq, ())| seq)
    }

    fn audit(&self, entries: &[AuditEntry]) -> Result<()> {
        self.trail.lock().unwrap_or_else(PoisonError::into_inner).append(entries)
    }

    fn mark_dirty(&self, homes: Option<&[Home]>) -> Result<()> {
        if let Some(homes) = homes {
            return self
                .commit(|commit| accept::mark_dirty(commit, homes.iter()))
                .map(|(_, ())| ());
        }
        let system = Access::system();
        let mut after: Option<Home> = None;
        loop {
            let homes = self.homes(&system, after.as_ref(), MARK_BATCH)?;
            if homes.is_empty() {
                return Ok(());
            }
            self.commit(|commit| accept::mark_dirty(commit, homes.iter()))?;
            after = homes.into_iter().next_back();
        }
    }

    fn headers(&self, access: &Access, ids: &[DerivedId]) -> Result<Vec<Option<RecordHeader>>> {
        self.read_headers(access, ids)
    }

    fn home(&self, access: &Access, home: &Home) -> Result<HomeContent> {
        self.read_home(access, home)
    }

    fn record(&self, access: &Access, home: &Home, id: DerivedId) -> Result<Option<StoredRecord>> {
        self.read_record(access, home, id)
    }

    fn homes(&self, access: &Access, after: Option<&Home>, limit: usize) -> Result<Vec<Home>> {
        self.read_homes(access, after, limit)
    }

    fn quarantine(
        &self,
        access: &Access,
        after: Option<Hash>,
        limit: usize,
    ) -> Result<Vec<Quarantined>> {
        self.read_quarantine(access, after, limit)
    }

    fn cursors(&self, access: &Access, endpoint: &str) -> Result<BTreeMap<Arc<str>, Cursor>> {
        self.read_cursors(access, endpoint)
    }

    fn cursors_generation(&self) -> u64 {
        self.cursors_generation.load(Ordering::Acquire)
    }

    fn counters(&self, access: &Access) -> Result<Counters> {
        self.read_counters(access)
    }

    fn dirty(&self, access: &Access, limit: usize) -> Result<Vec<Dirty>> {
        self.read_dirty(access, limit)
    }

    fn dirty_mark(&self, access: &Access, home: &Home) -> Result<Option<Dirty>> {
        self.read_dirty_mark(access, home)
    }

    fn dirty_count(&self, _access: &Access) -> Result<usize> {
        let count: Option<i64> = self.get("dirty count", keys::DIRTY_COUNT)?;
        Ok(count.and_then(|count| usize::try_from(count).ok()).unwrap_or(0))
    }

    fn link(&self, access: &Access, home: &Home) -> Result<Option<StoredLink>> {
        self.read_link(access, home)
    }

    fn owner(&self, access: &Access, home: &Home) -> Result<Option<Owner>> {
        self.read_owner(access, home)
    }

    fn candidates(
        &self,
        access: &Access,
        keys: &[BlockingKey],
        limit: usize,
    ) -> Result<Vec<Block>> {
        self.read_candidates(access, keys, limit)
    }

    fn decisions(&self, access: &Access, home: &Home) -> Result<Vec<Decision>> {
        self.read_decisions(access, home)
    }

    fn past_decisions(&self, access: &Access, a: &Home, b: &Home) -> Result<Vec<PastDecision>> {
        self.read_past_decisions(access, a, b)
    }

    fn pair_notes(&self, access: &Access, a: &Home, b: &Home) -> Result<Vec<PairNote>> {
        self.read_pair_notes(access, a, b)
    }

    fn proposal(&self, access: &Access, a: &Home, b: &Home) -> Result<Option<PairNote>> {
        self.read_proposal(access, a, b)
    }

    fn proposals(&self, access: &Access, limit: usize) -> Result<Vec<Proposal>> {
        self.read_proposals(access, limit)
    }

    fn partners(&self, access: &Access, home: &Home, limit: usize) -> Result<Vec<Home>> {
        self.read_partners(access, home, limit)
    }

    fn overrides(&self, access: &Access, home: &Home) -> Result<Vec<PastOverride>> {
        self.read_overrides(access, home)
    }

    fn reviews(
        &self,
        access: &Access,
        after: Option<&ReviewPlace>,
        limit: usize,
    ) -> Result<Vec<ReviewPair>> {
        self.read_reviews(access, after, limit)
    }

    fn review_count(&self, _access: &Access) -> Result<usize> {
        let count: Option<i64> = self.get("review count", keys::REVIEW_COUNT)?;
        Ok(count.and_then(|count| usize::try_from(count).ok()).unwrap_or(0))
    }

    fn known_pairs(
        &self,
        access: &Access,
        beginning: &str,
        limit: usize,
    ) -> Result<Vec<KnownPair>> {
        self.read_known_pairs(access, beginning, limit)
    }

    fn referrers(&self, access: &Access, directory: DerivedId) -> Result<Vec<Home>> {
        self.read_referrers(access, directory)
    }

    fn due(&self, access: &Access, day: jiff::civil::Date, limit: usize) -> Result<Vec<Owner>> {
        self.read_due(access, day, limit)
    }

    fn owners(&self, access: &Access, after: Option<Owner>, limit: usize) -> Result<Vec<Owner>> {
        self.read_owners(access, after, limit)
    }

    fn view(&self, access: &Access, owner: Owner) -> Result<Option<ViewHead>> {
        self.read_view(access, owner)
    }

    fn listing(
        &self,
        access: &Access,
        owner: Owner,
        resource_type: ResourceType,
    ) -> Result<Option<Listing>> {
        self.read_listing(access, owner, resource_type)
    }

    fn values(
        &self,
        access: &Access,
        owner: Owner,
        resource_type: ResourceType,
        params: &[u16],
    ) -> Result<Values> {
        self.read_values(access, owner, resource_type, params)
    }

    fn table(
        &self,
        access: &Access,
        owner: Owner,
        resource_type: ResourceType,
    ) -> Result<Option<Table>> {
        self.read_table(access, owner, resource_type)
    }

    fn bodies(
        &self,
        access: &Access,
        owner: Owner,
        resource_type: ResourceType,
        ids: &[DerivedId],
    ) -> Result<Vec<Option<Bytes>>> {
        self.read_bodies(access, owner, resource_type, ids)
    }

    fn past_body(
        &self,
        access: &Access,
        resource_type: ResourceType,
        id: DerivedId,
        version: u32,
        within: &[Home],
    ) -> Result<Option<Bytes>> {
        self.read_past_body(access, resource_type, id, version, within)
    }

    fn dispositions(&self, access: &Access, owner: Owner) -> Result<Vec<RecordDisposition>> {
        self.read_dispositions(access, owner)
    }

    fn issued(&self, access: &Access, id: DerivedId) -> Result<Option<Issued>> {
        self.read_issued(access, id)
    }

    fn by_index(
        &self,
        access: &Access,
        resource_type: ResourceType,
        key: Hash,
        limit: usize,
    ) -> Result<Vec<(Owner, DerivedId)>> {
        self.read_by_index(access, resource_type, key, limit)
    }

    fn changes(&self, access: &Access, after_seq: u64, limit: usize) -> Result<Vec<Change>> {
        self.read_changes(access, after_seq, limit)
    }

    fn newest_changes(
        &self,
        access: &Access,
        before_seq: u64,
        limit: usize,
    ) -> Result<Vec<Change>> {
        self.read_newest_changes(access, before_seq, limit)
    }

    fn history(
        &self,
        access: &Access,
        owner: Owner,
        after_seq: u64,
        limit: usize,
    ) -> Result<Vec<Change>> {
        self.read_history(access, owner, after_seq, limit)
    }

    fn audit_trail(&self, access: &Access, after: u64, limit: usize) -> Result<Vec<AuditRow>> {
        // It names readers and persons of every endpoint, so only who sees all may read it.
        match access.class {
            DisclosureClass::Full => trail::read(&self.trail_dir, after, limit),
            DisclosureClass::Endpoints(_) => Ok(Vec::new()),
        }
    }

    fn audit_count(&self) -> Result<u64> {
        Ok(self.trail.lock().unwrap_or_else(PoisonError::into_inner).last_number())
    }

    fn check_writable(&self) -> Result<()> {
        // A writer that is busy works: a probe waits for no commit.
        match self.writer.try_lock() {
            Ok(writer) => writer.begin(&self.db).map(|_| ()),
            Err(TryLockError::Poisoned(writer)) => writer.into_inner().begin(&self.db).map(|_| ()),
            Err(TryLockError::WouldBlock) => Ok(()),
        }
    }

    fn last_seq(&self) -> Result<u64> {
        Ok(self.get("last seq", keys::LAST_SEQ)?.unwrap_or(0))
    }

    fn size_on_disk(&self) -> Result<u64> {
        self.db.size_on_disk().map_err(commit::engine("measure the store"))
    }
}
