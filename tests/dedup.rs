//! A benchmark of clinical deduplication with truth: made persons whose records are split over
//! two to six endpoints, each of which writes them in its own way, beside look-alikes that are
//! not the same. It prints precision, recall and F1 over pairs, per type.
//!
//! `CAREWEAVE_DEDUP_PERSONS` (60) says how many persons, `CAREWEAVE_DEDUP_SEED` (1) which,
//! `CAREWEAVE_DEDUP_SHOW` (0) how many errors of each type are shown.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "test")]

#[path = "dedup/concepts.rs"]
mod concepts;
#[path = "dedup/events.rs"]
mod events;
#[path = "dedup/orders.rs"]
mod orders;
#[path = "dedup/plans.rs"]
mod plans;
#[path = "dedup/problems.rs"]
mod problems;
#[path = "dedup/random.rs"]
mod random;
#[path = "dedup/score.rs"]
mod score;
#[path = "dedup/world.rs"]
mod world;
#[path = "dedup/woven.rs"]
mod woven;

use score::Scores;
use world::World;

/// Least precision and recall of each type; reached with a little to spare over several seeds.
const FLOORS: [(&str, f64, f64); 12] = [
    ("AllergyIntolerance", 0.995, 0.95),
    ("CarePlan", 0.985, 0.91),
    ("CareTeam", 0.995, 0.50),
    ("Condition", 0.995, 0.95),
    ("DiagnosticReport", 0.995, 0.95),
    ("Goal", 0.995, 0.95),
    ("Immunization", 0.995, 0.90),
    ("MedicationRequest", 0.99, 0.92),
    ("Observation", 0.995, 0.95),
    ("Procedure", 0.99, 0.95),
    ("ServiceRequest", 0.995, 0.93),
    ("Task", 0.995, 0.94),
];

fn person(seed: u64) -> World {
    let mut world = World::new(seed);
    let known = problems::chronic(&mut world);
    problems::recurring(&mut world);
    problems::sided(&mut world);
    problems::denied(&mut world);
    let goals = problems::goals(&mut world, &known);
    let ordered = orders::orders(&mut world, &known);
    orders::tasks(&mut world, &ordered);
    orders::prescriptions(&mut world);
    plans::plans(&mut world, &known, &goals);
    plans::teams(&mut world);
    events::allergies(&mut world);
    events::immunizations(&mut world);
    events::procedures(&mut world);
    events::encounters(&mut world);
    events::observations(&mut world);
    events::papers_of_all_kinds(&mut world);
    world
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
}

#[test]
fn what_is_one_fact_is_found_and_what_looks_alike_stays_apart() {
    let persons = setting("CAREWEAVE_DEDUP_PERSONS", 60);
    let seed = setting("CAREWEAVE_DEDUP_SEED", 1);
    let mut scores = Scores::showing(setting("CAREWEAVE_DEDUP_SHOW", 0) as usize);
    for n in 0..persons {
        let world = person(seed.wrapping_mul(1_000_003).wrapping_add(n));
        scores.add(&world, &woven::view(&world));
    }
    println!("{persons} persons, seed {seed}\n{scores}");
    for (kind, precision, recall) in FLOORS {
        let score = scores.of(kind);
        assert!(score.precision() >= precision, "{kind}: precision {:.4}", score.precision());
        assert!(score.recall() >= recall, "{kind}: recall {:.4}", score.recall());
    }
}
