//! `Patient/$ihe-pix` (PIXm, ITI-83): the identifiers of a person in other domains.
//! <https://profiles.ihe.net/ITI/PIXm/ITI-83.html>

use std::collections::BTreeSet;

use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::Response;
use bytes::Bytes;
use serde_json::{Value, json};

use crate::compare::normalise_system;
use crate::fhir::ResourceType;
use crate::flow::Owner;

use super::Api;
use super::answer::{Interaction, answer};
use super::call::Call;
use super::error::ApiError;
use super::parameters::{Given, parameters};
use super::patient_ref;
use super::reader::Reader;
use super::respond::{self, Answer};

const ABOUT: Interaction = Interaction { action: "ihe-pix", resource_type: "Patient" };

/// `GET /fhir/Patient/$ihe-pix?sourceIdentifier=system|value&targetSystem=…`.
pub(super) async fn by_get(State(api): State<Api>, mut call: Call) -> Response {
    match Given::of_query(&mut call) {
        Ok(given) => answer(api, call, ABOUT, move |reader, _| run(reader, &given)).await,
        Err(error) => respond::failure(&error, &call.request_id),
    }
}

/// The same with a Parameters resource, which keeps identifiers out of URLs.
pub(super) async fn by_post(
    State(api): State<Api>,
    mut call: Call,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    match Given::of_body(&mut call, body) {
        Ok(given) => answer(api, call, ABOUT, move |reader, _| run(reader, &given)).await,
        Err(error) => respond::failure(&error, &call.request_id),
    }
}

fn run(reader: &mut Reader<'_>, given: &Given) -> Result<Answer, ApiError> {
    let source = given.required("sourceIdentifier")?;
    let expected = "system|value";
    let bad = || ApiError::BadValue { name: "sourceIdentifier".to_owned(), expected };
    let (system, value) = source.split_once('|').ok_or_else(bad)?;
    if system.is_empty() || value.is_empty() {
        return Err(bad());
    }
    let targets: BTreeSet<Box<str>> = given
        .text("targetSystem")?
        .iter()
        .flat_map(|t| t.split(','))
        .map(normalise_system)
        .collect();
    let domains = reader.gateway.domains();
    let unknown =
        |system: &str| !domains.is_empty() && !domains.contains(&normalise_system(system));
    if unknown(system) {
        return Err(ApiError::UnknownSource);
    }
    if targets.iter().any(|target| unknown(target)) {
        return Err(ApiError::UnknownTarget);
    }
    let owner = patient_ref::one_identified(reader, source)?.ok_or(ApiError::NotFound)?;
    found(reader, owner, (system, value), &targets)
}

/// The identifiers of a person but for the one asked by, and the person.
fn found(
    reader: &mut Reader<'_>,
    owner: Owner,
    (system, value): (&str, &str),
    targets: &BTreeSet<Box<str>>,
) -> Result<Answer, ApiError> {
    let kind = ResourceType::of("Patient");
    let row = reader.row(owner, kind, owner.id())?.ok_or(ApiError::NotFound)?;
    let body = reader.bodies(std::slice::from_ref(&row))?.remove(0).ok_or(ApiError::NotFound)?;
    reader.note_disclosed(std::slice::from_ref(&row));
    let patient: Value =
        serde_json::from_slice(&body).map_err(|_| ApiError::NotRendered("JSON"))?;
    let wanted = |identifier: &&Value| {
        let stated = identifier["system"].as_str().unwrap_or_default();
        let itself = stated == system && identifier["value"] == value;
        let within = targets.is_empty() || targets.contains(&normalise_system(stated));
        !stated.is_empty() && !itself && within
    };
    let identifiers = patient["identifier"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut told: Vec<Value> = identifiers
        .iter()
        .filter(wanted)
        .map(|identifier| json!({"name": "targetIdentifier", "valueIdentifier": identifier}))
        .collect();
    let reference = format!("{}/fhir/{}", reader.gateway.public_base_url(), row.reference());
    let own = format!("{}/fhir/Patient", reader.gateway.public_base_url());
    if targets.is_empty() || targets.contains(&normalise_system(&own)) {
        told.push(json!({"name": "targetId", "valueReference": {"reference": reference}}));
    }
    Ok(parameters(told))
}
