//! Reads of views: heads, tables, bodies, history, index, change log.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use ::sled::IVec;
use bytes::Bytes;

use super::SledStore;
use super::commit::engine;
use super::keys::{self, Key};
use super::pieces;
use super::tables::{BodyReader, Contents, Place, TableId};
use super::versions::{self, PastVersion};
use crate::fhir::ResourceType;
use crate::flow::{Access, DerivedId, Hash, Home, Owner, RecordDisposition, stamp_meta};
use crate::store::{Change, Result, StoreError, Table, ViewHead, codec};

/// Tables decoded before. An entry holds the bytes it was decoded from, so it is never stale.
#[derive(Default)]
pub(super) struct TableCache {
    tables: HashMap<Vec<u8>, (IVec, Decoded)>,
    bytes: usize,
}

#[derive(Clone)]
struct Decoded {
    table: Arc<Table>,
    places: Arc<[Place]>,
}

/// The cache is emptied when the stored bytes it stands for exceed this; decoded tables take
/// some ten times as much.
const CACHE_BYTES_MAX: usize = 4 << 20;

impl TableCache {
    fn add(&mut self, key: &[u8], stored: IVec, decoded: Decoded) {
        if self.bytes + stored.len() > CACHE_BYTES_MAX {
            self.tables.clear();
            self.bytes = 0;
        }
        self.bytes += stored.len();
        if let Some((old, _)) = self.tables.insert(key.to_vec(), (stored, decoded)) {
            self.bytes -= old.len();
        }
    }
}

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

    pub(super) fn read_table(
        &self,
        access: &Access,
        owner: Owner,
        resource_type: ResourceType,
    ) -> Result<Option<Arc<Table>>> {
        let table = TableId { class: access.class.clone(), owner, resource_type };
        Ok(self.contents(&table)?.map(|decoded| decoded.table))
    }

    fn contents(&self, table: &TableId) -> Result<Option<Decoded>> {
        let key = table.key();
        let Some(stored) = self.db.get(&key).map_err(engine("read a table"))? else {
            return Ok(None);
        };
        {
            let cache = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, decoded)) =
                cache.tables.get(key.as_ref()).filter(|(known, _)| *known == stored)
            {
                return Ok(Some(decoded.clone()));
            }
        }
        let joined = pieces::join(&self.db, &stored)?;
        let Some(whole) = joined.map_or_else(|| pieces::get(&self.db, &key), |v| Ok(Some(v)))?
        else {
            return Ok(None);
        };
        let Contents { rows, places } = Contents::decode(&whole)?;
        let decoded = Decoded { table: Arc::new(Table { rows }), places: places.into() };
        let mut cache = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        cache.add(key.as_ref(), stored, decoded.clone());
        Ok(Some(decoded))
    }

    /// A row that is not there any more means that the table was read before a settle: `Conflict`.
    pub(super) fn read_bodies(
        &self,
        access: &Access,
        owner: Owner,
        resource_type: ResourceType,
        rows: &[usize],
    ) -> Result<Vec<Bytes>> {
        let _steady = self.steady();
        let table = TableId { class: access.class.clone(), owner, resource_type };
        let Some(contents) = self.contents(&table)? else {
            return if rows.is_empty() { Ok(Vec::new()) } else { Err(StoreError::Conflict) };
        };
        let mut reader =
            BodyReader::new(|segment| pieces::get(&self.db, table.segment_key(segment)));
        let mut bodies = Vec::with_capacity(rows.len());
        for &at in rows {
            let row = contents.table.rows.get(at).ok_or(StoreError::Conflict)?;
            let place = contents.places.get(at).ok_or(StoreError::Conflict)?;
            let body = reader.body(*place)?;
            bodies.push(stamp_meta(body, row.version, row.last_updated).into());
        }
        Ok(bodies)
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
}
