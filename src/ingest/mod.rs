//! Ingest: what an endpoint sent becomes source versions with their facts.
//!
//! Pure: bytes in, [`Ingested`] out. Every entry received is accounted for, and the same input
//! gives the same keys and hashes however its entries are ordered.

mod bases;
mod batch;
mod facts;
mod home;
mod key;
mod lift;
mod received;
mod references;
mod roles;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::Timestamp;

use crate::fhir::{Problem, StructureCheck};
use crate::flow::{
    Content, Hash, Home, Ingested, RecordKey, RefTarget, SourceRecord, Stamp, State,
};

pub use self::bases::EndpointBases;

/// Turns input of endpoints into source versions. Shared between threads.
pub struct Ingest {
    check: Arc<StructureCheck>,
    bases: EndpointBases,
    limits: Limits,
}

/// Bounds of one input.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Entries of one input, those of nested Bundles included.
    pub entries: usize,
    /// Bundles within Bundles.
    pub nesting: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { entries: 100_000, nesting: 4 }
    }
}

impl Ingest {
    /// An ingest that checks structure with `check` and knows endpoints by their base URLs.
    pub fn new(check: Arc<StructureCheck>, bases: EndpointBases) -> Self {
        Self { check, bases, limits: Limits::default() }
    }

    /// The same with other bounds.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Reads one input of an endpoint: a resource, a Bundle of any type, or NDJSON of these.
    pub fn page(&self, endpoint: &str, observed_at: Timestamp, input: &[u8]) -> Ingested {
        let received = received::receive(input, &self.limits);
        batch::Batch::new(self, endpoint, observed_at).take(received)
    }

    /// Reads what a client writes. What is not valid is quarantined as any input.
    pub fn claims(&self, client: &str, observed_at: Timestamp, claims: Vec<Claim>) -> Ingested {
        batch::Batch::new(self, client, observed_at).claims(claims)
    }

    /// What is wrong with a resource, given as text and as parsed value of that text.
    pub fn problems(&self, text: &str, resource: &serde_json::Value) -> Vec<Problem> {
        self.check.check(text, resource)
    }

    /// Accounts for an input that is unusable as a whole.
    pub fn unusable(
        &self,
        endpoint: &str,
        observed_at: Timestamp,
        input: &UnusableInput<'_>,
    ) -> Ingested {
        batch::Batch::new(self, endpoint, observed_at).refuse(input)
    }

    /// The version that says a record is no more at its endpoint (404, 410, DELETE).
    pub fn deleted(&self, key: RecordKey, observed_at: Timestamp) -> SourceRecord {
        deletion(key, Stamp { version_id: None, last_updated: None, observed_at })
    }
}

/// One resource as a client writes it, its record's id put in.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The resource.
    pub body: bytes::Bytes,
    /// What its literal references lead to, where they name what the view shows.
    pub named: std::collections::BTreeMap<String, RefTarget>,
    /// Where it lives; `None`: with the patient that it names.
    pub home: Option<Home>,
}

/// Input that is unusable as a whole, such as XML that cannot be read.
#[derive(Clone, Copy, Debug)]
pub struct UnusableInput<'a> {
    /// What it calls itself, if it can be told; else empty.
    pub resource_type: &'a str,
    /// The input.
    pub bytes: &'a bytes::Bytes,
    /// `IssueType` code.
    pub code: &'a str,
    /// Why, without patient data, and what to do.
    pub reason: &'a str,
}

fn deletion(key: RecordKey, stamp: Stamp) -> SourceRecord {
    SourceRecord {
        // What its type alone says; accept knows where the record is, if it has come.
        home: home::home(&key, &[]),
        key,
        parent: None,
        stamp,
        state: State::Deleted,
        hash: Hash::of(b"deleted"),
        content: Content::default(),
    }
}
