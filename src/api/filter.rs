//! Whether a resource meets a search.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use jiff::Timestamp;

use crate::fhir::ResourceType;
use crate::fhir::search::instant_matches;
use crate::flow::{Indexed, Owner, SearchValue};
use crate::store::Values;

use super::chain::Chains;
use super::error::ApiError;
use super::params::alternatives;
use super::query::{NamedCriterion, Query};
use super::reader::{Reader, RowRef};

const CATEGORY_SYSTEM: &str = "http://hl7.org/fhir/us/core/CodeSystem/careplan-category";
const ASSESS_PLAN: &str = "assess-plan";

/// The rows of the searched type that match. Only values that the search asks about are read.
///
/// # Errors
/// When the store fails.
pub(super) fn matching(
    reader: &mut Reader<'_>,
    query: &Query,
    rows: Vec<RowRef>,
) -> Result<Vec<RowRef>, ApiError> {
    let params: Vec<u16> = query.criteria.iter().map(|named| named.criterion.param).collect();
    let mut of_owner: BTreeMap<Owner, Values> = BTreeMap::new();
    let mut matching = Vec::with_capacity(rows.len());
    let mut chains = Chains::default();
    for row in rows {
        let values = match of_owner.entry(row.owner) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) if params.is_empty() => unknown.insert(Values::default()),
            Entry::Vacant(unknown) => {
                unknown.insert(reader.values(row.owner, query.resource_type, &params)?)
            }
        };
        let mut met = matches(query, row.row().last_updated, values.of(row.row().id));
        for condition in &query.chains {
            met = met && chains.hold(reader, &row, condition)?;
        }
        if met {
            matching.push(row);
        }
    }
    Ok(matching)
}

/// Whether a resource meets every criterion of a search, whom it is about and `_id` apart.
pub(super) fn matches(query: &Query, last_updated: Timestamp, values: &[SearchValue]) -> bool {
    query.last_updated.iter().all(|value| updated(&alternatives(value), last_updated, query.now))
        && query.criteria.iter().all(|named| meets(query.resource_type, named, values))
}

/// Whether a time meets one of the alternatives of `_lastUpdated`.
pub(super) fn updated(wanted: &[impl AsRef<str>], last_updated: Timestamp, now: Timestamp) -> bool {
    let meets = |text: &str| instant_matches(text, last_updated, now).unwrap_or(false);
    wanted.iter().any(|text| meets(text.as_ref()))
}

/// Whether a resource of a type with these values meets a criterion.
pub(super) fn meets(
    resource_type: ResourceType,
    named: &NamedCriterion,
    values: &[SearchValue],
) -> bool {
    if resource_type.name() == "CarePlan" && &*named.name == "category" {
        return named.criterion.matches(&plan_categories(named.criterion.param, values));
    }
    named.criterion.matches(values)
}

/// US Core clients ask for plans by this category, which newer senders no longer state: every
/// plan of the view answers to it.
fn plan_categories(param: u16, values: &[SearchValue]) -> Vec<SearchValue> {
    let mut categories: Vec<SearchValue> =
        values.iter().filter(|value| value.param == param).cloned().collect();
    let value = Indexed::Token { system: CATEGORY_SYSTEM.into(), code: ASSESS_PLAN.into() };
    categories.push(SearchValue { param, value });
    categories
}
