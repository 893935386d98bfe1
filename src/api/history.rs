//! FHIR history of the view: of one resource, of a type, of all types.
//! <https://hl7.org/fhir/R4/http.html#history>

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use jiff::Timestamp;

use crate::fhir::{Moment, ResourceType, parse_moment};
use crate::flow::{DerivedId, Owner};
use crate::store::{Change, ChangeKind};

use super::answer::{Interaction, answer};
use super::call::Call;
use super::error::{ApiError, shown_name};
use super::history_page::{self, HistoryPage, Place};
use super::paging::CursorSeal;
use super::params::Params;
use super::reader::Reader;
use super::respond::{self, Answer};
use super::result_params::page_size;
use super::{Api, ApiOptions, served};

/// Changes that a page of the history of a type or of all types looks at; a page may hold fewer
/// rows than were asked for, and its `next` link goes on.
const CHANGES_LOOKED_AT_MAX: usize = 10_000;

/// The parameters of a history.
#[derive(Default)]
struct Wanted {
    since: Option<Timestamp>,
    at: Option<Moment>,
    count: usize,
    cursor: Option<String>,
    used: Params,
}

/// `GET /fhir/{Type}/{id}/_history`.
pub(super) async fn of_resource(
    State(api): State<Api>,
    path: Result<Path<(String, String)>, PathRejection>,
    call: Call,
) -> Response {
    let parsed = path.map_err(|_| ApiError::NotFound).and_then(|Path((name, id))| {
        let id = id.parse::<DerivedId>().map_err(|_| ApiError::NotFound);
        Ok((served::parse(&name)?, id?))
    });
    let (resource_type, id) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return respond::failure(&error, &call.request_id),
    };
    let about = Interaction { action: "history", resource_type: resource_type.name() };
    answer(api, call, about, move |reader, call| {
        let wanted = Wanted::parse(reader.options, call.params()?, call.is_strict())?;
        resource_history(reader, &wanted, resource_type, id)
    })
    .await
}

/// `GET /fhir/{Type}/_history`.
pub(super) async fn of_type(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    call: Call,
) -> Response {
    let named =
        path.map_err(|_| ApiError::TypeNotServed).and_then(|Path(name)| served::parse(&name));
    match named {
        Ok(resource_type) => of_types(api, call, Some(resource_type)).await,
        Err(error) => respond::failure(&error, &call.request_id),
    }
}

/// `GET /fhir/_history`.
pub(super) async fn of_system(State(api): State<Api>, call: Call) -> Response {
    of_types(api, call, None).await
}

async fn of_types(api: Api, call: Call, only: Option<ResourceType>) -> Response {
    let about = Interaction { action: "history", resource_type: only.map_or("", |t| t.name()) };
    answer(api, call, about, move |reader, call| {
        let wanted = Wanted::parse(reader.options, call.params()?, call.is_strict())?;
        log_history(reader, &wanted, only)
    })
    .await
}

fn resource_history(
    reader: &mut Reader<'_>,
    wanted: &Wanted,
    resource_type: ResourceType,
    id: DerivedId,
) -> Result<Answer, ApiError> {
    let path = format!("/fhir/{resource_type}/{id}/_history");
    let (seal, after) = sealed(reader, &path, wanted)?;
    let present = reader.whose(resource_type, id)?;
    let changes = versions(reader, present, (resource_type, id))?;
    if changes.is_empty()
        && let Some(owner) = present
        && let Some(row) = reader.row(owner, resource_type, id)?
        && row.row().id != id
    {
        // It was merged before it was ever shown by itself.
        return resource_history(reader, wanted, resource_type, row.row().id);
    }
    if changes.is_empty() {
        return Err(ApiError::NotFound);
    }
    let changes: Vec<(Place, Change)> = held_within(changes, wanted)
        .into_iter()
        .map(|change| (Place { seq: change.seq, index: 0 }, change))
        .collect();
    let total = changes.len();
    let rest = changes.into_iter().skip_while(|(place, _)| after.is_some_and(|a| *place >= a));
    let mut rest: Vec<(Place, Change)> = rest.collect();
    let more = wanted.count > 0 && rest.len() > wanted.count;
    rest.truncate(wanted.count);
    let next = rest.last().filter(|_| more).map(|(place, _)| *place);
    let page = HistoryPage {
        path: &path,
        params: &wanted.used,
        cursor: wanted.cursor.as_deref(),
        seal: &seal,
        total: Some(total),
        next,
    };
    history_page::answer(reader, &page, rest.into_iter().map(|(_, change)| change).collect())
}

/// The versions of a resource, oldest first.
fn versions(
    reader: &mut Reader<'_>,
    present: Option<Owner>,
    named: (ResourceType, DerivedId),
) -> Result<Vec<Change>, ApiError> {
    let owners = owners_of(reader, present)?;
    let mut changes = reader.gateway.resource_history(reader.access, named, &owners)?;
    changes.retain(|change| is_version(change.kind));
    Ok(changes)
}

/// Which changes of a log, read from its end, made versions that held at the wanted time.
#[derive(Default)]
struct HeldThen {
    /// Which change had made what held when that time began.
    standing: BTreeMap<(ResourceType, DerivedId), Option<(u64, u32)>>,
}

impl HeldThen {
    fn holds(
        &mut self,
        reader: &mut Reader<'_>,
        at: Option<Moment>,
        change: &Change,
    ) -> Result<bool, ApiError> {
        let Some(at) = at else { return Ok(true) };
        if change.at >= at.from {
            return Ok(change.at < at.until);
        }
        let named = (change.resource_type, change.id);
        let standing = match self.standing.get(&named) {
            Some(known) => *known,
            None => {
                let present = reader.whose(named.0, named.1)?.or(Some(change.owner));
                let mut before = versions(reader, present, named)?;
                before.retain(|version| version.at <= at.from);
                let last = before.last().map(|version| (version.seq, version.version));
                self.standing.insert(named, last);
                last
            }
        };
        Ok(standing == Some((change.seq, change.version)))
    }
}

/// The newest first, those of the wanted times only.
fn held_within(changes: Vec<Change>, wanted: &Wanted) -> Vec<Change> {
    // A version held until the next one came.
    let ends: Vec<Option<Timestamp>> =
        changes.iter().skip(1).map(|next| Some(next.at)).chain([None]).collect();
    let mut held: Vec<Change> = changes
        .into_iter()
        .zip(ends)
        .filter(|(change, end)| {
            let since = wanted.since.is_none_or(|since| change.at >= since);
            let at = wanted
                .at
                .is_none_or(|at| change.at < at.until && end.is_none_or(|end| end > at.from));
            since && at
        })
        .map(|(change, _)| change)
        .collect();
    held.reverse();
    held
}

/// The history of a type or of all types, from the change log.
fn log_history(
    reader: &mut Reader<'_>,
    wanted: &Wanted,
    only: Option<ResourceType>,
) -> Result<Answer, ApiError> {
    let path = only.map_or("/fhir/_history".to_owned(), |t| format!("/fhir/{t}/_history"));
    let (seal, after) = sealed(reader, &path, wanted)?;
    reader.settle(None)?;
    let mut found: Vec<(Place, Change)> = Vec::new();
    let mut next = None;
    let mut looked_at = 0;
    let mut held = HeldThen::default();
    let mut before = after.map_or(u64::MAX, |after| after.seq.saturating_add(1));
    'log: loop {
        if wanted.count == 0 {
            break;
        }
        let changes = reader.store().newest_changes(reader.access, before, wanted.count)?;
        let Some(oldest) = changes.last().map(|change| change.seq) else { break };
        let mut index = u32::MAX;
        for change in changes {
            // Places within a commit fall, so that places order as the log does.
            index = if change.seq < before { u32::MAX } else { index - 1 };
            before = change.seq;
            let place = Place { seq: change.seq, index };
            if after.is_some_and(|after| place >= after) {
                continue;
            }
            if wanted.since.is_some_and(|since| change.at < since) {
                break 'log;
            }
            looked_at += 1;
            let is_wanted = is_version(change.kind)
                && only.is_none_or(|only| only == change.resource_type)
                && held.holds(reader, wanted.at, &change)?;
            if is_wanted && found.len() == wanted.count {
                next = found.last().map(|(place, _)| *place);
                break 'log;
            }
            if is_wanted {
                found.push((place, change));
            } else if looked_at >= CHANGES_LOOKED_AT_MAX {
                next = Some(place);
                break 'log;
            }
        }
        before = oldest;
    }
    let page = HistoryPage {
        path: &path,
        params: &wanted.used,
        cursor: wanted.cursor.as_deref(),
        seal: &seal,
        total: None,
        next,
    };
    history_page::answer(reader, &page, found.into_iter().map(|(_, change)| change).collect())
}

fn sealed(
    reader: &Reader<'_>,
    path: &str,
    wanted: &Wanted,
) -> Result<(CursorSeal, Option<Place>), ApiError> {
    let seal = CursorSeal::new(reader.store().id_key(), &reader.access.reader, path, &wanted.used);
    let after = wanted.cursor.as_deref().map(|cursor| seal.open(cursor)).transpose()?;
    Ok((seal, after.map(Place::of_key)))
}

/// Who may have logged changes of a resource: its owner today, and those who were one by one
/// before they were found to be this one.
fn owners_of(reader: &mut Reader<'_>, present: Option<Owner>) -> Result<Vec<Owner>, ApiError> {
    let Some(owner) = present else { return Ok(Vec::new()) };
    let (kind, same): (ResourceType, fn(DerivedId) -> Owner) = match owner {
        Owner::Person(_) => (ResourceType::of("Patient"), Owner::Person),
        Owner::Directory(id) => match reader.type_of(id)? {
            Some(kind) => (kind, Owner::Directory),
            None => return Ok(vec![owner]),
        },
    };
    let aliases = reader.aliases(owner, kind, owner.id())?;
    let owners: BTreeSet<Owner> = aliases.into_iter().map(same).chain([owner]).collect();
    Ok(owners.into_iter().collect())
}

/// What goes from one owner's view to another's as it was is no new version.
fn is_version(kind: ChangeKind) -> bool {
    match kind {
        ChangeKind::Created | ChangeKind::Updated | ChangeKind::Removed => true,
        ChangeKind::Arrived | ChangeKind::Left => false,
    }
}

impl Wanted {
    fn parse(options: &ApiOptions, params: Params, strict: bool) -> Result<Self, ApiError> {
        let mut wanted = Self { count: options.page_size_default, ..Self::default() };
        let bad = |name: &str, expected| ApiError::BadValue { name: name.to_owned(), expected };
        for (name, value) in params.0 {
            match name.as_str() {
                "_format" | "_pretty" => {}
                "_cursor" => {
                    wanted.cursor = Some(value);
                    continue;
                }
                "_count" => wanted.count = page_size(&value, options)?,
                "_since" => {
                    let moment = parse_moment(&value).ok_or_else(|| bad(&name, "an instant"))?;
                    wanted.since = Some(moment.from);
                }
                "_at" => {
                    let expected = "a date, or an instant";
                    wanted.at = Some(parse_moment(&value).ok_or_else(|| bad(&name, expected))?);
                }
                other if strict => {
                    return Err(ApiError::NotSupported { names: shown_name(other) });
                }
                // Left out of the self link: that tells it.
                _ => continue,
            }
            wanted.used.0.push((name, value));
        }
        Ok(wanted)
    }
}
