//! `Patient/{id}/$everything`: the whole view of one person.
//! <https://hl7.org/fhir/R4/operation-patient-everything.html>

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::fhir::{ResourceType, Subset, parse_moment};
use crate::flow::{DerivedId, Owner};

use super::answer::{Interaction, answer};
use super::call::Call;
use super::care_dates::CareDates;
use super::error::{ApiError, shown_name};
use super::hit::Hit;
use super::paging::{CursorSeal, Page, PageKey, page};
use super::params::{Params, alternatives};
use super::query::ignored;
use super::reader::{Reader, RowRef};
use super::respond::{self, Answer};
use super::result_params::page_size;
use super::searchset::Searchset;
use super::{Api, ApiOptions, served};

/// How far references are followed from the person's rows into the directory: a role, its
/// organization, the organization it is part of.
const DIRECTORY_STEPS: usize = 3;

/// The operation's parameters.
#[derive(Default)]
struct Wanted {
    types: Option<BTreeSet<ResourceType>>,
    since: Option<jiff::Timestamp>,
    dates: CareDates,
    count: usize,
    cursor: Option<String>,
    used: Params,
    ignored: Vec<String>,
}

/// `GET /fhir/Patient/{id}/$everything`.
pub(super) async fn everything(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    call: Call,
) -> Response {
    let id: Result<DerivedId, ApiError> = path
        .map_err(|_| ApiError::NotFound)
        .and_then(|Path(id)| id.parse().map_err(|_| ApiError::NotFound));
    let id = match id {
        Ok(id) => id,
        Err(error) => return respond::failure(&error, &call.request_id),
    };
    let about = Interaction { action: "everything", resource_type: "Patient" };
    answer(api, call, about, move |reader, call| run(reader, call, id)).await
}

fn run(reader: &mut Reader<'_>, call: &mut Call, id: DerivedId) -> Result<Answer, ApiError> {
    let wanted = Wanted::parse(reader.options, call.params()?, call.is_strict())?;
    let patient = reader.locate(ResourceType::of("Patient"), id)?;
    let path = format!("/fhir/Patient/{}/$everything", patient.row().id);
    let seal = CursorSeal::new(reader.store().id_key(), &reader.access.reader, &path, &wanted.used);
    let after = wanted.cursor.as_deref().map(|cursor| seal.open(cursor)).transpose()?;
    let page = page_of(reader, &wanted, patient.owner, after)?;
    let notes = match wanted.ignored.as_slice() {
        [] => Vec::new(),
        names => vec![ignored(&names.join(", "))],
    };
    let searchset = Searchset {
        path: &path,
        params: &wanted.used,
        cursor: wanted.cursor.as_deref(),
        next: page.next.map(|key| seal.seal(key)),
        total: page.total,
        hits: page.hits,
        extras: Vec::new(),
        subset: &Subset::Whole,
        notes,
    };
    searchset.answer(reader)
}

/// One page of the person's rows, the Patient first, and of the directory rows they refer to,
/// which come last. To know those all bodies must be read, so a page that ends before them does
/// not look for them; how many rows there are in all is then not known.
fn page_of(
    reader: &mut Reader<'_>,
    wanted: &Wanted,
    owner: Owner,
    after: Option<PageKey>,
) -> Result<Page<PageKey>, ApiError> {
    let mut rows = Vec::new();
    for resource_type in served::person_types() {
        let of_type = reader.rows(owner, resource_type)?;
        rows.extend(wanted.dates.within(reader, resource_type, of_type)?);
    }
    let within = page(wanted.hits(&rows), after.as_ref(), wanted.count);
    let wants_directory =
        wanted.types.as_ref().is_none_or(|types| types.iter().copied().any(served::in_directory));
    if !wants_directory {
        return Ok(within);
    }
    if within.next.is_some() {
        return Ok(Page { total: None, ..within });
    }
    add_directory(reader, &mut rows)?;
    Ok(page(wanted.hits(&rows), after.as_ref(), wanted.count))
}

/// Adds the directory rows that rows of the person refer to.
fn add_directory(reader: &mut Reader<'_>, rows: &mut Vec<RowRef>) -> Result<(), ApiError> {
    let mut seen: BTreeSet<_> = rows.iter().map(RowRef::identity).collect();
    let mut fresh = rows.clone();
    for _ in 0..DIRECTORY_STEPS {
        let mut found = Vec::new();
        for reference in directory_references(reader, &fresh)? {
            let row = reader.referred(&reference)?;
            found.extend(row.filter(|row| seen.insert(row.identity())));
        }
        rows.extend(found.iter().cloned());
        fresh = found;
    }
    Ok(())
}

/// The directory resources that bodies refer to; search values do not hold every reference.
fn directory_references(
    reader: &mut Reader<'_>,
    rows: &[RowRef],
) -> Result<BTreeSet<String>, ApiError> {
    const OPEN: &[u8] = br#""reference":""#;
    let mut references = BTreeSet::new();
    for body in reader.bodies(rows)?.into_iter().flatten() {
        let mut rest = &body[..];
        while let Some(at) = rest.windows(OPEN.len()).position(|window| window == OPEN) {
            rest = &rest[at + OPEN.len()..];
            let end = rest.iter().position(|&byte| byte == b'"').unwrap_or(rest.len());
            let literal = std::str::from_utf8(&rest[..end]).unwrap_or_default();
            let to_directory = literal
                .split_once('/')
                .and_then(|(name, _)| ResourceType::parse(name))
                .is_some_and(served::in_directory);
            if to_directory {
                references.insert(literal.to_owned());
            }
        }
    }
    Ok(references)
}

impl Wanted {
    fn parse(options: &ApiOptions, params: Params, strict: bool) -> Result<Self, ApiError> {
        let mut wanted = Self { count: options.page_size_default, ..Self::default() };
        for (name, value) in params.0 {
            match name.as_str() {
                "_format" | "_pretty" => {}
                "_cursor" => {
                    wanted.cursor = Some(value);
                    continue;
                }
                "_count" => wanted.count = page_size(&value, options)?,
                "_type" => {
                    let types = alternatives(&value);
                    let types: Option<BTreeSet<_>> =
                        types.into_iter().map(ResourceType::parse).collect();
                    let bad = || bad(&name, "resource types with commas between them");
                    wanted.types.get_or_insert_default().extend(types.ok_or_else(bad)?);
                }
                "_since" => {
                    let moment = parse_moment(&value).ok_or_else(|| bad(&name, "an instant"))?;
                    wanted.since = Some(moment.from);
                }
                "start" => {
                    let moment = parse_moment(&value).ok_or_else(|| bad(&name, "a date"))?;
                    wanted.dates.from = Some(moment.from);
                }
                "end" => {
                    let moment = parse_moment(&value).ok_or_else(|| bad(&name, "a date"))?;
                    wanted.dates.until = Some(moment.until);
                }
                other if strict => {
                    return Err(ApiError::NotSupported { names: shown_name(other) });
                }
                other => {
                    wanted.ignored.push(shown_name(other));
                    continue;
                }
            }
            wanted.used.0.push((name, value));
        }
        Ok(wanted)
    }

    /// What is wanted of these rows, with its place in the answer.
    fn hits(&self, rows: &[RowRef]) -> Vec<(PageKey, Hit)> {
        let ranks: BTreeMap<ResourceType, u8> = served::types().zip(0..=u8::MAX).collect();
        let key = |row: &RowRef| PageKey { rank: ranks[&row.resource_type], id: row.row().id };
        let taken = rows.iter().filter(|row| self.takes(row));
        taken.map(|row| (key(row), Hit::Row(row.clone()))).collect()
    }

    fn takes(&self, row: &RowRef) -> bool {
        let of_type = self.types.as_ref().is_none_or(|types| types.contains(&row.resource_type));
        of_type && self.since.is_none_or(|since| row.row().last_updated >= since)
    }
}

fn bad(name: &str, expected: &'static str) -> ApiError {
    ApiError::BadValue { name: name.to_owned(), expected }
}
