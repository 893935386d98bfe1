//! Check-ins: what a request or a plan wants done again and again, and when it is next due.
//! <https://hl7.org/fhir/R4/datatypes.html#Timing>

use jiff::civil::Date;
use jiff::{Span, ToSpan};
use serde::Serialize;
use serde_json::Value;

use crate::fhir::parse_moment;

use super::measure::{Measure, name};
use super::readings::when;

/// Something that is to be done again and again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckIn {
    /// What it is.
    pub what: String,
    /// The ServiceRequest or CarePlan that wants it.
    pub of: String,
    /// How often, in days, weeks, months or years.
    pub every: String,
    /// When it was last done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Date>,
    /// The resource that says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done_by: Option<String>,
    /// When it is next due.
    pub due: Date,
    /// How that stands today.
    pub standing: Standing,
}

/// How a due day stands against today.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// The day is past.
    Overdue,
    /// It is today.
    Due,
    /// It is to come.
    Upcoming,
}

/// What wants to be repeated.
struct Wanted<'r> {
    of: String,
    code: Option<&'r Value>,
    timing: &'r Value,
    start: Option<Date>,
}

/// All check-ins, those that are due first.
pub(super) fn check_ins(resources: &[Value], on: Date) -> Vec<CheckIn> {
    let doings: Vec<Doing<'_>> = resources.iter().filter_map(Doing::of).collect();
    let mut found: Vec<CheckIn> =
        wanted(resources).iter().filter_map(|w| check_in(w, &doings, on)).collect();
    found.sort_by(|a, b| (a.due, &a.what, &a.of).cmp(&(b.due, &b.what, &b.of)));
    found
}

fn wanted(resources: &[Value]) -> Vec<Wanted<'_>> {
    let day = |resource: &Value, path: &str| {
        let text = resource.pointer(path).and_then(Value::as_str);
        text.and_then(parse_moment).map(|moment| moment.first_day)
    };
    let is = |resource: &Value, statuses: &[&str]| {
        resource.get("status").and_then(Value::as_str).is_some_and(|s| statuses.contains(&s))
    };
    let mut found = Vec::new();
    let forbidden = |of: &Value| of.get("doNotPerform") == Some(&Value::Bool(true));
    for request in super::of_type(resources, "ServiceRequest") {
        if let Some(timing) = request.get("occurrenceTiming")
            && is(request, &["active"])
            && !forbidden(request)
        {
            let of = super::reference(request);
            let start = day(request, "/authoredOn");
            found.push(Wanted { of, code: request.get("code"), timing, start });
        }
    }
    for plan in super::of_type(resources, "CarePlan").filter(|p| is(p, &["active"])) {
        // The woven plan repeats what its source plans say.
        if plan.pointer("/meta/source").and_then(Value::as_str) == Some("urn:careweave:woven-plan")
        {
            continue;
        }
        for activity in super::list(plan, "activity").filter_map(|a| a.get("detail")) {
            let live = is(activity, &["not-started", "scheduled", "in-progress"]);
            if let Some(timing) = activity.get("scheduledTiming")
                && live
                && !forbidden(activity)
            {
                let start = day(plan, "/period/start").or_else(|| day(plan, "/created"));
                let of = super::reference(plan);
                found.push(Wanted { of, code: activity.get("code"), timing, start });
            }
        }
    }
    found
}

/// Something that was done.
struct Doing<'r> {
    on: Date,
    measure: Option<Measure>,
    based_on: Vec<&'r str>,
    reference: String,
}

impl<'r> Doing<'r> {
    fn of(resource: &'r Value) -> Option<Self> {
        let text = |name: &str| resource.get(name).and_then(Value::as_str).unwrap_or_default();
        let done = match text("resourceType") {
            "Observation" => matches!(text("status"), "final" | "amended" | "corrected"),
            "Procedure" => text("status") == "completed",
            "Encounter" => text("status") == "finished",
            "Appointment" => text("status") == "fulfilled",
            _ => false,
        };
        if !done {
            return None;
        }
        let based_on = super::list(resource, "basedOn");
        let based_on = based_on.filter_map(|r| r.get("reference")?.as_str()).collect();
        Some(Self {
            on: when(resource)?.last_day,
            measure: resource.get("code").and_then(Measure::of),
            based_on,
            reference: super::reference(resource),
        })
    }
}

fn check_in(wanted: &Wanted<'_>, doings: &[Doing<'_>], on: Date) -> Option<CheckIn> {
    let repeat = wanted.timing.get("repeat");
    let bound = |path: &str| {
        let text = repeat?.pointer(path).and_then(Value::as_str)?;
        parse_moment(text).map(|moment| moment.last_day)
    };
    let start = bound("/boundsPeriod/start").or(wanted.start)?;
    let (every, span) = interval(wanted.timing)?;
    let measure = wanted.code.and_then(Measure::of);
    let fits = |doing: &&Doing<'_>| {
        let same = doing.measure.as_ref().zip(measure.as_ref()).is_some_and(|(a, b)| a.is(b));
        // What plans have is many things; what a request has is one.
        let based = doing.based_on.contains(&wanted.of.as_str());
        doing.on >= start && (same || (based && wanted.of.starts_with("ServiceRequest/")))
    };
    let last = doings.iter().filter(fits).max_by_key(|doing| (doing.on, &doing.reference));
    let due = match last {
        Some(last) => last.on.checked_add(span).ok()?,
        None => start,
    };
    if bound("/boundsPeriod/end").is_some_and(|end| due > end) {
        return None;
    }
    let standing = match due {
        due if due < on => Standing::Overdue,
        due if due == on => Standing::Due,
        _ => Standing::Upcoming,
    };
    Some(CheckIn {
        what: wanted.code.and_then(name).unwrap_or_default(),
        of: wanted.of.clone(),
        every,
        last: last.map(|doing| doing.on),
        done_by: last.map(|doing| doing.reference.clone()),
        due,
        standing,
    })
}

/// How often: in words, and from one day to the next. Several times a day is daily here.
fn interval(timing: &Value) -> Option<(String, Span)> {
    let repeat = timing.get("repeat");
    let number = |name: &str| repeat?.get(name).and_then(Value::as_f64);
    let stated = number("period").zip(repeat.and_then(|r| r.get("periodUnit")?.as_str()));
    let code = timing.pointer("/code/coding/0/code").and_then(Value::as_str);
    let (period, unit) = stated.or_else(|| match code? {
        "QD" | "BID" | "TID" | "QID" | "AM" | "PM" => Some((1.0, "d")),
        "QOD" => Some((2.0, "d")),
        "WK" => Some((1.0, "wk")),
        "MO" => Some((1.0, "mo")),
        _ => None,
    })?;
    let often = number("frequency").filter(|often| *often > 1.0).unwrap_or(1.0);
    let whole = often == 1.0 && period.fract() == 0.0 && (1.0..=1000.0).contains(&period);
    let count = period as i64;
    match unit {
        "wk" if whole => Some((words(count, "week"), count.weeks())),
        "mo" if whole => Some((words(count, "month"), count.months())),
        "a" if whole => Some((words(count, "year"), count.years())),
        _ => {
            let days = match unit {
                "s" | "min" | "h" => 1.0,
                "d" => 1.0 * period,
                "wk" => 7.0 * period,
                "mo" => 30.0 * period,
                "a" => 365.0 * period,
                _ => return None,
            };
            let days = (days / often).floor().clamp(1.0, 36_500.0) as i64;
            Some((words(days, "day"), days.days()))
        }
    }
}

fn words(count: i64, unit: &str) -> String {
    if count == 1 { format!("1 {unit}") } else { format!("{count} {unit}s") }
}
