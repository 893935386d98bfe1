//! Requests that a request is made of: the same routes, asked from within.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, header};
use bytes::Bytes;
use tower::ServiceExt;

use super::Api;
use super::call::Call;
use super::client::CLIENT;
use super::error::ApiError;
use super::routes::routes;

/// A request below `/fhir/`.
pub(super) struct Ask<'a> {
    /// Its method.
    pub(super) method: &'a str,
    /// Path and query behind `/fhir/`.
    pub(super) target: &'a str,
    /// Its headers.
    pub(super) headers: Vec<(HeaderName, String)>,
    /// Its body.
    pub(super) body: Bytes,
}

/// What it came to.
pub(super) struct Answered {
    /// Its status.
    pub(super) status: StatusCode,
    /// Its headers.
    pub(super) headers: HeaderMap,
    /// Its body: JSON, or nothing.
    pub(super) body: Bytes,
}

/// Asks in the name of the caller. The answer is JSON and is audited as any.
///
/// # Errors
/// `BadQuery` for what is no request.
pub(super) async fn ask(api: &Api, call: &Call, ask: Ask<'_>) -> Result<Answered, ApiError> {
    let no_request = |_| ApiError::BadQuery("it is no method and URL below the base");
    if ask.target.len() > api.options.url_bytes_max {
        return Err(ApiError::UrlTooLong);
    }
    let uri = format!("/fhir/{}", ask.target);
    let mut request = Request::builder()
        .method(ask.method)
        .uri(uri)
        .extension(call.request_id.clone())
        .header(header::ACCEPT, "application/fhir+json");
    if let Some(client) = call.header(CLIENT) {
        request = request.header(CLIENT, client);
    }
    for (name, value) in ask.headers {
        let value = HeaderValue::from_str(&value);
        request = request.header(name, value.map_err(|_| ApiError::BadQuery("a header"))?);
    }
    let request = request.body(Body::from(ask.body)).map_err(no_request)?;
    let Ok(response) = routes().with_state(api.clone()).oneshot(request).await;
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.map_err(|_| ApiError::Panicked)?;
    Ok(Answered { status: parts.status, headers: parts.headers, body })
}
