//! On whose behalf a read happens, and what it may therefore see.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::id::Hash;

/// A required argument of every store read: decided on sources before weaving, so that a view
/// never holds what its reader may not see.
#[derive(Clone, Debug)]
pub struct Access {
    /// The class of views this reader may be shown.
    pub class: DisclosureClass,
    /// Who reads, for the audit trail: `system`, `open`, or a client id.
    pub reader: Arc<str>,
}

/// A set of sources that may be disclosed. Views are kept per class.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Debug, Default)]
pub enum DisclosureClass {
    /// Every endpoint.
    #[default]
    Full,
    /// Only these endpoints.
    Endpoints(BTreeSet<Arc<str>>),
}

impl Access {
    /// The gateway itself: matching, weaving, verifying.
    pub fn system() -> Self {
        Self { class: DisclosureClass::Full, reader: "system".into() }
    }

    /// Anyone on this machine, in `open` mode.
    pub fn open() -> Self {
        Self { class: DisclosureClass::Full, reader: "open".into() }
    }

    /// Whether a source of this endpoint may be seen.
    pub fn sees(&self, endpoint: &str) -> bool {
        self.class.allows(endpoint)
    }
}

impl DisclosureClass {
    /// Whether a source of this endpoint belongs to the class.
    pub fn allows(&self, endpoint: &str) -> bool {
        match self {
            Self::Full => true,
            Self::Endpoints(allowed) => allowed.contains(endpoint),
        }
    }

    /// What stored views of this class are keyed by.
    pub fn key(&self) -> Hash {
        match self {
            Self::Full => Hash(0),
            Self::Endpoints(allowed) => Hash::of_parts(allowed.iter().map(|e| e.as_bytes())),
        }
    }
}
