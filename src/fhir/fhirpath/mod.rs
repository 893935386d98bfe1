//! FHIRPath: expressions over resources, parsed once and evaluated often.
//! <http://hl7.org/fhirpath/N1/>, <https://hl7.org/fhir/R4/fhirpath.html>
//!
//! What is not understood is refused when it is parsed; what cannot be decided (a reference whose
//! target is not at hand, a value set that is not known) is a [`Fault`] when it is evaluated, so
//! that nobody takes it for "false".

mod ast;
mod boundary;
mod call;
mod convert;
mod eval;
mod function;
mod item;
mod lexer;
mod math;
mod model;
mod operate;
mod parser;
mod quantity;
mod regexes;
mod temporal;
#[cfg(test)]
mod tests;
mod text;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::Value;

pub(in crate::fhir) use item::Node;
pub(in crate::fhir) use model::{is_choice, is_kind, is_primitive, is_resource, kinds};

use ast::Expr;
use eval::{Eval, Focus};
use item::Item;
use temporal::Temporal;

/// A decimal with its unit in another UCUM unit; `None` if that cannot be told.
pub(in crate::fhir) fn in_unit((value, from): (&str, &str), to: &str) -> Option<f64> {
    let value = Decimal::from_str_exact(value).or_else(|_| Decimal::from_scientific(value)).ok()?;
    quantity::in_unit((value, from), to)?.to_f64()
}

/// A parsed expression.
#[derive(Clone, Debug)]
pub struct FhirPath {
    root: Expr,
}

/// Why an expression has no value: wrong use of a function, or what it asks is not known here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Fault(pub(in crate::fhir) String);

/// What an expression can ask for beside the resource.
pub(in crate::fhir) trait Host {
    /// Whether one of these codes (system and code) is in a value set; `None` if it is not known.
    fn member_of(&self, codes: &[(Option<&str>, &str)], value_set: &str) -> Option<bool>;
    /// Whether an element conforms to a profile; `None` if the profile is not known.
    fn conforms(&self, node: &Node<'_>, profile: &str) -> Option<bool>;
}

/// Knows R4's own types and nothing else.
pub(in crate::fhir) struct KnowsTypes;

impl Host for KnowsTypes {
    fn member_of(&self, _codes: &[(Option<&str>, &str)], _value_set: &str) -> Option<bool> {
        None
    }

    fn conforms(&self, node: &Node<'_>, profile: &str) -> Option<bool> {
        let name = profile.strip_prefix("http://hl7.org/fhir/StructureDefinition/")?;
        model::is_type(name).then(|| model::is_kind(node.kind, name))
    }
}

/// What `%resource`, `%rootResource` and `%context` are, and who answers questions.
#[derive(Clone, Copy)]
pub(in crate::fhir) struct Environment<'e, 'v> {
    pub(in crate::fhir) resource: Node<'v>,
    pub(in crate::fhir) root: Node<'v>,
    pub(in crate::fhir) context: Node<'v>,
    pub(in crate::fhir) now: Option<&'e str>,
    pub(in crate::fhir) host: &'e dyn Host,
}

impl FhirPath {
    /// Parses an expression.
    ///
    /// # Errors
    /// Says what is not understood: wrong grammar, or a function that is not known.
    pub fn parse(text: &str) -> Result<Self, String> {
        parser::parse(text).map(|root| Self { root })
    }

    /// Evaluates the expression on a resource; every item of the result as its type and text.
    /// `now` is a dateTime, for expressions that ask what time it is.
    ///
    /// # Errors
    /// What cannot be evaluated.
    pub fn evaluate(
        &self,
        resource: &Value,
        now: Option<&str>,
    ) -> Result<Vec<(String, String)>, Fault> {
        let node = Node::resource(resource);
        let env = Environment { resource: node, root: node, context: node, now, host: &KnowsTypes };
        let items = self.items(&env)?;
        let shown = items.iter().map(|item| {
            let name = match item {
                Item::Node(node) => node.kind.to_owned(),
                _ => item.system_type().to_owned(),
            };
            let text = item.text().map_or_else(
                || match item {
                    Item::Node(node) => node.value.to_string(),
                    _ => String::new(),
                },
                std::borrow::Cow::into_owned,
            );
            (name, text)
        });
        Ok(shown.collect())
    }

    /// Whether the expression holds of an element: its context. Only `false` is no: R4's rules
    /// say nothing about elements of which they have no value.
    pub(in crate::fhir) fn holds(&self, env: &Environment<'_, '_>) -> Result<bool, Fault> {
        let items = self.items(env)?;
        Ok(!matches!(items.as_slice(), [item] if item.system() == Some(Item::Bool(false))))
    }

    fn items<'v>(&self, env: &Environment<'_, 'v>) -> Result<Vec<Item<'v>>, Fault> {
        let now = env.now.and_then(Temporal::date_time);
        let focus = Focus { items: vec![Item::Node(env.context)], index: None, total: None };
        Eval::new(env, now).eval(&self.root, &focus)
    }
}
