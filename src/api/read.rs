//! FHIR read of the view.
//! <https://hl7.org/fhir/R4/http.html#read>

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use jiff::Timestamp;
use serde_json::json;

use crate::fhir::ResourceType;
use crate::flow::DerivedId;

use super::answer::{Interaction, answer};
use super::call::Call;
use super::error::ApiError;
use super::reader::{Reader, RowRef};
use super::respond::{self, Answer, http_date};
use super::result_params::subset_of;
use super::{Api, provenance, served};

/// `GET /fhir/{Type}/{id}`.
pub(super) async fn read(
    State(api): State<Api>,
    path: Result<Path<(String, String)>, PathRejection>,
    call: Call,
) -> Response {
    let parsed = path
        .map_err(|_| ApiError::NotFound)
        .and_then(|Path((name, id))| Ok((served::parse(&name)?, id)));
    let (resource_type, id) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return respond::failure(&error, &call.request_id),
    };
    let about = Interaction { action: "read", resource_type: resource_type.name() };
    answer(api, call, about, move |reader, call| {
        let subset = subset_of(&call.params()?)?;
        let answer = match provenance::of_id(resource_type, &id) {
            Some(target) => provenance::read(reader, target),
            None => read_row(reader, call, resource_type, &id),
        };
        Ok(answer?.part(&subset))
    })
    .await
}

pub(super) fn read_row(
    reader: &mut Reader<'_>,
    call: &Call,
    resource_type: ResourceType,
    id: &str,
) -> Result<Answer, ApiError> {
    let id: DerivedId = id.parse().map_err(|_| ApiError::NotFound)?;
    let row = reader.locate(resource_type, id)?;
    reader.disclosed.insert(row.owner.id());
    if row.row().id != id && resource_type.name() == "Patient" {
        return Ok(retired_patient(reader, id, &row));
    }
    let etag = etag(&row);
    let answer = if is_known(call, &etag, row.row().last_updated) {
        let mut unchanged = Answer::resource(Vec::new());
        unchanged.status = StatusCode::NOT_MODIFIED;
        unchanged
    } else {
        let body = reader.bodies(std::slice::from_ref(&row))?.pop().flatten();
        reader.count = 1;
        Answer::resource(body.ok_or(ApiError::Gone)?)
    };
    let shown = format!("{}/fhir/{}", reader.gateway.public_base_url(), row.reference());
    Ok(answer
        .header(header::ETAG, &etag)
        .header(header::LAST_MODIFIED, &http_date(row.row().last_updated))
        .header(header::CONTENT_LOCATION, &shown))
}

/// The weak tag of a row's version.
pub(super) fn etag(row: &RowRef) -> String {
    format!("W/\"{}\"", row.row().version)
}

/// A Patient that was found to be another one: it tells which, and nothing else.
fn retired_patient(reader: &mut Reader<'_>, id: DerivedId, shown: &RowRef) -> Answer {
    reader.count = 1;
    let body = json!({
        "resourceType": "Patient",
        "id": id.to_string(),
        "active": false,
        "link": [{ "other": { "reference": shown.reference() }, "type": "replaced-by" }],
    });
    Answer::resource(body.to_string())
}

/// Whether the client holds this version already. Its time counts only where it names no version.
/// <https://hl7.org/fhir/R4/http.html#cread>
fn is_known(call: &Call, etag: &str, last_updated: Timestamp) -> bool {
    if let Some(tags) = call.header(header::IF_NONE_MATCH) {
        return names(tags, etag);
    }
    let since = call.header(header::IF_MODIFIED_SINCE).and_then(parse_http_date);
    // Its header tells whole seconds.
    since.is_some_and(|since| last_updated.as_second() <= since.as_second())
}

/// Whether a list of entity tags names this one; as R4 wants, weak and strong ones alike.
pub(super) fn names(tags: &str, etag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    tags.split(',').any(|tag| tag.trim() == "*" || opaque(tag) == opaque(etag))
}

/// A time as HTTP writes it.
pub(super) fn parse_http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}
