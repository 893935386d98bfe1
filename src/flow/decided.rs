//! What stewards decide about conflicts and findings.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::id::{DerivedId, Hash};
use super::identity::Undo;
use super::version::State;

/// A steward's override of one conflict or finding. It holds as long as every source version it
/// was decided on is current, and no other has joined them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Debug)]
pub struct Override {
    /// What it is about: the element that sources disagree on (`Goal.target`), else the rule.
    pub matter: Box<str>,
    /// The source versions it was decided on, sorted.
    pub basis: Vec<Basis>,
    /// What was decided.
    pub resolution: Resolution,
    /// Who decided.
    pub by: Box<str>,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub note: Box<str>,
}

/// A source record as it was when something was decided on it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Debug)]
pub struct Basis {
    /// The record.
    pub record: DerivedId,
    /// Hash of its current version.
    pub hash: Hash,
    /// What that version says of it.
    pub state: State,
}

/// How a conflict is resolved.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Debug)]
pub enum Resolution {
    /// It stays as it is, and nobody needs to act.
    Accept,
    /// The value of this source record is shown.
    Prefer(DerivedId),
}

/// An override in the history of its conflict.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct PastOverride {
    /// What was decided.
    pub decided: Override,
    /// Who reopened the conflict, if anybody has.
    pub reopened: Option<Undo>,
}

/// A conflict or finding of a view, as a steward may decide about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dispute {
    /// The id of its DetectedIssue.
    pub issue: DerivedId,
    /// What it is about, as in [`Override::matter`].
    pub matter: Box<str>,
    /// The present versions of the source records that speak, sorted.
    pub basis: Vec<Basis>,
    /// The records of which one can be preferred; empty if it is about no single value.
    pub sides: Vec<DerivedId>,
}
