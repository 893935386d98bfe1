//! C4 to C7 and C10: the lifecycle of a goal against its achievement and its due day; goals
//! whose targets cannot both be reached.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::flow::{Facts, Target};

use super::super::narrative;
use super::super::plan::Shown;
use super::calendar::{Calendar, last_day};
use super::scene::{Scene, list, named, text};
use super::{Conflict, Severity};

/// How many goals with one measure are all compared with each other.
const COMPARED_MAX: usize = 64;

/// All that goals give rise to.
pub(super) fn goals(scene: &Scene<'_>, calendar: &mut Calendar) -> Vec<Conflict> {
    let mut found = contradicting(scene);
    for goal in &scene.material.goals {
        found.extend(state(goal));
        found.extend(overdue(goal, calendar));
    }
    found
}

fn lifecycle(goal: &Shown) -> &str {
    text(goal, "lifecycleStatus").unwrap_or_default()
}

fn achievement(goal: &Shown) -> Option<&str> {
    narrative::code(goal.body.get("achievementStatus"))
}

/// C4 to C7.
fn state(goal: &Shown) -> Option<Conflict> {
    let (lifecycle, achievement) = (lifecycle(goal), achievement(goal)?);
    let under_way = matches!(achievement, "in-progress" | "improving" | "worsening" | "no-change");
    let (rule, severity, title, advice) = match (lifecycle, achievement) {
        ("proposed" | "planned" | "rejected", _) => (
            "C4",
            Severity::Moderate,
            "progress on a goal that was not taken up",
            "Accept the goal, or remove the achievement.",
        ),
        ("completed", _) if under_way => (
            "C5",
            Severity::Moderate,
            "completed goal still in progress",
            "Record the outcome, or reopen the goal.",
        ),
        ("active", "achieved") => {
            ("C6", Severity::Low, "active goal is achieved", "Complete the goal.")
        }
        ("cancelled", "achieved") => (
            "C7",
            Severity::Low,
            "cancelled goal is achieved",
            "Complete the goal if it was reached.",
        ),
        _ => return None,
    };
    let since = goal.body.get("statusDate").and_then(last_day);
    let on = since.map(|day| format!(" ({day})")).unwrap_or_default();
    let what = named(goal, "description");
    let detail = format!("{what}: lifecycle {lifecycle}, achievement {achievement}{on}. {advice}");
    Some(Conflict::of(rule, severity, &[goal], title, detail).since(since))
}

/// Whether anybody still works towards it.
fn is_sought(goal: &Shown) -> bool {
    let over = matches!(
        achievement(goal),
        Some("achieved" | "sustaining" | "not-achieved" | "not-attainable")
    );
    matches!(lifecycle(goal), "accepted" | "active" | "on-hold") && !over
}

/// C10: the due day is past and the goal is not reached.
fn overdue(goal: &Shown, calendar: &mut Calendar) -> Option<Conflict> {
    let due = list(goal, "target").filter_map(|t| last_day(t.get("dueDate")?)).max();
    let due = due.filter(|_| is_sought(goal))?;
    calendar.is_past(due).then(|| {
        let detail = format!(
            "{}: due {due}, still {}. Review the goal with the patient and set a new date or \
             record the outcome.",
            named(goal, "description"),
            achievement(goal).unwrap_or("in-progress"),
        );
        let since = due.tomorrow().unwrap_or(due);
        Conflict::of("C10", Severity::Moderate, &[goal], "goal overdue", detail).since(since)
    })
}

/// Pairs of goals that are both sought and whose targets exclude each other.
fn contradicting(scene: &Scene<'_>) -> Vec<Conflict> {
    let goals: Vec<&Shown> =
        scene.material.goals.iter().filter(|g| is_sought(g) || lifecycle(g) == "planned").collect();
    let mut by_measure: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (place, goal) in goals.iter().enumerate() {
        for target in scene.facts(goal).flat_map(|facts| &facts.targets) {
            for name in measures(target) {
                let of_name = by_measure.entry(name).or_default();
                if of_name.last() != Some(&place) {
                    of_name.push(place);
                }
            }
        }
    }
    let mut pairs = Vec::new();
    for places in by_measure.values() {
        for (i, &a) in places.iter().enumerate() {
            pairs.extend(places[i + 1..].iter().take(COMPARED_MAX).map(|&b| (a, b)));
        }
    }
    pairs.sort_unstable();
    pairs.dedup();
    pairs.retain(|&(a, b)| targets_exclude(scene.facts(goals[a]), scene.facts(goals[b])));
    pairs.into_iter().map(|(a, b)| contradiction(scene, goals[a], goals[b])).collect()
}

fn contradiction(scene: &Scene<'_>, a: &Shown, b: &Shown) -> Conflict {
    let side = |goal: &Shown| {
        let claim = scene.group(goal.id).map(|group| group.first());
        let who = claim.map(|claim| scene.speaker_and_day(claim)).unwrap_or_default();
        let targets = scene.facts(goal).flat_map(|facts| &facts.targets);
        let targets: Vec<&str> = targets.map(|t| &*t.detail).filter(|d| !d.is_empty()).collect();
        format!("\"{}\" of {who}: {}", named(goal, "description"), targets.join(", "))
    };
    let detail = format!(
        "{}; {}. No value meets both targets. Agree on one target with the patient and the care \
         team, and have the other goal ended.",
        side(a),
        side(b)
    );
    let days = [a, b].map(|goal| scene.day(goal));
    Conflict::of(
        "contradicting-goals",
        Severity::High,
        &[a, b],
        "targets exclude each other",
        detail,
    )
    .since(days[0].max(days[1]))
}

/// Whether two goals have targets of one measure that no value meets both.
fn targets_exclude<'f>(
    a: impl Iterator<Item = &'f Facts>,
    b: impl Iterator<Item = &'f Facts>,
) -> bool {
    let of_b: Vec<&Target> = b.flat_map(|facts| &facts.targets).collect();
    a.flat_map(|facts| &facts.targets).any(|x| {
        of_b.iter().any(|y| {
            let names = measures(x);
            let same = measures(y).iter().any(|name| names.contains(name));
            // One target after the other is a course, not a contradiction.
            let at_once = match (due(x), due(y)) {
                (Some(x), Some(y)) => x == y,
                _ => true,
            };
            same && at_once && exclude(&x.detail, &y.detail)
        })
    })
}

fn due(target: &Target) -> Option<Date> {
    target.due.and_then(|span| span.high)
}

/// Names of what a target measures.
fn measures(target: &Target) -> Vec<String> {
    let codes = target.measure.iter().map(|t| format!("{}|{}", t.system, t.code));
    let text = Some(target.measure_text.to_string()).filter(|text| !text.is_empty());
    codes.chain(text).collect()
}

/// Whether two details (`< 7 %`, `4..6 %`), in units of comparison, have no value in common.
fn exclude(a: &str, b: &str) -> bool {
    let (Some(a), Some(b)) = (Bounds::parse(a), Bounds::parse(b)) else { return false };
    a.unit == b.unit && (a.is_below(&b) || b.is_below(&a))
}

/// The values that a target allows. One number without comparator says where to get to, from
/// either side, and bounds nothing.
#[derive(Debug, PartialEq)]
struct Bounds<'a> {
    low: Option<(f64, bool)>,
    high: Option<(f64, bool)>,
    unit: &'a str,
}

impl<'a> Bounds<'a> {
    fn parse(detail: &'a str) -> Option<Self> {
        if let Some((low, high)) = detail.split_once("..") {
            let (low, high) = (amount(low), amount(high));
            let unit = high.or(low)?.1;
            let inclusive = |side: Option<(f64, &str)>| side.map(|(number, _)| (number, true));
            return Some(Self { low: inclusive(low), high: inclusive(high), unit });
        }
        let after = |mark: &str| amount(detail.strip_prefix(mark)?);
        // Longer marks first.
        let marks =
            [("<=", true, true), (">=", false, true), ("<", true, false), (">", false, false)];
        marks.into_iter().find_map(|(mark, is_high, inclusive)| {
            let (number, unit) = after(mark)?;
            let bound = Some((number, inclusive));
            let (low, high) = if is_high { (None, bound) } else { (bound, None) };
            Some(Self { low, high, unit })
        })
    }

    fn is_below(&self, other: &Self) -> bool {
        match (self.high, other.low) {
            (Some((high, with_high)), Some((low, with_low))) => {
                high < low || (high == low && !(with_high && with_low))
            }
            _ => false,
        }
    }
}

fn amount(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let (number, unit) = text.split_once(' ').unwrap_or((text, ""));
    Some((number.parse().ok()?, unit))
}

#[cfg(test)]
mod tests {
    use super::exclude;

    #[test]
    fn targets_exclude_each_other_when_no_value_meets_both() {
        for (a, b, expected) in [
            ("<7 %", ">=8 %", true),
            ("<7 %", ">=7 %", true),
            ("<=7 %", ">=7 %", false),
            ("<7 %", "<8 %", false),
            ("4..6 %", ">6 %", true),
            ("4 %..6 %", "5 %..9 %", false),
            ("<7 %", ">=8 mmol/mol", false),
            ("7 %", "8 %", false),
            ("no risk", ">=8 %", false),
        ] {
            assert_eq!(exclude(a, b), expected, "{a} against {b}");
            assert_eq!(exclude(b, a), expected, "{b} against {a}");
        }
    }
}
