//! Search: the table of parameters, extraction of values, queries over values.
//! <https://hl7.org/fhir/R4/search.html>

use jiff::Timestamp;
use serde_json::Value;

use super::ResourceType;

mod value;

pub use value::{Indexed, SearchValue};

/// The loaded search parameters (`profiles/search-parameters.json`), compiled.
pub struct SearchTable;

/// One search parameter of one resource type.
#[derive(Debug)]
pub struct SearchParameter {
    /// Its name in queries: `lifecycle-status`.
    pub name: Box<str>,
    /// Its kind.
    pub kind: ParameterKind,
    /// For references: the types it may target.
    pub targets: Vec<ResourceType>,
    /// Whether it stands in the cross-person index.
    pub cross_person: bool,
    /// Canonical URL of its definition.
    pub definition: Box<str>,
    /// What it searches, for the CapabilityStatement.
    pub documentation: Box<str>,
}

/// The kinds of search parameters we evaluate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ParameterKind {
    /// Codes, identifiers, booleans.
    Token,
    /// Dates and periods.
    Date,
    /// Text.
    String,
    /// References.
    Reference,
    /// Numbers with units.
    Quantity,
    /// Plain numbers.
    Number,
    /// URIs.
    Uri,
}

/// One search criterion: `name[:modifier]=v1,v2`, compiled. The values are alternatives.
#[derive(Clone, Debug)]
pub struct Criterion {
    /// Index of the parameter.
    pub param: u16,
}

/// Why a criterion cannot be evaluated; the API answers 400 with it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum QueryError {
    /// The type has no such parameter.
    #[error("{resource_type} has no search parameter \"{name}\"; known: {known}")]
    UnknownParameter { resource_type: ResourceType, name: String, known: String },
    /// The parameter has no such modifier here.
    #[error("search parameter \"{name}\" does not support the modifier \":{modifier}\"")]
    UnsupportedModifier { name: String, modifier: String },
    /// The value does not parse.
    #[error("\"{value}\" is not a valid value for search parameter \"{name}\": {expected}")]
    BadValue { name: String, value: String, expected: &'static str },
}

impl SearchTable {
    /// Loads and compiles a table (the text of `profiles/search-parameters.json`).
    ///
    /// # Errors
    /// Names the parameter whose expression is not understood.
    pub fn load(_text: &str) -> Result<Self, String> {
        unimplemented!()
    }

    /// The table that is compiled into the program.
    pub fn embedded() -> &'static Self {
        unimplemented!()
    }

    /// The parameters of a type, in index order.
    pub fn parameters(&self, _resource_type: ResourceType) -> &[SearchParameter] {
        unimplemented!()
    }

    /// All search values of a resource, ordered by parameter.
    pub fn extract(&self, _resource_type: ResourceType, _resource: &Value) -> Vec<SearchValue> {
        unimplemented!()
    }

    /// Compiles one query parameter, `name` with its modifier (`code:not`) and raw value
    /// (after percent decoding, with commas and escapes). `_id`, `_lastUpdated` and other
    /// result parameters are the caller's.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub fn criterion(
        &self,
        _resource_type: ResourceType,
        _name: &str,
        _value: &str,
    ) -> Result<Criterion, QueryError> {
        unimplemented!()
    }
}

impl Criterion {
    /// Whether a resource with these values meets the criterion. For references, the API first
    /// translates patient and alias ids to view ids with [`Criterion::map_references`].
    pub fn matches(&self, _values: &[SearchValue]) -> bool {
        unimplemented!()
    }

    /// Rewrites the referenced values (`Type/id`, bare `id` or URL) with a function that knows
    /// aliases.
    pub fn map_references(&mut self, _resolve: &mut dyn FnMut(&str) -> Option<String>) {
        unimplemented!()
    }

    /// The alternatives that can be looked up by equality in the cross-person index, if all can.
    pub fn index_values(&self) -> Option<Vec<Indexed>> {
        unimplemented!()
    }
}

/// Whether an interval value meets a `_lastUpdated` style text such as `ge2024-05`; for callers
/// that search a plain timestamp.
///
/// # Errors
/// `BadValue` when the text is no date with an optional prefix.
pub fn instant_matches(_text: &str, _instant: Timestamp) -> Result<bool, QueryError> {
    unimplemented!()
}
