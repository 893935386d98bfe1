//! Search of our own Provenances, which are in no table: they are found by what they are about.
//! <https://hl7.org/fhir/R4/provenance.html#search>

use std::collections::BTreeSet;

use crate::flow::Owner;

use super::chain::{Chains, Condition};
use super::error::ApiError;
use super::query::Query;
use super::reader::{Reader, RowRef};
use super::{filter, provenance, served};

/// The rows whose Provenance a search matches: among all rows of the persons that state a
/// record, or those named by `_id`, or those named by `target`.
///
/// # Errors
/// When the store fails.
pub(super) fn matching(
    reader: &mut Reader<'_>,
    query: &Query,
    persons: Option<&BTreeSet<Owner>>,
) -> Result<Vec<RowRef>, ApiError> {
    if query.resource_type.name() != "Provenance" {
        return Ok(Vec::new());
    }
    let mut rows = match persons {
        Some(persons) => of_persons(reader, persons)?,
        None => named(reader, query)?,
    };
    let provenance_ids = &query.provenance_ids;
    rows.retain(|row| {
        provenance::has(row) && provenance_ids.iter().all(|ids| ids.contains(&row.identity()))
    });
    if query.criteria.is_empty() && query.last_updated.is_empty() && query.chains.is_empty() {
        return Ok(rows);
    }
    let mut met = Vec::new();
    let mut chains = Chains::default();
    for row in rows {
        if meets(reader, query, &row, &mut chains)? {
            met.push(row);
        }
    }
    Ok(met)
}

fn of_persons(reader: &mut Reader<'_>, persons: &BTreeSet<Owner>) -> Result<Vec<RowRef>, ApiError> {
    let mut rows = Vec::new();
    for person in persons {
        for resource_type in served::person_types() {
            let all = reader.rows(*person, resource_type)?;
            rows.extend(all.into_iter().filter(|row| row.row().has_members));
        }
    }
    Ok(rows)
}

fn named(reader: &mut Reader<'_>, query: &Query) -> Result<Vec<RowRef>, ApiError> {
    let by_id = query.provenance_ids.iter().flatten().copied();
    let by_target = query.criteria.iter().filter(|named| &*named.name == "target");
    let targets = by_target.flat_map(|named| named.criterion.references());
    let targets = targets.filter_map(|to| to.split_once('/')).filter_map(provenance::about);
    let identities: BTreeSet<_> = if query.provenance_ids.is_empty() {
        targets.take(reader.options.page_size_max).collect()
    } else {
        by_id.take(reader.options.page_size_max).collect()
    };
    let mut rows = Vec::new();
    for (resource_type, id) in identities {
        match reader.locate(resource_type, id) {
            Ok(row) if row.row().id == id => rows.push(row),
            Ok(_) | Err(ApiError::NotFound | ApiError::Gone) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(rows)
}

/// The Provenance is made to be asked: it has no stored search values.
fn meets(
    reader: &mut Reader<'_>,
    query: &Query,
    row: &RowRef,
    chains: &mut Chains,
) -> Result<bool, ApiError> {
    let Some(body) = provenance::body(reader, row)? else { return Ok(false) };
    let Ok(body) = serde_json::from_slice(&body) else { return Ok(false) };
    let values = reader.gateway.search_table().extract(query.resource_type, &body);
    let mut met = filter::matches(query, row.row().last_updated, &values);
    for condition in &query.chains {
        met = met
            && match condition {
                Condition::RefersTo { param, one_of } => {
                    chains.any_referred(reader, (row.owner, &values), *param, one_of)?
                }
                // Nothing in the view refers to a Provenance of ours.
                _ => false,
            };
    }
    Ok(met)
}
