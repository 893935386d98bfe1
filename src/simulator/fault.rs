//! Faults that a simulated server can have.

use std::time::Duration;

use crate::fhir::ResourceType;

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Every so manieth request is answered 503 with `Retry-After: 0`.
    Unavailable {
        /// 1: always.
        every: u64,
    },
    /// Every answer is late.
    Slow {
        /// By how much.
        by: Duration,
    },
    /// The last page of a search links to the first.
    PagingLoop,
    /// Every page has a next one, each with a new URL.
    EndlessPaging,
    /// `next` links lead to another server.
    ForeignLinks,
    /// Searches are answered with a web page.
    WrongContent,
    /// Searches of one type always fail with 500.
    Broken(ResourceType),
    /// Searches of one type are forbidden.
    Forbidden(ResourceType),
    /// Searches are answered with a body of so many bytes.
    Huge {
        /// Its size.
        bytes: usize,
    },
    /// The CapabilityStatement is of another FHIR version.
    WrongVersion,
    /// Answers break off in the middle.
    Truncated,
}

/// The faults in force, with what they need to count.
#[derive(Debug)]
pub(super) struct Faults {
    list: Vec<Fault>,
    requests: u64,
}

impl Faults {
    pub(super) fn new(list: Vec<Fault>) -> Self {
        Self { list, requests: 0 }
    }

    /// Counts a request; whether it is to be answered 503.
    pub(super) fn unavailable(&mut self) -> bool {
        self.requests += 1;
        let hit = |fault: &Fault| match fault {
            Fault::Unavailable { every } => self.requests.is_multiple_of((*every).max(1)),
            _ => false,
        };
        self.list.iter().any(hit)
    }

    /// By how much answers are late.
    pub(super) fn delay(&self) -> Option<Duration> {
        self.list.iter().find_map(|fault| match fault {
            Fault::Slow { by } => Some(*by),
            _ => None,
        })
    }

    pub(super) fn has(&self, fault: &Fault) -> bool {
        self.list.contains(fault)
    }

    /// The size of a huge body, if that fault is on.
    pub(super) fn huge(&self) -> Option<usize> {
        self.list.iter().find_map(|fault| match fault {
            Fault::Huge { bytes } => Some(*bytes),
            _ => None,
        })
    }
}
