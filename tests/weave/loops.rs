//! Orders and the tasks done for them, in the woven plan and among the findings.

use super::*;

fn task(id: &str, status: &str) -> Value {
    about_p(json!({
        "resourceType": "Task", "id": id, "status": status, "intent": "order",
        "code": {"text": "Fulfill"}, "authoredOn": "2026-01-06T08:00:00Z",
        "focus": {"reference": "ServiceRequest/s"},
        "output": [{"type": {"text": "result"}, "valueString": "in the chart"}]
    }))
}

fn plan_text(view: &View) -> (Value, String) {
    let plans = &view.tables[&ResourceType::of("CarePlan")];
    let plan = body(plans.iter().find(|r| r.made_by_us).unwrap());
    let text = plan["text"]["div"].as_str().unwrap().to_owned();
    (plan, text)
}

#[test]
fn an_open_order_with_its_work_done_awaits_closure() {
    let panel = || {
        let mut order = order("s", "2026-01-05", "order", "1");
        order["code"]["text"] = json!("Metabolic panel");
        order
    };
    let with = |tasks: Vec<Value>, order: Value| {
        let mut all = vec![("valley", patient()), ("valley", order)];
        all.extend(tasks.into_iter().map(|t| ("valley", t)));
        view(&all)
    };
    let done = with(vec![task("t", "completed")], panel());
    assert_eq!(rules(&done), ["awaiting-closure"]);
    let (plan, text) = plan_text(&done);
    assert_eq!(plan["activity"].as_array().unwrap().len(), 2);
    assert!(text.contains("Metabolic panel (active, 2026-01-05)"), "{text}");
    assert!(text.contains("Fulfill: Metabolic panel (completed, 2026-01-06)"), "{text}");
    assert!(FINDING_RULES.contains(&"awaiting-closure"));
    let both = vec![task("t", "completed"), task("u", "in-progress")];
    assert_eq!(rules(&with(both, panel())), ["open-loop"], "there is work left");
    let mut weekly = panel();
    weekly["occurrenceTiming"] = json!({"repeat": {"frequency": 1, "period": 1,
        "periodUnit": "wk"}});
    assert!(rules(&with(vec![task("t", "completed")], weekly)).is_empty());
}

#[test]
fn a_goal_is_told_with_the_problem_it_is_for() {
    let problem = |id: &str, name: &str| {
        about_p(json!({"resourceType": "Condition", "id": id, "code": {"text": name}}))
    };
    let goal = |id: &str, problem: &str| {
        let mut goal = goal(id, "Takes medicines as prescribed", "active");
        goal["addresses"] = json!([{"reference": format!("Condition/{problem}")}]);
        goal
    };
    let view = view(&[
        ("valley", patient()),
        ("valley", problem("x", "Asthma")),
        ("valley", problem("y", "Obesity")),
        ("valley", goal("a", "x")),
        ("valley", goal("b", "y")),
    ]);
    let (_, text) = plan_text(&view);
    assert!(text.contains("(for Asthma, active)") && text.contains("(for Obesity, active)"));
}
