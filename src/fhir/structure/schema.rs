//! A StructureDefinition's differential as JSON Schema.
//! <https://hl7.org/fhir/R4/structuredefinition.html>

use std::collections::BTreeMap;

use fhirbolt_shared::element_map::r4::ELEMENT_MAP;
use fhirbolt_shared::type_hints::r4::TYPE_HINTS;
use serde_json::{Map, Value, json};

/// What one type's profile says, as a tree of elements.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    children: BTreeMap<String, Rules>,
    required: bool,
    prohibited: bool,
    codes: Option<Codes>,
    /// The datatype whose own rules apply here.
    datatype: Option<&'static str>,
}

/// The codes of a required binding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Codes(pub(super) Vec<(String, String)>);

impl Rules {
    /// The rule of one element, made where it is missing. `path` has no type name.
    pub(super) fn at(&mut self, path: &str) -> &mut Self {
        path.split('.').fold(self, |rules, name| rules.children.entry(name.into()).or_default())
    }

    pub(super) fn require(&mut self) {
        self.required = true;
    }

    pub(super) fn prohibit(&mut self) {
        self.prohibited = true;
    }

    pub(super) fn bind(&mut self, codes: Codes) {
        self.codes = Some(codes);
    }

    /// The codes bound to an element, by its path without indexes and type name.
    pub(super) fn bound(&self, path: &[&str]) -> Option<&Codes> {
        match path {
            [] => self.codes.as_ref(),
            [name, rest @ ..] => self.children.get(*name)?.bound(rest),
        }
    }

    /// Adds the datatypes that have rules of their own, wherever R4 uses them in this type.
    pub(super) fn add_datatypes(&mut self, type_name: &str, known: &[&'static str]) {
        let prefix = format!("{type_name}.");
        let mut uses: Vec<(&str, &'static str)> = TYPE_HINTS
            .type_paths
            .entries()
            .filter_map(|(path, kind)| {
                let known = known.iter().find(|k| *k == kind)?;
                Some((path.strip_prefix(&prefix)?, *known))
            })
            .collect();
        if ELEMENT_MAP.get(type_name).is_some_and(|set| set.contains("contained"))
            && let Some(narrative) = known.iter().find(|k| **k == "Narrative")
        {
            uses.push(("text", narrative));
        }
        for (path, kind) in uses {
            self.at(path).datatype = Some(kind);
        }
    }

    /// The JSON Schema of an object with these rules; `path` is the R4 path of its type.
    pub(super) fn object(&self, path: &str) -> Value {
        let mut properties = Map::new();
        let mut needed = Vec::new();
        let mut conditions = Vec::new();
        for (name, rules) in &self.children {
            let full = format!("{path}.{name}");
            if rules.required {
                // A primitive may come without value, with an extension that says why.
                let twin = format!("_{name}");
                match TYPE_HINTS.all_primitives_paths.contains(full.as_str()) {
                    true => conditions.push(json!({
                        "if": {"not": {"required": [twin]}}, "then": {"required": [name]}
                    })),
                    false => needed.push(name.clone()),
                }
            }
            properties.insert(name.clone(), rules.element(&full));
        }
        let mut schema = json!({"properties": properties});
        if !needed.is_empty() {
            schema["required"] = json!(needed);
        }
        if !conditions.is_empty() {
            schema["allOf"] = Value::Array(conditions);
        }
        schema
    }

    fn element(&self, path: &str) -> Value {
        if self.prohibited {
            return Value::Bool(false);
        }
        let kind = TYPE_HINTS.type_paths.get(path).copied();
        let mut all = Vec::new();
        if !self.children.is_empty() {
            all.push(self.object(kind.unwrap_or(path)));
        }
        if let Some(codes) = &self.codes {
            all.push(codes.schema(kind));
        }
        if let Some(datatype) = self.datatype {
            all.push(json!({"$ref": format!("#/$defs/{datatype}")}));
        }
        let one = match all.len() {
            0 => Value::Bool(true),
            1 => all.remove(0),
            _ => json!({"allOf": all}),
        };
        match TYPE_HINTS.array_paths.contains(path) {
            true => json!({"items": one}),
            false => one,
        }
    }

    /// The first element named by the rules that R4 does not have.
    pub(super) fn unknown_element(&self, path: &str) -> Option<String> {
        let path = match TYPE_HINTS.content_reference_paths.get(path) {
            Some(elsewhere) => elsewhere,
            None => TYPE_HINTS.type_paths.get(path).copied().unwrap_or(path),
        };
        let known = ELEMENT_MAP.get(path);
        self.children.iter().find_map(|(name, rules)| {
            let full = format!("{path}.{name}");
            match known.is_some_and(|set| set.contains(name.as_str())) {
                true => rules.unknown_element(&full),
                false => Some(full),
            }
        })
    }
}

impl Codes {
    /// For a CodeableConcept one coding must be of the set (a text alone has none to check).
    fn schema(&self, kind: Option<&str>) -> Value {
        let plain: Vec<&str> = self.0.iter().map(|(_, code)| code.as_str()).collect();
        let coding = || {
            let pairs: Vec<Value> = self
                .0
                .iter()
                .map(|(system, code)| {
                    json!({"properties": {"system": {"const": system},
                    "code": {"const": code}}, "required": ["system", "code"]})
                })
                .collect();
            json!({"anyOf": pairs})
        };
        match kind {
            Some("CodeableConcept") => json!({"properties": {"coding": {"contains": coding()}}}),
            Some("Coding") => coding(),
            // `null` holds the place of a value that has only an extension.
            _ => json!({"enum": plain.into_iter().map(Value::from).chain([Value::Null])
                .collect::<Vec<_>>()}),
        }
    }
}
