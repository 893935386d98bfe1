//! The entries of a Bundle as a server takes them in: each stored under its type and id, with
//! references to other entries of the Bundle leading there.
//! <https://hl7.org/fhir/R4/bundle.html#references>

use std::collections::HashMap;

use bytes::Bytes;

use super::references::{rewrite, with_id};
use crate::fhir::bundle::{RawEntry, resource_header};
use crate::fhir::{Reference, is_id, parse_reference};
use crate::flow::{DerivedId, Hash};

/// What becomes of an entry.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// A resource with an id; whether the id was made from its content.
    Resource(Bytes, bool),
    /// A Bundle in the Bundle.
    Bundle(Bytes),
    /// Nothing that is served, and why.
    Odd(&'static str),
}

/// Takes the entries of one Bundle in.
pub(super) fn entries(raw: Vec<RawEntry>) -> Vec<Entry> {
    let mut places: HashMap<String, String> = HashMap::new();
    let mut entries: Vec<Entry> = raw.into_iter().map(|one| take(one, &mut places)).collect();
    for entry in &mut entries {
        if let Entry::Resource(body, _) = entry
            && let Some(other) = rewrite(body, &|reference| places.get(reference).cloned())
        {
            *body = other;
        }
    }
    entries
}

/// The resource with an id: its own, or one made from its content, and whether it was made.
pub(super) fn identified(body: Bytes, given: Option<String>) -> Option<(Bytes, String, bool)> {
    let header = resource_header(&body)?;
    if let Some(id) = header.id.filter(|id| !id.is_empty()) {
        return Some((body, id, false));
    }
    let made = given.is_none();
    let id = given.unwrap_or_else(|| DerivedId(Hash::of(&body).0).to_string());
    Some((with_id(&body, &id)?, id, made))
}

fn take(entry: RawEntry, places: &mut HashMap<String, String>) -> Entry {
    match entry.request_method.as_deref() {
        Some("DELETE") => return Entry::Odd("a deletion; nothing is deleted here"),
        Some("PATCH") => return Entry::Odd("a patch; it is not applied here"),
        _ => {}
    }
    if entry.search_mode.as_deref() == Some("outcome") {
        return Entry::Odd("an outcome of a search, no record");
    }
    let Some(body) = entry.resource else { return Entry::Odd("an entry without resource") };
    let Some(header) = resource_header(&body) else {
        return Entry::Odd("no FHIR resource: it has no resourceType");
    };
    if header.resource_type == "Bundle" {
        return Entry::Bundle(body);
    }
    let urls = [entry.request_url.as_deref(), entry.full_url.as_deref()];
    let given = urls.into_iter().flatten().find_map(id_in);
    let Some((body, id, made)) = identified(body, given) else {
        return Entry::Odd("no FHIR resource");
    };
    if let Some(full_url) = entry.full_url {
        places.insert(full_url, format!("{}/{id}", header.resource_type));
    }
    Entry::Resource(body, made)
}

/// The id that a URL gives to a resource: `urn:uuid:id`, `Type/id`.
fn id_in(url: &str) -> Option<String> {
    if let Some(uuid) = url.strip_prefix("urn:uuid:") {
        return is_id(uuid).then(|| uuid.to_owned());
    }
    match parse_reference(url.trim_start_matches('/')) {
        Reference::Absolute { id, .. } | Reference::Relative { id, .. } => Some(id.to_owned()),
        Reference::Urn(_)
        | Reference::Fragment(_)
        | Reference::Conditional { .. }
        | Reference::Url(_)
        | Reference::Invalid(_) => None,
    }
}
