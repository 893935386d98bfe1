//! `$meta`: profiles, tags and labels, of a resource or of all there is.
//! <https://hl7.org/fhir/R4/resource-operation-meta.html>

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::{Value, json};

use crate::reconcile::{RESOLVED, TAG_SYSTEM};

use super::answer::{Interaction, answer};
use super::call::Call;
use super::error::ApiError;
use super::respond::{self, Answer};
use super::{Api, read, served};

/// The tags that careweave itself gives.
const TAGS: [&str; 3] = ["woven", "merged", RESOLVED];

/// `GET /fhir/{Type}/{id}/$meta`.
pub(super) async fn of_resource(
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
    let about = Interaction { action: "meta", resource_type: resource_type.name() };
    answer(api, call, about, move |reader, call| {
        let mut told = read::read_row(reader, call, resource_type, &id)?;
        let resource: Value = serde_json::from_slice(&told.body).unwrap_or_default();
        if let Some(meta) = resource.get("meta") {
            told.body = parameters(meta).into();
        }
        Ok(told)
    })
    .await
}

/// `GET /fhir/{Type}/$meta`.
pub(super) async fn of_type(path: Result<Path<String>, PathRejection>, call: Call) -> Response {
    let known = path.map_err(|_| ApiError::TypeNotServed).and_then(|Path(name)| {
        served::parse(&name)?;
        Ok(())
    });
    all(call, known)
}

/// `GET /fhir/$meta`.
pub(super) async fn of_system(call: Call) -> Response {
    all(call, Ok(()))
}

/// Of all there is, what careweave itself gives: what sources give would take a scan.
fn all(call: Call, known: Result<(), ApiError>) -> Response {
    let tags: Vec<Value> =
        TAGS.iter().map(|code| json!({ "system": TAG_SYSTEM, "code": code })).collect();
    let answer = Answer::resource(parameters(&json!({ "tag": tags })));
    let response = known.and_then(|()| answer.into_response(call.format()?, call.is_pretty()));
    response.unwrap_or_else(|error| respond::failure(&error, &call.request_id))
}

fn parameters(meta: &Value) -> String {
    json!({ "resourceType": "Parameters", "parameter": [{ "name": "return", "valueMeta": meta }] })
        .to_string()
}
