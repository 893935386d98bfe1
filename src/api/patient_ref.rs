//! Whom a search is about: a person named by id, by a source record's URL or by identifier.
//! <https://hl7.org/fhir/R4/search.html#reference>

use std::collections::BTreeSet;

use crate::fhir::{Issue, ResourceType};
use crate::flow::{DerivedId, Owner};

use super::error::ApiError;
use super::params::alternatives;
use super::query::{PatientName, Query};
use super::reader::Reader;
use super::scope;

/// Persons that one search may name.
const PERSONS_MAX: usize = 100;

/// The persons that a search names, settled; several names must all name them.
///
/// A bare source id is never looked up: two endpoints may both have `Patient/1`.
pub(super) fn persons(
    reader: &mut Reader<'_>,
    query: &mut Query,
) -> Result<BTreeSet<Owner>, ApiError> {
    let mut named: Option<BTreeSet<Owner>> = None;
    for name in std::mem::take(&mut query.patients) {
        let owners = named_by(reader, &name, &mut query.notes)?;
        named = Some(match named {
            None => owners,
            Some(before) => before.intersection(&owners).copied().collect(),
        });
    }
    Ok(named.unwrap_or_default())
}

fn named_by(
    reader: &mut Reader<'_>,
    name: &PatientName,
    notes: &mut Vec<Issue>,
) -> Result<BTreeSet<Owner>, ApiError> {
    let mut owners = BTreeSet::new();
    let values = alternatives(&name.value);
    if values.len() > PERSONS_MAX {
        return Err(ApiError::TooCostly { add: "fewer patients: 100 at most".to_owned() });
    }
    for value in values {
        if name.by_identifier {
            owners.extend(identified(reader, value, notes)?);
            continue;
        }
        match patient_id(reader, value) {
            Some(id) => match reader.person(id)? {
                Some(owner) => {
                    owners.insert(owner);
                }
                None => notes.push(note(
                    "not-found",
                    "the view holds no patient of the id or URL given; search Patient for the id",
                )),
            },
            None => notes.push(note(
                "not-found",
                "a patient is named by an id of this gateway, by the absolute URL of a record of \
                 a configured endpoint, or as patient.identifier=system|value",
            )),
        }
    }
    Ok(owners)
}

/// The derived id that a patient reference names.
fn patient_id(reader: &Reader<'_>, value: &str) -> Option<DerivedId> {
    let ours = format!("{}/fhir/", reader.gateway.public_base_url());
    let local = value.strip_prefix(&ours).unwrap_or(value);
    let bare = local.strip_prefix("Patient/").unwrap_or(local);
    if let Ok(id) = bare.parse() {
        return Some(id);
    }
    let key = reader.gateway.record_of_url(value)?;
    (key.resource_type.name() == "Patient").then(|| reader.store().id_key().record(&key))
}

/// The one person with this identifier, `system|value`.
///
/// # Errors
/// When the store fails.
pub(super) fn one_identified(
    reader: &mut Reader<'_>,
    identifier: &str,
) -> Result<Option<Owner>, ApiError> {
    identified(reader, identifier, &mut Vec::new())
}

/// The one person with this identifier.
fn identified(
    reader: &mut Reader<'_>,
    value: &str,
    notes: &mut Vec<Issue>,
) -> Result<Option<Owner>, ApiError> {
    let patient = ResourceType::of("Patient");
    let criterion = reader.gateway.search_table().criterion(patient, "identifier", value)?;
    reader.settle(None)?;
    let rows = scope::indexed(reader, patient, "identifier", &criterion)?.unwrap_or_default();
    let mut owners: BTreeSet<Owner> = BTreeSet::new();
    for row in rows {
        let values = reader.values(row.owner, patient, &[criterion.param])?;
        if criterion.matches(values.of(row.row().id)) {
            owners.insert(row.owner);
        }
    }
    if owners.len() > 1 {
        notes.push(note(
            "multiple-matches",
            "the identifier fits several persons, so no rows are given; name the patient by id",
        ));
        return Ok(None);
    }
    if owners.is_empty() {
        notes.push(note("not-found", "the view holds no patient with the identifier given"));
    }
    Ok(owners.into_iter().next())
}

fn note(code: &'static str, text: &str) -> Issue {
    Issue { severity: "warning", code, diagnostics: text.to_owned(), expression: Vec::new() }
}
