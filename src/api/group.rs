//! FHIR Groups: panels of persons. Stated by a client or by any endpoint, and shown with their
//! members as the view has them now. <https://hl7.org/fhir/R4/group.html>

use std::collections::BTreeMap;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};

use crate::fhir::{Reference, ResourceType, is_id, parse_reference};
use crate::flow::{DerivedId, Owner};
use crate::pipeline::{Members, Named, Panel, PanelState};
use crate::reconcile::UNADDRESSED;

use super::answer::{Interaction, answer};
use super::call::Call;
use super::error::{ApiError, shown_name};
use super::paging::{CursorSeal, PageKey};
use super::params::Params;
use super::reader::Reader;
use super::respond::{self, Answer, http_date};
use super::{Api, read};

/// Says of a member that it names no one person of the view, and why.
const UNMATCHED: &str = "urn:careweave:panel:unmatched";
/// Groups that a search looks through at most.
const GROUPS_MAX: usize = 1_000;
const SUBSETTED: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";

/// `GET /fhir/Group/{id}`.
pub(super) async fn read(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    call: Call,
) -> Response {
    let id = match parsed(path) {
        Ok(id) => id,
        Err(error) => return respond::failure(&error, &call.request_id),
    };
    let about = Interaction { action: "read", resource_type: "Group" };
    answer(api, call, about, move |reader, call| {
        let panel = live(reader, id)?;
        let etag = etag(&panel);
        if call.header(header::IF_NONE_MATCH).is_some_and(|tags| read::names(tags, &etag)) {
            let mut unchanged = Answer::resource(Vec::new());
            unchanged.status = StatusCode::NOT_MODIFIED;
            return Ok(unchanged.header(header::ETAG, &etag));
        }
        shown(reader, &panel)
    })
    .await
}

/// `GET /fhir/Group`: all of them, or by `_id` and `identifier`; without their members.
pub(super) async fn search(State(api): State<Api>, call: Call) -> Response {
    let about = Interaction { action: "search", resource_type: "Group" };
    answer(api, call, about, |reader, call| {
        let params = call.params()?;
        let known = ["_id", "identifier", "_count", "_cursor", "_format", "_pretty"];
        if let Some((name, _)) = params.0.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            return Err(ApiError::NotSupported { names: shown_name(name) });
        }
        found(reader, call, &params)
    })
    .await
}

/// The answer that shows a panel, its members as they are found now.
///
/// # Errors
/// When the store fails.
pub(super) fn shown(reader: &mut Reader<'_>, panel: &Panel) -> Result<Answer, ApiError> {
    let members = members(reader, panel)?;
    reader.count = 1;
    reader.disclosed.insert(panel.id);
    let mut body = resource(reader, panel)?;
    let places = members.persons.iter().flat_map(|(o, places)| places.iter().map(|p| (*p, *o)));
    let persons: BTreeMap<usize, Owner> = places.collect();
    for (place, member) in body["member"].as_array_mut().into_iter().flatten().enumerate() {
        mend_member(member, persons.get(&place).copied(), members.unmatched.get(&place));
    }
    Ok(Answer::resource(body.to_string())
        .header(header::ETAG, &etag(panel))
        .header(header::LAST_MODIFIED, &http_date(panel.observed_at)))
}

/// Who belongs to a panel, within the bound, when all that is dirty was given its time.
///
/// # Errors
/// `TooCostly` for more members than the bound.
pub(super) fn members(reader: &mut Reader<'_>, panel: &Panel) -> Result<Members, ApiError> {
    let most = reader.gateway.panel_members_max();
    if panel.members().len() > most {
        let add = format!("nothing: it has more than {most} members (limits.panel_members_max)");
        return Err(ApiError::TooCostly { add });
    }
    reader.settle(None)?;
    let found = reader.gateway.members(reader.access, panel, reader.gateway.today())?;
    reader.disclosed.extend(found.persons.keys().map(|owner| owner.id()));
    Ok(found)
}

/// The panel under an id.
///
/// # Errors
/// `NotFound` and `Gone`.
pub(super) fn live(reader: &Reader<'_>, id: DerivedId) -> Result<Panel, ApiError> {
    match reader.gateway.panel(reader.access, id)? {
        PanelState::Live(panel) => Ok(*panel),
        PanelState::Deleted => Err(ApiError::Gone),
        PanelState::Unknown => Err(ApiError::NotFound),
    }
}

/// The id in a path.
pub(super) fn parsed(path: Result<Path<String>, PathRejection>) -> Result<DerivedId, ApiError> {
    let Path(id) = path.map_err(|_| ApiError::NotFound)?;
    id.parse().map_err(|_| ApiError::NotFound)
}

/// The weak tag of a panel's version.
pub(super) fn etag(panel: &Panel) -> String {
    format!("W/\"{}\"", panel.version)
}

fn mend_member(member: &mut Value, person: Option<Owner>, unmatched: Option<&Named>) {
    if let Some(person) = person {
        member["entity"]["reference"] = json!(format!("Patient/{}", person.id()));
    }
    let why = match unmatched {
        Some(Named::Nobody) => "nobody",
        Some(Named::Several) => "several",
        Some(Named::Person(_)) | None => return,
    };
    let told = json!({ "url": UNMATCHED, "valueCode": why });
    match member.get_mut("extension").and_then(Value::as_array_mut) {
        Some(extensions) => extensions.push(told),
        None => member["extension"] = json!([told]),
    }
}

/// A panel as a resource of ours; members as stated, but for references that would dangle.
fn resource(reader: &mut Reader<'_>, panel: &Panel) -> Result<Value, ApiError> {
    let mut body = panel.body.clone();
    body["id"] = json!(panel.id.to_string());
    let mut meta = body["meta"].take();
    if !meta.is_object() {
        meta = json!({});
    }
    meta["versionId"] = json!(panel.version.to_string());
    meta["lastUpdated"] = json!(panel.observed_at.to_string());
    meta["source"] = json!(format!("{UNADDRESSED}{}", panel.key.endpoint));
    body["meta"] = meta;
    let facts = reader.gateway.endpoint_facts().get(&panel.key.endpoint);
    let base = match facts.map_or("", |facts| facts.base_url.trim_end_matches('/')) {
        "" => format!("{UNADDRESSED}{}", panel.key.endpoint),
        base => base.to_owned(),
    };
    mend(reader, &base, &mut body)?;
    Ok(body)
}

/// Has references lead to what is shown, or else to the endpoint that states them.
fn mend(reader: &mut Reader<'_>, base: &str, value: &mut Value) -> Result<(), ApiError> {
    match value {
        Value::Array(items) => items.iter_mut().try_for_each(|item| mend(reader, base, item)),
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get_mut("reference")
                && let Reference::Relative { resource_type, id, .. } = parse_reference(reference)
                && is_id(id)
            {
                let row = match resource_type == ResourceType::of("Patient") {
                    true => None,
                    false => reader.referred(reference)?,
                };
                *reference = match row {
                    Some(row) => row.reference(),
                    None => format!("{base}/{resource_type}/{id}"),
                };
            }
            fields.values_mut().try_for_each(|inner| mend(reader, base, inner))
        }
        _ => Ok(()),
    }
}

fn found(reader: &mut Reader<'_>, call: &Call, params: &Params) -> Result<Answer, ApiError> {
    let wanted = |panel: &Panel| {
        params.0.iter().all(|(name, value)| match name.as_str() {
            "_id" => value.split(',').any(|id| id == panel.id.to_string()),
            "identifier" => value.split(',').any(|token| is_identified(&panel.body, token)),
            _ => true,
        })
    };
    let mut panels = reader.gateway.panels(reader.access, GROUPS_MAX)?;
    panels.retain(wanted);
    panels.sort_by_key(|panel| panel.id);
    let total = panels.len();
    let seal = seal(reader, call, "/fhir/Group", params);
    let after = match params.last("_cursor") {
        Some(cursor) => Some(seal.open(cursor)?.id),
        None => None,
    };
    let count = count(reader, params)?;
    panels.retain(|panel| after.is_none_or(|after| panel.id > after));
    let more = panels.len() > count;
    panels.truncate(count);
    let base = reader.gateway.public_base_url().to_owned();
    let mut entries = Vec::new();
    for panel in &panels {
        let mut body = resource(reader, panel)?;
        let members = panel.members().len();
        if let Some(fields) = body.as_object_mut() {
            fields.shift_remove("member");
            fields.shift_remove("text");
            fields.insert("quantity".to_owned(), json!(members));
        }
        body["meta"]["tag"] = json!([{ "system": SUBSETTED, "code": "SUBSETTED" }]);
        reader.disclosed.insert(panel.id);
        let url = format!("{base}/fhir/Group/{}", panel.id);
        entries.push(json!({"fullUrl": url, "resource": body, "search": {"mode": "match"}}));
    }
    reader.count = panels.len();
    let mut bundle = json!({ "resourceType": "Bundle", "type": "searchset", "total": total });
    if let Some(last) = panels.last().filter(|_| more) {
        let cursor = seal.seal(PageKey { rank: 0, id: last.id });
        bundle["link"] = json!([{ "relation": "next",
            "url": next_url(&format!("{base}/fhir/Group"), params, &cursor) }]);
    }
    if !entries.is_empty() {
        bundle["entry"] = entries.into();
    }
    Ok(Answer::resource(bundle.to_string()))
}

/// How many are given on a page.
///
/// # Errors
/// `BadValue` for what is no number.
pub(super) fn count(reader: &Reader<'_>, params: &Params) -> Result<usize, ApiError> {
    let most = reader.options.page_size_max;
    match params.last("_count") {
        None => Ok(reader.options.page_size_default.min(most)),
        Some(text) => match text.parse::<usize>() {
            Ok(count) if count > 0 => Ok(count.min(most)),
            _ => Err(ApiError::BadValue { name: "_count".to_owned(), expected: "a number from 1" }),
        },
    }
}

/// What seals the cursors of a list.
pub(super) fn seal(reader: &Reader<'_>, call: &Call, path: &str, params: &Params) -> CursorSeal {
    let mut asked = params.clone();
    asked.0.retain(|(name, _)| name != "_cursor");
    CursorSeal::new(reader.store().id_key(), &call.access.reader, path, &asked)
}

/// The link to the page behind a cursor.
pub(super) fn next_url(base: &str, params: &Params, cursor: &str) -> String {
    let mut params = params.clone();
    params.0.retain(|(name, _)| name != "_cursor");
    params.0.push(("_cursor".to_owned(), cursor.to_owned()));
    format!("{base}?{}", params.encoded())
}

fn is_identified(body: &Value, token: &str) -> bool {
    let (system, value) = match token.split_once('|') {
        Some((system, value)) => (Some(system), value),
        None => (None, token),
    };
    let identifiers = body["identifier"].as_array().into_iter().flatten();
    identifiers.into_iter().any(|identifier| {
        identifier["value"] == value && system.is_none_or(|s| identifier["system"] == s)
    })
}
