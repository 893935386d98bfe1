//! Whether a row meets a search.

use crate::fhir::search::instant_matches;
use crate::flow::{Indexed, SearchValue};
use crate::fhir::search::SearchTable;

use super::params::alternatives;
use super::query::Query;
use super::reader::RowRef;

const CATEGORY_SYSTEM: &str = "http://hl7.org/fhir/us/core/CodeSystem/careplan-category";
const ASSESS_PLAN: &str = "assess-plan";

/// Whether a row meets every criterion of a search, whom it is about and `_id` apart.
pub(super) fn matches(query: &Query, row: &RowRef) -> bool {
    let row = row.row();
    let updated = query.last_updated.iter().all(|value| {
        let wanted = alternatives(value);
        wanted.iter().any(|text| instant_matches(text, row.last_updated).unwrap_or(false))
    });
    updated
        && query.criteria.iter().all(|named| {
            named.criterion.matches(&row.values)
                || (query.resource_type.name() == "CarePlan"
                    && &*named.name == "category"
                    && named.criterion.matches(&assess_plan(query)))
        })
}
