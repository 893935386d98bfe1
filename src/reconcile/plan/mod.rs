//! The woven plan: one CarePlan over all source plans of the person.
//!
//! It states each goal, activity, problem and team once and lists the source plans in
//! `supportingInfo`. It does not `replace` them: they stay as they are.
//! <https://hl7.org/fhir/R4/careplan.html>

mod activity;
mod lines;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::fhir::{ResourceType, canonical_bytes, parse_moment};
use crate::flow::{DerivedId, Hash, Member, ViewRow};

use super::merge::TAG_SYSTEM;
use super::narrative::{self, Section};
use super::person::Person;
use super::resolve::local;

const PLAN_CATEGORY: &str = "http://hl7.org/fhir/us/core/CodeSystem/careplan-category";

/// A resource of the view, parsed.
pub(super) struct Shown {
    pub(super) id: DerivedId,
    pub(super) resource_type: ResourceType,
    pub(super) reference: String,
    pub(super) body: Value,
}

/// The resources of one type, parsed, in the order of their first members' keys: ids differ from
/// store to store, and what is said in their order would too.
fn shown(tables: &BTreeMap<ResourceType, Vec<ViewRow>>, name: &'static str) -> Vec<Shown> {
    let resource_type = ResourceType::of(name);
    let rows = tables.get(&resource_type).into_iter().flatten().filter(|r| !r.made_by_us);
    let mut rows: Vec<&ViewRow> = rows.collect();
    rows.sort_by_key(|row| row.members.first().map(|member| &member.key));
    rows.into_iter()
        .map(|row| Shown {
            id: row.id,
            resource_type,
            reference: local(resource_type, row.id),
            body: serde_json::from_slice(&row.body).unwrap_or_default(),
        })
        .collect()
}

/// The resources of care management, each parsed once: what the woven plan is built from, and
/// what conflicts and findings are looked for in.
pub(super) struct Material {
    pub(super) plans: Vec<Shown>,
    pub(super) goals: Vec<Shown>,
    pub(super) requests: Vec<Shown>,
    pub(super) tasks: Vec<Shown>,
    pub(super) medications: Vec<Shown>,
    pub(super) taken: Vec<Shown>,
    pub(super) teams: Vec<Shown>,
    pub(super) conditions: Vec<Shown>,
    pub(super) episodes: Vec<Shown>,
}

impl Material {
    /// Parses them, before the woven plan is among the rows.
    pub(super) fn of(tables: &BTreeMap<ResourceType, Vec<ViewRow>>) -> Self {
        Self {
            plans: shown(tables, "CarePlan"),
            goals: shown(tables, "Goal"),
            requests: shown(tables, "ServiceRequest"),
            tasks: shown(tables, "Task"),
            medications: shown(tables, "MedicationRequest"),
            taken: shown(tables, "MedicationStatement"),
            teams: shown(tables, "CareTeam"),
            conditions: shown(tables, "Condition"),
            episodes: shown(tables, "EpisodeOfCare"),
        }
    }
}

/// Builds the woven plan if the person has anything to plan with, and puts it among the rows.
pub(super) fn add_woven_plan(
    person: &Person<'_>,
    material: &Material,
    tables: &mut BTreeMap<ResourceType, Vec<ViewRow>>,
) {
    let care = [&material.plans, &material.goals, &material.requests, &material.tasks];
    let patient = person.patient_group().map(|g| person.claims[person.groups[g].shown].header);
    let (true, Some(patient)) = (care.iter().any(|c| !c.is_empty()), patient) else { return };
    let Some(chart) = patient.home().chart() else { return };
    let id = person.ids.woven_plan(chart);
    let mut aliases: Vec<DerivedId> = person
        .charts()
        .filter(|other| *other != chart)
        .map(|other| person.ids.woven_plan(other))
        .collect();
    aliases.sort_unstable();
    let care_plan = ResourceType::of("CarePlan");
    let mut members: Vec<Member> = tables
        .get(&care_plan)
        .into_iter()
        .flatten()
        .flat_map(|row| row.members.iter())
        .map(|member| Member { rule: "woven".into(), ..member.clone() })
        .collect();
    members.sort();
    let subject = local(ResourceType::of("Patient"), person.ids.record(&chart.patient_record()));
    let activities = activity::activities(material);
    let body = body(person, id, &subject, material, &activities);
    let bytes = canonical_bytes(body);
    let hash = Hash::of(&bytes);
    let rows = tables.entry(care_plan).or_default();
    rows.push(ViewRow {
        id,
        hash,
        input: hash,
        body: Bytes::from(bytes),
        values: Vec::new(),
        members,
        aliases,
        choices: activities.choices,
        made_by_us: true,
    });
    rows.sort_by_key(|r| r.id);
}

fn body(
    person: &Person<'_>,
    id: DerivedId,
    subject: &str,
    material: &Material,
    activities: &activity::Activities,
) -> Value {
    let status =
        |plan: &Shown| plan.body.get("status").and_then(Value::as_str) == Some("completed");
    let completed = !material.plans.is_empty() && material.plans.iter().all(status);
    let title = person.policy.woven_title();
    let mut plan = Map::new();
    let mut set = |name: &str, value: Value| {
        let empty = value.as_array().is_some_and(Vec::is_empty) || value.is_null();
        if !empty {
            plan.insert(name.to_owned(), value);
        }
    };
    let teams = teams(material);
    let addresses = union_of(&material.plans, "addresses");
    set("resourceType", json!("CarePlan"));
    set("id", json!(id.to_string()));
    set(
        "meta",
        json!({
            "source": "urn:careweave:woven-plan",
            "tag": [{"system": TAG_SYSTEM, "code": "woven"}],
        }),
    );
    let sections = sections(material, activities, &addresses);
    let div = narrative::div(title, &sections);
    set("text", json!({"status": "generated", "div": div}));
    set("status", json!(if completed { "completed" } else { "active" }));
    set("intent", json!("plan"));
    set("category", json!([{"coding": [{"system": PLAN_CATEGORY, "code": "assess-plan"}]}]));
    set("title", json!(title));
    set("subject", json!({"reference": subject}));
    set("period", period(&material.plans));
    set("careTeam", references(teams.iter().map(String::as_str)));
    set("addresses", references(addresses.iter().map(String::as_str)));
    set("supportingInfo", references(material.plans.iter().map(|p| p.reference.as_str())));
    set("goal", references(material.goals.iter().map(|g| g.reference.as_str())));
    set("activity", Value::Array(activities.all.clone()));
    Value::Object(plan)
}

/// Teams that source plans name, and those at work.
fn teams(material: &Material) -> Vec<String> {
    let mut teams = union_of(&material.plans, "careTeam");
    for team in &material.teams {
        let status = team.body.get("status").and_then(Value::as_str).unwrap_or("active");
        if matches!(status, "active" | "proposed") && !teams.contains(&team.reference) {
            teams.push(team.reference.clone());
        }
    }
    teams
}

/// The references that any plan has under a name, each once, in the order of plans. Fragments
/// belong to the plan that contains them.
fn union_of(plans: &[Shown], name: &str) -> Vec<String> {
    let lists = plans.iter().filter_map(|p| p.body.get(name)?.as_array()).flatten();
    let mut seen = BTreeSet::new();
    lists
        .filter_map(|r| r.get("reference")?.as_str())
        .filter(|r| !r.starts_with('#') && seen.insert(*r))
        .map(str::to_owned)
        .collect()
}

fn references<'a>(all: impl Iterator<Item = &'a str>) -> Value {
    Value::Array(all.map(|r| json!({"reference": r})).collect())
}

/// From the first start to the last end; open if any plan is.
fn period(plans: &[Shown]) -> Value {
    let of = |name: &str| {
        let texts = plans.iter().filter_map(|p| p.body.get("period")?.get(name)?.as_str());
        texts.filter_map(|t| Some((parse_moment(t)?, t.to_owned()))).collect::<Vec<_>>()
    };
    let start = of("start").into_iter().min_by_key(|(m, t)| (m.from, t.clone()));
    let ends = of("end");
    let open = ends.len() < plans.len();
    let end = ends.into_iter().max_by_key(|(m, t)| (m.until, t.clone())).filter(|_| !open);
    let mut period = Map::new();
    for (name, moment) in [("start", start), ("end", end)] {
        if let Some((_, text)) = moment {
            period.insert(name.to_owned(), Value::String(text));
        }
    }
    if period.is_empty() { Value::Null } else { Value::Object(period) }
}

fn sections(
    material: &Material,
    activities: &activity::Activities,
    addresses: &[String],
) -> Vec<Section> {
    let problem = |c: &Shown| {
        let name = narrative::concept(c.body.get("code"))?;
        addresses.contains(&c.reference).then_some(name)
    };
    let plan = |p: &Shown| {
        let title = p.body.get("title").and_then(Value::as_str).map(str::to_owned);
        let category = p.body.get("category").and_then(|c| c.get(0));
        let name = title.or_else(|| narrative::concept(category));
        let status = p.body.get("status").and_then(Value::as_str).unwrap_or("unknown");
        format!("{} ({status})", name.as_deref().unwrap_or("care plan"))
    };
    vec![
        Section {
            heading: "Problems",
            lines: material.conditions.iter().filter_map(problem).collect(),
        },
        Section {
            heading: "Goals",
            lines: material.goals.iter().map(|g| lines::goal(g, &material.conditions)).collect(),
        },
        Section { heading: "Activities", lines: activities.lines.clone() },
        Section { heading: "Source plans", lines: material.plans.iter().map(plan).collect() },
    ]
}
