//! Stewards' decisions with their history, the review queue, and pairs by their id.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::commit::Commit;
use super::keys::{self, Key};
use super::{SledStore, accept, pair_notes};
use crate::flow::{Access, Decision, Home, IdKey, PastDecision, Undo};
use crate::store::{KnownPair, Result, ReviewPair, ReviewPlace, StoreError, codec};

/// A pair as it is stored under its id.
#[derive(Serialize, Deserialize)]
struct PairValue {
    a: Home,
    b: Home,
    queued: Option<Timestamp>,
}

/// Stages decisions; an earlier one about a pair stays in the history only.
pub(super) fn decide(commit: &mut Commit<'_>, ids: &IdKey, decisions: &[Decision]) -> Result<()> {
    for (decision, nth) in decisions.iter().zip(0..) {
        let Decision { a, b, .. } = decision;
        for key in decision_keys(a, b) {
            commit.put(key, decision)?;
        }
        let past = PastDecision { decision: decision.clone(), undone: None };
        let key = history(a, b).number(commit.seq).small(nth);
        commit.put(key, &past)?;
        remember_pair(commit, ids, (a, b), None)?;
        pair_notes::partners(commit, a, b)?;
        pair_notes::settled(commit, a, b);
    }
    accept::mark_dirty(commit, decisions.iter().flat_map(|d| [&d.a, &d.b]))
}

/// Stages the name of a pair that was queued before pairs had names.
pub(super) fn name_queued(commit: &mut Commit<'_>, ids: &IdKey, stored: &[u8]) -> Result<()> {
    let pair: ReviewPair = codec::decode("review pair", stored)?;
    remember_pair(commit, ids, (&pair.a, &pair.b), None)
}

/// Stages the history of a decision that was made before there was one.
pub(super) fn begin_history(commit: &mut Commit<'_>, ids: &IdKey, stored: &[u8]) -> Result<()> {
    let decision: Decision = codec::decode("decision", stored)?;
    remember_pair(commit, ids, (&decision.a, &decision.b), None)?;
    // Both keys of a decision lead here; the place is the same.
    let key = history(&decision.a, &decision.b).number(0).small(0);
    commit.put(key, &PastDecision { decision, undone: None })
}

/// Stages that the homes of a past decision have a history with each other.
pub(super) fn name_partners(commit: &mut Commit<'_>, stored: &[u8]) -> Result<()> {
    let past: PastDecision = codec::decode("past decision", stored)?;
    pair_notes::partners(commit, &past.decision.a, &past.decision.b)
}

/// Stages the undoing of standing decisions; returns how many there were.
pub(super) fn undo(commit: &mut Commit<'_>, pairs: &[(Home, Home)], undo: &Undo) -> Result<usize> {
    let mut undone = 0;
    for (a, b) in pairs {
        if !commit.has(&decision_keys(a, b)[0])? {
            continue;
        }
        undone += 1;
        let mut standing = Vec::new();
        for key in commit.keys_under(history(a, b))? {
            let past: Option<PastDecision> = commit.get("past decision", &key)?;
            standing.extend(past.filter(|p| p.undone.is_none()).map(|past| (key, past)));
        }
        if let Some((key, past)) = standing.pop() {
            commit.put(key, &PastDecision { undone: Some(undo.clone()), ..past })?;
        }
        let before = standing.pop().map(|(_, past)| past.decision);
        for key in decision_keys(a, b) {
            match &before {
                Some(decision) => commit.put(key, decision)?,
                None => commit.remove(key),
            }
        }
        accept::mark_dirty(commit, [a, b].into_iter())?;
    }
    Ok(undone)
}

/// Stages the review pairs of some homes in place of those they had.
pub(super) fn write_reviews(
    commit: &mut Commit<'_>,
    ids: &IdKey,
    (of, pairs): (&[Home], &[ReviewPair]),
    at: Timestamp,
) -> Result<()> {
    let mut change = 0;
    for home in of {
        for key in commit.keys_under(Key::new(keys::REVIEW_PLACE).hash(keys::home_hash(home)))? {
            change -= drop_review(commit, &key)?;
        }
    }
    for pair in pairs {
        let [a, b] = [keys::home_hash(&pair.a), keys::home_hash(&pair.b)];
        let there = Key::new(keys::REVIEW_PLACE).hash(a).hash(b);
        let back = Key::new(keys::REVIEW_PLACE).hash(b).hash(a);
        change -= drop_review(commit, there.as_ref())?;
        commit.put(there, &pair.weight_bits)?;
        commit.put(back, &pair.weight_bits)?;
        commit.put(queue_key(pair.weight_bits).hash(a).hash(b), pair)?;
        change += 1;
        remember_pair(commit, ids, (&pair.a, &pair.b), Some(at))?;
    }
    if change != 0 {
        let count: i64 = commit.get("review count", keys::REVIEW_COUNT)?.unwrap_or(0);
        commit.put(keys::REVIEW_COUNT, &(count + change))?;
    }
    Ok(())
}

/// Takes a pair out of the queue, given either of its places; returns how many it took: 0 or 1.
fn drop_review(commit: &mut Commit<'_>, place: &[u8]) -> Result<i64> {
    let Some(weight) = commit.get::<f64>("review pair", place)? else { return Ok(0) };
    let (Some(from), Some(to)) = (keys::id_at(place, 1), keys::id_at(place, 17)) else {
        return Err(StoreError::Damaged { what: "review pair" });
    };
    for (a, b) in [(from, to), (to, from)] {
        commit.remove(Key::new(keys::REVIEW_PLACE).id(a).id(b));
        commit.remove(queue_key(weight).id(a).id(b));
    }
    Ok(1)
}

/// Stages that a pair answers to its id from now on. The time it was first queued stays.
pub(super) fn remember_pair(
    commit: &mut Commit<'_>,
    ids: &IdKey,
    (a, b): (&Home, &Home),
    queued: Option<Timestamp>,
) -> Result<()> {
    let key = Key::new(keys::PAIR).raw(ids.pair(a, b).to_string().as_bytes());
    let known: Option<PairValue> = commit.get("pair", &key)?;
    let is_known = known.as_ref().is_some_and(|k| k.queued.is_some() || queued.is_none());
    if is_known {
        return Ok(());
    }
    let (a, b) = if a <= b { (a, b) } else { (b, a) };
    commit.put(key, &PairValue { a: a.clone(), b: b.clone(), queued })
}

/// Both keys of a decision: it is found from either home.
fn decision_keys(a: &Home, b: &Home) -> [Key; 2] {
    let key =
        |from, to| Key::new(keys::DECISION).hash(keys::home_hash(from)).hash(keys::home_hash(to));
    [key(a, b), key(b, a)]
}

/// Begins the keys of a pair's history, whichever home comes first.
fn history(a: &Home, b: &Home) -> Key {
    let [a, b] = [keys::home_hash(a), keys::home_hash(b)];
    Key::new(keys::PAST_DECISION).hash(a.min(b)).hash(a.max(b))
}

/// Begins the key of a pair in the queue, so that the heaviest comes first.
fn queue_key(weight_bits: f64) -> Key {
    let bits = weight_bits.to_bits();
    let rising = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
    Key::new(keys::REVIEW).number(!rising)
}

impl SledStore {
    pub(super) fn read_decisions(&self, access: &Access, home: &Home) -> Result<Vec<Decision>> {
        let sees = |decision: &Decision| {
            access.sees(decision.a.endpoint()) && access.sees(decision.b.endpoint())
        };
        self.walk(&Key::new(keys::DECISION).hash(keys::home_hash(home)), None)
            .map(|item| codec::decode("decision", &item?.1))
            .filter(|item| item.as_ref().map_or(true, sees))
            .collect()
    }

    pub(super) fn read_past_decisions(
        &self,
        access: &Access,
        a: &Home,
        b: &Home,
    ) -> Result<Vec<PastDecision>> {
        if !access.sees(a.endpoint()) || !access.sees(b.endpoint()) {
            return Ok(Vec::new());
        }
        let history = history(a, b);
        self.walk(&history, None).map(|item| codec::decode("past decision", &item?.1)).collect()
    }

    pub(super) fn read_reviews(
        &self,
        access: &Access,
        after: Option<&ReviewPlace>,
        limit: usize,
    ) -> Result<Vec<ReviewPair>> {
        let sees =
            |pair: &ReviewPair| access.sees(pair.a.endpoint()) && access.sees(pair.b.endpoint());
        let after = after.map(|ReviewPlace { weight_bits, a, b }| {
            queue_key(*weight_bits).hash(keys::home_hash(a)).hash(keys::home_hash(b))
        });
        self.walk(&Key::new(keys::REVIEW), after.as_ref())
            .map(|item| codec::decode("review pair", &item?.1))
            .filter(|item| item.as_ref().map_or(true, sees))
            .take(limit)
            .collect()
    }

    pub(super) fn read_known_pairs(
        &self,
        access: &Access,
        beginning: &str,
        limit: usize,
    ) -> Result<Vec<KnownPair>> {
        let sees =
            |pair: &PairValue| access.sees(pair.a.endpoint()) && access.sees(pair.b.endpoint());
        self.walk(&Key::new(keys::PAIR).raw(beginning.as_bytes()), None)
            .map(|item| codec::decode("pair", &item?.1))
            .filter(|item: &Result<PairValue>| item.as_ref().map_or(true, sees))
            .map(|item| item.map(|PairValue { a, b, queued }| KnownPair { a, b, queued }))
            .take(limit)
            .collect()
    }
}
