//! Which rows a search looks at: a person's, those with given ids, or what the cross-person
//! index proposes. Never a scan.

use std::collections::BTreeSet;

use crate::fhir::ResourceType;
use crate::fhir::search::{Criterion, earliest_match};
use crate::flow::{DerivedId, Hash, Owner};

use super::chain::Condition;
use super::error::ApiError;
use super::hit::Hit;
use super::params::alternatives;
use super::query::Query;
use super::reader::{Reader, RowRef};
use super::{filter, patient_ref, provenance_search, served};

/// Changes that are read from the log at once.
const CHANGES_READ: usize = 500;

/// What matches a search, in no order.
///
/// # Errors
/// `TooCostly` when nothing in the search says where to look, or it proposes too many rows.
pub(super) fn matching(reader: &mut Reader<'_>, query: &mut Query) -> Result<Vec<Hit>, ApiError> {
    let by_patient = !query.patients.is_empty();
    let persons = patient_ref::persons(reader, query)?;
    let persons = by_patient.then_some(&persons);
    resolve_references(reader, query)?;
    let mut rows = Vec::new();
    if let Some(persons) = persons {
        for person in persons {
            rows.extend(reader.rows(*person, query.resource_type)?);
        }
        for ids in resolved_ids(reader, query)? {
            rows.retain(|row| ids.contains(&row.row().id));
        }
    } else if query.ids.is_empty() {
        reader.settle(None)?;
        rows = proposed(reader, query)?;
    } else {
        rows = with_ids(reader, query)?;
    }
    let rows = filter::matching(reader, query, rows)?;
    let ours = provenance_search::matching(reader, query, persons)?;
    Ok(rows.into_iter().map(Hit::Row).chain(ours.into_iter().map(Hit::Provenance)).collect())
}

/// The rows that carry one of the criterion's values in the cross-person index; `None` when
/// the index cannot tell, or there are too many.
pub(super) fn indexed(
    reader: &mut Reader<'_>,
    resource_type: ResourceType,
    name: &str,
    criterion: &Criterion,
) -> Result<Option<Vec<RowRef>>, ApiError> {
    match candidates(reader, resource_type, name, criterion)? {
        Some(found) => Ok(Some(rows_of(reader, resource_type, found)?)),
        None => Ok(None),
    }
}

fn candidates(
    reader: &Reader<'_>,
    resource_type: ResourceType,
    name: &str,
    criterion: &Criterion,
) -> Result<Option<BTreeSet<(Owner, DerivedId)>>, ApiError> {
    let keys: Option<Vec<Hash>> = match (criterion.index_values(), criterion.index_periods()) {
        (Some(values), _) => {
            values.iter().map(|value| Hash::of_search_value(name, value)).collect()
        }
        (None, Some(periods)) => {
            Some(periods.iter().map(|period| Hash::of_period(name, period)).collect())
        }
        (None, None) => None,
    };
    let Some(keys) = keys else { return Ok(None) };
    let limit = reader.options.candidates_max;
    let mut found = BTreeSet::new();
    for key in keys {
        found.extend(reader.store().by_index(reader.access, resource_type, key, limit + 1)?);
        if found.len() > limit {
            return Ok(None);
        }
    }
    Ok(Some(found))
}

fn rows_of(
    reader: &mut Reader<'_>,
    resource_type: ResourceType,
    found: BTreeSet<(Owner, DerivedId)>,
) -> Result<Vec<RowRef>, ApiError> {
    let mut rows = Vec::with_capacity(found.len());
    for (owner, id) in found {
        rows.extend(reader.row(owner, resource_type, id)?);
    }
    Ok(rows)
}

/// What all criteria propose together that the index can answer within bounds.
fn proposed(reader: &mut Reader<'_>, query: &Query) -> Result<Vec<RowRef>, ApiError> {
    let resource_type = query.resource_type;
    let parameters = reader.gateway.search_table().parameters(resource_type);
    let mut common: Option<BTreeSet<(Owner, DerivedId)>> = None;
    for named in &query.criteria {
        if !parameters.iter().any(|p| p.name == named.name && p.cross_person) {
            continue;
        }
        let found = candidates(reader, resource_type, &named.name, &named.criterion)?;
        common = match (common, found) {
            (Some(before), Some(found)) => Some(before.intersection(&found).copied().collect()),
            (before, found) => before.or(found),
        };
    }
    let looked_at_max = common.as_ref().map_or(reader.options.candidates_max, BTreeSet::len);
    common = match (common, changed(reader, query, looked_at_max)?) {
        (Some(before), Some(found)) => Some(before.intersection(&found).copied().collect()),
        (before, found) => before.or(found),
    };
    match common {
        Some(found) => rows_of(reader, resource_type, found),
        None => Err(ApiError::TooCostly { add: what_to_add(reader, resource_type) }),
    }
}

/// What has changed since the first moment that `_lastUpdated` allows, if it allows no earlier
/// ones and the log of changes since then is not longer than that.
fn changed(
    reader: &Reader<'_>,
    query: &Query,
    looked_at_max: usize,
) -> Result<Option<BTreeSet<(Owner, DerivedId)>>, ApiError> {
    let earliest = |value: &String| {
        let each = alternatives(value).into_iter().map(|text| earliest_match(text, query.now));
        each.collect::<Option<Vec<_>>>()?.into_iter().min()
    };
    let Some(since) = query.last_updated.iter().filter_map(earliest).max() else {
        return Ok(None);
    };
    let mut found = BTreeSet::new();
    let (mut before, mut looked_at) = (u64::MAX, 0);
    loop {
        let changes = reader.store().newest_changes(reader.access, before, CHANGES_READ)?;
        let Some(oldest) = changes.last().map(|change| change.seq) else { return Ok(Some(found)) };
        looked_at += changes.len();
        for change in changes {
            if change.at < since {
                return Ok(Some(found));
            }
            if change.resource_type == query.resource_type {
                found.insert((change.owner, change.id));
            }
        }
        if looked_at > looked_at_max {
            return Ok(None);
        }
        before = oldest;
    }
}

fn what_to_add(reader: &Reader<'_>, resource_type: ResourceType) -> String {
    let parameters = reader.gateway.search_table().parameters(resource_type);
    let of_person = !served::in_directory(resource_type) && resource_type.name() != "Patient";
    let patient = of_person.then_some("patient=");
    let indexed = parameters.iter().filter(|p| p.cross_person).map(|p| &*p.name);
    let names: Vec<String> = indexed.map(|name| format!("{name}=")).collect();
    let ways: Vec<&str> =
        patient.into_iter().chain(["_id="]).chain(names.iter().map(String::as_str)).collect();
    format!("one of {} with a complete value, or a recent _lastUpdated=ge", ways.join(", "))
}

/// The rows of the first `_id` that all other `_id` parameters name too.
fn with_ids(reader: &mut Reader<'_>, query: &Query) -> Result<Vec<RowRef>, ApiError> {
    let mut rows: Vec<RowRef> = Vec::new();
    let mut seen = BTreeSet::new();
    for id in query.ids.iter().flatten().take(reader.options.page_size_max) {
        match reader.locate(query.resource_type, *id) {
            Ok(row) if seen.insert(row.row().id) => rows.push(row),
            Ok(_) | Err(ApiError::NotFound | ApiError::Gone) => {}
            Err(error) => return Err(error),
        }
    }
    for ids in &query.ids[1..] {
        let mut named = BTreeSet::new();
        for (owner, id) in rows.iter().flat_map(|row| ids.iter().map(|id| (row.owner, *id))) {
            let row = reader.row(owner, query.resource_type, id)?;
            named.extend(row.map(|row| row.row().id));
        }
        rows.retain(|row| named.contains(&row.row().id));
    }
    Ok(rows)
}

/// The shown ids that `_id` parameters name, beside a patient.
fn resolved_ids(
    reader: &mut Reader<'_>,
    query: &Query,
) -> Result<Vec<BTreeSet<DerivedId>>, ApiError> {
    let mut resolved = Vec::new();
    for ids in &query.ids {
        let mut shown = BTreeSet::new();
        for id in ids.iter().take(reader.options.page_size_max) {
            let row = reader.referred(&format!("{}/{id}", query.resource_type))?;
            shown.extend(row.map(|row| row.row().id));
        }
        resolved.push(shown);
    }
    Ok(resolved)
}

/// Makes reference criteria name what the view shows: an alias or a source record's URL becomes
/// the shown resource.
fn resolve_references(reader: &mut Reader<'_>, query: &mut Query) -> Result<(), ApiError> {
    let mut failed = None;
    let mut criteria = std::mem::take(&mut query.criteria);
    let mut chains = std::mem::take(&mut query.chains);
    let chained = chains.iter_mut().flat_map(Condition::criteria_mut);
    for named in criteria.iter_mut().chain(chained) {
        named.criterion.map_references(&mut |literal| {
            shown_reference(reader, literal).unwrap_or_else(|error| {
                failed.get_or_insert(error);
                None
            })
        });
    }
    query.criteria = criteria;
    query.chains = chains;
    failed.map_or(Ok(()), Err)
}

fn shown_reference(reader: &mut Reader<'_>, literal: &str) -> Result<Option<String>, ApiError> {
    let ours = format!("{}/fhir/", reader.gateway.public_base_url());
    let local = literal.strip_prefix(&ours).unwrap_or(literal);
    let reference = if let Some(key) = reader.gateway.record_of_url(local) {
        format!("{}/{}", key.resource_type, reader.store().id_key().record(&key))
    } else if let Ok(id) = local.parse::<DerivedId>() {
        let Some(resource_type) = reader.type_of(id)? else { return Ok(None) };
        format!("{resource_type}/{id}")
    } else {
        local.to_owned()
    };
    Ok(reader.referred(&reference)?.map(|row| row.reference()))
}
