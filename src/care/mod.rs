//! Care management in its own words, and in FHIR: the concept map. Pure: text and resources in,
//! text and resources out.

mod codes;
mod concept_map;
mod concepts;
#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};

pub use concept_map::CONCEPT_MAP_ID;
pub use concepts::{Code, Concept, Concepts, Difference, Stated, Target};

/// The data that care management goes by, shared between threads.
#[derive(Debug)]
pub struct Care {
    /// The concept map.
    pub concepts: Concepts,
}

impl Care {
    /// What is compiled in.
    pub fn embedded() -> Arc<Self> {
        static CARE: OnceLock<Arc<Care>> = OnceLock::new();
        CARE.get_or_init(|| Arc::new(Self { concepts: Concepts::embedded() })).clone()
    }
}
