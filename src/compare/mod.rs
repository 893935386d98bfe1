//! Comparable forms: normalised names, identifiers, addresses, clinical text; similarity.

pub mod address;
pub mod birth;
pub mod columns;
pub mod contact;
mod crosswalk;
mod demographics;
mod drug;
mod identifier;
mod moles;
pub mod name;
mod quantity;
pub mod similarity;
mod text;
mod token;
mod wording;

pub use crosswalk::Crosswalk;
pub use demographics::demographics;
pub use drug::same_drug;
pub use identifier::{normalise_identifier, normalise_system, same_identifier};
pub use moles::grams_per_mole;
pub use quantity::quantity;
pub use text::{clinical_text, text_similarity};
pub use token::{code_system, token};
pub use wording::{Likeness, Wording, likeness, likeness_but_for_sides, says_more, wording};
