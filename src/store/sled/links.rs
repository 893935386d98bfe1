//! Identity: links and blocks.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::commit::Commit;
use super::keys::{self, Key};
use crate::flow::{BlockingKey, Demographics, Edge, Home, Owner};
use crate::store::{LinkWrite, Result, StoreError, StoredLink};

/// A link as it is stored.
#[derive(Serialize, Deserialize)]
pub(super) struct LinkValue {
    pub(super) owner: Option<Owner>,
    pub(super) edges: Vec<Edge>,
    pub(super) blocking: Vec<BlockingKey>,
    pub(super) demographics: Demographics,
}

/// A block without its homes. It stays when its last home goes: a generation never comes back.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct BlockValue {
    pub(super) generation: u64,
    pub(super) total: u64,
}

impl From<LinkValue> for StoredLink {
    fn from(value: LinkValue) -> Self {
        let LinkValue { owner, edges, blocking, demographics } = value;
        Self { owner, edges, blocking, demographics }
    }
}

/// The key of a home's link.
pub(super) fn link_key(home: &Home) -> Key {
    Key::new(keys::LINK).hash(keys::home_hash(home))
}

/// The key of the owner in a home's link: most reads want nothing else of it.
pub(super) fn owner_key(home: &Home) -> Key {
    Key::new(keys::OWNER).hash(keys::home_hash(home))
}

/// Fails with `Conflict` when a block has changed since it was read.
pub(super) fn check_generations(
    commit: &Commit<'_>,
    expected: &[(BlockingKey, u64)],
) -> Result<()> {
    for &(key, generation) in expected {
        let block = block(commit, key)?;
        if block.generation != generation {
            return Err(StoreError::Conflict);
        }
    }
    Ok(())
}

/// Stages links, and the blocks by the difference.
pub(super) fn write_links(commit: &mut Commit<'_>, links: Vec<LinkWrite>) -> Result<()> {
    let mut changes: BTreeMap<BlockingKey, i64> = BTreeMap::new();
    for link in links {
        let key = link_key(&link.home);
        let before: Option<LinkValue> = commit.get("link", &key)?;
        let before: BTreeSet<BlockingKey> =
            before.map(|value| value.blocking.into_iter().collect()).unwrap_or_default();
        let after: BTreeSet<BlockingKey> = link.blocking.iter().copied().collect();
        for &left in before.difference(&after) {
            commit.remove(member_key(left, &link.home));
            *changes.entry(left).or_default() -= 1;
        }
        for &entered in after.difference(&before) {
            commit.put(member_key(entered, &link.home), &link.home)?;
            *changes.entry(entered).or_default() += 1;
        }
        let LinkWrite { owner, edges, blocking, demographics, home } = link;
        commit.put(owner_key(&home), &owner)?;
        commit.put(&key, &LinkValue { owner, edges, blocking, demographics })?;
    }
    for (key, by) in changes {
        let mut block = block(commit, key)?;
        block.generation += 1;
        block.total = block.total.saturating_add_signed(by);
        commit.put(Key::new(keys::BLOCK).block(key), &block)?;
    }
    Ok(())
}

fn block(commit: &Commit<'_>, key: BlockingKey) -> Result<BlockValue> {
    Ok(commit.get("block", Key::new(keys::BLOCK).block(key))?.unwrap_or_default())
}

fn member_key(key: BlockingKey, home: &Home) -> Key {
    Key::new(keys::BLOCK_MEMBER).block(key).home(home)
}
