//! `GET /care/panel/{group}/goals`: how the goals of a panel's persons stand. JSON and CSV, a page
//! of persons after the other; as FHIR a MeasureReport of the whole panel.
//!
//! A person counts once, however many members name them; a goal counts once, however many
//! providers state it.

use std::collections::BTreeMap;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::Response;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::care::{CountedBy, GoalCounts, PanelRow, Reported, measure_report, panel_csv};
use crate::fhir::{ResourceType, parse_moment};
use crate::flow::Owner;
use crate::pipeline::{Members, Panel};

use super::Api;
use super::answer::{Interaction, answer};
use super::call::Call;
use super::error::{ApiError, shown_name};
use super::group::{count, live, members, next_url, parsed, seal};
use super::paging::PageKey;
use super::params::Params;
use super::reader::Reader;
use super::respond::{self, Answer};

/// Members that are named as unmatched; the rest is counted.
const UNMATCHED_MAX: usize = 1_000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Json,
    Csv,
    Fhir,
}

/// `GET /care/panel/{group}/goals[?_since=T][&_count=N]`.
pub(super) async fn panel_goals(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    mut call: Call,
) -> Response {
    let id = match parsed(path) {
        Ok(id) => id,
        Err(error) => return respond::failure(&error, &call.request_id),
    };
    let shape = match (call.take_csv(), call.wants_fhir()) {
        (true, _) => Shape::Csv,
        (false, true) => Shape::Fhir,
        (false, false) => Shape::Json,
    };
    let about = Interaction { action: "panel-goals", resource_type: "Goal" };
    answer(api, call, about, move |reader, call| {
        let params = call.params()?;
        let known = ["_since", "_count", "_cursor", "_format", "_pretty"];
        if let Some((name, _)) = params.0.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            return Err(ApiError::NotSupported { names: shown_name(name) });
        }
        let by = counted_by(reader, &params)?;
        let panel = live(reader, id)?;
        let members = members(reader, &panel)?;
        match shape {
            Shape::Fhir => whole(reader, &by, &params, &panel, &members),
            Shape::Json | Shape::Csv => page(reader, call, &by, &panel, &members, shape),
        }
    })
    .await
}

fn counted_by(reader: &Reader<'_>, params: &Params) -> Result<CountedBy, ApiError> {
    let since = match params.last("_since") {
        None => None,
        Some(text) => {
            let expected = "a date or a time with its zone";
            let bad = || ApiError::BadValue { name: "_since".to_owned(), expected };
            Some(moment(text).ok_or_else(bad)?)
        }
    };
    let goal = ResourceType::of("Goal");
    let parameters = reader.gateway.search_table().parameters(goal);
    let place = |name: &str| {
        let found = parameters.iter().position(|parameter| &*parameter.name == name);
        found.and_then(|place| u16::try_from(place).ok()).unwrap_or(u16::MAX)
    };
    let params = ["lifecycle-status", "achievement-status", "target-date"].map(place);
    Ok(CountedBy { on: reader.gateway.today(), since, params })
}

/// The beginning of a date, or a time.
fn moment(text: &str) -> Option<Timestamp> {
    match text.parse::<jiff::civil::Date>() {
        Ok(day) if text.len() == 10 => Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp()),
        _ => {
            parse_moment(text)?;
            text.parse().ok()
        }
    }
}

/// The goals of one person. Only their search values are read, no resource.
fn goals_of(reader: &mut Reader<'_>, by: &CountedBy, owner: Owner) -> Result<GoalCounts, ApiError> {
    let goal = ResourceType::of("Goal");
    let mut counts = GoalCounts::new(by);
    // Not remembered: a panel has more persons than a request remembers tables.
    let Some(listing) = reader.store().listing(reader.access, owner, goal)? else {
        return Ok(counts);
    };
    let values = reader.values(owner, goal, &by.params)?;
    for row in listing.rows() {
        let row = row?;
        counts.count(by, values.of(row.id), row.last_updated);
    }
    Ok(counts)
}

fn total(
    reader: &mut Reader<'_>,
    by: &CountedBy,
    members: &Members,
) -> Result<GoalCounts, ApiError> {
    let mut total = GoalCounts::new(by);
    for owner in members.persons.keys() {
        total.add(&goals_of(reader, by, *owner)?);
    }
    Ok(total)
}

fn page(
    reader: &mut Reader<'_>,
    call: &Call,
    by: &CountedBy,
    panel: &Panel,
    members: &Members,
    shape: Shape,
) -> Result<Answer, ApiError> {
    let mut params = call.seen_params();
    params.0.retain(|(name, _)| name != "_pretty");
    let path = format!("/care/panel/{}/goals", panel.id);
    let seal = seal(reader, call, &path, &params);
    let after = match params.last("_cursor") {
        Some(cursor) => Some(seal.open(cursor)?.id),
        None => None,
    };
    let count = count(reader, &params)?;
    let behind = |owner: &&Owner| after.is_none_or(|after| owner.id() > after);
    let mut there: Vec<Owner> =
        members.persons.keys().filter(behind).take(count + 1).copied().collect();
    let more = there.len() > count;
    there.truncate(count);
    let mut counted: BTreeMap<Owner, GoalCounts> = BTreeMap::new();
    for owner in &there {
        counted.insert(*owner, goals_of(reader, by, *owner)?);
    }
    if shape == Shape::Csv {
        // It was taken out when it was understood.
        params.0.push(("_format".to_owned(), "csv".to_owned()));
    }
    let next = there.last().filter(|_| more).map(|last| {
        let cursor = seal.seal(PageKey { rank: 0, id: last.id() });
        next_url(&format!("{}{path}", reader.gateway.public_base_url()), &params, &cursor)
    });
    reader.count = there.len();
    if shape == Shape::Csv {
        let first = after.is_none();
        let answer = Answer::csv(table(panel, members, &counted, first));
        return Ok(match &next {
            Some(next) => answer.header(header::LINK, &format!("<{next}>; rel=\"next\"")),
            None => answer,
        });
    }
    let mut document = head(by, panel, members);
    if after.is_none() {
        document["total"] = json!(total(reader, by, members)?);
        document["unmatched"] = unmatched(panel, members);
    }
    document["persons"] = counted
        .iter()
        .map(|(owner, counts)| {
            let mut line = json!(counts);
            line["person"] = json!(format!("Patient/{}", owner.id()));
            line["members"] = json!(stated(panel, &members.persons[owner]));
            line
        })
        .collect();
    if let Some(next) = next {
        document["next"] = json!(next);
    }
    Ok(Answer::json(document.to_string()))
}

fn head(by: &CountedBy, panel: &Panel, members: &Members) -> Value {
    json!({
        "panel": {
            "id": panel.id.to_string(),
            "name": panel.name(),
            "client": &*panel.key.endpoint,
            "members": panel.members().len(),
            "persons": members.persons.len(),
            "unmatched": members.unmatched.len(),
            "left": members.left,
        },
        "asOf": by.on.to_string(),
        "since": by.since.map(|since| since.to_string()),
    })
}

fn unmatched(panel: &Panel, members: &Members) -> Value {
    let named = members.unmatched.iter().take(UNMATCHED_MAX);
    named
        .map(|(place, why)| json!({ "member": panel.stated(*place), "why": why.why_not() }))
        .collect()
}

/// How the panel states members.
fn stated(panel: &Panel, places: &[usize]) -> Vec<String> {
    places.iter().map(|place| panel.stated(*place)).collect()
}

/// The persons of a page; members without a person stand on the first one.
fn table(
    panel: &Panel,
    members: &Members,
    counted: &BTreeMap<Owner, GoalCounts>,
    first: bool,
) -> Vec<u8> {
    let persons = counted.iter().map(|(owner, counts)| PanelRow {
        person: format!("Patient/{}", owner.id()),
        members: stated(panel, &members.persons[owner]),
        counts: Some(counts),
        unmatched: "",
    });
    let others = members.unmatched.iter().filter(|_| first).map(|(place, why)| PanelRow {
        person: String::new(),
        members: stated(panel, &[*place]),
        counts: None,
        unmatched: why.why_not(),
    });
    panel_csv(persons.chain(others))
}

/// The MeasureReport of the whole panel.
fn whole(
    reader: &mut Reader<'_>,
    by: &CountedBy,
    params: &Params,
    panel: &Panel,
    members: &Members,
) -> Result<Answer, ApiError> {
    let counts = total(reader, by, members)?;
    reader.count = 1;
    let day = by.on.to_string();
    let report = measure_report(&Reported {
        subject: &format!("Group/{}", panel.id),
        date: &reader.gateway.now().to_string(),
        start: params.last("_since").unwrap_or(&day),
        end: &day,
        persons: members.persons.len() as u64,
        unmatched: members.unmatched.len() as u64,
        counts: &counts,
    });
    Ok(Answer::resource(report.to_string()))
}
