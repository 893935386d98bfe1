//! How a request becomes an answer: read on a blocking thread, audit, disclose.

use axum::http::header;
use axum::response::Response;
use jiff::Timestamp;

use crate::pipeline::GatewayError;
use crate::store::AuditEntry;

use super::Api;
use super::call::Call;
use super::completeness::{self, Completeness};
use super::error::ApiError;
use super::reader::Reader;
use super::respond::{self, Answer};

/// What is asked for, in the words of the audit trail.
#[derive(Clone, Copy)]
pub(super) struct Interaction {
    /// `read`, `search`, `everything`, `source`.
    pub(super) action: &'static str,
    /// The type asked for.
    pub(super) resource_type: &'static str,
}

/// What the blocking part came to.
struct Outcome {
    answer: Result<Answer, ApiError>,
    completeness: Completeness,
}

/// Answers a request. Nothing leaves before its audit entry is durable.
pub(super) async fn answer<F>(api: Api, call: Call, about: Interaction, work: F) -> Response
where
    F: FnOnce(&mut Reader<'_>, &mut Call) -> Result<Answer, ApiError> + Send + 'static,
{
    let request_id = call.request_id.clone();
    match disclose(api, call, about, work).await {
        Ok(response) => response,
        Err(error) => respond::failure(&error, &request_id),
    }
}

async fn disclose<F>(
    api: Api,
    mut call: Call,
    about: Interaction,
    work: F,
) -> Result<Response, ApiError>
where
    F: FnOnce(&mut Reader<'_>, &mut Call) -> Result<Answer, ApiError> + Send + 'static,
{
    let format = call.format()?;
    let pretty = call.is_pretty();
    let request_id = call.request_id.clone();
    let (tell, told) = tokio::sync::oneshot::channel();
    let api_there = api.clone();
    tokio::task::spawn_blocking(move || {
        let access = call.access.clone();
        let mut reader = Reader::new(&api_there.gateway, &api_there.options, &access);
        let answer = work(&mut reader, &mut call);
        let count =
            if answer.is_ok() { u32::try_from(reader.count).unwrap_or(u32::MAX) } else { 0 };
        let entry = AuditEntry {
            at: Timestamp::now(),
            reader: (&*access.reader).into(),
            action: about.action.into(),
            resource_type: about.resource_type.into(),
            owners: reader.disclosed.iter().copied().collect(),
            request_id: (&*call.request_id.0).into(),
            count,
        };
        let outcome = Outcome { answer, completeness: completeness::of(&mut reader) };
        api_there.gateway.audit_then(entry, move |durable| {
            let outcome =
                if durable { Ok(outcome) } else { Err(ApiError::Audit(GatewayError::Audit)) };
            // A client that has gone away needs no answer.
            drop(tell.send(outcome));
        });
    });
    // Nothing is told by work that panicked.
    let outcome = told.await.map_err(|_| ApiError::Panicked)??;
    let answer = match outcome.answer {
        Ok(answer) => answer,
        Err(error) => {
            let mut response = respond::failure_as(&error, &request_id, format);
            outcome.completeness.add_header(&api.last_header, response.headers_mut());
            return Ok(response);
        }
    };
    let mut response = answer.into_response(format, pretty)?;
    outcome.completeness.add_header(&api.last_header, response.headers_mut());
    response
        .headers_mut()
        .entry(header::VARY)
        .or_insert(header::HeaderValue::from_static("accept, prefer"));
    Ok(response)
}
