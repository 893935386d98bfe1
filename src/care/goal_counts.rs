//! How the goals of a person, or of a panel of persons, stand: counts by status, overdue, changed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::fhir::search::Indexed;
use crate::flow::SearchValue;

/// Lifecycle statuses in the order in which a goal takes them.
/// <https://hl7.org/fhir/R4/valueset-goal-status.html>
pub const GOAL_STATUSES: [&str; 8] =
    ["proposed", "planned", "accepted", "active", "on-hold", "completed", "cancelled", "rejected"];

/// Achievements after which nobody works towards a goal.
const OVER: [&str; 4] = ["achieved", "sustaining", "not-achieved", "not-attainable"];

/// Counts of goals.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GoalCounts {
    /// All of them.
    pub goals: u64,
    /// By `lifecycleStatus`.
    pub by_status: BTreeMap<Box<str>, u64>,
    /// By `achievementStatus`; goals without one are not among them.
    pub by_achievement: BTreeMap<Box<str>, u64>,
    /// Sought, and the last due day is past: as finding C10 has it.
    pub overdue: u64,
    /// Whose view changed since the time asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed: Option<u64>,
}

/// What goals are counted by.
#[derive(Clone, Copy, Debug)]
pub struct CountedBy {
    /// The day on which a due day is past.
    pub on: Date,
    /// Changes since then are counted.
    pub since: Option<Timestamp>,
    /// Places of the search parameters `lifecycle-status`, `achievement-status`, `target-date`.
    pub params: [u16; 3],
}

impl GoalCounts {
    /// Nothing counted yet.
    pub fn new(by: &CountedBy) -> Self {
        Self { changed: by.since.map(|_| 0), ..Self::default() }
    }

    /// Counts a goal, by its search values and when it last changed.
    pub fn count(&mut self, by: &CountedBy, values: &[SearchValue], changed: Timestamp) {
        let [status, achievement, due] = by.params;
        let tokens = |param: u16| {
            values.iter().filter(move |v| v.param == param).filter_map(|v| match &v.value {
                Indexed::Token { code, .. } => Some(code.clone()),
                _ => None,
            })
        };
        self.goals += 1;
        let lifecycle = tokens(status).next().unwrap_or_default();
        // Several codings of one achievement are one achievement.
        let achieved = tokens(achievement).next();
        let is_over = achieved.as_deref().is_some_and(|code| OVER.contains(&code));
        let is_sought = matches!(&*lifecycle, "accepted" | "active" | "on-hold") && !is_over;
        let ends = values.iter().filter(|v| v.param == due).filter_map(|v| match &v.value {
            Indexed::Date { until, .. } => Some(*until),
            _ => None,
        });
        let today = by.on.to_zoned(TimeZone::UTC).map(|day| day.timestamp());
        let is_past = match (ends.max(), today) {
            (Some(end), Ok(today)) => end <= today,
            _ => false,
        };
        self.overdue += u64::from(is_sought && is_past);
        *self.by_status.entry(lifecycle).or_default() += 1;
        if let Some(achieved) = achieved {
            *self.by_achievement.entry(achieved).or_default() += 1;
        }
        if let (Some(count), Some(since)) = (&mut self.changed, by.since) {
            *count += u64::from(changed >= since);
        }
    }

    /// Adds the counts of another person.
    pub fn add(&mut self, other: &Self) {
        self.goals += other.goals;
        self.overdue += other.overdue;
        for (status, count) in &other.by_status {
            *self.by_status.entry(status.clone()).or_default() += count;
        }
        for (status, count) in &other.by_achievement {
            *self.by_achievement.entry(status.clone()).or_default() += count;
        }
        if let (Some(count), Some(more)) = (&mut self.changed, other.changed) {
            *count += more;
        }
    }
}
