//! Profiles of FHIR packages: StructureDefinitions compiled once, then asked about resources.
//! <https://hl7.org/fhir/R4/profiling.html>
//!
//! Structure and slices become one JSON Schema a profile, invariants FHIRPath. What cannot be
//! checked here is told with the profile; a profile whose invariant is not understood is refused.

mod codes;
mod invariants;
mod schema;
mod slices;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::BTreeMap;

use jsonschema::paths::LocationSegment;
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use super::{FINDINGS_MAX, Finding, Severity};
use crate::fhir::ResourceType;
use crate::fhir::fhirpath::Node;
use codes::Terminology;
use invariants::Invariants;
use schema::Compiler;
use tree::{Spec, plain};

/// What the URLs of R4's own types begin with.
pub(super) const R4_TYPES: &str = "http://hl7.org/fhir/StructureDefinition/";

/// What packages define.
#[derive(Default)]
struct Definitions {
    /// By URL the type and the elements of a StructureDefinition.
    specs: BTreeMap<String, (String, Spec)>,
    terminology: Terminology,
}

/// The profiles of resource types, ready to be asked.
#[derive(Default)]
pub(super) struct Profiles {
    by_url: BTreeMap<String, Profile>,
    /// URLs of what cannot be used, and why.
    refused: BTreeMap<String, String>,
}

/// One of them.
pub(super) struct Profile {
    url: String,
    pub(super) type_name: String,
    schema: Value,
    validator: Validator,
    invariants: Invariants,
    unchecked: Vec<String>,
}

/// StructureDefinitions that rest on each other, this deep.
const BASES_MAX: usize = 16;

impl Profiles {
    /// Compiles definitions. Of several with one URL the last one counts.
    pub(super) fn compile(texts: &[String]) -> Self {
        let mut structures = BTreeMap::new();
        let mut definitions = Definitions::default();
        let mut profiles = Self::default();
        for text in texts {
            let Ok(value) = serde_json::from_str::<Value>(text) else {
                let note = "is no JSON".to_owned();
                profiles.refused.insert("a file of a package".to_owned(), note);
                continue;
            };
            let Some(url) = value["url"].as_str().map(str::to_owned) else { continue };
            match value["resourceType"].as_str() {
                Some("StructureDefinition") => drop(structures.insert(url, value)),
                Some("ValueSet") => drop(definitions.terminology.sets.insert(url, value)),
                Some("CodeSystem") => drop(definitions.terminology.systems.insert(url, value)),
                _ => {}
            }
        }
        for (url, value) in &structures {
            let name = value["type"].as_str().unwrap_or_default().to_owned();
            let spec = spec_of(&structures, value, BASES_MAX);
            definitions.specs.insert(url.clone(), (name, spec));
        }
        let ours = structures.iter().filter(|(_, value)| value["derivation"] == "constraint");
        for (url, _) in ours {
            let Some((name, spec)) = definitions.specs.get(url) else { continue };
            if ResourceType::parse(name).is_none() {
                continue;
            }
            match Profile::compile(url, name, spec, &definitions) {
                Ok(profile) => drop(profiles.by_url.insert(url.clone(), profile)),
                Err(why) => drop(profiles.refused.insert(url.clone(), why)),
            }
        }
        profiles
    }

    /// The profile of a URL, with or without version.
    pub(super) fn get(&self, url: &str) -> Option<&Profile> {
        self.by_url.get(plain(url))
    }

    /// What cannot be used, and why.
    pub(super) fn refused(&self) -> &BTreeMap<String, String> {
        &self.refused
    }

    /// Why the profile of a URL, with or without version, cannot be used.
    pub(super) fn why_refused(&self, url: &str) -> Option<&str> {
        self.refused.get(plain(url)).map(String::as_str)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.by_url.len()
    }
}

/// The elements of a definition; a differential lies on what it is based on.
fn spec_of(all: &BTreeMap<String, Value>, value: &Value, deep: usize) -> Spec {
    let elements = |part: &str| value[part]["element"].as_array().map(Vec::as_slice);
    let mut spec = Spec::new(value["type"].as_str().unwrap_or_default());
    if let Some(snapshot) = elements("snapshot") {
        spec.lay(snapshot);
        return spec;
    }
    let base = value["baseDefinition"].as_str().and_then(|url| all.get(plain(url)));
    if let (Some(base), Some(deep)) = (base, deep.checked_sub(1)) {
        spec = spec_of(all, base, deep);
    }
    spec.lay(elements("differential").unwrap_or_default());
    spec
}

impl Profile {
    fn compile(
        url: &str,
        type_name: &str,
        spec: &Spec,
        definitions: &Definitions,
    ) -> Result<Self, String> {
        let mut compiler = Compiler::new(definitions);
        let schema = compiler.compile(spec, type_name);
        let unchecked = compiler.unchecked.into_iter().collect();
        let validator = jsonschema::draft202012::new(&schema)
            .map_err(|e| format!("its elements cannot be compiled: {e}"))?;
        let invariants = Invariants::of(spec, type_name, definitions)?;
        let (url, type_name) = (url.to_owned(), type_name.to_owned());
        Ok(Self { url, type_name, schema, validator, invariants, unchecked })
    }

    /// What the profile says of a resource of its type.
    pub(super) fn check(&self, resource: &Value, findings: &mut Vec<Finding>) {
        if !self.validator.is_valid(resource) {
            let errors = self.validator.iter_errors(resource).take(FINDINGS_MAX);
            findings.extend(errors.map(|error| self.finding(&error)));
        }
        self.invariants.check(Node::resource(resource), &self.type_name, &self.url, findings);
        if !self.unchecked.is_empty() {
            findings.push(Finding {
                severity: Severity::Information,
                code: "incomplete",
                rule: "profile".to_owned(),
                expression: String::new(),
                text: format!("not checked for {}: {}", self.url, self.unchecked.join("; ")),
            });
        }
    }

    fn finding(&self, error: &ValidationError<'_>) -> Finding {
        let mut expression = self.type_name.clone();
        for segment in error.instance_path().segments() {
            match segment {
                LocationSegment::Property(name) => {
                    expression.push('.');
                    expression.push_str(&name);
                }
                LocationSegment::Index(index) => expression.push_str(&format!("[{index}]")),
            }
        }
        let comment = self.comment(error).unwrap_or_default();
        let mut parts = comment.splitn(3, '|');
        let mut next = || parts.next().filter(|part| !part.is_empty());
        let (rule, member, text) = (next().unwrap_or("profile"), next(), next());
        if let Some(member) = member {
            expression.push('.');
            expression.push_str(member.trim_end_matches("[x]"));
        }
        let code = match rule {
            "cardinality" if member.is_some() => "required",
            "cardinality" | "slicing" => "structure",
            "binding" => "code-invalid",
            _ => "value",
        };
        let text = text.unwrap_or("the profile does not allow this content; correct it");
        let text = format!("{text} ({})", self.url);
        Finding { severity: Severity::Error, code, rule: rule.to_owned(), expression, text }
    }

    /// The comment of the part of the schema that failed.
    fn comment(&self, error: &ValidationError<'_>) -> Option<&str> {
        let mut part = &self.schema;
        let mut comment = None;
        for segment in error.evaluation_path().segments() {
            if let Some(text) = part.get("$comment") {
                comment = text.as_str();
            }
            let inner = match segment {
                LocationSegment::Property(name) => part.get(name.as_ref()),
                LocationSegment::Index(index) => part.get(index),
            };
            // What a reference leads to stands elsewhere in this schema.
            let inner = match inner.and_then(Value::as_str).and_then(|at| at.strip_prefix('#')) {
                Some(pointer) => self.schema.pointer(pointer),
                None => inner,
            };
            part = inner?;
        }
        comment
    }
}
