//! Which rows are of care in a range of dates, as `$everything` asks.
//! <https://hl7.org/fhir/R4/operation-patient-everything.html>

use jiff::Timestamp;

use crate::fhir::ResourceType;
use crate::fhir::search::ParameterKind;
use crate::flow::{Indexed, SearchValue};

use super::error::ApiError;
use super::reader::{Reader, RowRef};

/// A range of dates, open where nothing is stated.
#[derive(Default)]
pub(super) struct CareDates {
    /// Its first instant.
    pub(super) from: Option<Timestamp>,
    /// The first instant after it.
    pub(super) until: Option<Timestamp>,
}

impl CareDates {
    /// The rows of one person and type whose dates, from the first to the last, meet the range.
    /// What tells of no date is no care on another one: it stays, like the Patient.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) fn within(
        &self,
        reader: &Reader<'_>,
        resource_type: ResourceType,
        rows: Vec<RowRef>,
    ) -> Result<Vec<RowRef>, ApiError> {
        let is_open = self.from.is_none() && self.until.is_none();
        let Some(owner) = rows.first().map(|row| row.owner).filter(|_| !is_open) else {
            return Ok(rows);
        };
        if resource_type.name() == "Patient" {
            return Ok(rows);
        }
        let parameters =
            (0..=u16::MAX).zip(reader.gateway.search_table().parameters(resource_type));
        let dates: Vec<u16> = parameters
            .filter(|(_, parameter)| parameter.kind == ParameterKind::Date)
            .map(|(index, _)| index)
            .collect();
        let values = reader.values(owner, resource_type, &dates)?;
        Ok(rows.into_iter().filter(|row| self.meets(values.of(row.row().id))).collect())
    }

    fn meets(&self, values: &[SearchValue]) -> bool {
        let dates = || {
            values.iter().filter_map(|value| match value.value {
                Indexed::Date { from, until } => Some((from, until)),
                _ => None,
            })
        };
        let first = dates().map(|(from, _)| from).min();
        let last = dates().map(|(_, until)| until).max();
        let ends_before = self.from.zip(last).is_some_and(|(from, last)| last <= from);
        let begins_after = self.until.zip(first).is_some_and(|(until, first)| first >= until);
        !ends_before && !begins_after
    }
}
