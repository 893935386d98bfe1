//! FHIR vread: one version of a resource of the view.
//! <https://hl7.org/fhir/R4/http.html#vread>

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::Response;
use bytes::Bytes;

use crate::fhir::ResourceType;
use crate::flow::DerivedId;

use super::answer::{Interaction, answer};
use super::call::Call;
use super::error::ApiError;
use super::reader::{Reader, RowRef};
use super::respond::{self, Answer};
use super::{Api, served};

/// `GET /fhir/{Type}/{id}/_history/{version}`.
pub(super) async fn vread(
    State(api): State<Api>,
    path: Result<Path<(String, String, String)>, PathRejection>,
    call: Call,
) -> Response {
    let parsed = path.map_err(|_| ApiError::NotFound).and_then(|Path((name, id, version))| {
        Ok((served::parse(&name)?, id.parse::<DerivedId>().ok().zip(parse_version(&version))))
    });
    let (resource_type, named) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return respond::failure(&error, &call.request_id),
    };
    let about = Interaction { action: "read", resource_type: resource_type.name() };
    answer(api, call, about, move |reader, _call| {
        let (id, version) = named.ok_or(ApiError::NotFound)?;
        read_version(reader, resource_type, id, version)
    })
    .await
}

/// Only the one way of writing a version that we use: `+1` and `01` name none.
fn parse_version(text: &str) -> Option<u32> {
    let version: u32 = text.parse().ok()?;
    (version.to_string() == text).then_some(version)
}

/// One version as it may be shown today, without settling; `None` if it may not, or never was.
pub(super) fn version_shown(
    reader: &mut Reader<'_>,
    resource_type: ResourceType,
    id: DerivedId,
    version: u32,
) -> Result<Option<Bytes>, ApiError> {
    let row = reader.referred(&format!("{resource_type}/{id}"))?;
    let Some(row) = row else { return Ok(None) };
    let body = body_of(reader, &row, id, version)?;
    if body.is_some() {
        reader.note_disclosed(std::slice::from_ref(&row));
    }
    Ok(body)
}

/// An earlier version is given only while the view still holds the resource, or another one
/// that it was merged into: what its sources have withdrawn stays withdrawn. And only if all it
/// was woven from is still the same person's.
fn read_version(
    reader: &mut Reader<'_>,
    resource_type: ResourceType,
    id: DerivedId,
    version: u32,
) -> Result<Answer, ApiError> {
    let row = reader.locate(resource_type, id)?;
    let body = match body_of(reader, &row, id, version)? {
        // A resource that never stood under this alias has the versions of what it is shown as:
        // so what a write answered as its place leads there.
        None if row.row().id != id => body_of(reader, &row, row.row().id, version)?,
        body => body,
    };
    let body = body.ok_or(ApiError::NotFound)?;
    reader.note_disclosed(std::slice::from_ref(&row));
    Ok(Answer::resource(body).header(header::ETAG, &format!("W/\"{version}\"")))
}

fn body_of(
    reader: &mut Reader<'_>,
    row: &RowRef,
    id: DerivedId,
    version: u32,
) -> Result<Option<Bytes>, ApiError> {
    if row.row().id == id && row.row().version == version {
        return Ok(reader.bodies(std::slice::from_ref(row))?.pop().flatten());
    }
    let homes = reader.gateway.view_homes(reader.access, row.owner)?;
    Ok(reader.store().past_body(reader.access, row.resource_type, id, version, &homes)?)
}
