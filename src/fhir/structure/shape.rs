//! The R4 structure: element names, JSON types, cardinality, lexical forms. fhirkit finds the
//! problems; here they get codes and words without patient data.
//! <https://hl7.org/fhir/R4/json.html>

use fhirkit::{Issue, Severity};

use super::Problem;

pub(super) fn check(text: &str) -> Vec<Problem> {
    match fhirkit::from_json::<fhirkit::r4::Resource>(text) {
        Ok((_, issues)) => issues.into_iter().take(super::PROBLEMS_MAX).map(problem).collect(),
        Err(error) => vec![Problem {
            fatal: true,
            code: "structure",
            expression: String::new(),
            text: format!("not JSON: line {}, column {}", error.line, error.column),
        }],
    }
}

fn problem(issue: Issue) -> Problem {
    let (code, text) = describe(&issue.message);
    Problem {
        fatal: issue.severity == Severity::Error,
        code,
        expression: without_foreign_names(&issue.path),
        text,
    }
}

/// Code and text for a message of fhirkit. Messages that quote the element's value are told in
/// our own words; only those without are passed on.
fn describe(message: &str) -> (&'static str, String) {
    if message == "unknown element" {
        let text = "R4 has no such element here; remove it or send it as an extension";
        return ("structure", text.into());
    }
    if message == "required element missing" || message.starts_with("needs at least ") {
        return ("required", "R4 requires this element; add it".into());
    }
    if let Some((_, kind)) = message.rsplit_once(" is not a valid ") {
        let remedy = match kind {
            "dateTime" | "instant" => "write day, time with seconds, and zone",
            _ => "correct it",
        };
        return ("value", format!("not a valid {}; {remedy}", plain(kind)));
    }
    if let Some((_, kind)) = message.rsplit_once(" is not a FHIR ") {
        return match kind.starts_with("R4 resource type") {
            true => ("structure", "not an R4 resource type; send one that R4 has".into()),
            false => ("value", format!("not a valid {}; correct it", plain(kind))),
        };
    }
    let quotes = message.starts_with("expected \"")
        || message.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    if quotes {
        return ("value", "not a valid value for this element; correct it".into());
    }
    if message.contains("is not allowed") && message.starts_with("an empty ") {
        return ("value", "empty; leave the element out".into());
    }
    ("structure", message.to_owned())
}

/// The leading word of a text, if it is one.
fn plain(kind: &str) -> &str {
    let end = kind.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(kind.len());
    if end == 0 { "value" } else { &kind[..end.min(24)] }
}

/// The path up to the first segment that cannot be an R4 element name, which may hold anything.
fn without_foreign_names(path: &str) -> String {
    let legal = |segment: &&str| {
        segment.len() <= 64
            && segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"_[]".contains(&b))
    };
    path.split('.').take_while(legal).collect::<Vec<_>>().join(".")
}
