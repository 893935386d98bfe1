//! Elements that change the meaning, and must never be lost or averaged.
//! <https://hl7.org/fhir/R4/conformance-rules.html#isModifier>

use serde_json::Value;

use super::reading::{each, tokens};

/// All modifiers of a resource, sorted. Those of contained resources are their own.
pub(super) fn modifiers(resource: &Value) -> Vec<Box<str>> {
    let mut found = Vec::new();
    collect(resource, &mut found);
    if resource.get("doNotPerform").and_then(Value::as_bool) == Some(true) {
        found.push("doNotPerform".into());
    }
    if let Some(rules) = resource.get("implicitRules").and_then(Value::as_str) {
        found.push(format!("implicitRules {rules}").into());
    }
    // "Do not contact the patient": an order detail that forbids.
    for token in each(resource.get("orderDetail")).flat_map(tokens) {
        if token.code.contains("prohibited") {
            found.push(format!("orderDetail {}|{}", token.system, token.code).into());
        }
    }
    found.sort();
    found.dedup();
    found
}

fn collect(value: &Value, found: &mut Vec<Box<str>>) {
    match value {
        Value::Object(members) => {
            for (name, inner) in members {
                if name == "modifierExtension" {
                    found.extend(each(Some(inner)).map(stated));
                } else if name != "contained" && name != "resource" {
                    collect(inner, found);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn stated(extension: &Value) -> Box<str> {
    let url = extension.get("url").and_then(Value::as_str).unwrap_or_default();
    let value = extension
        .as_object()
        .and_then(|members| members.iter().find(|(name, _)| name.starts_with("value")))
        .map(|(_, value)| value.to_string())
        .unwrap_or_default();
    format!("{url} {value}").trim_end().into()
}
