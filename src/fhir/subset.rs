//! Parts of resources: `_summary` and `_elements`.
//! <https://hl7.org/fhir/R4/search.html#summary>, <https://hl7.org/fhir/R4/search.html#elements>

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::{Value, json};

use super::search::expression::states;

const EMBEDDED: &str = include_str!("../../profiles/summary-elements.json");
const TAG_SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";
const SUBSETTED: &str = "SUBSETTED";

/// What is given of a resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Subset {
    /// All of it.
    #[default]
    Whole,
    /// What R4 marks as summary, and what a resource must have.
    Summary,
    /// The narrative, and what a resource must have.
    Text,
    /// All but the narrative.
    Data,
    /// These elements, and what a resource must have.
    Elements(BTreeSet<Box<str>>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    types: BTreeMap<Box<str>, OfType>,
}

/// Elements of a type's first level, choice types without their suffix.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfType {
    summary: BTreeSet<Box<str>>,
    mandatory: BTreeSet<Box<str>>,
}

impl Subset {
    /// The part of a resource, tagged `SUBSETTED`; `None` for all of it, which is to be given as
    /// it stands, and for what is no resource.
    pub fn of(&self, resource: &[u8]) -> Option<Vec<u8>> {
        if *self == Self::Whole {
            return None;
        }
        let mut resource: Value = serde_json::from_slice(resource).ok()?;
        let members = resource.as_object_mut()?;
        let none = OfType::default();
        let name = members.get("resourceType").and_then(Value::as_str).unwrap_or_default();
        let of_type = tables().get(name).unwrap_or(&none);
        members.retain(|member, _| {
            let within = |set: &BTreeSet<Box<str>>| set.iter().any(|e| states(member, e));
            matches!(member.as_str(), "resourceType" | "id" | "meta")
                || match self {
                    Self::Whole => true,
                    Self::Summary => within(&of_type.summary) || within(&of_type.mandatory),
                    Self::Text => states(member, "text") || within(&of_type.mandatory),
                    Self::Data => !states(member, "text"),
                    Self::Elements(wanted) => within(wanted) || within(&of_type.mandatory),
                }
        });
        tag(members);
        serde_json::to_vec(&resource).ok()
    }
}

fn tag(members: &mut serde_json::Map<String, Value>) {
    if !members.contains_key("meta") {
        let at = usize::from(members.contains_key("resourceType"));
        let at = at + usize::from(members.contains_key("id"));
        members.shift_insert(at, "meta".to_owned(), json!({}));
    }
    let Some(meta) = members.get_mut("meta").and_then(Value::as_object_mut) else { return };
    let tags = meta.entry("tag").or_insert_with(|| json!([]));
    if let Some(tags) = tags.as_array_mut() {
        tags.push(json!({ "system": TAG_SYSTEM, "code": SUBSETTED }));
    }
}

fn tables() -> &'static BTreeMap<Box<str>, OfType> {
    static TABLES: OnceLock<BTreeMap<Box<str>, OfType>> = OnceLock::new();
    TABLES.get_or_init(|| {
        let file: File = serde_json::from_str(EMBEDDED).expect("the embedded table is tested");
        file.types
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::*;

    fn part(subset: &Subset, resource: &str) -> String {
        String::from_utf8(subset.of(resource.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn each_part_keeps_what_a_resource_must_have_and_its_digits() {
        let observation = concat!(
            r#"{"resourceType":"Observation","id":"1","text":{"div":"t"},"status":"final","#,
            r#""code":{"text":"c"},"valueQuantity":{"value":5.40},"_valueQuantity":{"id":"v"},"#,
            r#""note":[{"text":"n"}]}"#,
        );
        let tag = format!(r#"{{"tag":[{{"system":"{TAG_SYSTEM}","code":"{SUBSETTED}"}}]}}"#);
        let head = format!(r#"{{"resourceType":"Observation","id":"1","meta":{tag}"#);
        let must = r#""status":"final","code":{"text":"c"}"#;
        let value = r#""valueQuantity":{"value":5.40},"_valueQuantity":{"id":"v"}"#;
        let elements = |name: &str| Subset::Elements([name.into()].into());
        for (subset, rest) in [
            (Subset::Summary, format!("{must},{value}")),
            (Subset::Text, format!(r#""text":{{"div":"t"}},{must}"#)),
            (Subset::Data, format!(r#"{must},{value},"note":[{{"text":"n"}}]"#)),
            (elements("value"), format!("{must},{value}")),
            (elements("note"), format!(r#"{must},"note":[{{"text":"n"}}]"#)),
            (elements("nothing"), must.to_owned()),
        ] {
            assert_eq!(part(&subset, observation), format!("{head},{rest}}}"), "{subset:?}");
        }
        assert_eq!(Subset::Whole.of(observation.as_bytes()), None);
    }

    #[test]
    fn every_type_of_the_search_table_has_its_elements() {
        let table = crate::fhir::search::SearchTable::embedded();
        for (name, of_type) in tables() {
            let resource_type = crate::fhir::ResourceType::parse(name).unwrap();
            assert!(table.parameters(resource_type).len() > 5, "{name}");
            assert!(!of_type.summary.is_empty(), "{name}");
        }
        assert_eq!(tables().len(), 29);
    }
}
