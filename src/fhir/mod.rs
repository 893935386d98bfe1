//! What R4 says: resource types, references, dates, structure, search. No I/O, nothing of ours.

pub mod bundle;
mod canonical;
mod datetime;
mod element;
mod fhirpath;
mod narrative;
mod outcome;
mod r4;
mod reference;
mod resource_type;
pub mod search;
mod structure;
mod subset;
mod validation;
pub mod xml;

pub use canonical::{canonical_bytes, canonical_bytes_of, canonicalise};
pub use datetime::{Moment, parse_moment};
pub use element::{Element, elements};
pub use fhirpath::{Fault, FhirPath};
pub use outcome::{Issue, operation_outcome};
pub use reference::{Reference, is_id, parse_reference};
pub use resource_type::{ResourceType, UnknownType};
pub use structure::{Problem, StructureCheck, value_set};
pub use subset::Subset;
pub use validation::{Finding, Severity, Validator};
