//! Identity: links, blocks, decisions and the review queue.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::commit::Commit;
use super::keys::{self, Key};
use crate::flow::{BlockingKey, Decision, Demographics, Edge, Home, Owner};
use crate::store::{LinkWrite, Result, ReviewPair, StoreError, StoredLink};

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
        let LinkWrite { owner, edges, blocking, demographics, home: _ } = link;
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

/// Both keys of a decision: it is found from either home.
fn decision_keys(a: &Home, b: &Home) -> [Key; 2] {
    let key =
        |from, to| Key::new(keys::DECISION).hash(keys::home_hash(from)).hash(keys::home_hash(to));
    [key(a, b), key(b, a)]
}

/// Stages a decision; an earlier one about the pair is replaced.
pub(super) fn decide(commit: &mut Commit<'_>, decision: &Decision) -> Result<()> {
    for key in decision_keys(&decision.a, &decision.b) {
        commit.put(key, decision)?;
    }
    Ok(())
}

/// Stages the removal of a decision; false if there is none.
pub(super) fn undo(commit: &mut Commit<'_>, a: &Home, b: &Home) -> Result<bool> {
    let pair = decision_keys(a, b);
    let known = commit.has(&pair[0])?;
    if known {
        pair.iter().for_each(|key| commit.remove(key));
    }
    Ok(known)
}

/// Stages the review pairs of some homes in place of those they had.
pub(super) fn write_reviews(
    commit: &mut Commit<'_>,
    of: &[Home],
    pairs: &[ReviewPair],
) -> Result<()> {
    for home in of {
        for key in commit.keys_under(Key::new(keys::REVIEW_PLACE).hash(keys::home_hash(home)))? {
            drop_review(commit, &key)?;
        }
    }
    for pair in pairs {
        let [a, b] = [keys::home_hash(&pair.a), keys::home_hash(&pair.b)];
        let there = Key::new(keys::REVIEW_PLACE).hash(a).hash(b);
        let back = Key::new(keys::REVIEW_PLACE).hash(b).hash(a);
        drop_review(commit, there.as_ref())?;
        commit.put(there, &pair.weight_bits)?;
        commit.put(back, &pair.weight_bits)?;
        commit.put(queue_key(pair.weight_bits).hash(a).hash(b), pair)?;
    }
    Ok(())
}

/// Takes a pair out of the queue, given either of its places.
fn drop_review(commit: &mut Commit<'_>, place: &[u8]) -> Result<()> {
    let Some(weight) = commit.get::<f64>("review pair", place)? else { return Ok(()) };
    let (Some(from), Some(to)) = (keys::id_at(place, 1), keys::id_at(place, 17)) else {
        return Err(StoreError::Damaged { what: "review pair" });
    };
    for (a, b) in [(from, to), (to, from)] {
        commit.remove(Key::new(keys::REVIEW_PLACE).id(a).id(b));
        commit.remove(queue_key(weight).id(a).id(b));
    }
    Ok(())
}

/// Begins the key of a pair in the queue, so that the heaviest comes first.
fn queue_key(weight_bits: f64) -> Key {
    let bits = weight_bits.to_bits();
    let rising = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
    Key::new(keys::REVIEW).number(!rising)
}
