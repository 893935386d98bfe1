//! A source record exactly as its endpoint stated it.
//! <https://hl7.org/fhir/R4/http.html#read>

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderName, header};
use axum::response::Response;

use crate::fhir::ResourceType;
use crate::flow::{RecordKey, State as RecordState};

use super::Api;
use super::answer::{Interaction, answer};
use super::call::Call;
use super::error::ApiError;
use super::reader::Reader;
use super::respond::{self, Answer, http_date};

const OBSERVED: HeaderName = HeaderName::from_static("x-careweave-observed");

/// `GET /sources/{endpoint}/fhir/{Type}/{id}`.
pub(super) async fn source(
    State(api): State<Api>,
    path: Result<Path<(String, String, String)>, PathRejection>,
    call: Call,
) -> Response {
    let key = path.map_err(|_| ApiError::NoSuchRecord).and_then(|Path((endpoint, name, id))| {
        let resource_type = ResourceType::parse(&name).ok_or(ApiError::NoSuchRecord)?;
        Ok(RecordKey::new(&endpoint, resource_type, &id))
    });
    let key = match key {
        Ok(key) => key,
        Err(error) => return respond::failure(&error, &call.request_id),
    };
    let about = Interaction { action: "source", resource_type: key.resource_type.name() };
    answer(api, call, about, move |reader, _call| stated(reader, &key)).await
}

fn stated(reader: &mut Reader<'_>, key: &RecordKey) -> Result<Answer, ApiError> {
    if !reader.access.sees(&key.endpoint) {
        return Err(ApiError::NoSuchRecord);
    }
    let id = reader.store().id_key().record(key);
    let header = reader.store().headers(reader.access, &[id])?.into_iter().next().flatten();
    let header = header.ok_or(ApiError::NoSuchRecord)?;
    let current = header.current();
    if current.state != RecordState::Live {
        return Err(ApiError::RecordGone);
    }
    let record = reader.store().record(reader.access, &current.home, id)?;
    let content = record.and_then(|mut record| record.contents.remove(&current.hash));
    let content = content.ok_or(ApiError::NoSuchRecord)?;
    let owner = reader.store().owner(reader.access, &current.home)?;
    reader.disclosed.insert(owner.map_or(id, |owner| owner.id()));
    reader.count = 1;
    let mut answer = Answer::resource(content.body);
    answer.verbatim = true;
    if let Some(version) = &current.stamp.version_id {
        answer = answer.header(header::ETAG, &format!("W/\"{version}\""));
    }
    if let Some(updated) = current.stamp.last_updated {
        answer = answer.header(header::LAST_MODIFIED, &http_date(updated));
    }
    Ok(answer.header(OBSERVED, &current.stamp.observed_at.to_string()))
}
