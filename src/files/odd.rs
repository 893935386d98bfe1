//! What is found and cannot be used, with a reason that a person understands.

use std::fmt;

use bytes::Bytes;

use super::Place;

/// A file, a folder or a line that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Odd {
    /// Where it is.
    pub place: Place,
    /// Why it cannot be used.
    pub why: Why,
    /// What was read, where it was meant to be FHIR and is broken, so that it can be kept.
    pub bytes: Option<Bytes>,
}

/// Why something cannot be used. Shown as a short text without any of the content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// Nothing but white space.
    #[error("empty")]
    Empty,
    /// No text, or text in another encoding than UTF-8; says what it seems to be.
    #[error("{0}")]
    Binary(&'static str),
    /// Text that is something other than FHIR; says what it seems to be.
    #[error("{0}")]
    NotFhir(&'static str),
    /// Meant to be JSON and is not.
    #[error("not JSON: reading stopped at line {line}, column {column}")]
    Broken {
        /// Line, from 1; of NDJSON always 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// A row of a table that cannot be used; says what to do.
    #[error("{0}")]
    Row(&'static str),
    /// Larger than the bound.
    #[error("larger than {max} bytes; split it, or write it as NDJSON, a resource a line")]
    TooLarge {
        /// The bound.
        max: u64,
    },
    /// A line longer than the bound.
    #[error("a line longer than {max} bytes; put one resource on each line")]
    LineTooLong {
        /// The bound.
        max: usize,
    },
    /// Cannot be opened or read; says what the system says.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// A device, a socket or a pipe.
    #[error("neither a file nor a folder")]
    Special,
    /// A folder that was walked before: a link leads back to it, or it was given twice.
    #[error("a folder that was walked already; a link may lead back to it")]
    Again,
    /// The bound of files is reached in this folder.
    #[error("more than {max} files; what comes after is left out")]
    TooMany {
        /// The bound.
        max: usize,
    },
}

impl Why {
    /// Whether it may be FHIR and was not read.
    pub fn is_unread(&self) -> bool {
        match self {
            Self::TooLarge { .. }
            | Self::LineTooLong { .. }
            | Self::Unreadable(_)
            | Self::TooMany { .. } => true,
            Self::Empty
            | Self::Binary(_)
            | Self::NotFhir(_)
            | Self::Broken { .. }
            | Self::Row(_)
            | Self::Special
            | Self::Again => false,
        }
    }

    /// A short word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Binary(_) => "binary",
            Self::NotFhir(_) => "not-fhir",
            Self::Broken { .. } | Self::Row(_) => "broken",
            Self::TooLarge { .. } | Self::LineTooLong { .. } => "too-large",
            Self::Unreadable(_) => "unreadable",
            Self::Special => "special",
            Self::Again => "again",
            Self::TooMany { .. } => "too-many",
        }
    }
}

impl fmt::Display for Odd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.why)
    }
}
