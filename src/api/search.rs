//! FHIR search over the view, by GET and by POST.
//! <https://hl7.org/fhir/R4/http.html#search>

use axum::extract::rejection::{BytesRejection, FailedToBufferBody, PathRejection};
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::Response;
use bytes::Bytes;

use crate::fhir::ResourceType;

use super::answer::{Interaction, answer};
use super::call::Call;
use super::error::ApiError;
use super::paging::{CursorSeal, PageKey, page};
use super::query::Query;
use super::reader::{Reader, RowRef};
use super::respond::{self, Answer};
use super::searchset::Searchset;
use super::{Api, include, scope, served};

/// `GET /fhir/{Type}?…`.
pub(super) async fn by_get(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    call: Call,
) -> Response {
    match searched(path) {
        Ok(resource_type) => search(api, call, resource_type).await,
        Err(error) => respond::failure(&error, &call.request_id),
    }
}

/// `POST /fhir/{Type}/_search`: parameters of the form and of the URL together.
pub(super) async fn by_post(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    mut call: Call,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let taken = searched(path).and_then(|resource_type| {
        add_form(&mut call, body)?;
        Ok(resource_type)
    });
    match taken {
        Ok(resource_type) => search(api, call, resource_type).await,
        Err(error) => respond::failure(&error, &call.request_id),
    }
}

fn searched(path: Result<Path<String>, PathRejection>) -> Result<ResourceType, ApiError> {
    let Path(name) = path.map_err(|_| ApiError::TypeNotServed)?;
    served::parse(&name)
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

async fn search(api: Api, call: Call, resource_type: ResourceType) -> Response {
    let about = Interaction { action: "search", resource_type: resource_type.name() };
    answer(api, call, about, move |reader, call| run(reader, call, resource_type)).await
}

fn run(
    reader: &mut Reader<'_>,
    call: &mut Call,
    resource_type: ResourceType,
) -> Result<Answer, ApiError> {
    let table = reader.gateway.search_table();
    let params = call.params()?;
    let mut query = Query::parse(table, reader.options, resource_type, params, call.is_strict())?;
    let path = format!("/fhir/{resource_type}");
    let seal = CursorSeal::new(reader.store().id_key(), &reader.access.reader, &path, &query.used);
    let after = query.paging.cursor.as_deref().map(|cursor| seal.open(cursor)).transpose()?;
    let rows = scope::matching(reader, &mut query)?;
    let rows = rows.into_iter().map(|row| (key(&row), row)).collect();
    let count = if query.paging.total_only { 0 } else { query.paging.count };
    let page = page(rows, after, count);
    let extras = include::extras(reader, &mut query, &page.rows)?;
    let searchset = Searchset {
        path: &path,
        params: &query.used,
        cursor: query.paging.cursor.as_deref(),
        seal: &seal,
        page,
        extras,
        notes: query.notes,
    };
    searchset.answer(reader)
}

/// What we made over the sources (the woven plan) comes first, then by id.
fn key(row: &RowRef) -> PageKey {
    PageKey { rank: u8::from(!row.row().made_by_us), id: row.row().id }
}
