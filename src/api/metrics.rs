//! `GET /metrics`: figures for operators.
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Api;
use crate::telemetry::Exposition;

/// Every figure, without patient data.
pub(super) async fn metrics(State(api): State<Api>) -> Response {
    let written = tokio::task::spawn_blocking(move || {
        let mut page = Exposition::default();
        api.metrics.write(&mut page);
        api.gateway.write_metrics(&mut page).map(|()| page)
    });
    match written.await {
        Ok(Ok(page)) => {
            ([(header::CONTENT_TYPE, Exposition::CONTENT_TYPE)], page.into_text()).into_response()
        }
        Ok(Err(_)) | Err(_) => {
            (StatusCode::SERVICE_UNAVAILABLE, "the store failed; see the log\n").into_response()
        }
    }
}
