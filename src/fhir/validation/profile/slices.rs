//! Which slice a value belongs to: discriminators as JSON Schema.
//! <https://hl7.org/fhir/R4/profiling.html#discriminator>

use serde_json::{Map, Value, json};

use super::Definitions;
use super::schema::{binding, is_array, kind_of};
use super::tree::{Slicing, Spec};

/// The schema that exactly the values of a slice satisfy; `None` if that cannot be told from the
/// value alone, as when the target of a reference decides.
pub(super) fn matcher(
    spec: &Spec,
    slice: &Spec,
    kind: &str,
    definitions: &Definitions,
) -> Option<Value> {
    let by_url = [("value".to_owned(), "url".to_owned())];
    let discriminators = match spec.slicing.as_ref() {
        Some(Slicing { discriminators, .. }) if !discriminators.is_empty() => discriminators,
        // Extensions are always told apart by their URL.
        _ if kind == "Extension" => by_url.as_slice(),
        _ => return None,
    };
    let all: Option<Vec<Value>> = discriminators
        .iter()
        .map(|(by, path)| match by.as_str() {
            "value" | "pattern" if path == "$this" => identity(slice, kind, definitions),
            "value" | "pattern" => {
                let steps: Vec<&str> = path.split('.').collect();
                value_at(slice, &steps, kind, definitions)
            }
            "exists" => exists(slice, path),
            "type" => of_type(slice, path, kind),
            _ => None,
        })
        .collect();
    all.map(|all| json!({"allOf": all}))
}

/// A schema of all that has what the pattern has.
pub(super) fn pattern(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let names: Vec<&String> = members.keys().collect();
            let properties: Map<String, Value> =
                members.iter().map(|(name, value)| (name.clone(), pattern(value))).collect();
            json!({"type": "object", "required": names, "properties": properties})
        }
        Value::Array(items) => {
            let all: Vec<Value> =
                items.iter().map(|item| json!({"contains": pattern(item)})).collect();
            json!({"type": "array", "allOf": all})
        }
        _ => json!({"const": value}),
    }
}

/// What the value itself must be.
fn identity(spec: &Spec, kind: &str, definitions: &Definitions) -> Option<Value> {
    if let Some(fixed) = &spec.fixed {
        return Some(json!({"const": fixed}));
    }
    if let Some(demanded) = &spec.pattern {
        return Some(pattern(demanded));
    }
    let set = spec.binding.as_deref()?;
    binding(definitions, set, kind, true)
}

/// What must stand at a path below the value.
fn value_at(spec: &Spec, steps: &[&str], kind: &str, definitions: &Definitions) -> Option<Value> {
    let (name, rest) = steps.split_first()?;
    if name.contains('(') {
        return None;
    }
    let inner = kind_of(kind, name);
    let child = spec.child(name);
    let found = child.and_then(|child| match rest {
        [] => identity(child, &inner, definitions),
        _ => value_at(child, rest, &inner, definitions),
    });
    if let Some(found) = found {
        let value = if is_array(kind, name) { json!({"contains": found}) } else { found };
        return Some(json!({"required": [name], "properties": {*name: value}}));
    }
    if let Some(whole) = spec.fixed.as_ref().or(spec.pattern.as_ref()) {
        return only(whole, steps).map(|part| pattern(&part));
    }
    let is_url = *name == "url" && kind == "Extension";
    let url = spec.types.first().filter(|_| is_url)?.profiles.first()?;
    Some(json!({"required": ["url"], "properties": {"url": {"const": url}}}))
}

/// A value with nothing but what stands at a path.
fn only(value: &Value, steps: &[&str]) -> Option<Value> {
    let Some((name, rest)) = steps.split_first() else { return Some(value.clone()) };
    if let Value::Array(items) = value {
        return items.iter().map(|item| only(item, steps)).collect();
    }
    Some(json!({*name: only(value.get(name)?, rest)?}))
}

fn exists(spec: &Spec, path: &str) -> Option<Value> {
    let child = spec.child(path)?;
    let present = json!({"required": [path]});
    match (child.min, child.max) {
        (_, Some(0)) => Some(json!({"not": present})),
        (1.., _) => Some(present),
        _ => None,
    }
}

/// Resources are told apart by their type: contained ones, and those of a Bundle's entries.
fn of_type(spec: &Spec, path: &str, kind: &str) -> Option<Value> {
    let typed = |spec: &Spec| {
        let names: Vec<&str> = spec.types.iter().map(|t| t.code.as_str()).collect();
        json!({"required": ["resourceType"], "properties": {"resourceType": {"enum": names}}})
    };
    match path {
        "$this" if kind == "Resource" => Some(typed(spec)),
        "resource" => {
            let inner = typed(spec.child("resource")?);
            Some(json!({"required": ["resource"], "properties": {"resource": inner}}))
        }
        _ => None,
    }
}
