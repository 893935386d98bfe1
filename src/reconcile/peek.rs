//! Looks at single elements of a body without building the whole tree.

use std::borrow::Cow;
use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value;

use crate::compare::clinical_text;
use crate::fhir::{Moment, parse_moment};
use crate::flow::Role;

use super::claim::Claim;

#[derive(Deserialize)]
struct WithMeta<'a> {
    #[serde(borrow)]
    meta: Option<Meta<'a>>,
}

#[derive(Deserialize)]
struct Meta<'a> {
    #[serde(borrow)]
    source: Option<Cow<'a, str>>,
}

/// Where senders put the moment at which something was observed or done.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct WithMoment<'a> {
    #[serde(borrow)]
    effective_date_time: Option<Cow<'a, str>>,
    #[serde(borrow)]
    effective_instant: Option<Cow<'a, str>>,
    #[serde(borrow)]
    effective_period: Option<PeriodStart<'a>>,
    #[serde(borrow)]
    performed_date_time: Option<Cow<'a, str>>,
    #[serde(borrow)]
    performed_period: Option<PeriodStart<'a>>,
    #[serde(borrow)]
    occurrence_date_time: Option<Cow<'a, str>>,
    #[serde(borrow)]
    period: Option<PeriodStart<'a>>,
    #[serde(borrow)]
    start: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct PeriodStart<'a> {
    #[serde(borrow)]
    start: Option<Cow<'a, str>>,
}

/// `meta.source` without version part, if the body states one.
pub(super) fn meta_source(body: &[u8]) -> Option<Box<str>> {
    // Most bodies have none; a search for the word is much cheaper than a parse.
    let text = std::str::from_utf8(body).ok()?;
    if !text.contains("\"source\"") {
        return None;
    }
    let with: WithMeta<'_> = serde_json::from_str(text).ok()?;
    let source = with.meta?.source?;
    let bare = source.split_once("/_history/").map_or(&*source, |(before, _)| before);
    (!bare.is_empty()).then(|| bare.into())
}

/// The moment at which something was observed or done, and whether its time of day is stated.
pub(super) fn moment(body: &[u8]) -> Option<(Moment, bool)> {
    let with: WithMoment<'_> = serde_json::from_slice(body).ok()?;
    let text = with
        .effective_date_time
        .or(with.effective_instant)
        .or(with.effective_period.and_then(|p| p.start))
        .or(with.performed_date_time)
        .or(with.performed_period.and_then(|p| p.start))
        .or(with.occurrence_date_time)
        .or(with.period.and_then(|p| p.start))
        .or(with.start)?;
    Some((parse_moment(&text)?, text.contains('T')))
}

/// Where requests and tasks say when they were written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WithAuthored<'a> {
    #[serde(borrow)]
    authored_on: Option<Cow<'a, str>>,
}

/// The moment at which a request was written, and whether its time of day is stated.
pub(super) fn authored(body: &[u8]) -> Option<(Moment, bool)> {
    let with: WithAuthored<'_> = serde_json::from_slice(body).ok()?;
    let text = with.authored_on?;
    Some((parse_moment(&text)?, text.contains('T')))
}

/// Where records say when what they are about began.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WithBeginning<'a> {
    #[serde(borrow)]
    onset_date_time: Option<Cow<'a, str>>,
    #[serde(borrow)]
    onset_period: Option<PeriodStart<'a>>,
    #[serde(borrow)]
    occurrence_date_time: Option<Cow<'a, str>>,
    #[serde(borrow)]
    occurrence_period: Option<PeriodStart<'a>>,
}

/// The moment at which a problem began or a service is to begin, and whether its time of day is
/// stated.
pub(super) fn began(body: &[u8]) -> Option<(Moment, bool)> {
    let with: WithBeginning<'_> = serde_json::from_slice(body).ok()?;
    let text = with
        .onset_date_time
        .or(with.onset_period.and_then(|p| p.start))
        .or(with.occurrence_date_time)
        .or(with.occurrence_period.and_then(|p| p.start))?;
    Some((parse_moment(&text)?, text.contains('T')))
}

/// Whether two bodies of one endpoint say the very same under two ids.
pub(super) fn same_but_for_id(a: &[u8], b: &[u8]) -> bool {
    let bare = |body: &[u8]| {
        let mut value: Value = serde_json::from_slice(body).ok()?;
        let object = value.as_object_mut()?;
        for name in ["id", "meta", "text"] {
            object.shift_remove(name);
        }
        Some(value)
    };
    match (bare(a), bare(b)) {
        (Some(a), Some(b)) => a == b,
        _ => false,
    }
}

/// What the references of a role are called in the claim itself, sorted.
pub(super) fn displays(claim: &Claim<'_>, role: Role) -> Vec<String> {
    let mut links = claim.facts.links.iter().filter(|link| link.role == role).peekable();
    let text = std::str::from_utf8(claim.body).unwrap_or_default();
    if !text.contains("\"display\"") {
        return Vec::new();
    }
    let linked = links.peek().is_some();
    // Who is only called by name is no link. Looking for the word is cheaper than a parse.
    let elements = named_elements(role);
    if !linked && !elements.iter().any(|name| text.contains(&format!("\"{name}\""))) {
        return Vec::new();
    }
    let Ok(body) = serde_json::from_str::<Value>(text) else { return Vec::new() };
    let display = |reference: &Value| {
        let display = reference.get("display")?.as_str()?;
        (!display.trim().is_empty()).then(|| display.to_owned())
    };
    let mut names: Vec<String> = match linked {
        true => links.filter_map(|link| display(body.pointer(&link.pointer)?)).collect(),
        false => {
            let stated = elements.iter().filter_map(|name| body.get(*name));
            let each = stated.flat_map(|value| match value {
                Value::Array(list) => list.as_slice(),
                one => std::slice::from_ref(one),
            });
            each.filter_map(display).collect()
        }
    };
    names.sort();
    names
}

/// The elements of the parties that are compared by name.
fn named_elements(role: Role) -> &'static [&'static str] {
    match role {
        Role::Requester => &["requester"],
        Role::Performer => &["performer", "owner"],
        Role::Author => &["author"],
        Role::Focus => &["focus"],
        Role::Addresses => &["addresses", "reasonReference"],
        Role::Contributor => &["contributor"],
        Role::Goal => &["goal"],
        _ => &[],
    }
}

/// The first and last days for which the activities of a plan are scheduled, as far as both are
/// told.
pub(super) fn scheduled(body: &[u8]) -> BTreeSet<(Date, Date)> {
    let text = std::str::from_utf8(body).unwrap_or_default();
    if !text.contains("\"scheduled") {
        return BTreeSet::new();
    }
    let Ok(body) = serde_json::from_str::<Value>(text) else { return BTreeSet::new() };
    let activities = body.get("activity").and_then(Value::as_array).into_iter().flatten();
    let periods = activities.filter_map(|activity| {
        let detail = activity.get("detail")?;
        detail
            .get("scheduledPeriod")
            .or_else(|| detail.get("scheduledTiming")?.get("repeat")?.get("boundsPeriod"))
    });
    let day = |period: &Value, end: &str| -> Option<Date> {
        parse_moment(period.get(end)?.as_str()?).map(|moment| moment.first_day)
    };
    periods.filter_map(|period| day(period, "start").zip(day(period, "end"))).collect()
}

/// What the categories are called, normalised.
pub(super) fn categories(body: &[u8]) -> Vec<String> {
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return Vec::new() };
    let concepts = body.get("category").and_then(Value::as_array).into_iter().flatten();
    let names = concepts.flat_map(|concept| {
        let codings = concept.get("coding").and_then(Value::as_array).into_iter().flatten();
        let displays = codings.filter_map(|coding| coding.get("display"));
        displays.chain(concept.get("text")).filter_map(Value::as_str)
    });
    names.map(|name| clinical_text(name).into()).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WithOnset<'a> {
    #[serde(borrow)]
    onset_date_time: Option<Cow<'a, str>>,
}

/// The day on which a problem began, if it is stated to the day.
pub(super) fn onset_day(body: &[u8]) -> Option<Date> {
    let with: WithOnset<'_> = serde_json::from_slice(body).ok()?;
    let onset = parse_moment(&with.onset_date_time?)?;
    (onset.first_day == onset.last_day).then_some(onset.first_day)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WithDates<'a> {
    #[serde(borrow)]
    last_modified: Option<Cow<'a, str>>,
    #[serde(borrow)]
    status_date: Option<Cow<'a, str>>,
}

/// `lastModified` or `statusDate`, as stated.
pub(super) fn date(body: &[u8], name: &str) -> Option<String> {
    let dates: WithDates<'_> = serde_json::from_slice(body).ok()?;
    let date = match name {
        "lastModified" => dates.last_modified,
        "statusDate" => dates.status_date,
        _ => None,
    };
    date.map(Cow::into_owned)
}
