//! OperationOutcome.
//! <https://hl7.org/fhir/R4/operationoutcome.html>

use serde_json::Value;

/// One issue of an outcome.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Issue {
    /// `fatal`, `error`, `warning` or `information`.
    pub severity: &'static str,
    /// `IssueType` code.
    pub code: &'static str,
    /// What a person can act on.
    pub diagnostics: String,
    /// FHIRPath or `http.` expressions, if any.
    pub expression: Vec<String>,
}

/// Makes an OperationOutcome.
pub fn operation_outcome(_issues: &[Issue]) -> Value {
    unimplemented!()
}
