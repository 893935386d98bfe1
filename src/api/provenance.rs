//! Our Provenance of a view resource: which records it was woven from, and by which rules.
//! <https://hl7.org/fhir/R4/provenance.html>
//!
//! Never stored: rendered from the row's trace whenever somebody reads it. Its id is
//! `{Type}.{id}` of the resource it is about.

use axum::http::header;
use bytes::Bytes;
use serde_json::Value;

use crate::fhir::ResourceType;
use crate::fhir::search::SearchTable;
use crate::flow::{DerivedId, stamp_meta};
use crate::reconcile::{self, StatedProvenance};

use super::error::ApiError;
use super::query::Include;
use super::reader::{Reader, RowRef};
use super::respond::{Answer, http_date};

/// The resource that a Provenance id of ours is about.
pub(super) fn of_id(resource_type: ResourceType, id: &str) -> Option<(ResourceType, DerivedId)> {
    if resource_type.name() != "Provenance" {
        return None;
    }
    about(id.split_once('.')?)
}

/// The resource that a type's name and an id of ours name.
pub(super) fn about((name, id): (&str, &str)) -> Option<(ResourceType, DerivedId)> {
    Some((ResourceType::parse(name)?, id.parse().ok()?))
}

/// The id of a row's Provenance.
pub(super) fn id_of(row: &RowRef) -> String {
    format!("{}.{}", row.resource_type, row.row().id)
}

/// Whether we have one to give.
pub(super) fn has(row: &RowRef) -> bool {
    row.resource_type.name() != "Provenance"
}

/// Whether an include asks for the Provenances of its targets.
pub(super) fn is_of_target(table: &SearchTable, include: &Include) -> bool {
    include.from.name() == "Provenance"
        && include.params.iter().any(|&param| {
            let parameter = table.parameters(include.from).get(usize::from(param));
            parameter.is_some_and(|parameter| &*parameter.name == "target")
        })
}

/// Reads one.
///
/// # Errors
/// As reading its target.
pub(super) fn read(
    reader: &mut Reader<'_>,
    (resource_type, id): (ResourceType, DerivedId),
) -> Result<Answer, ApiError> {
    let row = reader.locate(resource_type, id)?;
    if row.row().id != id || !has(&row) {
        return Err(ApiError::NotFound);
    }
    reader.note_disclosed(std::slice::from_ref(&row));
    let modified = http_date(row.row().last_updated);
    let tag = format!("W/\"{}\"", row.row().version);
    let answer = Answer::resource(body(reader, &row)?.ok_or(ApiError::Gone)?);
    Ok(answer.header(header::ETAG, &tag).header(header::LAST_MODIFIED, &modified))
}

/// Renders the Provenance of a row, with the sources that the reader may see; `None` if the row
/// has left the view since it was found.
///
/// # Errors
/// When the store fails.
pub(super) fn body(reader: &mut Reader<'_>, row: &RowRef) -> Result<Option<Bytes>, ApiError> {
    let stated = stated_about(reader, row)?;
    let table = reader.table(row)?;
    let at = table.rows.binary_search_by_key(&row.row().id, |row| row.id);
    let Ok(trace) = at.map(|at| &table.rows[at]) else { return Ok(None) };
    let mut members = trace.members.clone();
    members.retain(|member| reader.access.sees(&member.key.endpoint));
    let endpoints = reader.endpoints();
    let base_url = |id: &str| {
        let endpoint = endpoints.iter().find(|endpoint| &*endpoint.id == id);
        let base_url = endpoint.map(|endpoint| endpoint.base_url.to_string());
        base_url.filter(|url| !url.is_empty())
    };
    let rendered = reconcile::provenance(
        row.identity(),
        trace.last_updated,
        (&members, &trace.choices),
        &stated,
        &base_url,
        reader.gateway.public_base_url(),
    );
    let rendered = rendered.to_string();
    Ok(Some(stamp_meta(rendered.as_bytes(), trace.version, trace.last_updated).into()))
}

/// What endpoints state themselves of where a resource is from.
fn stated_about(reader: &mut Reader<'_>, row: &RowRef) -> Result<Vec<StatedProvenance>, ApiError> {
    let (rows, by): (Vec<RowRef>, Vec<_>) = reader.provenances_about(row)?.into_iter().unzip();
    let bodies = reader.bodies(&rows)?;
    let stated = rows.iter().zip(by).zip(bodies).filter_map(|((row, by), body)| {
        let body: Value = serde_json::from_slice(&body?).ok()?;
        let agents = body.get("agent").and_then(Value::as_array).into_iter().flatten();
        Some(StatedProvenance {
            reference: row.reference(),
            endpoints: by.into_iter().filter(|endpoint| reader.access.sees(endpoint)).collect(),
            agents: agents.filter(|agent| !names_contained(agent)).cloned().collect(),
        })
    });
    Ok(stated.collect())
}

/// Whether an agent is contained in its Provenance, and so named there alone.
fn names_contained(agent: &Value) -> bool {
    let references = ["/who/reference", "/onBehalfOf/reference"].map(|at| agent.pointer(at));
    references.into_iter().flatten().filter_map(Value::as_str).any(|to| to.starts_with('#'))
}
