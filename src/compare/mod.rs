//! Comparable forms: normalised names, identifiers, addresses, clinical text; similarity.

pub mod address;
pub mod birth;
pub mod contact;
mod demographics;
mod identifier;
pub mod name;
pub mod similarity;

pub use demographics::demographics;
pub use identifier::{normalise_identifier, normalise_system, same_identifier};
