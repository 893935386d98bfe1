//! Bringing a store that an earlier careweave wrote to the present format, in bounded steps: one
//! that is killed half-way goes on at the next opening.

use std::ops::Bound;
use std::sync::RwLock;

use ::sled::Db;
use jiff::Timestamp;

use super::commit::{Writer, engine};
use super::keys::{self, Key};
use super::links::LinkValue;
use super::open::known_id_key;
use super::tables::Contents;
use super::versions::put_changes;
use super::{decisions, pieces};
use crate::fhir::ResourceType;
use crate::flow::{DerivedId, Hash, Owner};
use crate::store::trail::Trail;
use crate::store::{AuditRow, Change, ChangeKind, Result, StoreError, codec};

/// The format of stores that this code writes. From format 4 on values may lie in pieces; those
/// that are whole are read as before.
pub(super) const FORMAT: u32 = 7;

/// The kind of keys of whole tables up to format 4.
const TABLE_4: u8 = b't';

/// Up to format 4 the audit trail was the engine's.
const AUDIT_4: u8 = b'a';
const AUDIT_HEAD_4: &[u8] = b"!audit";

/// How many values one step takes on.
const STEP: usize = 1_000;

/// How many tables one step divides: one may be of 20,000 rows.
const TABLES_STEP: usize = 64;

/// The value that says which format a store has.
pub(super) fn stamp() -> Vec<u8> {
    let mut stamp = vec![codec::FORMAT];
    stamp.extend_from_slice(&FORMAT.to_be_bytes());
    stamp
}

/// Brings a store from `found`, an earlier format, to [`FORMAT`].
pub(super) fn migrate(
    db: &Db,
    writer: &mut Writer,
    gate: &RwLock<()>,
    trail: &mut Trail,
    found: u32,
) -> Result<()> {
    if found < 2 {
        drop_past_bodies(db, writer, gate)?;
    }
    if found < 3 {
        name_pairs(db, writer, gate)?;
    }
    if found < 5 {
        divide_tables(db, writer, gate)?;
        single_out_owners(db, writer, gate)?;
        move_trail(db, writer, gate, trail)?;
    }
    if found < 6 {
        retell_changes(db, writer, gate)?;
    }
    if found < 7 {
        name_partners(db, writer, gate)?;
    }
    let mut commit = writer.begin(db)?;
    commit.put_bytes(keys::FORMAT, stamp());
    writer.finish(commit, gate).map(|_| ())
}

/// Earlier versions of format 1 do not tell what they were woven from, so nobody could say whom
/// they may be shown to.
fn drop_past_bodies(db: &Db, writer: &mut Writer, gate: &RwLock<()>) -> Result<()> {
    loop {
        let some = db.scan_prefix([keys::PAST_BODY]).keys().take(STEP);
        let some = some.collect::<std::result::Result<Vec<_>, _>>();
        let some = some.map_err(engine("walk earlier versions"))?;
        if some.is_empty() {
            return Ok(());
        }
        let mut commit = writer.begin(db)?;
        some.iter().for_each(|key| commit.remove(key));
        writer.finish(commit, gate)?;
    }
}

/// Up to format 2 pairs had no id, decisions no history, and the review queue was not counted.
fn name_pairs(db: &Db, writer: &mut Writer, gate: &RwLock<()>) -> Result<()> {
    let ids = known_id_key(db)?;
    let mut queued = 0_i64;
    for kind in [keys::REVIEW, keys::DECISION] {
        let mut after = vec![kind];
        loop {
            let some = db.range((Bound::Excluded(after.clone()), Bound::Unbounded));
            let some = some.take_while(|item| !matches!(item, Ok((k, _)) if k[0] != kind));
            let some: std::result::Result<Vec<_>, _> = some.take(STEP).collect();
            let some = some.map_err(engine("walk pairs"))?;
            let Some((last, _)) = some.last() else { break };
            after = last.to_vec();
            let mut commit = writer.begin(db)?;
            for (_, value) in &some {
                match kind {
                    keys::REVIEW => {
                        decisions::name_queued(&mut commit, &ids, value)?;
                        queued += 1;
                    }
                    _ => decisions::begin_history(&mut commit, &ids, value)?,
                }
            }
            writer.finish(commit, gate)?;
        }
    }
    let mut commit = writer.begin(db)?;
    commit.put(keys::REVIEW_COUNT, &queued)?;
    writer.finish(commit, gate).map(|_| ())
}

/// Up to format 4 all rows of a table were one value. Its segments stay as they are.
fn divide_tables(db: &Db, writer: &mut Writer, gate: &RwLock<()>) -> Result<()> {
    loop {
        let some = db.scan_prefix([TABLE_4]).take(TABLES_STEP);
        let some = some.collect::<std::result::Result<Vec<_>, _>>();
        let some = some.map_err(engine("walk tables"))?;
        if some.is_empty() {
            return Ok(());
        }
        let mut commit = writer.begin(db)?;
        for (key, _) in &some {
            let stored = pieces::get(db, key)?.ok_or(StoreError::Damaged { what: "table" })?;
            let contents: Contents = codec::decode("table", &stored)?;
            contents.put(&mut commit, key.get(1..).unwrap_or_default())?;
            commit.remove(key);
        }
        writer.finish(commit, gate)?;
    }
}

/// Up to format 4 the owner of a home stood in its link only.
fn single_out_owners(db: &Db, writer: &mut Writer, gate: &RwLock<()>) -> Result<()> {
    let mut after = vec![keys::LINK];
    loop {
        let from = (Bound::Excluded(after.clone()), Bound::Excluded(vec![keys::LINK + 1]));
        let some = db.range(from).take(STEP);
        let some = some.collect::<std::result::Result<Vec<_>, _>>();
        let some = some.map_err(engine("walk links"))?;
        let Some((last, _)) = some.last() else { return Ok(()) };
        after = last.to_vec();
        let mut commit = writer.begin(db)?;
        for (key, _) in &some {
            let stored = pieces::get(db, key)?.ok_or(StoreError::Damaged { what: "link" })?;
            let link: LinkValue = codec::decode("link", &stored)?;
            let home = key.get(1..).unwrap_or_default();
            commit.put(Key::new(keys::OWNER).raw(home), &link.owner)?;
        }
        writer.finish(commit, gate)?;
    }
}

/// What an interrupted step has moved and not removed is known by its numbers.
fn move_trail(db: &Db, writer: &mut Writer, gate: &RwLock<()>, trail: &mut Trail) -> Result<()> {
    loop {
        let some = db.scan_prefix([AUDIT_4]).take(STEP);
        let some = some.collect::<std::result::Result<Vec<_>, _>>();
        let some = some.map_err(engine("walk the audit trail"))?;
        let mut commit = writer.begin(db)?;
        let mut rows: Vec<AuditRow> = Vec::with_capacity(some.len());
        for (key, stored) in &some {
            rows.push(codec::decode("audit entry", stored)?);
            commit.remove(key);
        }
        rows.retain(|row| row.number > trail.last_number());
        trail.append_rows(&rows)?;
        if some.is_empty() {
            commit.remove(AUDIT_HEAD_4);
        }
        writer.finish(commit, gate)?;
        if some.is_empty() {
            return Ok(());
        }
    }
}

/// Up to format 6 decisions that were taken back were not found from their homes.
fn name_partners(db: &Db, writer: &mut Writer, gate: &RwLock<()>) -> Result<()> {
    let mut after = vec![keys::PAST_DECISION];
    loop {
        let end = Bound::Excluded(vec![keys::PAST_DECISION + 1]);
        let some = db.range((Bound::Excluded(after.clone()), end)).take(STEP);
        let some = some.collect::<std::result::Result<Vec<_>, _>>();
        let some = some.map_err(engine("walk past decisions"))?;
        let Some((last, _)) = some.last() else { return Ok(()) };
        after = last.to_vec();
        let mut commit = writer.begin(db)?;
        for (key, _) in &some {
            let damaged = StoreError::Damaged { what: "past decision" };
            decisions::name_partners(&mut commit, &pieces::get(db, key)?.ok_or(damaged)?)?;
        }
        writer.finish(commit, gate)?;
    }
}

/// A change as it was told up to format 5.
#[derive(serde::Deserialize)]
struct Change5 {
    seq: u64,
    at: Timestamp,
    owner: Owner,
    resource_type: ResourceType,
    id: DerivedId,
    version: u32,
    kind: ChangeKind,
}

/// Up to format 5 changes did not tell why, and owners had no history.
fn retell_changes(db: &Db, writer: &mut Writer, gate: &RwLock<()>) -> Result<()> {
    let mut after = vec![keys::CHANGES];
    loop {
        let from = (Bound::Excluded(after.clone()), Bound::Excluded(vec![keys::CHANGES + 1]));
        // One commit may have changed all views.
        let Some(item) = db.range(from).next() else { return Ok(()) };
        let (key, _) = item.map_err(engine("walk the change log"))?;
        after = key.to_vec();
        let damaged = StoreError::Damaged { what: "change log" };
        let (Some(class), Some(seq)) = (key.get(1..17), key.get(17..25)) else {
            return Err(damaged);
        };
        let (Ok(class), Ok(seq)) = (class.try_into(), seq.try_into()) else { return Err(damaged) };
        let stored = pieces::get(db, &key)?.ok_or(damaged)?;
        // What an interrupted step has retold does not decode as what it was.
        let Ok(told) = codec::decode::<Vec<Change5>>("change log", &stored) else { continue };
        let changes = told.into_iter().map(|told| {
            let Change5 { seq, at, owner, resource_type, id, version, kind } = told;
            Change { seq, at, owner, resource_type, id, version, kind, because: Vec::new() }
        });
        let changes: Vec<Change> = changes.collect();
        let mut commit = writer.begin(db)?;
        let (class, seq) = (Hash(u128::from_be_bytes(class)), u64::from_be_bytes(seq));
        put_changes(&mut commit, class, seq, &changes)?;
        writer.finish(commit, gate)?;
    }
}
