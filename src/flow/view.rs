//! The view: the unified resources of one person, or of one directory entry.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::access::DisclosureClass;
use super::decided::Dispute;
use super::id::{DerivedId, Hash};
use super::key::RecordKey;
use crate::fhir::ResourceType;
use crate::fhir::search::SearchValue;

/// Whose view it is. The id is that of the shown Patient or directory resource.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Debug)]
pub enum Owner {
    /// A person, by the id of their shown Patient.
    Person(DerivedId),
    /// A directory entry, by the id of its shown resource.
    Directory(DerivedId),
}

/// What a view was made with. A view with another stamp than the present one is dirty.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct ViewStamp {
    /// Version of the weaving code: raised when its results change.
    pub weave: u32,
    /// Hash of the policy file, the endpoints' settings and the search parameters.
    pub policy: Hash,
    /// Hash of the match model file.
    pub model: Hash,
    /// Who may see it.
    pub class: DisclosureClass,
    /// The day it is woven for. Not compared: `next_change` says when the day matters.
    pub as_of: Date,
}

/// The woven view.
#[derive(Clone, Debug)]
pub struct View {
    /// Whose.
    pub owner: Owner,
    /// Made with what.
    pub stamp: ViewStamp,
    /// The resources by type, rows ordered by id.
    pub tables: BTreeMap<ResourceType, Vec<ViewRow>>,
    /// What became of every record of the person's charts, whatever its type.
    pub dispositions: Vec<RecordDisposition>,
    /// The next day on which a rule that looks at the day flips.
    pub next_change: Option<Date>,
    /// Records outside the person that the view refers to (directory, stored, not come yet): a
    /// change of what they stand for makes the view dirty.
    pub directory_refs: Vec<DerivedId>,
    /// What a steward may decide about; not stored.
    pub disputes: Vec<Dispute>,
}

/// One resource of the view.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct ViewRow {
    /// Its id.
    pub id: DerivedId,
    /// Hash of `body`.
    pub hash: Hash,
    /// Hash of everything `body` was made from. Equal inputs give equal rows, so a row whose
    /// input hash stands in the stored view is taken from there (memoisation).
    pub input: Hash,
    /// Canonical JSON: `resourceType`, `id`, a non-empty `meta` without versionId and
    /// lastUpdated (see [`stamp_meta`]), then the rest in R4 element order.
    pub body: Bytes,
    /// Extracted search values, by parameter index of the loaded table.
    pub values: Vec<SearchValue>,
    /// The source records it states, sorted; empty for findings.
    pub members: Vec<Member>,
    /// Ids under which it answers as well: those of its members, and for the woven plan those
    /// of the person's other charts. Sorted.
    pub aliases: Vec<DerivedId>,
    /// Per element, where a rule had to choose: what Provenance is rendered from.
    pub choices: Vec<Choice>,
    /// True for what stands over the sources: woven plan, findings.
    pub made_by_us: bool,
}

/// A source record within a woven resource.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    /// The record.
    pub key: RecordKey,
    /// Its id.
    pub id: DerivedId,
    /// Number of its current version: 1 for the first.
    pub version: u32,
    /// The version's upstream stamp, for Provenance.
    pub version_id: Option<Box<str>>,
    /// `meta.lastUpdated` upstream, else when we first saw the version.
    pub recorded: Timestamp,
    /// The rule that put it here: `same-record`, `identifier`, `goal-code`, `only` …
    pub rule: Box<str>,
}

/// A value chosen among differing ones.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
pub struct Choice {
    /// FHIRPath of the element.
    pub element: Box<str>,
    /// The survivorship rule that chose.
    pub rule: Box<str>,
    /// Id of the record whose value is shown.
    pub from: DerivedId,
    /// The other values: record id and value as JSON text.
    pub others: Vec<(DerivedId, Box<str>)>,
}

/// What became of a record's current version.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct RecordDisposition {
    /// The record's id.
    pub id: DerivedId,
    /// What became of it.
    pub disposition: Disposition,
    /// The view resource that states it.
    pub view: Option<(ResourceType, DerivedId)>,
    /// The rule that decided.
    pub rule: Box<str>,
    /// In words, without patient data.
    pub reason: Box<str>,
}

/// What became of a source version (P3).
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "lowercase")]
pub enum Disposition {
    /// In the view under its own id.
    Kept,
    /// In the view under another member's id.
    Merged,
    /// A later version is current.
    Superseded,
    /// Retracted by its source.
    Withdrawn,
    /// Missing from a complete pull.
    Absent,
    /// Its Patient has not come.
    Waiting,
    /// Kept, of a type outside the view.
    Stored,
    /// Accepted, not settled.
    Pending,
    /// Unusable.
    Quarantined,
    /// Removed on request.
    Erased,
}

impl Owner {
    /// The id of the shown Patient or directory resource.
    pub fn id(self) -> DerivedId {
        match self {
            Self::Person(id) | Self::Directory(id) => id,
        }
    }
}

impl Disposition {
    /// The word of the ledger.
    pub fn word(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Merged => "merged",
            Self::Superseded => "superseded",
            Self::Withdrawn => "withdrawn",
            Self::Absent => "absent",
            Self::Waiting => "waiting",
            Self::Stored => "stored",
            Self::Pending => "pending",
            Self::Quarantined => "quarantined",
            Self::Erased => "erased",
        }
    }
}

/// Puts version and time into a view body, which has neither: right after `"meta":{`, where R4
/// order wants them.
pub fn stamp_meta(body: &[u8], version: u32, last_updated: Timestamp) -> Vec<u8> {
    const OPEN: &[u8] = b"\"meta\":{";
    let at =
        body.windows(OPEN.len()).position(|w| w == OPEN).map_or(body.len(), |p| p + OPEN.len());
    let comma = if body.get(at) == Some(&b'}') { "" } else { "," };
    // Digits after the second are cut to milliseconds.
    let stamp = format!(r#""versionId":"{version}","lastUpdated":"{last_updated:.3}"{comma}"#);
    let mut stamped = Vec::with_capacity(body.len() + stamp.len());
    stamped.extend_from_slice(&body[..at]);
    stamped.extend_from_slice(stamp.as_bytes());
    stamped.extend_from_slice(&body[at..]);
    stamped
}

/// Takes version and time out again: the inverse of [`stamp_meta`].
pub fn unstamp_meta(body: &[u8]) -> Vec<u8> {
    const OPEN: &[u8] = b"\"meta\":{";
    const LAST: &[u8] = b"\"lastUpdated\":\"";
    let position = |from: usize, what: &[u8]| {
        body[from..].windows(what.len()).position(|w| w == what).map(|p| from + p)
    };
    let Some(start) = position(0, OPEN).map(|p| p + OPEN.len()) else { return body.to_vec() };
    let Some(value) = position(start, LAST).map(|p| p + LAST.len()) else { return body.to_vec() };
    let Some(mut end) = position(value, b"\"").map(|p| p + 1) else { return body.to_vec() };
    if body.get(end) == Some(&b',') {
        end += 1;
    }
    [&body[..start], &body[end..]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_goes_in_and_comes_out() {
        for body in [
            r#"{"resourceType":"Goal","id":"a","meta":{"source":"x"},"status":"y"}"#,
            r#"{"resourceType":"Goal","id":"a","meta":{},"status":"y"}"#,
        ] {
            let stamped = stamp_meta(body.as_bytes(), 3, Timestamp::UNIX_EPOCH);
            let value: serde_json::Value = serde_json::from_slice(&stamped).expect("valid JSON");
            assert_eq!(value["meta"]["versionId"], "3");
            assert_eq!(value["meta"]["lastUpdated"], "1970-01-01T00:00:00.000Z");
            assert_eq!(unstamp_meta(&stamped), body.as_bytes());
        }
    }
}
