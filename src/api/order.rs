//! The order of an answer: what we made first and then by id, or by `_sort`.
//! <https://hl7.org/fhir/R4/search.html#sort>
//!
//! Every row keeps the place that it had when the search began, however it changes while the
//! pages are fetched. So a row that matches throughout is given exactly once.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use jiff::Timestamp;

use crate::fhir::parse_moment;
use crate::fhir::search::{SearchTable, SortKey};
use crate::flow::{DerivedId, Owner, SearchValue};
use crate::store::{ChangeKind, Values};

use super::error::ApiError;
use super::hit::Hit;
use super::paging::{CursorSeal, PageKey};
use super::provenance;
use super::query::Query;
use super::reader::{Reader, RowRef};

/// The most changes of one owner that are looked at for one page.
const CHANGES_MAX: usize = 10_000;

/// Where a row stands in the order of a search.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Place {
    /// What `_sort` says; empty without it.
    sorted: Vec<u8>,
    /// Then this.
    key: PageKey,
}

/// The order of one search.
pub(super) struct Order<'q> {
    sort: &'q [SortKey],
    params: Vec<u16>,
    /// The store's last commit when the search began.
    began: u64,
}

/// What `_sort` looks at, of one row.
struct Looked {
    last_updated: Timestamp,
    values: Vec<SearchValue>,
}

impl<'q> Order<'q> {
    /// The order of a search that begins now, or goes on after a cursor; and the place of that.
    ///
    /// # Errors
    /// `BadCursor` for a cursor of another search or caller.
    pub(super) fn begin(
        reader: &Reader<'_>,
        sort: &'q [SortKey],
        cursor: Option<&str>,
        seal: &CursorSeal,
    ) -> Result<(Self, Option<Place>), ApiError> {
        let params = sort.iter().filter_map(SortKey::param).collect();
        let order = |began| Self { sort, params, began };
        let Some(cursor) = cursor else {
            return Ok((order(reader.store().last_seq()?), None));
        };
        let (began, place) = Place::decode(&seal.open_place(cursor)?).ok_or(ApiError::BadCursor)?;
        Ok((order(began), Some(place)))
    }

    /// The cursor that goes on after a place.
    pub(super) fn cursor(&self, seal: &CursorSeal, place: &Place) -> String {
        seal.seal_place(&place.encode(self.began))
    }

    /// The hits with their places.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) fn places(
        &self,
        reader: &mut Reader<'_>,
        query: &Query,
        hits: Vec<Hit>,
    ) -> Result<Vec<(Place, Hit)>, ApiError> {
        if self.sort.is_empty() {
            let place = |hit: &Hit| Place { sorted: Vec::new(), key: hit.key() };
            return Ok(hits.into_iter().map(|hit| (place(&hit), hit)).collect());
        }
        let mut values: BTreeMap<Owner, Values> = BTreeMap::new();
        let mut changed: BTreeMap<Owner, BTreeMap<DerivedId, u32>> = BTreeMap::new();
        let quiet = reader.store().last_seq()? == self.began;
        let mut placed = Vec::with_capacity(hits.len());
        for hit in hits {
            let looked = match &hit {
                Hit::Row(row) => {
                    if !quiet && let Entry::Vacant(unknown) = changed.entry(row.owner) {
                        unknown.insert(self.versions_before(reader, row)?);
                    }
                    let before = changed.get(&row.owner).and_then(|of| of.get(&row.row().id));
                    match before.map(|version| past(reader, row, *version)).transpose()?.flatten() {
                        Some(past) => past,
                        None => self.present(reader, row, &mut values)?,
                    }
                }
                Hit::Provenance(row) => self.rendered(reader, query, row)?,
            };
            let mut sorted = Vec::new();
            let id = hit.id();
            for key in self.sort {
                key.place(&id, looked.last_updated, &looked.values, &mut sorted);
            }
            // Whoever states an order has it: what we made goes no longer first.
            placed.push((Place { sorted, key: PageKey { rank: 0, ..hit.key() } }, hit));
        }
        Ok(placed)
    }

    fn present(
        &self,
        reader: &Reader<'_>,
        row: &RowRef,
        values: &mut BTreeMap<Owner, Values>,
    ) -> Result<Looked, ApiError> {
        if let Entry::Vacant(unknown) = values.entry(row.owner)
            && !self.params.is_empty()
        {
            unknown.insert(reader.values(row.owner, row.resource_type, &self.params)?);
        }
        let own = values.get(&row.owner).map_or(&[][..], |values| values.of(row.row().id));
        Ok(Looked { last_updated: row.row().last_updated, values: own.to_vec() })
    }

    /// Our Provenances have no stored values.
    fn rendered(
        &self,
        reader: &mut Reader<'_>,
        query: &Query,
        row: &RowRef,
    ) -> Result<Looked, ApiError> {
        let last_updated = row.row().last_updated;
        if self.params.is_empty() {
            return Ok(Looked { last_updated, values: Vec::new() });
        }
        let body = provenance::body(reader, row)?.and_then(|b| serde_json::from_slice(&b).ok());
        let extract = |body| reader.gateway.search_table().extract(query.resource_type, &body);
        Ok(Looked { last_updated, values: body.map(extract).unwrap_or_default() })
    }

    /// The rows of an owner's table that were updated since the search began, each with the
    /// version it had then.
    fn versions_before(
        &self,
        reader: &Reader<'_>,
        row: &RowRef,
    ) -> Result<BTreeMap<DerivedId, u32>, ApiError> {
        let changes = reader.store().history(reader.access, row.owner, self.began, CHANGES_MAX)?;
        let mut before = BTreeMap::new();
        for change in changes.iter().filter(|change| change.resource_type == row.resource_type) {
            let then = if change.kind == ChangeKind::Updated { change.version - 1 } else { 0 };
            before.entry(change.id).or_insert(then);
        }
        before.retain(|_, version| *version > 0);
        Ok(before)
    }
}

/// A row as it was in an earlier version.
fn past(reader: &Reader<'_>, row: &RowRef, version: u32) -> Result<Option<Looked>, ApiError> {
    let (store, id) = (reader.store(), row.row().id);
    let head = store.view(reader.access, row.owner)?;
    let homes = head.map(|head| head.homes).unwrap_or_default();
    let body = store.past_body(reader.access, row.resource_type, id, version, &homes)?;
    let body: Option<serde_json::Value> = body.and_then(|body| serde_json::from_slice(&body).ok());
    Ok(body.map(|body| looked(reader.gateway.search_table(), row, &body)))
}

fn looked(table: &SearchTable, row: &RowRef, body: &serde_json::Value) -> Looked {
    let stamped = body.pointer("/meta/lastUpdated").and_then(serde_json::Value::as_str);
    let last_updated = stamped.and_then(|text| text.parse().ok());
    let last_updated =
        last_updated.or_else(|| stamped.and_then(parse_moment).map(|moment| moment.from));
    Looked {
        last_updated: last_updated.unwrap_or(row.row().last_updated),
        values: table.extract(row.resource_type, body),
    }
}

impl Place {
    fn encode(&self, began: u64) -> Vec<u8> {
        let mut bytes = began.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.key.encode());
        bytes.extend_from_slice(&self.sorted);
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<(u64, Self)> {
        let (began, rest) = bytes.split_first_chunk()?;
        let (key, sorted) = rest.split_at_checked(PageKey::LEN)?;
        let key = PageKey::decode(key)?;
        Some((u64::from_be_bytes(*began), Self { sorted: sorted.to_vec(), key }))
    }
}
