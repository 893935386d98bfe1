//! What the check finds, and what it lets pass.
#![expect(clippy::unwrap_used, reason = "test")]

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::json;

use super::*;

static CHECK: LazyLock<StructureCheck> = LazyLock::new(|| StructureCheck::new(&[]).unwrap());

fn found(resource: &Value) -> Vec<(&'static str, String)> {
    let problems = CHECK.check(&resource.to_string(), resource);
    problems.into_iter().filter(|p| p.fatal).map(|p| (p.code, p.expression)).collect()
}

fn goal() -> Value {
    json!({"resourceType": "Goal", "lifecycleStatus": "active", "description": {"text": "t"},
        "subject": {"reference": "Patient/1"}})
}

#[test]
fn a_right_resource_has_no_problem() {
    assert_eq!(found(&goal()), []);
    let patient = json!({"resourceType": "Patient", "name": [{"use": "official", "family": "f"}],
        "gender": "female", "birthDate": "2024-02-29", "telecom": [{"system": "phone"}]});
    assert_eq!(found(&patient), []);
}

#[test]
fn each_fault_has_its_code_and_place() {
    let set = |name: &str, value: Value| {
        let mut goal = goal();
        goal[name] = value;
        goal
    };
    let plan = json!({"resourceType": "CarePlan", "status": "active", "intent": "plan",
        "subject": {"reference": "Patient/1"},
        "activity": [{"reference": {"reference": "Task/1"}, "detail": {"status": "started"}}]});
    let cases = [
        (set("colour", json!("red")), vec![("structure", "Goal.colour")]),
        (set("target", json!({})), vec![("structure", "Goal.target")]),
        (set("lifecycleStatus", json!("running")), vec![("code-invalid", "Goal.lifecycleStatus")]),
        (set("startDate", json!("2023-02-30")), vec![("value", "Goal.startDate")]),
        (set("startDate", json!("30.2.2023")), vec![("value", "Goal.startDate")]),
        (set("target", json!([{"detailString": "x"}])), vec![("invariant", "Goal.target[0]")]),
        (
            set("identifier", json!([{"use": "own"}])),
            vec![("code-invalid", "Goal.identifier[0].use")],
        ),
        (
            json!({"resourceType": "Goal", "lifecycleStatus": "active",
                "description": {"text": "t"}}),
            vec![("required", "Goal.subject")],
        ),
        (
            plan,
            vec![
                ("code-invalid", "CarePlan.activity[0].detail.status"),
                ("invariant", "CarePlan.activity[0]"),
            ],
        ),
        (
            json!({"resourceType": "Condition", "subject": {"reference": "Patient/1"},
                "clinicalStatus": {"coding": [{"system": "http://other", "code": "active"}]}}),
            vec![("code-invalid", "Condition.clinicalStatus.coding")],
        ),
        (
            json!({"resourceType": "CareTeam", "contained": [{"resourceType": "Task",
                "status": "begun", "intent": "order"}]}),
            vec![("code-invalid", "CareTeam.contained[0].status")],
        ),
        (json!({"resourceType": "Nothing"}), vec![("structure", "Nothing")]),
    ];
    for (resource, expected) in cases {
        let expected: Vec<_> = expected.into_iter().map(|(c, e)| (c, e.to_owned())).collect();
        assert_eq!(found(&resource), expected, "{resource}");
    }
}

#[test]
fn texts_tell_the_remedy_and_no_patient_data() {
    let secret = "Jane Roe 555-0100";
    let resource = json!({"resourceType": "Goal", "lifecycleStatus": secret, secret: 1,
        "startDate": secret, "description": {"text": secret, "coding": secret},
        "target": [{"detailInteger": 5_550_100_000_000_i64}], "statusDate": 5});
    let problems = CHECK.check(&resource.to_string(), &resource);
    assert!(problems.len() >= 6, "{problems:?}");
    for problem in &problems {
        let all = format!("{} {}", problem.expression, problem.text);
        assert!(!["Jane", "555"].iter().any(|part| all.contains(part)), "{all}");
    }
    let mut wrong = goal();
    wrong["lifecycleStatus"] = json!("running");
    let text = CHECK.check(&wrong.to_string(), &wrong).remove(0).text;
    assert!(text.starts_with("\"running\" is not one of its codes; use one of: "), "{text}");
}

#[test]
fn a_value_may_be_missing_when_an_extension_says_why() {
    let mut goal = goal();
    goal.as_object_mut().unwrap().shift_remove("lifecycleStatus");
    assert_eq!(found(&goal), [("required", "Goal.lifecycleStatus".to_owned())]);
    goal["_lifecycleStatus"] = json!({"extension": [{"url":
        "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]});
    assert_eq!(found(&goal), []);
}

#[test]
fn a_site_can_tighten_a_profile() {
    let definition = json!({"resourceType": "StructureDefinition", "type": "Goal",
        "differential": {"element": [{"path": "Goal.startDate", "min": 1},
            {"path": "Goal.note", "max": "0"}]}});
    let check = StructureCheck::new(&[definition.to_string()]).unwrap();
    let mut goal = goal();
    goal["note"] = json!([{"text": "n"}]);
    let problems = check.check(&goal.to_string(), &goal);
    let places: Vec<&str> = problems.iter().map(|p| p.expression.as_str()).collect();
    assert_eq!(places, ["Goal.startDate", "Goal.note"]);
}

#[test]
fn hostile_shapes_are_refused_in_no_time() {
    let nested = format!("{}{}", r#"{"contained":["#.repeat(33), "]}".repeat(33));
    assert_eq!(CHECK.check(&nested, &Value::Null)[0].code, "structure");
    let deep =
        (0..28).fold(json!({"url": "u"}), |inner, _| json!({"url": "u", "extension": [inner]}));
    let legal = json!({"resourceType": "Basic", "code": {"text": "t"}, "extension": [deep]});
    assert!(found(&legal).iter().all(|(code, _)| *code == "structure"));
    let bundle = |inner| {
        json!({"resourceType": "Bundle", "type": "collection",
        "entry": [{"resource": inner}]})
    };
    let bundles = (0..20).fold(goal(), |inner, _| bundle(inner));
    assert_eq!(found(&bundles), []);
    let wide: Value = Value::Object((0..100_000).map(|n| (format!("m{n}"), Value::Null)).collect());
    assert_eq!(found(&wide), [("structure", String::new())]);
}

proptest! {
    #[test]
    fn any_text_is_checked(text in "\\PC{0,80}|[{}\\[\\]\":,a-z0-9]{0,80}") {
        let value = serde_json::from_str(&text).unwrap_or(Value::Null);
        let _ = CHECK.check(&text, &value);
    }

    #[test]
    fn any_member_of_a_goal_is_checked(
        name in proptest::sample::select(vec!["id", "_lifecycleStatus", "lifecycleStatus",
            "target", "contained", "identifier", "description", "startDate", "meta", "text"]),
        text in "[{}\\[\\]\":,a-z0-9]{0,12}|\"[0-9T:-]{0,12}\"|\\[\\{\"detailString\":[0-9]\\}\\]"
    ) {
        let mut resource = goal();
        resource[name] = serde_json::from_str(&text).unwrap_or(Value::Null);
        let _ = CHECK.check(&resource.to_string(), &resource);
    }
}
