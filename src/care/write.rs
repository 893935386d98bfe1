//! A care record as FHIR resources.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::record_map::{Field, Form, Section};

/// The extension that keeps a field which FHIR has no element for: `{"name": value}` as text.
pub(super) const FIELD: &str =
    "https://careweave.example/fhir/StructureDefinition/care-record-field";
/// The same, of the record as a whole; it stands on the Patient.
pub(super) const RECORD_FIELD: &str =
    "https://careweave.example/fhir/StructureDefinition/care-record-top-field";
/// Tags that say which section a resource is of.
pub(super) const SECTION: &str = "https://careweave.example/fhir/CodeSystem/care-record-section";
/// The tag that says that what marks the section was added by us.
pub(super) const ADDED: &str = "mark-added";

/// Where the items of the record are: id to literal reference.
pub(super) type Items = HashMap<String, String>;

/// Writes items.
pub(super) struct Writer<'a> {
    pub(super) items: &'a Items,
    pub(super) person: &'a str,
}

impl Writer<'_> {
    /// An item as a resource.
    pub(super) fn resource(&self, section: &Section, item: &Map<String, Value>) -> Value {
        let mut out = Map::new();
        out.insert("resourceType".to_owned(), json!(section.resource));
        let id = item.get("id").and_then(Value::as_str).unwrap_or_default();
        out.insert("id".to_owned(), json!(resource_id(self.person, id)));
        if let Some(subject) = &section.subject {
            let patient = format!("Patient/{}", self.person);
            out.insert(subject.clone(), json!({"reference": patient}));
        }
        self.fields(&section.fields, item, &mut out, &["id"]);
        let mut tags = vec![json!({"system": SECTION, "code": section.name})];
        for (element, mark) in &section.adds {
            let mark = mark.as_array().map(Vec::as_slice).unwrap_or_default();
            let list = out.entry(element.clone()).or_insert_with(|| json!([]));
            let Value::Array(list) = list else { continue };
            let code = mark.first().and_then(|m| m.pointer("/coding/0/code"));
            let has = list.iter().any(|concept| {
                let codings = concept.get("coding").and_then(Value::as_array);
                codings.into_iter().flatten().any(|coding| coding.get("code") == code)
            });
            if !has {
                list.extend(mark.iter().cloned());
                tags.push(json!({"system": SECTION, "code": ADDED}));
            }
        }
        out.insert("meta".to_owned(), json!({"tag": tags}));
        Value::Object(out)
    }

    /// Writes the fields of an object; what no field takes is kept in an extension.
    fn fields(
        &self,
        fields: &[Field],
        from: &Map<String, Value>,
        out: &mut Map<String, Value>,
        known: &[&str],
    ) {
        for field in fields {
            if let Some(value) = from.get(&field.name) {
                self.field(field, value, out);
            }
        }
        for (name, value) in from {
            let taken = known.contains(&name.as_str()) || fields.iter().any(|f| f.name == *name);
            if !taken {
                push(out, "extension", kept(FIELD, name, value));
            }
        }
    }

    fn field(&self, field: &Field, value: &Value, out: &mut Map<String, Value>) {
        if field.inner {
            let (kind, value) = match field.form {
                Form::Party => ("valueReference", self.party(value)),
                Form::Concept => ("valueCodeableConcept", concept(field, value)),
                _ => ("valueCode", value.clone()),
            };
            return push(out, "extension", json!({"url": field.at, kind: value}));
        }
        let url = field.url.as_deref().unwrap_or_default();
        match field.form {
            Form::Choice => {
                let (kind, value) = choice(value);
                put(out, &format!("{}{kind}", field.at), value);
            }
            Form::ExtensionParties => {
                for party in list(value) {
                    let held = json!({"url": url, "valueReference": self.party(party)});
                    push(out, "extension", held);
                }
            }
            Form::ExtensionGroups => {
                for group in list(value) {
                    let mut held = Map::from_iter([("url".to_owned(), json!(url))]);
                    self.object(field, group, &mut held);
                    push(out, "extension", Value::Object(held));
                }
            }
            _ => put(out, &field.at, self.plain(field, value)),
        }
    }

    fn plain(&self, field: &Field, value: &Value) -> Value {
        let each = |of: &dyn Fn(&Value) -> Value| list(value).map(of).collect::<Vec<_>>().into();
        let group = |value: &Value| {
            let mut held = Map::new();
            self.object(field, value, &mut held);
            Value::Object(held)
        };
        match field.form {
            Form::Concept => concept(field, value),
            Form::Concepts => each(&|value| concept(field, value)),
            Form::Coding => match value {
                Value::String(code) => json!({"system": field.system, "code": code}),
                other => other.clone(),
            },
            Form::Party => self.party(value),
            Form::Parties => each(&|value| self.party(value)),
            Form::Notes => each(&|value| match value {
                Value::String(text) => json!({"text": text}),
                other => other.clone(),
            }),
            Form::Group => group(value),
            Form::Groups => each(&group),
            _ => value.clone(),
        }
    }

    fn object(&self, field: &Field, value: &Value, out: &mut Map<String, Value>) {
        if let Value::Object(members) = value {
            self.fields(&field.fields, members, out, &[]);
        }
    }

    fn party(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => match self.items.get(text) {
                Some(reference) => json!({"reference": reference}),
                None => json!({"display": text}),
            },
            other => other.clone(),
        }
    }
}

/// The id of the resource of an item: unique at the endpoint, as items are in their record.
pub(super) fn resource_id(person: &str, item: &str) -> String {
    if item == person { item.to_owned() } else { format!("{person}.{item}") }
}

/// A field that FHIR has no element for.
pub(super) fn kept(url: &str, name: &str, value: &Value) -> Value {
    let field = Value::Object(Map::from_iter([(name.to_owned(), value.clone())]));
    json!({"url": url, "valueString": field.to_string()})
}

/// Adds to a list.
pub(super) fn push(out: &mut Map<String, Value>, name: &str, value: Value) {
    if let Value::Array(list) = out.entry(name.to_owned()).or_insert_with(|| json!([])) {
        list.push(value);
    }
}

fn put(out: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            out.insert(path.to_owned(), value);
        }
        Some((name, rest)) => {
            if let Value::Object(inner) = out.entry(name.to_owned()).or_insert_with(|| json!({})) {
                put(inner, rest, value);
            }
        }
    }
}

fn concept(field: &Field, value: &Value) -> Value {
    match (value, &field.system) {
        (Value::String(code), Some(system)) => {
            json!({"coding": [{"system": system, "code": code}]})
        }
        (Value::String(text), None) => json!({"text": text}),
        (other, _) => coded(other),
    }
}

/// `codes` is what FHIR calls `coding`.
fn coded(value: &Value) -> Value {
    let Value::Object(members) = value else { return value.clone() };
    let renamed = members.iter().map(|(name, value)| {
        let name = if name == "codes" { "coding" } else { name.as_str() };
        (name.to_owned(), value.clone())
    });
    Value::Object(renamed.collect())
}

/// The type of a choice, and its value.
fn choice(value: &Value) -> (String, Value) {
    let plain = |kind: &str| (kind.to_owned(), value.clone());
    let Value::Object(members) = value else {
        return plain(match value {
            Value::Bool(_) => "Boolean",
            Value::Number(_) => "Integer",
            _ => "String",
        });
    };
    if let Some(kind) = members.get("type").and_then(Value::as_str) {
        return (kind.to_owned(), members.get("value").cloned().unwrap_or_default());
    }
    match members.contains_key("codes") || members.contains_key("text") {
        true => ("CodeableConcept".to_owned(), coded(value)),
        false => plain("Quantity"),
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
