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
    let existing = match existing(&api, &mut call, resource_type).await {
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
        let planned = [claim::create(reader, &client, resource_type, resource)?];
        write::carry_out(reader, &client, &planned, &Names::new())?;
        write::answer_of(reader, call, &planned[0])
    })
    .await
}

/// What the condition of a create fits. Clients state it in the header, some in the URL.
async fn existing(
    api: &Api,
    call: &mut Call,
    resource_type: ResourceType,
) -> Result<Option<String>, ApiError> {
    let in_url = conditional::of_url(call)?;
    let stated = call.header(IF_NONE_EXIST).map(str::to_owned);
    let Some(query) = both(stated, in_url) else { return Ok(None) };
    conditional::one(conditional::found(api, call, resource_type, &query).await?)
}

/// Two conditions, of which both must hold.
pub(super) fn both(stated: Option<String>, in_url: Option<String>) -> Option<String> {
    match (stated, in_url) {
        (Some(stated), Some(in_url)) => Some(format!("{stated}&{in_url}")),
        (stated, in_url) => stated.or(in_url),
    }
}
