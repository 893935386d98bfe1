//! Checks a resource against the R4 structure, our profiles and a few invariants.
//! <https://hl7.org/fhir/R4/validation.html>

mod embedded;
mod invariant;
mod profile;
mod schema;
mod shape;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use serde_json::Value;

use super::bundle::{DEPTH_MAX, nests_deeper_than};
use profile::Profiles;

/// One problem of a resource.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Problem {
    /// Whether the resource cannot be used.
    pub fatal: bool,
    /// `IssueType` code: `structure`, `required`, `value`, `code-invalid`, `invariant`.
    pub code: &'static str,
    /// FHIRPath of the element: `Goal.target[0].dueDate`.
    pub expression: String,
    /// What is wrong and what to do, without patient data.
    pub text: String,
}

/// Checks resources: R4 structure (fhirkit) and profiles (StructureDefinitions compiled to
/// JSON Schema once). Shared between threads.
pub struct StructureCheck {
    profiles: Profiles,
}

/// More problems than this of one resource help nobody.
const PROBLEMS_MAX: usize = 100;

/// The widest R4 object has about 100 members; fhirkit compares every member with every other.
const MEMBERS_MAX: usize = 1000;

/// The codes of a value set of `profiles/`, as system and code. It is named by its own URL or by
/// that of R4's set of the same name, with or without a version.
pub fn value_set(url: &str) -> Option<&'static [(String, String)]> {
    const R4: &str = "http://hl7.org/fhir/ValueSet/";
    const OURS: &str = "https://careweave.example/fhir/ValueSet/";
    static SETS: OnceLock<BTreeMap<String, Vec<(String, String)>>> = OnceLock::new();
    let sets = SETS.get_or_init(|| {
        profile::value_sets(embedded::DEFINITIONS.iter().copied()).unwrap_or_default()
    });
    let url = url.split('|').next().unwrap_or_default();
    let ours = url.strip_prefix(R4).map(|name| format!("{OURS}{name}"));
    sets.get(ours.as_deref().unwrap_or(url)).map(Vec::as_slice)
}

impl StructureCheck {
    /// Compiles the embedded profiles plus the given StructureDefinition and ValueSet texts. A
    /// given definition replaces the embedded one of the same type or URL.
    ///
    /// # Errors
    /// Names the definition that cannot be compiled.
    pub fn new(definitions: &[String]) -> Result<Self, String> {
        let given = definitions.iter().map(String::as_str);
        let profiles = Profiles::compile(embedded::DEFINITIONS.iter().copied().chain(given))?;
        Ok(Self { profiles })
    }

    /// The check by the profiles that come with careweave, compiled once; `None` if they do not
    /// compile, which a test would tell.
    pub fn embedded() -> Option<&'static Self> {
        static CHECK: OnceLock<Option<StructureCheck>> = OnceLock::new();
        CHECK.get_or_init(|| Self::new(&[]).ok()).as_ref()
    }

    /// All problems of one resource, given as text and as parsed value of that text.
    pub fn check(&self, text: &str, resource: &Value) -> Vec<Problem> {
        if let Some(problem) = unreasonable(text, resource) {
            return vec![problem];
        }
        let mut problems = shape::check(text);
        // What is wrong already is not said again, in other words, of the same element.
        let known: BTreeSet<String> = problems.iter().map(|p| p.expression.clone()).collect();
        let mut more = Vec::new();
        self.content(resource, type_name(resource), &mut more);
        more.sort();
        problems.extend(more.into_iter().filter(|p| !known.contains(&p.expression)));
        problems.truncate(PROBLEMS_MAX);
        problems
    }

    /// Whether the resource is so deep or wide that nothing else looks at it.
    pub(super) fn is_unreasonable(&self, text: &str, resource: &Value) -> bool {
        unreasonable(text, resource).is_some()
    }

    fn content(&self, resource: &Value, path: &str, problems: &mut Vec<Problem>) {
        problems.extend(self.profiles.check(resource, type_name(resource), path));
        problems.extend(invariant::check(resource, path));
        let contained = resource.get("contained").and_then(Value::as_array);
        for (index, inner) in contained.into_iter().flatten().enumerate() {
            let path = format!("{path}.contained[{index}]");
            problems.extend(self.profiles.check(inner, type_name(inner), &path));
            problems.extend(invariant::check_rules(inner, &path));
        }
    }
}

fn type_name(resource: &Value) -> &str {
    resource.get("resourceType").and_then(Value::as_str).unwrap_or("Resource")
}

/// Bounds that hold before anything else looks at the resource.
fn unreasonable(text: &str, resource: &Value) -> Option<Problem> {
    let problem = |what: String| Problem {
        fatal: true,
        code: "structure",
        expression: String::new(),
        text: what,
    };
    if nests_deeper_than(DEPTH_MAX, text.as_bytes()) {
        return Some(problem(format!("nested deeper than {DEPTH_MAX} levels; flatten it")));
    }
    let widest = widest(resource);
    (widest > MEMBERS_MAX).then(|| {
        problem(format!("an object has {widest} members, more than {MEMBERS_MAX}; send R4"))
    })
}

fn widest(value: &Value) -> usize {
    match value {
        Value::Object(members) => {
            members.values().map(widest).max().unwrap_or(0).max(members.len())
        }
        Value::Array(items) => items.iter().map(widest).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}
#[cfg(test)]
mod tests;
