//! `GET /care/loops`: referral loops and where they stand, of one person or of all.
//!
//! Over all persons only the open ones are listed, by the findings about them, which the
//! cross-person index has.

mod told;

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};

use crate::fhir::ResourceType;
use crate::flow::Owner;
use crate::reconcile::{Loop, STAGE_SYSTEM, Stage};

use super::Api;
use super::answer::{Interaction, answer};
use super::call::Call;
use super::error::{ApiError, shown_name};
use super::paging::{CursorSeal, PageKey, page};
use super::params::Params;
use super::query::Query;
use super::reader::Reader;
use super::respond::Answer;
use super::{patient_ref, scope};
use told::{Known, known};

const PATH: &str = "/care/loops";
/// The rules of the findings about open loops.
const OPEN: &str = "open-loop,awaiting-closure";

/// Which loops are asked for.
struct Asked {
    open: Option<bool>,
    stage: Option<Stage>,
}

/// A page of loops, each with whose it is.
struct Listed {
    loops: Vec<(Owner, Loop)>,
    total: Option<usize>,
    next: Option<PageKey>,
}

/// `GET /care/loops[?status=open|closed|all][&stage=CODE][&patient=ID][&_count=N]`.
pub(super) async fn care_loops(State(api): State<Api>, call: Call) -> Response {
    let about = Interaction { action: "care-loops", resource_type: "ServiceRequest" };
    answer(api, call, about, run).await
}

fn run(reader: &mut Reader<'_>, call: &mut Call) -> Result<Answer, ApiError> {
    let params = call.params()?;
    let asked = Asked::of(&params)?;
    let seal =
        CursorSeal::new(reader.store().id_key(), &reader.access.reader, PATH, &shown(&params));
    let mut query = search(reader, &asked, &params)?;
    let after = query.result.cursor.take().map(|cursor| seal.open(&cursor)).transpose()?;
    let mut people = BTreeMap::new();
    let listed = match query.patients.is_empty() {
        false => of_persons(reader, &mut query, &mut people, &asked, after)?,
        true => of_all(reader, &mut query, &mut people, &asked, after)?,
    };
    let mut loops = Vec::with_capacity(listed.loops.len());
    for (owner, found) in &listed.loops {
        if let Some(known) = people.get(owner) {
            loops.push(known.told(reader, found));
        }
    }
    let mut body = json!({"loops": loops});
    if let Some(total) = listed.total {
        body["total"] = json!(total);
    }
    if let Some(next) = listed.next {
        let mut params = shown(&params);
        params.0.push(("_cursor".to_owned(), seal.seal(next)));
        let base = reader.gateway.public_base_url();
        body["next"] = Value::String(format!("{base}{PATH}?{}", params.encoded()));
    }
    Ok(Answer::json(body.to_string()))
}

impl Asked {
    fn of(params: &Params) -> Result<Self, ApiError> {
        let known = ["status", "stage", "patient", "_count", "_cursor", "_format", "_pretty"];
        if let Some((name, _)) = params.0.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            return Err(ApiError::NotSupported { names: shown_name(name) });
        }
        let bad = |name: &str, expected| ApiError::BadValue { name: name.to_owned(), expected };
        let open = match params.last("status") {
            None | Some("open") => Some(true),
            Some("closed") => Some(false),
            Some("all") => None,
            Some(_) => return Err(bad("status", "open, closed or all")),
        };
        let stage = params.last("stage").map(|code| {
            let stage = Stage::ALL.into_iter().find(|stage| stage.code() == code);
            stage.ok_or_else(|| bad("stage", "a stage of a loop: sent, accepted, in-progress …"))
        });
        Ok(Self { open, stage: stage.transpose()? })
    }

    fn fits(&self, found: &Loop) -> bool {
        self.open.is_none_or(|open| open == found.stage.is_open())
            && self.stage.is_none_or(|stage| stage == found.stage)
    }
}

/// What links state.
fn shown(params: &Params) -> Params {
    let kept = params.0.iter().filter(|(name, _)| name != "_cursor");
    Params(kept.cloned().collect())
}

/// The same as a search for the findings about loops.
fn search(reader: &Reader<'_>, asked: &Asked, params: &Params) -> Result<Query, ApiError> {
    let of_page = |(name, _): &&(String, String)| !["status", "stage"].contains(&name.as_str());
    let mut search = Params(params.0.iter().filter(of_page).cloned().collect());
    let code = match asked.stage {
        Some(stage) => format!("{STAGE_SYSTEM}|{}", stage.code()),
        None => OPEN.to_owned(),
    };
    search.0.push(("code".to_owned(), code));
    let table = (reader.gateway.search_table(), reader.gateway.now());
    Query::parse(table, reader.options, ResourceType::of("DetectedIssue"), search, true)
}

fn of_persons(
    reader: &mut Reader<'_>,
    query: &mut Query,
    people: &mut BTreeMap<Owner, Known>,
    asked: &Asked,
    after: Option<PageKey>,
) -> Result<Listed, ApiError> {
    let mut all: Vec<(PageKey, Owner, Loop)> = Vec::new();
    for owner in patient_ref::persons(reader, query)? {
        let known = known(reader, owner)?;
        for found in known.loops.iter().filter(|found| asked.fits(found)) {
            let id = known.id_of(&found.request);
            all.extend(id.map(|id| (PageKey { rank: 0, id }, owner, found.clone())));
        }
        people.insert(owner, known);
    }
    all.sort_by_key(|(key, ..)| *key);
    let total = all.len();
    let start = after.map_or(0, |after| all.partition_point(|(key, ..)| *key <= after));
    let end = total.min(start.saturating_add(query.result.count));
    let next = (start < end && end < total).then(|| all[end - 1].0);
    let loops = all.drain(start..end).map(|(_, owner, found)| (owner, found)).collect();
    Ok(Listed { loops, total: Some(total), next })
}

fn of_all(
    reader: &mut Reader<'_>,
    query: &mut Query,
    people: &mut BTreeMap<Owner, Known>,
    asked: &Asked,
    after: Option<PageKey>,
) -> Result<Listed, ApiError> {
    let is_open = asked.open == Some(true) && asked.stage.is_none_or(Stage::is_open);
    if !is_open {
        let add = "patient=, or list open loops: only those are known across persons";
        return Err(ApiError::TooCostly { add: add.to_owned() });
    }
    let hits = scope::matching(reader, query)?;
    let hits = hits.into_iter().map(|hit| (hit.key(), hit)).collect();
    let page = page(hits, after.as_ref(), query.result.count);
    let mut loops = Vec::with_capacity(page.hits.len());
    for issue in page.hits.iter().filter_map(|hit| hit.as_row()) {
        let owner = issue.owner;
        if let std::collections::btree_map::Entry::Vacant(unknown) = people.entry(owner) {
            unknown.insert(known(reader, owner)?);
        }
        let found = people.get(&owner).and_then(|known| known.of_issue(issue.row().id));
        loops.extend(found.filter(|found| asked.fits(found)).map(|found| (owner, found.clone())));
    }
    Ok(Listed { loops, total: page.total, next: page.next })
}
