//! What makes one of statements that do not tell the day on which they were made.

use super::likeness::{count, with};
use super::*;

fn order(id: &str, rest: Value) -> Value {
    let order = about_p(json!({"resourceType": "ServiceRequest", "id": id, "status": "active",
        "intent": "plan", "code": {"text": "Home glucose monitoring"}}));
    with(order, rest)
}

#[test]
fn orders_of_one_service_for_one_time_are_one() {
    let of = |a: Value, b: Value| {
        let (a, b) = (order("a", a), order("b", b));
        // A second one of the person, so that the only one there is does not decide.
        let later = order(
            "c",
            json!({"occurrencePeriod":
            {"start": "2026-09-01", "end": "2026-11-30"}}),
        );
        count("ServiceRequest", &[("valley", &a), ("valley", &later), ("mercy", &b)])
    };
    let time = |end: &str| json!({"occurrencePeriod": {"start": "2026-03-01", "end": end}});
    let asked = |by: &str| with(time("2026-05-31"), json!({"requester": {"display": by}}));
    assert_eq!(of(time("2026-05-31"), asked("Ann Lee, MD")), 2);
    assert_eq!(of(time("2026-05-31"), time("2026-06-30")), 3, "another end");
    assert_eq!(of(asked("Ann Lee, MD"), asked("Bo Ray, MD")), 3, "another requester");
}

fn task(id: &str, rest: Value) -> Value {
    let task = about_p(json!({"resourceType": "Task", "id": id, "status": "accepted",
        "intent": "order", "code": {"text": "Ask the patient"}}));
    with(task, rest)
}

#[test]
fn a_task_described_in_so_many_words_is_one_if_there_is_but_one() {
    let voucher = json!({"description": "Ask which grocery store the voucher should be for"});
    let dated = with(task("a", voucher.clone()), json!({"authoredOn": "2026-02-03"}));
    let undated = task("b", voucher.clone());
    assert_eq!(count("Task", &[("valley", &dated), ("mercy", &undated)]), 1);
    let again = with(task("c", voucher), json!({"authoredOn": "2026-03-03"}));
    let three = [("valley", &dated), ("valley", &again), ("mercy", &undated)];
    assert_eq!(count("Task", &three), 3, "which of the two it is cannot be told");
    let other = task("d", json!({"description": "Ask about the ride to the clinic"}));
    assert_eq!(count("Task", &[("valley", &dated), ("mercy", &other)]), 2);
    let meant = json!({"executionPeriod": {"start": "2026-02-03", "end": "2026-02-05"}});
    let (a, b) = (task("e", meant.clone()), task("f", meant));
    assert_eq!(count("Task", &[("valley", &a), ("mercy", &b)]), 1, "one time");
}

#[test]
fn a_target_measured_under_another_name_is_one_if_the_amount_is() {
    let goal = |id: &str, measure: Value, low: f64| {
        about_p(json!({"resourceType": "Goal", "id": id, "lifecycleStatus": "active",
            "description": {"text": "Reach a healthy weight"}, "target": [{"measure": measure,
                "detailRange": {"low": {"value": low, "unit": "kg", "code": "kg",
                        "system": "http://unitsofmeasure.org"},
                    "high": {"value": 78, "unit": "kg", "code": "kg",
                        "system": "http://unitsofmeasure.org"}}}]}))
    };
    let loinc = json!({"coding": [{"system": "http://loinc.org", "code": "3141-9"}]});
    let snomed = json!({"coding": [{"system": "http://snomed.info/sct", "code": "27113001",
        "display": "Body weight"}]});
    let named = json!({"text": "Weight on the scale"});
    let of = |x: &Value, y: &Value, low: f64| {
        count(
            "Goal",
            &[("valley", &goal("a", x.clone(), 70.0)), ("mercy", &goal("b", y.clone(), low))],
        )
    };
    assert_eq!(of(&loinc, &snomed, 70.0), 1);
    assert_eq!(of(&loinc, &named, 70.0), 1);
    assert_eq!(of(&loinc, &snomed, 60.0), 2);
    let height = json!({"coding": [{"system": "http://loinc.org", "code": "8302-2"}]});
    assert_eq!(of(&loinc, &height, 70.0), 2, "other codes of one system");
}

#[test]
fn plans_without_title_and_time_are_one_by_problem_and_activities() {
    let plan = |id: &str, activity: &str| {
        about_p(json!({"resourceType": "CarePlan", "id": id, "status": "active",
            "intent": "plan",
            "addresses": [{"reference": "https://sites.example/fhir/Condition/1"}],
            "activity": [{"detail": {"status": "in-progress", "code": {"coding": [
                {"system": "http://snomed.info/sct", "code": activity}]}}}]}))
    };
    let of = |x: &str, y: &str| {
        count("CarePlan", &[("valley", &plan("a", x)), ("mercy", &plan("b", y))])
    };
    assert_eq!(of("367336001", "367336001"), 1);
    assert_eq!(of("367336001", "229065009"), 2);
}

#[test]
fn a_plan_without_time_is_of_the_time_of_its_activities() {
    let plan = |id: &str, year: u16| {
        about_p(json!({"resourceType": "CarePlan", "id": id, "status": "active",
            "intent": "plan", "title": "Walking programme",
            "addresses": [{"display": "Obesity"}],
            "activity": [{"detail": {"status": "in-progress", "code": {"text": "Walk"},
                "scheduledTiming": {"repeat": {"boundsPeriod": {
                    "start": format!("{year}-03-01"), "end": format!("{year}-05-31")}}}}}]}))
    };
    let (last, this) = (plan("a", 2025), plan("b", 2026));
    let copies = [plan("c", 2025), plan("d", 2026)];
    let stated =
        [("valley", &last), ("valley", &this), ("mercy", &copies[0]), ("mercy", &copies[1])];
    assert_eq!(count("CarePlan", &stated), 2);
    assert_eq!(count("CarePlan", &[("valley", &last), ("mercy", &copies[1])]), 2);
}

#[test]
fn a_goal_for_what_may_be_another_problem_is_one_if_there_is_but_one() {
    let goal = |id: &str, problem: &str| {
        about_p(json!({"resourceType": "Goal", "id": id, "lifecycleStatus": "active",
            "description": {"text": "Diastolic blood pressure"},
            "addresses": [{"display": problem}], "target": [{
                "measure": {"coding": [{"system": "http://loinc.org", "code": "8462-4"}]},
                "detailQuantity": {"value": 80, "comparator": "<", "unit": "mm[Hg]",
                    "code": "mm[Hg]", "system": "http://unitsofmeasure.org"}}]}))
    };
    let (kidney, other) = (goal("a", "Chronic kidney disease"), goal("b", "Renal insufficiency"));
    assert_eq!(count("Goal", &[("valley", &kidney), ("mercy", &other)]), 1);
    let second = goal("c", "Aortic aneurysm");
    let stated = [("valley", &kidney), ("valley", &second), ("mercy", &other)];
    assert_eq!(count("Goal", &stated), 3, "which of the two it is cannot be told");
}
