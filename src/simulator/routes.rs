//! The routes of a simulated server.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query as Pairs, Request, State};
use axum::http::header::{CONTENT_TYPE, HOST, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;

use super::holdings::Shelf;
use super::query::Query;
use super::search::{Page, bundle, next_query, page};
use super::{Fault, Simulator, capability};
use crate::fhir::bundle::members;
use crate::fhir::{Issue, ResourceType, operation_outcome};

type Params = Pairs<Vec<(String, String)>>;

const FHIR_JSON: &str = "application/fhir+json; charset=utf-8";

pub(super) fn router(simulator: Simulator) -> Router {
    Router::new()
        .route("/fhir/metadata", get(metadata))
        .route("/fhir/{type}", get(search))
        .route("/fhir/{type}/{id}", get(read))
        .route("/fhir/{type}/{id}/_history/{version}", get(vread))
        .route("/fhir/{type}/{id}/$everything", get(everything))
        .fallback(unknown_path)
        .layer(from_fn_with_state(simulator.clone(), passing_faults))
        .with_state(simulator)
}

/// Faults that befall any request.
async fn passing_faults(
    State(simulator): State<Simulator>,
    request: Request,
    next: Next,
) -> Response {
    simulator.shared.requests.fetch_add(1, Ordering::Relaxed);
    let (delay, unavailable) = {
        let mut faults = simulator.shared.faults.lock().unwrap_or_else(PoisonError::into_inner);
        (faults.delay(), faults.unavailable())
    };
    if let Some(delay) = delay {
        tokio::time::sleep(delay).await;
    }
    if unavailable {
        let answer = failure(StatusCode::SERVICE_UNAVAILABLE, "transient", "try again later");
        return ([(RETRY_AFTER, "0")], answer).into_response();
    }
    let response = next.run(request).await;
    if simulator.faulty(&Fault::Truncated) { truncated(response).await } else { response }
}

async fn metadata(State(simulator): State<Simulator>, headers: HeaderMap) -> Response {
    let base = simulator.base(&headers);
    let version = if simulator.faulty(&Fault::WrongVersion) { "3.0.2" } else { "4.0.1" };
    let options = &simulator.shared.options;
    let statement = capability::statement(options, &simulator.read(), &base, version);
    resource(statement.to_string().into())
}

async fn read(
    State(simulator): State<Simulator>,
    Path((name, id)): Path<(String, String)>,
) -> Response {
    let Some(resource_type) = ResourceType::parse(&name) else { return unknown_type() };
    let holdings = simulator.read();
    match holdings.get(resource_type, &id).map(|held| &held.body) {
        Some(Some(body)) => resource(body.clone()),
        Some(None) => failure(StatusCode::GONE, "deleted", "this resource was deleted"),
        None => failure(StatusCode::NOT_FOUND, "not-found", "no such resource"),
    }
}

/// Only the present version is known.
async fn vread(
    State(simulator): State<Simulator>,
    Path((name, id, version)): Path<(String, String, String)>,
) -> Response {
    let Some(resource_type) = ResourceType::parse(&name) else { return unknown_type() };
    let holdings = simulator.read();
    let body = holdings.get(resource_type, &id).and_then(|held| held.body.as_ref());
    match body.filter(|body| version_of(body).is_some_and(|held| held == version)) {
        Some(body) => resource(body.clone()),
        None => failure(StatusCode::NOT_FOUND, "not-found", "no such version is held"),
    }
}

fn version_of(body: &[u8]) -> Option<String> {
    let [meta] = members(body, ["meta"])?;
    let [version] = members(meta?.get().as_bytes(), ["versionId"])?;
    serde_json::from_str(version?.get()).ok()
}

async fn search(
    State(simulator): State<Simulator>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Pairs(pairs): Params,
) -> Response {
    let Some(resource_type) = ResourceType::parse(&name) else { return unknown_type() };
    if let Some(answer) = simulator.search_fault(resource_type) {
        return answer;
    }
    let query = match Query::parse(pairs) {
        Ok(query) => query,
        Err(text) => return failure(StatusCode::BAD_REQUEST, "not-supported", &text),
    };
    let holdings = simulator.read();
    let shelf = holdings.shelf(resource_type);
    let of_patients = name == "Patient" || shelf.is_some_and(Shelf::of_patients);
    let must_name = simulator.shared.options.require_patient && name != "Patient" && of_patients;
    if must_name && !query.names_patient() {
        let text = "a search of this type must name a patient; add patient=";
        return failure(StatusCode::BAD_REQUEST, "required", text);
    }
    if shelf.is_some() && !of_patients && !query.patients.is_empty() {
        let text = "resources of this type belong to no patient; leave the parameter out";
        return failure(StatusCode::BAD_REQUEST, "not-supported", text);
    }
    let shelves: Vec<_> = shelf.into_iter().map(|shelf| (resource_type, shelf)).collect();
    let found = page(&shelves, &query, simulator.shared.options.page_size);
    simulator.answer(&headers, &name, &query, &found)
}

async fn everything(
    State(simulator): State<Simulator>,
    Path((name, id)): Path<(String, String)>,
    headers: HeaderMap,
    Pairs(mut pairs): Params,
) -> Response {
    if name != "Patient" || !simulator.shared.options.everything {
        return failure(StatusCode::NOT_FOUND, "not-supported", "$everything is not offered here");
    }
    let path = format!("Patient/{id}/$everything");
    pairs.retain(|(name, _)| !matches!(name.as_str(), "patient" | "subject"));
    let mut query = match Query::parse(pairs) {
        Ok(query) => query,
        Err(text) => return failure(StatusCode::BAD_REQUEST, "not-supported", &text),
    };
    let holdings = simulator.read();
    let patient = ResourceType::of("Patient");
    match holdings.get(patient, &id).map(|held| held.body.is_some()) {
        Some(true) => {}
        Some(false) => return failure(StatusCode::GONE, "deleted", "this patient was deleted"),
        None => return failure(StatusCode::NOT_FOUND, "not-found", "no such patient"),
    }
    query.about(&id);
    // Types come by name, as their places do.
    let shelves: Vec<_> = holdings.shelves().collect();
    let found = page(&shelves, &query, simulator.shared.options.page_size);
    simulator.answer(&headers, &path, &query, &found)
}

async fn unknown_path() -> Response {
    failure(StatusCode::NOT_FOUND, "not-found", "no such path; the base is /fhir")
}

impl Simulator {
    fn faulty(&self, fault: &Fault) -> bool {
        self.shared.faults.lock().unwrap_or_else(PoisonError::into_inner).has(fault)
    }

    fn base(&self, headers: &HeaderMap) -> String {
        let host = headers.get(HOST).and_then(|h| h.to_str().ok()).unwrap_or("localhost");
        let own = || format!("http://{host}/fhir");
        self.shared.options.base_url.clone().unwrap_or_else(own)
    }

    /// A fault in place of a search's answer.
    fn search_fault(&self, resource_type: ResourceType) -> Option<Response> {
        let faults = self.shared.faults.lock().unwrap_or_else(PoisonError::into_inner);
        if faults.has(&Fault::Broken(resource_type)) {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            return Some(failure(status, "exception", "this type is broken"));
        }
        if faults.has(&Fault::Forbidden(resource_type)) {
            return Some(failure(StatusCode::FORBIDDEN, "forbidden", "this search is not allowed"));
        }
        if faults.has(&Fault::WrongContent) {
            let page = "<html><body>Please sign in</body></html>";
            return Some(([(CONTENT_TYPE, "text/html")], page).into_response());
        }
        let bytes = faults.huge()?;
        Some(resource(vec![b' '; bytes].into()))
    }

    /// The searchset answer, with the links that faults ask for.
    fn answer(&self, headers: &HeaderMap, path: &str, query: &Query, page: &Page<'_>) -> Response {
        let base = self.base(headers);
        let link = |place: &str| format!("{base}/{path}?{}", next_query(query, place, page.total));
        let next = if self.faulty(&Fault::EndlessPaging) {
            // Places before every real one, each of them new.
            let number = self.requests();
            Some(link(&format!("!{number}")))
        } else if self.faulty(&Fault::PagingLoop) {
            Some(link(page.next.as_deref().unwrap_or("!")))
        } else if self.faulty(&Fault::ForeignLinks) {
            page.next.as_ref().map(|_| format!("http://elsewhere.example/fhir/{path}"))
        } else {
            page.next.as_deref().map(link)
        };
        let own = query.after.as_deref().map_or(format!("{base}/{path}"), link);
        resource(bundle(&base, own, next, page).into())
    }
}

fn resource(body: Bytes) -> Response {
    ([(CONTENT_TYPE, FHIR_JSON)], body).into_response()
}

fn unknown_type() -> Response {
    failure(StatusCode::NOT_FOUND, "not-supported", "no such resource type in R4")
}

/// An OperationOutcome.
fn failure(status: StatusCode, code: &'static str, text: &str) -> Response {
    let issue =
        Issue { severity: "error", code, diagnostics: text.to_owned(), expression: Vec::new() };
    let outcome = operation_outcome(&[issue]).to_string();
    (status, [(CONTENT_TYPE, FHIR_JSON)], outcome).into_response()
}

/// The first half of an answer under a `Content-Length` of the whole, then the connection ends.
async fn truncated(response: Response) -> Response {
    let (parts, body) = response.into_parts();
    let whole = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let half = whole.slice(..whole.len() / 2);
    let broken = std::io::Error::other("broken off by a fault");
    let chunks = futures_util::stream::iter([Ok(half), Err(broken)]);
    Response::from_parts(parts, Body::from_stream(chunks))
}
