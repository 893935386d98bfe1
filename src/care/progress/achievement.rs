//! A goal against the readings that measure it: met or not, which way it goes, and the
//! achievement that this would be.
//! <https://hl7.org/fhir/R4/valueset-goal-achievement.html>

use jiff::civil::Date;
use serde::Serialize;
use serde_json::Value;

use crate::fhir::parse_moment;

use super::measure::{Aim, Measure, name, shown};
use super::readings::{Reading, ToldReading};

/// The course is read from so many readings, the latest ones.
const COURSE: usize = 3;
/// Less than this, as a share of the number aimed at, is no change.
const NO_CHANGE: f64 = 0.02;

/// How a goal stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GoalProgress {
    /// The Goal.
    pub goal: String,
    /// What it says.
    pub says: String,
    /// Its lifecycle, as stated.
    pub status: String,
    /// Its achievement, as stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub achievement: Option<String>,
    /// Its targets that say what is measured.
    pub targets: Vec<TargetProgress>,
    /// The achievement that readings speak for, where it is not the stated one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposed: Option<Proposed>,
}

/// A target and its readings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TargetProgress {
    /// What is measured.
    pub measure: String,
    /// The value aimed at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aim: Option<String>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<Date>,
    /// How many readings there are since where it began.
    pub readings: usize,
    /// Where it began: the last reading up to the goal's start, else the first one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<ToldReading>,
    /// The latest reading, if it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest: Option<ToldReading>,
    /// Whether the latest meets the aim; nothing where units or values cannot be compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub met: Option<bool>,
    /// Which way the latest readings go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trend: Option<Trend>,
}

/// Which way readings go, in the words of `Goal.achievementStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trend {
    /// Towards the aim.
    Improving,
    /// Away from it.
    Worsening,
    /// Neither.
    NoChange,
}

impl Trend {
    fn code(self) -> &'static str {
        match self {
            Self::Improving => "improving",
            Self::Worsening => "worsening",
            Self::NoChange => "no-change",
        }
    }
}

/// An achievement that readings speak for. The care team decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proposed {
    /// A code of `Goal.achievementStatus`.
    pub achievement: &'static str,
    /// Why, in a sentence.
    pub because: String,
    /// The Observations that say so.
    pub evidence: Vec<String>,
}

/// How a goal stands on a day; `None` if it was given up or never taken up.
pub(super) fn of_goal(goal: &Value, readings: &[Reading], on: Date) -> Option<GoalProgress> {
    let text = |name: &str| goal.get(name).and_then(Value::as_str);
    let status = text("lifecycleStatus").unwrap_or_default();
    if matches!(status, "rejected" | "cancelled" | "entered-in-error") {
        return None;
    }
    let start = text("startDate").and_then(parse_moment).map(|m| m.first_day);
    let targets = super::list(goal, "target");
    let targets: Vec<TargetProgress> =
        targets.filter_map(|target| of_target(target, readings, start)).collect();
    let codings = goal.pointer("/achievementStatus/coding").and_then(Value::as_array);
    let achievement =
        codings.into_iter().flatten().find_map(|c| c.get("code")?.as_str()).map(str::to_owned);
    let spoken = text("statusDate").and_then(parse_moment).map(|m| m.last_day);
    let is_sought = matches!(status, "accepted" | "active" | "on-hold");
    let stated = Stated { achievement: achievement.as_deref().unwrap_or_default(), spoken, start };
    let proposed = proposal(&targets, &stated, on).filter(|_| is_sought);
    Some(GoalProgress {
        goal: super::reference(goal),
        says: goal.get("description").and_then(name).unwrap_or_default(),
        status: status.to_owned(),
        achievement,
        targets,
        proposed,
    })
}

fn of_target(target: &Value, all: &[Reading], start: Option<Date>) -> Option<TargetProgress> {
    let concept = target.get("measure")?;
    let measure = Measure::of(concept)?;
    let of_measure: Vec<&Reading> = all.iter().filter(|r| r.measure.is(&measure)).collect();
    let before = |reading: &&&Reading| start.is_some_and(|start| reading.told.on <= start);
    let began = of_measure.iter().filter(before).count().saturating_sub(1);
    let since = &of_measure[began..];
    let due = target.get("dueDate").and_then(Value::as_str).and_then(parse_moment);
    let aim = Aim::of(target);
    let met = |reading: &Reading| {
        aim.as_ref()?.met(&reading.said, &since.first()?.said, &reading.measure)
    };
    Some(TargetProgress {
        measure: name(concept).unwrap_or_default(),
        aim: shown(target, "detail"),
        due: due.map(|m| m.last_day),
        readings: since.len(),
        first: since.first().map(|r| r.told.clone()),
        latest: since.last().filter(|_| since.len() > 1).map(|r| r.told.clone()),
        met: since.last().and_then(|last| met(last)),
        trend: aim.as_ref().and_then(|aim| {
            let course = &since[since.len().saturating_sub(COURSE)..];
            let (earlier, last) = (course.first()?, course.last()?);
            if course.len() < 2 {
                return None;
            }
            let far = |reading: &Reading| aim.distance(&reading.said, &reading.measure);
            let change = match (met(earlier), met(last), far(earlier), far(last)) {
                (Some(false), Some(true), ..) => 1.0,
                (Some(true), Some(false), ..) => -1.0,
                (.., Some(earlier), Some(last)) => earlier - last,
                (Some(_), Some(_), ..) => 0.0,
                _ => return None,
            };
            Some(match change {
                change if change > NO_CHANGE => Trend::Improving,
                change if change < -NO_CHANGE => Trend::Worsening,
                _ => Trend::NoChange,
            })
        }),
    })
}

impl TargetProgress {
    fn last(&self) -> Option<&ToldReading> {
        self.latest.as_ref().or(self.first.as_ref())
    }
}

/// What the goal says of itself.
struct Stated<'g> {
    achievement: &'g str,
    spoken: Option<Date>,
    start: Option<Date>,
}

fn proposal(targets: &[TargetProgress], stated: &Stated<'_>, on: Date) -> Option<Proposed> {
    let last = targets.iter().filter_map(|target| Some(target.last()?.on)).max()?;
    // Who spoke after the reading knew of it; what was read before the start says nothing yet.
    if stated.spoken.is_some_and(|spoken| spoken > last)
        || stated.start.is_some_and(|start| start > last)
    {
        return None;
    }
    let was = stated.achievement;
    let was_reached = matches!(was, "achieved" | "sustaining");
    let unmet: Vec<&TargetProgress> = targets.iter().filter(|t| t.met == Some(false)).collect();
    let (achievement, of) = if targets.iter().all(|target| target.met == Some(true)) {
        let again = was_reached && stated.spoken.is_some_and(|spoken| spoken < last);
        (if again { "sustaining" } else { "achieved" }, targets.iter().collect())
    } else if unmet.is_empty() {
        return None;
    } else if was_reached {
        ("worsening", unmet)
    } else if matches!(was, "not-achieved" | "not-attainable" | "no-progress") {
        return None;
    } else if unmet.iter().any(|target| target.due.is_some_and(|due| due < on)) {
        ("not-achieved", unmet)
    } else {
        let trend = unmet.iter().find_map(|target| target.trend)?;
        (trend.code(), unmet)
    };
    if achievement == was || (achievement == "achieved" && was_reached) {
        return None;
    }
    Some(told(achievement, &of))
}

fn told(achievement: &'static str, of: &[&TargetProgress]) -> Proposed {
    let one = |target: &&TargetProgress| {
        let last = target.last()?;
        let first = target.latest.as_ref().and(target.first.as_ref());
        let from = first.map(|first| format!("{} on {}, then ", first.value, first.on));
        let due = target.due.map(|due| format!(" by {due}")).unwrap_or_default();
        Some(format!(
            "{}: {}{} on {}; aim {}{due}",
            target.measure,
            from.unwrap_or_default(),
            last.value,
            last.on,
            target.aim.as_deref().unwrap_or_default(),
        ))
    };
    let mut evidence: Vec<String> = Vec::new();
    for reading in of.iter().flat_map(|target| [&target.first, &target.latest]).flatten() {
        if !evidence.contains(&reading.reference) {
            evidence.push(reading.reference.clone());
        }
    }
    let because: Vec<String> = of.iter().filter_map(one).collect();
    Proposed { achievement, because: because.join("; "), evidence }
}
