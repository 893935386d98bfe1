//! Which statements of plans, goals, orders and tasks are one, after what real exports say.

use super::*;

/// How many resources of a kind stand for what endpoints state of one person.
pub(super) fn count(kind: &'static str, stated: &[(&'static str, &Value)]) -> usize {
    let mut sources: Vec<(&str, Value)> = vec![("valley", patient()), ("mercy", patient())];
    sources.extend(stated.iter().map(|(endpoint, resource)| (*endpoint, (*resource).clone())));
    rows(&view(&sources), kind).len()
}

pub(super) fn with(mut resource: Value, rest: Value) -> Value {
    let Value::Object(rest) = rest else { panic!("an object") };
    resource.as_object_mut().unwrap().extend(rest);
    resource
}

fn screening(id: &str, text: Option<&str>) -> Value {
    let mut code = json!({"coding": [{"system": "http://snomed.info/sct", "code": "445536008",
        "display": "Assessment using assessment scale (procedure)"}]});
    if let Some(text) = text {
        code["text"] = json!(text);
    }
    about_p(json!({"resourceType": "ServiceRequest", "id": id, "status": "active",
        "intent": "plan", "code": code, "authoredOn": "2026-01-05"}))
}

#[test]
fn a_code_of_any_assessment_does_not_make_one_of_two() {
    let (falls, sleep) =
        (screening("a", Some("Fall risk screening")), screening("b", Some("Sleep quality survey")));
    let of = |a: &Value, b: &Value| count("ServiceRequest", &[("valley", a), ("mercy", b)]);
    assert_eq!(of(&falls, &sleep), 2);
    assert_eq!(of(&falls, &screening("c", Some("Screening of fall risks"))), 1);
    assert_eq!(of(&falls, &screening("c", None)), 1);
}

#[test]
fn who_is_only_called_by_name_counts() {
    let order = |id: &str, requester: &str| {
        about_p(json!({"resourceType": "ServiceRequest", "id": id, "status": "active",
            "intent": "order", "code": {"text": "Knee arthroscopy"},
            "occurrenceDateTime": "2026-02-03", "requester": {"display": requester}}))
    };
    let of =
        |x, y| count("ServiceRequest", &[("valley", &order("a", x)), ("mercy", &order("b", y))]);
    assert_eq!(of("Ann Lee, MD", "Dr. Ann Lee"), 1);
    assert_eq!(of("Ann Lee, MD", "Bo Ray, MD"), 2);
    let written =
        |id: &str, requester: &str| with(order(id, requester), json!({"authoredOn": "2026-01-30"}));
    let (a, b) = (written("a", "Ann Lee, MD"), written("b", "Bo Ray, MD"));
    assert_eq!(count("ServiceRequest", &[("valley", &a), ("mercy", &b)]), 2);
}

fn fulfil(id: &str, rest: Value) -> Value {
    let task = about_p(json!({"resourceType": "Task", "id": id, "status": "accepted",
        "intent": "order", "authoredOn": "2026-01-05",
        "code": {"coding": [{"system": "http://hl7.org/fhir/CodeSystem/task-code",
            "code": "fulfill", "display": "Fulfill the focal request"}]}}));
    with(task, rest)
}

#[test]
fn to_fulfil_a_request_that_is_not_named_is_any_task_of_the_day() {
    let own = |name: &str| json!({"owner": {"display": name}});
    let (first, second) = (fulfil("a", own("Harbour Pantry")), fulfil("b", own("Harbour Pantry")));
    let first = with(first, json!({"requester": {"display": "Ann Lee"}}));
    let second = with(second, json!({"requester": {"display": "Bo Ray"}}));
    let copy = fulfil("c", own("Harbour Pantry"));
    assert_eq!(count("Task", &[("valley", &first), ("mercy", &copy)]), 1);
    let both = [("valley", &first), ("valley", &second), ("mercy", &copy)];
    assert_eq!(count("Task", &both), 3, "which of the two it is cannot be told");
    let bare = fulfil("d", json!({}));
    assert_eq!(count("Task", &[("valley", &first), ("mercy", &bare)]), 2);
}

#[test]
fn a_task_given_to_another_keeps_its_number() {
    let owned = |id: &str, owner: &str| {
        json!({"owner": {"reference": format!("https://sites.example/fhir/Organization/{id}"),
            "display": owner}})
    };
    let (first, second) =
        (fulfil("a", owned("1", "Harbour Pantry")), fulfil("b", owned("2", "Salem Pantry")));
    assert_eq!(count("Task", &[("valley", &first), ("mercy", &second)]), 2);
    let number = json!({"identifier": [{"system": "http://tasks.example", "value": "17"}]});
    let (first, second) = (with(first, number.clone()), with(second, number));
    assert_eq!(count("Task", &[("valley", &first), ("mercy", &second)]), 1);
}

fn undated_plan(id: &str, rest: Value) -> Value {
    let plan = about_p(json!({"resourceType": "CarePlan", "id": id, "status": "completed",
        "intent": "order", "activity": [{"detail": {"status": "completed",
            "code": {"text": "Breathing exercises"},
            "location": {"reference": "https://sites.example/fhir/Location/1",
                "display": "Salem Clinic"}}}]}));
    with(plan, rest)
}

#[test]
fn where_an_activity_takes_place_does_not_say_who_keeps_the_plan() {
    let dated = undated_plan("a", json!({"period": {"start": "2019-03-04"}}));
    let undated = undated_plan("b", json!({}));
    assert_eq!(count("CarePlan", &[("valley", &dated), ("mercy", &undated)]), 2);
    let kept = |plan: &Value| {
        let by = json!([{"reference": "https://sites.example/fhir/Organization/1",
            "display": "Salem Clinic"}]);
        with(plan.clone(), json!({"contributor": by, "title": "Breathing plan"}))
    };
    let (dated, undated) = (kept(&dated), kept(&undated));
    assert_eq!(count("CarePlan", &[("valley", &dated), ("mercy", &undated)]), 1);
}

#[test]
fn a_plan_without_period_began_at_its_visit() {
    let visit = |id: &str, day: &str| {
        about_p(json!({"resourceType": "Encounter", "id": id, "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
                "code": "AMB"},
            "period": {"start": format!("{day}T09:00:00Z"), "end": format!("{day}T10:00:00Z")}}))
    };
    let plan = |id: &str, rest: Value| {
        let problem = json!({"title": "Breathing plan", "addresses": [
            {"reference": "https://sites.example/fhir/Condition/1"}]});
        with(with(undated_plan(id, rest), problem), json!({}))
    };
    let dated = plan("a", json!({"period": {"start": "2019-03-04"}}));
    let at_visit = plan("b", json!({"encounter": {"reference": "Encounter/v"}}));
    let of = |day: &str| {
        let visit = visit("v", day);
        count("CarePlan", &[("valley", &dated), ("mercy", &visit), ("mercy", &at_visit)])
    };
    assert_eq!(of("2019-03-04"), 1);
    assert_eq!(of("2021-06-07"), 2);
    assert_eq!(count("CarePlan", &[("valley", &dated), ("mercy", &at_visit)]), 1);
}

/// Of a kind there is one a year.
#[test]
fn a_plan_without_title_and_period_may_be_any_of_its_kind() {
    let of = |states: [&str; 2], title: Option<&str>| {
        let [dated, undated] = states.map(|status| {
            let mut plan = undated_plan(
                status,
                json!({"id": format!("x-{status}"),
                "status": status, "category": [{"text": "Antenatal care"}],
                "addresses": [{"reference": "https://sites.example/fhir/Condition/1"}]}),
            );
            if let Some(title) = title {
                plan["title"] = json!(title);
            }
            plan
        });
        let dated = with(dated, json!({"period": {"start": "2019-03-04"}}));
        count("CarePlan", &[("valley", &dated), ("mercy", &undated)])
    };
    assert_eq!(of(["completed", "completed"], None), 2);
    assert_eq!(of(["completed", "active"], Some("Care before the birth of twins")), 1);
}

#[test]
fn the_rule_tells_whether_a_code_or_words_made_goals_one() {
    let rule = |goals: [Value; 2]| {
        let [a, b] = goals;
        let view =
            view(&[("valley", patient()), ("mercy", patient()), ("valley", a), ("mercy", b)]);
        let [row] = rows(&view, "Goal")[..] else { panic!("one goal") };
        row.members.iter().map(|member| member.rule.to_string()).collect::<Vec<_>>()
    };
    let coded = |id: &str| {
        let code = json!({"coding": [{"system": "http://snomed.info/sct", "code": "160573003"}],
            "text": "Walk daily"});
        with(goal(id, "", "active"), json!({"description": code}))
    };
    let said = |id: &str| goal(id, "Walk daily", "active");
    assert_eq!(rule([said("a"), said("b")]), ["goal-text", "goal-text"]);
    assert_eq!(rule([coded("a"), said("b")]), ["goal-text", "goal-text"]);
    assert_eq!(rule([coded("a"), coded("b")]), ["goal-code", "goal-code"]);
}
