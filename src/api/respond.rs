//! Writing answers: status, headers, representation.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use jiff::Timestamp;

use crate::fhir::{Subset, operation_outcome};

use super::call::Format;
use super::error::ApiError;
use super::guard::RequestId;

/// An answer that is ready to be disclosed.
pub(super) struct Answer {
    /// Its status.
    pub(super) status: StatusCode,
    /// Headers of its own.
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    /// A FHIR resource as JSON; empty when the status has no body.
    pub(super) body: Bytes,
    /// The body goes out as it is, whatever was accepted: a record as its endpoint stated it.
    pub(super) verbatim: bool,
}

impl Answer {
    /// An answer with status 200 and a resource.
    pub(super) fn resource(body: impl Into<Bytes>) -> Self {
        let body = body.into();
        Self { status: StatusCode::OK, headers: Vec::new(), body, verbatim: false }
    }

    /// An answer with status 200 and JSON that is no resource.
    pub(super) fn json(body: impl Into<Bytes>) -> Self {
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        let mut answer = Self::resource(body);
        answer.headers.push((header::CONTENT_TYPE, json));
        answer
    }

    /// An answer with status 200 and a table.
    pub(super) fn csv(body: impl Into<Bytes>) -> Self {
        let csv = HeaderValue::from_static("text/csv; charset=utf-8");
        let mut answer = Self::resource(body);
        answer.verbatim = true;
        answer.headers.push((header::CONTENT_TYPE, csv));
        answer
    }

    /// The answer with a part of its resource.
    pub(super) fn part(self, subset: &Subset) -> Self {
        let body = subset.of(&self.body).map(Bytes::from);
        Self { body: body.unwrap_or(self.body), ..self }
    }

    /// Adds a header; a value that no header may carry is left out.
    pub(super) fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// Writes it.
    ///
    /// # Errors
    /// `NotRendered` when the resource cannot be written in the format.
    pub(super) fn into_response(self, format: Format, pretty: bool) -> Result<Response, ApiError> {
        let empty = self.body.is_empty();
        let (content_type, body) = match format {
            _ if self.verbatim => (JSON, self.body),
            Format::Json if pretty && !empty => (JSON, indented(&self.body)?),
            Format::Json => (JSON, self.body),
            Format::Xml if empty => (XML, self.body),
            Format::Xml => (XML, as_xml(&self.body)?),
        };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        if !empty {
            response
                .headers_mut()
                .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        for (name, value) in self.headers {
            response.headers_mut().insert(name, value);
        }
        Ok(response)
    }
}

const JSON: &str = "application/fhir+json; charset=utf-8";
const XML: &str = "application/fhir+xml; charset=utf-8";

/// Writes a failure as an OperationOutcome, and logs it once if it is ours.
pub(super) fn failure(error: &ApiError, request_id: &RequestId) -> Response {
    let status = error.status();
    match error {
        // The load is no failure of a request; the metrics tell of it.
        ApiError::Busy => {}
        _ if status.is_server_error() => {
            let error = chain(error);
            tracing::error!(request_id = request_id.logged(), error, "request failed");
        }
        _ => {}
    }
    let outcome = operation_outcome(&error.issues(&request_id.0));
    let mut response = Response::new(Body::from(outcome.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// Writes a failure in the representation that was asked for.
pub(super) fn failure_as(error: &ApiError, request_id: &RequestId, format: Format) -> Response {
    let mut response = failure(error, request_id);
    if format == Format::Xml {
        let outcome = operation_outcome(&error.issues(&request_id.0)).to_string();
        if let Ok(body) = as_xml(outcome.as_bytes()) {
            *response.body_mut() = Body::from(body);
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(XML));
        }
    }
    response
}

/// A time as HTTP writes it: `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(super) fn http_date(time: Timestamp) -> String {
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn indented(body: &[u8]) -> Result<Bytes, ApiError> {
    let broken = |_| ApiError::NotRendered("indented JSON");
    let value: serde_json::Value = serde_json::from_slice(body).map_err(broken)?;
    serde_json::to_vec_pretty(&value).map(Bytes::from).map_err(broken)
}

fn as_xml(body: &[u8]) -> Result<Bytes, ApiError> {
    crate::fhir::xml::to_xml(body).map(Bytes::from).map_err(|_| ApiError::NotRendered("XML"))
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
