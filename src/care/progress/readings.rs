//! Readings: what Observations of a person measure, and when.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use serde_json::Value;

use crate::fhir::{Moment, parse_moment};

use super::measure::{Measure, Said, shown};

/// A value of an Observation, or of one of its components.
pub(super) struct Reading {
    pub(super) measure: Measure,
    pub(super) said: Said,
    pub(super) at: Timestamp,
    pub(super) told: ToldReading,
}

/// A reading as it is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ToldReading {
    /// Its day.
    pub on: Date,
    /// The value, in the unit in which it was taken.
    pub value: String,
    /// The Observation.
    pub reference: String,
}

/// The readings that stand, the oldest first. One without a time is in no course.
pub(super) fn readings(resources: &[Value]) -> Vec<Reading> {
    let stands = |resource: &&Value| {
        let status = resource.get("status").and_then(Value::as_str);
        matches!(status, Some("final" | "amended" | "corrected"))
    };
    let observations = super::of_type(resources, "Observation").filter(stands);
    let mut found: Vec<Reading> = observations.flat_map(of).collect();
    found.sort_by(|a, b| (a.at, &a.told.reference).cmp(&(b.at, &b.told.reference)));
    found
}

fn of(observation: &Value) -> Vec<Reading> {
    let Some(moment) = when(observation) else { return Vec::new() };
    let components = observation.get("component").and_then(Value::as_array);
    let parts = std::iter::once(observation).chain(components.into_iter().flatten());
    let reading = |part: &Value| {
        let measure = Measure::of(part.get("code")?)?;
        let said = Said::of(part, "value")?;
        let value = shown(part, "value")?;
        let told =
            ToldReading { on: moment.last_day, value, reference: super::reference(observation) };
        Some(Reading { measure, said, at: moment.from, told })
    };
    parts.filter_map(reading).collect()
}

/// When something took place, else when it was told.
pub(super) fn when(resource: &Value) -> Option<Moment> {
    let text = |path: &str| resource.pointer(path).and_then(Value::as_str);
    let paths = [
        "/effectiveDateTime",
        "/effectiveInstant",
        "/effectivePeriod/end",
        "/effectivePeriod/start",
        "/performedDateTime",
        "/performedPeriod/end",
        "/performedPeriod/start",
        "/period/end",
        "/period/start",
        "/start",
        "/issued",
    ];
    paths.into_iter().find_map(text).and_then(parse_moment)
}
