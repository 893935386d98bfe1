//! FHIR batch and transaction.
//! <https://hl7.org/fhir/R4/http.html#transaction>

use axum::extract::State;
use axum::response::Response;
use serde_json::Value;

use crate::fhir::bundle::AnsweredEntry;

use super::body::{self, Received};
use super::call::Call;
use super::entries::{self, Entry, answered_entry, entries, failed_entry};
use super::error::ApiError;
use super::inner::ask;
use super::respond::{self, Answer};
use super::{Api, transaction};

/// Bytes of all answers together, beyond which further entries are not asked: what a page of a
/// few hundred large searches comes to.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// `POST /fhir`.
pub(super) async fn post(State(api): State<Api>, call: Call, body: Received) -> Response {
    let base = api.gateway.public_base_url();
    let max = api.options.bundle_entries_max;
    let taken = body::resource(&call, body).and_then(|bundle| {
        let kind = bundle["type"].as_str().filter(|_| bundle["resourceType"] == "Bundle");
        let is_transaction = match kind {
            Some("transaction") => true,
            Some("batch") => false,
            _ => return Err(ApiError::BadBody("post a Bundle of type batch or transaction")),
        };
        Ok((is_transaction, entries(&bundle, base, max)?))
    });
    match taken {
        Ok((true, entries)) => transaction::run(api, call, entries).await,
        Ok((false, entries)) => batch(api, call, entries).await,
        Err(error) => respond::failure(&error, &call.request_id),
    }
}

/// Each entry is a request of its own, as if it had come by itself.
async fn batch(api: Api, call: Call, mut entries: Vec<Entry>) -> Response {
    entries.sort_by_key(|entry| entry.method);
    let prefer = preference(&call);
    let mut bytes = 0;
    let mut answers = Vec::new();
    for entry in &entries {
        let answer = one(&api, &call, entry, &prefer, bytes).await;
        bytes += answer.body.as_ref().map_or(0, bytes::Bytes::len);
        answers.push((entry.index, answer));
    }
    let answer = Answer::resource(entries::response("batch-response", answers));
    let response = call.format().and_then(|format| answer.into_response(format, call.is_pretty()));
    response.unwrap_or_else(|error| respond::failure(&error, &call.request_id))
}

async fn one(api: &Api, call: &Call, entry: &Entry, prefer: &str, bytes: usize) -> AnsweredEntry {
    if bytes > ANSWER_BYTES_MAX {
        let error = ApiError::TooCostly { add: "it to another batch: this one is full".to_owned() };
        return failed_entry(&error, &call.request_id);
    }
    match ask(api, call, entry.ask(prefer)).await {
        Ok(answered) => answered_entry(&answered),
        Err(error) => failed_entry(&error, &call.request_id),
    }
}

/// What entries that write answer with; by themselves they are brief.
pub(super) fn preference(call: &Call) -> String {
    format!("return={}", call.prefers("return").unwrap_or_else(|| "minimal".to_owned()))
}

/// The literal conditional references of resources: `Patient?identifier=…`.
pub(super) fn conditional_references(resource: &Value, found: &mut Vec<String>) {
    match resource {
        Value::Object(members) => {
            if let Some(Value::String(literal)) = members.get("reference")
                && literal.contains('?')
                && !found.contains(literal)
            {
                found.push(literal.clone());
            }
            members.values().for_each(|inner| conditional_references(inner, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| conditional_references(inner, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
