//! Care management in its own words, and in FHIR: the concept map and the care record.
//! Pure: text and resources in, text and resources out.

mod codes;
mod concept_map;
mod concepts;
mod goal_counts;
mod mapping;
mod needs;
mod panel_report;
mod progress;
mod read;
mod record;
mod record_map;
mod record_schema;
mod revisions;
mod rows;
#[cfg(test)]
mod tests;
mod write;

use std::sync::{Arc, OnceLock};

pub use concept_map::CONCEPT_MAP_ID;
pub use concepts::{Code, Concept, Concepts, Difference, Stated, Target};
pub use goal_counts::{CountedBy, GOAL_STATUSES, GoalCounts};
pub use mapping::Mapping;
pub use needs::{Consented, Domain, Needs, Requested, SDOH_CODES, Service, Told};
pub use panel_report::{PANEL_MEASURE, PanelRow, Reported, measure_report, panel_csv};
pub use progress::{
    CheckIn, GoalProgress, Progress, Proposed, Standing, TargetProgress, ToldReading, Trend,
    progress,
};
pub use record::{CARE_RECORD, Records};
pub use record_schema::Fault;
pub use revisions::Revision;
pub use rows::{Row, RowFault};

/// The data that care management goes by, shared between threads.
#[derive(Debug)]
pub struct Care {
    /// The concept map.
    pub concepts: Concepts,
    /// Reads and writes care records.
    pub records: Records,
}

impl Care {
    /// With this concept map.
    pub fn with(concepts: Concepts) -> Self {
        Self { concepts, records: Records::embedded() }
    }

    /// What is compiled in.
    pub fn embedded() -> Arc<Self> {
        static CARE: OnceLock<Arc<Care>> = OnceLock::new();
        CARE.get_or_init(|| Arc::new(Self::with(Concepts::embedded()))).clone()
    }
}
