//! What the references of a client's resource name: records of the view by its ids, or entries of
//! the same transaction.
//! <https://hl7.org/fhir/R4/references.html>

use serde_json::Value;

use crate::fhir::{Issue, Reference, ResourceType, parse_reference};
use crate::flow::{DerivedId, Owner, RefTarget};
use crate::store::Issued;

use super::claim::Planned;
use super::error::ApiError;
use super::reader::Reader;
use super::write::Targets;

/// Literals that a transaction explains: `urn:uuid:…` and conditional references.
pub(super) type Names = Targets;

/// What a reference came to.
enum Found {
    /// It names this.
    Target(RefTarget),
    /// It is read as any endpoint's.
    AsStated,
    /// It should name something of the view and does not.
    Nothing,
}

/// What each reference leads to; or what is wrong with them.
///
/// # Errors
/// When the store fails.
pub(super) fn resolve(
    reader: &mut Reader<'_>,
    plan: &Planned,
    resource: &Value,
    names: &Names,
) -> Result<Result<Targets, Vec<Issue>>, ApiError> {
    let mut literals = Vec::new();
    collect(resource, plan.resource_type.name(), &mut literals);
    let mut targets = Targets::new();
    let mut issues = Vec::new();
    for (expression, literal) in literals {
        if targets.contains_key(&literal) {
            continue;
        }
        let found = match names.get(&literal) {
            Some(target) => Found::Target(target.clone()),
            None => in_view(reader, plan, &literal)?,
        };
        match found {
            Found::Target(target) => {
                targets.insert(literal, target);
            }
            Found::AsStated => {}
            Found::Nothing => issues.push(Issue {
                severity: "error",
                code: "not-found",
                diagnostics: "refers to nothing that is served here; use an id of the view, an \
                              absolute URL, or an identifier"
                    .to_owned(),
                expression: vec![expression],
            }),
        }
    }
    Ok(if issues.is_empty() { Ok(targets) } else { Err(issues) })
}

fn in_view(reader: &mut Reader<'_>, plan: &Planned, literal: &str) -> Result<Found, ApiError> {
    let here = format!("{}/fhir", reader.gateway.public_base_url());
    let (resource_type, id) = match parse_reference(literal) {
        Reference::Relative { resource_type, id, .. } => (resource_type, id),
        Reference::Absolute { base, resource_type, id, .. }
            if base.trim_end_matches('/') == here =>
        {
            (resource_type, id)
        }
        Reference::Urn(_) => return Ok(Found::Nothing),
        _ => return Ok(Found::AsStated),
    };
    let Ok(id) = id.parse::<DerivedId>() else { return Ok(Found::Nothing) };
    if let Some(target) = own_patient(reader, plan, resource_type, id)? {
        return Ok(Found::Target(target));
    }
    Ok(match reader.store().issued(reader.access, id)? {
        Some(Issued::Record(record)) if record.key.resource_type == resource_type => {
            Found::Target(RefTarget::Record(record.key))
        }
        // What careweave makes is no record; it is named as it is.
        Some(Issued::Made { resource_type: made, .. }) if made == resource_type => {
            Found::Target(RefTarget::External(format!("{resource_type}/{id}").into()))
        }
        _ => Found::Nothing,
    })
}

/// The person's Patient in the chart where the claim lives: so it names nobody else, should the
/// person turn out to be two.
fn own_patient(
    reader: &mut Reader<'_>,
    plan: &Planned,
    resource_type: ResourceType,
    id: DerivedId,
) -> Result<Option<RefTarget>, ApiError> {
    let Some((home, Some(Owner::Person(owner)))) = &plan.place else { return Ok(None) };
    let Some(chart) = home.chart().filter(|_| resource_type.name() == "Patient") else {
        return Ok(None);
    };
    let is_own = reader.person(id)? == Some(Owner::Person(*owner));
    Ok(is_own.then(|| RefTarget::Record(chart.patient_record())))
}

/// All literal references with where they stand.
fn collect(value: &Value, path: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(literal)) = members.get("reference") {
                found.push((path.to_owned(), literal.trim().to_owned()));
            }
            for (name, inner) in members {
                collect(inner, &format!("{path}.{name}"), found);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                collect(inner, &format!("{path}[{index}]"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
