//! Linking and deduplicating tables of people: read, block, compare, cluster, on all cores.
//!
//! The same levels, weights, vetoes and clusters as the gateway's own, without a store: for
//! learning a model, for evaluation and for onboarding.

mod blocks;
mod learn;
mod persons;
mod quality;
mod records;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::flow::{Comparison, MatchGrade};
use crate::identity::{Assessment, Glance, Model, Outline, Relation, assess};

use blocks::Blocks;
pub use blocks::Overfull;
pub use learn::learn;
pub use persons::persons;
pub use quality::{Quality, Share, Truth};
pub use records::{Records, TableError, TableOptions};

/// Blocks that a thread takes at once.
const BLOCKS_AT_ONCE: usize = 512;

/// A pair worth keeping: it may be one person, or must not be.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Pair {
    /// Position of one record, the smaller.
    pub a: u32,
    /// Position of the other.
    pub b: u32,
    /// Match weight in bits.
    pub weight_bits: f64,
    /// The grade.
    pub grade: MatchGrade,
    /// The two can never be one person.
    pub is_contradiction: bool,
}

/// The pairs of a table, and how they were found.
#[derive(Debug, Default)]
pub struct Pairs {
    /// Sorted by position.
    pub list: Vec<Pair>,
    /// Pairs that were compared in full; others were seen at a glance to be two people.
    pub compared: u64,
    /// Blocks that stayed beyond their cap.
    pub overfull: Overfull,
}

/// Finds and compares the pairs that blocking proposes.
pub fn pairs(records: &Records, model: &Model) -> Pairs {
    let blocks = Blocks::of(records, model);
    let glance = Glance::of(model);
    let outlines = outlines(records, &glance);
    let worth = |a: u32, b: u32| glance.may_match(&outlines[a as usize], &outlines[b as usize]);
    let take = |into: &mut Pairs, (a, b): (u32, u32), found: Assessment| {
        into.compared += 1;
        let is_contradiction = found.is_contradiction();
        let counts =
            found.grade > MatchGrade::CertainlyNot || is_contradiction && found.weight_bits > 0.0;
        if counts {
            let (weight_bits, grade) = (found.weight_bits, found.grade);
            into.list.push(Pair { a, b, weight_bits, grade, is_contradiction });
        }
    };
    let parts = for_each_pair(records, model, &blocks, worth, Pairs::default, take);
    let mut all = Pairs { overfull: blocks.overfull, ..Pairs::default() };
    for part in parts {
        all.compared += part.compared;
        all.list.extend(part.list);
    }
    all.list.sort_unstable_by_key(|pair| (pair.a, pair.b));
    all
}

/// Compares two records of a table by their ids, with words.
///
/// # Errors
/// Names the id that is not there.
pub fn explain(records: &Records, ids: [&str; 2], model: &Model) -> Result<Comparison, String> {
    let mut at = [0u32; 2];
    for (slot, id) in at.iter_mut().zip(ids) {
        let found = records.ids.iter().position(|known| **known == *id);
        *slot = found.and_then(|n| u32::try_from(n).ok()).ok_or_else(|| id.to_owned())?;
    }
    Ok(compare(records, (at[0], at[1]), model).comparison(model))
}

/// Compares two records of a table.
fn compare(records: &Records, (a, b): (u32, u32), model: &Model) -> Assessment {
    let of = |n: u32| &records.people[n as usize];
    // Record numbers are compared within one source only, where two records have two.
    let relation = Relation { same_endpoint: true, kept_apart: false };
    assess(of(a), of(b), relation, model)
}

/// The outlines of all records, made on all cores.
fn outlines(records: &Records, glance: &Glance<'_>) -> Vec<Outline> {
    let chunk = records.len().div_ceil(threads()).max(1);
    let mut outlines = vec![Outline::default(); records.len()];
    thread::scope(|scope| {
        for (slots, people) in outlines.chunks_mut(chunk).zip(records.people.chunks(chunk)) {
            scope.spawn(move || {
                for (slot, person) in slots.iter_mut().zip(people) {
                    *slot = glance.outline(person);
                }
            });
        }
    });
    outlines
}

/// Calls for every proposed pair that is worth it once, on all cores.
fn for_each_pair<T: Send>(
    records: &Records,
    model: &Model,
    blocks: &Blocks,
    worth: impl Fn(u32, u32) -> bool + Sync,
    start: impl Fn() -> T + Sync,
    take: impl Fn(&mut T, (u32, u32), Assessment) + Sync,
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    on_all_cores(|| {
        let mut into = start();
        loop {
            let from = next.fetch_add(BLOCKS_AT_ONCE, Ordering::Relaxed);
            if from >= blocks.len() {
                return into;
            }
            for block in from..(from + BLOCKS_AT_ONCE).min(blocks.len()) {
                let members = blocks.members(block);
                for (n, &a) in members.iter().enumerate() {
                    for &b in &members[n + 1..] {
                        let compared = records.may_match(a, b) && worth(a, b);
                        if compared && blocks.is_first(block, a, b) {
                            take(&mut into, (a, b), compare(records, (a, b), model));
                        }
                    }
                }
            }
        }
    })
}

fn threads() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Runs the same work on every core.
fn on_all_cores<T: Send>(work: impl Fn() -> T + Sync) -> Vec<T> {
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads()).map(|_| scope.spawn(&work)).collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}
