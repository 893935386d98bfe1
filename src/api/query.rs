//! A search request, taken apart: whom it is about, what must match, how it is to be answered.
//! <https://hl7.org/fhir/R4/search.html>

use jiff::Timestamp;

use crate::fhir::search::{Criterion, ParameterKind, QueryError, SearchTable, instant_matches};
use crate::fhir::{Issue, ResourceType, Subset};
use crate::flow::DerivedId;

use super::chain::{self, Condition};
use super::error::{ApiError, shown_name};
use super::params::{Params, alternatives};
use super::result_params::{ResultParams, refuse_modifier};
use super::{ApiOptions, provenance};

/// A parsed search.
pub(super) struct Query {
    /// The type searched.
    pub(super) resource_type: ResourceType,
    /// When it was asked.
    pub(super) now: Timestamp,
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
    /// What must hold along references.
    pub(super) chains: Vec<Condition>,
    /// `_include`.
    pub(super) includes: Vec<Include>,
    /// `_revinclude`.
    pub(super) revincludes: Vec<Include>,
    /// How it is to be answered.
    pub(super) result: ResultParams,
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
    /// Also from what was included before.
    pub(super) iterate: bool,
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
        (table, now): (&SearchTable, Timestamp),
        options: &ApiOptions,
        resource_type: ResourceType,
        params: Params,
        strict: bool,
    ) -> Result<Self, ApiError> {
        let mut query = Self::empty(options, resource_type, now);
        let mut unknown = Vec::new();
        for (name, value) in params.0 {
            match query.take(table, options, &name, &value)? {
                Taken::Used => query.used.0.push((name, value)),
                Taken::Unknown => unknown.push(shown_name(&name)),
                Taken::Silently => {}
            }
        }
        let included = !query.includes.is_empty() || !query.revincludes.is_empty();
        if query.result.subset == Subset::Text && included {
            let expected = "true, data or false beside _include and _revinclude";
            return Err(ApiError::BadValue { name: "_summary".to_owned(), expected });
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

    fn empty(options: &ApiOptions, resource_type: ResourceType, now: Timestamp) -> Self {
        Self {
            resource_type,
            now,
            patients: Vec::new(),
            ids: Vec::new(),
            provenance_ids: Vec::new(),
            last_updated: Vec::new(),
            criteria: Vec::new(),
            chains: Vec::new(),
            includes: Vec::new(),
            revincludes: Vec::new(),
            result: ResultParams::new(options),
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
        if self.result.take((table, options), self.resource_type, (name, value))? {
            return Ok(if name == "_cursor" { Taken::Silently } else { Taken::Used });
        }
        match name {
            "_id" => {
                let ids = alternatives(value);
                // What is no id of ours names nothing.
                self.ids.push(ids.iter().filter_map(|id| id.parse().ok()).collect());
                let about = |id: &&str| provenance::of_id(self.resource_type, id);
                self.provenance_ids.push(ids.iter().filter_map(about).collect());
            }
            "_lastUpdated" => {
                for alternative in alternatives(value) {
                    instant_matches(alternative, Timestamp::UNIX_EPOCH, self.now)?;
                }
                self.last_updated.push(value.to_owned());
            }
            _ if name.starts_with("_include") || name.starts_with("_revinclude") => {
                return self.take_include(table, name, value);
            }
            _ => {
                refuse_modifier(name)?;
                return self.take_criterion(table, name, value);
            }
        }
        Ok(Taken::Used)
    }

    fn take_include(
        &mut self,
        table: &SearchTable,
        name: &str,
        value: &str,
    ) -> Result<Taken, ApiError> {
        let (name, iterate) = match name.split_once(':') {
            // Servers before R4 called it so.
            Some((name, "iterate" | "recurse")) => (name, true),
            Some((name, modifier)) => {
                let (name, modifier) = (shown_name(name), shown_name(modifier));
                return Err(ApiError::BadModifier { name, modifier });
            }
            None => (name, false),
        };
        // Everything, from everything, is what `$everything` is for.
        let bounded = value != "*" || (name == "_include" && !iterate);
        let include = include(table, self.resource_type, value).filter(|_| bounded);
        let Some(include) = include else { return Ok(Taken::Unknown) };
        let include = Include { iterate, ..include };
        match name {
            "_include" => self.includes.push(include),
            "_revinclude" => self.revincludes.push(include),
            _ => return Ok(Taken::Unknown),
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
        if chain::is_chain(name) {
            let Some(condition) =
                Condition::parse((table, self.now), self.resource_type, (name, value))?
            else {
                return Ok(Taken::Unknown);
            };
            self.chains.push(condition);
            return Ok(Taken::Used);
        }
        match table.criterion(self.resource_type, name, value) {
            Ok(criterion) => {
                let name = name.split(':').next().unwrap_or_default().into();
                let criterion = criterion.at(self.now);
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
        "*" => {
            let params = all(table, searched);
            return Some(Include { from: searched, params, target: None, iterate: false });
        }
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
    (!params.is_empty()).then_some(Include { from, params, target, iterate: false })
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
