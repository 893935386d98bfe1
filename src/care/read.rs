//! FHIR resources as items of a care record, with what no field takes.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::record_map::{Field, Form, Section};
use super::write::{ADDED, FIELD, SECTION};

/// Reads resources.
pub(super) struct Reading<'a> {
    /// Literal reference to item id.
    pub(super) items: &'a HashMap<String, String>,
    /// The ids of items; a name that is one of them is no mere name.
    pub(super) ids: &'a std::collections::HashSet<&'a str>,
}

/// What a resource came to.
pub(super) struct Read {
    pub(super) item: Map<String, Value>,
    /// Paths of elements that no field takes.
    pub(super) left: Vec<String>,
}

impl Reading<'_> {
    /// A resource as an item of a section.
    pub(super) fn resource(&self, section: &Section, id: &str, resource: &Value) -> Read {
        let mut from = resource.as_object().cloned().unwrap_or_default();
        for name in ["resourceType", "id"] {
            from.remove(name);
        }
        if let Some(subject) = &section.subject {
            from.remove(subject);
        }
        if from.get("text").is_some_and(|text| text.get("status") == Some(&json!("generated"))) {
            from.remove("text");
        }
        if tags(resource).any(|tag| tag == ADDED) {
            for (element, mark) in &section.adds {
                take_mark(&mut from, element, mark);
            }
        }
        let labels = from.remove("meta").is_some_and(|meta| meta.get("security").is_some());
        let mut left = Vec::new();
        let mut item = Map::from_iter([("id".to_owned(), json!(id))]);
        self.fields(&section.fields, &mut from, &mut item, &section.resource, &mut left);
        if labels {
            left.push(format!("{}.meta.security", section.resource));
        }
        left.extend(from.keys().map(|name| format!("{}.{name}", section.resource)));
        Read { item, left }
    }

    fn fields(
        &self,
        fields: &[Field],
        from: &mut Map<String, Value>,
        item: &mut Map<String, Value>,
        path: &str,
        left: &mut Vec<String>,
    ) {
        let kept = take_extensions(from, FIELD);
        for field in fields {
            if let Some(value) = self.field(field, from, path, left) {
                item.insert(field.name.clone(), value);
            }
        }
        restore(kept, item);
    }

    fn field(
        &self,
        field: &Field,
        from: &mut Map<String, Value>,
        path: &str,
        left: &mut Vec<String>,
    ) -> Option<Value> {
        if field.inner {
            let (kind, form) = match field.form {
                Form::Party => ("valueReference", Form::Party),
                Form::Concept => ("valueCodeableConcept", Form::Concept),
                _ => ("valueCode", Form::Value),
            };
            let value = take_extensions(from, &field.at).into_iter().next()?;
            return self.plain(field, form, value.get(kind)?.clone(), path, left);
        }
        let url = field.url.as_deref().unwrap_or_default();
        let path = format!("{path}.{}", field.at);
        match field.form {
            Form::Choice => take_choice(from, &field.at),
            Form::ExtensionParties => some(
                take_extensions(from, url)
                    .iter()
                    .filter_map(|extension| Some(self.party(extension.get("valueReference")?)))
                    .collect(),
            ),
            Form::ExtensionGroups => {
                let groups = take_extensions(from, url).into_iter().filter_map(|mut group| {
                    group.as_object_mut()?.remove("url");
                    self.group(field, group, &path, left)
                });
                some(groups.collect())
            }
            form => self.plain(field, form, take(from, &field.at)?, &path, left),
        }
    }

    fn plain(
        &self,
        field: &Field,
        form: Form,
        value: Value,
        path: &str,
        left: &mut Vec<String>,
    ) -> Option<Value> {
        Some(match form {
            Form::Concept => concept(field, value),
            Form::Concepts => each(value, |value| concept(field, value)),
            Form::Coding => match exact(&value, &["system", "code"]) {
                true if value.get("system").and_then(Value::as_str) == field.system.as_deref() => {
                    value.get("code")?.clone()
                }
                _ => value,
            },
            Form::Party => self.party(&value),
            Form::Parties => each(value, |value| self.party(&value)),
            Form::Notes => each(value, |value| match exact(&value, &["text"]) {
                true => value["text"].clone(),
                false => value,
            }),
            Form::Group => return self.group(field, value, path, left),
            Form::Groups => {
                let Value::Array(groups) = value else { return None };
                let groups = groups.into_iter().enumerate();
                let groups = groups.filter_map(|(index, group)| {
                    self.group(field, group, &format!("{path}[{index}]"), left)
                });
                return some(groups.collect());
            }
            _ => value,
        })
    }

    fn group(
        &self,
        field: &Field,
        value: Value,
        path: &str,
        left: &mut Vec<String>,
    ) -> Option<Value> {
        let Value::Object(mut from) = value else { return None };
        let mut item = Map::new();
        self.fields(&field.fields, &mut from, &mut item, path, left);
        left.extend(from.keys().map(|name| format!("{path}.{name}")));
        (!item.is_empty()).then_some(Value::Object(item))
    }

    fn party(&self, value: &Value) -> Value {
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        if exact(value, &["reference"])
            && let Some(id) = text("reference").and_then(|reference| self.items.get(reference))
        {
            return json!(id);
        }
        match text("display") {
            Some(name) if exact(value, &["display"]) && !self.ids.contains(name) => json!(name),
            _ => value.clone(),
        }
    }
}

/// The codes of a resource's section tags.
pub(super) fn tags(resource: &Value) -> impl Iterator<Item = &str> {
    let tags = resource.pointer("/meta/tag").and_then(Value::as_array).into_iter().flatten();
    let ours = tags.filter(|tag| tag.get("system").and_then(Value::as_str) == Some(SECTION));
    ours.filter_map(|tag| tag.get("code").and_then(Value::as_str))
}

/// Takes the extensions of a URL out.
pub(super) fn take_extensions(from: &mut Map<String, Value>, url: &str) -> Vec<Value> {
    let Some(Value::Array(all)) = from.remove("extension") else { return Vec::new() };
    let is_it = |value: &Value| value.get("url").and_then(Value::as_str) == Some(url);
    let (taken, others): (Vec<_>, Vec<_>) = all.into_iter().partition(is_it);
    if !others.is_empty() {
        from.insert("extension".to_owned(), others.into());
    }
    taken
}

/// Puts fields that extensions kept back in their place.
pub(super) fn restore(kept: Vec<Value>, item: &mut Map<String, Value>) {
    for extension in kept {
        let text = extension.get("valueString").and_then(Value::as_str).unwrap_or_default();
        let fields: Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
        for (name, value) in fields {
            item.entry(name).or_insert(value);
        }
    }
}

fn take(from: &mut Map<String, Value>, path: &str) -> Option<Value> {
    let Some((name, rest)) = path.split_once('.') else { return from.remove(path) };
    let inner = from.get_mut(name)?.as_object_mut()?;
    let value = take(inner, rest);
    if inner.is_empty() {
        from.remove(name);
    }
    value
}

fn take_choice(from: &mut Map<String, Value>, prefix: &str) -> Option<Value> {
    let is_it = |name: &&String| {
        let rest = name.strip_prefix(prefix).unwrap_or_default();
        rest.starts_with(|c: char| c.is_ascii_uppercase())
    };
    let name = from.keys().find(is_it)?.clone();
    let kind = &name[prefix.len()..];
    let value = from.remove(&name)?;
    let typed = |value: &Value| json!({"type": kind, "value": value});
    Some(match (kind, &value) {
        ("String", Value::String(_)) | ("Boolean", Value::Bool(_)) => value,
        ("Integer", Value::Number(_)) => value,
        ("CodeableConcept", v) if v.get("coding").is_some() || v.get("text").is_some() => {
            codes(value)
        }
        ("Quantity", v) if v.get("value").is_some() && v.get("text").is_none() => value,
        _ => typed(&value),
    })
}

fn take_mark(from: &mut Map<String, Value>, element: &str, mark: &Value) {
    let Some(Value::Array(list)) = from.get_mut(element) else { return };
    for concept in mark.as_array().into_iter().flatten() {
        if let Some(at) = list.iter().rposition(|known| known == concept) {
            list.remove(at);
        }
    }
    if list.is_empty() {
        from.remove(element);
    }
}

fn concept(field: &Field, value: Value) -> Value {
    if let Some(system) = field.system.as_deref() {
        let only =
            value.get("coding").and_then(Value::as_array).filter(|_| exact(&value, &["coding"]));
        return match only.map(Vec::as_slice) {
            Some([coding])
                if exact(coding, &["system", "code"])
                    && coding.get("system").and_then(Value::as_str) == Some(system) =>
            {
                coding["code"].clone()
            }
            _ => codes(value),
        };
    }
    if exact(&value, &["text"]) { value["text"].clone() } else { codes(value) }
}

fn codes(value: Value) -> Value {
    let Value::Object(members) = value else { return value };
    let renamed = members.into_iter().map(|(name, value)| {
        let name = if name == "coding" { "codes".to_owned() } else { name };
        (name, value)
    });
    Value::Object(renamed.collect())
}

/// Whether an object has exactly these members.
fn exact(value: &Value, names: &[&str]) -> bool {
    value.as_object().is_some_and(|members| {
        members.len() == names.len() && names.iter().all(|name| members.contains_key(*name))
    })
}

fn each(value: Value, of: impl Fn(Value) -> Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(of).collect::<Vec<_>>().into(),
        other => other,
    }
}

fn some(items: Vec<Value>) -> Option<Value> {
    (!items.is_empty()).then(|| items.into())
}
