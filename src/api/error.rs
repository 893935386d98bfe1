//! What can go wrong in a request, its HTTP status and its OperationOutcome.
//! <https://hl7.org/fhir/R4/http.html#Status-Codes>

use axum::http::StatusCode;

use crate::fhir::Issue;
use crate::fhir::search::QueryError;
use crate::pipeline::GatewayError;
use crate::store::StoreError;

/// A request that gets no answer. Texts never repeat what a client sent as a value.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    #[error("there is nothing here; GET /fhir/metadata lists what is served")]
    NoSuchRoute,
    #[error("this URL does not answer to that method; GET /fhir/metadata lists what is served")]
    NoSuchMethod,
    #[error("this resource type is not served; GET /fhir/metadata lists those that are")]
    TypeNotServed,
    #[error("the view holds no such resource")]
    NotFound,
    #[error("the resource was in the view and no longer is: its sources have withdrawn it")]
    Gone,
    #[error("no endpoint states such a record")]
    NoSuchRecord,
    #[error("the endpoint has deleted this record")]
    RecordGone,
    #[error("the query cannot be read: {0}")]
    BadQuery(&'static str),
    #[error("the value of \"{name}\" is not valid; expected {expected}")]
    BadValue { name: String, expected: &'static str },
    #[error("\"{name}\" is not supported with the modifier \":{modifier}\"")]
    BadModifier { name: String, modifier: String },
    #[error("not supported here: {names}; leave it out, or send Prefer: handling=lenient")]
    NotSupported { names: String },
    #[error("the search would read too much; add {add}")]
    TooCostly { add: String },
    #[error("\"{name}\" is required")]
    Missing { name: &'static str },
    #[error("the body is no Parameters resource; send one, as the operation defines it")]
    NoParameters,
    #[error("send the body as application/fhir+json or application/fhir+xml")]
    UnsupportedContent,
    #[error("no member is certainly the one meant")]
    NoMember,
    #[error("several members are certainly the one meant")]
    SeveralMembers,
    #[error("there is no Consent that is active, in its period, and permits it")]
    NoConsent,
    #[error("the system of sourceIdentifier is not among the domains that are known here")]
    UnknownSource,
    #[error("targetSystem is not among the domains that are known here")]
    UnknownTarget,
    #[error(
        "standing no-match decisions keep them apart; $mdm-link-history shows them, and careweave \
         review undo takes them back"
    )]
    KeptApart,
    #[error("this link was proposed by the same steward; another one must make it")]
    NeedsAnother,
    #[error("the cursor does not belong to this search; begin again without _cursor")]
    BadCursor,
    #[error("the posted search that this link goes on with is forgotten; post it again")]
    SearchForgotten,
    #[error("only application/fhir+json and application/fhir+xml of fhirVersion 4.0 are made here")]
    NotAcceptable,
    #[error("send the search as application/x-www-form-urlencoded")]
    UnsupportedMediaType,
    #[error("the body is too long; send fewer or shorter parameters")]
    BodyTooLong,
    #[error("the body could not be read; send it again")]
    BodyBroken,
    #[error("the body cannot be read: {0}")]
    BadBody(&'static str),
    #[error("send a resource as application/fhir+json or application/fhir+xml of fhirVersion 4.0")]
    ResourceMediaType,
    #[error("send the body as it is, without a Content-Encoding")]
    Encoded,
    #[error("send a JSON Patch as application/json-patch+json, or application/merge-patch+json")]
    PatchMediaType,
    #[error("nothing can be written here: no [[endpoint]] of kind \"client\" is configured")]
    NoClient,
    #[error("say which client writes, in X-Careweave-Client; known: {known}")]
    WhichClient { known: String },
    #[error("ids are made here; POST a new resource to its type")]
    ForeignId,
    #[error("the resource in the body is not the one that the URL names; make them agree")]
    OtherResource,
    #[error("careweave makes this resource out of others; write to those that it is made of")]
    MadeHere,
    #[error("directory entries take claims only of clients who have stated them: POST your own")]
    DirectoryEntry,
    #[error("a Group is changed only by the client who stated it; POST your own")]
    ForeignGroup,
    #[error("this client has stated nothing about the resource, so it can withdraw nothing")]
    NoClaim,
    #[error("the resource has changed; its version is now {version}: read it again")]
    VersionConflict { version: u32 },
    #[error("the condition fits several resources; make it more exact")]
    SeveralFit,
    #[error("a conditional reference fits nothing; make it fit one resource")]
    NoneFits,
    #[error("the Bundle has more than {max} entries; send it in parts")]
    TooManyEntries { max: usize },
    #[error("the patch cannot be applied: {0}")]
    PatchFailed(String),
    #[error("the resource is not valid")]
    Unprocessable(Vec<Issue>),
    #[error("the URL is too long; send the search by POST to _search")]
    UrlTooLong,
    #[error("the answer took too long; ask for less, or try again later")]
    TimedOut,
    #[error("too many requests are under way; try again in a moment")]
    Busy,
    #[error("the answer could not be made; report the request id")]
    Panicked,
    #[error("the answer could not be written as {0}")]
    NotRendered(&'static str),
    #[error("the audit entry could not be written, so nothing is disclosed; try again later")]
    Audit(#[source] GatewayError),
    #[error("the gateway failed; try again later")]
    Gateway(#[from] GatewayError),
    #[error("the store failed; try again later")]
    Store(#[from] StoreError),
}

impl ApiError {
    /// The HTTP status: the only place that decides it.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::NoSuchRoute | Self::TypeNotServed | Self::NotFound | Self::NoSuchRecord => {
                StatusCode::NOT_FOUND
            }
            Self::NoSuchMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::Gone | Self::RecordGone | Self::SearchForgotten => StatusCode::GONE,
            Self::BadQuery(_)
            | Self::BadValue { .. }
            | Self::BadModifier { .. }
            | Self::NotSupported { .. }
            | Self::TooCostly { .. }
            | Self::BodyBroken
            | Self::BadBody(_)
            | Self::OtherResource
            | Self::Missing { .. }
            | Self::NoParameters
            | Self::UnknownSource
            | Self::BadCursor => StatusCode::BAD_REQUEST,
            Self::UnknownTarget => StatusCode::FORBIDDEN,
            Self::KeptApart | Self::NeedsAnother => StatusCode::CONFLICT,
            Self::NoMember | Self::SeveralMembers | Self::NoConsent => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Self::NoClient | Self::WhichClient { .. } => StatusCode::FORBIDDEN,
            Self::ForeignId | Self::MadeHere | Self::DirectoryEntry | Self::ForeignGroup => {
                StatusCode::METHOD_NOT_ALLOWED
            }
            Self::NoClaim => StatusCode::CONFLICT,
            Self::VersionConflict { .. } | Self::SeveralFit | Self::NoneFits => {
                StatusCode::PRECONDITION_FAILED
            }
            Self::PatchFailed(_) | Self::Unprocessable(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::UnsupportedMediaType
            | Self::ResourceMediaType
            | Self::UnsupportedContent
            | Self::Encoded
            | Self::PatchMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::BodyTooLong | Self::TooManyEntries { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UrlTooLong => StatusCode::URI_TOO_LONG,
            Self::TimedOut | Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Panicked
            | Self::NotRendered(_)
            | Self::Audit(_)
            | Self::Gateway(_)
            | Self::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The `IssueType` code.
    fn code(&self) -> &'static str {
        match self {
            Self::NoSuchRoute
            | Self::NoSuchMethod
            | Self::TypeNotServed
            | Self::BadModifier { .. }
            | Self::NotSupported { .. }
            | Self::NotAcceptable
            | Self::UnsupportedMediaType
            | Self::ResourceMediaType
            | Self::UnsupportedContent
            | Self::Encoded
            | Self::PatchMediaType => "not-supported",
            Self::Missing { .. } => "required",
            Self::NoMember => "not-found",
            Self::SeveralMembers => "multiple-matches",
            Self::NoConsent => "suppressed",
            Self::UnknownSource | Self::UnknownTarget => "code-invalid",
            Self::KeptApart => "conflict",
            Self::NeedsAnother => "business-rule",
            Self::NoClient | Self::WhichClient { .. } => "forbidden",
            Self::ForeignId
            | Self::MadeHere
            | Self::DirectoryEntry
            | Self::ForeignGroup
            | Self::NoClaim => "business-rule",
            Self::VersionConflict { .. } => "conflict",
            Self::SeveralFit => "multiple-matches",
            Self::NoneFits => "not-found",
            Self::PatchFailed(_) => "processing",
            Self::Unprocessable(_) => "invalid",
            // R4's `expired` tells of a login.
            Self::NotFound | Self::NoSuchRecord | Self::SearchForgotten => "not-found",
            Self::Gone | Self::RecordGone => "deleted",
            Self::BadQuery(_) | Self::BodyBroken | Self::BadBody(_) | Self::NoParameters => {
                "structure"
            }
            Self::BadValue { .. } | Self::BadCursor | Self::OtherResource => "value",
            Self::TooCostly { .. } | Self::TooManyEntries { .. } => "too-costly",
            Self::BodyTooLong | Self::UrlTooLong => "too-long",
            Self::TimedOut => "timeout",
            Self::Busy => "throttled",
            Self::Panicked
            | Self::NotRendered(_)
            | Self::Audit(_)
            | Self::Gateway(_)
            | Self::Store(_) => "exception",
        }
    }

    /// The issues that tell the client; the request id finds the log entry.
    pub(super) fn issues(&self, request_id: &str) -> Vec<Issue> {
        match self {
            Self::Unprocessable(issues) if !issues.is_empty() => issues.clone(),
            _ => vec![self.issue(request_id)],
        }
    }

    fn issue(&self, request_id: &str) -> Issue {
        let expression = match self {
            Self::BadValue { name, .. } | Self::BadModifier { name, .. } => {
                vec![format!("http.{name}")]
            }
            _ => Vec::new(),
        };
        Issue {
            severity: "error",
            code: self.code(),
            diagnostics: format!("{self} (request {request_id})"),
            expression,
        }
    }
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::UnknownParameter { name, .. } => {
                Self::NotSupported { names: shown_name(&name) }
            }
            QueryError::UnsupportedModifier { name, modifier } => {
                Self::BadModifier { name: shown_name(&name), modifier: shown_name(&modifier) }
            }
            QueryError::BadValue { name, expected, .. } => {
                Self::BadValue { name: shown_name(&name), expected }
            }
        }
    }
}

/// A name that a client sent, if it looks like one: anything else might be patient data that
/// slipped into the wrong place.
pub(super) fn shown_name(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    if !name.is_empty() && name.len() <= 32 && name.chars().all(plain) {
        name.to_owned()
    } else {
        "(a name of another form)".to_owned()
    }
}
