//! The care record: one person's care management as JSON, to FHIR and back.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::read::{Reading, restore, tags, take_extensions};
use super::record_map::{RecordMap, Section};
use super::record_schema::{Fault, RecordSchema};
use super::write::{Items, RECORD_FIELD, Writer, kept, push, resource_id};

const MAP: &str = include_str!("../../profiles/care-record-map.json");
const SCHEMA: &str = include_str!("../../profiles/care-record.schema.json");
/// The member that says that a JSON object is a care record, and of which version.
pub const CARE_RECORD: &str = "careRecord";
/// The version of the format.
pub(super) const VERSION: &str = "1.0";
/// What a record says could not be represented.
const NOT_REPRESENTED: &str = "notRepresented";

/// Reads and writes care records.
#[derive(Debug)]
pub struct Records {
    map: RecordMap,
    schema: RecordSchema,
}

impl Records {
    /// As compiled in.
    ///
    /// # Panics
    /// Never: a test reads map and schema.
    pub fn embedded() -> Self {
        Self {
            map: RecordMap::parse(MAP).expect("the embedded record map is tested to be right"),
            schema: RecordSchema::compile(SCHEMA).expect("the embedded schema is tested"),
        }
    }

    /// The JSON Schema of a care record.
    pub fn schema(&self) -> &Value {
        self.schema.text()
    }

    /// Its sections and fields.
    pub(super) fn map(&self) -> &RecordMap {
        &self.map
    }

    /// Everything that is wrong with a record, in the order of the schema.
    pub fn check(&self, record: &Value) -> Vec<Fault> {
        let mut faults = self.schema.check(record);
        if faults.is_empty() {
            self.items(record, &mut faults);
        }
        faults
    }

    /// The resources that a record states, the Patient first.
    ///
    /// # Errors
    /// Everything that is wrong with the record.
    pub fn to_fhir(&self, record: &Value) -> Result<Vec<Value>, Vec<Fault>> {
        let mut faults = self.schema.check(record);
        if !faults.is_empty() {
            return Err(faults);
        }
        let items = self.items(record, &mut faults);
        if !faults.is_empty() {
            return Err(faults);
        }
        let person = record.pointer("/person/id").and_then(Value::as_str).unwrap_or_default();
        let writer = Writer { items: &items, person };
        let mut resources: Vec<Value> =
            self.stated(record).map(|(_, section, item)| writer.resource(section, item)).collect();
        let known = |name: &str| {
            name == CARE_RECORD || self.map.sections.iter().any(|section| section.name == name)
        };
        let others = record.as_object().into_iter().flatten().filter(|(name, _)| !known(name));
        for (name, value) in others {
            if let Some(Value::Object(patient)) = resources.first_mut() {
                push(patient, "extension", kept(RECORD_FIELD, name, value));
            }
        }
        Ok(resources)
    }

    /// A Bundle of the resources that the text of a record states.
    ///
    /// # Errors
    /// In one line, the first faults: where, what is wrong, what to do.
    pub fn bundle(&self, text: &[u8]) -> Result<Vec<u8>, String> {
        let broken = |e: serde_json::Error| {
            format!("not JSON: reading stopped at line {}, column {}", e.line(), e.column())
        };
        let record: Value = serde_json::from_slice(text).map_err(broken)?;
        self.bundle_of(&record)
    }

    /// A Bundle of the resources that a record states.
    ///
    /// # Errors
    /// As [`Self::bundle`].
    pub(super) fn bundle_of(&self, record: &Value) -> Result<Vec<u8>, String> {
        let resources = self.to_fhir(record).map_err(|faults| told(&faults))?;
        let entries = resources.into_iter().map(|resource| json!({"resource": resource}));
        let entries: Vec<Value> = entries.collect();
        let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": entries});
        Ok(bundle.to_string().into_bytes())
    }

    /// The record of a person: the Patient first, then their resources in any order. What no
    /// field takes is listed under `notRepresented`.
    pub fn from_fhir(&self, resources: &[Value]) -> Value {
        let patient = resources.iter().find(|r| type_of(r) == "Patient");
        let person = patient.and_then(|p| p.get("id")).and_then(Value::as_str).unwrap_or_default();
        let names = Names::of(resources, person);
        let ids: HashSet<&str> = names.items.values().map(String::as_str).collect();
        let reading = Reading { items: &names.items, ids: &ids };
        let referred = self.referred(resources);
        let mut sections: BTreeMap<usize, Vec<Value>> = BTreeMap::new();
        let mut left = Vec::new();
        let mut foreign: BTreeMap<&str, usize> = BTreeMap::new();
        let mut top = Vec::new();
        for resource in resources {
            let Some(at) = self.section_of(resource, &referred) else {
                *foreign.entry(type_of(resource)).or_default() += 1;
                continue;
            };
            let reference = reference_of(resource);
            let id = names.items.get(&reference).map_or("", String::as_str);
            let mut resource = resource.clone();
            if let (0, Some(members)) = (at, resource.as_object_mut()) {
                top.extend(take_extensions(members, RECORD_FIELD));
            }
            let read = reading.resource(&self.map.sections[at], id, &resource);
            if !read.left.is_empty() {
                left.push(json!({"reference": reference, "elements": read.left}));
            }
            sections.entry(at).or_default().push(Value::Object(read.item));
        }
        let others = foreign.into_iter().map(|(name, n)| json!({"resourceType": name, "count": n}));
        left.extend(others);
        let mut record = Map::from_iter([(CARE_RECORD.to_owned(), json!(VERSION))]);
        for (at, mut items) in sections {
            let value = if at == 0 { items.swap_remove(0) } else { items.into() };
            record.insert(self.map.sections[at].name.clone(), value);
        }
        restore(top, &mut record);
        if !left.is_empty() {
            match record.get_mut(NOT_REPRESENTED) {
                Some(Value::Array(before)) => before.extend(left),
                _ => {
                    record.insert(NOT_REPRESENTED.to_owned(), left.into());
                }
            }
        }
        Value::Object(record)
    }

    /// The items of a record, each with its place and section.
    fn stated<'r>(
        &'r self,
        record: &'r Value,
    ) -> impl Iterator<Item = (String, &'r Section, &'r Map<String, Value>)> {
        self.map.sections.iter().flat_map(move |section| {
            let (list, one) = match record.get(&section.name) {
                Some(Value::Array(items)) => (items.as_slice(), None),
                other => (&[][..], other.and_then(Value::as_object)),
            };
            let name = &section.name;
            let items = list.iter().enumerate().filter_map(move |(index, item)| {
                Some((format!("/{name}/{index}"), section, item.as_object()?))
            });
            one.map(|item| (format!("/{name}"), section, item)).into_iter().chain(items)
        })
    }

    /// Where the items are; two of one id are a fault.
    fn items(&self, record: &Value, faults: &mut Vec<Fault>) -> Items {
        let person = record.pointer("/person/id").and_then(Value::as_str).unwrap_or_default();
        let mut items = Items::new();
        for (path, section, item) in self.stated(record) {
            let id = item.get("id").and_then(Value::as_str).unwrap_or_default();
            let reference = format!("{}/{}", section.resource, resource_id(person, id));
            if items.insert(id.to_owned(), reference).is_some() {
                let path = format!("{path}/id");
                let text = "another item of this record has this id; give each item its own";
                faults.push(Fault { path, text: text.to_owned() });
            }
        }
        items
    }

    /// The section of a resource: by its tag, by a mark, by its type.
    fn section_of(&self, resource: &Value, referred: &HashSet<(usize, String)>) -> Option<usize> {
        let of_type = || {
            let sections = self.map.sections.iter().enumerate();
            sections.filter(|(_, section)| section.resource == type_of(resource))
        };
        let tagged = of_type().find(|(_, section)| tags(resource).any(|tag| tag == section.name));
        let marked = || {
            of_type().find(|(at, section)| {
                let reference = reference_of(resource);
                section.rules.iter().any(|rule| match &rule.referred_by {
                    Some(_) => referred.contains(&(*at, reference.clone())),
                    None => has_code(resource, &rule.at, &rule.system, &rule.codes),
                })
            })
        };
        let plain = || of_type().find(|(_, section)| section.rules.is_empty());
        tagged.or_else(marked).or_else(plain).map(|(at, _)| at)
    }

    /// What other resources make items of a section by referring to them.
    fn referred(&self, resources: &[Value]) -> HashSet<(usize, String)> {
        let mut found = HashSet::new();
        for (at, section) in self.map.sections.iter().enumerate() {
            for rule in &section.rules {
                let Some(by) = &rule.referred_by else { continue };
                for resource in resources.iter().filter(|r| type_of(r) == by.as_str()) {
                    let list = resource.get(&rule.at).and_then(Value::as_array);
                    let references = list.into_iter().flatten();
                    let references = references.filter_map(|r| r.get("reference")?.as_str());
                    found.extend(references.map(|reference| (at, reference.to_owned())));
                }
            }
        }
        found
    }
}

/// So many faults are told in one line.
const TOLD_MAX: usize = 5;

fn told(faults: &[Fault]) -> String {
    let first = faults.iter().take(TOLD_MAX);
    let first: Vec<String> = first.map(|f| format!("{}: {}", f.path, f.text)).collect();
    match faults.len().saturating_sub(TOLD_MAX) {
        0 => first.join("; "),
        more => format!("{}; and {more} more", first.join("; ")),
    }
}

/// The ids of items.
struct Names {
    /// Literal reference to id.
    items: HashMap<String, String>,
}

impl Names {
    fn of(resources: &[Value], person: &str) -> Self {
        let prefix = format!("{person}.");
        let mut items = HashMap::new();
        let mut taken = HashSet::new();
        for resource in resources {
            let id = resource.get("id").and_then(Value::as_str).unwrap_or_default();
            let mut short = id.strip_prefix(&prefix).unwrap_or(id).to_owned();
            // Two types may use one id; FHIR's ids are unique within a type only.
            if !taken.insert(short.clone()) {
                short = format!("{}-{short}", type_of(resource).to_ascii_lowercase());
                taken.insert(short.clone());
            }
            items.insert(reference_of(resource), short);
        }
        Self { items }
    }
}

fn type_of(resource: &Value) -> &str {
    resource.get("resourceType").and_then(Value::as_str).unwrap_or_default()
}

fn reference_of(resource: &Value) -> String {
    let id = resource.get("id").and_then(Value::as_str).unwrap_or_default();
    format!("{}/{id}", type_of(resource))
}

fn has_code(resource: &Value, element: &str, system: &str, codes: &[String]) -> bool {
    let concepts = match resource.get(element) {
        Some(Value::Array(list)) => list.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    let codings = concepts.iter().filter_map(|c| c.get("coding")?.as_array()).flatten();
    codings.into_iter().any(|coding| {
        let text = |name: &str| coding.get(name).and_then(Value::as_str).unwrap_or_default();
        text("system") == system && (codes.is_empty() || codes.iter().any(|c| c == text("code")))
    })
}
