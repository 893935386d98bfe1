//! FHIR delete: a client withdraws its claim, and nobody else's.
//! <https://hl7.org/fhir/R4/http.html#delete>

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::Response;

use crate::fhir::ResourceType;

use super::answer::{Interaction, answer};
use super::call::Call;
use super::error::ApiError;
use super::named::Names;
use super::reader::Reader;
use super::respond::{self, Answer};
use super::update::target;
use super::{Api, claim, conditional, write};

/// `DELETE /fhir/{Type}/{id}`.
pub(super) async fn delete(
    State(api): State<Api>,
    path: Result<Path<(String, String)>, PathRejection>,
    mut call: Call,
) -> Response {
    let (resource_type, id, client) = match target(&api, path, &mut call) {
        Ok(target) => target,
        Err(error) => return respond::failure(&error, &call.request_id),
    };
    let about = Interaction { action: "delete", resource_type: resource_type.name() };
    let writing = api.writes.clone().lock_owned().await;
    answer(api, call, about, move |reader, call| {
        let _writing = writing;
        withdraw(reader, call, &client, (resource_type, &id))
    })
    .await
}

/// `DELETE /fhir/{Type}?…`: of the one resource that the condition fits.
/// <https://hl7.org/fhir/R4/http.html#3.1.0.7.1>
pub(super) async fn by_condition(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    mut call: Call,
) -> Response {
    let target = match conditional::target(&api, path, &mut call) {
        Ok(target) => target,
        Err(error) => return respond::failure(&error, &call.request_id),
    };
    let about = Interaction { action: "delete", resource_type: target.resource_type.name() };
    let writing = api.writes.clone().lock_owned().await;
    let found = target.find(&api, &call).await;
    answer(api, call, about, move |reader, call| {
        let _writing = writing;
        let id = found?.ok_or(ApiError::NotFound)?;
        withdraw(reader, call, &target.client, (target.resource_type, &id))
    })
    .await
}

fn withdraw(
    reader: &mut Reader<'_>,
    call: &Call,
    client: &Arc<str>,
    named: (ResourceType, &str),
) -> Result<Answer, ApiError> {
    let Some(mut plan) = claim::delete(reader, client, named)? else {
        let mut withdrawn = Answer::resource(Vec::new());
        withdrawn.status = StatusCode::NO_CONTENT;
        return Ok(withdrawn);
    };
    plan.if_match = call.header(header::IF_MATCH).map(str::to_owned);
    let planned = [plan];
    write::carry_out(reader, client, &planned, &Names::new())?;
    write::answer_of(reader, call, &planned[0])
}
