//! A claim: one source record as the weaver sees it.

use crate::flow::{Content, DerivedId, Facts, RecordHeader, RecordKey, State};

use super::input::InputRecord;
use super::peek;

/// One current source record with what it says and whether it still says it.
pub(super) struct Claim<'a> {
    pub(super) id: DerivedId,
    pub(super) header: &'a RecordHeader,
    pub(super) facts: &'a Facts,
    pub(super) body: &'a [u8],
    pub(super) state: ClaimState,
    /// Of a Task: what each version says its status is, oldest first.
    pub(super) statuses: &'a [Option<Box<str>>],
    /// `meta.source`: where the endpoint itself has it from.
    pub(super) origin: Option<Box<str>>,
}

/// Whether a claim still stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ClaimState {
    /// It does.
    Live,
    /// The source says that it was entered in error.
    EnteredInError,
    /// The source has deleted it.
    Deleted,
    /// It was missing from a complete pull.
    Absent,
}

const IN_ERROR: &str = "entered-in-error";

impl<'a> Claim<'a> {
    /// The claim of a record; `silent` stands in for the facts of one that never was live.
    pub(super) fn of(record: &'a InputRecord, silent: &'a Content) -> Self {
        let content = record.content.as_deref().unwrap_or(silent);
        let facts = &content.facts;
        let in_error = |s: &Option<Box<str>>| s.as_deref() == Some(IN_ERROR);
        let state = match record.header.current().state {
            State::Deleted => ClaimState::Deleted,
            State::Absent => ClaimState::Absent,
            State::Live if in_error(&facts.status) || in_error(&facts.second_status) => {
                ClaimState::EnteredInError
            }
            State::Live => ClaimState::Live,
        };
        let origin = peek::meta_source(&content.body);
        let (header, statuses) = (&record.header, record.statuses.as_slice());
        Self { id: record.id, header, facts, body: &content.body, state, statuses, origin }
    }

    pub(super) fn key(&self) -> &'a RecordKey {
        &self.header.key
    }

    pub(super) fn endpoint(&self) -> &'a str {
        &self.header.key.endpoint
    }

    pub(super) fn is_live(&self) -> bool {
        self.state == ClaimState::Live
    }

    /// What decides whose id a woven resource shows: smaller comes first.
    pub(super) fn precedence(&self) -> (u64, DerivedId) {
        (self.header.first_seq, self.id)
    }
}
