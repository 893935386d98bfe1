//! When two Goals are one goal.
//! <https://hl7.org/fhir/R4/goal.html>

use crate::flow::{DateSpan, Target};

use super::super::claim::Claim;
use super::super::person::Person;
use super::amount::{Measure, amounts};
use super::evidence::{Agreement, codings, concept, texts};
use super::problem::{Problems, problems};
use super::{ALONE_THAT_DAY, ONLY_IF_UNIQUE, Sameness, is_dated};

/// Goals that began further apart are a recurrence, not the same goal.
const RECURRENCE_DAYS: i64 = 180;

/// The same intent, not for different problems, with targets that can both hold. Where it is open
/// whether the problems are the same, the targets must say that the goal is: the same words
/// (takes medicines as prescribed) are often said for several problems.
pub(super) fn same_fact(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Sameness {
    let about = concept(person, a, b);
    if !about.agrees() || far_apart(a.facts.when, b.facts.when) {
        return Sameness::Apart;
    }
    let addresses = problems(person, a, b);
    let targets = targets(&a.facts.targets, &b.facts.targets);
    let proven = addresses != Problems::Unproven || targets == Agreement::Same;
    if addresses == Problems::Different || !proven {
        return Sameness::Apart;
    }
    if targets.differs() {
        return Sameness::Conflicting("goal-target-differs");
    }
    // This year's goal or that of the year before: it is the only one, or it cannot be told.
    if is_dated(a) != is_dated(b) && targets != Agreement::Same && !addresses.agree() {
        return Sameness::Same { rule: "goal-only", strength: ONLY_IF_UNIQUE };
    }
    // The same target for what may be another problem: if there is but one such goal.
    if addresses == Problems::Unproven {
        return Sameness::Same { rule: "goal-target", strength: ALONE_THAT_DAY };
    }
    let mut strength = if about == Agreement::Same { 60 } else { 50 };
    strength += u8::from(targets == Agreement::Same) * 4;
    strength += match addresses {
        Problems::Same => 3,
        Problems::Akin => 2,
        Problems::Unstated => 1,
        Problems::Unproven | Problems::Different => 0,
    };
    let coded = codings(&a.facts.codes, &b.facts.codes).agrees();
    let rule = if coded { "goal-code" } else { "goal-text" };
    Sameness::Same { rule, strength }
}

/// Whether the targets of two goals can all hold for one goal.
fn targets(a: &[Target], b: &[Target]) -> Agreement {
    let mut best = Agreement::Silent;
    let mut unmatched = !a.is_empty() && !b.is_empty();
    for x in a {
        for y in b {
            let due_differs = matches!((x.due, y.due), (Some(x), Some(y)) if !x.overlaps(&y));
            let measure = Measure { codes: &x.measure, text: &x.measure_text };
            let detail = amounts(&x.detail, &y.detail, measure);
            match measured(x, y) {
                Agreement::Differs => continue,
                // Named in other words or coded elsewhere: the amount must tell.
                Agreement::Silent if !detail.agrees() => continue,
                _ => unmatched = false,
            }
            match detail {
                Agreement::Differs => return Agreement::Differs,
                Agreement::Same | Agreement::Close if !due_differs => best = Agreement::Same,
                Agreement::Same | Agreement::Close | Agreement::Silent if due_differs => {
                    return Agreement::Differs;
                }
                Agreement::Same | Agreement::Close | Agreement::Silent => {}
            }
        }
    }
    if unmatched { Agreement::Differs } else { best }
}

/// What two targets measure; a target that names no measure is of the other's. Codes of two
/// systems, and a code and words, say nothing about each other.
fn measured(a: &Target, b: &Target) -> Agreement {
    let unstated = |t: &Target| t.measure.is_empty() && t.measure_text.is_empty();
    if unstated(a) || unstated(b) {
        return Agreement::Same;
    }
    let called = texts(&a.measure_text, &b.measure_text);
    match codings(&a.measure, &b.measure) {
        Agreement::Differs if a.measure_text == b.measure_text && called.agrees() => called,
        Agreement::Silent if called.agrees() => called,
        Agreement::Silent => Agreement::Silent,
        found => found,
    }
}

fn far_apart(a: Option<DateSpan>, b: Option<DateSpan>) -> bool {
    let (Some(a), Some(b)) = (a.and_then(|s| s.low), b.and_then(|s| s.low)) else { return false };
    let days = (a - b).get_days();
    i64::from(days).abs() > RECURRENCE_DAYS
}
