//! Reads of identity: dirty marks, links, blocks, referrers.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::keys::{self, Key};
use super::links::{self, BlockValue, LinkValue};
use super::{SledStore, settle};
use crate::flow::{Access, BlockingKey, DerivedId, DisclosureClass, Home, Owner};
use crate::store::{Block, Dirty, Result, StoreError, StoredLink, codec};

impl SledStore {
    pub(super) fn read_dirty(&self, access: &Access, limit: usize) -> Result<Vec<Dirty>> {
        self.walk(&Key::new(keys::DIRTY), None)
            .map(|item| codec::decode::<(Home, u64)>("dirty mark", &item?.1))
            .filter(|item| item.as_ref().map_or(true, |(home, _)| access.sees(home.endpoint())))
            .map(|item| item.map(|(home, seq)| Dirty { home, seq }))
            .take(limit)
            .collect()
    }

    pub(super) fn read_link(&self, access: &Access, home: &Home) -> Result<Option<StoredLink>> {
        if !access.sees(home.endpoint()) {
            return Ok(None);
        }
        let link: Option<LinkValue> = self.get("link", links::link_key(home))?;
        let mut link: Option<StoredLink> = link.map(Into::into);
        if let Some(link) = &mut link {
            link.edges.retain(|edge| access.sees(edge.other.endpoint()));
        }
        Ok(link)
    }

    pub(super) fn read_owner(&self, access: &Access, home: &Home) -> Result<Option<Owner>> {
        if !access.sees(home.endpoint()) {
            return Ok(None);
        }
        let owner: Option<Option<Owner>> = self.get("owner", links::owner_key(home))?;
        Ok(owner.flatten())
    }

    pub(super) fn read_candidates(
        &self,
        access: &Access,
        keys: &[BlockingKey],
        limit: usize,
    ) -> Result<Vec<Block>> {
        let _steady = self.steady();
        keys.iter().map(|&key| self.block(access, key, limit)).collect()
    }

    fn block(&self, access: &Access, key: BlockingKey, limit: usize) -> Result<Block> {
        let value: Option<BlockValue> = self.get("block", Key::new(keys::BLOCK).block(key))?;
        let BlockValue { generation, total } = value.unwrap_or_default();
        let homes: Vec<Home> = self
            .walk(&Key::new(keys::BLOCK_MEMBER).block(key), None)
            .map(|item| codec::decode("block", &item?.1))
            .filter(|home: &Result<Home>| {
                home.as_ref().map_or(true, |home| access.sees(home.endpoint()))
            })
            .take(limit)
            .collect::<Result<_>>()?;
        let total = match access.class {
            DisclosureClass::Full => usize::try_from(total).unwrap_or(usize::MAX),
            // Homes that may not be seen are not counted either.
            DisclosureClass::Endpoints(_) => homes.len(),
        };
        Ok(Block { key, generation, homes, total })
    }

    pub(super) fn read_referrers(
        &self,
        access: &Access,
        directory: DerivedId,
    ) -> Result<Vec<Home>> {
        let _steady = self.steady();
        let prefix = Key::of_class(keys::REFERRER, &access.class).id(directory);
        let at = prefix.as_ref().len();
        let mut homes = BTreeSet::new();
        for item in self.walk(&prefix, None) {
            let owner = keys::owner_at(&item?.0, at);
            let owner = owner.ok_or(StoreError::Damaged { what: "referrer" })?;
            if let Some(head) = self.head(access, owner)? {
                homes.extend(head.homes);
            }
        }
        Ok(homes.into_iter().collect())
    }

    pub(super) fn read_due(&self, access: &Access, day: Date, limit: usize) -> Result<Vec<Owner>> {
        let prefix = Key::of_class(keys::DUE, &access.class);
        let end = prefix.clone().day(day);
        let at = end.as_ref().len();
        let mut owners = Vec::new();
        for item in self.walk(&prefix, None).take(limit) {
            let (key, _) = item?;
            if key.get(..at) > Some(end.as_ref()) {
                break;
            }
            let owner = keys::owner_at(&key, at);
            owners.push(owner.ok_or(StoreError::Damaged { what: "due day" })?);
        }
        Ok(owners)
    }

    pub(super) fn head(
        &self,
        access: &Access,
        owner: Owner,
    ) -> Result<Option<crate::store::ViewHead>> {
        let key = Key::of_class(keys::VIEW, &access.class).owner(owner);
        let head: Option<settle::HeadValue> = self.get("view head", key)?;
        Ok(head.map(|head| head.into_head(owner)))
    }
}
