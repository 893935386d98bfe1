//! Dates as spans of days.

use serde_json::Value;

use crate::fhir::{Moment, parse_moment};
use crate::flow::DateSpan;

/// The types a choice of dates can have.
const CHOICES: [&str; 6] = ["", "DateTime", "Date", "Period", "Instant", "Timing"];

/// The span of `name` or `name[x]`.
pub(super) fn element(resource: &Value, name: &str) -> Option<DateSpan> {
    CHOICES.iter().find_map(|choice| span(resource.get(format!("{name}{choice}"))?))
}

/// The span of a date, a Period or a Timing.
pub(super) fn span(value: &Value) -> Option<DateSpan> {
    match value {
        Value::String(text) => {
            let moment = parse_moment(text)?;
            Some(DateSpan { low: Some(moment.first_day), high: Some(moment.last_day) })
        }
        Value::Object(members) => {
            let part = |name: &str| members.get(name)?.as_str().and_then(parse_moment);
            let (start, end) = (part("start"), part("end"));
            if start.is_some() || end.is_some() {
                return Some(period(start, end));
            }
            let bounds = members.get("repeat").and_then(|r| r.get("boundsPeriod"));
            bounds.and_then(span_of_period).or_else(|| events(members.get("event")?))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
    }
}

fn span_of_period(value: &Value) -> Option<DateSpan> {
    let part = |name: &str| value.get(name)?.as_str().and_then(parse_moment);
    let (start, end) = (part("start"), part("end"));
    (start.is_some() || end.is_some()).then(|| period(start, end))
}

fn period(start: Option<Moment>, end: Option<Moment>) -> DateSpan {
    DateSpan { low: start.map(|m| m.first_day), high: end.map(|m| m.last_day) }
}

/// From the first to the last of several moments.
fn events(list: &Value) -> Option<DateSpan> {
    let moments: Vec<Moment> =
        list.as_array()?.iter().filter_map(|e| e.as_str().and_then(parse_moment)).collect();
    let low = moments.iter().map(|m| m.first_day).min()?;
    Some(DateSpan { low: Some(low), high: moments.iter().map(|m| m.last_day).max() })
}
