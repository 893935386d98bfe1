//! `$validate`: what is wrong with a resource, without keeping it.
//! <https://hl7.org/fhir/R4/resource-operation-validate.html>

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::Value;

use crate::fhir::{Issue, ResourceType, operation_outcome};

use super::Api;
use super::answer::{Interaction, answer};
use super::body::{self, Received, type_of};
use super::call::Call;
use super::error::ApiError;
use super::reader::Reader;
use super::respond::{self, Answer};
use super::write::issue;

/// `POST /fhir/{Type}/$validate`: a resource, or Parameters with one.
pub(super) async fn of_type(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    call: Call,
    body: Received,
) -> Response {
    let name = path.map(|Path(name)| name);
    run(api, name, call, body).await
}

/// `POST /fhir/{Type}/{id}/$validate`: the same, as if it were to stand under that id.
pub(super) async fn of_resource(
    State(api): State<Api>,
    path: Result<Path<(String, String)>, PathRejection>,
    call: Call,
    body: Received,
) -> Response {
    let name = path.map(|Path((name, _id))| name);
    run(api, name, call, body).await
}

async fn run(
    api: Api,
    name: Result<String, PathRejection>,
    call: Call,
    body: Received,
) -> Response {
    let taken = name.map_err(|_| ApiError::TypeNotServed).and_then(|name| {
        let resource_type = ResourceType::parse(&name).ok_or(ApiError::TypeNotServed)?;
        Ok((resource_type, body::resource(&call, body)?))
    });
    let (resource_type, sent) = match taken {
        Ok(taken) => taken,
        Err(error) => return respond::failure(&error, &call.request_id),
    };
    let about = Interaction { action: "validate", resource_type: resource_type.name() };
    answer(api, call, about, move |reader, _call| check(reader, resource_type, sent)).await
}

fn check(
    reader: &mut Reader<'_>,
    resource_type: ResourceType,
    sent: Value,
) -> Result<Answer, ApiError> {
    let mut issues = Vec::new();
    let resource = match type_of(&sent).map(ResourceType::name) {
        Some("Parameters") if resource_type.name() != "Parameters" => {
            let asked = parameters(&sent);
            let named = |wanted: &str| asked.iter().find(|p| p["name"] == wanted);
            if named("profile").is_some() {
                issues
                    .push(note("profile is not supported; the profiles of this gateway are used"));
            }
            let mode = named("mode").and_then(|mode| mode["valueCode"].as_str());
            match (named("resource"), mode) {
                (Some(parameter), _) => parameter["resource"].clone(),
                // Whether it may be deleted: a client may always withdraw its own claim.
                (None, Some("delete")) => return Ok(outcome(&issues)),
                (None, _) => return Err(ApiError::BadBody("the Parameters hold no resource")),
            }
        }
        _ => sent,
    };
    if type_of(&resource) != Some(resource_type) {
        return Err(ApiError::OtherResource);
    }
    let text = resource.to_string();
    let problems = reader.gateway.claims_ingest()?.problems(&text, &resource);
    issues.extend(problems.into_iter().map(issue));
    Ok(outcome(&issues))
}

fn parameters(sent: &Value) -> &[Value] {
    sent["parameter"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn note(text: &str) -> Issue {
    Issue {
        severity: "warning",
        code: "not-supported",
        diagnostics: text.to_owned(),
        expression: Vec::new(),
    }
}

fn outcome(issues: &[Issue]) -> Answer {
    Answer::resource(operation_outcome(issues).to_string())
}
