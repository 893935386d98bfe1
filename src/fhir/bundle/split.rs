//! Taking JSON apart into resources, by raw text.
//! <https://hl7.org/fhir/R4/bundle.html#resource>

use bytes::Bytes;
use serde_json::value::RawValue;

use super::members::Members;
use super::{DEPTH_MAX, nests_deeper_than, without_byte_order_mark};

/// What a JSON text holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Split {
    /// One resource that is no Bundle, or another JSON object.
    Resource(RawEntry),
    /// A Bundle of any type.
    Bundle {
        /// `type`; empty if it has none.
        bundle_type: String,
        /// `entry`, in order, none left out.
        entries: Vec<RawEntry>,
        /// The URL of the next page.
        next: Option<String>,
        /// `total`.
        total: Option<u64>,
    },
}

/// One entry of a Bundle, or a resource alone.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RawEntry {
    /// `fullUrl`.
    pub full_url: Option<String>,
    /// The resource's text; of an entry that is no object, its own text.
    pub resource: Option<Bytes>,
    /// `request.method`.
    pub request_method: Option<String>,
    /// `request.url`.
    pub request_url: Option<String>,
    /// `response.status`.
    pub response_status: Option<String>,
    /// `search.mode`.
    pub search_mode: Option<String>,
}

/// What a resource calls itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header {
    /// `resourceType`, whatever it is.
    pub resource_type: String,
    /// `id`, if it is a text.
    pub id: Option<String>,
}

/// Why a text cannot be taken apart. No variant quotes the text.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SplitError {
    /// It is not one JSON object.
    #[error("not one JSON object: reading stopped at line {line}, column {column}")]
    NotJson {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// It nests deeper than [`DEPTH_MAX`].
    #[error("JSON nested deeper than {DEPTH_MAX} levels; flatten it")]
    TooDeep,
    /// A Bundle whose `entry` is no array.
    #[error("Bundle.entry is no array; send a list of entries")]
    EntryNotArray,
}

/// Takes a JSON text apart without parsing the resources in it. Its size is the caller's to bound.
///
/// # Errors
/// When the text is not one JSON object, nests too deep, or is a Bundle without a list of entries.
pub fn split(input: &[u8]) -> Result<Split, SplitError> {
    let input = without_byte_order_mark(input);
    if nests_deeper_than(DEPTH_MAX, input) {
        return Err(SplitError::TooDeep);
    }
    let wanted = ["resourceType", "type", "total", "link", "entry"];
    let Members([name, kind, total, link, entry]) = Members::read(input, wanted)
        .map_err(|e| SplitError::NotJson { line: e.line(), column: e.column() })?;
    if name.and_then(text).as_deref() != Some("Bundle") {
        let resource = Some(Bytes::copy_from_slice(input.trim_ascii()));
        return Ok(Split::Resource(RawEntry { resource, ..RawEntry::default() }));
    }
    let entries = match entry.filter(|raw| raw.get() != "null") {
        Some(raw) => list(raw).ok_or(SplitError::EntryNotArray)?,
        None => Vec::new(),
    };
    Ok(Split::Bundle {
        bundle_type: kind.and_then(text).unwrap_or_default(),
        entries: entries.into_iter().map(raw_entry).collect(),
        next: link.and_then(next_page),
        total: total.and_then(|raw| raw.get().parse().ok()),
    })
}

/// Reads what a resource calls itself; `None` for what is no JSON object with a `resourceType`.
pub fn resource_header(json: &[u8]) -> Option<Header> {
    let Members([name, id]) =
        Members::read(without_byte_order_mark(json), ["resourceType", "id"]).ok()?;
    Some(Header { resource_type: name.and_then(text)?, id: id.and_then(text) })
}

fn raw_entry(raw: &RawValue) -> RawEntry {
    let wanted = ["fullUrl", "resource", "request", "response", "search"];
    let Ok(Members([full_url, resource, request, response, search])) =
        Members::read(raw.get().as_bytes(), wanted)
    else {
        return RawEntry { resource: Some(copied(raw)), ..RawEntry::default() };
    };
    RawEntry {
        full_url: full_url.and_then(text),
        resource: resource.filter(|raw| raw.get() != "null").map(copied),
        request_method: request.and_then(|raw| member(raw, "method")),
        request_url: request.and_then(|raw| member(raw, "url")),
        response_status: response.and_then(|raw| member(raw, "status")),
        search_mode: search.and_then(|raw| member(raw, "mode")),
    }
}

fn next_page(links: &RawValue) -> Option<String> {
    list(links)?.into_iter().find_map(|link| {
        let wanted = ["relation", "url"];
        let Members([relation, url]) = Members::read(link.get().as_bytes(), wanted).ok()?;
        (relation.and_then(text)? == "next").then(|| url.and_then(text)).flatten()
    })
}

fn list(raw: &RawValue) -> Option<Vec<&RawValue>> {
    serde_json::from_str(raw.get()).ok()
}

fn text(raw: &RawValue) -> Option<String> {
    serde_json::from_str(raw.get()).ok()
}

fn member(raw: &RawValue, name: &'static str) -> Option<String> {
    let Members([value]) = Members::read(raw.get().as_bytes(), [name]).ok()?;
    value.and_then(text)
}

/// A copy, so that keeping one entry does not keep its page.
fn copied(raw: &RawValue) -> Bytes {
    Bytes::copy_from_slice(raw.get().as_bytes())
}
