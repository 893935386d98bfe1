//! Comparable forms: normalised names, identifiers, addresses, clinical text; similarity.

mod identifier;
mod quantity;
mod text;
mod token;

pub use identifier::{normalise_identifier, normalise_system, same_identifier};
pub use quantity::quantity;
pub use text::{clinical_text, text_similarity};
pub use token::{code_system, token};
