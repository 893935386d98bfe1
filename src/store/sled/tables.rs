//! Tables of a view: a list of rows, and their bodies in segments of bounded size. A settle
//! rewrites only the segments that hold a changed row.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::commit::Commit;
use super::keys::{self, Key};
use crate::fhir::ResourceType;
use crate::flow::{DerivedId, DisclosureClass, Owner};
use crate::store::{Result, RowWrite, StoreError, TableRow, codec};

/// Bodies are put into one segment up to this size; a larger body has a segment of its own.
pub(super) const SEGMENT_BYTES_MAX: usize = 128 << 10;

/// Which table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TableId {
    pub(super) class: DisclosureClass,
    pub(super) owner: Owner,
    pub(super) resource_type: ResourceType,
}

/// The rows of a table and where their bodies are.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Contents {
    pub(super) rows: Vec<TableRow>,
    pub(super) places: Vec<Place>,
}

/// Where a body is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) segment: u32,
    pub(super) offset: u32,
    pub(super) length: u32,
}

impl TableId {
    /// The key of the rows.
    pub(super) fn key(&self) -> Key {
        Key::of_class(keys::TABLE, &self.class).owner(self.owner).resource_type(self.resource_type)
    }

    /// The key of a segment.
    pub(super) fn segment_key(&self, segment: u32) -> Key {
        Key::of_class(keys::SEGMENT, &self.class)
            .owner(self.owner)
            .resource_type(self.resource_type)
            .small(segment)
    }
}

impl Contents {
    /// Reads stored contents.
    pub(super) fn decode(stored: &[u8]) -> Result<Self> {
        let contents: Self = codec::decode("table", stored)?;
        let rows = contents.rows.as_slice();
        let sound = rows.len() == contents.places.len() && rows.is_sorted_by_key(|row| row.id);
        if sound { Ok(contents) } else { Err(StoreError::Damaged { what: "table" }) }
    }

    /// The row of an id, and its place.
    pub(super) fn find(&self, id: DerivedId) -> Option<(&TableRow, Place)> {
        let at = self.rows.binary_search_by_key(&id, |row| row.id).ok()?;
        Some((&self.rows[at], self.places[at]))
    }
}

impl Place {
    /// The body at this place of its segment.
    pub(super) fn slice(self, segment: &[u8]) -> Result<&[u8]> {
        let from = self.offset as usize;
        let until = from.saturating_add(self.length as usize);
        segment.get(from..until).ok_or(StoreError::Damaged { what: "segment" })
    }
}

/// Reads bodies of one table, each segment once.
pub(super) struct BodyReader<R> {
    read: R,
    segments: BTreeMap<u32, Vec<u8>>,
}

impl<R: Fn(u32) -> Result<Option<::sled::IVec>>> BodyReader<R> {
    /// `read` gives a stored segment.
    pub(super) fn new(read: R) -> Self {
        Self { read, segments: BTreeMap::new() }
    }

    /// The body at a place.
    pub(super) fn body(&mut self, place: Place) -> Result<&[u8]> {
        let segment = match self.segments.entry(place.segment) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(unknown) => {
                let stored = (self.read)(place.segment)?;
                let stored = stored.ok_or(StoreError::Damaged { what: "segment" })?;
                unknown.insert(codec::unpack("segment", &stored)?)
            }
        };
        place.slice(segment)
    }
}

/// The stored contents of a table; empty if there is none.
pub(super) fn load(commit: &Commit<'_>, table: &TableId) -> Result<Contents> {
    let stored = commit.bytes(table.key().as_ref())?;
    stored.map_or_else(|| Ok(Contents::default()), |stored| Contents::decode(&stored))
}

/// Stages a table: `rows` are its stored forms, in the order of `writes`.
pub(super) fn write(
    commit: &mut Commit<'_>,
    table: &TableId,
    before: &Contents,
    writes: &[RowWrite],
    rows: Vec<TableRow>,
) -> Result<()> {
    let layout = lay_out(before, writes);
    let mut places: Vec<Place> = Vec::with_capacity(rows.len());
    for write in writes {
        // Right for rows of untouched segments; the others follow.
        places.push(before.find(write.row.id).map(|(_, place)| place).unwrap_or_default());
    }
    for &segment in &layout.touched {
        let mut bodies = Vec::new();
        for (at, write) in writes.iter().enumerate() {
            if layout.segments[at] == segment {
                let body = &write.row.body;
                places[at] =
                    Place { segment, offset: narrow(bodies.len())?, length: narrow(body.len())? };
                bodies.extend_from_slice(body);
            }
        }
        let key = table.segment_key(segment);
        if layout.segments.contains(&segment) {
            commit.put_bytes(key, codec::pack(&bodies)?);
        } else {
            commit.remove(key);
        }
    }
    if rows.is_empty() {
        commit.remove(table.key());
        Ok(())
    } else {
        commit.put(table.key(), &Contents { rows, places })
    }
}

/// Stages the removal of a table.
pub(super) fn remove(commit: &mut Commit<'_>, table: &TableId, before: &Contents) {
    let segments: BTreeSet<u32> = before.places.iter().map(|place| place.segment).collect();
    for segment in segments {
        commit.remove(table.segment_key(segment));
    }
    commit.remove(table.key());
}

/// Which segment holds which row, and which segments must be written.
struct Layout {
    segments: Vec<u32>,
    touched: BTreeSet<u32>,
}

/// Unchanged rows stay where they are; changed ones as long as they fit; the others go into
/// the last segment, or new ones after it.
fn lay_out(before: &Contents, writes: &[RowWrite]) -> Layout {
    let mut touched = BTreeSet::new();
    let mut sizes: BTreeMap<u32, usize> = BTreeMap::new();
    let mut segments: Vec<Option<u32>> = vec![None; writes.len()];
    let mut changed = Vec::new();
    let mut met = BTreeSet::new();
    for (at, write) in writes.iter().enumerate() {
        let Some((row, place)) = before.find(write.row.id) else { continue };
        met.insert(row.id);
        if row.hash == write.row.hash {
            segments[at] = Some(place.segment);
            *sizes.entry(place.segment).or_default() += place.length as usize;
        } else {
            touched.insert(place.segment);
            changed.push((at, place.segment));
        }
    }
    let gone = before.rows.iter().zip(&before.places).filter(|(row, _)| !met.contains(&row.id));
    touched.extend(gone.map(|(_, place)| place.segment));
    for (at, segment) in changed {
        let size = sizes.entry(segment).or_default();
        let length = writes[at].row.body.len();
        if *size == 0 || *size + length <= SEGMENT_BYTES_MAX {
            *size += length;
            segments[at] = Some(segment);
        }
    }
    let mut last = sizes.keys().next_back().copied().unwrap_or(0);
    let segments = std::iter::zip(segments, writes).map(|(assigned, write)| {
        assigned.unwrap_or_else(|| {
            let length = write.row.body.len();
            let full = sizes.get(&last).copied().unwrap_or(0);
            if full > 0 && full + length > SEGMENT_BYTES_MAX {
                last += 1;
            }
            *sizes.entry(last).or_default() += length;
            touched.insert(last);
            last
        })
    });
    let segments = segments.collect();
    Layout { segments, touched }
}

fn narrow(length: usize) -> Result<u32> {
    u32::try_from(length).map_err(|source| StoreError::Engine {
        operation: "store bodies above 4 GiB",
        source: Box::new(source),
    })
}
