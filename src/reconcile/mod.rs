//! Reconciliation: from the source records of one person to one deduplicated, explained view.
//!
//! Pure: the view is a function of records, links, policy and day. Stages: `group` (facts only)
//! → `resolve` (references) → `merge` (one body per group) → `plan` (the woven plan) →
//! `conflicts` (what does not agree, with the stages of `loops`) → `proposals` (what nobody has
//! stated yet) → dispositions (what became of every record).

mod calendar;
mod checklist;
mod claim;
mod conflicts;
mod directory;
mod group;
mod input;
mod loops;
mod merge;
mod narrative;
mod overrides;
mod peek;
mod person;
mod plan;
mod policy;
mod proposals;
mod provenance;
mod resolve;
mod rows;
mod sameness;
mod scene;
mod transition;
mod weave;
mod windows;
mod words;

pub use directory::weave_directory;
pub use input::{
    ChartInput, DirectoryInput, EndpointFacts, InputRecord, NoPreviousRows, NothingOutside,
    Outside, PersonInput, PreviousRows, Standing,
};
pub use loops::{Loop, STAGE_SYSTEM, Stage, referral_loops};
pub use merge::TAG_SYSTEM;
pub use policy::{Policy, Rule};
pub use proposals::PROPOSAL;
pub use provenance::{StatedProvenance, UNADDRESSED, provenance};
pub use transition::{Discharge, discharge};
pub use weave::weave;

/// Version of the weaving code: raised when its results change.
pub const WEAVE_VERSION: u32 = 14;
/// The code system of our conflict and finding rules.
pub const RULE_SYSTEM: &str = "urn:careweave:rule";
/// The rules whose DetectedIssue is something to act on; those of all others are conflicts.
pub const FINDING_RULES: [&str; 20] = [
    "C3",
    "C6",
    "C7",
    "C9",
    "C10",
    "C13",
    "C15",
    "awaiting-closure",
    "checklist-overdue",
    "clashing-therapy",
    "contradicting-goals",
    "contradicting-orders",
    "duplicate-order",
    "duplicate-therapy",
    "medications-unreconciled",
    "no-follow-up",
    "open-loop",
    "readmission",
    "several-care-managers",
    "stale-plan",
];
/// The tag of a conflict or finding that a steward has resolved.
pub const RESOLVED: &str = "resolved";
