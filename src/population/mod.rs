//! A made population, seen by three provider organisations, for the demo and for tests.
//!
//! Pure and deterministic: a seed, a size and a day give the same records on every machine. A
//! person's records depend on the seed and the person's number only, so a larger population
//! begins with the smaller one. The three organisations state things in their own ways:
//! `mercy` codes in SNOMED CT and LOINC, `valley` writes text, nicknames and typing errors,
//! `harbor` codes in ICD-10-CM and codes of its own, and republishes what it was sent.

use jiff::civil::Date;
use serde_json::Value;

mod clinical;
mod conditions;
mod directory;
mod gaps;
mod goals;
mod names;
mod observations;
mod orders;
mod person;
mod plans;
mod records;
mod rng;
mod story;
mod tasks;
mod truth;
mod world;

pub use truth::{Truth, TruthGroup, TruthReport};

/// The records of a made population.
#[derive(Clone, Debug, PartialEq)]
pub struct Population {
    /// The organisations and what each states.
    pub endpoints: Vec<PopulationEndpoint>,
    /// What is really so.
    pub truth: Truth,
}

/// One organisation.
#[derive(Clone, Debug, PartialEq)]
pub struct PopulationEndpoint {
    /// Endpoint id.
    pub id: &'static str,
    /// Name.
    pub name: &'static str,
    /// Where its server would stand.
    pub base_hint: &'static str,
    /// How it names itself in its own directory: `system|value`.
    pub organization: String,
    /// Its resources; a few are unusable on purpose.
    pub resources: Vec<Value>,
    /// Whether its server answers searches only with a patient.
    pub requires_patient: bool,
    /// Whether its server offers `Patient/{id}/$everything`.
    pub offers_everything: bool,
}

/// Makes a population of this many persons (at least one, whose person 0 is the showcase) as of
/// a day.
pub fn generate(seed: u64, persons: usize, today: Date) -> Population {
    let mut world = world::World::new(today);
    let directory = directory::populate(&mut world);
    for person in person::people(seed, persons.max(1), today) {
        story::tell(&mut world, &directory, &person, seed);
    }
    world.finish()
}

#[cfg(test)]
mod tests;
