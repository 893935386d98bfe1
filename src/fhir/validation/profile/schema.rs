//! A profile as JSON Schema: cardinality, fixed and pattern values, bindings, targets, slices.
//! <https://hl7.org/fhir/R4/profiling.html#slicing>
//!
//! Each part has a `$comment` with the rule, the member it is about and the text of a finding.

use std::collections::{BTreeMap, BTreeSet};

use fhirbolt_shared::element_map::r4::ELEMENT_MAP;
use fhirbolt_shared::type_hints::r4::TYPE_HINTS;
use serde_json::{Map, Value, json};

use super::codes::coding;
use super::slices;
use super::tree::{Spec, Type};
use super::{Definitions, R4_TYPES};
use crate::fhir::ResourceType;
use crate::fhir::fhirpath::is_choice;

/// Compiles one profile with the profiles of datatypes that it uses.
pub(super) struct Compiler<'d> {
    definitions: &'d Definitions,
    /// URLs of profiles of datatypes, in the order of their `$defs`.
    used: Vec<String>,
    /// What is not checked, and why.
    pub(super) unchecked: BTreeSet<String>,
}

impl<'d> Compiler<'d> {
    pub(super) fn new(definitions: &'d Definitions) -> Self {
        Self { definitions, used: Vec::new(), unchecked: BTreeSet::new() }
    }

    /// The schema of a profile upon a type.
    pub(super) fn compile(&mut self, spec: &Spec, type_name: &str) -> Value {
        let mut schema = self.object(spec, type_name);
        let mut defs = Map::new();
        let mut next = 0;
        while let Some(url) = self.used.get(next).cloned() {
            let inner = match self.definitions.specs.get(&url) {
                Some((name, spec)) => self.object(spec, name),
                None => Value::Bool(true),
            };
            defs.insert(next.to_string(), inner);
            next += 1;
        }
        schema["$defs"] = Value::Object(defs);
        schema
    }

    /// The schema of an object; `kind` is the R4 path of its type.
    fn object(&mut self, spec: &Spec, kind: &str) -> Value {
        let mut members = Members::default();
        for child in &spec.children {
            match child.name.strip_suffix("[x]") {
                Some(stem) => self.choice(child, kind, stem, &mut members),
                None => self.member(child, kind, &mut members),
            }
        }
        members.schema()
    }

    fn member(&mut self, spec: &Spec, kind: &str, members: &mut Members) {
        let name = spec.name.as_str();
        if spec.max == Some(0) {
            return members.prohibit(name);
        }
        if spec.min > 0 {
            members.require(name, &[name.to_owned()]);
        }
        let inner = kind_of(kind, name);
        if !is_array(kind, name) {
            let value = self.value(spec, &inner);
            return members.add(name, value);
        }
        if let Some(value) = self.value(spec, &inner) {
            // `null` holds the place of a value that has only an extension.
            members.add(name, Some(json!({"items": {"if": {"type": "null"}, "else": value}})));
        }
        if spec.min > 1 {
            let text = format!("is needed at least {} times; add the others", spec.min);
            members.add(name, Some(part("cardinality", &text, json!({"minItems": spec.min}))));
        }
        if let Some(max) = spec.max {
            let text = format!("is allowed at most {max} times; remove the others");
            members.add(name, Some(part("cardinality", &text, json!({"maxItems": max}))));
        }
        for value in self.slices(spec, &inner) {
            members.add(name, Some(value));
        }
    }

    fn slices(&mut self, spec: &Spec, kind: &str) -> Vec<Value> {
        let mut all = Vec::new();
        let mut known = Vec::new();
        for slice in &spec.slices {
            let Some(matches) = slices::matcher(spec, slice, kind, self.definitions) else {
                self.unchecked.insert(format!("slice {} of {}", slice.name, spec.name));
                continue;
            };
            let name = &slice.name;
            if slice.min > 0 {
                let text = format!("needs at least {} of the slice {name}; add it", slice.min);
                let schema = json!({"contains": matches, "minContains": slice.min});
                all.push(part("slicing", &text, schema));
            }
            if let Some(max) = slice.max {
                let text = format!("has more than {max} of the slice {name}; remove the others");
                let schema = json!({"contains": matches, "minContains": 0, "maxContains": max});
                all.push(part("slicing", &text, schema));
            }
            if let Some(then) = self.value(slice, kind) {
                all.push(json!({"items": {"if": matches, "then": then}}));
            }
            known.push(matches);
        }
        let is_closed = spec.slicing.as_ref().is_some_and(|slicing| slicing.is_closed);
        if is_closed && !known.is_empty() && known.len() == spec.slices.len() {
            let text = "is of none of the slices that the profile allows; remove it";
            all.push(json!({"items": part("slicing", text, json!({"anyOf": known}))}));
        }
        all
    }

    /// An element of several types: each type is a member of its own.
    fn choice(&mut self, spec: &Spec, kind: &str, stem: &str, members: &mut Members) {
        let named = |code: &str| format!("{stem}{}", upper_first(code));
        let allowed: Vec<(String, &str)> =
            spec.types.iter().map(|t| (named(&t.code), t.code.as_str())).collect();
        let known = ELEMENT_MAP.get(kind).into_iter().flat_map(|names| names.iter());
        let is_left_out = |name: &str| {
            spec.max == Some(0)
                || (!allowed.is_empty() && allowed.iter().all(|(known, _)| known != name))
        };
        for name in known.filter(|name| is_choice(name, stem) && is_left_out(name)) {
            members.prohibit(name);
        }
        if spec.max == Some(0) {
            return;
        }
        let names: Vec<String> = allowed.iter().map(|(name, _)| name.clone()).collect();
        if spec.min > 0 && !names.is_empty() {
            members.require(&format!("{stem}[x]"), &names);
        }
        for (name, code) in &allowed {
            let mut own = spec.clone();
            own.types.retain(|t| t.code == *code);
            if allowed.len() > 1 {
                (own.fixed, own.pattern) = (None, None);
                own.children.clear();
            }
            let value = self.value(&own, code);
            members.add(name, value);
        }
        for slice in &spec.slices {
            let Some(code) = slice.types.first().map(|t| t.code.as_str()) else { continue };
            let name = named(code);
            if slice.max == Some(0) {
                members.prohibit(&name);
                continue;
            }
            if slice.min > 0 {
                members.require(&name, std::slice::from_ref(&name));
            }
            let value = self.value(slice, code);
            members.add(&name, value);
        }
    }

    /// The schema of one value; `None` if all are allowed.
    fn value(&mut self, spec: &Spec, kind: &str) -> Option<Value> {
        let mut all = Vec::new();
        if let Some(fixed) = &spec.fixed {
            let text = format!("the profile has exactly {} here", short(fixed));
            all.push(part("fixed", &text, json!({"const": fixed})));
        }
        if let Some(pattern) = &spec.pattern {
            let text = format!("the profile demands {} here", short(pattern));
            all.push(part("pattern", &text, slices::pattern(pattern)));
        }
        if let Some(set) = &spec.binding {
            match binding(self.definitions, set, kind, false) {
                Some(schema) => {
                    let text = format!("none of the codes of {set}; use one of them");
                    all.push(part("binding", &text, schema));
                }
                // R4's own codes are checked with or without a profile.
                None if !set.starts_with("http://hl7.org/fhir/ValueSet/") => {
                    self.unchecked.insert(format!("binding of {} to {set}", spec.name));
                }
                None => {}
            }
        }
        if kind == "Reference" {
            all.extend(self.targets(&spec.types));
        }
        if let [Type { profiles, .. }] = spec.types.as_slice()
            && let [url] = profiles.as_slice()
            && (self.definitions.specs.get(url))
                .is_some_and(|(name, _)| ResourceType::parse(name).is_none())
        {
            all.push(json!({"$ref": format!("#/$defs/{}", self.def(url))}));
        }
        if !spec.children.is_empty() && kind != "Resource" {
            all.push(self.object(spec, kind));
        }
        match all.len() {
            0 => None,
            1 => all.pop(),
            _ => Some(json!({"allOf": all})),
        }
    }

    fn def(&mut self, url: &str) -> usize {
        self.used.iter().position(|known| known == url).unwrap_or_else(|| {
            self.used.push(url.to_owned());
            self.used.len() - 1
        })
    }

    /// A reference whose URL names a type is of one that the profile allows.
    fn targets(&self, types: &[Type]) -> Option<Value> {
        let urls: Vec<&String> = types.iter().flat_map(|t| &t.targets).collect();
        let names: Option<BTreeSet<&str>> =
            urls.iter().map(|url| self.definitions.type_of(url)).collect();
        let names = names.filter(|names| !names.is_empty() && !names.contains("Resource"))?;
        let listed = names.iter().copied().collect::<Vec<_>>();
        let text = format!("refers to another type; refer to one of: {}", listed.join(", "));
        let tail = "/[A-Za-z0-9.-]{1,64}(/_history/[A-Za-z0-9.-]{1,64})?$";
        let any = format!("(^|/)[A-Z][A-Za-z]+{tail}");
        let ours = format!("(^|/)({}){tail}", listed.join("|"));
        let schema = part("reference-target", &text, json!({"pattern": ours}));
        Some(json!({"properties": {"reference": {"if": {"pattern": any}, "then": schema}}}))
    }
}

/// The members of an object, and what is asked of it as a whole.
#[derive(Default)]
struct Members {
    properties: BTreeMap<String, Vec<Value>>,
    whole: Vec<Value>,
}

impl Members {
    fn add(&mut self, name: &str, schema: Option<Value>) {
        if let Some(schema) = schema {
            self.properties.entry(name.to_owned()).or_default().push(schema);
        }
    }

    fn prohibit(&mut self, name: &str) {
        let text = "the profile allows no such element; remove it";
        self.add(name, Some(part("cardinality", text, json!({"not": {}}))));
    }

    /// A primitive may come without value, with an extension that says why.
    fn require(&mut self, shown: &str, names: &[String]) {
        let any = names.iter().flat_map(|name| {
            [json!({"required": [name]}), json!({"required": [format!("_{name}")]})]
        });
        let any: Vec<Value> = any.collect();
        self.whole.push(json!({
            "$comment": format!("cardinality|{shown}|the profile requires this element; add it"),
            "anyOf": any,
        }));
    }

    fn schema(self) -> Value {
        let one = |mut all: Vec<Value>| match all.len() {
            1 => all.remove(0),
            _ => json!({"allOf": all}),
        };
        let properties: Map<String, Value> =
            self.properties.into_iter().map(|(name, all)| (name, one(all))).collect();
        let mut schema = json!({"properties": properties});
        if !self.whole.is_empty() {
            schema["allOf"] = Value::Array(self.whole);
        }
        schema
    }
}

/// The schema of a binding; `strict` where a text without code is none of the set.
pub(super) fn binding(
    definitions: &Definitions,
    set: &str,
    kind: &str,
    strict: bool,
) -> Option<Value> {
    let codes = definitions.terminology.codes(set)?;
    match kind {
        "CodeableConcept" => {
            let mut schema = json!({"properties": {"coding": {"contains": coding(&codes)}}});
            if strict {
                schema["required"] = json!(["coding"]);
            }
            Some(schema)
        }
        "Coding" | "Quantity" => Some(coding(&codes)),
        _ => {
            let all: Option<Vec<_>> = codes.values().map(Option::as_ref).collect();
            let all: Vec<_> = all?.into_iter().flatten().collect();
            Some(json!({"enum": all}))
        }
    }
}

/// The R4 path of the type of a member.
pub(super) fn kind_of(kind: &str, name: &str) -> String {
    let full = format!("{kind}.{name}");
    if name == "extension" || name == "modifierExtension" {
        return "Extension".to_owned();
    }
    if name == "contained" {
        return "Resource".to_owned();
    }
    let elsewhere = TYPE_HINTS.content_reference_paths.get(full.as_str());
    elsewhere.or_else(|| TYPE_HINTS.type_paths.get(full.as_str())).map_or(full, |k| (*k).to_owned())
}

/// Whether a member is a list.
pub(super) fn is_array(kind: &str, name: &str) -> bool {
    matches!(name, "extension" | "modifierExtension" | "contained")
        || TYPE_HINTS.array_paths.contains(format!("{kind}.{name}").as_str())
}

fn part(rule: &str, text: &str, mut schema: Value) -> Value {
    schema["$comment"] = Value::String(format!("{rule}||{text}"));
    schema
}

fn short(value: &Value) -> String {
    value.to_string().chars().take(200).collect()
}

pub(super) fn upper_first(code: &str) -> String {
    let mut letters = code.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string()).unwrap_or_default()
        + letters.as_str()
}

impl Definitions {
    /// The resource type that a profile's URL stands for.
    fn type_of(&self, url: &str) -> Option<&str> {
        if let Some((name, _)) = self.specs.get(url) {
            return Some(name);
        }
        let name = url.strip_prefix(R4_TYPES)?;
        if name == "Resource" {
            return Some("Resource");
        }
        ResourceType::parse(name).map(ResourceType::name)
    }
}
