//! What a received resource is called, and the hash of what it says.
//! <https://hl7.org/fhir/R4/resource.html#id>

use serde_json::Value;

use super::facts::identifiers;
use super::received::Received;
use crate::fhir::{Reference, ResourceType, canonical_bytes, is_id, parse_reference};
use crate::flow::{Hash, Link, RefTarget};

/// The resource's id cannot be used.
#[derive(Debug)]
pub(super) struct IllegalId;

/// The id that a resource is given: its own, else that of `fullUrl` or `request.url`, if any.
pub(super) fn given_id(
    resource_type: ResourceType,
    resource: &Value,
    item: &Received,
) -> Result<Option<String>, IllegalId> {
    match resource.get("id") {
        Some(Value::String(id)) if is_id(id) => return Ok(Some(id.clone())),
        Some(_) => return Err(IllegalId),
        None => {}
    }
    let stated = item.full_url.as_deref().and_then(|url| id_of_url(resource_type, url));
    let requested = item.request.as_ref().filter(|(kind, _)| *kind == resource_type);
    Ok(stated.or_else(|| requested.map(|(_, id)| id.clone())).filter(|id| is_id(id)))
}

/// Hash of the canonical content without `meta.versionId` and `meta.lastUpdated`, which differ
/// between servers that state the same.
pub(super) fn content_hash(mut content: Value) -> Hash {
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

/// Makes the literal references to records of the resource's own endpoint read `Type/id`, as a
/// server writes them: a file names the same record by its `fullUrl`, often a `urn:uuid`.
/// `links` are those of the resource, by their pointers.
pub(super) fn localise(resource: &mut Value, links: &[Link], endpoint: &str) {
    for link in links {
        let RefTarget::Record(key) = &link.to else { continue };
        let object = resource.pointer_mut(&link.pointer);
        let Some(Value::String(literal)) = object.and_then(|o| o.get_mut("reference")) else {
            continue;
        };
        let version = match parse_reference(literal.trim()) {
            Reference::Fragment(_) => continue,
            Reference::Absolute { version, .. } | Reference::Relative { version, .. } => version,
            Reference::Urn(_)
            | Reference::Conditional { .. }
            | Reference::Url(_)
            | Reference::Invalid(_) => None,
        };
        if *key.endpoint == *endpoint {
            let history = version.map(|v| format!("/_history/{v}")).unwrap_or_default();
            *literal = format!("{}/{}{history}", key.resource_type, key.id);
        }
    }
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

/// The id of a resource that is given none: made of its first business identifier or its
/// content, so that the same input is a repeat.
pub(super) fn derived(resource_type: ResourceType, resource: &Value, hash: Hash) -> String {
    // Without a system a value like "1" names nothing.
    let own = identifiers(resource).into_iter().find(|i| !i.system.is_empty());
    let hash = own.map_or(hash, |own| {
        Hash::of_parts([resource_type.name(), &own.system, &own.value].map(str::as_bytes))
    });
    derived_id(hash)
}

/// The id that a hash makes.
pub(super) fn derived_id(hash: Hash) -> String {
    format!("h-{:032x}", hash.0)
}
