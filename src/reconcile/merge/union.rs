//! Union: all that any member states, each thing once.

use serde_json::{Map, Value};

use crate::flow::Choice;

use super::super::person::Person;
use super::element::{Part, completeness};
use super::spelling;

/// Unites the parts, given in the order in which they count, into `body`.
pub(super) fn unite(
    person: &Person<'_>,
    kind: &str,
    parts: Vec<Part>,
    body: &mut Map<String, Value>,
    choices: &mut Vec<Choice>,
) {
    let mut names: Vec<String> = parts.iter().flat_map(|p| p.value.keys().cloned()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let said: Vec<(usize, &Value)> =
            parts.iter().filter_map(|p| p.value.get(&name).map(|v| (p.claim, v))).collect();
        let Some((first, value)) = said.first() else { continue };
        let united = match value {
            Value::Array(_) => unite_lists(&name, &said),
            Value::Object(_) => unite_concepts(&said),
            // A modifier counts if anyone states it.
            Value::Bool(_) => Value::Bool(said.iter().any(|(_, v)| v.as_bool() == Some(true))),
            Value::Null | Value::Number(_) | Value::String(_) => (*value).clone(),
        };
        let others: Vec<_> = said
            .iter()
            .skip(1)
            .filter(|(_, v)| v.is_object() && loses_text(value, v))
            .map(|(claim, v)| (person.claims[*claim].id, v.to_string().into()))
            .collect();
        if !others.is_empty() {
            choices.push(Choice {
                element: format!("{kind}.{name}").into(),
                rule: "union".into(),
                from: person.claims[*first].id,
                others,
            });
        }
        body.insert(name, united);
    }
}

fn unite_lists(name: &str, said: &[(usize, &Value)]) -> Value {
    let mut all: Vec<Value> = Vec::new();
    for (place, (_, value)) in said.iter().enumerate() {
        let items = value.as_array().into_iter().flatten();
        let from_here = all.len();
        for item in items {
            // What one member repeats on purpose stays; only what an earlier one said is known.
            let known = if place == 0 { None } else { find(name, &all[..from_here], item) };
            match known {
                Some(at) if matches!(name, "name" | "telecom" | "address") => {
                    if spelling::is_fuller(item, &all[at]) {
                        all[at] = item.clone();
                    }
                }
                Some(at) => all[at] = unite_items(&all[at], item),
                None => all.push(item.clone()),
            }
        }
    }
    Value::Array(all)
}

/// Where an item of the same meaning stands.
fn find(name: &str, all: &[Value], item: &Value) -> Option<usize> {
    let same = |known: &&Value| match name {
        // One extension has one value; the first to count keeps it.
        "extension" => known.get("url").is_some() && known.get("url") == item.get("url"),
        "name" => spelling::same_name(known, item),
        "telecom" => spelling::same_telecom(known, item),
        "address" => spelling::same_address(known, item),
        "identifier" => {
            let parts = |v: &Value| (v.get("system").cloned(), v.get("value").cloned());
            parts(known) == parts(item)
        }
        // Those of a team, and those of an appointment.
        "participant" => ["/member/reference", "/actor/reference"]
            .into_iter()
            .any(|who| known.pointer(who).is_some() && known.pointer(who) == item.pointer(who)),
        "activity" => same_activity(known, item),
        _ => same_item(known, item),
    };
    all.iter().position(|known| same(&known))
}

fn same_item(a: &Value, b: &Value) -> bool {
    let reference = |v: &Value| v.get("reference").and_then(Value::as_str).map(str::to_owned);
    match (reference(a), reference(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a == b || shares_coding(a, b),
    }
}

fn same_activity(a: &Value, b: &Value) -> bool {
    let reference = |v: &Value| v.pointer("/reference/reference").cloned();
    match (reference(a), reference(b)) {
        (Some(a), Some(b)) => a == b,
        (None, None) => match (a.pointer("/detail/code"), b.pointer("/detail/code")) {
            (Some(x), Some(y)) => shares_coding(x, y) || x == y,
            _ => a == b,
        },
        _ => false,
    }
}

/// The item with more to say, with the codings of both.
fn unite_items(known: &Value, item: &Value) -> Value {
    if known.get("coding").is_some() && item.get("coding").is_some() {
        return unite_concepts(&[(0, known), (0, item)]);
    }
    if completeness(item) > completeness(known) && known.get("url").is_none() {
        return item.clone();
    }
    known.clone()
}

/// One CodeableConcept (or other object) with the codings of all; text of the first that has one.
fn unite_concepts(said: &[(usize, &Value)]) -> Value {
    let mut united = said.first().map(|(_, v)| (*v).clone()).unwrap_or_default();
    let is_concept = |v: &Value| v.get("coding").is_some() || v.get("text").is_some();
    let Some(object) = united.as_object_mut() else { return united };
    for (_, value) in said.iter().skip(1).filter(|(_, v)| is_concept(v)) {
        for item in value.get("coding").and_then(Value::as_array).into_iter().flatten() {
            let codings = object.entry("coding").or_insert_with(|| Value::Array(Vec::new()));
            let Some(codings) = codings.as_array_mut() else { continue };
            if !codings.iter().any(|known| coding(known) == coding(item)) {
                codings.push(item.clone());
            }
        }
        if let Some(text) = value.get("text").filter(|_| !object.contains_key("text")) {
            object.insert("text".to_owned(), text.clone());
        }
    }
    united
}

/// Whether a concept's own words would be lost without a trace.
fn loses_text(shown: &Value, other: &Value) -> bool {
    let words = |v: &Value| {
        let text = v.get("text").and_then(Value::as_str).unwrap_or_default();
        crate::compare::clinical_text(text)
    };
    let (shown, other) = (words(shown), words(other));
    !other.is_empty() && shown != other
}

/// System and code of a coding that has both.
pub(super) fn coding(value: &Value) -> Option<(&str, &str)> {
    Some((value.get("system")?.as_str()?, value.get("code")?.as_str()?))
}

fn shares_coding(a: &Value, b: &Value) -> bool {
    let codings = |v: &Value| -> Vec<(String, String)> {
        let all = v.get("coding").and_then(Value::as_array).into_iter().flatten();
        all.filter_map(coding).map(|(s, c)| (s.to_owned(), c.to_owned())).collect()
    };
    let b = codings(b);
    codings(a).iter().any(|c| b.contains(c))
}
