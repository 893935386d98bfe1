//! The second benchmark of clinical deduplication: real records of other people's data, split
//! over two to six endpoints with the changes real systems make, beside look-alikes. It shares
//! the measure with `dedup` and nothing of what is measured. It prints precision, recall and F1
//! over pairs, per type and per change.
//!
//! It runs where `../shared/data` is, or `CAREWEAVE_CORPUS` says; `CAREWEAVE_DEDUP_PERSONS`,
//! `_SEED` and `_SHOW` as in `dedup`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "test that tells what it saw")]

#[path = "corpus_pull/archive.rs"]
#[expect(dead_code, reason = "shared with corpus_pull")]
mod archive;
#[path = "corpus_dedup/changes.rs"]
mod changes;
#[path = "corpus_dedup/facts.rs"]
mod facts;
#[path = "corpus_dedup/likeness.rs"]
mod likeness;
#[path = "corpus_dedup/pool.rs"]
mod pool;
#[path = "dedup/random.rs"]
mod random;
#[path = "dedup/score.rs"]
mod score;
#[path = "corpus_dedup/words.rs"]
mod words;
#[path = "corpus_dedup/world.rs"]
mod world;
#[path = "dedup/woven.rs"]
mod woven;

use std::path::PathBuf;

use pool::Pool;
use score::Scores;
use world::World;

/// Least precision and recall of each type, over a few persons of any seed.
const FLOORS: [(&str, f64, f64); 6] = [
    ("CarePlan", 0.99, 0.93),
    ("Condition", 0.99, 0.97),
    ("Goal", 0.985, 0.94),
    ("MedicationRequest", 0.99, 0.95),
    ("ServiceRequest", 0.99, 0.95),
    ("Task", 0.99, 0.93),
];

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
}

#[test]
fn real_records_split_over_endpoints_are_found_and_look_alikes_stay_apart() {
    let data = std::env::var_os("CAREWEAVE_CORPUS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        PathBuf::from,
    );
    if !data.is_dir() {
        println!("skipped: no {}", data.display());
        return;
    }
    let Some(pool) = Pool::read(&data) else { return };
    let persons = setting("CAREWEAVE_DEDUP_PERSONS", 60);
    let seed = setting("CAREWEAVE_DEDUP_SEED", 1);
    let mut scores = Scores::showing(setting("CAREWEAVE_DEDUP_SHOW", 0) as usize);
    for n in 0..persons {
        let world = World::new(seed.wrapping_mul(1_000_003).wrapping_add(n), &pool);
        scores.add(&world, &woven::view(&world));
    }
    println!("{persons} persons, seed {seed}\n{scores}");
    for (kind, precision, recall) in FLOORS {
        let score = scores.of(kind);
        assert!(score.precision() >= precision, "{kind}: precision {:.4}", score.precision());
        assert!(score.recall() >= recall, "{kind}: recall {:.4}", score.recall());
    }
}
