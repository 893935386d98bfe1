//! Our Provenance of a view resource: which records it was woven from, and by which rules.
//! <https://hl7.org/fhir/R4/provenance.html>
//!
//! Never stored: rendered from the row's trace whenever somebody reads it. Its id is
//! `{Type}.{id}` of the resource it is about.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::fhir::ResourceType;
use crate::fhir::search::SearchTable;
use crate::flow::{Choice, DerivedId, Member};

use super::error::ApiError;
use super::query::Include;
use super::reader::{Reader, RowRef};
use super::respond::{Answer, http_date};
use axum::http::header;

const AGENT_TYPE: &str = "http://terminology.hl7.org/CodeSystem/provenance-participant-type";
const CHOICE_URL: &str = "urn:careweave:survivorship";

/// The resource that a Provenance id of ours is about.
pub(super) fn of_id(resource_type: ResourceType, id: &str) -> Option<(ResourceType, DerivedId)> {
    let (name, id) = id.split_once('.')?;
    let target = ResourceType::parse(name)?;
    (resource_type.name() == "Provenance").then_some((target, id.parse().ok()?))
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
    let answer = Answer::resource(body(reader, &row));
    Ok(answer.header(header::ETAG, &tag).header(header::LAST_MODIFIED, &modified))
}

/// Renders the Provenance of a row.
pub(super) fn body(reader: &Reader<'_>, row: &RowRef) -> Bytes {
    let trace = row.row();
    let updated = trace.last_updated.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    let visible = |member: &&Member| reader.access.sees(&member.key.endpoint);
    let base = reader.gateway.public_base_url();
    let entities: Vec<Value> =
        trace.members.iter().filter(visible).map(|member| entity(base, member)).collect();
    let choices: Vec<Value> = trace.choices.iter().map(choice).collect();
    let mut resource = json!({
        "resourceType": "Provenance",
        "id": id_of(row),
        "meta": { "versionId": trace.version.to_string(), "lastUpdated": updated },
    });
    if !choices.is_empty() {
        resource["extension"] = Value::Array(choices);
    }
    resource["target"] = json!([{ "reference": row.reference() }]);
    resource["recorded"] = updated.into();
    resource["agent"] = json!([{
        "type": { "coding": [{ "system": AGENT_TYPE, "code": "assembler" }] },
        "who": { "display": "careweave" },
    }]);
    if !entities.is_empty() {
        resource["entity"] = Value::Array(entities);
    }
    resource.to_string().into()
}

fn entity(base: &str, member: &Member) -> Value {
    let record = &member.key;
    let url =
        format!("{base}/sources/{}/fhir/{}/{}", record.endpoint, record.resource_type, record.id);
    json!({
        "role": "source",
        "what": { "reference": url, "display": format!("{} ({})", record.endpoint, member.rule) },
    })
}

fn choice(choice: &Choice) -> Value {
    let mut parts = vec![
        json!({ "url": "element", "valueString": choice.element }),
        json!({ "url": "rule", "valueString": choice.rule }),
        json!({ "url": "from", "valueString": choice.from.to_string() }),
    ];
    for (record, value) in &choice.others {
        let text = format!("{record}: {value}");
        parts.push(json!({ "url": "other", "valueString": text }));
    }
    json!({ "url": CHOICE_URL, "extension": parts })
}
