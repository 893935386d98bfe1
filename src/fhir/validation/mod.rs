//! Validation: what is wrong with a resource, by R4's own rules and by profiles.
//! <https://hl7.org/fhir/R4/validation.html>
//!
//! [`StructureCheck`] says whether a resource can be used at all; here all is said that R4 and
//! the profiles demand: invariants, what references refer to, narratives that act.

mod place;
mod profile;
mod rules;
#[cfg(test)]
mod tests;
mod walk;

use serde_json::Value;

use super::fhirpath::{KnowsTypes, Node};
use super::structure::Problem;
use super::{Issue, ResourceType, StructureCheck};
use place::Place;
use profile::{Profiles, R4_TYPES};
use rules::Rules;
use walk::Walk;

/// How bad a finding is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// The resource breaks a rule.
    Error,
    /// It is allowed, and seldom meant.
    Warning,
    /// Something that was not looked at, and why.
    Information,
}

impl Severity {
    /// The code of an OperationOutcome.
    pub fn code(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Information => "information",
        }
    }
}

/// One thing that a rule says about a resource.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// `IssueType` code.
    pub code: &'static str,
    /// The rule: the key of an invariant (`per-1`) or the name of a check (`binding`).
    pub rule: String,
    /// FHIRPath of the element: `Goal.target[0].dueDate`.
    pub expression: String,
    /// What is wrong and what to do, without patient data.
    pub text: String,
}

impl Finding {
    /// As an issue of an OperationOutcome; the rule stands before the text.
    pub fn issue(&self) -> Issue {
        Issue {
            severity: self.severity.code(),
            code: self.code,
            diagnostics: format!("{}: {}", self.rule, self.text),
            expression: Some(self.expression.clone())
                .into_iter()
                .filter(|e| !e.is_empty())
                .collect(),
        }
    }
}

/// More findings than this about one resource help nobody.
const FINDINGS_MAX: usize = 200;

/// Validates resources. Shared between threads.
pub struct Validator {
    check: StructureCheck,
    rules: Rules,
    profiles: Profiles,
}

impl Validator {
    /// Makes a validator of R4 and of the profiles that come with careweave.
    ///
    /// # Errors
    /// Names the definition or the rule that cannot be used.
    pub fn new() -> Result<Self, String> {
        Self::with_definitions(&[])
    }

    /// The same with the definitions of packages: texts of StructureDefinitions, ValueSets and
    /// CodeSystems. Other resources are left out.
    ///
    /// # Errors
    /// Names what of careweave's own cannot be used; for packages see [`Validator::refused`].
    pub fn with_definitions(texts: &[String]) -> Result<Self, String> {
        Ok(Self {
            check: StructureCheck::new(&[])?,
            rules: Rules::of_r4()?,
            profiles: Profiles::compile(texts),
        })
    }

    /// The profiles of packages that cannot be used, as `URL: why`.
    pub fn refused(&self) -> Vec<String> {
        self.profiles.refused().iter().map(|(url, why)| format!("{url}: {why}")).collect()
    }

    /// How many profiles of packages can be used.
    pub fn profiles_known(&self) -> usize {
        self.profiles.len()
    }

    /// All that is to be said of one resource, given as text and as parsed value of that text, by
    /// R4, by the profiles it claims (`meta.profile`) and by those that are `asked` for.
    pub fn validate(&self, text: &str, resource: &Value, asked: &[&str]) -> Vec<Finding> {
        let problems = self.check.check(text, resource);
        let cannot_be_walked = self.check.is_unreasonable(text, resource);
        let mut findings: Vec<Finding> = problems.into_iter().filter_map(finding).collect();
        if !cannot_be_walked {
            let node = Node::resource(resource);
            let mut walk = Walk {
                rules: &self.rules,
                host: &KnowsTypes,
                findings: std::mem::take(&mut findings),
            };
            let name = resource.get("resourceType").and_then(Value::as_str).unwrap_or_default();
            if !node.kind.is_empty() {
                walk.resource(node, &Place::start(name));
            }
            findings = walk.findings;
            self.profiles(resource, asked, &mut findings);
        }
        findings.sort();
        findings.dedup();
        findings.truncate(FINDINGS_MAX);
        findings
    }
}

impl Validator {
    /// Checks the profiles that are asked for and those that the resource claims.
    fn profiles(&self, resource: &Value, asked: &[&str], findings: &mut Vec<Finding>) {
        let kind = Node::resource(resource).kind;
        let claimed = resource["meta"]["profile"].as_array().into_iter().flatten();
        let mut urls: Vec<&str> = claimed.filter_map(Value::as_str).take(PROFILES_MAX).collect();
        urls.extend(asked);
        urls.sort_unstable();
        urls.dedup();
        for url in urls {
            let of = match self.profiles.get(url) {
                Some(profile) if profile.type_name == kind => {
                    profile.check(resource, findings);
                    continue;
                }
                Some(profile) => Some(profile.type_name.as_str()),
                None => url.strip_prefix(R4_TYPES).filter(|n| ResourceType::parse(n).is_some()),
            };
            let (severity, code, text) = match of {
                Some(name) if name == kind => continue,
                Some(_) => (Severity::Error, "value", format!("it is no {url}")),
                None if url.starts_with(OWN_PROFILES) => continue,
                None => {
                    let why = match self.profiles.why_refused(url) {
                        Some(why) => format!("cannot be used: {why}"),
                        None => "is not known here, so it was not checked".to_owned(),
                    };
                    (Severity::Warning, "not-found", format!("the profile {url} {why}"))
                }
            };
            let (rule, expression) = ("profile".to_owned(), String::new());
            findings.push(Finding { severity, code, rule, expression, text });
        }
    }
}

/// What the URLs of the profiles begin with that every resource is checked by.
const OWN_PROFILES: &str = "https://careweave.example/fhir/StructureDefinition/";

/// A resource that claims more is not checked for the others.
const PROFILES_MAX: usize = 20;

/// What the check of structure says; its few invariants are said by the table of rules.
fn finding(problem: Problem) -> Option<Finding> {
    let rule = match problem.code {
        "invariant" => return None,
        "required" => "cardinality",
        "code-invalid" => "binding",
        "value" => "value",
        _ => "structure",
    };
    Some(Finding {
        severity: if problem.fatal { Severity::Error } else { Severity::Warning },
        code: problem.code,
        rule: rule.to_owned(),
        expression: problem.expression,
        text: problem.text,
    })
}
