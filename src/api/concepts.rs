//! The concept map of care management: `GET /care/concepts` as JSON and CSV, and as a FHIR
//! ConceptMap. It tells of no person, so it has no audit entry.
//! <https://hl7.org/fhir/R4/conceptmap.html>

use axum::extract::State;
use axum::http::header;
use axum::response::Response;
use serde_json::json;

use crate::care::{Concept, Concepts};

use super::Api;
use super::call::{Call, Format};
use super::error::ApiError;
use super::respond::{self, Answer};

/// `GET /care/concepts[?resource=Goal][&concept=NAME]`.
pub(super) async fn concepts(State(api): State<Api>, mut call: Call) -> Response {
    let request_id = call.request_id.clone();
    let answered = listed(&api, &mut call);
    let response = answered.and_then(|answer| answer.into_response(Format::Json, call.is_pretty()));
    response.unwrap_or_else(|error| respond::failure(&error, &request_id))
}

fn listed(api: &Api, call: &mut Call) -> Result<Answer, ApiError> {
    let as_csv = call.take_csv();
    let params = call.params()?;
    let known = ["resource", "concept", "_format", "_pretty"];
    if let Some((name, _)) = params.0.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        return Err(ApiError::NotSupported { names: super::error::shown_name(name) });
    }
    let concepts = &api.gateway.care().concepts;
    let one = params.last("concept").map(|name| concepts.find(name).map(|c| c.id.as_str()));
    let resource = params.last("resource");
    let fits = |concept: &&Concept| {
        one.is_none_or(|id| id == Some(&concept.id))
            && resource.is_none_or(|name| concept.targets.iter().any(|t| t.resource() == name))
    };
    let wanted = concepts.all().iter().filter(fits);
    if as_csv {
        return Ok(Answer::csv(Concepts::csv(wanted)));
    }
    let wanted: Vec<&Concept> = wanted.collect();
    Ok(Answer::json(json!({"total": wanted.len(), "concepts": wanted}).to_string()))
}

/// `GET /fhir/ConceptMap/care-concepts`.
pub(super) async fn concept_map(State(api): State<Api>, call: Call) -> Response {
    let map = api.gateway.care().concepts.concept_map().to_string();
    let answer = Answer::resource(map).header(header::CACHE_CONTROL, "no-cache");
    let response = call.format().and_then(|format| answer.into_response(format, call.is_pretty()));
    response.unwrap_or_else(|error| respond::failure(&error, &call.request_id))
}
