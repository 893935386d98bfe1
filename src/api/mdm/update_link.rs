//! `$mdm-update-link`: a steward decides otherwise about a chart and a person.

use super::super::error::ApiError;
use super::super::parameters::Given;
use super::super::reader::Reader;
use super::super::respond::Answer;
use super::create_link;

/// `goldenResourceId`, `resourceId`, `matchResult` (`MATCH` or `NO_MATCH`); of our own: `note`,
/// `dryRun`. What was decided before stays in the history.
pub(super) fn run(reader: &mut Reader<'_>, given: &Given) -> Result<Answer, ApiError> {
    create_link::verdict(reader, given, given.required("matchResult")?)
}
