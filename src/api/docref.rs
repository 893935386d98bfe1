//! `DocumentReference/$docref`: the documents of a patient that are held.
//! <http://hl7.org/fhir/us/core/STU6.1/OperationDefinition-docref.html>

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use serde_json::Value;

use super::Api;
use super::body::{self, Received};
use super::call::Call;
use super::error::{ApiError, shown_name};
use super::inner::{Ask, ask};
use super::params::Params;
use super::respond::{self, Answer};

/// `GET /fhir/DocumentReference/$docref`.
pub(super) async fn by_get(State(api): State<Api>, mut call: Call) -> Response {
    let asked = call.params();
    answer(api, call, asked).await
}

/// `POST /fhir/DocumentReference/$docref`, with Parameters.
pub(super) async fn by_post(State(api): State<Api>, call: Call, body: Received) -> Response {
    let asked = body::resource(&call, body).and_then(|sent| of_parameters(&sent));
    answer(api, call, asked).await
}

async fn answer(api: Api, call: Call, asked: Result<Params, ApiError>) -> Response {
    let response = match asked.and_then(search) {
        Ok(search) => found(&api, &call, &search).await,
        Err(error) => Err(error),
    };
    response.unwrap_or_else(|error| respond::failure(&error, &call.request_id))
}

/// It is the search of the same documents, which is audited as one.
async fn found(api: &Api, call: &Call, search: &Params) -> Result<Response, ApiError> {
    let format = call.format()?;
    let target = format!("DocumentReference?{}", search.encoded());
    let request = Ask { method: "GET", target: &target, headers: Vec::new(), body: Bytes::new() };
    let told = ask(api, call, request).await?;
    let mut answer = Answer::resource(told.body);
    answer.status = told.status;
    answer.into_response(format, call.is_pretty())
}

/// The search that an operation's parameters ask for.
fn search(asked: Params) -> Result<Params, ApiError> {
    let mut search = Params::default();
    for (name, value) in asked.0 {
        let (name, value) = match name.as_str() {
            "patient" | "type" | "_count" | "_cursor" => (name, value),
            "start" => ("period".to_owned(), format!("ge{value}")),
            "end" => ("period".to_owned(), format!("le{value}")),
            // Nothing is made on demand: what is held is all there is to give.
            "on-demand" | "_format" | "_pretty" => continue,
            other => return Err(ApiError::NotSupported { names: shown_name(other) }),
        };
        search.0.push((name, value));
    }
    match search.last("patient") {
        Some(_) => Ok(search),
        None => Err(ApiError::BadValue {
            name: "patient".to_owned(),
            expected: "the id of a patient; it must be given",
        }),
    }
}

fn of_parameters(sent: &Value) -> Result<Params, ApiError> {
    if sent["resourceType"] != "Parameters" {
        return Err(ApiError::BadBody("post Parameters"));
    }
    let mut params = Params::default();
    for parameter in sent["parameter"].as_array().into_iter().flatten() {
        let members = parameter.as_object().into_iter().flatten();
        let mut values = members.filter(|(name, _)| name.starts_with("value"));
        let value = values.next().map(|(_, value)| value);
        let (Some(name), Some(value)) = (parameter["name"].as_str(), value) else {
            return Err(ApiError::BadBody("each parameter needs a name and a value"));
        };
        params.0.push((name.to_owned(), text(value)));
    }
    Ok(params)
}

/// A value as a search says it: a code of a CodeableConcept as `system|code`.
fn text(value: &Value) -> String {
    let coding = value.pointer("/coding/0").unwrap_or(value);
    match (value, coding["code"].as_str()) {
        (Value::String(text), _) => text.clone(),
        (_, Some(code)) => match coding["system"].as_str() {
            Some(system) => format!("{system}|{code}"),
            None => code.to_owned(),
        },
        (other, None) => other.to_string(),
    }
}
