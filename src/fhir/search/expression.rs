//! The part of FHIRPath that search parameters need, compiled.
//! <https://hl7.org/fhir/R4/searchparameter.html>, <http://hl7.org/fhirpath/N1/>
//!
//! Paths are relative to the resource. Understood: `a.b`, `(a as T)` and `a.as(T)`,
//! `.where(f='v')`, `.where(resolve() is T)`, `.ofType(T)`, `.exists()`, `$this`, and `|` between
//! them.
//! `exists()` is true for anything but an absent element or `false`, which is how R4 reads
//! `deceased[x]`. A name without its choice type (`value`) finds all of them (`valueQuantity`).

use serde_json::Value;
use std::borrow::Cow;

use crate::fhir::ResourceType;

/// A compiled expression: alternatives of steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Expression(Vec<Vec<Step>>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// Into an element; of a choice type any.
    Child(Box<str>),
    /// Into a choice element of one type: `value` and `Quantity`.
    Choice(Box<str>, Box<str>),
    /// Keeps the objects of which an element has a value.
    Where(Box<str>, Box<str>),
    /// Keeps the references to a type.
    ResolvesTo(ResourceType),
    /// Whether there is anything.
    Exists,
}

/// The types a choice element can have in the resources that we search.
const CHOICE_TYPES: [&str; 24] = [
    "Address",
    "Age",
    "Attachment",
    "Boolean",
    "Canonical",
    "Code",
    "CodeableConcept",
    "Coding",
    "Date",
    "DateTime",
    "Decimal",
    "Duration",
    "Identifier",
    "Instant",
    "Integer",
    "Period",
    "Quantity",
    "Range",
    "Ratio",
    "Reference",
    "String",
    "Time",
    "Timing",
    "Uri",
];

impl Expression {
    /// Compiles an expression.
    ///
    /// # Errors
    /// Shows the alternative that is none of the understood forms.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let alternative = |part: &str| {
            parse_path(part.trim())
                .ok_or_else(|| format!("expression \"{}\" is not understood", part.trim()))
        };
        text.split('|').map(alternative).collect::<Result<_, _>>().map(Self)
    }

    /// All nodes the expression leads to; arrays are flattened.
    pub(super) fn evaluate<'v>(&self, resource: &'v Value) -> Vec<Cow<'v, Value>> {
        let mut found = Vec::new();
        for steps in &self.0 {
            found.extend(follow(steps, resource));
        }
        found
    }
}

/// Whether a member of a resource states an element, which may be of a choice type: `onset` is
/// stated by `onset`, `onsetDateTime` and `_onsetDateTime`.
pub(in crate::fhir) fn states(member: &str, element: &str) -> bool {
    let name = member.strip_prefix('_').unwrap_or(member);
    let suffix = name.strip_prefix(element);
    suffix.is_some_and(|s| s.is_empty() || CHOICE_TYPES.binary_search(&s).is_ok())
}

fn follow<'v>(steps: &[Step], resource: &'v Value) -> Vec<Cow<'v, Value>> {
    let mut nodes = vec![resource];
    for step in steps {
        let mut next = Vec::new();
        for node in &nodes {
            match step {
                Step::Child(name) => children(node, name, &mut next),
                Step::Choice(name, of) => choice(node, name, of, &mut next),
                Step::Where(field, value) => {
                    if node.get(&**field).and_then(Value::as_str) == Some(value) {
                        next.push(*node);
                    }
                }
                Step::ResolvesTo(target) => {
                    if refers_to(node, *target) {
                        next.push(*node);
                    }
                }
                Step::Exists => next.push(*node),
            }
        }
        if *step == Step::Exists {
            let exists = next.iter().any(|n| **n != Value::Bool(false));
            return vec![Cow::Owned(Value::Bool(exists))];
        }
        nodes = next;
    }
    nodes.into_iter().map(Cow::Borrowed).collect()
}

fn children<'v>(node: &'v Value, name: &str, into: &mut Vec<&'v Value>) {
    let Value::Object(members) = node else { return };
    if let Some(value) = members.get(name) {
        flatten(value, into);
        return;
    }
    for (key, value) in members {
        let suffix = key.strip_prefix(name);
        if suffix.is_some_and(|s| CHOICE_TYPES.binary_search(&s).is_ok()) {
            flatten(value, into);
        }
    }
}

fn choice<'v>(node: &'v Value, name: &str, of: &str, into: &mut Vec<&'v Value>) {
    let Value::Object(members) = node else { return };
    for (key, value) in members {
        if key.strip_prefix(name).is_some_and(|s| s == of) {
            flatten(value, into);
        }
    }
}

fn flatten<'v>(value: &'v Value, into: &mut Vec<&'v Value>) {
    match value {
        Value::Array(items) => into.extend(items.iter().filter(|i| !i.is_null())),
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            into.push(value);
        }
    }
}

/// The type is read from the literal reference, else from `type`: nothing is fetched.
fn refers_to(node: &Value, target: ResourceType) -> bool {
    let literal = node.get("reference").and_then(Value::as_str).unwrap_or_default();
    let mut segments = literal.split("/_history/").next().unwrap_or_default().rsplit('/');
    let in_literal = segments.nth(1).and_then(ResourceType::parse);
    let stated = || node.get("type").and_then(Value::as_str).and_then(ResourceType::parse);
    in_literal.or_else(stated) == Some(target)
}

fn parse_path(text: &str) -> Option<Vec<Step>> {
    if text == "$this" {
        return Some(Vec::new());
    }
    let mut steps = Vec::new();
    let mut rest = text;
    if let Some(inner) = text.strip_prefix('(') {
        let (cast, after) = inner.split_once(')')?;
        let (path, of) = cast.split_once(" as ")?;
        steps = parse_path(path.trim())?;
        cast_last(&mut steps, of.trim())?;
        rest = match after.strip_prefix('.') {
            Some(more) => more,
            None if after.is_empty() => return Some(steps),
            None => return None,
        };
    }
    while !rest.is_empty() {
        let end = rest.find(['.', '(']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric()) {
            return None;
        }
        rest = if let Some(call) = after.strip_prefix('(') {
            function(name, call, &mut steps)?
        } else {
            steps.push(Step::Child(name.into()));
            after
        };
        match rest.strip_prefix('.') {
            Some("") => return None,
            Some(more) => rest = more,
            None if rest.is_empty() => {}
            None => return None,
        }
    }
    (!steps.is_empty()).then_some(steps)
}

/// Reads one call behind its opening bracket and gives back what follows it.
fn function<'t>(name: &str, call: &'t str, steps: &mut Vec<Step>) -> Option<&'t str> {
    match name {
        "as" | "ofType" => {
            let (of, after) = call.split_once(')')?;
            cast_last(steps, of.trim())?;
            Some(after)
        }
        "exists" => {
            steps.push(Step::Exists);
            call.strip_prefix(')').filter(|after| after.is_empty())
        }
        "where" => {
            if let Some(is) = call.strip_prefix("resolve() is ") {
                let (target, after) = is.split_once(')')?;
                steps.push(Step::ResolvesTo(ResourceType::parse(target.trim())?));
                return Some(after);
            }
            let (field, quoted) = call.split_once('=')?;
            let (value, after) = quoted.trim_start().strip_prefix('\'')?.split_once('\'')?;
            let field = field.trim();
            if field.is_empty() || !field.chars().all(|c| c.is_ascii_alphanumeric()) {
                return None;
            }
            steps.push(Step::Where(field.into(), value.into()));
            after.strip_prefix(')')
        }
        _ => None,
    }
}

fn cast_last(steps: &mut [Step], of: &str) -> Option<()> {
    let mut letters = of.chars();
    let capital: String = letters.next()?.to_uppercase().chain(letters.by_ref()).collect();
    CHOICE_TYPES.binary_search(&capital.as_str()).ok()?;
    let last = steps.last_mut()?;
    let Step::Child(name) = last else { return None };
    *last = Step::Choice(std::mem::take(name), capital.into());
    Some(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(expression: &str, resource: &Value) -> Vec<Value> {
        let expression = Expression::parse(expression).unwrap();
        expression.evaluate(resource).into_iter().map(Cow::into_owned).collect()
    }

    #[test]
    fn every_form_finds_its_nodes() {
        assert!(CHOICE_TYPES.is_sorted());
        let resource = json!({
            "name": [{"given": ["A", "B"]}, {"given": ["C"]}],
            "telecom": [{"system": "phone", "value": "1"}, {"system": "email", "value": "2"}],
            "valueQuantity": {"value": 3},
            "subject": {"reference": "https://a.example/Patient/1/_history/2"},
            "target": [{"reference": "Patient/1"}, {"reference": "Goal/1"}, {"type": "Patient"}],
            "deceasedBoolean": false
        });
        assert_eq!(found("name.given", &resource), [json!("A"), json!("B"), json!("C")]);
        assert_eq!(found("telecom.where(system='email').value", &resource), [json!("2")]);
        assert_eq!(found("value.value", &resource), [json!(3)]);
        assert_eq!(found("(value as Quantity).value", &resource), [json!(3)]);
        assert_eq!(found("value.as(Quantity).value", &resource), [json!(3)]);
        assert_eq!(found("value.ofType(Quantity).value", &resource), [json!(3)]);
        assert_eq!(found("(value as string)", &resource), [] as [Value; 0]);
        assert_eq!(found("subject.where(resolve() is Patient)", &resource).len(), 1);
        assert_eq!(found("target.where(resolve() is Patient)", &resource).len(), 2);
        assert_eq!(found("name.given | telecom.value", &resource).len(), 5);
        assert_eq!(found("deceased.exists()", &resource), [json!(false)]);
        assert_eq!(found("deceased.exists()", &json!({"deceasedDateTime": "2020"})), [json!(true)]);
        assert_eq!(found("deceased.exists()", &json!({})), [json!(false)]);
        assert_eq!(found("$this | name", &resource).len(), 3);
    }

    #[test]
    fn other_forms_are_refused() {
        for bad in [
            "",
            "a.",
            ".a",
            "a.first()",
            "a.where(b > 3)",
            "(a as)",
            "a.as(Nothing)",
            "a.where(",
            "a.where(resolve() is Wizard)",
            "a and b",
            "a.exists().b",
            "as(Quantity)",
            "a | ",
            "(a as Quantity)b",
            "a.where(x='y'",
            "a.where(x='y')b",
        ] {
            assert!(Expression::parse(bad).is_err(), "{bad}");
        }
    }
}
