//! What is to be done after a discharge, and what there is of it already.

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value;

use crate::flow::Facts;

use super::calendar::days_after;
use super::person::Group;
use super::plan::Shown;
use super::scene::{Scene, literal, status};
use super::transition::{Contact, Discharge};
use super::windows::EncounterKind;

/// What follows a discharge (`transition` in `profiles/policy.json`).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TransitionPolicy {
    #[expect(dead_code, reason = "read by people")]
    source: String,
    /// A stay that begins within so many days of a discharge is a readmission.
    pub(super) readmission_days: u16,
    /// Scores by which a patient is to be seen earlier than others.
    follow_up_sooner: Vec<Sooner>,
    checklist: Vec<Rule>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sooner {
    /// `system|code` of the score.
    score: String,
    at_least: f64,
    days: u16,
}

/// One line of the checklist.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    /// Its code.
    pub(super) item: String,
    pub(super) text: String,
    /// A code for it of a standard, as `system|code`.
    #[serde(default)]
    pub(super) code: Option<String>,
    kind: Kind,
    /// Days for it after the discharge; without, those of a follow-up visit.
    #[serde(default)]
    days: Option<u16>,
    /// Codes or categories, `system|code`, of what meets it; of a pending order its category.
    #[serde(default)]
    codes: Vec<String>,
    /// Types outside the view of which any record meets it.
    #[serde(default)]
    types: Vec<String>,
    /// Classes of encounters of which any meets it.
    #[serde(default)]
    classes: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    /// A visit, or an appointment for one.
    Visit,
    /// Only where medications are prescribed; from the day of discharge on.
    Medications,
    /// One for each order of the stay that has no result.
    PendingOrders,
    /// Anything of the day of admission or later.
    Anything,
}

/// A line of the checklist of one discharge.
pub(super) struct Item<'a> {
    pub(super) rule: &'a Rule,
    pub(super) due: Date,
    /// What there is of it, as a reference.
    pub(super) met_by: Option<String>,
    /// The order that it is about.
    pub(super) order: Option<&'a Shown>,
}

impl Item<'_> {
    /// Whether a finding of its own tells that it is missing.
    pub(super) fn has_own_finding(&self) -> bool {
        matches!(self.rule.kind, Kind::Visit | Kind::Medications)
    }
}

/// What takes place no more.
const OVER: [&str; 8] = [
    "cancelled",
    "revoked",
    "rejected",
    "failed",
    "entered-in-error",
    "not-done",
    "noshow",
    "stopped",
];
/// Types whose records may meet a line.
const DONE_OR_PLANNED: [&str; 3] = ["Procedure", "ServiceRequest", "Task"];
/// Where the result of an order is stated.
const RESULTS: [&str; 4] = ["Procedure", "Observation", "DiagnosticReport", "DocumentReference"];

/// Within how many days of a discharge the patient is to be seen.
pub(super) fn follow_up_days(scene: &Scene<'_>, discharge: &Discharge) -> u16 {
    let policy = scene.person.policy;
    let mut sooner = policy.transition().follow_up_sooner.iter();
    let days = sooner.find(|sooner| scored(scene, discharge, sooner)).map(|sooner| sooner.days);
    days.unwrap_or(policy.findings().follow_up_days)
}

/// The checklist of a discharge.
pub(super) fn checklist<'a>(
    scene: &Scene<'a>,
    contacts: &[Contact<'_>],
    discharge: &Discharge,
) -> Vec<Item<'a>> {
    let mut items = Vec::new();
    for rule in &scene.person.policy.transition().checklist {
        let days = rule.days.unwrap_or_else(|| follow_up_days(scene, discharge));
        let due = days_after(discharge.on, days);
        let item = |met_by| Item { rule, due, met_by, order: None };
        match rule.kind {
            Kind::Visit => items.push(item(visit(scene, contacts, discharge, rule))),
            Kind::Medications => {
                if scene.material.medications.iter().any(|m| status(m) == "active") {
                    items.push(item(coded(scene, rule, discharge.on)));
                }
            }
            Kind::PendingOrders => {
                let pending = pending(scene, rule, discharge);
                items.extend(pending.map(|order| Item { order: Some(order), ..item(None) }));
            }
            Kind::Anything => {
                let met = coded(scene, rule, discharge.admitted);
                let met = met.or_else(|| outside(scene, &rule.types, discharge.admitted));
                items.push(item(met.or_else(|| of_class(scene, &rule.classes, discharge.on))));
            }
        }
    }
    items
}

fn visit(
    scene: &Scene<'_>,
    contacts: &[Contact<'_>],
    discharge: &Discharge,
    rule: &Rule,
) -> Option<String> {
    let seen = contacts
        .iter()
        .find(|c| c.kind == EncounterKind::FollowUp && c.from > discharge.on)
        .map(|c| literal(scene.shown_as(c.group)));
    seen.or_else(|| outside(scene, &rule.types, discharge.on))
        .or_else(|| coded(scene, rule, discharge.admitted))
}

/// The first record of the line's codes from a day on.
fn coded(scene: &Scene<'_>, rule: &Rule, from: Date) -> Option<String> {
    let groups = DONE_OR_PLANNED.into_iter().flat_map(|name| scene.groups_of(name));
    let is_it = |group: &&Group| {
        scene.facts_of(group).any(|f| stands(f) && is_coded(f, &rule.codes) && is_from(f, from))
    };
    groups.into_iter().find(is_it).map(|group| literal(scene.shown_as(group)))
}

/// The first live record of types that are no part of the view, by its address.
fn outside(scene: &Scene<'_>, types: &[String], from: Date) -> Option<String> {
    let claims = scene.person.claims.iter().filter(|claim| claim.is_live());
    let of_type = |name: &str| types.iter().any(|t| t == name);
    let mut found = claims.filter(|claim| {
        let (name, facts) = (claim.key().resource_type.name(), claim.facts);
        of_type(name) && stands(facts) && is_from(facts, from)
    });
    found.find_map(|claim| scene.person.url(claim.key()))
}

fn of_class(scene: &Scene<'_>, classes: &[String], from: Date) -> Option<String> {
    let is_it = |group: &&Group| {
        scene.facts_of(group).any(|f| {
            let of_class = f.categories.iter().any(|t| classes.iter().any(|c| **c == *t.code));
            of_class && stands(f) && is_from(f, from)
        })
    };
    let groups = scene.groups_of("Encounter");
    groups.into_iter().find(is_it).map(|group| literal(scene.shown_as(group)))
}

/// Open orders of the stay that have no result.
fn pending<'a>(
    scene: &Scene<'a>,
    rule: &'a Rule,
    discharge: &Discharge,
) -> impl Iterator<Item = &'a Shown> {
    let with_result = scene.based_on(&RESULTS);
    let (from, until) = (discharge.admitted, discharge.on);
    let material = scene.material;
    let is_pending = |order: &&Shown| {
        let within = scene.day(order).is_some_and(|day| from <= day && day <= until);
        let has_result = scene.group_index(order).is_some_and(|g| with_result.contains(&g));
        let is_test = scene.facts(order).any(|f| is_coded(f, &rule.codes));
        let is_ordered = order.body.get("intent").and_then(Value::as_str) != Some("proposal");
        status(order) == "active" && is_ordered && within && is_test && !has_result
    };
    let found: Vec<&Shown> = material.requests.iter().filter(is_pending).collect();
    found.into_iter()
}

fn scored(scene: &Scene<'_>, discharge: &Discharge, sooner: &Sooner) -> bool {
    let claims = scene.person.claims.iter().filter(|claim| claim.is_live());
    let mut scores = claims.filter(|claim| {
        claim.key().resource_type.name() == "Observation"
            && is_coded(claim.facts, std::slice::from_ref(&sooner.score))
            && is_from(claim.facts, discharge.admitted)
    });
    scores.any(|claim| {
        let body: Value = serde_json::from_slice(claim.body).unwrap_or_default();
        let value = body.pointer("/valueQuantity/value").or_else(|| body.get("valueInteger"));
        value.and_then(Value::as_f64).is_some_and(|score| score >= sooner.at_least)
    })
}

fn stands(facts: &Facts) -> bool {
    !facts.status.as_deref().is_some_and(|status| OVER.contains(&status))
}

fn is_coded(facts: &Facts, codes: &[String]) -> bool {
    let mut tokens = facts.codes.iter().chain(&facts.categories);
    tokens.any(|t| codes.iter().any(|code| *code == format!("{}|{}", t.system, t.code)))
}

fn is_from(facts: &Facts, from: Date) -> bool {
    let days = [facts.when, facts.changed, facts.authored];
    let mut days = days.into_iter().flatten().filter_map(|span| span.high.or(span.low));
    days.any(|day| day >= from)
}
