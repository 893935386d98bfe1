//! The concept map as FHIR states one, and as a table.
//! <https://hl7.org/fhir/R4/conceptmap.html>

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::concepts::{Concept, Concepts, Target};

/// The id under which it is served.
pub const CONCEPT_MAP_ID: &str = "care-concepts";
/// The code system of our concept ids.
const CONCEPTS: &str = "https://careweave.example/fhir/CodeSystem/care-concept";
/// The first row of the table.
const COLUMNS: [&str; 10] =
    ["row", "id", "says", "term", "element", "url", "system", "code", "display", "source"];

impl Concepts {
    /// A ConceptMap: from concept ids to codes, and to elements, by their element ids.
    pub fn concept_map(&self) -> Value {
        let mut groups: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for concept in self.all() {
            let mut by_group: BTreeMap<String, Vec<Value>> = BTreeMap::new();
            for target in &concept.targets {
                for (group, row) in rows(target) {
                    by_group.entry(group).or_default().push(row);
                }
            }
            for (group, targets) in by_group {
                let row = json!({"code": concept.id, "display": concept.says, "target": targets});
                groups.entry(group).or_default().push(row);
            }
        }
        let groups = groups.into_iter().map(
            |(target, element)| json!({"source": CONCEPTS, "target": target, "element": element}),
        );
        json!({
            "resourceType": "ConceptMap",
            "id": CONCEPT_MAP_ID,
            "url": format!("https://careweave.example/fhir/ConceptMap/{CONCEPT_MAP_ID}"),
            "name": "CareConcepts",
            "title": "Concepts of care management and where FHIR R4 holds them",
            "status": "active",
            "experimental": false,
            "group": groups.collect::<Vec<_>>(),
        })
    }

    /// Some of the concepts as CSV, one line for each code, or element without codes.
    pub fn csv<'c>(concepts: impl Iterator<Item = &'c Concept>) -> Vec<u8> {
        let mut table = csv::Writer::from_writer(Vec::new());
        // Writing to memory does not fail.
        let _ = table.write_record(COLUMNS);
        for concept in concepts {
            let row = concept.row.map(|row| row.to_string()).unwrap_or_default();
            for target in &concept.targets {
                let url = target.url.as_deref().unwrap_or_default();
                let mut line = |system: &str, code: &str, display: &str| {
                    let _ = table.write_record([
                        &row,
                        &concept.id,
                        &concept.says,
                        &concept.term,
                        &target.element,
                        url,
                        system,
                        code,
                        display,
                        &concept.source,
                    ]);
                };
                if target.codes.is_empty() {
                    line("", "", "");
                }
                for code in &target.codes {
                    line(&code.system, &code.code, code.display.as_deref().unwrap_or_default());
                }
            }
        }
        table.into_inner().unwrap_or_default()
    }
}

/// The rows of a target, each with the system it belongs to.
fn rows(target: &Target) -> Vec<(String, Value)> {
    let mut comment = format!("in {}", target.element);
    if let Some(url) = &target.url {
        comment.push_str(&format!(", extension {url}"));
    }
    if target.codes.is_empty() {
        let system = format!("http://hl7.org/fhir/StructureDefinition/{}", target.resource());
        let row = json!({"code": target.element, "equivalence": "relatedto", "comment": comment});
        return vec![(system, row)];
    }
    let of = |code: &super::Code| {
        let mut row = json!({"code": code.code, "equivalence": "relatedto", "comment": comment});
        if let Some(display) = &code.display {
            row["display"] = json!(display);
        }
        (code.system.clone(), row)
    };
    target.codes.iter().map(of).collect()
}
