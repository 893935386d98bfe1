//! Our profiles: StructureDefinitions and ValueSets, compiled to one JSON Schema a type.
//! <https://hl7.org/fhir/R4/profiling.html>

use std::collections::BTreeMap;

use jsonschema::error::ValidationErrorKind;
use jsonschema::paths::LocationSegment;
use jsonschema::{ValidationError, Validator};
use serde::Deserialize;
use serde_json::Value;

use super::Problem;
use super::schema::{Codes, Rules};
use crate::fhir::ResourceType;

/// The compiled profiles, chosen by resource type.
pub(super) struct Profiles(BTreeMap<String, Profile>);

struct Profile {
    rules: Rules,
    validator: Validator,
}

#[derive(Deserialize)]
#[serde(tag = "resourceType")]
enum Definition {
    StructureDefinition(Structure),
    ValueSet(ValueSet),
}

#[derive(Deserialize)]
struct Structure {
    #[serde(rename = "type")]
    type_name: String,
    differential: Differential,
}

#[derive(Deserialize)]
struct Differential {
    #[serde(default)]
    element: Vec<Element>,
}

#[derive(Deserialize)]
struct Element {
    path: String,
    #[serde(default)]
    min: u32,
    max: Option<String>,
    binding: Option<Binding>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Binding {
    strength: String,
    value_set: String,
}

#[derive(Deserialize)]
struct ValueSet {
    url: String,
    compose: Compose,
}

#[derive(Deserialize)]
struct Compose {
    include: Vec<Include>,
}

#[derive(Deserialize)]
struct Include {
    system: String,
    concept: Vec<Concept>,
}

#[derive(Deserialize)]
struct Concept {
    code: String,
}

/// The codes of the ValueSets among some definitions, by URL.
pub(super) fn value_sets<'a>(
    texts: impl Iterator<Item = &'a str>,
) -> Result<BTreeMap<String, Vec<(String, String)>>, String> {
    let mut sets = BTreeMap::new();
    for text in texts {
        if let Definition::ValueSet(set) = parse(text)? {
            sets.insert(set.url, codes(set.compose).0);
        }
    }
    Ok(sets)
}

impl Profiles {
    pub(super) fn compile<'a>(texts: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let mut structures = BTreeMap::new();
        let mut value_sets = BTreeMap::new();
        for text in texts {
            match parse(text)? {
                Definition::StructureDefinition(s) => {
                    structures.insert(s.type_name.clone(), s);
                }
                Definition::ValueSet(v) => {
                    value_sets.insert(v.url, codes(v.compose));
                }
            }
        }
        let mut rules = BTreeMap::new();
        for (name, structure) in structures {
            rules.insert(name, rules_of(structure, &value_sets)?);
        }
        let (resources, datatypes): (Vec<_>, Vec<_>) =
            rules.into_iter().partition(|(name, _)| ResourceType::parse(name).is_some());
        let profiles = resources.into_iter().map(|(name, rules)| {
            let profile = Profile::compile(&name, rules, &datatypes)?;
            Ok((name, profile))
        });
        profiles.collect::<Result<_, String>>().map(Self)
    }

    /// Problems of a resource against the profile of its type, if there is one.
    pub(super) fn check(&self, resource: &Value, type_name: &str, path: &str) -> Vec<Problem> {
        let Some(profile) = self.0.get(type_name) else {
            return Vec::new();
        };
        if profile.validator.is_valid(resource) {
            return Vec::new();
        }
        let errors = profile.validator.iter_errors(resource).take(super::PROBLEMS_MAX);
        errors.map(|error| profile.problem(&error, path)).collect()
    }
}

impl Profile {
    fn compile(
        name: &str,
        mut rules: Rules,
        datatypes: &[(String, Rules)],
    ) -> Result<Self, String> {
        let known: Vec<&'static str> = DATATYPES
            .into_iter()
            .filter(|known| datatypes.iter().any(|(name, _)| name == known))
            .collect();
        rules.add_datatypes(name, &known);
        let mut schema = rules.object(name);
        schema["$defs"] = datatypes.iter().map(|(n, r)| (n.clone(), r.object(n))).collect();
        let validator = jsonschema::draft202012::new(&schema)
            .map_err(|e| format!("the profile of {name} cannot be compiled: {e}"))?;
        Ok(Self { rules, validator })
    }

    fn problem(&self, error: &ValidationError<'_>, path: &str) -> Problem {
        let mut expression = path.to_owned();
        let mut names = Vec::new();
        let location = error.instance_path();
        for segment in location.segments() {
            match segment {
                LocationSegment::Property(name) => {
                    expression.push('.');
                    expression.push_str(&name);
                    names.push(name.into_owned());
                }
                LocationSegment::Index(index) => expression.push_str(&format!("[{index}]")),
            }
        }
        let (code, text) = match error.kind() {
            ValidationErrorKind::Required { property } => {
                expression.push('.');
                expression.push_str(property.as_str().unwrap_or_default());
                ("required", "the profile requires this element; add it".to_owned())
            }
            ValidationErrorKind::FalseSchema => {
                ("structure", "the profile allows no such element; remove it".to_owned())
            }
            ValidationErrorKind::Enum { options } => {
                ("code-invalid", code_text(error.instance(), &allowed(options)))
            }
            ValidationErrorKind::Contains | ValidationErrorKind::AnyOf { .. } => {
                ("code-invalid", code_text(&Value::Null, &self.allowed_at(&names)))
            }
            _ => ("structure", "the profile does not allow this content; correct it".to_owned()),
        };
        Problem { fatal: true, code, expression, text }
    }

    fn allowed_at(&self, names: &[String]) -> Vec<String> {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let element = names.strip_suffix(&["coding"]).unwrap_or(&names);
        let codes = self.rules.bound(element).map(|codes| codes.0.as_slice()).unwrap_or_default();
        codes.iter().map(|(_, code)| code.clone()).collect()
    }
}

/// The datatypes that may have rules of their own.
const DATATYPES: [&str; 6] =
    ["Address", "ContactPoint", "HumanName", "Identifier", "Narrative", "Quantity"];

fn parse(text: &str) -> Result<Definition, String> {
    serde_json::from_str(text).map_err(|e| {
        let named = serde_json::from_str::<Value>(text)
            .ok()
            .and_then(|v| Some(v.get("url")?.as_str()?.to_owned()))
            .unwrap_or_else(|| "a definition without url".to_owned());
        format!("{named} is no StructureDefinition or ValueSet this gateway can compile: {e}")
    })
}

fn codes(compose: Compose) -> Codes {
    let pairs = compose.include.into_iter().flat_map(|include| {
        let system = include.system;
        include.concept.into_iter().map(move |concept| (system.clone(), concept.code))
    });
    Codes(pairs.collect())
}

fn rules_of(structure: Structure, sets: &BTreeMap<String, Codes>) -> Result<Rules, String> {
    let name = structure.type_name;
    let is_datatype = DATATYPES.contains(&name.as_str());
    if ResourceType::parse(&name).is_none() && !is_datatype {
        return Err(format!(
            "\"{name}\" cannot be profiled; profile a resource type or one of: {}",
            DATATYPES.join(", ")
        ));
    }
    let mut rules = Rules::default();
    for element in structure.differential.element {
        if element.path == name {
            continue;
        }
        let path = element.path.strip_prefix(&format!("{name}.")).ok_or_else(|| {
            format!("{}: a path in the profile of {name} begins with {name}", element.path)
        })?;
        let rule = rules.at(path);
        if element.min > 0 {
            rule.require();
        }
        if element.max.as_deref() == Some("0") {
            rule.prohibit();
        }
        if let Some(binding) = element.binding.filter(|b| b.strength == "required") {
            let set = sets.get(&binding.value_set).ok_or_else(|| {
                format!("{}: no ValueSet {}; add it", element.path, binding.value_set)
            })?;
            rule.bind(set.clone());
        }
    }
    match rules.unknown_element(&name) {
        Some(path) => Err(format!("{path}: R4 has no such element; name each type of a choice")),
        None => Ok(rules),
    }
}

fn allowed(options: &Value) -> Vec<String> {
    let codes = options.as_array().into_iter().flatten().filter_map(Value::as_str);
    codes.map(str::to_owned).collect()
}

/// The text for a code outside its set; the code is quoted only if it looks like one.
fn code_text(given: &Value, allowed: &[String]) -> String {
    let looks_like_code = |text: &&str| {
        (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-')
    };
    let subject = match given.as_str().filter(looks_like_code) {
        Some(code) => format!("\"{code}\" is not one of its codes"),
        None => "none of its required codes".to_owned(),
    };
    format!("{subject}; use one of: {}", allowed.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_wrong_definition_is_named() {
        let cases = [
            (json!({"resourceType": "ValueSet", "url": "http://v"}), "http://v"),
            (
                json!({"resourceType": "StructureDefinition", "type": "Goal", "differential":
                    {"element": [{"path": "Goal.status", "min": 1}]}}),
                "Goal.status",
            ),
            (
                json!({"resourceType": "StructureDefinition", "type": "Goal", "differential":
                    {"element": [{"path": "Goal.priority",
                        "binding": {"strength": "required", "valueSet": "http://none"}}]}}),
                "http://none",
            ),
            (
                json!({"resourceType": "StructureDefinition", "type": "Plan",
                    "differential": {}}),
                "Plan",
            ),
        ];
        for (definition, named) in cases {
            let text = definition.to_string();
            let error = Profiles::compile([text.as_str()].into_iter()).err().unwrap_or_default();
            assert!(error.contains(named), "{error}");
        }
    }
}
