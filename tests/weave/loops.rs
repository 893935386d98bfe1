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
    let elsewhere = vec![task("t", "rejected"), task("u", "completed")];
    assert_eq!(rules(&with(elsewhere, panel())), ["awaiting-closure"], "somebody else did it");
    let nobody = vec![task("t", "rejected"), task("u", "failed")];
    assert_eq!(rules(&with(nobody, panel())), ["open-loop"]);
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

#[test]
fn which_status_may_follow_which() {
    // Apart from the policy: what the state machine of STANDARDS allows, by one step or several.
    let legal = [
        ("draft", "completed", true),
        ("requested", "accepted", true),
        ("requested", "completed", true),
        ("accepted", "on-hold", true),
        ("on-hold", "in-progress", true),
        ("in-progress", "failed", true),
        ("completed", "entered-in-error", true),
        ("accepted", "requested", false),
        ("accepted", "rejected", false),
        ("in-progress", "accepted", false),
        ("rejected", "accepted", false),
        ("cancelled", "in-progress", false),
        ("failed", "completed", false),
        ("completed", "cancelled", false),
    ];
    for (from, to, is_legal) in legal {
        let sources = [
            ("valley", patient()),
            ("valley", order("s", "2026-01-05", "order", "1")),
            ("valley", task("t", to)),
        ];
        let mut charts = charts(records(&sources));
        for record in charts.iter_mut().flat_map(|chart| &mut chart.records) {
            if record.header.key.resource_type.name() == "Task" {
                record.statuses = vec![Some(from.into()), None, Some(to.into())];
            }
        }
        let view = woven(charts, &NoPreviousRows);
        let told = rules(&view).contains(&"illegal-transition".to_owned());
        // What was entered in error is no longer in the view, so nothing is told of it.
        assert_eq!(told, !is_legal, "from {from} to {to}");
    }
}

#[test]
fn only_the_owner_says_that_work_is_done() {
    let organization =
        |value: &str| json!({"identifier": {"system": "urn:oid:1.9", "value": value}});
    let stated = |status: &str| {
        let mut task = task("t", status);
        task["identifier"] = json!([{"system": "urn:oid:1.2.3", "value": "T1"}]);
        task["requester"] = organization("valley");
        task["owner"] = organization("mercy");
        task
    };
    let both = |requester: &str, owner: &str| {
        let sources = [
            ("valley", patient()),
            ("mercy", patient()),
            ("valley", order("s", "2026-01-05", "order", "1")),
            ("valley", stated(requester)),
            ("mercy", stated(owner)),
        ];
        let view = woven_by(&sources, |endpoint| {
            vec![Identifier {
                system: "urn:oid:1.9".into(),
                value: endpoint.into(),
                ..Identifier::default()
            }]
        });
        rules(&view)
    };
    let told = |requester: &str, owner: &str| {
        both(requester, owner).contains(&"unauthorised-status".to_owned())
    };
    assert!(told("completed", "in-progress"), "the requester cannot know");
    assert!(told("in-progress", "requested"), "told before the owner said so");
    assert!(!told("completed", "completed"), "a copy");
    assert!(!told("requested", "in-progress"), "an old copy");
    assert!(!told("cancelled", "in-progress"), "either may cancel");
    assert!(told("requested", "draft"), "the owner drafts nothing");
    assert!(both("rejected", "completed").contains(&"C11".to_owned()), "two ends of one task");
    assert!(!both("accepted", "completed").contains(&"C11".to_owned()));
}
