//! What stands before every route: request id, length of the URL, bound on requests at once, time
//! limit, caught panics; and behind it: a log line and the metrics.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt;
use tokio::sync::OwnedSemaphorePermit;

use super::Api;
use super::call::Call;
use super::error::ApiError;
use super::respond;
use crate::telemetry::HttpMetrics;

/// The id of a request: the client's `X-Request-Id` if it is a plain word, else one of ours.
#[derive(Clone, Debug, Default)]
pub(super) struct RequestId(pub(super) Arc<str>, Arc<str>);

/// A place among the requests that are worked on.
#[derive(Clone)]
pub(super) struct Place(#[expect(dead_code, reason = "held, not read")] Arc<OwnedSemaphorePermit>);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REQUEST_ID_LEN_MAX: usize = 64;

/// Routes that must answer however many requests are under way, and that are asked all the time.
const OPERATOR_ROUTES: [&str; 3] = ["/livez", "/readyz", "/metrics"];
/// The route of a request that no route takes.
const NO_ROUTE: &str = "none";

/// Runs a request within its bounds, counts it and logs it: one line, without path and query.
pub(super) async fn guard(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let id = RequestId::of(request.headers());
    request.extensions_mut().insert(id.clone());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
    api.metrics.in_flight.add(1);
    let under_way = InFlight(api.metrics.clone());
    let mut response = bounded(&api, &id, route, request, next).await;
    drop(under_way);
    let (status, took) = (response.status().as_u16(), began.elapsed());
    api.metrics.answered(route, status, took);
    let (request_id, ms) = (id.logged(), u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
    match OPERATOR_ROUTES.contains(&route) {
        true => tracing::debug!(request_id, route, status, ms, "answered"),
        false => tracing::info!(request_id, route, status, ms, "answered"),
    }
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        headers.insert(REQUEST_ID, value);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn bounded(
    api: &Api,
    id: &RequestId,
    route: &str,
    mut request: Request,
    next: Next,
) -> Response {
    let length = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if length > api.options.url_bytes_max {
        return respond::failure(&ApiError::UrlTooLong, id);
    }
    let encoding = request.headers().get(header::CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| encoding.as_bytes() != b"identity") {
        return respond::failure(&ApiError::Encoded, id);
    }
    if !OPERATOR_ROUTES.contains(&route) {
        let Ok(place) = api.free.clone().try_acquire_owned() else {
            api.metrics.refused.inc();
            return respond::failure(&ApiError::Busy, id);
        };
        request.extensions_mut().insert(Place(Arc::new(place)));
    }
    let run = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(api.options.request_timeout, run).await {
        Ok(Ok(response)) => response,
        Ok(Err(_panic)) => respond::failure(&ApiError::Panicked, id),
        Err(_elapsed) => respond::failure(&ApiError::TimedOut, id),
    }
}

/// Counts a request as under way until it is dropped, also when its client goes away.
struct InFlight(Arc<HttpMetrics>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.add(-1);
    }
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
        let sent = sent
            .filter(|id| !id.is_empty() && id.len() <= REQUEST_ID_LEN_MAX && id.chars().all(plain));
        match sent {
            Some(id) if is_uuid(id) => Self(id.into(), id.into()),
            // A word may be anybody's number: the client gets it back, the log gets ours.
            Some(id) => Self(id.into(), new_id()),
            None => {
                let id = new_id();
                Self(id.clone(), id)
            }
        }
    }

    /// The id as logs may hold it.
    pub(super) fn logged(&self) -> &str {
        &self.1
    }
}

/// Whether an id is a UUID, or a trace id of the same length without dashes.
fn is_uuid(id: &str) -> bool {
    let hex = id.chars().filter(char::is_ascii_hexdigit).count();
    let dashes = id.chars().filter(|c| *c == '-').count();
    hex == 32 && hex + dashes == id.len() && (dashes == 4 || dashes == 0)
}

/// Unique within the process by its number, between processes by time and process id.
fn new_id() -> Arc<str> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let seed =
        format!("{}/{}/{number}", std::process::id(), jiff::Timestamp::now().as_nanosecond());
    let hex = blake3::hash(seed.as_bytes()).to_hex();
    let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..32]];
    parts.join("-").into()
}
