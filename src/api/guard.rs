//! What stands before every route: request id, length of the URL, time limit, caught panics.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt;

use super::Api;
use super::call::Call;
use super::error::ApiError;
use super::respond;

/// The id of a request: the client's `X-Request-Id` if it is a plain word, else one of ours.
#[derive(Clone, Debug, Default)]
pub(super) struct RequestId(pub(super) Arc<str>);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REQUEST_ID_LEN_MAX: usize = 64;

/// Runs a request within its bounds.
pub(super) async fn guard(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers());
    request.extensions_mut().insert(id.clone());
    let length = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    let mut response = if length > api.options.url_bytes_max {
        respond::failure(&ApiError::UrlTooLong, &id)
    } else {
        let run = AssertUnwindSafe(next.run(request)).catch_unwind();
        match tokio::time::timeout(api.options.request_timeout, run).await {
            Ok(Ok(response)) => response,
            Ok(Err(_panic)) => respond::failure(&ApiError::Panicked, &id),
            Err(_elapsed) => respond::failure(&ApiError::TimedOut, &id),
        }
    };
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        headers.insert(REQUEST_ID, value);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Answers what no route takes.
pub(super) async fn no_such_route(call: Call) -> Response {
    respond::failure(&ApiError::NoSuchRoute, &call.request_id)
}

/// Answers a method that a route does not have.
pub(super) async fn no_such_method(call: Call) -> Response {
    respond::failure(&ApiError::NoSuchMethod, &call.request_id)
}

impl RequestId {
    fn of(headers: &HeaderMap) -> Self {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let sent = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
        match sent {
            Some(id)
                if !id.is_empty() && id.len() <= REQUEST_ID_LEN_MAX && id.chars().all(plain) =>
            {
                Self(id.into())
            }
            _ => Self::new(),
        }
    }

    /// Unique within the process by its number, between processes by time and address.
    fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let seed =
            format!("{}/{}/{number}", std::process::id(), jiff::Timestamp::now().as_nanosecond());
        let hex = blake3::hash(seed.as_bytes()).to_hex();
        let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..32]];
        Self(parts.join("-").into())
    }
}
