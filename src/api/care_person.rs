//! `GET /care/person/{id}`: a person's view as a care record.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::Value;

use crate::fhir::ResourceType;
use crate::flow::DerivedId;

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
    let id: Result<DerivedId, ApiError> = path
        .map_err(|_| ApiError::NotFound)
        .and_then(|Path(id)| id.parse().map_err(|_| ApiError::NotFound));
    let id = match id {
        Ok(id) => id,
        Err(error) => return respond::failure(&error, &call.request_id),
    };
    let about = Interaction { action: "care-record", resource_type: "Patient" };
    let there = api.clone();
    answer(api, call, about, move |reader, _| record(&there, reader, id)).await
}

fn record(api: &Api, reader: &mut Reader<'_>, id: DerivedId) -> Result<Answer, ApiError> {
    let patient = reader.locate(ResourceType::of("Patient"), id)?;
    let mut rows = Vec::new();
    for resource_type in served::person_types() {
        rows.extend(reader.rows(patient.owner, resource_type)?);
        if rows.len() > RESOURCES_MAX {
            let add = "nothing: this person has too much for one record; use $everything";
            return Err(ApiError::TooCostly { add: add.to_owned() });
        }
    }
    reader.note_disclosed(&rows);
    let bodies = reader.bodies(&rows)?.into_iter().flatten();
    let resources: Vec<Value> =
        bodies.filter_map(|body| serde_json::from_slice(&body).ok()).collect();
    Ok(Answer::json(api.gateway.care().records.from_fhir(&resources).to_string()))
}
