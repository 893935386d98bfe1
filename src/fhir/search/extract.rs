//! What each kind of parameter reads out of each datatype.
//! <https://hl7.org/fhir/R4/search.html#ptypes>

use jiff::Timestamp;
use serde_json::Value;

use super::{Indexed, ParameterKind, fold};
use crate::fhir::parse_moment;

/// The longest text that is indexed, in bytes; the rest of a longer one is not searched.
const TEXT_MAX: usize = 512;
const NAME_PARTS: [&str; 5] = ["text", "family", "given", "prefix", "suffix"];
const ADDRESS_PARTS: [&str; 7] =
    ["text", "line", "city", "district", "state", "postalCode", "country"];

/// Hands out the search values of one node. A node of a datatype that the kind does not know
/// has none.
pub(super) fn values_of(
    kind: ParameterKind,
    system: &str,
    node: &Value,
    found: &mut dyn FnMut(Indexed),
) {
    match kind {
        ParameterKind::Token => tokens(system, node, found),
        ParameterKind::Date => {
            if let Some((from, until)) = interval(node) {
                found(Indexed::Date { from, until });
            }
        }
        ParameterKind::String => texts(node, found),
        ParameterKind::Reference => {
            if let Some(to) = reference(node) {
                found(Indexed::Reference(to.into()));
            }
            let identifier = node.get("identifier").unwrap_or(&Value::Null);
            let value = text_at(identifier, "value");
            if !value.is_empty() {
                let system = text_at(identifier, "system").into();
                found(Indexed::Identified { system, value: value.into() });
            }
        }
        ParameterKind::Quantity => quantities(node, found),
        ParameterKind::Number => {
            if let Value::Number(number) = node {
                found(Indexed::Number(number.to_string().into()));
            }
        }
        // Its components have values, it has none of its own.
        ParameterKind::Composite => {}
        ParameterKind::Uri => {
            if let Some(uri) = node.as_str().filter(|u| !u.is_empty()) {
                found(Indexed::Uri(uri.into()));
            }
        }
    }
}

fn text_at<'v>(node: &'v Value, name: &str) -> &'v str {
    node.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn token(system: &str, code: &str) -> Indexed {
    Indexed::Token { system: system.into(), code: code.into() }
}

fn tokens(system: &str, node: &Value, found: &mut dyn FnMut(Indexed)) {
    match node {
        Value::Bool(flag) => found(token("", if *flag { "true" } else { "false" })),
        Value::String(code) if !code.is_empty() => found(token(system, code)),
        Value::Object(members) => {
            if let Some(Value::Array(codings)) = members.get("coding") {
                for coding in codings {
                    coding_tokens(coding, found);
                }
            } else if members.contains_key("value") {
                // Identifier and ContactPoint: the latter's `system` is no URI (phone, email).
                let of = text_at(node, "system");
                let of = if of.contains(':') { of } else { "" };
                let value = text_at(node, "value");
                if !value.is_empty() {
                    found(token(of, value));
                    typed(node, value, found);
                }
            } else {
                coding_tokens(node, found);
            }
            text(text_at(node, "text"), found);
        }
        Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) => {}
    }
}

fn typed(identifier: &Value, value: &str, found: &mut dyn FnMut(Indexed)) {
    let codings = identifier.get("type").and_then(|of| of.get("coding")).and_then(Value::as_array);
    for coding in codings.into_iter().flatten() {
        let (system, code) = (text_at(coding, "system").into(), text_at(coding, "code").into());
        found(Indexed::Typed { system, code, value: value.into() });
    }
}

fn coding_tokens(coding: &Value, found: &mut dyn FnMut(Indexed)) {
    let code = text_at(coding, "code");
    if !code.is_empty() {
        found(token(text_at(coding, "system"), code));
    }
    // For the modifier `:text`.
    text(text_at(coding, "display"), found);
}

fn texts(node: &Value, found: &mut dyn FnMut(Indexed)) {
    match node {
        Value::String(written) => text(written, found),
        Value::Object(members) => {
            for name in NAME_PARTS.iter().chain(&ADDRESS_PARTS[1..]) {
                match members.get(*name) {
                    Some(Value::String(part)) => text(part, found),
                    Some(Value::Array(parts)) => {
                        parts.iter().filter_map(Value::as_str).for_each(|p| text(p, found));
                    }
                    _ => {}
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {}
    }
}

fn text(written: &str, found: &mut dyn FnMut(Indexed)) {
    let cut = (0..=written.len().min(TEXT_MAX)).rev().find(|i| written.is_char_boundary(*i));
    let exact = &written[..cut.unwrap_or(0)];
    let folded = fold(exact);
    if !folded.is_empty() {
        found(Indexed::Text { folded: folded.into(), exact: exact.into() });
    }
}

fn reference(node: &Value) -> Option<&str> {
    let literal = node.as_str().unwrap_or_else(|| text_at(node, "reference"));
    let literal = literal.split("/_history/").next().unwrap_or_default();
    // A contained resource cannot be found from outside.
    (!literal.is_empty() && !literal.starts_with('#')).then_some(literal)
}

fn quantities(node: &Value, found: &mut dyn FnMut(Indexed)) {
    if node.get("low").is_some() || node.get("high").is_some() {
        for end in ["low", "high"] {
            node.get(end).into_iter().for_each(|q| quantity(q, found));
        }
        return;
    }
    quantity(node, found);
}

fn quantity(node: &Value, found: &mut dyn FnMut(Indexed)) {
    let Some(Value::Number(value)) = node.get("value") else { return };
    let (code, shown) = (text_at(node, "code"), text_at(node, "unit"));
    let in_unit = |system: &str, unit: &str| Indexed::Quantity {
        value: value.to_string().into(),
        system: system.into(),
        unit: unit.into(),
    };
    found(in_unit(text_at(node, "system"), if code.is_empty() { shown } else { code }));
    // `number||unit` may mean the unit as it is shown.
    if !code.is_empty() && !shown.is_empty() && shown != code {
        found(in_unit("", shown));
    }
}

/// The interval of a date, dateTime, instant, Period or Timing.
fn interval(node: &Value) -> Option<(Timestamp, Timestamp)> {
    if let Some(text) = node.as_str() {
        return parse_moment(text).map(|m| (m.from, m.until));
    }
    let moment = |name: &str| node.get(name).and_then(Value::as_str).and_then(parse_moment);
    let events = node.get("event").and_then(Value::as_array).into_iter().flatten();
    let events: Vec<_> = events.filter_map(Value::as_str).filter_map(parse_moment).collect();
    let bounds = node.get("repeat").and_then(|r| r.get("boundsPeriod")).and_then(interval);
    let first = events.iter().map(|m| m.from).chain(bounds.map(|b| b.0)).min();
    let last = events.iter().map(|m| m.until).chain(bounds.map(|b| b.1)).max();
    if let (Some(from), Some(until)) = (first, last) {
        return Some((from, until));
    }
    let (start, end) = (moment("start"), moment("end"));
    if start.is_none() && end.is_none() {
        return None;
    }
    // Senders mix up the ends; what lies between them is meant either way.
    let (start, end) = match (start, end) {
        (Some(start), Some(end)) if end.until <= start.from => (Some(end), Some(start)),
        ends => ends,
    };
    let from = start.map_or(Timestamp::MIN, |m| m.from);
    let until = end.map_or(Timestamp::MAX, |m| m.until);
    Some((from, until))
}
