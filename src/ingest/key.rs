//! What a received resource is called, and the hash of what it says.
//! <https://hl7.org/fhir/R4/resource.html#id>

use serde_json::Value;

use super::facts::identifiers;
use super::received::Received;
use crate::fhir::{Reference, ResourceType, canonical_bytes, is_id, parse_reference};
use crate::flow::Hash;

/// The resource's id cannot be used.
#[derive(Debug)]
pub(super) struct IllegalId;

/// The id of a resource: its own, else that of `fullUrl` or `request.url`, else one derived from
/// its first business identifier or its content, so that the same input is a repeat.
pub(super) fn record_id(
    resource_type: ResourceType,
    resource: &Value,
    item: &Received,
    hash: Hash,
) -> Result<String, IllegalId> {
    match resource.get("id") {
        Some(Value::String(id)) if is_id(id) => return Ok(id.clone()),
        Some(_) => return Err(IllegalId),
        None => {}
    }
    let stated = item.full_url.as_deref().and_then(|url| id_of_url(resource_type, url));
    let requested = item.request.as_ref().filter(|(kind, _)| *kind == resource_type);
    let named = stated.or_else(|| requested.map(|(_, id)| id.clone())).filter(|id| is_id(id));
    Ok(named.unwrap_or_else(|| derived(resource_type, resource, hash)))
}

/// Hash of the canonical content without `meta.versionId` and `meta.lastUpdated`, which differ
/// between servers that state the same.
pub(super) fn content_hash(resource: &Value) -> Hash {
    let mut content = resource.clone();
    if let Some(Value::Object(meta)) = content.get_mut("meta") {
        meta.shift_remove("versionId");
        meta.shift_remove("lastUpdated");
        if meta.is_empty()
            && let Some(members) = content.as_object_mut()
        {
            members.shift_remove("meta");
        }
    }
    Hash::of(&canonical_bytes(content))
}

fn id_of_url(resource_type: ResourceType, url: &str) -> Option<String> {
    let urn = url.strip_prefix("urn:uuid:").or_else(|| url.strip_prefix("urn:oid:"));
    if let Some(value) = urn {
        return Some(value.to_owned());
    }
    match parse_reference(url) {
        Reference::Absolute { resource_type: kind, id, .. }
        | Reference::Relative { resource_type: kind, id, .. }
            if kind == resource_type =>
        {
            Some(id.to_owned())
        }
        _ => None,
    }
}

fn derived(resource_type: ResourceType, resource: &Value, hash: Hash) -> String {
    // Without a system a value like "1" names nothing.
    let own = identifiers(resource).into_iter().find(|i| !i.system.is_empty());
    let hash = own.map_or(hash, |own| {
        Hash::of_parts([resource_type.name(), &own.system, &own.value].map(str::as_bytes))
    });
    derived_id(hash)
}

/// What the ids that we derive begin with.
pub(super) const DERIVED_PREFIX: &str = "h-";

/// The id of a resource that has none.
pub(super) fn derived_id(hash: Hash) -> String {
    format!("{DERIVED_PREFIX}{:032x}", hash.0)
}
