//! What stewards note about a pair beside their decisions: it stays with the pair and changes no
//! view.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One note, in the log of its pair.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct PairNote {
    /// What it says.
    pub kind: NoteKind,
    /// Who.
    pub by: Box<str>,
    /// When.
    pub at: Timestamp,
    /// Why, or the remark itself.
    pub note: Box<str>,
}

/// What a note says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub enum NoteKind {
    /// Who is to look at the pair; nobody any more if empty.
    Assigned(Option<Box<str>>),
    /// How soon.
    Priority(Priority),
    /// They looked and cannot tell.
    NotSure,
    /// A remark.
    Remark,
    /// They would link it; a second reviewer must, too.
    Proposed,
    /// The proposal is withdrawn or turned down.
    Declined,
}

/// How soon a pair is to be looked at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Debug, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Priority {
    /// When there is time.
    Low,
    /// As the queue has it.
    #[default]
    Normal,
    /// First.
    High,
}

impl Priority {
    /// As people write it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
        }
    }
}
