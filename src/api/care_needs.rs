//! `GET /care/person/{id}/needs`: social needs by domain, with what was asked for, the community
//! services that could help and their capacity, and what the person agreed to.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::json;

use crate::care::{Needs, SDOH_CODES, Service};
use crate::fhir::ResourceType;
use crate::flow::DerivedId;

use super::answer::{Interaction, answer};
use super::call::Call;
use super::error::ApiError;
use super::reader::Reader;
use super::respond::{self, Answer};
use super::{Api, care_person, scope};

/// What needs are read from.
const TYPES: [&str; 6] = ["Condition", "Observation", "Goal", "ServiceRequest", "Task", "Consent"];
/// Services of one domain that are told at most.
const SERVICES_MAX: usize = 100;

/// `GET /care/person/{id}/needs`; the id is of the Patient, or one that it had before.
pub(super) async fn care_needs(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    call: Call,
) -> Response {
    let id = match care_person::id_of(path) {
        Ok(id) => id,
        Err(error) => return respond::failure(&error, &call.request_id),
    };
    let about = Interaction { action: "care-needs", resource_type: "Patient" };
    let there = api.clone();
    answer(api, call, about, move |reader, _| told(&there, reader, id)).await
}

fn told(api: &Api, reader: &mut Reader<'_>, id: DerivedId) -> Result<Answer, ApiError> {
    let patient = reader.locate(ResourceType::of("Patient"), id)?;
    let types = TYPES.into_iter().map(ResourceType::of);
    let resources = care_person::resources(reader, patient.owner, types)?;
    let mut needs = Needs::of(&resources, &api.gateway.care().concepts);
    for (domain, told) in &mut needs.domains {
        told.services = services(reader, domain)?;
    }
    let mut answer = serde_json::to_value(needs).unwrap_or_default();
    answer["person"] = json!(patient.reference());
    Ok(Answer::json(answer.to_string()))
}

/// The community services of a domain.
fn services(reader: &mut Reader<'_>, domain: &str) -> Result<Vec<Service>, ApiError> {
    let service = ResourceType::of("HealthcareService");
    let value = format!("{SDOH_CODES}|{domain}");
    let table = reader.gateway.search_table();
    let criterion = table.criterion(service, "service-category", &value)?;
    let rows = scope::indexed(reader, service, "service-category", &criterion)?;
    let mut rows = rows.unwrap_or_default();
    rows.truncate(SERVICES_MAX);
    let bodies = reader.bodies(&rows)?.into_iter().flatten();
    let read = bodies.filter_map(|body| serde_json::from_slice(&body).ok());
    Ok(read.filter_map(|body: serde_json::Value| Service::of(&body)).collect())
}
