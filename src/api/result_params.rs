//! The parameters that say how a search is answered: how many rows, in which order, how much of
//! each.
//! <https://hl7.org/fhir/R4/search.html#Summary>

use crate::fhir::search::{SORT_KEYS_MAX, SearchTable, SortKey};
use crate::fhir::{ResourceType, Subset};

use super::ApiOptions;
use super::error::{ApiError, shown_name};
use super::params::{Params, alternatives};

/// How a search is to be answered.
pub(super) struct ResultParams {
    /// Rows at most.
    pub(super) count: usize,
    /// No rows, only how many there are.
    pub(super) total_only: bool,
    /// The answer says how many rows there are.
    pub(super) with_total: bool,
    /// The cursor of a link of ours.
    pub(super) cursor: Option<String>,
    /// In which order; without any, what we made goes first, then by id.
    pub(super) sort: Vec<SortKey>,
    /// How much of each row.
    pub(super) subset: Subset,
}

impl ResultParams {
    /// What holds when nothing is said.
    pub(super) fn new(options: &ApiOptions) -> Self {
        Self {
            count: options.page_size_default,
            total_only: false,
            with_total: true,
            cursor: None,
            sort: Vec::new(),
            subset: Subset::Whole,
        }
    }

    /// Takes one parameter; false if it is none of these.
    ///
    /// # Errors
    /// `BadValue` when its value is none it can have.
    pub(super) fn take(
        &mut self,
        (table, options): (&SearchTable, &ApiOptions),
        resource_type: ResourceType,
        (name, value): (&str, &str),
    ) -> Result<bool, ApiError> {
        match name {
            "_format" | "_pretty" => {}
            "_cursor" => self.cursor = Some(value.to_owned()),
            "_count" => self.count = page_size(value, options)?,
            "_total" => self.with_total = total(value)?,
            "_sort" => self.sort_by(table, resource_type, value)?,
            _ => return self.take_part(name, value),
        }
        Ok(true)
    }

    fn take_part(&mut self, name: &str, value: &str) -> Result<bool, ApiError> {
        match name {
            "_summary" => self.summarise(value)?,
            "_elements" => self.take_elements(value)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn summarise(&mut self, value: &str) -> Result<(), ApiError> {
        let subset = match value {
            "true" => Subset::Summary,
            "text" => Subset::Text,
            "data" => Subset::Data,
            "count" => {
                self.total_only = true;
                return Ok(());
            }
            "false" => Subset::Whole,
            _ => return Err(bad("_summary", "true, text, data, count or false")),
        };
        // What is named element by element is the closer wish.
        if !matches!(self.subset, Subset::Elements(_)) {
            self.subset = subset;
        }
        Ok(())
    }

    fn take_elements(&mut self, value: &str) -> Result<(), ApiError> {
        let mut wanted = match std::mem::take(&mut self.subset) {
            Subset::Elements(wanted) => wanted,
            Subset::Whole | Subset::Summary | Subset::Text | Subset::Data => Default::default(),
        };
        for element in value.split(',') {
            let element = element.trim();
            if element.is_empty() || !element.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                return Err(bad("_elements", "names of elements of the first level"));
            }
            wanted.insert(element.into());
        }
        self.subset = Subset::Elements(wanted);
        Ok(())
    }

    fn sort_by(
        &mut self,
        table: &SearchTable,
        resource_type: ResourceType,
        value: &str,
    ) -> Result<(), ApiError> {
        for key in alternatives(value) {
            let key = SortKey::parse(table, resource_type, key.trim());
            let expected = "names of search parameters of the type that hold one value each, a \
                            minus before those that go downwards";
            self.sort.push(key.ok_or_else(|| bad("_sort", expected))?);
        }
        if self.sort.len() > SORT_KEYS_MAX {
            return Err(bad("_sort", "8 keys at most"));
        }
        Ok(())
    }
}

/// How much of a resource a read wants.
///
/// # Errors
/// `BadValue` for a summary that R4 does not know, or what names no elements.
pub(super) fn subset_of(params: &Params) -> Result<Subset, ApiError> {
    let mut result = ResultParams::new(&ApiOptions::default());
    for (name, value) in &params.0 {
        result.take_part(name, value)?;
    }
    Ok(result.subset)
}

/// The parameters that take no modifier.
const WITHOUT_MODIFIER: [&str; 10] = [
    "_id",
    "_lastUpdated",
    "_count",
    "_cursor",
    "_elements",
    "_format",
    "_pretty",
    "_sort",
    "_summary",
    "_total",
];

/// Refuses a modifier where there can be none.
///
/// # Errors
/// `BadModifier` for one.
pub(super) fn refuse_modifier(name: &str) -> Result<(), ApiError> {
    match name.split_once(':') {
        Some((base, modifier)) if WITHOUT_MODIFIER.contains(&base) => {
            Err(ApiError::BadModifier { name: base.to_owned(), modifier: shown_name(modifier) })
        }
        _ => Ok(()),
    }
}

/// Reads `_count`; more than a page may hold is cut.
///
/// # Errors
/// `BadValue` when it is no number of rows.
pub(super) fn page_size(value: &str, options: &ApiOptions) -> Result<usize, ApiError> {
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    if !digits {
        return Err(bad("_count", "a number of rows, 0 or more"));
    }
    Ok(value.parse().unwrap_or(usize::MAX).min(options.page_size_max))
}

fn total(value: &str) -> Result<bool, ApiError> {
    match value {
        "none" => Ok(false),
        // Counting costs nothing that finding the page does not.
        "estimate" | "accurate" => Ok(true),
        _ => Err(bad("_total", "none, estimate or accurate")),
    }
}

fn bad(name: &str, expected: &'static str) -> ApiError {
    ApiError::BadValue { name: name.to_owned(), expected }
}
