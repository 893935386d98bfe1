//! Days, episodes and names at several endpoints: what is one thing, and its nearest look-alike.

use super::likeness::{count, with};
use super::*;

fn order(id: &str, authored: &str, rest: Value) -> Value {
    let order = json!({"resourceType": "ServiceRequest", "id": id, "status": "active",
        "intent": "order", "code": {"text": "Ferritin"}, "requester": {"display": "Ann Lee"}});
    let order =
        if authored.is_empty() { order } else { with(order, json!({"authoredOn": authored})) };
    about_p(with(order, rest))
}

fn orders(x: &str, y: &str) -> usize {
    let (a, b) = (order("a", x, json!({})), order("b", y, json!({})));
    count("ServiceRequest", &[("valley", &a), ("mercy", &b)])
}

#[test]
fn an_evening_is_the_next_morning_in_another_zone() {
    assert_eq!(orders("2026-01-05T22:30:00Z", "2026-01-06T07:30:00+09:00"), 1);
    assert_eq!(orders("2026-01-05T22:30:00Z", "2026-01-06T08:30:00+09:00"), 2);
    assert_eq!(orders("2026-01-05T22:30:00Z", "2026-01-06"), 1);
    assert_eq!(orders("2026-01-05T08:30:00Z", "2026-01-07"), 2);
}

#[test]
fn days_next_to_each_other_are_one_only_without_another_of_either_day() {
    assert_eq!(orders("2026-01-05", "2026-01-06"), 1);
    assert_eq!(orders("2026-01-05", "2026-01-07"), 2);
    let of = |id, day| order(id, day, json!({}));
    let (first, second) = (of("a", "2026-01-05"), of("b", "2026-01-07"));
    let between = of("c", "2026-01-06");
    let stated = [("valley", &first), ("valley", &second), ("mercy", &between)];
    assert_eq!(count("ServiceRequest", &stated), 3, "which of the two it is cannot be told");
}

#[test]
fn an_order_without_day_is_the_only_one_there_is_or_stays_apart() {
    let code = json!({"code": {"coding": [{"system": "http://loinc.org", "code": "2276-4"}]}});
    let of = |id, day| order(id, day, code.clone());
    let (first, second) = (of("a", "2026-01-05"), of("b", "2026-02-05"));
    let undated = of("c", "");
    assert_eq!(count("ServiceRequest", &[("valley", &first), ("mercy", &undated)]), 1);
    let stated = [("valley", &first), ("valley", &second), ("mercy", &undated)];
    assert_eq!(count("ServiceRequest", &stated), 3);
}

#[test]
fn an_episode_that_nobody_closed_does_not_take_in_a_later_one() {
    let problem = |id: &str, onset: &str, status: &str| {
        about_p(json!({"resourceType": "Condition", "id": id, "onsetDateTime": onset,
            "code": {"coding": [{"system": "http://snomed.info/sct", "code": "39848009"}]},
            "clinicalStatus": {"coding": [{"code": status, "system":
                "http://terminology.hl7.org/CodeSystem/condition-clinical"}]}}))
    };
    let of = |a: &Value, b: &Value| count("Condition", &[("valley", a), ("mercy", b)]);
    let open = problem("a", "2021-03-04", "active");
    assert_eq!(of(&open, &problem("b", "2022-09-10", "resolved")), 2);
    assert_eq!(of(&open, &problem("b", "2021-03-20", "resolved")), 1, "it is over by now");
    assert_eq!(of(&open, &problem("b", "2022-09-10", "active")), 1, "known there since");
}

#[test]
fn plans_of_organizations_that_are_only_called_by_name_stay_two() {
    let plan = |id: &str, day: &str, author: &str| {
        about_p(json!({"resourceType": "CarePlan", "id": id, "status": "active",
            "intent": "plan", "title": "Wound care", "period": {"start": day},
            "author": {"display": author}}))
    };
    let of = |a: &Value, b: &Value| count("CarePlan", &[("valley", a), ("mercy", b)]);
    let first = plan("a", "2026-01-05", "Harbour Clinic");
    assert_eq!(of(&first, &plan("b", "2026-01-05", "HARBOUR CLINIC")), 1);
    assert_eq!(of(&first, &plan("b", "2026-01-05", "Salem Hospital")), 2);
}

#[test]
fn a_problem_that_is_only_called_by_name_is_the_one_that_is_called_so() {
    let problem = |id: &str, text: &str| {
        about_p(json!({"resourceType": "Condition", "id": id, "code": {"text": text}}))
    };
    let aim = |id: &str, addresses: Value| {
        with(goal(id, "Walk with a stick", "active"), json!({"addresses": [addresses]}))
    };
    let (gout, vertigo) = (problem("g", "Gout"), problem("v", "Vertigo"));
    let named = aim("a", json!({"display": "gout"}));
    let of = |to: &str| {
        let referring = aim("b", json!({"reference": format!("Condition/{to}")}));
        let stated =
            [("mercy", &gout), ("mercy", &vertigo), ("valley", &named), ("mercy", &referring)];
        count("Goal", &stated)
    };
    assert_eq!(of("g"), 1);
    assert_eq!(of("v"), 2);
}

#[test]
fn a_focus_that_is_only_named_is_the_order_of_that_name() {
    let asked = order("o", "2026-01-05", json!({}));
    let task = |id: &str, focus: Value| {
        about_for(json!({"resourceType": "Task", "id": id, "status": "requested",
            "intent": "order", "authoredOn": "2026-01-05", "focus": focus,
            "owner": {"display": "Bo Ray"}, "code": {"coding": [{"code": "fulfill",
                "system": "http://hl7.org/fhir/CodeSystem/task-code"}]},
            "requester": {"display": "Ann Lee"}}))
    };
    let referring = task("a", json!({"reference": "ServiceRequest/o"}));
    let other = task("b", json!({"display": "Chest film"}));
    let named = task("c", json!({"display": "FERRITIN"}));
    let of = |stated: &[&Value]| {
        let mut all = vec![("valley", &asked), ("valley", &referring)];
        all.extend(stated.iter().map(|task| ("mercy", *task)));
        count("Task", &all)
    };
    assert_eq!(of(&[&named]), 1);
    assert_eq!(of(&[&named, &other]), 2);
}

fn about_for(mut task: Value) -> Value {
    task["for"] = json!({"reference": "Patient/p"});
    task
}

#[test]
fn what_clinicians_abbreviate_is_read_and_what_looks_like_it_is_not() {
    let of = |x: &str, y: &str| {
        let problem = |id: &str, text: &str| {
            about_p(json!({"resourceType": "Condition", "id": id, "code": {"text": text}}))
        };
        count("Condition", &[("valley", &problem("a", x)), ("mercy", &problem("b", y))])
    };
    for (x, y) in [
        ("CVA", "Stroke"),
        ("High blood pressure", "HTN"),
        ("Neuropathy due to DM", "Neuropathy due to diabetes"),
        ("Acute viral sore throat", "Acute viral pharyngitis"),
        ("Laceration of thigh w/o foreign body", "Thigh laceration without foreign body"),
        ("Endometriosis", "Endometroisis"),
    ] {
        assert_eq!(of(x, y), 1, "{x} | {y}");
    }
    for (x, y) in [
        ("CVA", "History of stroke"),
        ("High blood pressure", "Low blood pressure"),
        ("Heart attack", "Heart failure"),
        ("Trabeculation", "Tabulation"),
    ] {
        assert_eq!(of(x, y), 2, "{x} | {y}");
    }
}
