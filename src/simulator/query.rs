//! The search parameters that a simulated server understands.
//! <https://hl7.org/fhir/R4/search.html>

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::holdings::Row;

/// A system, if one is asked for, and a value.
type Token = (Option<Box<str>>, Box<str>);

/// A parsed search.
#[derive(Debug, Default)]
pub(super) struct Query {
    /// Ids of patients: `patient`, `subject`, `beneficiary`. Each parameter must hold.
    patients: Vec<BTreeSet<Box<str>>>,
    ids: Option<BTreeSet<Box<str>>>,
    identifiers: Vec<Vec<Token>>,
    updated: Vec<(Prefix, Timestamp, Timestamp)>,
    /// `_count`.
    pub(super) count: Option<usize>,
    /// `_summary=count`.
    pub(super) count_only: bool,
    /// Goes on after this place: our own paging parameter.
    pub(super) after: Option<String>,
    /// What a next link repeats.
    pub(super) repeated: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug)]
enum Prefix {
    Eq,
    Ge,
    Gt,
    Le,
    Lt,
}

/// Our own parameter of next links.
pub(super) const AFTER: &str = "_after";

impl Query {
    /// Reads query parameters.
    pub(super) fn parse(pairs: Vec<(String, String)>) -> Result<Self, String> {
        let mut query = Self::default();
        for (name, value) in pairs {
            match name.as_str() {
                "patient" | "subject" | "beneficiary" => {
                    query.patients.push(alternatives(&value).map(patient_id).collect());
                }
                "_id" => query.ids = Some(alternatives(&value).map(Into::into).collect()),
                "identifier" => {
                    query.identifiers.push(alternatives(&value).map(token).collect());
                }
                "_lastUpdated" | "_since" => query.updated.push(instant(&name, &value)?),
                "_count" => {
                    let count = value.parse().map_err(|_| "_count is no number".to_owned())?;
                    query.count = Some(count);
                }
                "_summary" => query.count_only = value == "count",
                "_format" => {}
                AFTER => {
                    query.after = Some(value);
                    continue;
                }
                _ => {
                    return Err(format!(
                        "search parameter \"{}\" is not supported; known: patient, subject, \
                     beneficiary, identifier, _id, _lastUpdated, _count, _summary",
                        name.chars().take(64).collect::<String>()
                    ));
                }
            }
            query.repeated.push((name, value));
        }
        Ok(query)
    }

    /// Narrows the search to one patient.
    pub(super) fn about(&mut self, patient: &str) {
        self.patients.push(BTreeSet::from([patient.into()]));
    }

    /// Whether a patient, or single resources, are named.
    pub(super) fn is_bounded(&self) -> bool {
        !self.patients.is_empty() || self.ids.is_some()
    }

    /// Whether a resource is asked for.
    pub(super) fn matches(&self, row: &Row<'_>) -> bool {
        let held = row.held;
        self.patients.iter().all(|any| any.iter().any(|id| held.patients.contains(id)))
            && self.ids.as_ref().is_none_or(|any| any.contains(row.id))
            && self.updated.iter().all(|bound| updated_matches(bound, held.last_updated))
            && self.identifiers.iter().all(|any| {
                any.iter().any(|(system, value)| {
                    held.identifiers
                        .iter()
                        .any(|(s, v)| v == value && system.as_ref().is_none_or(|want| want == s))
                })
            })
    }
}

fn alternatives(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').filter(|v| !v.is_empty())
}

/// `7`, `Patient/7` or a Patient's absolute URL.
fn patient_id(value: &str) -> Box<str> {
    value.rsplit('/').next().unwrap_or(value).into()
}

/// `system|value`, `|value` (no system) or `value` (any system).
fn token(value: &str) -> Token {
    match value.split_once('|') {
        Some((system, value)) => (Some(system.into()), value.into()),
        None => (None, value.into()),
    }
}

/// A date or instant with prefix, as the time from its first instant to the first one after it.
fn instant(name: &str, value: &str) -> Result<(Prefix, Timestamp, Timestamp), String> {
    let prefixes = [
        ("eq", Prefix::Eq),
        ("ge", Prefix::Ge),
        ("gt", Prefix::Gt),
        ("le", Prefix::Le),
        ("lt", Prefix::Lt),
    ];
    let found = prefixes.iter().find_map(|(text, p)| Some((value.strip_prefix(text)?, *p)));
    let default = if name == "_since" { Prefix::Ge } else { Prefix::Eq };
    let (text, prefix) = found.unwrap_or((value, default));
    let wrong = || format!("{name} takes a date or an instant with an optional prefix");
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok((prefix, at, at + 1.millisecond()));
    }
    let day: Date = text.parse().map_err(|_| wrong())?;
    let next = day.tomorrow().map_err(|_| wrong())?;
    let start = |d: Date| d.to_zoned(TimeZone::UTC).map(|z| z.timestamp()).map_err(|_| wrong());
    Ok((prefix, start(day)?, start(next)?))
}

fn updated_matches((prefix, from, until): &(Prefix, Timestamp, Timestamp), at: Timestamp) -> bool {
    match prefix {
        Prefix::Eq => *from <= at && at < *until,
        Prefix::Ge => at >= *from,
        Prefix::Gt => at >= *until,
        Prefix::Le => at < *until,
        Prefix::Lt => at < *from,
    }
}
