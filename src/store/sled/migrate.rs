//! Bringing a store that an earlier careweave wrote to the present format, in bounded steps: one
//! that is killed half-way goes on at the next opening.

use std::ops::Bound;
use std::sync::RwLock;

use ::sled::Db;

use super::commit::{Writer, engine};
use super::open::known_id_key;
use super::{decisions, keys};
use crate::store::{Result, codec};

/// The format of stores that this code writes. From format 4 on values may lie in pieces; those
/// that are whole are read as before.
pub(super) const FORMAT: u32 = 4;

/// How many values one step takes on.
const STEP: usize = 1_000;

/// The value that says which format a store has.
pub(super) fn stamp() -> Vec<u8> {
    let mut stamp = vec![codec::FORMAT];
    stamp.extend_from_slice(&FORMAT.to_be_bytes());
    stamp
}

/// Brings a store from `found`, an earlier format, to [`FORMAT`].
pub(super) fn migrate(db: &Db, writer: &mut Writer, gate: &RwLock<()>, found: u32) -> Result<()> {
    if found < 2 {
        drop_past_bodies(db, writer, gate)?;
    }
    if found < 3 {
        name_pairs(db, writer, gate)?;
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
