//! Which views rest on a directory record, and what of it makes them dirty.
//!
//! A view is noted under every record and every identifier that was asked about while it was
//! woven. Three things change the answers: a record comes to be shown as another resource, an
//! entry leads elsewhere (its members, its identifiers, the practitioner and organization of a
//! role), and another record comes to stand under a key. Other content re-weaves nobody.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::fhir::ResourceType;
use crate::flow::{Access, DerivedId, Home, RecordKey};
use crate::store::{LinkWrite, Settle};

use super::gateway::{Gateway, GatewayError};
use super::outside::asked_for;
use super::weave::OwnerView;

/// The elements of a directory resource that look-ups follow.
const FOLLOWED: [&str; 3] = ["identifier", "practitioner", "organization"];

/// What look-ups see of an entry: who states it, and what they follow.
type Led = (BTreeSet<RecordKey>, Vec<Value>);

impl Gateway {
    /// What of a woven directory entry answers otherwise than before.
    pub(super) fn changed_answers(
        &self,
        woven: &OwnerView,
        homes: &[Home],
    ) -> Result<Vec<DerivedId>, GatewayError> {
        let records: Vec<(&Home, &RecordKey)> = homes
            .iter()
            .filter_map(|home| match home {
                Home::Directory(record) => Some((home, record)),
                Home::Chart(_) | Home::Shared(_) => None,
            })
            .collect();
        let Some((_, first)) = records.first() else { return Ok(Vec::new()) };
        let leads_elsewhere =
            self.led_before(woven, first.resource_type)? != led_now(woven, first.resource_type);
        let mut changed = Vec::new();
        for (home, record) in records {
            let before = self.store().owner(&Access::system(), home)?;
            if leads_elsewhere || before != Some(woven.view.owner) {
                changed.push(self.store().id_key().record(record));
            }
        }
        Ok(changed)
    }

    /// The keys under which a directory record stands now and did not before, or the reverse.
    pub(super) fn changed_keys(
        &self,
        links: &BTreeMap<Home, LinkWrite>,
    ) -> Result<Vec<DerivedId>, GatewayError> {
        let mut changed = Vec::new();
        for (home, link) in links.iter().filter(|(home, _)| matches!(home, Home::Directory(_))) {
            let before = self.store().link(&Access::system(), home)?;
            let before: BTreeSet<_> = before.into_iter().flat_map(|l| l.blocking).collect();
            let now: BTreeSet<_> = link.blocking.iter().copied().collect();
            changed.extend(before.symmetric_difference(&now).map(|key| asked_for(*key)));
        }
        Ok(changed)
    }

    /// Whoever asked about what has changed is dirty: views stored before, and views of this very
    /// settle, which were woven by the answers of before.
    pub(super) fn mark_referrers(
        &self,
        changed: &BTreeSet<DerivedId>,
        batch: &mut Settle,
    ) -> Result<(), GatewayError> {
        for id in changed {
            batch.dirty.extend(self.store().referrers(&Access::system(), *id)?);
        }
        for view in &batch.views {
            if view.directory_refs.iter().any(|id| changed.contains(id)) {
                batch.dirty.extend(view.homes.iter().cloned());
            }
        }
        Ok(())
    }

    fn led_before(&self, woven: &OwnerView, kind: ResourceType) -> Result<Led, GatewayError> {
        let table = woven.previous.tables.get(&kind);
        let Some(row) = table.and_then(|table| table.rows.first()) else {
            return Ok(Led::default());
        };
        let members = row.members.iter().map(|m| m.key.clone()).collect();
        let owner = woven.view.owner;
        let body = self.store().bodies(&Access::system(), owner, kind, &[row.id])?.pop();
        Ok((members, followed(&body.flatten().unwrap_or_default())))
    }
}

fn led_now(woven: &OwnerView, kind: ResourceType) -> Led {
    let row = woven.view.tables.get(&kind).and_then(|rows| rows.first());
    row.map_or_else(Led::default, |row| {
        (row.members.iter().map(|m| m.key.clone()).collect(), followed(&row.body))
    })
}

fn followed(body: &[u8]) -> Vec<Value> {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    FOLLOWED.into_iter().map(|name| body.get(name).cloned().unwrap_or_default()).collect()
}
