//! FHIR search over the view, by GET and by POST.
//! <https://hl7.org/fhir/R4/http.html#search>

use std::sync::Arc;

use axum::extract::rejection::{BytesRejection, FailedToBufferBody, PathRejection};
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::Response;
use bytes::Bytes;

use crate::fhir::ResourceType;

use super::answer::{Interaction, answer};
use super::call::Call;
use super::error::ApiError;
use super::paging::{CursorSeal, page};
use super::posted::{Asked, PostedSearches, SEARCH_ID};
use super::query::Query;
use super::reader::Reader;
use super::respond::{self, Answer};
use super::searchset::Searchset;
use super::{Api, include, scope, served};

/// What is searched, and how the search came.
struct Searched {
    resource_type: ResourceType,
    by_post: bool,
    posted: Arc<PostedSearches>,
}

/// `GET /fhir/{Type}?…`.
pub(super) async fn by_get(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    call: Call,
) -> Response {
    match searched(path) {
        Ok(resource_type) => search(api, call, resource_type, false).await,
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
        Ok(resource_type) => search(api, call, resource_type, true).await,
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

async fn search(api: Api, call: Call, resource_type: ResourceType, by_post: bool) -> Response {
    let about = Interaction { action: "search", resource_type: resource_type.name() };
    let searched = Searched { resource_type, by_post, posted: api.posted.clone() };
    answer(api, call, about, move |reader, call| run(reader, call, &searched)).await
}

fn run(reader: &mut Reader<'_>, call: &mut Call, searched: &Searched) -> Result<Answer, ApiError> {
    let resource_type = searched.resource_type;
    let path = format!("/fhir/{resource_type}");
    let (id_key, caller) = (reader.store().id_key(), &*reader.access.reader);
    let asked = Asked { id_key, reader: caller, path: &path };
    let mut params = call.params()?;
    let hidden = searched.by_post || params.last(SEARCH_ID).is_some();
    searched.posted.restore(&asked, &mut params)?;
    let table = reader.gateway.search_table();
    let mut query = Query::parse(table, reader.options, resource_type, params, call.is_strict())?;
    let seal = CursorSeal::new(id_key, caller, &path, &query.used);
    let after = query.paging.cursor.as_deref().map(|cursor| seal.open(cursor)).transpose()?;
    let hits = scope::matching(reader, &mut query)?;
    let hits = hits.into_iter().map(|hit| (hit.key(), hit)).collect();
    let count = if query.paging.total_only { 0 } else { query.paging.count };
    let page = page(hits, after, count);
    let extras = include::extras(reader, &mut query, &page.hits)?;
    let shown = if hidden { searched.posted.hide(&asked, &query.used) } else { query.used };
    let searchset = Searchset {
        path: &path,
        params: &shown,
        cursor: query.paging.cursor.as_deref(),
        seal: &seal,
        page,
        extras,
        notes: query.notes,
    };
    searchset.answer(reader)
}
