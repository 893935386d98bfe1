//! A search request, taken apart: whom it is about, what must match, how it is to be answered.
//! <https://hl7.org/fhir/R4/search.html>

use jiff::Timestamp;

use crate::fhir::search::{Criterion, ParameterKind, QueryError, SearchTable, instant_matches};
use crate::fhir::{Issue, ResourceType};
use crate::flow::DerivedId;

use super::error::{ApiError, shown_name};
use super::params::{Params, alternatives};
use super::{ApiOptions, provenance};

/// A parsed search.
pub(super) struct Query {
    /// The type searched.
    pub(super) resource_type: ResourceType,
    /// How the patient is named; all must name the same person.
    pub(super) patients: Vec<PatientName>,
    /// Ids per `_id` parameter.
    pub(super) ids: Vec<Vec<DerivedId>>,
    /// What our Provenances are about whose ids stand in the same `_id` parameters.
    pub(super) provenance_ids: Vec<Vec<(ResourceType, DerivedId)>>,
    /// Values of `_lastUpdated` parameters.
    pub(super) last_updated: Vec<String>,
    /// Everything else that must match.
    pub(super) criteria: Vec<NamedCriterion>,
    /// `_include`.
    pub(super) includes: Vec<Include>,
    /// `_revinclude`.
    pub(super) revincludes: Vec<Include>,
    /// How many rows, and after which.
    pub(super) paging: PageRequest,
    /// The parameters that were used, for the links.
    pub(super) used: Params,
    /// What the client must be told.
    pub(super) notes: Vec<Issue>,
}

/// A patient as a search names it.
pub(super) struct PatientName {
    /// An id, `Patient/id` or URL; or `system|value`.
    pub(super) value: String,
    /// The value is an identifier.
    pub(super) by_identifier: bool,
}

/// A criterion with the name of its parameter.
pub(super) struct NamedCriterion {
    pub(super) name: Box<str>,
    pub(super) criterion: Criterion,
}

/// `Type:parameter[:Target]`.
pub(super) struct Include {
    /// The type that refers.
    pub(super) from: ResourceType,
    /// Indexes of the parameters that hold the references.
    pub(super) params: Vec<u16>,
    /// Only targets of this type.
    pub(super) target: Option<ResourceType>,
}

/// What page is wanted.
pub(super) struct PageRequest {
    /// Rows at most.
    pub(super) count: usize,
    /// No rows, only how many there are.
    pub(super) total_only: bool,
    /// The cursor of a link of ours.
    pub(super) cursor: Option<String>,
}

/// How a parameter was taken.
enum Taken {
    Used,
    Unknown,
    /// Used, and not part of what identifies the search.
    Silently,
}

impl Query {
    /// Takes a request apart.
    ///
    /// # Errors
    /// For values that do not parse, for modifiers that a parameter does not have, and in
    /// strict handling for whatever is not supported.
    pub(super) fn parse(
        table: &SearchTable,
        options: &ApiOptions,
        resource_type: ResourceType,
        params: Params,
        strict: bool,
    ) -> Result<Self, ApiError> {
        let mut query = Self::empty(options, resource_type);
        let mut unknown = Vec::new();
        for (name, value) in params.0 {
            match query.take(table, options, &name, &value)? {
                Taken::Used => query.used.0.push((name, value)),
                Taken::Unknown => unknown.push(shown_name(&name)),
                Taken::Silently => {}
            }
        }
        if unknown.is_empty() {
            return Ok(query);
        }
        let names = unknown.join(", ");
        if strict {
            return Err(ApiError::NotSupported { names });
        }
        query.notes.push(ignored(&names));
        Ok(query)
    }

    fn empty(options: &ApiOptions, resource_type: ResourceType) -> Self {
        Self {
            resource_type,
            patients: Vec::new(),
            ids: Vec::new(),
            provenance_ids: Vec::new(),
            last_updated: Vec::new(),
            criteria: Vec::new(),
            includes: Vec::new(),
            revincludes: Vec::new(),
            paging: PageRequest {
                count: options.page_size_default,
                total_only: false,
                cursor: None,
            },
            used: Params::default(),
            notes: Vec::new(),
        }
    }

    fn take(
        &mut self,
        table: &SearchTable,
        options: &ApiOptions,
        name: &str,
        value: &str,
    ) -> Result<Taken, ApiError> {
        match name {
            "_format" | "_pretty" => {}
            "_cursor" => {
                self.paging.cursor = Some(value.to_owned());
                return Ok(Taken::Silently);
            }
            "_count" => self.paging.count = page_size(value, options)?,
            "_total" => one_of("_total", value, &["none", "estimate", "accurate"])?,
            "_summary" => {
                one_of("_summary", value, &["true", "text", "data", "count", "false"])?;
                match value {
                    "count" => self.paging.total_only = true,
                    "false" => {}
                    _ => return Ok(Taken::Unknown),
                }
            }
            "_id" => {
                let ids = alternatives(value);
                // What is no id of ours names nothing.
                self.ids.push(ids.iter().filter_map(|id| id.parse().ok()).collect());
                let about = |id: &&str| provenance::of_id(self.resource_type, id);
                self.provenance_ids.push(ids.iter().filter_map(about).collect());
            }
            "_lastUpdated" => {
                for alternative in alternatives(value) {
                    instant_matches(alternative, Timestamp::UNIX_EPOCH)?;
                }
                self.last_updated.push(value.to_owned());
            }
            "_include" => match include(table, self.resource_type, value) {
                Some(include) => self.includes.push(include),
                None => return Ok(Taken::Unknown),
            },
            "_revinclude" => match include(table, self.resource_type, value) {
                Some(include) => self.revincludes.push(include),
                None => return Ok(Taken::Unknown),
            },
            _ => return self.take_criterion(table, name, value),
        }
        Ok(Taken::Used)
    }

    fn take_criterion(
        &mut self,
        table: &SearchTable,
        name: &str,
        value: &str,
    ) -> Result<Taken, ApiError> {
        if let Some(by_identifier) = names_patient(table, self.resource_type, name) {
            self.patients.push(PatientName { value: value.to_owned(), by_identifier });
            return Ok(Taken::Used);
        }
        match table.criterion(self.resource_type, name, value) {
            Ok(criterion) => {
                let name = name.split(':').next().unwrap_or_default().into();
                self.criteria.push(NamedCriterion { name, criterion });
                Ok(Taken::Used)
            }
            Err(QueryError::UnknownParameter { .. }) => Ok(Taken::Unknown),
            Err(error) => Err(error.into()),
        }
    }
}

/// The note on what was left out of a search.
pub(super) fn ignored(names: &str) -> Issue {
    Issue {
        severity: "warning",
        code: "not-supported",
        diagnostics: format!("not supported here and left out of the search: {names}"),
        expression: Vec::new(),
    }
}

/// Reads `_count`; more than a page may hold is cut.
///
/// # Errors
/// `BadValue` when it is no number of rows.
pub(super) fn page_size(value: &str, options: &ApiOptions) -> Result<usize, ApiError> {
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    if !digits {
        return Err(ApiError::BadValue {
            name: "_count".to_owned(),
            expected: "a number of rows, 0 or more",
        });
    }
    Ok(value.parse().unwrap_or(usize::MAX).min(options.page_size_max))
}

/// Whether a parameter says whose data is wanted; by an identifier, if `Some(true)`.
fn names_patient(table: &SearchTable, resource_type: ResourceType, name: &str) -> Option<bool> {
    let base = name.split(['.', ':']).next().unwrap_or_default();
    let known = matches!(base, "patient" | "subject")
        && table.parameters(resource_type).iter().any(|parameter| &*parameter.name == base);
    if !known {
        return None;
    }
    match &name[base.len()..] {
        "" | ":Patient" | "._id" | ":Patient._id" => Some(false),
        ":identifier" | ".identifier" | ":Patient.identifier" => Some(true),
        _ => None,
    }
}

fn include(table: &SearchTable, searched: ResourceType, value: &str) -> Option<Include> {
    let mut parts = value.split(':');
    let from = match parts.next()? {
        "*" => return Some(Include { from: searched, params: all(table, searched), target: None }),
        name => ResourceType::parse(name)?,
    };
    let param = parts.next()?;
    let target = match parts.next() {
        None => None,
        Some(name) => Some(ResourceType::parse(name)?),
    };
    let params = if param == "*" {
        all(table, from)
    } else {
        references(table, from).filter(|(_, name)| *name == param).map(|(i, _)| i).collect()
    };
    (!params.is_empty()).then_some(Include { from, params, target })
}

fn all(table: &SearchTable, from: ResourceType) -> Vec<u16> {
    references(table, from).map(|(index, _)| index).collect()
}

fn references(table: &SearchTable, of: ResourceType) -> impl Iterator<Item = (u16, &str)> {
    (0..=u16::MAX)
        .zip(table.parameters(of))
        .filter(|(_, parameter)| parameter.kind == ParameterKind::Reference)
        .map(|(index, parameter)| (index, &*parameter.name))
}

fn one_of(name: &str, value: &str, known: &[&str]) -> Result<(), ApiError> {
    if known.contains(&value) {
        return Ok(());
    }
    Err(ApiError::BadValue { name: name.to_owned(), expected: "one of the codes R4 lists for it" })
}
