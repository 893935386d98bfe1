//! Large values, stored in pieces.
//!
//! The engine puts a page of more than a quarter segment into a file of its own, which it does
//! not force to the disk before the log that names it: after a loss of power the page would be
//! missing. A page has some twenty values, so no value may be large.

use ::sled::{Db, IVec};

use super::commit::engine;
use super::keys::{self, Key};
use crate::store::{Result, StoreError, codec};

/// Twenty of them, with their keys, stay below a quarter segment.
const PIECES_PER_SEGMENT: usize = 128;

/// Marks the head of a value in pieces, in the place of the packing byte.
const IN_PIECES: u8 = 2;
const HEAD_LEN: usize = 2 + 8 + 4 + 4;

/// A reader meets at most so many replacements of one value in a row.
const REPLACED_MAX: usize = 100;

/// The size of pieces in an engine with such segments.
pub(super) fn piece_bytes(segment_bytes: usize) -> usize {
    segment_bytes / PIECES_PER_SEGMENT
}

/// What stands under the value's key when the value is in pieces.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    /// The commit that wrote it, and its place among that commit's values: names the pieces.
    pub(super) seq: u64,
    pub(super) nth: u32,
    pub(super) count: u32,
}

impl Head {
    /// The head that these stored bytes are, if they are one.
    pub(super) fn of(stored: &[u8]) -> Option<Self> {
        let ([codec::FORMAT, IN_PIECES], rest) = stored.split_first_chunk()? else { return None };
        let (seq, rest) = rest.split_first_chunk()?;
        let (nth, rest) = rest.split_first_chunk()?;
        let count = rest.try_into().ok()?;
        Some(Self {
            seq: u64::from_be_bytes(*seq),
            nth: u32::from_be_bytes(*nth),
            count: u32::from_be_bytes(count),
        })
    }

    pub(super) fn bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD_LEN);
        bytes.extend_from_slice(&[codec::FORMAT, IN_PIECES]);
        bytes.extend_from_slice(&self.seq.to_be_bytes());
        bytes.extend_from_slice(&self.nth.to_be_bytes());
        bytes.extend_from_slice(&self.count.to_be_bytes());
        bytes
    }

    /// The keys of the pieces, in order.
    pub(super) fn keys(self) -> impl Iterator<Item = Key> {
        let key = Key::new(keys::PIECE).number(self.seq).small(self.nth);
        (0..self.count).map(move |piece| key.clone().small(piece))
    }
}

/// The whole value under a key.
pub(super) fn get(db: &Db, key: impl AsRef<[u8]>) -> Result<Option<IVec>> {
    for _ in 0..REPLACED_MAX {
        let Some(stored) = db.get(&key).map_err(engine("read a value"))? else { return Ok(None) };
        if let Some(value) = join(db, &stored)? {
            return Ok(Some(value));
        }
    }
    Err(StoreError::Damaged { what: "value in pieces" })
}

/// The value that stands or begins here; nothing if its pieces are gone, because it was replaced
/// after these bytes were read.
pub(super) fn join(db: &Db, stored: &IVec) -> Result<Option<IVec>> {
    let Some(head) = Head::of(stored) else { return Ok(Some(stored.clone())) };
    let mut value = Vec::new();
    for key in head.keys() {
        match db.get(key).map_err(engine("read a piece of a value"))? {
            Some(piece) => value.extend_from_slice(&piece),
            None => return Ok(None),
        }
    }
    Ok(Some(value.into()))
}
