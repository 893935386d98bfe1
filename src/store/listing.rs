//! What a table lists of its rows, in records of one length: one row is found without reading
//! the others, and none of what is searched or traced is decoded for it.
//!
//! Two counts, then a record per row ordered by id, then a record per alias ordered by alias.

use bytes::Bytes;
use jiff::Timestamp;

use super::{Result, StoreError, TableRow};
use crate::flow::{DerivedId, SearchValue};

/// The rows of one type of a view, as they are listed.
#[derive(Clone, Debug)]
pub struct Listing {
    bytes: Bytes,
    rows: usize,
    aliases: usize,
}

/// A row as it is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListedRow {
    /// The id.
    pub id: DerivedId,
    /// Version in the view, from 1.
    pub version: u32,
    /// When this version was settled.
    pub last_updated: Timestamp,
    /// Woven plan or finding.
    pub made_by_us: bool,
    /// Whether it states source records.
    pub has_members: bool,
}

/// Search values of the rows of a table.
#[derive(Clone, Debug, Default)]
pub struct Values {
    /// By row, ordered by its id.
    pub(super) by_row: Vec<(DerivedId, Vec<SearchValue>)>,
}

/// Where a body is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Place {
    pub(super) segment: u32,
    pub(super) offset: u32,
    pub(super) length: u32,
}

const HEAD_LEN: usize = 8;
const ROW_LEN: usize = 45;
const ALIAS_LEN: usize = 20;
const MADE_BY_US: u8 = 1;
const HAS_MEMBERS: u8 = 2;
const DAMAGED: StoreError = StoreError::Damaged { what: "listing" };

impl Values {
    /// Those of a row; none if the table has no such row.
    pub fn of(&self, id: DerivedId) -> &[SearchValue] {
        let at = self.by_row.binary_search_by_key(&id, |(row, _)| *row);
        at.map_or(&[], |at| &self.by_row[at].1)
    }
}

impl Listing {
    /// Writes the listing of rows ordered by id.
    pub(super) fn encode(rows: &[TableRow], places: &[Place]) -> Vec<u8> {
        let mut aliases: Vec<(DerivedId, u32)> = Vec::new();
        for (at, row) in (0..).zip(rows) {
            aliases.extend(row.aliases.iter().map(|&alias| (alias, at)));
        }
        aliases.sort_unstable();
        let mut bytes =
            Vec::with_capacity(HEAD_LEN + rows.len() * ROW_LEN + aliases.len() * ALIAS_LEN);
        for count in [rows.len(), aliases.len()] {
            bytes.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes());
        }
        for (row, place) in rows.iter().zip(places) {
            let made_by_us = if row.made_by_us { MADE_BY_US } else { 0 };
            let has_members = if row.members.is_empty() { 0 } else { HAS_MEMBERS };
            bytes.extend_from_slice(&row.id.0.to_be_bytes());
            bytes.extend_from_slice(&row.version.to_be_bytes());
            bytes.extend_from_slice(&row.last_updated.as_second().to_be_bytes());
            bytes.extend_from_slice(&row.last_updated.subsec_nanosecond().to_be_bytes());
            bytes.push(made_by_us | has_members);
            for number in [place.segment, place.offset, place.length] {
                bytes.extend_from_slice(&number.to_be_bytes());
            }
        }
        for (alias, row) in aliases {
            bytes.extend_from_slice(&alias.0.to_be_bytes());
            bytes.extend_from_slice(&row.to_be_bytes());
        }
        bytes
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// `Damaged` when the counts do not fit the length.
    pub(super) fn new(bytes: Bytes) -> Result<Self> {
        let rows = word(&bytes, 0)? as usize;
        let aliases = word(&bytes, 4)? as usize;
        let length = rows
            .checked_mul(ROW_LEN)
            .and_then(|rows| Some(rows + aliases.checked_mul(ALIAS_LEN)? + HEAD_LEN));
        if length == Some(bytes.len()) { Ok(Self { bytes, rows, aliases }) } else { Err(DAMAGED) }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The row at a place, from 0, in the order of ids.
    ///
    /// # Errors
    /// `Damaged` when there is none, or it does not decode.
    pub fn row(&self, at: usize) -> Result<ListedRow> {
        let record = self.record(at)?;
        let seconds = i64::from_be_bytes(array(record, 20)?);
        let nanoseconds = i32::from_be_bytes(array(record, 28)?);
        Ok(ListedRow {
            id: id(record)?,
            version: word(record, 16)?,
            last_updated: Timestamp::new(seconds, nanoseconds).map_err(|_| DAMAGED)?,
            made_by_us: record[32] & MADE_BY_US != 0,
            has_members: record[32] & HAS_MEMBERS != 0,
        })
    }

    /// All rows, in the order of ids.
    pub fn rows(&self) -> impl Iterator<Item = Result<ListedRow>> {
        (0..self.rows).map(|at| self.row(at))
    }

    /// Where the row of an id stands.
    pub fn find(&self, wanted: DerivedId) -> Option<usize> {
        let at = search(self.rows, |at| Some(self.record(at).and_then(id).ok()? < wanted));
        let found = self.record(at).and_then(id).ok();
        (found == Some(wanted)).then_some(at)
    }

    /// Where the row that an id or an alias names stands.
    pub fn find_named(&self, wanted: DerivedId) -> Option<usize> {
        self.find(wanted).or_else(|| {
            let at = search(self.aliases, |at| Some(self.alias(at)?.0 < wanted));
            let (alias, row) = self.alias(at)?;
            (alias == wanted && row < self.rows).then_some(row)
        })
    }

    /// Where a row's body is.
    pub(super) fn place(&self, at: usize) -> Result<Place> {
        let record = self.record(at)?;
        Ok(Place {
            segment: word(record, 33)?,
            offset: word(record, 37)?,
            length: word(record, 41)?,
        })
    }

    /// Every alias and the place of its row, ordered by alias.
    pub(super) fn aliases(&self) -> impl Iterator<Item = (DerivedId, usize)> {
        (0..self.aliases).filter_map(|at| self.alias(at))
    }

    fn record(&self, at: usize) -> Result<&[u8]> {
        let from = HEAD_LEN + at.min(self.rows) * ROW_LEN;
        let record = self.bytes.get(from..from + ROW_LEN).filter(|_| at < self.rows);
        record.ok_or(DAMAGED)
    }

    fn alias(&self, at: usize) -> Option<(DerivedId, usize)> {
        let from = HEAD_LEN + self.rows * ROW_LEN + at * ALIAS_LEN;
        let record = self.bytes.get(from..from + ALIAS_LEN)?;
        Some((id(record).ok()?, word(record, 16).ok()? as usize))
    }
}

/// The first place of `0..count` that is not before what is searched.
fn search(count: usize, is_before: impl Fn(usize) -> Option<bool>) -> usize {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        if is_before(middle) == Some(true) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

fn id(record: &[u8]) -> Result<DerivedId> {
    Ok(DerivedId(u128::from_be_bytes(array(record, 0)?)))
}

fn word(bytes: &[u8], at: usize) -> Result<u32> {
    Ok(u32::from_be_bytes(array(bytes, at)?))
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N]> {
    let part = bytes.get(at..at + N).and_then(|part| part.try_into().ok());
    part.ok_or(DAMAGED)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;
    use crate::flow::Hash;

    fn row(id: u128, aliases: &BTreeSet<u128>) -> TableRow {
        TableRow {
            id: DerivedId(id),
            version: 7,
            last_updated: Timestamp::new(id as i64, 5).unwrap(),
            hash: Hash(0),
            input: Hash(0),
            values: Vec::new(),
            members: Vec::new(),
            aliases: aliases.iter().map(|&alias| DerivedId(alias)).collect(),
            choices: Vec::new(),
            made_by_us: id > 20,
        }
    }

    proptest! {
        #[test]
        fn rows_are_found_by_their_id_and_their_aliases(
            rows in proptest::collection::btree_map(
                0..40_u128, proptest::collection::btree_set(40..80_u128, 0..3), 0..20),
        ) {
            let rows: BTreeMap<u128, BTreeSet<u128>> = rows;
            let stored: Vec<TableRow> = rows.iter().map(|(&id, names)| row(id, names)).collect();
            let place = |segment| Place { segment, offset: 2, length: 3 };
            let places: Vec<Place> = (0..).map(place).take(stored.len()).collect();
            let listing = Listing::new(Listing::encode(&stored, &places).into()).unwrap();
            prop_assert_eq!(listing.len(), stored.len());
            for (at, row) in stored.iter().enumerate() {
                let listed = listing.row(at).unwrap();
                prop_assert_eq!((listed.id, listed.version), (row.id, row.version));
                prop_assert_eq!(listed.last_updated, row.last_updated);
                prop_assert_eq!(listed.made_by_us, row.made_by_us);
                prop_assert_eq!(listing.place(at).unwrap(), places[at]);
            }
            for id in (0..90).map(DerivedId) {
                let own = stored.iter().position(|row| row.id == id);
                prop_assert_eq!(listing.find(id), own);
                let named =
                    own.or_else(|| stored.iter().position(|row| row.aliases.contains(&id)));
                prop_assert_eq!(listing.find_named(id), named);
            }
        }

        #[test]
        fn arbitrary_bytes_are_damage_or_a_listing_but_never_a_panic(
            mut bytes in proptest::collection::vec(any::<u8>(), 0..200),
            counts in (0..4_u8, 0..4_u8),
        ) {
            if let [0, 0, 0, rows, 0, 0, 0, aliases, ..] = bytes.as_mut_slice() {
                (*rows, *aliases) = counts;
            }
            if let Ok(listing) = Listing::new(bytes.into()) {
                let _ = listing.rows().count();
                let _ = listing.find_named(DerivedId(1));
            }
        }
    }
}
