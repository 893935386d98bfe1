//! Canonical order: what it is, and that nothing but it changes.
#![expect(clippy::unwrap_used, reason = "test")]

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::{canonical_bytes, canonical_bytes_of, canonicalise};

fn canonical(text: &str) -> String {
    String::from_utf8(canonical_bytes(serde_json::from_str(text).unwrap())).unwrap()
}

#[test]
fn elements_come_in_r4_order_at_every_depth() {
    let shuffled = r#"{"target": [{"dueDate": "2024-05-06", "detailQuantity": {"unit": "kg",
        "value": 70.00}, "measure": {"text": "t", "coding": [{"code": "c", "system": "s"}]}}],
        "subject": {"display": "d", "reference": "Patient/1"}, "zeta": {"b": 1, "a": 2},
        "description": {"text": "x"}, "lifecycleStatus": "active", "_alpha": 1, "alpha": 2,
        "contained": [{"name": [{"given": ["g"], "family": "f"}], "resourceType": "Patient"}],
        "id": "g1", "meta": {"versionId": "1", "extension": [{"valueCode": "c", "url": "u"}]},
        "resourceType": "Goal"}"#;
    assert_eq!(
        canonical(shuffled),
        concat!(
            r#"{"resourceType":"Goal","id":"g1","meta":{"extension":[{"url":"u","#,
            r#""valueCode":"c"}],"versionId":"1"},"#,
            r#""contained":[{"resourceType":"Patient","name":[{"family":"f","given":["g"]}]}],"#,
            r#""lifecycleStatus":"active","description":{"text":"x"},"#,
            r#""subject":{"reference":"Patient/1","display":"d"},"target":[{"measure":{"#,
            r#""coding":[{"system":"s","code":"c"}],"text":"t"},"#,
            r#""detailQuantity":{"value":70.00,"unit":"kg"},"dueDate":"2024-05-06"}],"#,
            r#""alpha":2,"_alpha":1,"zeta":{"a":2,"b":1}}"#
        )
    );
}

#[test]
fn what_a_primitive_has_beside_its_value_follows_it() {
    let text = r#"{"_birthDate":{"extension":[{"valueString":"v","url":"u"}],"id":"i"},
        "gender":"male","birthDate":"1970","_gender":null,"resourceType":"Patient"}"#;
    assert_eq!(
        canonical(text),
        concat!(
            r#"{"resourceType":"Patient","gender":"male","_gender":null,"birthDate":"1970","#,
            r#""_birthDate":{"id":"i","extension":[{"url":"u","valueString":"v"}]}}"#
        )
    );
}

#[test]
fn shared_structures_and_inner_resources_are_known() {
    // A content reference (item in item), a resource in a parameter, an element that is itself
    // named resourceType.
    let cases = [
        (
            r#"{"item":[{"item":[{"text":"t","linkId":"2"}],"linkId":"1"}],
                "resourceType":"Questionnaire"}"#,
            concat!(
                r#"{"resourceType":"Questionnaire","#,
                r#""item":[{"linkId":"1","item":[{"linkId":"2","text":"t"}]}]}"#
            ),
        ),
        (
            r#"{"parameter":[{"part":[{"resource":{"id":"1","resourceType":"Task"},"name":"n"}]}],
                "resourceType":"Parameters"}"#,
            concat!(
                r#"{"resourceType":"Parameters","parameter":[{"part":[{"name":"n","#,
                r#""resource":{"resourceType":"Task","id":"1"}}]}]}"#
            ),
        ),
        (
            r#"{"instance":[{"name":"n","resourceType":"Task","resourceId":"1"}],
                "resourceType":"ExampleScenario"}"#,
            concat!(
                r#"{"resourceType":"ExampleScenario","#,
                r#""instance":[{"resourceId":"1","resourceType":"Task","name":"n"}]}"#
            ),
        ),
    ];
    for (given, expected) in cases {
        assert_eq!(canonical(given), expected);
    }
}

#[test]
fn numbers_keep_their_digits() {
    for number in ["1.0", "1.00", "-0.0", "1e+400", "0.1234567890123456789012345678901234567890"] {
        let text =
            format!(r#"{{"resourceType":"Observation","valueQuantity":{{"value":{number}}}}}"#);
        assert_eq!(canonical(&text), text);
    }
}

/// Any JSON, with element names of R4 among the member names.
fn any_json() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        proptest::sample::select(vec![
            "resourceType",
            "id",
            "_id",
            "contained",
            "extension",
            "status",
            "_status",
            "subject",
            "goal",
            "activity",
            "detail",
            "valueQuantity",
            "value",
            "code",
            "text",
            "url",
            "item",
        ])
        .prop_map(str::to_owned),
        "_?[a-c]{0,2}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "\\PC{0,4}".prop_map(Value::from),
        proptest::sample::select(vec!["Patient", "CarePlan", "Bundle"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((name.clone(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// The same content with the members of every object turned round by some number.
fn shuffled(value: &Value, turn: usize) -> Value {
    match value {
        Value::Object(members) => {
            let mut turned: Vec<(String, Value)> =
                members.iter().map(|(k, v)| (k.clone(), shuffled(v, turn))).collect();
            let length = turned.len().max(1);
            turned.rotate_left(turn % length);
            if turn % 2 == 1 {
                turned.reverse();
            }
            Value::Object(turned.into_iter().collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(|item| shuffled(item, turn)).collect(),
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn order_does_not_matter_and_content_does_not_change(value in any_json(), turn in 0..7_usize) {
        let bytes = canonical_bytes_of(&value);
        prop_assert_eq!(&bytes, &canonical_bytes(shuffled(&value, turn)));
        let again: Value = serde_json::from_slice(&bytes).unwrap();
        prop_assert_eq!(&again, &value);
        prop_assert_eq!(&canonical_bytes_of(&again), &bytes);
        prop_assert_eq!(serde_json::to_vec(&canonicalise(value)).unwrap(), bytes);
    }
}
