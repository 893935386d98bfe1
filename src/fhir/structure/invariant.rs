//! Rules that neither structure nor profiles can say: cpl-3, gol-1, days that do not exist.
//! <https://hl7.org/fhir/R4/careplan.html#invs>, <https://hl7.org/fhir/R4/goal.html#invs>

use serde_json::Value;

use super::Problem;
use crate::fhir::parse_moment;

/// All rules for one resource, and every date in it and in what it contains.
pub(super) fn check(resource: &Value, path: &str) -> Vec<Problem> {
    let mut problems = check_rules(resource, path);
    dates(resource, "", &Place { above: None, step: Step::Name(path) }, &mut problems);
    problems
}

/// The rules of the resource's type.
pub(super) fn check_rules(resource: &Value, path: &str) -> Vec<Problem> {
    match super::type_name(resource) {
        "CarePlan" => each(resource, "activity", path, |activity| {
            (present(activity, "detail") && present(activity, "reference")).then_some(
                "an activity has a reference or a detail, never both (cpl-3); remove one of them",
            )
        }),
        "Goal" => each(resource, "target", path, |target| {
            let has_detail = target.as_object().is_some_and(|t| {
                t.keys().any(|name| name.trim_start_matches('_').starts_with("detail"))
            });
            (has_detail && !present(target, "measure"))
                .then_some("a target with a detail needs a measure (gol-1); say what is measured")
        }),
        _ => Vec::new(),
    }
}

fn each(
    resource: &Value,
    name: &str,
    path: &str,
    broken: impl Fn(&Value) -> Option<&'static str>,
) -> Vec<Problem> {
    let items = resource.get(name).and_then(Value::as_array);
    items
        .into_iter()
        .flatten()
        .enumerate()
        .filter_map(|(index, item)| {
            Some(Problem {
                fatal: true,
                code: "invariant",
                expression: format!("{path}.{name}[{index}]"),
                text: broken(item)?.to_owned(),
            })
        })
        .collect()
}

fn present(value: &Value, name: &str) -> bool {
    value.get(name).is_some_and(|v| !v.is_null())
}

/// Days that do not exist. fhirkit has checked the form; which elements are dates is told by
/// name and form together, so that a free text that looks like a date stays what it is.
fn dates(value: &Value, name: &str, place: &Place<'_>, problems: &mut Vec<Problem>) {
    match value {
        Value::Object(members) => {
            for (name, inner) in members {
                let below = Place { above: Some(place), step: Step::Name(name) };
                dates(inner, name, &below, problems);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let below = Place { above: Some(place), step: Step::Index(index) };
                dates(item, name, &below, problems);
            }
        }
        Value::String(text) => {
            if names_a_date(name) && has_date_form(text) && parse_moment(text).is_none() {
                problems.push(Problem {
                    fatal: true,
                    code: "value",
                    expression: place.path(),
                    text: "a day or time that does not exist; correct it".to_owned(),
                });
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Where a value stands; written out only when there is a problem to tell.
struct Place<'a> {
    above: Option<&'a Place<'a>>,
    step: Step<'a>,
}

enum Step<'a> {
    Name(&'a str),
    Index(usize),
}

impl Place<'_> {
    fn path(&self) -> String {
        let above = self.above.map(Self::path).unwrap_or_default();
        match self.step {
            Step::Name(name) if above.is_empty() => name.to_owned(),
            Step::Name(name) => format!("{above}.{name}"),
            Step::Index(index) => format!("{above}[{index}]"),
        }
    }
}

fn names_a_date(name: &str) -> bool {
    const NAMES: [&str; 18] = [
        "date",
        "start",
        "end",
        "issued",
        "authoredOn",
        "recorded",
        "created",
        "sent",
        "received",
        "timestamp",
        "lastUpdated",
        "lastModified",
        "time",
        "event",
        "authored",
        "when",
        "written",
        "indexed",
    ];
    name.ends_with("Date")
        || name.ends_with("DateTime")
        || name.ends_with("Instant")
        || NAMES.contains(&name)
}

fn has_date_form(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 7 && bytes[..4].iter().all(u8::is_ascii_digit) && bytes[4] == b'-'
}
