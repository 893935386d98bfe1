//! `GET /care/person/{id}`: a person's view as a care record.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::Value;

use crate::fhir::ResourceType;
use crate::flow::{DerivedId, Owner};

use super::answer::{Interaction, answer};
use super::call::Call;
use super::error::ApiError;
use super::reader::Reader;
use super::respond::{self, Answer};
use super::{Api, served};

/// Resources of one record at most: the largest person that the gateway is made for.
const RESOURCES_MAX: usize = 20_000;

/// `GET /care/person/{id}`; the id is of the Patient, or one that it had before.
pub(super) async fn care_person(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    call: Call,
) -> Response {
    let id = match id_of(path) {
        Ok(id) => id,
        Err(error) => return respond::failure(&error, &call.request_id),
    };
    let about = Interaction { action: "care-record", resource_type: "Patient" };
    let there = api.clone();
    answer(api, call, about, move |reader, _| record(&there, reader, id)).await
}

fn record(api: &Api, reader: &mut Reader<'_>, id: DerivedId) -> Result<Answer, ApiError> {
    let patient = reader.locate(ResourceType::of("Patient"), id)?;
    let resources = resources(reader, patient.owner, served::person_types())?;
    Ok(Answer::json(api.gateway.care().records.from_fhir(&resources).to_string()))
}

/// The id that a path names.
pub(super) fn id_of(path: Result<Path<String>, PathRejection>) -> Result<DerivedId, ApiError> {
    let Path(id) = path.map_err(|_| ApiError::NotFound)?;
    id.parse().map_err(|_| ApiError::NotFound)
}

/// The resources of these types in a person's view.
pub(super) fn resources(
    reader: &mut Reader<'_>,
    owner: Owner,
    types: impl Iterator<Item = ResourceType>,
) -> Result<Vec<Value>, ApiError> {
    let mut rows = Vec::new();
    for resource_type in types {
        rows.extend(reader.rows(owner, resource_type)?);
        if rows.len() > RESOURCES_MAX {
            let add = "nothing: this person has too much for one record; use $everything";
            return Err(ApiError::TooCostly { add: add.to_owned() });
        }
    }
    reader.note_disclosed(&rows);
    let bodies = reader.bodies(&rows)?.into_iter().flatten();
    Ok(bodies.filter_map(|body| serde_json::from_slice(&body).ok()).collect())
}
