//! Lines of the woven plan's narrative, so told that two different things read differently.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::narrative;
use super::Shown;

/// A request or task: what it is, what it is about, its intent unless an order, status and days.
pub(super) fn request(known: &BTreeMap<&str, &Shown>, reference: &str) -> String {
    let kind = reference.rsplit('/').nth(1).unwrap_or("request");
    let Some(shown) = known.get(reference) else { return format!("{kind} (unknown)") };
    let body = &shown.body;
    let own = name(body).unwrap_or_else(|| kind.to_owned());
    let focus = body.pointer("/focus/reference").and_then(Value::as_str);
    let focus = focus.and_then(|f| name(&known.get(f)?.body)).filter(|f| *f != own);
    let status = body.get("status").and_then(Value::as_str).unwrap_or("unknown");
    let intent = body.get("intent").and_then(Value::as_str);
    let of = |pointer: &str| day(body.pointer(pointer));
    let due = of("/restriction/period/end")
        .or_else(|| of("/occurrenceDateTime"))
        .or_else(|| of("/occurrencePeriod/end"));
    let what = focus.map_or(own.clone(), |focus| format!("{own}: {focus}"));
    let intent = intent.filter(|i| *i != "order").map(str::to_owned);
    bracketed(
        &what,
        &[("", intent), ("", Some(status.to_owned())), ("", of("/authoredOn")), ("due ", due)],
    )
}

/// An activity that a plan describes itself.
pub(super) fn detail(detail: &Value, status: &str) -> String {
    let name = narrative::concept(detail.get("code"));
    let text = detail.get("description").and_then(Value::as_str);
    let of = |pointer: &str| day(detail.pointer(pointer));
    let due = of("/scheduledPeriod/end").or_else(|| of("/scheduledPeriod/start"));
    let name = name.as_deref().or(text).unwrap_or("activity");
    bracketed(name, &[("", Some(status.to_owned())), ("due ", due)])
}

/// A goal with the problems it is for, its lifecycle, achievement and due day.
pub(super) fn goal(goal: &Shown, conditions: &[Shown]) -> String {
    let name = narrative::concept(goal.body.get("description"));
    let text = |pointer: &str| goal.body.pointer(pointer).and_then(Value::as_str);
    let status = text("/lifecycleStatus").unwrap_or("unknown").to_owned();
    let achieved = narrative::code(goal.body.get("achievementStatus")).map(str::to_owned);
    let addressed = goal.body.get("addresses").and_then(Value::as_array).into_iter().flatten();
    let addressed: Vec<&str> = addressed.filter_map(|a| a.get("reference")?.as_str()).collect();
    let problems: Vec<String> = conditions
        .iter()
        .filter(|c| addressed.contains(&c.reference.as_str()))
        .filter_map(|c| narrative::concept(c.body.get("code")))
        .collect();
    let problems = (!problems.is_empty()).then(|| problems.join(", "));
    bracketed(
        name.as_deref().unwrap_or("goal"),
        &[
            ("for ", problems),
            ("", Some(status)),
            ("", achieved),
            ("due ", day(goal.body.pointer("/target/0/dueDate"))),
        ],
    )
}

fn name(body: &Value) -> Option<String> {
    let text = body.get("description").and_then(Value::as_str);
    narrative::concept(body.get("code"))
        .or_else(|| narrative::concept(body.get("medicationCodeableConcept")))
        .or_else(|| text.map(str::to_owned))
}

/// The date of a FHIR dateTime, as stated.
fn day(value: Option<&Value>) -> Option<String> {
    let text = value?.as_str()?;
    Some(text.split('T').next().unwrap_or(text).to_owned()).filter(|d| !d.is_empty())
}

fn bracketed(what: &str, parts: &[(&str, Option<String>)]) -> String {
    let said =
        parts.iter().filter_map(|(before, part)| Some(format!("{before}{}", part.as_ref()?)));
    format!("{what} ({})", said.collect::<Vec<_>>().join(", "))
}
