//! A walk over a resource, asking of each element what R4 demands of its kind.

use serde_json::Value;

use super::place::Place;
use super::rules::Rules;
use super::{Finding, Severity};
use crate::fhir::fhirpath::{Environment, Host, Node, is_resource};
use crate::fhir::{Reference, is_id, narrative, parse_reference};

/// What the walk needs on its way.
pub(super) struct Walk<'w> {
    pub(super) rules: &'w Rules,
    pub(super) host: &'w dyn Host,
    pub(super) findings: Vec<Finding>,
}

/// The resource an element belongs to, and the one that contains it.
#[derive(Clone, Copy)]
struct Within<'v> {
    resource: Node<'v>,
    root: Node<'v>,
}

impl Walk<'_> {
    /// Walks over a resource.
    pub(super) fn resource(&mut self, node: Node<'_>, place: &Place<'_>) {
        self.element(node, Node::of(node.value, ""), place, Within { resource: node, root: node });
    }

    fn element<'v>(
        &mut self,
        node: Node<'v>,
        above: Node<'v>,
        place: &Place<'_>,
        within: Within<'v>,
    ) {
        self.own_rules(&node, place);
        self.invariants(node, above, place, within);
        node.each_member(&mut |name, index, child| {
            let below = place.below(name, index);
            if !is_resource(child.kind) {
                return self.element(child, node, &below, within);
            }
            // A contained resource refers to others within the one that contains it.
            let root = if name == "contained" { within.root } else { child };
            self.element(child, node, &below, Within { resource: child, root });
        });
    }

    /// What needs no expression.
    fn own_rules(&mut self, node: &Node<'_>, place: &Place<'_>) {
        let is_empty = match node.value {
            Value::Object(members) => members.keys().all(|name| name == "id"),
            Value::Null => node.extra.is_none_or(|extra| extra.get("extension").is_none()),
            _ => false,
        };
        if is_empty && !is_resource(node.kind) {
            let text = "breaks ele-1: an element needs a value or children; leave it out";
            self.tell(Severity::Error, "invariant", "ele-1", place, text.to_owned());
        }
        if node.kind == "id" && node.value.as_str().is_some_and(|id| !is_id(id)) {
            let text = "an id is 1 to 64 letters, digits, hyphens and dots; correct it";
            self.tell(Severity::Error, "value", "value", place, text.to_owned());
        }
        if node.kind == "xhtml"
            && let Some(text) = node.value.as_str()
            && let Some(problem) = narrative::problem(text)
        {
            let rule = if problem == narrative::SAYS_NOTHING { "txt-2" } else { "txt-1" };
            self.tell(
                Severity::Error,
                "invariant",
                rule,
                place,
                format!("breaks {rule}: {problem}"),
            );
        }
    }

    fn invariants<'v>(
        &mut self,
        node: Node<'v>,
        above: Node<'v>,
        place: &Place<'_>,
        within: Within<'v>,
    ) {
        let name = place.name();
        let rules = self.rules;
        for rule in rules.of(node.kind, above.kind, name) {
            let env = Environment {
                resource: within.resource,
                root: within.root,
                context: node,
                now: None,
                host: self.host,
            };
            // What cannot be decided is no fault of the resource.
            if !rule.path.holds(&env).unwrap_or(true) {
                let severity = if rule.is_warning { Severity::Warning } else { Severity::Error };
                self.tell(severity, "invariant", &rule.key, place, rule.text.clone());
            }
        }
        if node.kind == "Reference"
            && let Some(targets) = rules.targets(above.kind, name)
            && let Some(found) = target_type(&node, &within.root)
            && !targets.contains(&found)
        {
            let text = format!("refers to a {found}; refer to one of: {}", targets.join(", "));
            self.tell(Severity::Error, "value", "reference-target", place, text);
        }
    }

    fn tell(
        &mut self,
        severity: Severity,
        code: &'static str,
        rule: &str,
        place: &Place<'_>,
        text: String,
    ) {
        let rule = rule.to_owned();
        let expression = place.path();
        self.findings.push(Finding { severity, code, rule, expression, text });
    }
}

/// The type that a reference refers to, if it can be told.
pub(super) fn target_type(node: &Node<'_>, root: &Node<'_>) -> Option<String> {
    let text = |name: &str| node.value.get(name).and_then(Value::as_str);
    if let Some(id) = text("reference").and_then(|literal| literal.strip_prefix('#')) {
        let contained = root.value.get("contained")?.as_array()?;
        let target = contained.iter().find(|inner| inner["id"].as_str() == Some(id))?;
        let found = Node::resource(target).kind;
        return (!found.is_empty()).then(|| found.to_owned());
    }
    let literal = text("reference").and_then(|literal| match parse_reference(literal) {
        Reference::Absolute { resource_type, .. }
        | Reference::Relative { resource_type, .. }
        | Reference::Conditional { resource_type, .. } => Some(resource_type.name().to_owned()),
        Reference::Urn(_) | Reference::Fragment(_) | Reference::Url(_) | Reference::Invalid(_) => {
            None
        }
    });
    literal.or_else(|| {
        let stated = text("type")?;
        is_resource(stated).then(|| stated.to_owned())
    })
}
