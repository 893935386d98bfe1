//! Goals and orders for problems that two sources put differently.

use super::*;

fn problem(id: &str, code: Value, onset: &str) -> Value {
    about_p(json!({
        "resourceType": "Condition", "id": id, "code": code, "onsetDateTime": onset,
        "clinicalStatus": {"coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/condition-clinical",
            "code": "active"}]}
    }))
}

fn coded(code: &str, display: &str) -> Value {
    json!({"coding": [{"system": "http://snomed.info/sct", "code": code, "display": display}]})
}

fn text(text: &str) -> Value {
    json!({"text": text})
}

fn for_problem(mut resource: Value, id: &str) -> Value {
    let name = if resource["resourceType"] == "Goal" { "addresses" } else { "reasonReference" };
    resource[name] = json!([{"reference": format!("Condition/{id}")}]);
    resource
}

fn measured(mut goal: Value) -> Value {
    goal["startDate"] = json!("2026-01-02");
    goal["target"] = json!([{
        "measure": {"text": "Body weight"}, "dueDate": "2026-06-01",
        "detailQuantity": {"value": 85, "comparator": "<", "unit": "kg",
            "system": "http://unitsofmeasure.org", "code": "kg"}}]);
    goal
}

/// How many resources of a kind stand for two statements by two endpoints, each for its problem.
fn count(kind: &'static str, a: (Value, Value), b: (Value, Value)) -> usize {
    let own = |(code, resource): (Value, Value), onset| {
        (problem("c", code, onset), for_problem(resource, "c"))
    };
    let (a, b) = (own(a, "2019-01-01"), own(b, "2020-01-01"));
    let all = [
        ("valley", patient()),
        ("mercy", patient()),
        ("valley", a.0),
        ("valley", a.1),
        ("mercy", b.0),
        ("mercy", b.1),
    ];
    rows(&view(&all), kind).len()
}

#[test]
fn a_goal_is_not_parted_by_problems_that_are_merely_not_proven_the_same() {
    let goals = |a: Value, b: Value| {
        let weight = "Body weight stays below 85 kg";
        let goal = |id| measured(goal(id, weight, "active"));
        count("Goal", (a, goal("a")), (b, goal("b")))
    };
    let failure = || coded("42343007", "Congestive heart failure");
    assert_eq!(goals(text("heart failure"), failure()), 1);
    assert_eq!(goals(text("weak heart"), failure()), 1);
    assert_eq!(goals(coded("414916001", "Obesity"), failure()), 2, "two codes of one system");
    assert_eq!(goals(text("obesity"), text("heart failure")), 2, "two unlike texts");
}

#[test]
fn the_same_words_without_a_target_need_the_same_problem() {
    let goals = |a: Value, b: Value| {
        let goal = |id| goal(id, "Takes medicines as prescribed", "active");
        count("Goal", (a, goal("a")), (b, goal("b")))
    };
    let failure = || coded("42343007", "Congestive heart failure");
    assert_eq!(goals(text("heart failure"), failure()), 1);
    assert_eq!(goals(text("high blood pressure"), failure()), 2);
}

#[test]
fn a_goal_for_two_problems_of_one_endpoint_stays_two_elsewhere() {
    let goal = |id: &str, of: &str| for_problem(measured(goal(id, "Weigh less", "active")), of);
    let all = [
        ("valley", patient()),
        ("valley", problem("x", text("heart failure"), "2019-01-01")),
        ("valley", problem("y", text("obesity"), "2019-01-01")),
        ("valley", goal("a", "x")),
        ("mercy", patient()),
        ("mercy", problem("x", coded("42343007", "Congestive heart failure"), "2019-01-01")),
        ("mercy", problem("y", coded("414916001", "Obesity"), "2019-01-01")),
        ("mercy", goal("b", "y")),
    ];
    assert_eq!(rows(&view(&all), "Goal").len(), 2);
}

#[test]
fn an_order_needs_no_proof_of_its_reason_and_another_reason_is_another_order() {
    let orders = |a: Value, b: Value| {
        let order = |id| order(id, "2026-01-05", "order", "1");
        count("ServiceRequest", (a, order("a")), (b, order("b")))
    };
    let failure = || coded("42343007", "Congestive heart failure");
    assert_eq!(orders(text("weak heart"), failure()), 1);
    assert_eq!(orders(coded("414916001", "Obesity"), failure()), 2);
}

#[test]
fn a_problem_described_more_closely_is_the_same_if_it_began_on_the_same_day() {
    let problems = |a: Value, b: Value, onset: &str| {
        let all = [
            ("valley", patient()),
            ("valley", problem("a", a, "2019-01-01")),
            ("mercy", patient()),
            ("mercy", problem("b", b, onset)),
        ];
        rows(&view(&all), "Condition").len()
    };
    let failure = || coded("42343007", "Congestive heart failure");
    assert_eq!(problems(text("heart failure"), failure(), "2019-01-01"), 1);
    assert_eq!(problems(text("heart failure"), failure(), "2019-01-02"), 2);
    assert_eq!(problems(text("heart failure"), failure(), "2019"), 2);
    let other = || coded("84114007", "Heart failure");
    assert_eq!(problems(other(), failure(), "2019-01-01"), 2, "another code of the system");
    let (one, two) = (text("type 1 diabetes"), coded("44054006", "Diabetes mellitus type 2"));
    assert_eq!(problems(one, two, "2019-01-01"), 2);
}
