//! Conditions: what a search names if it fits exactly one resource.
//! <https://hl7.org/fhir/R4/http.html#ccreate>, <https://hl7.org/fhir/R4/http.html#cond-update>

use std::sync::Arc;

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::{HeaderName, StatusCode};
use bytes::Bytes;
use serde_json::Value;

use crate::fhir::ResourceType;

use super::call::Call;
use super::claim::{self, Planned};
use super::error::ApiError;
use super::inner::{Ask, ask};
use super::reader::Reader;
use super::{Api, client, served};

/// What a client wants to write, by a condition in place of an id.
pub(super) struct Target {
    pub(super) resource_type: ResourceType,
    pub(super) client: Arc<str>,
    query: String,
}

/// What the path and query of a URL say is written, and by whom.
///
/// # Errors
/// When there is no such type, no such client, or no condition.
pub(super) fn target(
    api: &Api,
    path: Result<Path<String>, PathRejection>,
    call: &mut Call,
) -> Result<Target, ApiError> {
    let Path(name) = path.map_err(|_| ApiError::TypeNotServed)?;
    let resource_type = served::parse(&name)?;
    let query = of_url(call)?.ok_or(ApiError::BadQuery(
        "it must say which resource is meant: Type/id, or Type?identifier=system|value, say",
    ))?;
    Ok(Target { resource_type, client: client::of(api, call)?, query })
}

/// The condition in a URL: its query but for what tells how to answer.
///
/// # Errors
/// `BadQuery` when it does not decode.
pub(super) fn of_url(call: &mut Call) -> Result<Option<String>, ApiError> {
    let mut params = call.params()?;
    params.0.retain(|(name, _)| !matches!(name.as_str(), "_format" | "_pretty"));
    Ok((!params.0.is_empty()).then(|| params.encoded()))
}

impl Target {
    /// What it fits: one, or none.
    ///
    /// # Errors
    /// `SeveralFit`, and when it cannot be searched so.
    pub(super) async fn find(&self, api: &Api, call: &Call) -> Result<Option<String>, ApiError> {
        one(found(api, call, self.resource_type, &self.query).await?)
    }
}

/// One id, or none.
///
/// # Errors
/// `SeveralFit`.
pub(super) fn one(mut found: Vec<String>) -> Result<Option<String>, ApiError> {
    match found.len() {
        0 | 1 => Ok(found.pop()),
        _ => Err(ApiError::SeveralFit),
    }
}

/// Plans an update of what a condition fits; where it fits nothing, a create.
///
/// # Errors
/// `OtherResource` when the body names another one, `ForeignId` when it names one and none fits.
pub(super) fn update(
    reader: &mut Reader<'_>,
    client: &Arc<str>,
    resource_type: ResourceType,
    found: Option<&str>,
    mut resource: Value,
) -> Result<Planned, ApiError> {
    let stated = resource.get("id").and_then(Value::as_str).map(str::to_owned);
    let Some(found) = found else {
        return match stated {
            None => claim::create(reader, client, resource_type, resource),
            Some(_) => Err(ApiError::ForeignId),
        };
    };
    if let Some(stated) = stated.filter(|stated| stated != found) {
        // An alias names the same.
        let row = reader.referred(&format!("{resource_type}/{stated}"))?;
        if row.is_none_or(|row| row.row().id.to_string() != found) {
            return Err(ApiError::OtherResource);
        }
    }
    resource["id"] = found.into();
    claim::update(reader, client, (resource_type, found), resource)
}

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
