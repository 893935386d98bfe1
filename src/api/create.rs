//! FHIR create: a client states a new resource.
//! <https://hl7.org/fhir/R4/http.html#create>

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderName, header};
use axum::response::Response;

use crate::fhir::ResourceType;

use super::answer::{Interaction, answer};
use super::body::{self, Received};
use super::call::Call;
use super::error::ApiError;
use super::named::Names;
use super::respond;
use super::{Api, claim, client, conditional, read, served, write};

/// The condition of a create.
pub(super) const IF_NONE_EXIST: HeaderName = HeaderName::from_static("if-none-exist");

/// `POST /fhir/{Type}`.
pub(super) async fn create(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    mut call: Call,
    body: Received,
) -> Response {
    let taken = path.map_err(|_| ApiError::TypeNotServed).and_then(|Path(name)| {
        let resource_type = served::parse(&name)?;
        let client = client::of(&api, &mut call)?;
        Ok((resource_type, client, body::resource(&call, body)?))
    });
    let (resource_type, client, resource) = match taken {
        Ok(taken) => taken,
        Err(error) => return respond::failure(&error, &call.request_id),
    };
    let about = Interaction { action: "create", resource_type: resource_type.name() };
    let writing = api.writes.clone().lock_owned().await;
    let existing = match existing(&api, &call, resource_type).await {
        Ok(existing) => existing,
        Err(error) => return respond::failure(&error, &call.request_id),
    };
    answer(api, call, about, move |reader, call| {
        let _writing = writing;
        if let Some(id) = existing {
            let told = read::read_row(reader, call, resource_type, &id)?;
            let base = reader.gateway.public_base_url();
            return Ok(told.header(header::LOCATION, &format!("{base}/fhir/{resource_type}/{id}")));
        }
        if resource_type.name() == served::FINDING_TYPE {
            return Err(ApiError::MadeHere);
        }
        let planned = [claim::create(reader, &client, resource_type, resource)?];
        write::carry_out(reader, &client, &planned, &Names::new())?;
        write::answer_of(reader, call, &planned[0])
    })
    .await
}

/// What the condition of a create fits.
async fn existing(
    api: &Api,
    call: &Call,
    resource_type: ResourceType,
) -> Result<Option<String>, ApiError> {
    let Some(query) = call.header(IF_NONE_EXIST) else { return Ok(None) };
    let mut found = conditional::found(api, call, resource_type, query).await?;
    match found.len() {
        0 | 1 => Ok(found.pop()),
        _ => Err(ApiError::SeveralFit),
    }
}
