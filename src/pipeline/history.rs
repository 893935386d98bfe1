//! Views as they were at a time, read from the versions that the store keeps.
//!
//! Nothing is woven again: what was shown then is what a reader wants to know, also where today's
//! rules would weave it otherwise.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;

use crate::fhir::ResourceType;
use crate::flow::{Access, DerivedId, Home, Owner};
use crate::store::{Change, ChangeKind, StoreError};

use super::gateway::Gateway;

/// How many changes are read at a time.
const PAGE: usize = 10_000;

/// A view as it was.
#[derive(Clone, Debug, Default)]
pub struct PastView {
    /// What it held, by type and id.
    pub rows: Vec<PastRow>,
    /// Resources that it held and that are not given, since they were woven also from records
    /// that are not this person's any more.
    pub closed: usize,
}

/// One resource of a view as it was.
#[derive(Clone, Debug)]
pub struct PastRow {
    /// Its type.
    pub resource_type: ResourceType,
    /// Its id.
    pub id: DerivedId,
    /// Its version then.
    pub version: u32,
    /// Its body, stamped.
    pub body: Bytes,
}

impl Gateway {
    /// The changes of the view that this id stands for, oldest first: those made under the id
    /// itself, where it was a person's own before it became another's alias, then those of
    /// `present`, its owner today.
    ///
    /// # Errors
    /// When the store fails.
    pub fn view_history(
        &self,
        access: &Access,
        id: DerivedId,
        present: Owner,
    ) -> Result<Vec<Change>, StoreError> {
        let mut changes = self.changes_of(access, present)?;
        let own = Owner::Person(id);
        if own != present {
            changes.extend(self.changes_of(access, own)?);
            changes.sort_by_key(|change| change.seq);
        }
        Ok(changes)
    }

    /// The changes of one resource in these owners' views, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub fn resource_history(
        &self,
        access: &Access,
        (resource_type, id): (ResourceType, DerivedId),
        owners: &[Owner],
    ) -> Result<Vec<Change>, StoreError> {
        let mut changes = Vec::new();
        for owner in owners {
            let of_owner = self.changes_of(access, *owner)?;
            let is_of_it = |c: &Change| c.resource_type == resource_type && c.id == id;
            changes.extend(of_owner.into_iter().filter(is_of_it));
        }
        changes.sort_by_key(|change| change.seq);
        Ok(changes)
    }

    /// The view that this id stood for at a time. Only what is wholly of the records that are
    /// `present`'s today is given: a person who was unlinked since keeps nothing of the other.
    /// `None` if there was nothing yet.
    ///
    /// # Errors
    /// When the store fails.
    pub fn view_as_of(
        &self,
        access: &Access,
        id: DerivedId,
        present: Owner,
        at: Timestamp,
    ) -> Result<Option<PastView>, StoreError> {
        let mut held = held_at(&self.changes_of(access, Owner::Person(id))?, at);
        if held.is_empty() && Owner::Person(id) != present {
            held = held_at(&self.changes_of(access, present)?, at);
        }
        if held.is_empty() {
            return Ok(None);
        }
        let homes = self.view_homes(access, present)?;
        let mut past = PastView::default();
        for ((resource_type, id), version) in held {
            match self.version_of(access, present, &homes, (resource_type, id, version))? {
                Some(body) => past.rows.push(PastRow { resource_type, id, version, body }),
                None => past.closed += 1,
            }
        }
        Ok(Some(past))
    }

    /// One version of a resource, the present one or an earlier one, if all that it was woven
    /// from is `owner`'s today.
    ///
    /// # Errors
    /// When the store fails.
    pub fn version_of(
        &self,
        access: &Access,
        owner: Owner,
        homes: &[Home],
        (resource_type, id, version): (ResourceType, DerivedId, u32),
    ) -> Result<Option<Bytes>, StoreError> {
        if let Some(listing) = self.store().listing(access, owner, resource_type)?
            && let Some(at) = listing.find_named(id)
        {
            let row = listing.row(at)?;
            if row.id == id && row.version == version {
                let mut bodies = self.store().bodies(access, owner, resource_type, &[id])?;
                return Ok(bodies.pop().flatten());
            }
        }
        self.store().past_body(access, resource_type, id, version, homes)
    }

    /// What an owner's view is woven from.
    ///
    /// # Errors
    /// When the store fails.
    pub fn view_homes(&self, access: &Access, owner: Owner) -> Result<Vec<Home>, StoreError> {
        Ok(self.store().view(access, owner)?.map(|head| head.homes).unwrap_or_default())
    }

    fn changes_of(&self, access: &Access, owner: Owner) -> Result<Vec<Change>, StoreError> {
        let mut changes: Vec<Change> = Vec::new();
        loop {
            let after = changes.last().map_or(0, |change| change.seq);
            let page = self.store().history(access, owner, after, PAGE)?;
            if page.is_empty() {
                return Ok(changes);
            }
            changes.extend(page);
        }
    }
}

/// The versions that a view held after the changes up to a time.
fn held_at(changes: &[Change], at: Timestamp) -> BTreeMap<(ResourceType, DerivedId), u32> {
    let mut held = BTreeMap::new();
    for change in changes.iter().filter(|change| change.at <= at) {
        let key = (change.resource_type, change.id);
        match change.kind {
            ChangeKind::Created | ChangeKind::Updated | ChangeKind::Arrived => {
                held.insert(key, change.version);
            }
            ChangeKind::Removed | ChangeKind::Left => {
                held.remove(&key);
            }
        }
    }
    held
}
