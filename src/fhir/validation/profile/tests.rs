//! Profiles of packages: what they demand is found, at its place, and nothing else.
#![expect(clippy::unwrap_used, reason = "test")]

use serde_json::{Value, json};

use super::super::Validator;

const URL: &str = "http://a.example/StructureDefinition/goal";

/// Findings about a Goal that claims the profile, as `rule expression`.
fn told(definitions: &[Value], goal: &Value) -> Vec<String> {
    let texts: Vec<String> = definitions.iter().map(Value::to_string).collect();
    let validator = Validator::with_definitions(&texts).unwrap();
    assert_eq!(validator.refused(), [""; 0]);
    let findings = validator.validate(&goal.to_string(), goal, &[]);
    findings.into_iter().map(|f| format!("{} {}", f.rule, f.expression)).collect()
}

fn profile(elements: &Value) -> Value {
    json!({"resourceType": "StructureDefinition", "url": URL, "type": "Goal", "kind": "resource",
        "derivation": "constraint", "differential": {"element": elements}})
}

fn goal(more: &Value) -> Value {
    let mut goal = json!({"resourceType": "Goal", "meta": {"profile": [format!("{URL}|1.0")]},
        "text": {"status": "generated",
            "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"},
        "lifecycleStatus": "active", "description": {"text": "x"},
        "subject": {"reference": "Patient/a"}});
    goal.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    goal
}

/// Each case: elements of the profile, a Goal that keeps it, one that breaks it, what is told.
fn hold(cases: &[(Value, Value, Value, &[&str])], definitions: &[Value]) {
    for (elements, right, wrong, expected) in cases {
        let mut all = definitions.to_vec();
        all.push(profile(elements));
        assert_eq!(told(&all, &goal(right)), [""; 0], "{elements}");
        assert_eq!(told(&all, &goal(wrong)), *expected, "{elements}");
    }
}

#[test]
fn cardinality_fixed_pattern_and_targets() {
    hold(
        &[
            (
                json!([{"path": "Goal.start[x]", "min": 1,
                    "type": [{"code": "date"}]}]),
                json!({"startDate": "2026-01-01"}),
                json!({"startCodeableConcept": {"text": "x"}}),
                &["cardinality Goal.start", "cardinality Goal.startCodeableConcept"],
            ),
            (
                json!([{"path": "Goal.note", "max": "1"}, {"path": "Goal.priority", "max": "0"}]),
                json!({"note": [{"text": "x"}]}),
                json!({"note": [{"text": "x"}, {"text": "y"}], "priority": {"text": "x"}}),
                &["cardinality Goal.note", "cardinality Goal.priority"],
            ),
            (
                json!([{"path": "Goal.lifecycleStatus", "fixedCode": "active"},
                    {"path": "Goal.priority", "patternCodeableConcept":
                        {"coding": [{"system": "http://s", "code": "a"}]}}]),
                json!({"priority": {"text": "x", "coding": [{"code": "b"},
                    {"system": "http://s", "code": "a", "display": "A"}]}}),
                json!({"lifecycleStatus": "planned",
                    "priority": {"coding": [{"system": "http://t", "code": "a"}]}}),
                &["fixed Goal.lifecycleStatus", "pattern Goal.priority.coding"],
            ),
            (
                json!([{"path": "Goal.expressedBy", "type": [{"code": "Reference",
                    "targetProfile": ["http://hl7.org/fhir/StructureDefinition/Patient"]}]}]),
                json!({"expressedBy": {"reference": "http://b.example/fhir/Patient/b"}}),
                json!({"expressedBy": {"reference": "Practitioner/c"}}),
                &["reference-target Goal.expressedBy.reference"],
            ),
        ],
        &[],
    );
}

#[test]
fn slices_are_told_apart_and_counted() {
    let by_pattern = json!([
        {"id": "Goal.category", "path": "Goal.category", "slicing":
            {"discriminator": [{"type": "pattern", "path": "$this"}], "rules": "open"}},
        {"id": "Goal.category:sdoh", "path": "Goal.category", "sliceName": "sdoh", "min": 1,
            "max": "1", "patternCodeableConcept": {"coding": [{"code": "sdoh"}]}},
        {"id": "Goal.category:sdoh.text", "path": "Goal.category.text", "min": 1}]);
    let sdoh = json!({"coding": [{"code": "sdoh"}], "text": "x"});
    let other = json!({"coding": [{"code": "other"}]});
    let by_value = json!([
        {"id": "Goal.identifier", "path": "Goal.identifier", "slicing":
            {"discriminator": [{"type": "value", "path": "system"}], "rules": "closed"}},
        {"id": "Goal.identifier:a", "path": "Goal.identifier", "sliceName": "a", "max": "1",
            "constraint": [{"key": "digits", "severity": "error",
                "expression": "value.matches('^[0-9]+$')"}]},
        {"id": "Goal.identifier:a.system", "path": "Goal.identifier.system",
            "fixedUri": "http://a"}]);
    let with_url = json!([{"id": "Goal.extension:why", "path": "Goal.extension",
        "sliceName": "why", "min": 1,
        "type": [{"code": "Extension", "profile": ["http://a.example/why"]}]}]);
    let why = json!({"resourceType": "StructureDefinition", "url": "http://a.example/why",
        "type": "Extension", "derivation": "constraint", "differential": {"element": [
            {"path": "Extension.url", "fixedUri": "http://a.example/why"},
            {"path": "Extension.value[x]", "min": 1, "type": [{"code": "string"}]}]}});
    hold(
        &[
            (
                by_pattern.clone(),
                json!({"category": [other, sdoh]}),
                json!({"category": [other]}),
                &["slicing Goal.category"],
            ),
            (
                by_pattern,
                json!({"category": [sdoh]}),
                json!({"category": [sdoh, {"coding": [{"code": "sdoh"}]}]}),
                &["cardinality Goal.category[1].text", "slicing Goal.category"],
            ),
            (
                by_value,
                json!({"identifier": [{"system": "http://a", "value": "12"}]}),
                json!({"identifier": [{"system": "http://a", "value": "x"},
                    {"system": "http://b", "value": "12"}]}),
                &["digits Goal.identifier[0]", "slicing Goal.identifier[1]"],
            ),
            (
                with_url,
                json!({"extension": [{"url": "http://a.example/why", "valueString": "x"}]}),
                json!({"extension": [{"url": "http://a.example/why", "valueBoolean": true}]}),
                &[
                    "cardinality Goal.extension[0].value",
                    "cardinality Goal.extension[0].valueBoolean",
                ],
            ),
        ],
        &[why],
    );
}

#[test]
fn bindings_are_checked_as_far_as_their_codes_are_at_hand() {
    let set = |url: &str, include: Value| {
        json!({"resourceType": "ValueSet", "url": url,
            "compose": {"include": [include]}})
    };
    let system = json!({"resourceType": "CodeSystem", "url": "http://s", "content": "complete",
        "concept": [{"code": "a", "concept": [{"code": "b"}]}]});
    let definitions = [
        set("http://inner", json!({"system": "http://s"})),
        set("http://set", json!({"valueSet": ["http://inner|1"]})),
        system,
    ];
    let bound = |set: &str| {
        json!([{"path": "Goal.priority",
            "binding": {"strength": "required", "valueSet": set}}])
    };
    let coded =
        |code: &str| json!({"priority": {"coding": [{"system": "http://s", "code": code}]}});
    hold(
        &[
            (bound("http://set|2"), coded("b"), coded("c"), &["binding Goal.priority.coding"]),
            (
                bound("http://set"),
                json!({"priority": {"text": "x"}}),
                coded("c"),
                &["binding Goal.priority.coding"],
            ),
        ],
        &definitions,
    );
    // What is not at hand is told, and is no error.
    assert_eq!(told(&[profile(&bound("http://absent"))], &goal(&coded("c"))), ["profile "]);
}

#[test]
fn an_invariant_that_is_not_understood_refuses_its_profile_by_name() {
    let elements = json!([{"path": "Goal", "constraint": [
        {"key": "odd-1", "severity": "error", "expression": "unheardOf()"}]}]);
    let validator = Validator::with_definitions(&[profile(&elements).to_string()]).unwrap();
    let refused = validator.refused();
    assert!(refused[0].contains(URL) && refused[0].contains("odd-1"), "{refused:?}");
    let goal = goal(&json!({}));
    let findings = validator.validate(&goal.to_string(), &goal, &[]);
    assert!(findings[0].text.contains("odd-1"), "{findings:?}");
    assert_eq!(findings[0].severity.code(), "warning");
}

#[test]
fn a_profile_that_is_not_known_is_a_warning() {
    let goal = goal(&json!({}));
    let validator = Validator::new().unwrap();
    let findings = validator.validate(&goal.to_string(), &goal, &["http://b.example/c"]);
    let told: Vec<_> = findings.iter().map(|f| (f.severity.code(), f.code)).collect();
    assert_eq!(told, [("warning", "not-found"); 2]);
}
