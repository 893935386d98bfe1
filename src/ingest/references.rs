//! References: every one in a resource, with its place, its role and what it refers to.
//! <https://hl7.org/fhir/R4/references.html>, <https://hl7.org/fhir/R4/bundle.html#references>

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::EndpointBases;
use super::lift::Contained;
use super::roles::role;
use crate::compare::normalise_identifier;
use crate::fhir::{Reference, ResourceType, parse_reference};
use crate::flow::{Identifier, Link, RecordKey, RefTarget, Role};

/// References of one resource beyond this are not followed; the largest known Group has fewer.
const LINKS_MAX: usize = 100_000;

/// What a Reference may have beside `reference`; an object with other members is none.
const REFERENCE_MEMBERS: [&str; 6] =
    ["reference", "type", "identifier", "display", "id", "extension"];

/// What references of one resource resolve against.
pub(super) struct Context<'a> {
    /// The endpoint that states it.
    pub(super) endpoint: &'a Arc<str>,
    /// Known endpoints by base URL.
    pub(super) bases: &'a EndpointBases,
    /// Literals whose targets are known beforehand.
    pub(super) named: &'a BTreeMap<String, RefTarget>,
    /// The entries of its Bundle by `fullUrl`.
    pub(super) full_urls: &'a BTreeMap<String, RecordKey>,
    /// The base of its own `fullUrl`, if that is a RESTful one.
    pub(super) base: Option<&'a str>,
    /// What it, or its container, contains.
    pub(super) contained: &'a Contained,
    /// The container, which `#` means: itself if it is contained in none.
    pub(super) container: &'a RecordKey,
}

/// All references of a resource of type `kind`, in the order of the text. Contained resources
/// that are lifted have their own; those of the others count here.
pub(super) fn links(kind: &str, resource: &Value, context: &Context<'_>) -> Vec<Link> {
    let mut walk = Walk { kind, context, links: Vec::new(), pointer: String::new() };
    if let Value::Object(members) = resource {
        walk.members(members, "", None);
    }
    walk.links
}

struct Walk<'a> {
    kind: &'a str,
    context: &'a Context<'a>,
    links: Vec<Link>,
    pointer: String,
}

impl Walk<'_> {
    fn value(&mut self, value: &Value, path: &str, extension: Option<&str>) {
        match value {
            Value::Object(members) => {
                let inner = extension_url(path, members);
                let extension = inner.or(extension);
                self.reference(members, path, extension);
                self.members(members, path, extension);
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    if self.is_lifted(path, index) {
                        continue;
                    }
                    self.at(&index.to_string(), |walk| walk.value(item, path, extension));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn members(&mut self, members: &Map<String, Value>, path: &str, extension: Option<&str>) {
        for (name, value) in members {
            // The entries of a document stand for themselves.
            if !value.is_object() && !value.is_array() || (self.kind == "Bundle" && name == "entry")
            {
                continue;
            }
            let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let step = name.replace('~', "~0").replace('/', "~1");
            self.at(&step, |walk| walk.value(value, &inner, extension));
        }
    }

    fn at(&mut self, step: &str, go: impl FnOnce(&mut Self)) {
        let before = self.pointer.len();
        self.pointer.push('/');
        self.pointer.push_str(step);
        go(self);
        self.pointer.truncate(before);
    }

    fn is_lifted(&self, path: &str, index: usize) -> bool {
        path == "contained" && self.context.contained.is_lifted(index)
    }

    fn reference(&mut self, members: &Map<String, Value>, path: &str, extension: Option<&str>) {
        if self.links.len() >= LINKS_MAX {
            return;
        }
        let Some(to) = target(members, self.context) else {
            return;
        };
        let role = role(self.kind, path, extension);
        self.links.push(Link { role, pointer: self.pointer.as_str().into(), to });
    }
}

fn extension_url<'a>(path: &str, members: &'a Map<String, Value>) -> Option<&'a str> {
    let name = path.rsplit('.').next().unwrap_or(path);
    let is_extension = name == "extension" || name == "modifierExtension";
    let url = members.get("url").and_then(Value::as_str).filter(|_| is_extension)?;
    // The parts of a complex extension have names, no URLs of their own.
    url.contains(':').then_some(url)
}

/// What a Reference refers to; `None` if the object is none, or names nothing that can be
/// followed (a display alone, or a contained resource that stays in its container).
fn target(members: &Map<String, Value>, context: &Context<'_>) -> Option<RefTarget> {
    if let Some(Value::String(literal)) = members.get("reference") {
        return literal_target(literal, context);
    }
    let is_reference = members.keys().all(|name| REFERENCE_MEMBERS.contains(&name.as_str()));
    let stated = members.get("identifier").filter(|_| is_reference)?;
    let value = stated.get("value").and_then(Value::as_str)?;
    let system = stated.get("system").and_then(Value::as_str).unwrap_or_default();
    let resource_type = members.get("type").and_then(Value::as_str).and_then(ResourceType::parse);
    Some(identified(resource_type, system, value))
}

fn literal_target(literal: &str, context: &Context<'_>) -> Option<RefTarget> {
    let literal = literal.trim();
    if let Some(to) = context.named.get(literal) {
        return Some(to.clone());
    }
    let record = |endpoint: &Arc<str>, resource_type, id: &str| {
        RefTarget::Record(RecordKey { endpoint: endpoint.clone(), resource_type, id: id.into() })
    };
    Some(match parse_reference(literal) {
        Reference::Fragment("") => RefTarget::Record(context.container.clone()),
        Reference::Fragment(id) => match context.contained.find(id) {
            Some(lifted) => RefTarget::Record(lifted?.clone()),
            None => RefTarget::Dangling(literal.into()),
        },
        Reference::Urn(urn) => match context.full_urls.get(urn) {
            Some(key) => RefTarget::Record(key.clone()),
            None => RefTarget::Dangling(urn.into()),
        },
        Reference::Absolute { base, resource_type, id, .. } => {
            let here = context.full_urls.get(&format!("{base}/{resource_type}/{id}"));
            match (here, context.bases.endpoint(base)) {
                (Some(key), _) => RefTarget::Record(key.clone()),
                (None, Some(endpoint)) => record(endpoint, resource_type, id),
                (None, None) => RefTarget::External(literal.into()),
            }
        }
        Reference::Relative { resource_type, id, .. } => {
            let full = context.base.map(|base| format!("{base}/{resource_type}/{id}"));
            match full.and_then(|url| context.full_urls.get(&url)) {
                Some(key) => RefTarget::Record(key.clone()),
                None => record(context.endpoint, resource_type, id),
            }
        }
        Reference::Conditional { resource_type, query } => match identifier_of(query) {
            Some((system, value)) => identified(Some(resource_type), &system, &value),
            None => RefTarget::Dangling(literal.into()),
        },
        Reference::Url(url) => match context.full_urls.get(url) {
            Some(key) => RefTarget::Record(key.clone()),
            None => RefTarget::External(url.into()),
        },
        Reference::Invalid(text) => RefTarget::Dangling(text.into()),
    })
}

fn identified(resource_type: Option<ResourceType>, system: &str, value: &str) -> RefTarget {
    let (system, value) = normalise_identifier(system, value);
    let identifier = Identifier { system, value, ..Identifier::default() };
    RefTarget::Identified { resource_type, identifier }
}

/// System and value of a query that is nothing but `identifier=system|value`.
fn identifier_of(query: &str) -> Option<(String, String)> {
    let token = query.strip_prefix("identifier=").filter(|t| !t.contains('&'))?;
    let token = percent_decoded(token)?;
    let (system, value) = token.split_once('|').unwrap_or(("", &token));
    (!value.is_empty()).then(|| (system.to_owned(), value.to_owned()))
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let coded = (*first == b'%').then(|| after.get(..2)).flatten();
        let decoded = coded
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        if decoded.is_some() {
            rest = &after[2..];
        }
        bytes.push(decoded.unwrap_or(*first));
    }
    String::from_utf8(bytes).ok()
}

/// The target a resource names as the person it is about, with the type the role implies.
pub(super) fn subject(links: &[Link]) -> Option<&RefTarget> {
    let patient = ResourceType::of("Patient");
    let mut subjects = links.iter().filter(|l| l.role == Role::Subject).map(|l| &l.to);
    let first = subjects.clone().next();
    subjects
        .find(|to| match to {
            RefTarget::Record(key) => key.resource_type == patient,
            RefTarget::Identified { resource_type, .. } => {
                resource_type.is_none_or(|kind| kind == patient)
            }
            RefTarget::External(_) | RefTarget::Dangling(_) => false,
        })
        .or(first)
}
