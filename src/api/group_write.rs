//! Create, update and delete of Groups: a client states its own panels. Nothing of the view
//! changes by them. <https://hl7.org/fhir/R4/http.html#create>

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};

use crate::fhir::{Issue, ResourceType};
use crate::flow::{DerivedId, Ingested, RecordKey};
use crate::ingest::Claim;

use super::answer::{Interaction, answer};
use super::body::{self, Received, type_of};
use super::call::Call;
use super::create::IF_NONE_EXIST;
use super::error::ApiError;
use super::group::{etag, live, parsed, shown};
use super::reader::Reader;
use super::respond::{self, Answer};
use super::{Api, claim, client, read, write};

/// `POST /fhir/Group`.
pub(super) async fn create(State(api): State<Api>, mut call: Call, body: Received) -> Response {
    let taken = client::of(&api, &mut call).and_then(|client| {
        if call.header(IF_NONE_EXIST).is_some() {
            return Err(ApiError::NotSupported { names: "If-None-Exist".to_owned() });
        }
        Ok((client, body::resource(&call, body)?))
    });
    let (client, resource) = match taken {
        Ok(taken) => taken,
        Err(error) => return respond::failure(&error, &call.request_id),
    };
    let about = Interaction { action: "create", resource_type: "Group" };
    let writing = api.writes.clone().lock_owned().await;
    answer(api, call, about, move |reader, _| {
        let _writing = writing;
        let plan = claim::create(reader, &client, ResourceType::of("Group"), resource)?;
        let resource = plan.resource.unwrap_or_default();
        state(reader, &client, plan.keys, Some(resource))?;
        told(reader, plan.target, plan.is_new)
    })
    .await
}

/// `PUT /fhir/Group/{id}`.
pub(super) async fn update(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    mut call: Call,
    body: Received,
) -> Response {
    let taken = parsed(path).and_then(|id| {
        let client = client::of(&api, &mut call)?;
        Ok((id, client, body::resource(&call, body)?))
    });
    let (id, client, mut resource) = match taken {
        Ok(taken) => taken,
        Err(error) => return respond::failure(&error, &call.request_id),
    };
    let about = Interaction { action: "update", resource_type: "Group" };
    let writing = api.writes.clone().lock_owned().await;
    answer(api, call, about, move |reader, call| {
        let _writing = writing;
        let key = own_key(reader, call, &client, id)?;
        let is_group = type_of(&resource) == Some(ResourceType::of("Group"));
        if !is_group || resource["id"].as_str() != Some(&id.to_string()) {
            return Err(ApiError::OtherResource);
        }
        resource["id"] = json!(&*key.id);
        // What is put in when a panel is shown is no word of the client's.
        if let Some(meta) = resource.get_mut("meta").and_then(Value::as_object_mut) {
            for name in ["versionId", "lastUpdated", "source"] {
                meta.shift_remove(name);
            }
        }
        state(reader, &client, vec![key], Some(resource))?;
        told(reader, id, false)
    })
    .await
}

/// `DELETE /fhir/Group/{id}`.
pub(super) async fn delete(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    mut call: Call,
) -> Response {
    let taken = parsed(path).and_then(|id| Ok((id, client::of(&api, &mut call)?)));
    let (id, client) = match taken {
        Ok(taken) => taken,
        Err(error) => return respond::failure(&error, &call.request_id),
    };
    let about = Interaction { action: "delete", resource_type: "Group" };
    let writing = api.writes.clone().lock_owned().await;
    answer(api, call, about, move |reader, call| {
        let _writing = writing;
        match own_key(reader, call, &client, id) {
            Ok(key) => state(reader, &client, vec![key], None)?,
            // It is gone already.
            Err(ApiError::Gone) => {}
            Err(other) => return Err(other),
        }
        let mut gone = Answer::resource(Vec::new());
        gone.status = StatusCode::NO_CONTENT;
        Ok(gone)
    })
    .await
}

/// The client's own record under an id, in the version that it knows.
fn own_key(
    reader: &Reader<'_>,
    call: &Call,
    client: &Arc<str>,
    id: DerivedId,
) -> Result<RecordKey, ApiError> {
    let panel = live(reader, id)?;
    if panel.key.endpoint != *client {
        return Err(ApiError::ForeignGroup);
    }
    match call.header(header::IF_MATCH) {
        Some(tags) if !read::names(tags, &etag(&panel)) => {
            let version = u32::try_from(panel.version).unwrap_or(u32::MAX);
            Err(ApiError::VersionConflict { version })
        }
        _ => Ok(panel.key),
    }
}

/// Accepts what the client states of its Group, or that it is no more: durable when this returns.
fn state(
    reader: &mut Reader<'_>,
    client: &Arc<str>,
    keys: Vec<RecordKey>,
    resource: Option<Value>,
) -> Result<(), ApiError> {
    let gateway = reader.gateway;
    let at = gateway.claimed_at(&keys)?;
    let ingest = gateway.claims_ingest()?;
    let ingested = match resource {
        None => {
            let gone = keys.into_iter().map(|key| ingest.deleted(key, at));
            Ingested { records: gone.collect(), ..Ingested::default() }
        }
        Some(resource) => {
            let text = resource.to_string();
            let mut issues: Vec<Issue> =
                ingest.problems(&text, &resource).into_iter().map(write::issue).collect();
            issues.extend(faults(&resource, gateway.panel_members_max()));
            if issues.iter().any(|issue| issue.severity == "error") {
                return Err(ApiError::Unprocessable(issues));
            }
            let claim = Claim { body: text.into(), named: write::Targets::new(), home: None };
            ingest.claims(client, at, vec![claim])
        }
    };
    let homes = gateway.accept_claims(client, &ingested)?;
    gateway.settle_claims(&homes)?;
    reader.forget();
    Ok(())
}

/// What keeps a Group from being a panel.
fn faults(resource: &Value, members_max: usize) -> Vec<Issue> {
    let error = |code: &'static str, expression: String, text: &str| Issue {
        severity: "error",
        code,
        diagnostics: text.to_owned(),
        expression: vec![expression],
    };
    let mut faults = Vec::new();
    if resource["type"] != "person" {
        let text = "a panel is of persons; write person";
        faults.push(error("value", "Group.type".to_owned(), text));
    }
    let members = resource["member"].as_array().map_or(&[][..], Vec::as_slice);
    if members.len() > members_max {
        let text = format!("more than {members_max} members; make several panels of it");
        faults.push(error("too-long", "Group.member".to_owned(), &text));
        return faults;
    }
    for (place, member) in members.iter().enumerate() {
        let entity = &member["entity"];
        let names = entity["reference"].is_string()
            || (entity["identifier"]["system"].is_string()
                && entity["identifier"]["value"].is_string());
        if !names {
            let text = "name the member by reference, or by an identifier with its system";
            faults.push(error("required", format!("Group.member[{place}].entity"), text));
        }
    }
    faults
}

fn told(reader: &mut Reader<'_>, id: DerivedId, is_new: bool) -> Result<Answer, ApiError> {
    let panel = live(reader, id)?;
    let mut answer = shown(reader, &panel)?;
    answer.status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    let base = reader.gateway.public_base_url();
    Ok(answer.header(header::LOCATION, &format!("{base}/fhir/Group/{id}")))
}
