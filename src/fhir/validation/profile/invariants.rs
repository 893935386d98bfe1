//! The invariants that a profile adds to R4's, each with the elements it is about.
//! <https://hl7.org/fhir/R4/conformance-rules.html#constraints>

use std::collections::HashSet;

use jsonschema::Validator;

use super::super::place::Place;
use super::super::rules::Rule;
use super::schema::{kind_of, upper_first};
use super::slices;
use super::tree::Spec;
use super::{Definitions, Finding, Severity};
use crate::fhir::fhirpath::{Environment, KnowsTypes, Node, is_choice};
use crate::fhir::r4;

/// Those of one profile.
pub(super) struct Invariants(Vec<Invariant>);

struct Invariant {
    rule: Rule,
    steps: Vec<Step>,
}

/// From an element to some of its children.
#[derive(Clone)]
struct Step {
    name: String,
    /// What values of the slice satisfy, if one is meant.
    slice: Option<std::sync::Arc<Validator>>,
}

impl Invariants {
    /// Parses them. R4's own are asked elsewhere.
    ///
    /// # Errors
    /// Names the invariant that is not understood.
    pub(super) fn of(
        spec: &Spec,
        type_name: &str,
        definitions: &Definitions,
    ) -> Result<Self, String> {
        let own: HashSet<&str> =
            r4::facts().invariants.iter().map(|rule| rule.key.as_str()).collect();
        let mut found = Self(Vec::new());
        found.collect(spec, type_name, &mut Vec::new(), &own, definitions)?;
        Ok(found)
    }

    fn collect(
        &mut self,
        spec: &Spec,
        kind: &str,
        steps: &mut Vec<Step>,
        own: &HashSet<&str>,
        definitions: &Definitions,
    ) -> Result<(), String> {
        for constraint in spec.constraints.iter().filter(|c| !own.contains(c.key.as_str())) {
            let rule = Rule::parse(&constraint.key, &constraint.expression, constraint.is_warning)?;
            self.0.push(Invariant { rule, steps: steps.clone() });
        }
        for child in &spec.children {
            let inner = kind_of(kind, &child.name);
            steps.push(Step { name: child.name.clone(), slice: None });
            self.collect(child, &inner, steps, own, definitions)?;
            steps.pop();
            for slice in &child.slices {
                let Some(step) = into_slice(child, slice, &inner, definitions) else { continue };
                steps.push(step);
                self.collect(slice, &inner, steps, own, definitions)?;
                steps.pop();
            }
        }
        Ok(())
    }

    /// Says which of them a resource breaks.
    pub(super) fn check(
        &self,
        root: Node<'_>,
        type_name: &str,
        url: &str,
        findings: &mut Vec<Finding>,
    ) {
        for Invariant { rule, steps } in &self.0 {
            reach(root, steps, &Place::start(type_name), &mut |node, place| {
                let env = Environment {
                    resource: root,
                    root,
                    context: node,
                    now: None,
                    host: &KnowsTypes,
                };
                // What cannot be decided is no fault of the resource.
                if !rule.path.holds(&env).unwrap_or(true) {
                    findings.push(Finding {
                        severity: match rule.is_warning {
                            true => Severity::Warning,
                            false => Severity::Error,
                        },
                        code: "invariant",
                        rule: rule.key.clone(),
                        expression: place.path(),
                        text: format!("{} ({url})", rule.text),
                    });
                }
            });
        }
    }
}

/// The step to one slice; `None` if it cannot be told which values are of it.
fn into_slice(spec: &Spec, slice: &Spec, kind: &str, definitions: &Definitions) -> Option<Step> {
    if let Some(stem) = spec.name.strip_suffix("[x]") {
        let name = format!("{stem}{}", upper_first(&slice.types.first()?.code));
        return Some(Step { name, slice: None });
    }
    let matches = slices::matcher(spec, slice, kind, definitions)?;
    let validator = jsonschema::draft202012::new(&matches).ok()?;
    Some(Step { name: spec.name.clone(), slice: Some(std::sync::Arc::new(validator)) })
}

/// Visits all elements that the steps lead to.
fn reach<'v>(
    node: Node<'v>,
    steps: &[Step],
    place: &Place<'_>,
    visit: &mut dyn FnMut(Node<'v>, &Place<'_>),
) {
    let Some((step, rest)) = steps.split_first() else { return visit(node, place) };
    node.each_member(&mut |name, index, child| {
        let stem = step.name.strip_suffix("[x]");
        let is_named = name == step.name || stem.is_some_and(|stem| is_choice(name, stem));
        if is_named && step.slice.as_ref().is_none_or(|slice| slice.is_valid(child.value)) {
            reach(child, rest, &place.below(name, index), visit);
        }
    });
}
