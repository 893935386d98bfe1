//! Which charts are one person, and which directory records one entry. Pure: no clock, no
//! store; equal inputs give equal results in any order.
//!
//! Blocking proposes pairs, fields are compared level by level, weights are added in bits
//! (Fellegi-Sunter), vetoes outrank weights, and clustering respects stewards' decisions.
//! <https://www.hl7.org/fhir/R4/patient-operation-match.html>

mod assessment;
mod birth_field;
mod blocking;
mod cluster;
mod directory;
mod glance;
mod groups;
mod household;
mod identifier_field;
mod levels;
mod model;
mod name_field;
mod nickname;
mod outline;
mod proof;
mod score;
mod training;
mod veto;
mod waterfall;

#[cfg(test)]
mod cases;
#[cfg(test)]
mod hard_negatives;
#[cfg(test)]
mod properties;

pub use assessment::Assessment;
pub use blocking::{ShortKey, blocking_keys, short_keys};
pub use cluster::{Clustering, Cut, cluster, cluster_within, linking_grade};
pub use directory::{directory_keys, identifier_key, role_key, same_directory_entry};
pub use glance::Glance;
pub use groups::{NumberedLink, NumberedPairs, cluster_numbered};
pub use model::{Model, Training};
pub use outline::Outline;
pub use score::{Relation, assess, compare_homes};
pub use training::{Observations, Trained, train};
pub use veto::contradictions;
pub use waterfall::waterfall_text;

use crate::flow::{Comparison, MatchGrade};

/// Whether a comparison must be kept as an edge: it may link or be reviewed, or it forbids a
/// link, which clustering has to know.
pub fn keeps_edge(comparison: &Comparison) -> bool {
    comparison.grade > MatchGrade::CertainlyNot
        || (!comparison.vetoes.is_empty() && comparison.weight_bits > 0.0)
}
