//! The search parameters that a simulated server understands.
//! <https://hl7.org/fhir/R4/search.html>

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::about::patient_id;
use super::holdings::{Held, Row};
use crate::fhir::{Moment, parse_moment};

/// A system, if one is asked for, and a value.
pub(super) type Token = (Option<Box<str>>, Box<str>);

/// A parsed search.
#[derive(Debug, Default)]
pub(super) struct Query {
    /// Ids of patients: `patient`, `subject`, `beneficiary`. Each parameter must hold.
    pub(super) patients: Vec<BTreeSet<Box<str>>>,
    pub(super) ids: Option<BTreeSet<Box<str>>>,
    /// Each parameter must hold.
    pub(super) identifiers: Vec<Vec<Token>>,
    updated: Vec<(Prefix, Moment)>,
    /// `_count`.
    pub(super) count: Option<usize>,
    /// `_summary=count`.
    pub(super) count_only: bool,
    /// Goes on after this place: our own paging parameter.
    pub(super) after: Option<String>,
    /// How many the first page counted: our own paging parameter.
    pub(super) total: Option<usize>,
    /// What a next link repeats.
    pub(super) repeated: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug)]
enum Prefix {
    Eq,
    Ne,
    Ge,
    Gt,
    Le,
    Lt,
    Ap,
}

/// `sa` and `eb` are `gt` and `lt` for an instant.
const PREFIXES: [(&str, Prefix); 9] = [
    ("eq", Prefix::Eq),
    ("ne", Prefix::Ne),
    ("ge", Prefix::Ge),
    ("gt", Prefix::Gt),
    ("sa", Prefix::Gt),
    ("le", Prefix::Le),
    ("lt", Prefix::Lt),
    ("eb", Prefix::Lt),
    ("ap", Prefix::Ap),
];

/// Our own parameters of next links.
pub(super) const AFTER: &str = "_after";
/// See [`AFTER`].
pub(super) const OF: &str = "_of";

impl Query {
    /// Reads query parameters.
    pub(super) fn parse(pairs: Vec<(String, String)>) -> Result<Self, String> {
        let mut query = Self::default();
        for (name, value) in pairs {
            match name.as_str() {
                "patient"
                | "subject"
                | "beneficiary"
                | "patient:Patient"
                | "subject:Patient"
                | "beneficiary:Patient" => {
                    query.patients.push(alternatives(&value).map(patient).collect());
                }
                "_id" => query.ids = Some(alternatives(&value).map(Into::into).collect()),
                "identifier" => {
                    query.identifiers.push(alternatives(&value).map(token).collect());
                }
                "_lastUpdated" | "_since" => query.updated.push(updated(&name, &value)?),
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
                OF => {
                    query.total = value.parse().ok();
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
    pub(super) fn names_patient(&self) -> bool {
        !self.patients.is_empty() || self.ids.is_some()
    }

    /// Whether patients, single resources or identifiers are named.
    pub(super) fn is_bounded(&self) -> bool {
        self.names_patient() || !self.identifiers.is_empty()
    }

    /// Whether times of change are asked for.
    pub(super) fn is_timed(&self) -> bool {
        !self.updated.is_empty()
    }

    /// Whether all of a type is asked for.
    pub(super) fn is_whole(&self) -> bool {
        !self.is_bounded() && !self.is_timed()
    }

    /// No resource that changed earlier matches.
    pub(super) fn changed_from(&self) -> Timestamp {
        let least = |(prefix, value): &(Prefix, Moment)| match prefix {
            Prefix::Eq | Prefix::Ge => value.from,
            Prefix::Gt => value.until,
            Prefix::Ne | Prefix::Le | Prefix::Lt | Prefix::Ap => Timestamp::MIN,
        };
        self.updated.iter().map(least).max().unwrap_or(Timestamp::MIN)
    }

    /// Whether a resource is asked for.
    pub(super) fn matches(&self, row: &Row<'_>) -> bool {
        let held = row.held;
        self.patients.iter().all(|any| held.patients.iter().any(|id| any.contains(id)))
            && self.ids.as_ref().is_none_or(|any| any.contains(row.id))
            && self.updated.iter().all(|asked| changed(asked, held.last_updated))
            && self.identifiers.iter().all(|any| any.iter().any(|token| has(held, token)))
    }
}

/// Whether a resource has an identifier.
pub(super) fn has(held: &Held, (system, value): &Token) -> bool {
    let same =
        |(s, v): &(Box<str>, Box<str>)| v == value && system.as_ref().is_none_or(|want| want == s);
    held.identifiers.iter().any(same)
}

/// `system|value`, `|value` (no system) or `value` (any system).
pub(super) fn token(value: &str) -> Token {
    match value.split_once('|') {
        Some((system, value)) => (Some(system.into()), value.into()),
        None => (None, value.into()),
    }
}

fn alternatives(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').filter(|v| !v.is_empty())
}

/// `7`, `Patient/7` or a Patient's absolute URL; a reference to anything else matches nobody.
fn patient(value: &str) -> Box<str> {
    match value.contains('/') {
        true => patient_id(value).unwrap_or_default().into(),
        false => value.into(),
    }
}

/// A date or instant with prefix.
fn updated(name: &str, value: &str) -> Result<(Prefix, Moment), String> {
    let found = PREFIXES.iter().find_map(|(text, p)| Some((value.strip_prefix(text)?, *p)));
    let default = if name == "_since" { Prefix::Ge } else { Prefix::Eq };
    let (text, prefix) = found.unwrap_or((value, default));
    // A plus sign that was not escaped arrives as a space.
    let moment = parse_moment(&text.replace(' ', "+"))
        .ok_or_else(|| format!("{name} takes a date or an instant with an optional prefix"))?;
    Ok((prefix, moment))
}

fn changed((prefix, value): &(Prefix, Moment), at: Timestamp) -> bool {
    match prefix {
        Prefix::Eq => value.from <= at && at < value.until,
        Prefix::Ne => at < value.from || value.until <= at,
        Prefix::Ge => at >= value.from,
        Prefix::Gt => at >= value.until,
        Prefix::Le => at < value.until,
        Prefix::Lt => at < value.from,
        Prefix::Ap => {
            // A tenth of the time that has passed since, as the specification proposes.
            let tenth = Timestamp::now().duration_since(value.from).abs() / 10;
            let far = |from: Timestamp, to: Timestamp| to.duration_since(from) > tenth;
            !far(at, value.from)
                && (at < value.until || !far(value.until, at))
                && tenth > SignedDuration::ZERO
        }
    }
}
