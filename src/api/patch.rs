//! FHIR patch by JSON Patch: the resource as it is shown, changed, is the client's claim.
//! <https://hl7.org/fhir/R4/http.html#patch>, <https://www.rfc-editor.org/rfc/rfc6902>,
//! <https://www.rfc-editor.org/rfc/rfc7396>

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::Response;
use serde_json::Value;

use crate::fhir::ResourceType;
use crate::fhir::bundle::DEPTH_MAX;

use super::answer::{Interaction, answer};
use super::body::{self, Patch, Received};
use super::call::Call;
use super::claim::Planned;
use super::error::ApiError;
use super::named::Names;
use super::reader::Reader;
use super::respond::Answer;
use super::update::target;
use super::{Api, claim, conditional, respond, write};

/// Values of a patched resource at most; a large one of the view has some thousand.
const VALUES_MAX: usize = 100_000;

/// `PATCH /fhir/{Type}/{id}`.
pub(super) async fn patch(
    State(api): State<Api>,
    path: Result<Path<(String, String)>, PathRejection>,
    mut call: Call,
    body: Received,
) -> Response {
    let taken = target(&api, path, &mut call).and_then(|(resource_type, id, client)| {
        Ok((resource_type, id, client, received(&call, body)?))
    });
    let (resource_type, id, client, patch) = match taken {
        Ok(taken) => taken,
        Err(error) => return respond::failure(&error, &call.request_id),
    };
    let about = Interaction { action: "patch", resource_type: resource_type.name() };
    let writing = api.writes.clone().lock_owned().await;
    answer(api, call, about, move |reader, call| {
        let _writing = writing;
        one(reader, call, &client, (resource_type, &id), &patch)
    })
    .await
}

/// `PATCH /fhir/{Type}?…`: of the one resource that the condition fits.
/// <https://hl7.org/fhir/R4/http.html#patch>
pub(super) async fn by_condition(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    mut call: Call,
    body: Received,
) -> Response {
    let taken = conditional::target(&api, path, &mut call)
        .and_then(|target| Ok((target, received(&call, body)?)));
    let (target, patch) = match taken {
        Ok(taken) => taken,
        Err(error) => return respond::failure(&error, &call.request_id),
    };
    let about = Interaction { action: "patch", resource_type: target.resource_type.name() };
    let writing = api.writes.clone().lock_owned().await;
    let found = target.find(&api, &call).await;
    answer(api, call, about, move |reader, call| {
        let _writing = writing;
        let id = found?.ok_or(ApiError::NotFound)?;
        one(reader, call, &target.client, (target.resource_type, &id), &patch)
    })
    .await
}

fn received(call: &Call, body: Received) -> Result<Patch, ApiError> {
    let media = call.header(header::CONTENT_TYPE).unwrap_or_default();
    body::patch(media, &body::whole(body)?)
}

fn one(
    reader: &mut Reader<'_>,
    call: &Call,
    client: &Arc<str>,
    named: (ResourceType, &str),
    patch: &Patch,
) -> Result<Answer, ApiError> {
    let if_match = call.header(header::IF_MATCH).map(str::to_owned);
    let planned = [plan(reader, client, named, patch, if_match)?];
    write::carry_out(reader, client, &planned, &Names::new())?;
    write::answer_of(reader, call, &planned[0])
}

/// Plans the claim that a patch comes to.
///
/// # Errors
/// `PatchFailed` when it cannot be applied, and whatever an update would say.
pub(super) fn plan(
    reader: &mut Reader<'_>,
    client: &Arc<str>,
    named: (ResourceType, &str),
    patch: &Patch,
    if_match: Option<String>,
) -> Result<Planned, ApiError> {
    let patched = patched(reader, named, patch)?;
    let mut plan = claim::update(reader, client, named, patched.resource)?;
    // The patch was applied to this version: no other one may take its place.
    plan.if_match = if_match.or(Some(patched.etag));
    Ok(plan)
}

/// A resource after a patch, and the version that it was applied to.
struct Patched {
    resource: Value,
    etag: String,
}

/// Applies a patch to a resource of the view.
fn patched(
    reader: &mut Reader<'_>,
    (resource_type, id): (ResourceType, &str),
    patch: &Patch,
) -> Result<Patched, ApiError> {
    let id = claim::own_id(resource_type, id)?;
    let row = reader.locate(resource_type, id)?;
    let body = reader.bodies(std::slice::from_ref(&row))?.pop().flatten();
    let broken = |_| ApiError::NotRendered("JSON");
    let mut resource: Value =
        serde_json::from_slice(&body.ok_or(ApiError::Gone)?).map_err(broken)?;
    let shown = resource["id"].clone();
    apply(&mut resource, patch)?;
    if resource["id"] != shown {
        return Err(ApiError::OtherResource);
    }
    // The claim is named by the URL, which may be an alias.
    resource["id"] = id.to_string().into();
    Ok(Patched { resource, etag: super::read::etag(&row) })
}

/// Operation by operation: a few copies of the whole into itself would fill the memory.
fn apply(resource: &mut Value, patch: &Patch) -> Result<(), ApiError> {
    let operations = match patch {
        Patch::Json(patch) => &patch.0,
        Patch::Merge(patch) => {
            json_patch::merge(resource, patch);
            return Ok(());
        }
    };
    for (index, operation) in operations.iter().enumerate() {
        // What the library says may quote values.
        let failed = |what: &str| ApiError::PatchFailed(format!("operation {index} {what}"));
        json_patch::patch(resource, std::slice::from_ref(operation))
            .map_err(|_| failed("does not fit the resource"))?;
        let (values, depth) = extent(resource);
        if values > VALUES_MAX || depth > DEPTH_MAX {
            return Err(failed("makes the resource too large"));
        }
    }
    Ok(())
}

/// How many values there are, and how deep they nest.
fn extent(value: &Value) -> (usize, usize) {
    let within = |inner: &mut dyn Iterator<Item = &Value>| {
        inner.map(extent).fold((1, 0), |(values, depth), (v, d)| (values + v, depth.max(d + 1)))
    };
    match value {
        Value::Array(items) => within(&mut items.iter()),
        Value::Object(members) => within(&mut members.values()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => (1, 0),
    }
}
