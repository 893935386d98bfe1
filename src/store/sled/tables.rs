//! Tables of a view, each in four kinds of values: what is listed of the rows, their search
//! values by parameter, their traces, and their bodies in segments of bounded size. A settle
//! rewrites only the segments that hold a changed row; a read takes only what it needs.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::commit::Commit;
use super::keys::{self, Key};
use crate::fhir::ResourceType;
use crate::flow::{Choice, DerivedId, DisclosureClass, Hash, Indexed, Member, Owner, SearchValue};
use crate::store::listing::{Listing, Place};
use crate::store::{Result, RowWrite, StoreError, TableRow, Values, codec};

/// Bodies are put into one segment up to this size; a larger body has a segment of its own.
pub(super) const SEGMENT_BYTES_MAX: usize = 16 << 10;

/// Search values up to this size are compressed together, larger ones parameter by parameter, so
/// that a search does not read those it does not ask about.
const TOGETHER_MAX: usize = 8 << 10;

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

/// What weaving and Provenance want to know of a row, beside what is listed and searched.
#[derive(Serialize, Deserialize)]
struct Trace {
    hash: Hash,
    input: Hash,
    members: Vec<Member>,
    choices: Vec<Choice>,
}

/// The values of one parameter: place of the row, value.
type Column = Vec<(u32, Indexed)>;

impl TableId {
    /// The key of the table's value of a kind.
    pub(super) fn key_of(&self, kind: u8) -> Key {
        Key::of_class(kind, &self.class).owner(self.owner).resource_type(self.resource_type)
    }

    /// The key of a segment.
    pub(super) fn segment_key(&self, segment: u32) -> Key {
        self.key_of(keys::SEGMENT).small(segment)
    }
}

impl Contents {
    /// Puts the stored values of a table together; empty if there is no listing.
    pub(super) fn read(get: impl Fn(u8) -> Result<Option<::sled::IVec>>) -> Result<Self> {
        const DAMAGED: StoreError = StoreError::Damaged { what: "table" };
        let Some(listed) = get(keys::LISTING)? else { return Ok(Self::default()) };
        let listing = listing(listed)?;
        let traces = get(keys::TRACES)?.ok_or(DAMAGED)?;
        let traces: Vec<Trace> = codec::decode("table", &traces)?;
        if traces.len() != listing.len() {
            return Err(DAMAGED);
        }
        let values = values(&listing, get(keys::VALUES)?, None)?;
        let mut contents = Self::default();
        for (at, (trace, (_, values))) in traces.into_iter().zip(values.by_row).enumerate() {
            let row = listing.row(at)?;
            contents.places.push(listing.place(at)?);
            contents.rows.push(TableRow {
                id: row.id,
                version: row.version,
                last_updated: row.last_updated,
                hash: trace.hash,
                input: trace.input,
                values,
                members: trace.members,
                aliases: Vec::new(),
                choices: trace.choices,
                made_by_us: row.made_by_us,
            });
        }
        for (alias, at) in listing.aliases() {
            contents.rows.get_mut(at).ok_or(DAMAGED)?.aliases.push(alias);
        }
        if contents.rows.is_sorted_by_key(|row| row.id) { Ok(contents) } else { Err(DAMAGED) }
    }

    /// The row of an id, and its place.
    pub(super) fn find(&self, id: DerivedId) -> Option<(&TableRow, Place)> {
        let at = self.rows.binary_search_by_key(&id, |row| row.id).ok()?;
        Some((&self.rows[at], self.places[at]))
    }

    /// Stages all but the bodies. `table`: what follows the kind in the table's keys.
    pub(super) fn put(&self, commit: &mut Commit<'_>, table: &[u8]) -> Result<()> {
        let key = |kind| Key::new(kind).raw(table);
        let listing = Listing::encode(&self.rows, &self.places);
        commit.put_bytes(key(keys::LISTING), codec::plain(&listing));
        let traces: Vec<Trace> = self
            .rows
            .iter()
            .map(|row| Trace {
                hash: row.hash,
                input: row.input,
                members: row.members.clone(),
                choices: row.choices.clone(),
            })
            .collect();
        commit.put(key(keys::TRACES), &traces)?;
        let mut columns: BTreeMap<u16, Vec<(u32, &Indexed)>> = BTreeMap::new();
        for (at, row) in (0..).zip(&self.rows) {
            for value in &row.values {
                columns.entry(value.param).or_default().push((at, &value.value));
            }
        }
        let mut columns: Vec<(u16, Vec<u8>)> = columns
            .iter()
            .map(|(&param, column)| Ok((param, codec::plain(&codec::to_postcard(column)?))))
            .collect::<Result<_>>()?;
        let small = columns.iter().map(|(_, column)| column.len()).sum::<usize>() <= TOGETHER_MAX;
        if small {
            commit.put(key(keys::VALUES), &columns)
        } else {
            for (_, column) in &mut columns {
                *column = codec::pack(&column[codec::PLAIN_HEAD..])?;
            }
            commit.put_bytes(key(keys::VALUES), codec::plain(&codec::to_postcard(&columns)?));
            Ok(())
        }
    }
}

/// A stored listing.
pub(super) fn listing(stored: ::sled::IVec) -> Result<Listing> {
    codec::plain_bytes("listing", &stored)?;
    // Shares the engine's bytes: a table of many rows is not copied for one of them.
    Listing::new(Bytes::from_owner(stored).slice(codec::PLAIN_HEAD..))
}

/// The stored values of some parameters, or of all.
pub(super) fn values(
    listing: &Listing,
    stored: Option<::sled::IVec>,
    params: Option<&[u16]>,
) -> Result<Values> {
    const DAMAGED: StoreError = StoreError::Damaged { what: "search values" };
    let mut by_row = Vec::with_capacity(listing.len());
    for row in listing.rows() {
        by_row.push((row?.id, Vec::new()));
    }
    let stored = stored.ok_or(DAMAGED)?;
    let unpacked = codec::unpacked("search values", &stored)?;
    let columns: Vec<(u16, &[u8])> = postcard::from_bytes(&unpacked).map_err(|_| DAMAGED)?;
    for (param, packed) in columns {
        if params.is_some_and(|params| !params.contains(&param)) {
            continue;
        }
        let column: Column = codec::decode("search values", packed)?;
        for (at, value) in column {
            let (_, values) = by_row.get_mut(at as usize).ok_or(DAMAGED)?;
            values.push(SearchValue { param, value });
        }
    }
    Ok(Values { by_row })
}

/// Reads bodies of one table, each segment once.
pub(super) struct BodyReader<R> {
    read: R,
    segments: HashMap<u32, Vec<u8>>,
}

impl<R: Fn(u32) -> Result<Option<::sled::IVec>>> BodyReader<R> {
    /// `read` gives a stored segment.
    pub(super) fn new(read: R) -> Self {
        Self { read, segments: HashMap::new() }
    }

    /// The body at a place.
    pub(super) fn body(&mut self, place: Place) -> Result<&[u8]> {
        const DAMAGED: StoreError = StoreError::Damaged { what: "segment" };
        let segment = match self.segments.entry(place.segment) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(unknown) => {
                let stored = (self.read)(place.segment)?.ok_or(DAMAGED)?;
                unknown.insert(codec::unpack("segment", &stored)?)
            }
        };
        let from = place.offset as usize;
        let until = from.saturating_add(place.length as usize);
        segment.get(from..until).ok_or(DAMAGED)
    }
}

/// The stored contents of a table; empty if there is none.
pub(super) fn load(commit: &Commit<'_>, table: &TableId) -> Result<Contents> {
    Contents::read(|kind| commit.bytes(table.key_of(kind).as_ref()))
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
    // Those of rows in untouched segments stay; the others follow.
    let mut places = layout.places;
    let mut bodies: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
    for (write, place) in writes.iter().zip(&mut places) {
        if layout.touched.contains(&place.segment) {
            let segment = bodies.entry(place.segment).or_default();
            place.offset = narrow(segment.len())?;
            place.length = narrow(write.row.body.len())?;
            segment.extend_from_slice(&write.row.body);
        }
    }
    for segment in layout.touched {
        let key = table.segment_key(segment);
        match bodies.remove(&segment) {
            Some(bodies) => commit.put_bytes(key, codec::pack(&bodies)?),
            None => commit.remove(key),
        }
    }
    if rows.is_empty() {
        remove_rows(commit, table);
        Ok(())
    } else {
        Contents { rows, places }.put(commit, &table.key_of(keys::LISTING).as_ref()[1..])
    }
}

/// Stages the removal of a table.
pub(super) fn remove(commit: &mut Commit<'_>, table: &TableId, before: &Contents) {
    let segments: BTreeSet<u32> = before.places.iter().map(|place| place.segment).collect();
    for segment in segments {
        commit.remove(table.segment_key(segment));
    }
    remove_rows(commit, table);
}

fn remove_rows(commit: &mut Commit<'_>, table: &TableId) {
    for kind in [keys::LISTING, keys::VALUES, keys::TRACES] {
        commit.remove(table.key_of(kind));
    }
}

/// Which segment holds which row, and which segments must be written.
struct Layout {
    places: Vec<Place>,
    touched: BTreeSet<u32>,
}

/// Unchanged rows stay where they are; changed ones as long as they fit; the others go into
/// the last segment, or new ones after it.
fn lay_out(before: &Contents, writes: &[RowWrite]) -> Layout {
    let mut touched = BTreeSet::new();
    let mut sizes: BTreeMap<u32, usize> = BTreeMap::new();
    let mut places: Vec<Option<Place>> = vec![None; writes.len()];
    let mut changed = Vec::new();
    let mut met = BTreeSet::new();
    for (at, write) in writes.iter().enumerate() {
        let Some((row, place)) = before.find(write.row.id) else { continue };
        met.insert(row.id);
        if row.hash == write.row.hash {
            places[at] = Some(place);
            *sizes.entry(place.segment).or_default() += place.length as usize;
        } else {
            touched.insert(place.segment);
            changed.push((at, place));
        }
    }
    let gone = before.rows.iter().zip(&before.places).filter(|(row, _)| !met.contains(&row.id));
    touched.extend(gone.map(|(_, place)| place.segment));
    for (at, place) in changed {
        let size = sizes.entry(place.segment).or_default();
        let length = writes[at].row.body.len();
        if *size == 0 || *size + length <= SEGMENT_BYTES_MAX {
            *size += length;
            places[at] = Some(place);
        }
    }
    let mut last = sizes.keys().next_back().copied().unwrap_or(0);
    let places = std::iter::zip(places, writes).map(|(assigned, write)| {
        assigned.unwrap_or_else(|| {
            let length = write.row.body.len();
            let full = sizes.get(&last).copied().unwrap_or(0);
            if full > 0 && full + length > SEGMENT_BYTES_MAX {
                last += 1;
            }
            *sizes.entry(last).or_default() += length;
            touched.insert(last);
            Place { segment: last, offset: 0, length: 0 }
        })
    });
    let places = places.collect();
    Layout { places, touched }
}

fn narrow(length: usize) -> Result<u32> {
    u32::try_from(length).map_err(|source| StoreError::Engine {
        operation: "store bodies above 4 GiB",
        source: Box::new(source),
    })
}
