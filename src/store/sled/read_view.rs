//! Reads of views: heads, tables, bodies, history, index, change log.

use ::sled::IVec;
use bytes::Bytes;

use super::SledStore;
use super::keys::{self, Key};
use super::pieces;
use super::tables::{self, BodyReader, Contents, TableId};
use super::versions::{self, PastVersion, history_key};
use crate::fhir::ResourceType;
use crate::flow::{Access, DerivedId, Hash, Home, Owner, RecordDisposition, stamp_meta};
use crate::store::{Change, Listing, Result, StoreError, Table, Values, ViewHead, codec};

impl SledStore {
    pub(super) fn read_owners(
        &self,
        access: &Access,
        after: Option<Owner>,
        limit: usize,
    ) -> Result<Vec<Owner>> {
        let prefix = Key::of_class(keys::VIEW, &access.class);
        let after = after.map(|owner| prefix.clone().owner(owner));
        let owner = |item: Result<(IVec, IVec)>| {
            let owner = keys::owner_at(&item?.0, keys::CLASS_LEN);
            owner.ok_or(StoreError::Damaged { what: "owner" })
        };
        self.walk(&prefix, after.as_ref()).map(owner).take(limit).collect()
    }

    pub(super) fn read_view(&self, access: &Access, owner: Owner) -> Result<Option<ViewHead>> {
        self.head(access, owner)
    }

    pub(super) fn read_listing(
        &self,
        access: &Access,
        owner: Owner,
        resource_type: ResourceType,
    ) -> Result<Option<Listing>> {
        self.listing_of(&TableId { class: access.class.clone(), owner, resource_type })
    }

    fn listing_of(&self, table: &TableId) -> Result<Option<Listing>> {
        self.value_of(table, keys::LISTING)?.map(tables::listing).transpose()
    }

    fn value_of(&self, table: &TableId, kind: u8) -> Result<Option<IVec>> {
        pieces::get(&self.db, table.key_of(kind))
    }

    pub(super) fn read_values(
        &self,
        access: &Access,
        owner: Owner,
        resource_type: ResourceType,
        params: &[u16],
    ) -> Result<Values> {
        let _steady = self.steady();
        let table = TableId { class: access.class.clone(), owner, resource_type };
        let Some(listing) = self.listing_of(&table)? else { return Ok(Values::default()) };
        tables::values(&listing, self.value_of(&table, keys::VALUES)?, Some(params))
    }

    pub(super) fn read_table(
        &self,
        access: &Access,
        owner: Owner,
        resource_type: ResourceType,
    ) -> Result<Option<Table>> {
        let _steady = self.steady();
        let table = TableId { class: access.class.clone(), owner, resource_type };
        let Contents { rows, places: _ } = Contents::read(|kind| self.value_of(&table, kind))?;
        Ok((!rows.is_empty()).then_some(Table { rows }))
    }

    pub(super) fn read_bodies(
        &self,
        access: &Access,
        owner: Owner,
        resource_type: ResourceType,
        ids: &[DerivedId],
    ) -> Result<Vec<Option<Bytes>>> {
        let _steady = self.steady();
        let table = TableId { class: access.class.clone(), owner, resource_type };
        let Some(listing) = self.listing_of(&table)? else { return Ok(vec![None; ids.len()]) };
        let mut reader =
            BodyReader::new(|segment| pieces::get(&self.db, table.segment_key(segment)));
        let body = |id: &DerivedId| {
            let Some(at) = listing.find(*id) else { return Ok(None) };
            let (row, place) = (listing.row(at)?, listing.place(at)?);
            let body = reader.body(place)?;
            Ok(Some(stamp_meta(body, row.version, row.last_updated).into()))
        };
        ids.iter().map(body).collect()
    }

    pub(super) fn read_past_body(
        &self,
        access: &Access,
        resource_type: ResourceType,
        id: DerivedId,
        version: u32,
        within: &[Home],
    ) -> Result<Option<Bytes>> {
        let key = versions::past_key(&access.class, resource_type, id, version);
        let past: Option<PastVersion> = self.get("past version", key)?;
        let past = past.filter(|past| past.homes.iter().all(|home| within.contains(home)));
        Ok(past.map(|past| stamp_meta(&past.body, version, past.last_updated).into()))
    }

    pub(super) fn read_dispositions(
        &self,
        access: &Access,
        owner: Owner,
    ) -> Result<Vec<RecordDisposition>> {
        let key = Key::of_class(keys::DISPOSITIONS, &access.class).owner(owner);
        Ok(self.get("dispositions", key)?.unwrap_or_default())
    }

    pub(super) fn read_by_index(
        &self,
        access: &Access,
        resource_type: ResourceType,
        key: Hash,
        limit: usize,
    ) -> Result<Vec<(Owner, DerivedId)>> {
        let prefix = Key::of_class(keys::INDEX, &access.class).resource_type(resource_type);
        let prefix = prefix.hash(key);
        let at = prefix.as_ref().len();
        let row = |item: Result<(IVec, IVec)>| {
            let key = item?.0;
            let row = keys::owner_at(&key, at).zip(keys::id_at(&key, at + keys::OWNER_LEN));
            row.ok_or(StoreError::Damaged { what: "index entry" })
        };
        self.walk(&prefix, None).map(row).take(limit).collect()
    }

    /// Whole commits, so that the last seq can be gone on from; at least one of them, and no
    /// further one once `limit` is reached.
    pub(super) fn read_history(
        &self,
        access: &Access,
        owner: Owner,
        after_seq: u64,
        limit: usize,
    ) -> Result<Vec<Change>> {
        let class = access.class.key();
        let prefix = history_key(class, owner);
        let after = prefix.clone().number(after_seq);
        let mut history = Vec::new();
        for item in self.walk(&prefix, Some(&after)) {
            let (key, _) = item?;
            let seq = key.last_chunk().map(|seq| u64::from_be_bytes(*seq));
            let at = Key::new(keys::CHANGES).hash(class).number(seq.unwrap_or_default());
            let commit: Option<Vec<Change>> = self.get("change log", at)?;
            history.extend(commit.into_iter().flatten().filter(|change| change.owner == owner));
            if history.len() >= limit {
                break;
            }
        }
        Ok(history)
    }

    pub(super) fn read_changes(
        &self,
        access: &Access,
        after_seq: u64,
        limit: usize,
    ) -> Result<Vec<Change>> {
        let prefix = Key::of_class(keys::CHANGES, &access.class);
        let after = prefix.clone().number(after_seq);
        let mut changes = Vec::new();
        for item in self.walk(&prefix, Some(&after)) {
            let commit: Vec<Change> = codec::decode("change log", &item?.1)?;
            changes.extend(commit);
            if changes.len() >= limit {
                break;
            }
        }
        Ok(changes)
    }

    /// Whole commits, the newest first; at least one, and no further one once `limit` is reached.
    pub(super) fn read_newest_changes(
        &self,
        access: &Access,
        before_seq: u64,
        limit: usize,
    ) -> Result<Vec<Change>> {
        let prefix = Key::of_class(keys::CHANGES, &access.class);
        let before = prefix.clone().number(before_seq);
        let mut changes = Vec::new();
        for item in self.walk_back(&prefix, &before) {
            let commit: Vec<Change> = codec::decode("change log", &item?.1)?;
            changes.extend(commit.into_iter().rev());
            if changes.len() >= limit {
                break;
            }
        }
        Ok(changes)
    }
}
