//! Comparable forms: normalised names, identifiers, addresses, clinical text; similarity.

mod identifier;

pub use identifier::{normalise_identifier, normalise_system, same_identifier};
