//! The root page and the two health routes.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::Api;

/// `GET /`: where to look.
pub(super) async fn root(State(api): State<Api>) -> Response {
    let base = api.gateway.public_base_url();
    let links = json!({
        "name": "careweave",
        "version": env!("CARGO_PKG_VERSION"),
        "fhir": format!("{base}/fhir"),
        "metadata": format!("{base}/fhir/metadata"),
        "find_a_patient": format!("{base}/fhir/Patient?family=FAMILY&birthdate=YYYY-MM-DD"),
        "care_plan": format!("{base}/fhir/CarePlan?patient=ID&category=assess-plan"),
        "everything": format!("{base}/fhir/Patient/ID/$everything"),
        "source_record": format!("{base}/sources/ENDPOINT/fhir/TYPE/ID"),
    });
    json_response(StatusCode::OK, &links)
}

/// `GET /livez`: the process answers.
pub(super) async fn livez() -> Response {
    json_response(StatusCode::OK, &json!({ "status": "live" }))
}

/// `GET /readyz`: the store answers.
pub(super) async fn readyz(State(api): State<Api>) -> Response {
    let seq = tokio::task::spawn_blocking(move || api.gateway.store().last_seq()).await;
    match seq {
        Ok(Ok(_)) => json_response(StatusCode::OK, &json!({ "status": "ready" })),
        Ok(Err(_)) | Err(_) => {
            json_response(StatusCode::SERVICE_UNAVAILABLE, &json!({ "status": "store failed" }))
        }
    }
}

fn json_response(status: StatusCode, body: &serde_json::Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
