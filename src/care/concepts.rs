//! The concept map: what care teams say, the FHIR element that holds it, and the codes. Data of
//! `profiles/care-concepts.json`; a site's file replaces rows of the same id and adds others.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::compare::code_system;
use crate::fhir::{Element, elements};

use super::codes;

const EMBEDDED: &str = include_str!("../../profiles/care-concepts.json");

/// The concept map in force.
#[derive(Clone, Debug)]
pub struct Concepts {
    systems: BTreeMap<String, System>,
    concepts: Vec<Concept>,
}

/// A concept of care management and where FHIR holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Concept {
    /// Its id, which stays.
    pub id: String,
    /// Its number in the list of seed concepts; none for a site's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<u16>,
    /// How care teams say it.
    pub says: String,
    /// The canonical term.
    pub term: String,
    /// Other names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// Where FHIR holds it.
    pub targets: Vec<Target>,
    /// The standard that says so.
    pub source: String,
    /// What else to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Where versions of standards differ.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differs: Vec<Difference>,
}

/// An element that holds a concept, with its codes if codes tell it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Its path: `Goal.target.measure`.
    pub element: String,
    /// The URL, of an extension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The codes that say the concept; none: the element does by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<Code>,
    /// A value of the element, where no code is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<Value>,
}

/// A code of one of the map's systems.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// In the file the short name of the system; once read, its URL.
    pub system: String,
    /// The code.
    pub code: String,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display: Option<String>,
}

/// What one version of a standard says otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// The standard and its version.
    pub standard: String,
    /// What it says.
    pub text: String,
}

/// A concept found in a resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Stated<'c> {
    /// The concept.
    pub concept: &'c Concept,
    /// The element that states it.
    pub element: &'c str,
    /// The code that states it, if one does.
    pub code: Option<&'c Code>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct System {
    url: String,
    check: CheckBy,
    #[serde(default)]
    codes: Vec<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum CheckBy {
    Loinc,
    Snomed,
    Listed,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, rename = "version")]
    _version: Option<String>,
    #[serde(default)]
    systems: BTreeMap<String, System>,
    concepts: Vec<Concept>,
}

impl Concepts {
    /// The map that is compiled in.
    ///
    /// # Panics
    /// Never: a test reads it.
    pub fn embedded() -> Self {
        let none = Self { systems: BTreeMap::new(), concepts: Vec::new() };
        none.with(EMBEDDED).expect("the embedded concept map is tested to be right")
    }

    /// The same with the rows of another file: one of the same id replaces, others are added.
    ///
    /// # Errors
    /// Names the row, and the element or code that does not exist.
    pub fn with(mut self, text: &str) -> Result<Self, String> {
        let file: File = serde_json::from_str(text).map_err(|e| format!("concept map: {e}"))?;
        self.systems.extend(file.systems);
        for mut concept in file.concepts {
            self.check(&mut concept)?;
            match self.concepts.iter_mut().find(|known| known.id == concept.id) {
                Some(known) => *known = concept,
                None => self.concepts.push(concept),
            }
        }
        Ok(self)
    }

    /// All concepts, in the order of the file.
    pub fn all(&self) -> &[Concept] {
        &self.concepts
    }

    /// The concept of an id, a term or another name, whatever its case.
    pub fn find(&self, name: &str) -> Option<&Concept> {
        let fits = |known: &str| known.eq_ignore_ascii_case(name.trim());
        self.concepts.iter().find(|c| fits(&c.id)).or_else(|| {
            self.concepts
                .iter()
                .find(|c| fits(&c.term) || fits(&c.says) || c.also.iter().any(|other| fits(other)))
        })
    }

    /// The concepts that a resource states.
    pub fn stated_by(&self, resource: &Value) -> Vec<Stated<'_>> {
        let name = resource.get("resourceType").and_then(Value::as_str).unwrap_or_default();
        let mut found = Vec::new();
        for concept in &self.concepts {
            for target in concept.targets.iter().filter(|t| t.resource() == name) {
                found.extend(target.stated_by(concept, resource));
            }
        }
        found
    }

    /// Checks a row and puts the URLs of systems in the place of their names.
    fn check(&self, concept: &mut Concept) -> Result<(), String> {
        let id = concept.id.clone();
        let wrong = |what: String| Err(format!("concept \"{id}\": {what}"));
        if concept.targets.is_empty() {
            return wrong("no target; name the FHIR element that holds it".to_owned());
        }
        for target in &mut concept.targets {
            let path = &target.element;
            if elements(path).is_none() {
                return wrong(format!("R4 has no element \"{path}\"; correct the path"));
            }
            if target.codes.is_empty() == target.example.is_none() {
                return wrong(format!("\"{path}\" needs codes or an example, not both"));
            }
            for code in &mut target.codes {
                let Some(system) = self.systems.get(&code.system) else {
                    let known: Vec<&str> = self.systems.keys().map(String::as_str).collect();
                    let (name, known) = (&code.system, known.join(", "));
                    return wrong(format!("unknown system \"{name}\"; known: {known}"));
                };
                if !system.has(&code.code) {
                    let (code, url) = (&code.code, &system.url);
                    return wrong(format!("{url} has no code \"{code}\"; correct or list it"));
                }
                code.system.clone_from(&system.url);
            }
        }
        Ok(())
    }
}

impl System {
    fn has(&self, code: &str) -> bool {
        match self.check {
            CheckBy::Loinc => codes::is_loinc(code),
            CheckBy::Snomed => codes::is_snomed(code),
            CheckBy::Listed => self.codes.iter().any(|known| known == code),
        }
    }
}

impl Target {
    /// The type of the resource that holds it.
    pub fn resource(&self) -> &str {
        self.element.split('.').next().unwrap_or_default()
    }

    /// Values of the element that state the concept: one for each code, or the example.
    pub fn values(&self) -> Vec<Value> {
        let kind = self.steps().last().map_or("", |element| element.kind);
        let of = |code: &Code| {
            let mut coding = json!({"system": code.system, "code": code.code});
            if let Some(display) = &code.display {
                coding["display"] = json!(display);
            }
            match kind {
                "CodeableConcept" => json!({"coding": [coding]}),
                "Coding" => coding,
                _ => json!(code.code),
            }
        };
        match &self.example {
            Some(example) => vec![example.clone()],
            None => self.codes.iter().map(of).collect(),
        }
    }

    /// A resource that holds a value in this element, and nothing else.
    pub fn holding(&self, value: Value) -> Value {
        let mut held = match (&self.url, value) {
            (Some(url), Value::Object(mut extension)) => {
                extension.insert("url".to_owned(), json!(url));
                Value::Object(extension)
            }
            (_, value) => value,
        };
        for element in self.steps().iter().rev() {
            if element.is_list && !held.is_array() {
                held = Value::Array(vec![held]);
            }
            held = Value::Object(Map::from_iter([(element.name.to_owned(), held)]));
        }
        if let Value::Object(resource) = &mut held {
            resource.insert("resourceType".to_owned(), json!(self.resource()));
        }
        held
    }

    fn steps(&self) -> Vec<Element<'_>> {
        elements(&self.element).unwrap_or_default()
    }

    fn stated_by<'c>(&'c self, concept: &'c Concept, resource: &Value) -> Vec<Stated<'c>> {
        let mut values = vec![resource];
        for element in self.steps() {
            let next = values.iter().filter_map(|value| value.get(element.name));
            values = next.flat_map(each).collect();
        }
        if let Some(url) = &self.url {
            values.retain(|value| value.get("url").and_then(Value::as_str) == Some(url.as_str()));
        }
        let stated = |code| Stated { concept, element: &self.element, code };
        if self.codes.is_empty() {
            return values.first().map(|_| stated(None)).into_iter().collect();
        }
        let said = self.codes.iter().filter(|code| values.iter().any(|value| code.is_in(value)));
        said.map(|code| stated(Some(code))).collect()
    }
}

impl Code {
    /// Whether a CodeableConcept, a Coding or a code says it.
    fn is_in(&self, value: &Value) -> bool {
        let same = |coding: &Value| {
            let system = coding.get("system").and_then(Value::as_str).unwrap_or_default();
            coding.get("code").and_then(Value::as_str) == Some(&*self.code)
                && code_system(system) == code_system(&self.system)
        };
        match value.get("coding") {
            Some(codings) => each(codings).any(same),
            None => same(value) || value.as_str() == Some(&*self.code),
        }
    }
}

fn each(value: &Value) -> impl Iterator<Item = &Value> {
    let (list, one) = match value {
        Value::Array(items) => (items.as_slice(), None),
        value => (&[][..], Some(value)),
    };
    list.iter().chain(one)
}
