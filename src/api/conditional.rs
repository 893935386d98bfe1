//! Conditions: what a search names if it fits exactly one resource.
//! <https://hl7.org/fhir/R4/http.html#ccreate>

use axum::http::{HeaderName, StatusCode};
use bytes::Bytes;
use serde_json::Value;

use crate::fhir::ResourceType;

use super::Api;
use super::call::Call;
use super::error::ApiError;
use super::inner::{Ask, ask};

/// The ids that a search of a type finds: two at most, which is one too many.
///
/// # Errors
/// `BadValue` when it cannot be searched so.
pub(super) async fn found(
    api: &Api,
    call: &Call,
    resource_type: ResourceType,
    query: &str,
) -> Result<Vec<String>, ApiError> {
    let query = query.trim().trim_start_matches('?');
    let expected = "a search of the type that needs no scan: identifier=system|value, say";
    let bad = || ApiError::BadValue { name: "condition".to_owned(), expected };
    if query.is_empty() || query.contains('#') {
        return Err(bad());
    }
    let prefer = HeaderName::from_static("prefer");
    let request = Ask {
        method: "GET",
        target: &format!("{resource_type}?{query}&_count=2"),
        headers: vec![(prefer, "handling=strict".to_owned())],
        body: Bytes::new(),
    };
    let answered = ask(api, call, request).await?;
    if answered.status != StatusCode::OK {
        return Err(bad());
    }
    let bundle: Value = serde_json::from_slice(&answered.body).unwrap_or_default();
    let entries = bundle["entry"].as_array().into_iter().flatten();
    let matches = entries.filter(|entry| entry["search"]["mode"] == "match");
    let ids = matches.filter_map(|entry| entry["resource"]["id"].as_str());
    Ok(ids.map(str::to_owned).collect())
}
