//! What was received, taken apart into entries without parsing any resource.
//! <https://hl7.org/fhir/R4/bundle.html>

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::value::RawValue;

use super::Limits;
use crate::fhir::bundle::{self, RawEntry, Split, SplitError};
use crate::fhir::{Reference, ResourceType, parse_moment, parse_reference};

const TOO_MANY: &str = "too many entries; send fewer at once";

/// One entry of an input.
#[derive(Debug)]
pub(super) struct Received {
    /// The Bundle it came in: `fullUrl`s count within one Bundle only.
    pub(super) scope: usize,
    /// `entry.fullUrl`.
    pub(super) full_url: Option<String>,
    /// Type and id that `entry.request.url` names.
    pub(super) request: Option<(ResourceType, String)>,
    /// Version and time that `entry.response` states.
    pub(super) version_id: Option<Box<str>>,
    /// See `version_id`.
    pub(super) last_modified: Option<Timestamp>,
    /// Entries of its history that come before it: those are newer.
    pub(super) newer: u32,
    /// What it holds.
    pub(super) what: What,
}

/// What an entry holds.
#[derive(Debug)]
pub(super) enum What {
    /// A resource, not parsed.
    Resource(Bytes),
    /// The statement that the resource of `request` was deleted.
    Deleted,
    /// No record: an outcome, an answer without resource, a Bundle whose entries follow.
    NotRecord,
    /// Nothing that can be used.
    Unusable {
        /// The input.
        bytes: Bytes,
        /// `IssueType` code.
        code: &'static str,
        /// Why, and what to do.
        reason: Box<str>,
    },
}

struct Splitter<'a> {
    limits: &'a Limits,
    scopes: usize,
    items: Vec<Received>,
}

/// Takes an input apart. White space alone is no entry.
pub(super) fn receive(input: &[u8], limits: &Limits) -> Vec<Received> {
    let mut splitter = Splitter { limits, scopes: 0, items: Vec::new() };
    if is_lines(input) {
        for line in bundle::lines(input) {
            splitter.scopes += 1;
            splitter.resource(Received::new(splitter.scopes), line, 0);
        }
    } else if bundle::lines(input).next().is_some() {
        splitter.resource(Received::new(0), input.trim_ascii(), 0);
    }
    splitter.items
}

impl Splitter<'_> {
    /// One resource, standing alone (`nesting` 0) or as an entry.
    fn resource(&mut self, item: Received, bytes: &[u8], nesting: usize) {
        if self.items.len() >= self.limits.entries {
            return self.unusable(item, bytes, "too-costly", TOO_MANY);
        }
        match bundle::split(bytes) {
            Ok(Split::Bundle { bundle_type, entries, .. }) => {
                self.bundle(item, bytes, &bundle_type, entries, nesting);
            }
            Ok(Split::Resource(_)) => {
                let header = bundle::resource_header(bytes);
                let what = match header.as_ref().map(|h| h.resource_type.as_str()) {
                    Some("OperationOutcome" | "Parameters") => What::NotRecord,
                    _ => What::Resource(Bytes::copy_from_slice(bytes)),
                };
                self.push(item, what);
            }
            Err(error) => {
                let code = match error {
                    SplitError::TooDeep => "too-costly",
                    SplitError::NotJson { .. } | SplitError::EntryNotArray => "structure",
                };
                self.unusable(item, bytes, code, &error.to_string());
            }
        }
    }

    fn bundle(
        &mut self,
        item: Received,
        bytes: &[u8],
        bundle_type: &str,
        entries: Vec<RawEntry>,
        nesting: usize,
    ) {
        if nesting > self.limits.nesting {
            let reason = "Bundles are nested too deep; send their entries by themselves";
            return self.unusable(item, bytes, "too-costly", reason);
        }
        if entries.len() > self.limits.entries.saturating_sub(self.items.len()) {
            return self.unusable(item, bytes, "too-costly", TOO_MANY);
        }
        // A document is also kept whole: it was attested as one.
        if bundle_type == "document" {
            self.push(item, What::Resource(Bytes::copy_from_slice(bytes)));
        } else if nesting > 0 {
            self.push(item, What::NotRecord);
        }
        self.scopes += 1;
        let scope = self.scopes;
        let is_history = bundle_type == "history";
        for (place, entry) in (0..).zip(entries) {
            let newer = if is_history { place } else { 0 };
            self.entry(Received { newer, ..Received::new(scope) }, entry, nesting);
        }
    }

    fn entry(&mut self, item: Received, entry: RawEntry, nesting: usize) {
        let item = Received {
            full_url: entry.full_url,
            request: entry.request_url.as_deref().and_then(requested),
            version_id: entry.response_etag.as_deref().and_then(version_of_etag),
            last_modified: entry
                .response_last_modified
                .as_deref()
                .and_then(parse_moment)
                .map(|moment| moment.from),
            ..item
        };
        let outcome = entry.search_mode.as_deref() == Some("outcome");
        match (entry.request_method.as_deref(), entry.resource) {
            (Some("DELETE"), _) if item.request.is_some() => self.push(item, What::Deleted),
            (Some("DELETE"), _) => {
                let url = entry.request_url.unwrap_or_default();
                let reason = "a DELETE by criteria names no record; delete by Type/id";
                self.unusable(item, url.as_bytes(), "not-supported", reason);
            }
            (Some("PATCH"), _) | (_, None) => self.push(item, What::NotRecord),
            (_, Some(_)) if outcome => self.push(item, What::NotRecord),
            (_, Some(resource)) => self.resource(item, &resource, nesting + 1),
        }
    }

    fn unusable(&mut self, item: Received, bytes: &[u8], code: &'static str, reason: &str) {
        let bytes = Bytes::copy_from_slice(bytes);
        self.push(item, What::Unusable { bytes, code, reason: reason.into() });
    }

    fn push(&mut self, item: Received, what: What) {
        self.items.push(Received { what, ..item });
    }
}

impl Received {
    /// A resource by itself.
    pub(super) fn resource(scope: usize, body: Bytes) -> Self {
        Self { what: What::Resource(body), ..Self::new(scope) }
    }

    fn new(scope: usize) -> Self {
        Self {
            scope,
            full_url: None,
            request: None,
            version_id: None,
            last_modified: None,
            newer: 0,
            what: What::NotRecord,
        }
    }
}

/// Several lines of which the first or the last is a whole object. A resource that is printed
/// over several lines is not.
fn is_lines(input: &[u8]) -> bool {
    let whole =
        |line: &[u8]| line.starts_with(b"{") && serde_json::from_slice::<&RawValue>(line).is_ok();
    let mut lines = bundle::lines(input);
    let first = lines.next();
    lines.last().is_some_and(|last| whole(last) || first.is_some_and(whole))
}

fn requested(url: &str) -> Option<(ResourceType, String)> {
    match parse_reference(url.trim_start_matches('/')) {
        Reference::Absolute { resource_type, id, .. }
        | Reference::Relative { resource_type, id, .. } => Some((resource_type, id.to_owned())),
        Reference::Urn(_)
        | Reference::Fragment(_)
        | Reference::Conditional { .. }
        | Reference::Url(_)
        | Reference::Invalid(_) => None,
    }
}

/// `W/"3"` → `3`.
fn version_of_etag(etag: &str) -> Option<Box<str>> {
    let inner = etag.trim().trim_start_matches("W/").trim_matches('"');
    (!inner.is_empty()).then(|| inner.into())
}
