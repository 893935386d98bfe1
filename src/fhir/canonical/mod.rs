//! Canonical JSON: elements in R4 order, no white space, decimals with every digit they came with
//! (serde_json writes an exponent as `e+5`, however it was written).
//! <https://hl7.org/fhir/R4/json.html>, <https://hl7.org/fhir/R4/xml.html#order>

mod order;

use serde_json::{Map, Value};

use order::{Child, Node, Place};

/// The resource with `resourceType` first and every object's members in R4 element order
/// (`_x` right after `x`; unknown members last, by name). Contained resources too.
pub fn canonicalise(mut resource: Value) -> Value {
    arrange(&mut resource, Child::Resource);
    resource
}

/// The canonical bytes of a resource.
pub fn canonical_bytes(resource: Value) -> Vec<u8> {
    canonical_bytes_of(&resource)
}

/// The canonical bytes of a resource that stays with its owner; nothing is copied but bytes.
pub fn canonical_bytes_of(resource: &Value) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    write(resource, Child::Resource, &mut out);
    out
}

fn arrange(value: &mut Value, child: Child) {
    match value {
        Value::Object(members) => arrange_object(members, child),
        Value::Array(items) => items.iter_mut().for_each(|item| arrange(item, child)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn arrange_object(members: &mut Map<String, Value>, child: Child) {
    let node = child.node(members);
    let mut guess = 0;
    let mut in_order = true;
    let mut last = None;
    for (name, value) in members.iter_mut() {
        let (place, next) = node.find(name, &mut guess);
        in_order &= last.is_none_or(|last| last < place);
        last = Some(place);
        arrange(value, next);
    }
    if in_order {
        return;
    }
    let mut loose: Vec<(String, Value)> = std::mem::take(members).into_iter().collect();
    loose.sort_by(|(a, _), (b, _)| node.find(a, &mut 0).0.cmp(&node.find(b, &mut 0).0));
    members.extend(loose);
}

fn write(value: &Value, child: Child, out: &mut Vec<u8>) {
    match value {
        Value::Object(members) => write_object(members, child, out),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(item, child, out);
            }
            out.push(b']');
        }
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(truth) => out.extend_from_slice(if *truth { b"true" } else { b"false" }),
        Value::Number(number) => out.extend_from_slice(number.as_str().as_bytes()),
        Value::String(text) => write_text(text, out),
    }
}

fn write_object(members: &Map<String, Value>, child: Child, out: &mut Vec<u8>) {
    let node = child.node(members);
    let mut guess = 0;
    let mut in_order = true;
    let mut placed: Vec<(Place<'_>, &str, &Value, Child)> = Vec::with_capacity(members.len());
    for (name, value) in members {
        let (place, next) = node.find(name, &mut guess);
        in_order &= placed.last().is_none_or(|(last, ..)| *last < place);
        placed.push((place, name.as_str(), value, next));
    }
    if !in_order {
        placed.sort_unstable_by_key(|(place, ..)| *place);
    }
    out.push(b'{');
    for (index, (_, name, value, next)) in placed.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_text(name, out);
        out.push(b':');
        write(value, next, out);
    }
    out.push(b'}');
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    serde_json::to_writer(out, text).expect("text can always be written to memory");
}

impl Child {
    /// The order table for an object in this place.
    fn node(self, members: &Map<String, Value>) -> &'static Node {
        match self {
            Self::Resource => {
                order::resource(members.get("resourceType").and_then(Value::as_str).unwrap_or(""))
            }
            Self::Element(index) => order::node(index),
        }
    }
}

#[cfg(test)]
mod tests;
