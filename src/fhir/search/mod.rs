//! Search: the table of parameters, extraction of values, queries over values.
//! <https://hl7.org/fhir/R4/search.html>

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::ResourceType;

mod compiled;
mod criterion;
pub(in crate::fhir) mod expression;
mod extract;
mod fold;
mod order;
mod period;
mod table;
mod value;

pub use criterion::{ALTERNATIVES_MAX, Criterion, VALUE_MAX};
pub use fold::fold;
pub use order::{SORT_KEYS_MAX, SortKey};
pub use table::SearchTable;
pub use value::{Indexed, SearchValue};

/// One search parameter of one resource type.
#[derive(Clone, Debug)]
pub struct SearchParameter {
    /// Its name in queries: `lifecycle-status`.
    pub name: Box<str>,
    /// Its kind.
    pub kind: ParameterKind,
    /// For references: the types it may target; empty for any.
    pub targets: Vec<ResourceType>,
    /// Whether it stands in the cross-person index.
    pub cross_person: bool,
    /// Canonical URL of its definition.
    pub definition: Box<str>,
    /// What it searches, for the CapabilityStatement.
    pub documentation: Box<str>,
    /// The system that R4 implies for plain codes, empty if none.
    system: Box<str>,
    expression: expression::Expression,
    /// Of a composite: what its values are made of.
    components: Vec<Component>,
}

/// One component of a composite parameter.
#[derive(Clone, Debug)]
struct Component {
    kind: ParameterKind,
    /// From the node that the composite's expression finds.
    expression: expression::Expression,
}

/// The kinds of search parameters we evaluate.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
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
    /// Several of the others that stand together.
    Composite,
}

/// Why a criterion cannot be evaluated; the API answers 400 with it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum QueryError {
    /// The type has no such parameter.
    #[error("{resource_type} has no search parameter \"{name}\"; known: {known}")]
    UnknownParameter {
        /// The type that was searched.
        resource_type: ResourceType,
        /// The name that was asked for.
        name: String,
        /// The names it has.
        known: String,
    },
    /// The parameter has no such modifier here.
    #[error("search parameter \"{name}\" does not support the modifier \":{modifier}\"")]
    UnsupportedModifier {
        /// The parameter.
        name: String,
        /// The modifier, without its colon.
        modifier: String,
    },
    /// The value does not parse. The text leaves the value out: it may be a patient's.
    #[error("search parameter \"{name}\" needs {expected}")]
    BadValue {
        /// The parameter.
        name: String,
        /// The value that was given.
        value: String,
        /// What was expected.
        expected: &'static str,
    },
}

impl ParameterKind {
    /// The code of R4's `search-param-type`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Date => "date",
            Self::String => "string",
            Self::Reference => "reference",
            Self::Quantity => "quantity",
            Self::Number => "number",
            Self::Uri => "uri",
            Self::Composite => "composite",
        }
    }
}

impl SearchParameter {
    fn values(&self, index: u16, resource: &Value, into: &mut Vec<SearchValue>) {
        let start = into.len();
        for node in self.expression.evaluate(resource) {
            if !self.components.is_empty() {
                let parts: Box<[_]> = self.components.iter().map(|c| c.values(&node)).collect();
                if parts.iter().all(|part| !part.is_empty()) {
                    into.push(SearchValue { param: index, value: Indexed::Composite(parts) });
                }
                continue;
            }
            extract::values_of(self.kind, &self.system, &node, &mut |value| {
                let found = SearchValue { param: index, value };
                if !into[start..].contains(&found) {
                    into.push(found);
                }
            });
        }
    }
}

impl Component {
    fn values(&self, node: &Value) -> Box<[Indexed]> {
        let mut values = Vec::new();
        for part in self.expression.evaluate(node) {
            extract::values_of(self.kind, "", &part, &mut |value| values.push(value));
        }
        values.into()
    }
}

/// Whether a timestamp meets a `_lastUpdated` style text such as `ge2024-05`; for callers that
/// search a plain timestamp.
///
/// # Errors
/// `BadValue` when the text is no date with an optional prefix.
pub fn instant_matches(text: &str, instant: Timestamp, now: Timestamp) -> Result<bool, QueryError> {
    let bad = || QueryError::BadValue {
        name: "_lastUpdated".to_owned(),
        value: text.to_owned(),
        expected: compiled::DATE_EXPECTED,
    };
    let mut range = compiled::DateTest::parse(text).ok_or_else(bad)?;
    range.approximate(now);
    let until = instant.checked_add(jiff::SignedDuration::from_nanos(1)).unwrap_or(instant);
    Ok(range.accepts(instant, until))
}

/// The first instant that such a text can match; `None` if there is none, or it is no date.
pub fn earliest_match(text: &str, now: Timestamp) -> Option<Timestamp> {
    let mut range = compiled::DateTest::parse(text)?;
    range.approximate(now);
    range.earliest()
}

#[cfg(test)]
mod tests;
