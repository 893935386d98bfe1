//! FHIR vread: one version of a resource of the view.
//! <https://hl7.org/fhir/R4/http.html#vread>

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::Response;

use crate::fhir::ResourceType;
use crate::flow::DerivedId;

use super::answer::{Interaction, answer};
use super::call::Call;
use super::error::ApiError;
use super::reader::Reader;
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
    let body = if row.row().id == id && row.row().version == version {
        reader.bodies(std::slice::from_ref(&row))?.pop().flatten()
    } else {
        let head = reader.store().view(reader.access, row.owner)?;
        let homes = head.map(|head| head.homes).unwrap_or_default();
        reader.store().past_body(reader.access, resource_type, id, version, &homes)?
    };
    let body = body.ok_or(ApiError::NotFound)?;
    reader.note_disclosed(std::slice::from_ref(&row));
    Ok(Answer::resource(body).header(header::ETAG, &format!("W/\"{version}\"")))
}
