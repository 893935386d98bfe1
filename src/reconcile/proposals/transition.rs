//! The checklist of a discharge as Tasks: one over all of it, which says what there is, and one
//! for each line that nobody has taken up.
//! <https://hl7.org/fhir/R4/task.html>

use serde_json::{Value, json};

use crate::fhir::ResourceType;

use super::super::calendar::Calendar;
use super::super::checklist::{Item, checklist};
use super::super::resolve::shown_reference;
use super::super::scene::{Scene, literal, order_name};
use super::super::transition::{Contact, Discharge, contacts, to_follow_up};
use super::{Proposal, resting_on};

/// The code system of the checklist.
const CHECKLIST: &str = "urn:careweave:transition";
const RULE: &str = "discharge";

/// The checklists of all discharges that are to be followed up.
pub(super) fn proposals(scene: &Scene<'_>, calendar: &mut Calendar) -> Vec<Proposal> {
    let contacts = contacts(scene);
    let mut found = Vec::new();
    for (stay, discharge) in to_follow_up(scene, &contacts, calendar) {
        let items = checklist(scene, &contacts, &discharge);
        if !items.is_empty() {
            found.extend(of_stay(scene, stay, &discharge, &items));
        }
    }
    found
}

fn of_stay(
    scene: &Scene<'_>,
    stay: &Contact<'_>,
    discharge: &Discharge,
    items: &[Item<'_>],
) -> Vec<Proposal> {
    let (person, ids) = (scene.person, scene.person.ids);
    let (_, encounter) = scene.shown_as(stay.group);
    let task = ResourceType::of("Task");
    let whole = ids.finding("transition-checklist", &[encounter]);
    let members = resting_on(person, stay.group, RULE);
    let stay_reference = literal(scene.shown_as(stay.group));
    let day = discharge.on.to_string();
    let base = || {
        let mut body = json!({
            "status": "draft",
            "intent": "proposal",
            "encounter": {"reference": stay_reference},
            "authoredOn": day,
        });
        if let Some(patient) = person.patient_group() {
            body["for"] = json!({"reference": shown_reference(person, patient)});
        }
        body
    };
    let mut checklist = base();
    let last = items.iter().map(|item| item.due).max().unwrap_or(discharge.on);
    checklist["code"] = concept("checklist", "Checklist after a discharge", None);
    checklist["description"] = json!(format!(
        "After the discharge on {day} ({}): {} of {} lines are taken up",
        scene.speaker(stay.group.first()),
        items.iter().filter(|item| item.met_by.is_some()).count(),
        items.len()
    ));
    checklist["focus"] = json!({"reference": stay_reference});
    checklist["executionPeriod"] = json!({"start": day, "end": last.to_string()});
    let met = items.iter().filter_map(|item| {
        let what = concept(&item.rule.item, &item.rule.text, None);
        let met_by = item.met_by.as_ref()?;
        Some(json!({"type": what, "valueReference": {"reference": met_by}}))
    });
    let met: Vec<Value> = met.collect();
    if !met.is_empty() {
        checklist["output"] = Value::Array(met);
    }
    let of_task = |id, body, members| Proposal { resource_type: task, id, body, members };
    let mut found = vec![of_task(whole, checklist, members.clone())];
    for item in items.iter().filter(|item| item.met_by.is_none()) {
        let mut about = vec![encounter];
        about.extend(item.order.map(|order| order.id));
        let id = ids.finding(&format!("transition-{}", item.rule.item), &about);
        let mut body = base();
        let (mut text, mut members) = (item.rule.text.clone(), members.clone());
        if let Some(order) = item.order {
            text = format!("{text}: {}", order_name(order));
            body["focus"] = json!({"reference": order.reference});
            let group = scene.group(order.id);
            members.extend(group.into_iter().flat_map(|g| resting_on(person, g, RULE)));
            members.sort();
        }
        body["partOf"] = json!([{"reference": literal((task, whole))}]);
        body["code"] = concept(&item.rule.item, &text, item.rule.code.as_deref());
        body["restriction"] = json!({"period": {"start": day, "end": item.due.to_string()}});
        found.push(of_task(id, body, members));
    }
    found
}

/// A line of the checklist as a concept, with a code of a standard if there is one.
fn concept(code: &str, text: &str, standard: Option<&str>) -> Value {
    let mut codings = vec![json!({"system": CHECKLIST, "code": code})];
    if let Some((system, code)) = standard.and_then(|standard| standard.rsplit_once('|')) {
        codings.push(json!({"system": system, "code": code}));
    }
    json!({"coding": codings, "text": text})
}
