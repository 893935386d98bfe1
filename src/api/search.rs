//! FHIR search over the view, by GET and by POST.
//! <https://hl7.org/fhir/R4/http.html#search>

use std::sync::Arc;

use axum::extract::rejection::{BytesRejection, FailedToBufferBody, PathRejection};
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::Response;
use bytes::Bytes;

use crate::fhir::ResourceType;
use crate::flow::DerivedId;

use super::answer::{Interaction, answer};
use super::call::Call;
use super::error::ApiError;
use super::order::Order;
use super::paging::{CursorSeal, page};
use super::posted::{Asked, PostedSearches, SEARCH_ID};
use super::query::{PatientName, Query};
use super::reader::Reader;
use super::respond::{self, Answer};
use super::searchset::Searchset;
use super::{Api, include, scope, served};

/// What is searched, and how the search came.
struct Searched {
    resource_type: ResourceType,
    /// Only what belongs to this Patient.
    compartment: Option<DerivedId>,
    by_post: bool,
    posted: Arc<PostedSearches>,
}

/// What a path says is searched.
type Named = Result<(ResourceType, Option<DerivedId>), ApiError>;

/// `GET /fhir/{Type}?…`.
pub(super) async fn by_get(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    call: Call,
) -> Response {
    search(api, call, of_type(path), None).await
}

/// `POST /fhir/{Type}/_search`: parameters of the form and of the URL together.
pub(super) async fn by_post(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    call: Call,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    search(api, call, of_type(path), Some(body)).await
}

/// `GET /fhir/Patient/{id}/{Type}?…`.
/// <https://hl7.org/fhir/R4/http.html#vsearch>
pub(super) async fn in_compartment(
    State(api): State<Api>,
    path: Result<Path<(String, String, String)>, PathRejection>,
    call: Call,
) -> Response {
    search(api, call, of_compartment(path), None).await
}

/// `POST /fhir/Patient/{id}/{Type}/_search`.
pub(super) async fn in_compartment_by_post(
    State(api): State<Api>,
    path: Result<Path<(String, String, String)>, PathRejection>,
    call: Call,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    search(api, call, of_compartment(path), Some(body)).await
}

fn of_type(path: Result<Path<String>, PathRejection>) -> Named {
    let Path(name) = path.map_err(|_| ApiError::TypeNotServed)?;
    Ok((served::parse(&name)?, None))
}

fn of_compartment(path: Result<Path<(String, String, String)>, PathRejection>) -> Named {
    let Path((of, id, name)) = path.map_err(|_| ApiError::NoSuchRoute)?;
    let within = of == "Patient" && name != "Patient";
    let resource_type = served::parse(&name).ok().filter(|t| within && !served::in_directory(*t));
    let resource_type = resource_type.ok_or(ApiError::NoSuchRoute)?;
    Ok((resource_type, Some(id.parse().map_err(|_| ApiError::NotFound)?)))
}

fn add_form(call: &mut Call, body: Result<Bytes, BytesRejection>) -> Result<(), ApiError> {
    let body = body.map_err(|rejection| match rejection {
        BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => {
            ApiError::BodyTooLong
        }
        _ => ApiError::BodyBroken,
    })?;
    let stated = call.header(header::CONTENT_TYPE).unwrap_or_default();
    let media = stated.split(';').next().unwrap_or_default().trim();
    if !body.is_empty() && !media.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(ApiError::UnsupportedMediaType);
    }
    let form = std::str::from_utf8(&body).map_err(|_| ApiError::BodyBroken)?;
    call.add_form(form);
    Ok(())
}

async fn search(
    api: Api,
    mut call: Call,
    named: Named,
    form: Option<Result<Bytes, BytesRejection>>,
) -> Response {
    let by_post = form.is_some();
    let named = named.and_then(|named| {
        form.map_or(Ok(()), |body| add_form(&mut call, body))?;
        Ok(named)
    });
    let (resource_type, compartment) = match named {
        Ok(named) => named,
        Err(error) => return respond::failure(&error, &call.request_id),
    };
    let about = Interaction { action: "search", resource_type: resource_type.name() };
    let searched = Searched { resource_type, compartment, by_post, posted: api.posted.clone() };
    answer(api, call, about, move |reader, call| run(reader, call, &searched)).await
}

fn run(reader: &mut Reader<'_>, call: &mut Call, searched: &Searched) -> Result<Answer, ApiError> {
    let resource_type = searched.resource_type;
    let path = match searched.compartment {
        Some(id) => format!("/fhir/Patient/{id}/{resource_type}"),
        None => format!("/fhir/{resource_type}"),
    };
    let (id_key, caller) = (reader.store().id_key(), &*reader.access.reader);
    let asked = Asked { id_key, reader: caller, path: &path };
    let mut params = call.params()?;
    let hidden = searched.by_post || params.last(SEARCH_ID).is_some();
    searched.posted.restore(&asked, &mut params)?;
    let table = (reader.gateway.search_table(), reader.gateway.now());
    let mut query = Query::parse(table, reader.options, resource_type, params, call.is_strict())?;
    if let Some(id) = searched.compartment {
        // A Patient that is not there is an error here, and no empty answer.
        reader.locate(ResourceType::of("Patient"), id)?;
        query.patients.push(PatientName { value: id.to_string(), by_identifier: false });
    }
    let seal = CursorSeal::new(id_key, caller, &path, &query.used);
    let sort = std::mem::take(&mut query.result.sort);
    let cursor = query.result.cursor.take();
    let (order, after) = Order::begin(reader, &sort, cursor.as_deref(), &seal)?;
    let hits = scope::matching(reader, &mut query)?;
    let hits = order.places(reader, &query, hits)?;
    let count = if query.result.total_only { 0 } else { query.result.count };
    let page = page(hits, after.as_ref(), count);
    let extras = include::extras(reader, &mut query, &page.hits)?;
    let shown = if hidden { searched.posted.hide(&asked, &query.used) } else { query.used };
    let with_total = query.result.with_total || count == 0;
    let searchset = Searchset {
        path: &path,
        params: &shown,
        cursor: cursor.as_deref(),
        next: page.next.map(|place| order.cursor(&seal, &place)),
        total: page.total.filter(|_| with_total),
        hits: page.hits,
        extras,
        subset: &query.result.subset,
        notes: query.notes,
    };
    searchset.answer(reader)
}
