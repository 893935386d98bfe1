//! Makes a member's body ready: references rewritten, lifted resources taken out of
//! `contained`, fragment ids kept apart between members.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::super::person::Person;
use super::super::resolve::Rewrite;
use super::Voice;

/// The body of a claim with its references rewritten. `own` is the reference of the group
/// itself: a resource does not link to itself.
pub(super) fn voice(person: &Person<'_>, claim: usize, rewrites: &[Rewrite], own: &str) -> Voice {
    let parsed: Value = serde_json::from_slice(person.claims[claim].body).unwrap_or_default();
    let mut body = match parsed {
        Value::Object(body) => Value::Object(body),
        // Never stored as a record; an empty body is still a valid beginning.
        _ => Value::Object(Map::new()),
    };
    for rewrite in rewrites {
        let Some(reference) = &rewrite.reference else { continue };
        if let Some(Value::Object(object)) = body.pointer_mut(&rewrite.pointer) {
            object.insert("reference".to_owned(), Value::String(reference.clone()));
        }
    }
    let mut body = match body {
        Value::Object(body) => body,
        _ => Map::new(),
    };
    for name in ["resourceType", "id"] {
        body.shift_remove(name);
    }
    let meta = body.shift_remove("meta").unwrap_or_default();
    take_out_lifted(person, claim, &mut body);
    for (name, value) in &mut body {
        drop_repeated_references(value, own, name == "link");
    }
    body.retain(|_, value| !is_empty(value));
    Voice { claim, body, meta }
}

/// Contained resources that were lifted are records of their own, also where they are about
/// somebody else.
fn take_out_lifted(person: &Person<'_>, claim: usize, body: &mut Map<String, Value>) {
    let key = person.claims[claim].key();
    let Some(Value::Array(contained)) = body.get_mut("contained") else { return };
    contained.retain(|inner| crate::flow::lifted_key(key, inner).is_none());
}

/// Two Goals of one list that have become one are listed once.
fn drop_repeated_references(value: &mut Value, own: &str, is_link: bool) {
    let Value::Array(items) = value else { return };
    let mut seen: BTreeSet<String> = BTreeSet::new();
    items.retain(|item| {
        // A Patient's link to a record that is now part of the same person says nothing.
        let linked = item.pointer("/other/reference").and_then(Value::as_str);
        if is_link && linked == Some(own) {
            return false;
        }
        let bare =
            item.as_object().filter(|o| o.keys().all(|k| k == "reference" || k == "display"));
        match bare.and_then(|o| o.get("reference")).and_then(Value::as_str) {
            Some(reference) => seen.insert(reference.to_owned()),
            None => true,
        }
    });
}

/// Fragment ids of different members that are equal name different things.
pub(super) fn part_contained(voices: &mut [Voice]) {
    for (place, voice) in voices.iter_mut().enumerate().skip(1) {
        let ids: BTreeSet<String> = fragment_ids(&voice.body).collect();
        if ids.is_empty() {
            continue;
        }
        let mut body = Value::Object(std::mem::take(&mut voice.body));
        rename_fragments(&mut body, &ids, &format!("m{}-", place + 1));
        if let Value::Object(body) = body {
            voice.body = body;
        }
    }
}

fn fragment_ids(body: &Map<String, Value>) -> impl Iterator<Item = String> + '_ {
    let contained = body.get("contained").and_then(Value::as_array).into_iter().flatten();
    contained.filter_map(|inner| inner.get("id")?.as_str()).map(str::to_owned)
}

fn rename_fragments(value: &mut Value, ids: &BTreeSet<String>, prefix: &str) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|i| rename_fragments(i, ids, prefix)),
        Value::Object(object) => {
            for (name, value) in object.iter_mut() {
                match value {
                    Value::String(text) if name == "reference" => {
                        if let Some(id) = text.strip_prefix('#').filter(|id| ids.contains(*id)) {
                            *text = format!("#{prefix}{id}");
                        }
                    }
                    Value::Array(inner) if name == "contained" => {
                        for resource in inner {
                            if let Some(Value::String(id)) = resource.get_mut("id") {
                                *id = format!("{prefix}{id}");
                            }
                            rename_fragments(resource, ids, prefix);
                        }
                    }
                    _ => rename_fragments(value, ids, prefix),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What nothing refers to may not be contained (dom-3).
pub(super) fn drop_unreferenced_contained(body: &mut Map<String, Value>) {
    let Some(Value::Array(mut contained)) = body.shift_remove("contained") else { return };
    let mut used = BTreeSet::new();
    body.values().for_each(|v| collect_fragments(v, &mut used));
    // References among contained resources: as many rounds as there are resources at most.
    for _ in 0..contained.len() {
        let before = used.len();
        for inner in &contained {
            if inner.get("id").and_then(Value::as_str).is_some_and(|id| used.contains(id)) {
                collect_fragments(inner, &mut used);
            }
        }
        if used.len() == before {
            break;
        }
    }
    contained.retain(|inner| {
        let id = inner.get("id").and_then(Value::as_str);
        id.is_some_and(|id| used.contains(id)) || refers_to_container(inner)
    });
    if !contained.is_empty() {
        body.insert("contained".to_owned(), Value::Array(contained));
    }
}

fn refers_to_container(inner: &Value) -> bool {
    let mut used = BTreeSet::new();
    collect_fragments(inner, &mut used);
    used.contains("")
}

fn collect_fragments(value: &Value, used: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|i| collect_fragments(i, used)),
        Value::Object(object) => {
            let reference = object.get("reference").and_then(Value::as_str);
            if let Some(fragment) = reference.and_then(|r| r.strip_prefix('#')) {
                used.insert(fragment.to_owned());
            }
            object.values().for_each(|v| collect_fragments(v, used));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(object) => object.is_empty(),
        Value::Null => true,
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}
