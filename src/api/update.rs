//! FHIR update: a client's claim about a resource of the view.
//! <https://hl7.org/fhir/R4/http.html#update>

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::Response;

use crate::fhir::ResourceType;

use super::answer::{Interaction, answer};
use super::body::{self, Received};
use super::call::Call;
use super::error::ApiError;
use super::named::Names;
use super::respond;
use super::{Api, claim, client, conditional, served, write};

/// `PUT /fhir/{Type}/{id}`.
pub(super) async fn update(
    State(api): State<Api>,
    path: Result<Path<(String, String)>, PathRejection>,
    mut call: Call,
    body: Received,
) -> Response {
    let taken = target(&api, path, &mut call).and_then(|(resource_type, id, client)| {
        Ok((resource_type, id, client, body::resource(&call, body)?))
    });
    let (resource_type, id, client, resource) = match taken {
        Ok(taken) => taken,
        Err(error) => return respond::failure(&error, &call.request_id),
    };
    let about = Interaction { action: "update", resource_type: resource_type.name() };
    let writing = api.writes.clone().lock_owned().await;
    answer(api, call, about, move |reader, call| {
        let _writing = writing;
        let mut plan = claim::update(reader, &client, (resource_type, &id), resource)?;
        plan.if_match = call.header(header::IF_MATCH).map(str::to_owned);
        let planned = [plan];
        write::carry_out(reader, &client, &planned, &Names::new())?;
        write::answer_of(reader, call, &planned[0])
    })
    .await
}

/// `PUT /fhir/{Type}?…`: the resource that the condition fits, or a new one.
/// <https://hl7.org/fhir/R4/http.html#cond-update>
pub(super) async fn by_condition(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    mut call: Call,
    body: Received,
) -> Response {
    let taken = conditional::target(&api, path, &mut call)
        .and_then(|target| Ok((target, body::resource(&call, body)?)));
    let (target, resource) = match taken {
        Ok(taken) => taken,
        Err(error) => return respond::failure(&error, &call.request_id),
    };
    let about = Interaction { action: "update", resource_type: target.resource_type.name() };
    let writing = api.writes.clone().lock_owned().await;
    let found = match target.find(&api, &call).await {
        Ok(found) => found,
        Err(error) => return respond::failure(&error, &call.request_id),
    };
    answer(api, call, about, move |reader, call| {
        let _writing = writing;
        let (client, kind) = (&target.client, target.resource_type);
        let mut plan = conditional::update(reader, client, kind, found.as_deref(), resource)?;
        plan.if_match = call.header(header::IF_MATCH).map(str::to_owned);
        let planned = [plan];
        write::carry_out(reader, client, &planned, &Names::new())?;
        write::answer_of(reader, call, &planned[0])
    })
    .await
}

/// Which resource is written, and by whom.
///
/// # Errors
/// When there is no such type, or no such client.
pub(super) fn target(
    api: &Api,
    path: Result<Path<(String, String)>, PathRejection>,
    call: &mut Call,
) -> Result<(ResourceType, String, Arc<str>), ApiError> {
    let Path((name, id)) = path.map_err(|_| ApiError::NotFound)?;
    Ok((served::parse(&name)?, id, client::of(api, call)?))
}
