//! Learning a model from the records of a table.

use super::blocks::Blocks;
use super::{Records, compare, for_each_pair, on_all_cores, threads};
use crate::identity::{Assessment, Model, Observations, Trained, train};

/// Random pairs for u: enough to see a level that one in 100,000 pairs reaches.
const RANDOM_PAIRS: u64 = 500_000;
/// From about how many records pairs are drawn.
const RECORDS_MAX: usize = 150_000;

/// Learns a model, beginning with `base`. The same records, seed and base give the same model.
///
/// # Errors
/// When there are too few records.
pub fn learn(records: &Records, base: &Model, seed: u64) -> Result<Trained, String> {
    let mut seen = Observations::default();
    seen.records = records.len() as u64;
    seen.seed = seed;
    seen.data_fingerprint = records.fingerprint();
    for person in &records.people {
        if let Some(name) = person.names.first() {
            seen.name(name.given.first().map_or("", |g| g), &name.family);
        }
    }
    let sample = records.sample(RECORDS_MAX, |n| mixed(seed ^ mixed(n)));
    let from = sample.as_ref().unwrap_or(records);
    seen.pairs_in_all = from.pairs_in_all();
    random(from, base, seed, &mut seen);
    let blocks = Blocks::of(from, base);
    // Every pair, also of two people: what they look like is learned too.
    let take = |into: &mut Observations, (a, b): (u32, u32), found: Assessment| {
        into.proposed(&found, blocks.passes(a, b));
    };
    let parts = for_each_pair(from, base, &blocks, |_, _| true, Observations::default, take);
    parts.into_iter().for_each(|part| seen.add(part));
    train(base, &seen)
}

/// Random pairs, none of a record with itself; few of them are matches, and training weighs
/// these down.
fn random(records: &Records, base: &Model, seed: u64, seen: &mut Observations) {
    let n = records.len() as u64;
    if n < 2 {
        return;
    }
    let wanted = RANDOM_PAIRS.min(n * (n - 1) / 2);
    let workers = threads() as u64;
    let next = std::sync::atomic::AtomicU64::new(0);
    let parts = on_all_cores(|| {
        let worker = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mut into = Observations::default();
        for draw in (worker..wanted).step_by(workers as usize) {
            let one = mixed(seed.wrapping_add(draw * 2)) % n;
            let other = mixed(seed.wrapping_add(draw * 2 + 1)) % n;
            let (a, b) = (one.min(other) as u32, one.max(other) as u32);
            if a != b && records.may_match(a, b) {
                into.random(&compare(records, (a, b), base));
            }
        }
        into
    });
    parts.into_iter().for_each(|part| seen.add(part));
}

/// SplitMix64: <https://doi.org/10.1145/2714064.2660195>
fn mixed(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
