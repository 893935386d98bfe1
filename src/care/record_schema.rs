//! What a care record may look like: `profiles/care-record.schema.json`, and errors that its sender
//! can act on. <https://json-schema.org/draft/2020-12>

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

/// More faults than this of one record help nobody.
const FAULTS_MAX: usize = 20;

/// One fault of a care record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where: a JSON Pointer, such as `/goals/0/status`.
    pub path: String,
    /// What is wrong and what to do, without the value.
    pub text: String,
}

/// The compiled schema.
#[derive(Debug)]
pub(super) struct RecordSchema {
    validator: Validator,
    schema: Value,
}

impl RecordSchema {
    pub(super) fn compile(text: &str) -> Result<Self, String> {
        let schema: Value =
            serde_json::from_str(text).map_err(|e| format!("record schema: {e}"))?;
        let validator = jsonschema::draft202012::new(&schema)
            .map_err(|e| format!("record schema: cannot be compiled: {e}"))?;
        Ok(Self { validator, schema })
    }

    /// The schema itself.
    pub(super) fn text(&self) -> &Value {
        &self.schema
    }

    pub(super) fn check(&self, record: &Value) -> Vec<Fault> {
        let errors = self.validator.iter_errors(record).take(FAULTS_MAX);
        let mut faults: Vec<Fault> = errors.map(|error| self.fault(&error)).collect();
        faults.dedup();
        faults
    }

    fn fault(&self, error: &ValidationError<'_>) -> Fault {
        let mut path = error.instance_path().as_str().to_owned();
        let at = error.schema_path().as_str();
        let around = at.rsplit_once('/').map_or("", |(around, _)| around);
        let around = self.schema.pointer(around);
        let described = around.and_then(|schema| self.description(schema));
        let asked = described.unwrap_or("see profiles/care-record.schema.json");
        let text = match error.kind() {
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                path.push('/');
                path.push_str(name);
                let schema = around.and_then(|s| s.get("properties")?.get(name));
                match schema.and_then(|schema| self.wanted(schema)) {
                    Some(wanted) => format!("missing; add it: {wanted}"),
                    None => "missing; add it".to_owned(),
                }
            }
            ValidationErrorKind::Enum { options } => format!("write {}", one_of(options)),
            ValidationErrorKind::Type { .. } => match described {
                // What describes an object speaks of its members.
                Some(asked) if around.is_none_or(|s| !is_object(s)) => asked.to_owned(),
                _ => format!("write {}", around.map_or("another type".into(), type_of)),
            },
            ValidationErrorKind::AdditionalProperties { .. } => {
                let known = around.and_then(|s| s.get("properties")?.as_object());
                let known = known.into_iter().flat_map(|m| m.keys().map(String::as_str));
                let known: Vec<&str> = known.collect();
                format!("has a member that is not known here; known: {}", known.join(", "))
            }
            ValidationErrorKind::MinItems { .. } => {
                "an empty list; leave it out, or add an item".to_owned()
            }
            ValidationErrorKind::MinProperties { .. } => {
                "an empty object; leave it out, or fill it".to_owned()
            }
            ValidationErrorKind::PropertyNames { .. } => {
                "a field has no name, or one with spaces around it; rename it".to_owned()
            }
            _ => asked.to_owned(),
        };
        Fault { path, text }
    }

    fn resolved<'s>(&'s self, schema: &'s Value) -> &'s Value {
        let target = schema.get("$ref").and_then(Value::as_str);
        let target = target.and_then(|r| self.schema.pointer(r.trim_start_matches('#')));
        target.unwrap_or(schema)
    }

    fn description<'s>(&'s self, schema: &'s Value) -> Option<&'s str> {
        self.resolved(schema).get("description")?.as_str().filter(|text| !text.is_empty())
    }

    /// What a schema asks for, in words.
    fn wanted(&self, schema: &Value) -> Option<String> {
        let schema = self.resolved(schema);
        match schema.get("enum") {
            Some(options) => Some(one_of(options)),
            None if is_object(schema) => None,
            None => self.description(schema).map(str::to_owned),
        }
    }
}

fn is_object(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("object")
}

fn one_of(options: &Value) -> String {
    let options = options.as_array().into_iter().flatten();
    let options: Vec<&str> = options.filter_map(Value::as_str).collect();
    format!("one of {}", options.join(", "))
}

fn type_of(schema: &Value) -> String {
    match schema.get("type").and_then(Value::as_str) {
        Some("array") => "a list".to_owned(),
        Some("object") => "an object".to_owned(),
        Some("boolean") => "true or false".to_owned(),
        Some("string") => "a text".to_owned(),
        Some("integer") => "a whole number".to_owned(),
        Some("number") => "a number".to_owned(),
        _ => "another type".to_owned(),
    }
}
