//! `$validate`: what is wrong with a resource, without keeping it.
//! <https://hl7.org/fhir/R4/resource-operation-validate.html>

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::Value;

use crate::fhir::{Finding, Issue, ResourceType, operation_outcome};

use super::Api;
use super::answer::{Interaction, answer};
use super::body::{self, Received, type_of};
use super::call::Call;
use super::error::ApiError;
use super::params::Params;
use super::reader::Reader;
use super::respond::{self, Answer};

/// What is asked about the resource.
#[derive(Default)]
struct Asked {
    resource: Option<Value>,
    profiles: Vec<String>,
    mode: Option<String>,
}

/// `POST /fhir/{Type}/$validate`: a resource, or Parameters with one.
pub(super) async fn of_type(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    call: Call,
    body: Received,
) -> Response {
    let name = path.map(|Path(name)| (name, None));
    run(api, name, call, body).await
}

/// `POST /fhir/{Type}/{id}/$validate`: the same, as if it were to stand under that id.
pub(super) async fn of_resource(
    State(api): State<Api>,
    path: Result<Path<(String, String)>, PathRejection>,
    call: Call,
    body: Received,
) -> Response {
    let name = path.map(|Path((name, id))| (name, Some(id)));
    run(api, name, call, body).await
}

async fn run(
    api: Api,
    name: Result<(String, Option<String>), PathRejection>,
    mut call: Call,
    body: Received,
) -> Response {
    let taken = name.map_err(|_| ApiError::TypeNotServed).and_then(|(name, id)| {
        let resource_type = ResourceType::parse(&name).ok_or(ApiError::TypeNotServed)?;
        let params = call.params()?;
        let sent = body::resource(&call, body)?;
        Ok((resource_type, id, asked(resource_type, sent, &params)))
    });
    let (resource_type, id, asked) = match taken {
        Ok(taken) => taken,
        Err(error) => return respond::failure(&error, &call.request_id),
    };
    let about = Interaction { action: "validate", resource_type: resource_type.name() };
    answer(api, call, about, move |reader, _call| {
        check(reader, resource_type, id.as_deref(), asked)
    })
    .await
}

/// What the body and the parameters of the URL ask for.
fn asked(resource_type: ResourceType, sent: Value, params: &Params) -> Asked {
    let mut asked = Asked::default();
    for (name, value) in &params.0 {
        match name.as_str() {
            "profile" => asked.profiles.push(value.clone()),
            "mode" => asked.mode = Some(value.clone()),
            _ => {}
        }
    }
    let is_wrapped = type_of(&sent).map(ResourceType::name) == Some("Parameters");
    if !is_wrapped || resource_type.name() == "Parameters" {
        asked.resource = Some(sent);
        return asked;
    }
    for parameter in sent["parameter"].as_array().into_iter().flatten() {
        let text = |kinds: [&str; 3]| {
            let given = kinds.iter().find_map(|kind| parameter[*kind].as_str());
            given.map(str::to_owned)
        };
        match parameter["name"].as_str() {
            Some("resource") => asked.resource = parameter.get("resource").cloned(),
            Some("profile") => {
                asked.profiles.extend(text(["valueCanonical", "valueUri", "valueString"]));
            }
            Some("mode") => asked.mode = text(["valueCode", "valueString", "valueUri"]),
            _ => {}
        }
    }
    asked
}

fn check(
    reader: &mut Reader<'_>,
    resource_type: ResourceType,
    id: Option<&str>,
    asked: Asked,
) -> Result<Answer, ApiError> {
    let Some(resource) = asked.resource else {
        return match asked.mode.as_deref() {
            // Whether it may be deleted: a client may always withdraw its own claim.
            Some("delete") => Ok(outcome(&[])),
            _ => Err(ApiError::BadBody("the Parameters hold no resource")),
        };
    };
    if type_of(&resource) != Some(resource_type) {
        return Err(ApiError::OtherResource);
    }
    let text = resource.to_string();
    let profiles: Vec<&str> = asked.profiles.iter().map(String::as_str).collect();
    let findings = reader.gateway.validator()?.validate(&text, &resource, &profiles);
    let mut issues: Vec<Issue> = findings.iter().map(Finding::issue).collect();
    let own_id = resource["id"].as_str();
    if asked.mode.as_deref() == Some("update") {
        match (id, own_id) {
            (_, None) => issues.push(of_id("an update needs the id of what it changes")),
            (Some(id), Some(own)) if id != own => {
                issues.push(of_id("the id is another than that of the URL"));
            }
            _ => {}
        }
    }
    Ok(outcome(&issues))
}

fn of_id(text: &str) -> Issue {
    Issue {
        severity: "error",
        code: "invalid",
        diagnostics: format!("mode: {text}"),
        expression: vec!["id".to_owned()],
    }
}

fn outcome(issues: &[Issue]) -> Answer {
    Answer::resource(operation_outcome(issues).to_string())
}
