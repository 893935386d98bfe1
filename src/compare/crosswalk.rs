//! Crosswalks: which codes of two systems name one concept, read from ConceptMaps. A row without
//! a code on one side names a concept by its display only. Rows are not chained: that two codes
//! both equal a third proves nothing of classifications that cut differently.
//! <https://hl7.org/fhir/R4/conceptmap.html>

use std::collections::{BTreeSet, HashMap};

use serde::Deserialize;

use super::{clinical_text, code_system, token};
use crate::flow::{Hash, Token};

/// The ConceptMaps that are compiled in.
const EMBEDDED: [&str; 3] = [
    include_str!("../../profiles/crosswalk/conditions.json"),
    include_str!("../../profiles/crosswalk/observations.json"),
    include_str!("../../profiles/crosswalk/procedures.json"),
];

/// Equivalent codes, both ways.
#[derive(Clone, Debug, Default)]
pub struct Crosswalk {
    to: HashMap<Token, BTreeSet<Token>>,
    named: HashMap<Box<str>, BTreeSet<Token>>,
    hash: Hash,
    rows: usize,
}

#[derive(Deserialize)]
struct ConceptMap {
    #[serde(rename = "resourceType")]
    resource_type: String,
    #[serde(default)]
    group: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    source: String,
    target: String,
    element: Vec<Element>,
}

#[derive(Deserialize)]
struct Element {
    code: String,
    display: Option<String>,
    #[serde(default)]
    target: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    code: Option<String>,
    display: Option<String>,
    equivalence: String,
}

impl Crosswalk {
    /// The crosswalk that is compiled into the program.
    ///
    /// # Panics
    /// Never: a test reads it.
    pub fn embedded() -> Self {
        let mut crosswalk = Self::default();
        for text in EMBEDDED {
            crosswalk.add(text).expect("the embedded crosswalks are tested to parse");
        }
        crosswalk
    }

    /// Adds the rows of one ConceptMap. Only rows that say `equal` or `equivalent` count.
    ///
    /// # Errors
    /// Says where the text is not a ConceptMap.
    pub fn add(&mut self, text: &str) -> Result<(), String> {
        let map: ConceptMap = serde_json::from_str(text).map_err(|e| format!("crosswalk: {e}"))?;
        if map.resource_type != "ConceptMap" {
            return Err(format!("crosswalk: expected a ConceptMap, got {}", map.resource_type));
        }
        for group in &map.group {
            for element in &group.element {
                for target in &element.target {
                    if matches!(target.equivalence.as_str(), "equal" | "equivalent") {
                        self.row(group, element, target);
                    }
                }
            }
        }
        let before = format!("{:032x}", self.hash.0);
        self.hash = Hash::of_parts([before.as_bytes(), text.as_bytes()]);
        Ok(())
    }

    fn row(&mut self, group: &Group, element: &Element, target: &Target) {
        let of = |system: &str, code: &str| {
            token(&serde_json::json!({"system": code_system(system), "code": code}))
        };
        let Some(from) = of(&group.source, &element.code) else { return };
        self.rows += 1;
        self.name(element.display.as_deref(), &from);
        self.name(target.display.as_deref(), &from);
        if let Some(to) = target.code.as_deref().and_then(|code| of(&group.target, code)) {
            self.name(element.display.as_deref(), &to);
            self.name(target.display.as_deref(), &to);
            self.to.entry(from.clone()).or_default().insert(to.clone());
            self.to.entry(to).or_default().insert(from);
        }
    }

    fn name(&mut self, display: Option<&str>, token: &Token) {
        if let Some(name) = display.map(clinical_text).filter(|name| !name.is_empty()) {
            self.named.entry(name).or_default().insert(token.clone());
        }
    }

    /// What a code is equivalent to in other systems, sorted.
    pub fn equivalents(&self, code: &Token) -> impl Iterator<Item = &Token> {
        self.to.get(code).into_iter().flatten()
    }

    /// The codes that a normalised name is written for, sorted.
    pub fn named(&self, name: &str) -> impl Iterator<Item = &Token> {
        self.named.get(name).into_iter().flatten()
    }

    /// What tells two crosswalks apart.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// How many rows it has.
    pub fn rows(&self) -> usize {
        self.rows
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_row_is_read_and_says_where_it_is_from() {
        let crosswalk = Crosswalk::embedded();
        assert!(crosswalk.rows() > 20, "{}", crosswalk.rows());
        for text in EMBEDDED {
            let map: serde_json::Value = serde_json::from_str(text).unwrap();
            for group in map["group"].as_array().unwrap() {
                for element in group["element"].as_array().unwrap() {
                    for target in element["target"].as_array().unwrap() {
                        let comment = target["comment"].as_str().unwrap_or_default();
                        assert!(comment.len() > 10, "{element}");
                    }
                }
            }
        }
    }

    #[test]
    fn rows_go_both_ways_and_are_not_chained() {
        let mut crosswalk = Crosswalk::default();
        crosswalk
            .add(
                r#"{"resourceType": "ConceptMap", "group": [
                {"source": "urn:a", "target": "urn:b", "element": [
                {"code": "1", "display": "One", "target": [
                    {"code": "x", "display": "Ex", "equivalence": "equivalent"}]},
                {"code": "2", "target": [
                    {"code": "x", "equivalence": "equivalent"},
                    {"code": "y", "equivalence": "wider"}]}]}]}"#,
            )
            .unwrap();
        let of = |system: &str, code: &str| Token { system: system.into(), code: code.into() };
        let codes = |t: &Token| -> Vec<String> {
            crosswalk.equivalents(t).map(|t| t.code.to_string()).collect()
        };
        assert_eq!(codes(&of("urn:a", "1")), ["x"]);
        assert_eq!(codes(&of("urn:b", "x")), ["1", "2"]);
        assert!(codes(&of("urn:b", "y")).is_empty());
        assert_eq!(crosswalk.named("ex").count(), 2, "of both sides of the row");
        assert!(crosswalk.clone().add("{}").is_err());
        assert!(crosswalk.add(r#"{"resourceType": "Patient"}"#).is_err());
    }
}
