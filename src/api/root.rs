//! The root page and the health routes.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::Api;
use crate::pipeline::Unready;

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
        "care_concepts": format!("{base}/care/concepts"),
        "source_record": format!("{base}/sources/ENDPOINT/fhir/TYPE/ID"),
    });
    json_response(StatusCode::OK, &links)
}

/// `GET /livez`: the process answers.
pub(super) async fn livez() -> Response {
    json_response(StatusCode::OK, &json!({ "status": "live" }))
}

/// `GET /readyz`: whether requests are welcome; if not, which checks failed.
pub(super) async fn readyz(State(api): State<Api>) -> Response {
    let unready = tokio::task::spawn_blocking(move || api.gateway.unready()).await;
    let failed: Vec<&str> = match unready {
        Ok(unready) if unready.is_empty() => {
            return json_response(StatusCode::OK, &json!({ "status": "ready" }));
        }
        Ok(unready) => unready.into_iter().map(Unready::word).collect(),
        Err(_panic) => vec![Unready::StoreUnreadable.word()],
    };
    let told = json!({ "status": "unready", "failed": failed });
    json_response(StatusCode::SERVICE_UNAVAILABLE, &told)
}

fn json_response(status: StatusCode, body: &serde_json::Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
