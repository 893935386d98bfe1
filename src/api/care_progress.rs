//! `GET /care/person/{id}/progress`: how a person's goals stand against the readings that measure
//! them, which check-ins are due, and how the plans changed.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::{Value, json};

use crate::care::{Revision, progress};
use crate::fhir::ResourceType;
use crate::flow::{DerivedId, Owner};
use crate::store::{Change, ChangeKind};

use super::Api;
use super::answer::{Interaction, answer};
use super::call::Call;
use super::care_person;
use super::error::ApiError;
use super::reader::{Reader, RowRef};
use super::respond::{self, Answer};

/// So many versions of a plan are compared, the latest ones.
const VERSIONS_MAX: usize = 50;

/// What progress is read from.
const TYPES: [&str; 7] =
    ["Goal", "Observation", "ServiceRequest", "CarePlan", "Procedure", "Encounter", "Appointment"];

/// `GET /care/person/{id}/progress`; the id is of the Patient, or one that it had before.
pub(super) async fn care_progress(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    call: Call,
) -> Response {
    let id = match care_person::id_of(path) {
        Ok(id) => id,
        Err(error) => return respond::failure(&error, &call.request_id),
    };
    let about = Interaction { action: "care-progress", resource_type: "Patient" };
    answer(api, call, about, move |reader, _| told(reader, id)).await
}

fn told(reader: &mut Reader<'_>, id: DerivedId) -> Result<Answer, ApiError> {
    let patient = reader.locate(ResourceType::of("Patient"), id)?;
    let types = TYPES.into_iter().map(ResourceType::of);
    let resources = care_person::resources(reader, patient.owner, types)?;
    let on = reader.gateway.today();
    let mut told = serde_json::to_value(progress(&resources, on)).unwrap_or_default();
    told["person"] = json!(patient.reference());
    told["asOf"] = json!(on);
    told["plans"] = plans(reader, patient.owner)?.into();
    Ok(Answer::json(told.to_string()))
}

/// The plans, each with what its versions changed.
fn plans(reader: &mut Reader<'_>, owner: Owner) -> Result<Vec<Value>, ApiError> {
    let rows = reader.rows(owner, ResourceType::of("CarePlan"))?;
    let Owner::Person(person) = owner else { return Ok(Vec::new()) };
    let history = reader.gateway.view_history(reader.access, person, owner)?;
    rows.iter().map(|row| plan(reader, owner, row, &history)).collect()
}

fn plan(
    reader: &Reader<'_>,
    owner: Owner,
    row: &RowRef,
    history: &[Change],
) -> Result<Value, ApiError> {
    let (resource_type, id) = row.identity();
    let is_version = |change: &&Change| {
        let shown = matches!(change.kind, ChangeKind::Created | ChangeKind::Updated);
        (change.resource_type, change.id) == (resource_type, id) && shown
    };
    let changes: Vec<&Change> = history.iter().filter(is_version).collect();
    let left = changes.len().saturating_sub(VERSIONS_MAX);
    let homes = reader.gateway.view_homes(reader.access, owner)?;
    let mut before: Option<Value> = None;
    let mut revisions = Vec::new();
    for change in &changes[left..] {
        let version = (resource_type, id, change.version);
        let body = reader.gateway.version_of(reader.access, owner, &homes, version)?;
        let body: Option<Value> = body.and_then(|body| serde_json::from_slice(&body).ok());
        if let (Some(before), Some(now)) = (&before, &body) {
            let mut told = serde_json::to_value(Revision::between(before, now)).unwrap_or_default();
            told["version"] = json!(change.version);
            told["at"] = json!(change.at);
            revisions.push(told);
        }
        before = body;
    }
    let now = before.unwrap_or_default();
    let mut told = json!({
        "plan": row.reference(),
        "title": now.get("title"),
        "status": now.get("status"),
        "version": row.row().version,
        "revisions": revisions,
    });
    if left > 0 {
        told["earlier"] = json!(left);
    }
    Ok(told)
}
