//! Reads of sources: records, homes, quarantine, cursors, counters.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLockReadGuard};

use ::sled::IVec;
use serde::de::DeserializeOwned;

use super::commit::engine;
use super::keys::{self, Key};
use super::settle::MadeValue;
use super::{SledStore, homes, pieces};
use crate::flow::{Access, DerivedId, Hash, Home, Quarantined, RecordHeader};
use crate::store::{
    Counters, Cursor, Dirty, HomeContent, Issued, RecordId, Result, StoredRecord, codec,
};

impl SledStore {
    /// The value under a key.
    pub(super) fn get<T: DeserializeOwned>(
        &self,
        what: &'static str,
        key: impl AsRef<[u8]>,
    ) -> Result<Option<T>> {
        let stored = pieces::get(&self.db, key)?;
        stored.map(|stored| codec::decode(what, &stored)).transpose()
    }

    /// Keys and values under a prefix, after a key.
    pub(super) fn walk(
        &self,
        prefix: &Key,
        after: Option<&Key>,
    ) -> impl Iterator<Item = Result<(IVec, IVec)>> + use<> {
        let prefix = prefix.as_ref().to_vec();
        let from = match after {
            Some(after) => Bound::Excluded(after.as_ref().to_vec()),
            None => Bound::Included(prefix.clone()),
        };
        let db = self.db.clone();
        self.db
            .range((from, Bound::Unbounded))
            .take_while(move |item| !matches!(item, Ok((key, _)) if !key.starts_with(&prefix)))
            .filter_map(move |item| whole(&db, item))
    }

    /// The same from a key down to the beginning of the prefix.
    pub(super) fn walk_back(
        &self,
        prefix: &Key,
        before: &Key,
    ) -> impl Iterator<Item = Result<(IVec, IVec)>> + use<> {
        let from = Bound::Included(prefix.as_ref().to_vec());
        let until = Bound::Excluded(before.as_ref().to_vec());
        let db = self.db.clone();
        self.db.range((from, until)).rev().filter_map(move |item| whole(&db, item))
    }

    /// Holds commits off while several keys are read.
    pub(super) fn steady(&self) -> RwLockReadGuard<'_, ()> {
        self.gate.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn read_headers(
        &self,
        access: &Access,
        ids: &[DerivedId],
    ) -> Result<Vec<Option<RecordHeader>>> {
        ids.iter().map(|&id| self.header(access, id)).collect()
    }

    fn header(&self, access: &Access, id: DerivedId) -> Result<Option<RecordHeader>> {
        let header: Option<RecordHeader> =
            self.get("record header", Key::new(keys::RECORD).id(id))?;
        header.iter().try_for_each(homes::check_header)?;
        Ok(header.filter(|header| access.sees(&header.key.endpoint)))
    }

    pub(super) fn read_home(&self, access: &Access, home: &Home) -> Result<HomeContent> {
        if !access.sees(home.endpoint()) {
            return Ok(HomeContent::default());
        }
        let _steady = self.steady();
        let mut content = homes::gather(self.batches(home))?;
        content.records.retain(|record| lives_in(record, home));
        Ok(content)
    }

    pub(super) fn read_record(
        &self,
        access: &Access,
        home: &Home,
        id: DerivedId,
    ) -> Result<Option<StoredRecord>> {
        if !access.sees(home.endpoint()) {
            return Ok(None);
        }
        let _steady = self.steady();
        let found = homes::find(self.batches(home), id)?;
        Ok(found.filter(|record| lives_in(record, home)))
    }

    fn batches(&self, home: &Home) -> impl Iterator<Item = Result<::sled::IVec>> {
        let prefix = Key::new(keys::HOME_BLOB).hash(keys::home_hash(home));
        self.walk(&prefix, None).map(|item| item.map(|(_, stored)| stored))
    }

    pub(super) fn read_homes(
        &self,
        access: &Access,
        after: Option<&Home>,
        limit: usize,
    ) -> Result<Vec<Home>> {
        let prefix = Key::new(keys::HOME);
        let after = after.map(|home| prefix.clone().home(home));
        self.walk(&prefix, after.as_ref())
            .map(|item| codec::decode("home", &item?.1))
            .filter(|home: &Result<Home>| {
                home.as_ref().map_or(true, |home| access.sees(home.endpoint()))
            })
            .take(limit)
            .collect()
    }

    pub(super) fn read_quarantine(
        &self,
        access: &Access,
        after: Option<Hash>,
        limit: usize,
    ) -> Result<Vec<Quarantined>> {
        let prefix = Key::new(keys::QUARANTINE);
        let place: Option<(u64, u32)> = match after {
            Some(hash) => self.get("quarantine", Key::new(keys::QUARANTINE_PLACE).hash(hash))?,
            None => None,
        };
        let after = place.map(|(seq, nth)| prefix.clone().number(seq).small(nth));
        self.walk(&prefix, after.as_ref())
            .map(|item| codec::decode("quarantined input", &item?.1))
            .filter(|item: &Result<Quarantined>| {
                item.as_ref().map_or(true, |input| access.sees(&input.endpoint))
            })
            .take(limit)
            .collect()
    }

    pub(super) fn read_dirty_mark(&self, access: &Access, home: &Home) -> Result<Option<Dirty>> {
        if !access.sees(home.endpoint()) {
            return Ok(None);
        }
        let _steady = self.steady();
        let hash = keys::home_hash(home);
        let place: Option<u64> = self.get("dirty mark", Key::new(keys::DIRTY_PLACE).hash(hash))?;
        let Some(place) = place else { return Ok(None) };
        let mark: Option<(Home, u64)> =
            self.get("dirty mark", Key::new(keys::DIRTY).number(place).hash(hash))?;
        Ok(mark.map(|(home, seq)| Dirty { home, seq }))
    }

    pub(super) fn read_cursors(
        &self,
        access: &Access,
        endpoint: &str,
    ) -> Result<BTreeMap<Arc<str>, Cursor>> {
        if !access.sees(endpoint) {
            return Ok(BTreeMap::new());
        }
        self.walk(&Key::new(keys::CURSOR).text(endpoint), None)
            .map(|item| codec::decode("cursor", &item?.1))
            .collect()
    }

    pub(super) fn read_counters(&self, access: &Access) -> Result<Counters> {
        let mut counters: Counters = self.get("counters", keys::COUNTERS)?.unwrap_or_default();
        counters.retain(|(endpoint, _), _| access.sees(endpoint));
        Ok(counters)
    }

    pub(super) fn read_issued(&self, access: &Access, id: DerivedId) -> Result<Option<Issued>> {
        if let Some(header) = self.header(access, id)? {
            let home = header.home().clone();
            return Ok(Some(Issued::Record(RecordId { key: header.key, home })));
        }
        let made: Option<MadeValue> = self.get("issued id", Key::new(keys::ISSUED).id(id))?;
        let made = made.filter(|made| access.sees(&made.chart.endpoint));
        Ok(made.map(|MadeValue { resource_type, chart }| Issued::Made { resource_type, chart }))
    }
}

/// A record all of whose versions have moved away has left its last header here.
fn lives_in(record: &StoredRecord, home: &Home) -> bool {
    record.header.versions().iter().any(|version| version.home == *home)
}

/// A key with its value, put together if it is in pieces.
fn whole(db: &::sled::Db, item: ::sled::Result<(IVec, IVec)>) -> Option<Result<(IVec, IVec)>> {
    let whole = item.map_err(engine("walk the store")).and_then(|(key, stored)| {
        let joined = pieces::join(db, &stored)?;
        // Replaced since it was walked over, or removed.
        let value = joined.map_or_else(|| pieces::get(db, &key), |v| Ok(Some(v)))?;
        Ok(value.map(|value| (key, value)))
    });
    whole.transpose()
}
