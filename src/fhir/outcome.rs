//! OperationOutcome.
//! <https://hl7.org/fhir/R4/operationoutcome.html>

use serde_json::{Map, Value, json};

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

/// Makes an OperationOutcome, in R4 element order. Without issues it says that all is well,
/// since R4 wants at least one.
pub fn operation_outcome(issues: &[Issue]) -> Value {
    let listed = if issues.is_empty() {
        vec![json!({"severity": "information", "code": "informational", "diagnostics": "all ok"})]
    } else {
        issues.iter().map(one).collect()
    };
    json!({"resourceType": "OperationOutcome", "issue": listed})
}

fn one(issue: &Issue) -> Value {
    let mut members = Map::new();
    members.insert("severity".into(), issue.severity.into());
    members.insert("code".into(), issue.code.into());
    if !issue.diagnostics.is_empty() {
        members.insert("diagnostics".into(), issue.diagnostics.as_str().into());
    }
    if !issue.expression.is_empty() {
        members.insert("expression".into(), issue.expression.clone().into());
    }
    Value::Object(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_stand_in_r4_order_and_empty_ones_are_left_out() {
        let issue = |diagnostics: &str, expression: &[&str]| Issue {
            severity: "error",
            code: "required",
            diagnostics: diagnostics.into(),
            expression: expression.iter().map(|e| (*e).into()).collect(),
        };
        let made = operation_outcome(&[issue("add it", &["Goal.subject"]), issue("", &[])]);
        assert_eq!(
            made.to_string(),
            r#"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"required","#
                .to_owned()
                + r#""diagnostics":"add it","expression":["Goal.subject"]},"#
                + r#"{"severity":"error","code":"required"}]}"#
        );
        assert_eq!(operation_outcome(&[])["issue"][0]["severity"], "information");
    }
}
