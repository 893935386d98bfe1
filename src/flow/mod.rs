//! The types that one layer hands to the next.
//!
//! `SourceRecord` goes from ingest to accept, `Facts` from ingest to identity and reconcile,
//! `Edge` from identity to settle, `View` from reconcile to settle, and `Access` into every read.

mod access;
mod coverage;
mod decided;
mod demographics;
mod facts;
mod id;
mod identity;
mod key;
mod pair_note;
mod pull;
mod source;
mod version;
mod view;

pub use crate::fhir::search::{Indexed, SearchValue};
pub use access::{Access, DisclosureClass};
pub use coverage::{Coverage, DIRECTORY_TYPES, PERSON_TYPES, coverage};
pub use decided::{Basis, Dispute, Override, PastOverride, Resolution};
pub use demographics::{Address, Demographics, PartialDate, PersonName};
pub use facts::{DateSpan, Facts, Identifier, Link, RefTarget, Role, Target, Token};
pub use id::{DerivedId, ForeignId, Hash, INDEX_PREFIX_CHARS, IdKey};
pub use identity::{
    BlockingKey, Comparison, Decision, Edge, MatchGrade, PastDecision, Step, Undo, Verdict,
};
pub use key::{ABOUT, ChartKey, Home, RecordKey, about};
pub use pair_note::{NoteKind, PairNote, Priority};
pub use pull::Cursor;
pub use source::{Content, Ingested, Quarantined, RecordIssue, SourceRecord, lifted_key};
pub use version::{Observed, RecordHeader, Stamp, State, Version};
pub use view::{
    Choice, Disposition, Member, Owner, RecordDisposition, View, ViewRow, ViewStamp, stamp_meta,
    unstamp_meta,
};
