//! What a pull came to. No text here holds patient data, ids or queries.

use std::fmt;

use super::sink::SinkError;
use crate::fhir::ResourceType;
use crate::net::FetchError;

/// What the pull of one endpoint came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullOutcome {
    /// One per type, and `per patient` for all patients that were pulled one by one.
    pub parts: Vec<PartOutcome>,
    /// Types that the endpoint offers and that are not pulled: they say nothing about care.
    pub left_out: Vec<ResourceType>,
    /// Why the pull as a whole ended early, if it did.
    pub error: Option<Box<str>>,
}

/// What one part came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartOutcome {
    /// A resource type, or `per patient`.
    pub part: Box<str>,
    /// Pages taken.
    pub pages: u64,
    /// Entries taken.
    pub entries: u64,
    /// How it ended.
    pub state: PartState,
}

/// How a part ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartState {
    /// Everything was taken.
    Complete,
    /// The endpoint refuses it as a whole; it is pulled per patient instead.
    PerPatient,
    /// Something is missing, and why.
    Failed(Box<str>),
}

/// Why an endpoint cannot be pulled at all.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// No answer.
    #[error("capability check: {0}")]
    Fetch(#[from] FetchError),
    /// Another status than 200.
    #[error("capability check: metadata answered {0}; check the endpoint's url and auth")]
    Status(u16),
    /// No CapabilityStatement.
    #[error("capability check: metadata is no CapabilityStatement; is the url a FHIR base?")]
    NotCapability,
    /// Another FHIR version.
    #[error("capability check: the server speaks FHIR {0}, only R4 (4.0.x) can be pulled")]
    Version(String),
    /// Nothing to pull.
    #[error("capability check: the server offers no searchable resource type")]
    NothingOffered,
}

/// Why a part failed.
#[derive(Debug, thiserror::Error)]
pub enum PartError {
    /// No answer.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The endpoint does not allow this search.
    #[error("the endpoint refuses it ({status}{code})", code = code_text(.code))]
    Refused {
        /// HTTP status.
        status: u16,
        /// The OperationOutcome's issue code, empty if none.
        code: Box<str>,
    },
    /// The credentials are not accepted.
    #[error("the endpoint answered 401; check its auth")]
    Unauthorised,
    /// What was asked for was deleted.
    #[error("the endpoint answered 410")]
    Gone,
    /// Another status.
    #[error("the endpoint answered {status}{code}", code = code_text(.code))]
    Status {
        /// HTTP status.
        status: u16,
        /// The OperationOutcome's issue code, empty if none.
        code: Box<str>,
    },
    /// A 200 that is no searchset.
    #[error("the endpoint answered something other than a Bundle of JSON")]
    NotABundle,
    /// A page links to one that was taken already, or goes on without bringing anything.
    #[error("paging goes in circles after {0} pages")]
    Circle(u64),
    /// More pages than allowed.
    #[error("more than {0} pages; raise limits.pages_max if this is meant")]
    TooManyPages(u64),
    /// A link leads to another server or path.
    #[error("a next link leads outside the endpoint's base url; its pages were not followed")]
    ForeignLink,
    /// The type offers no search by patient.
    #[error("the endpoint offers no search by patient for it")]
    NoPatientSearch,
    /// Earlier failures stopped the pull.
    #[error("left out after {0} failures in a row")]
    Open(u32),
    /// The sink failed at another part.
    #[error("left out because a page before could not be stored")]
    Stopped,
    /// We were told to stop.
    #[error("stopped by us before its end; the next pull goes on from there")]
    Interrupted,
    /// The sink failed.
    #[error(transparent)]
    Sink(#[from] SinkError),
}

impl PullOutcome {
    /// The outcome of a pull that ended before it began.
    pub fn ended(error: impl Into<Box<str>>) -> Self {
        Self { parts: Vec::new(), left_out: Vec::new(), error: Some(error.into()) }
    }

    /// Whether everything was taken.
    pub fn is_complete(&self) -> bool {
        self.error.is_none() && self.parts.iter().all(|p| !matches!(p.state, PartState::Failed(_)))
    }

    /// Entries taken.
    pub fn entries(&self) -> u64 {
        self.parts.iter().map(|p| p.entries).sum()
    }

    /// The state of the endpoint in words: `complete` or `failed: …`.
    pub fn state(&self) -> String {
        if let Some(error) = &self.error {
            return format!("failed: {error}");
        }
        let failed: Vec<String> = self
            .parts
            .iter()
            .filter_map(|part| match &part.state {
                PartState::Failed(reason) => Some(format!("{}: {reason}", part.part)),
                PartState::Complete | PartState::PerPatient => None,
            })
            .collect();
        match failed.as_slice() {
            [] => "complete".to_owned(),
            [one] => format!("failed: {one}"),
            [first, rest @ ..] => format!("failed: {first} (and {} more parts)", rest.len()),
        }
    }
}

impl PartError {
    /// Whether it is only that we were told to stop.
    pub(super) fn is_interrupted(&self) -> bool {
        matches!(self, Self::Interrupted)
    }

    /// Whether the endpoint does not allow this search, so that another way may be tried.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }

    /// Whether the whole pull ends with it.
    pub(super) fn is_stop(&self) -> bool {
        matches!(self, Self::Open(_) | Self::Stopped | Self::Interrupted | Self::Sink(_))
    }

    /// Whether the endpoint itself seems to be in trouble.
    pub(super) fn is_trouble(&self) -> bool {
        match self {
            Self::Fetch(_) | Self::Unauthorised => true,
            Self::Status { status, .. } => *status >= 500 || *status == 429,
            Self::Refused { .. }
            | Self::Gone
            | Self::NotABundle
            | Self::Circle(_)
            | Self::TooManyPages(_)
            | Self::ForeignLink
            | Self::NoPatientSearch
            | Self::Open(_)
            | Self::Stopped
            | Self::Interrupted
            | Self::Sink(_) => false,
        }
    }
}

impl fmt::Display for PartState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Complete => f.write_str("complete"),
            Self::PerPatient => f.write_str("per patient"),
            Self::Failed(reason) => write!(f, "failed: {reason}"),
        }
    }
}

fn code_text(code: &str) -> String {
    if code.is_empty() { String::new() } else { format!(", {code}") }
}
