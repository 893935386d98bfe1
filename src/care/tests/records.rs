//! Care records made from their schema, to FHIR and back; and bad ones.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::care::Care;
use crate::fhir::StructureCheck;

/// Draws records from the schema: the same number, the same record.
struct Draw<'s> {
    schema: &'s Value,
    state: u64,
    items: usize,
}

impl Draw<'_> {
    fn below(&mut self, n: usize) -> usize {
        // The generator of Steele and others (SplitMix64).
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % n as u64).unwrap()
    }

    fn one_of<'v>(&mut self, values: &'v [Value]) -> &'v Value {
        &values[self.below(values.len())]
    }

    fn resolved(&self, schema: &Value) -> Value {
        match schema["$ref"].as_str() {
            Some(target) => self.schema.pointer(&target[1..]).unwrap().clone(),
            None => schema.clone(),
        }
    }

    fn value(&mut self, schema: &Value) -> Value {
        if schema["$ref"] == "#/$defs/id" {
            self.items += 1;
            return json!(format!("item-{}", self.items));
        }
        if schema["$ref"] == "#/$defs/party" && self.items > 0 && self.below(2) == 0 {
            let items = self.items;
            return json!(format!("item-{}", self.below(items) + 1));
        }
        let schema = self.resolved(schema);
        if let Some(examples) = schema["examples"].as_array() {
            return self.one_of(examples).clone();
        }
        if let Some(options) = schema["enum"].as_array() {
            return self.one_of(options).clone();
        }
        if let Some(options) = schema["anyOf"].as_array() {
            let option = self.one_of(options).clone();
            return self.value(&option);
        }
        match schema["type"].as_str().unwrap() {
            "array" => {
                let count = self.below(2) + 1;
                (0..count).map(|_| self.value(&schema["items"])).collect()
            }
            "object" => self.object(&schema),
            "boolean" => json!(self.below(2) == 0),
            "number" => serde_json::from_str(["0.50", "2", "17.25"][self.below(3)]).unwrap(),
            other => panic!("no value for {other}"),
        }
    }

    fn object(&mut self, schema: &Value) -> Value {
        let mut made = Map::new();
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        for (name, of) in schema["properties"].as_object().unwrap() {
            if required.contains(&json!(name)) || self.below(3) == 0 {
                made.insert(name.clone(), self.value(of));
            }
        }
        if self.below(3) == 0 {
            made.insert(
                "ourOwn".to_owned(),
                json!({"deep": [1.50, null, "ü"], "n": self.below(9)}),
            );
        }
        // What excludes each other.
        for (keep, other) in [
            ("date", "period"),
            ("start", "startsWith"),
            ("died", "dead"),
            ("item", "detail"),
            ("due", "within"),
            ("when", "period"),
            ("reported", "reportedBy"),
        ] {
            if made.contains_key(keep) && schema.get("not").is_some() {
                made.shift_remove(other);
            }
        }
        if schema["properties"].get("medication").is_some() {
            made.shift_remove("medicationNamed");
            made.entry("medication").or_insert_with(|| json!("lisinopril 10 mg"));
        }
        if made.contains_key("value") && !made.contains_key("measure") {
            made.insert("measure".to_owned(), json!("weight"));
        }
        if made.is_empty() {
            made.insert("ourOwn".to_owned(), json!("x"));
        }
        Value::Object(made)
    }

    fn record(&mut self) -> Value {
        let mut record = Map::from_iter([("careRecord".to_owned(), json!("1.0"))]);
        for (name, of) in self.schema["properties"].as_object().unwrap() {
            if name == "person" || (name != "careRecord" && self.below(2) == 0) {
                record.insert(name.clone(), self.value(of));
            }
        }
        if self.below(2) == 0 {
            record.insert("sender".to_owned(), json!({"system": "x", "v": 2.10}));
        }
        Value::Object(record)
    }
}

/// The text of a value with its members sorted: order of members says nothing.
fn sorted(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut all: Vec<String> =
                members.iter().map(|(name, value)| format!("{name:?}:{}", sorted(value))).collect();
            all.sort();
            format!("{{{}}}", all.join(","))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(sorted).collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

proptest! {
    #[test]
    fn a_record_goes_to_fhir_and_back_without_loss(seed: u64) {
        let care = Care::embedded();
        let record = Draw { schema: care.records.schema(), state: seed, items: 0 }.record();
        let resources = care.records.to_fhir(&record);
        let resources = resources.unwrap_or_else(|faults| panic!("{faults:?} in {record:#}"));
        let check = StructureCheck::embedded().unwrap();
        for resource in &resources {
            let problems = check.check(&resource.to_string(), resource);
            prop_assert!(problems.is_empty(), "{problems:?} in {resource:#}");
        }
        let back = care.records.from_fhir(&resources);
        prop_assert_eq!(sorted(&back), sorted(&record));
    }
}

fn good() -> Value {
    json!({
        "careRecord": "1.0",
        "person": {"id": "P1", "names": [{"family": "Moss", "given": ["Ada"]}],
            "birthDate": "1950-07-01", "gender": "female"},
        "needs": [{"id": "n1", "status": "active", "need": "food insecurity"}],
        "goals": [{"id": "g1", "status": "active", "goal": "enough food", "needs": ["n1"],
            "targets": [{"measure": "meals a day", "value": {"value": 3, "unit": "meals"},
                "due": "2026-12-31"}], "agreed": [{"who": "P1", "answer": "agree"}]}],
        "referrals": [{"id": "r1", "status": "active", "intent": "order", "service": "food pantry",
            "goals": ["g1"]}],
        "tasks": [{"id": "t1", "status": "accepted", "intent": "order", "request": "r1"}],
        "assessment": [{"id": "a1", "status": "final", "question": "worried about food",
            "answer": "often", "date": "2026-03-01"}],
        "medications": [{"id": "m1", "status": "active", "intent": "order",
            "medication": "lisinopril", "notes": ["at night"]}]
    })
}

/// Faults that vendors make: where, what stands there (none: nothing), where the error points, and
/// what it says to do.
#[rustfmt::skip]
fn variants() -> Vec<(&'static str, Option<Value>, &'static str, &'static str)> {
    vec![
        ("/careRecord", None, "/careRecord", "\"1.0\""),
        ("/careRecord", Some(json!("2.0")), "/careRecord", "\"1.0\""),
        ("/careRecord", Some(json!(1.0)), "/careRecord", "\"1.0\""),
        ("/person", None, "/person", "missing"),
        ("/person", Some(json!([])), "/person", "an object"),
        ("/person/id", None, "/person/id", "write an id"),
        ("/person/id", Some(json!("")), "/person/id", "1 to 28"),
        ("/person/id", Some(json!("a b")), "/person/id", "letters, digits"),
        ("/person/id", Some(json!(17)), "/person/id", "write an id"),
        ("/person/id", Some(json!("x".repeat(29))), "/person/id", "1 to 28"),
        ("/person/birthDate", Some(json!("07/01/1950")), "/person/birthDate", "2026-03-31"),
        ("/person/birthDate", Some(json!("1950-13-01")), "/person/birthDate", "2026-03-31"),
        ("/person/gender", Some(json!("F")), "/person/gender", "male, female"),
        ("/person/names", Some(json!("Ada Moss")), "/person/names", "a list"),
        ("/person/names", Some(json!([])), "/person/names", "leave it out"),
        ("/person/names/0", Some(json!({"last": "Moss"})), "/person/names/0", "family"),
        ("/person/contacts", Some(json!([{"system": "tel", "value": "5"}])),
            "/person/contacts/0/system", "phone"),
        ("/goals", Some(json!({"id": "g1"})), "/goals", "a list of objects"),
        ("/goals/0", Some(json!("enough food")), "/goals/0", "an object"),
        ("/goals/0/id", None, "/goals/0/id", "write an id"),
        ("/goals/0/id", Some(json!("n1")), "/goals/0/id", "give each item its own"),
        ("/goals/0/status", None, "/goals/0/status", "one of proposed"),
        ("/goals/0/status", Some(json!("open")), "/goals/0/status", "on-hold"),
        ("/goals/0/status", Some(json!("Active")), "/goals/0/status", "active"),
        ("/goals/0/goal", None, "/goals/0/goal", "codes"),
        ("/goals/0/goal", Some(json!("")), "/goals/0/goal", "codes"),
        ("/goals/0/goal", Some(json!({"code": "1"})), "/goals/0/goal", "[{system, code, display}]"),
        ("/goals/0/achievement", Some(json!("mostly")), "/goals/0/achievement", "improving"),
        ("/goals/0/targets/0/measure", None, "/goals/0/targets/0", ""),
        ("/goals/0/targets/0/due", Some(json!("next month")),
            "/goals/0/targets/0/due", "2026-03-31"),
        ("/goals/0/targets/0/value", Some(json!(2.5)),
            "/goals/0/targets/0/value", "value and unit"),
        ("/goals/0/agreed/0/answer", Some(json!("yes")),
            "/goals/0/agreed/0/answer", "agree, disagree"),
        ("/needs/0/status", Some(json!(true)), "/needs/0/status", "recurrence"),
        ("/referrals/0/intent", None, "/referrals/0/intent", "one of proposal"),
        ("/referrals/0/doNotPerform", Some(json!("no")),
            "/referrals/0/doNotPerform", "true or false"),
        ("/tasks/0/status", Some(json!("done")), "/tasks/0/status", "completed"),
        ("/assessment/0/question", None, "/assessment/0/question", "codes"),
        ("/assessment/0/date", Some(json!("2026-03-01T10:00:00")),
            "/assessment/0/date", "with its zone"),
        ("/assessment/0/answer", Some(json!([1])), "/assessment/0/answer", "a whole number"),
        ("/medications/0/medication", None, "/medications/0", "medication or medicationNamed"),
        ("/medications/0/notes", Some(json!("at night")), "/medications/0/notes", "a list"),
        ("/medications/0/notes/0", Some(json!({"by": "me"})),
            "/medications/0/notes/0", "text, time"),
    ]
}

#[test]
fn forty_bad_variants_are_told_with_their_place_and_what_to_do() {
    let care = Care::embedded();
    assert_eq!(care.records.check(&good()), []);
    assert!(variants().len() >= 40);
    for (at, value, path, remedy) in variants() {
        let mut record = good();
        let (parent, name) = at.rsplit_once('/').unwrap();
        let parent = record.pointer_mut(parent).unwrap();
        match (value.clone(), parent) {
            (Some(value), Value::Array(list)) => list[name.parse::<usize>().unwrap()] = value,
            (Some(value), parent) => parent[name] = value,
            (None, parent) => drop(parent.as_object_mut().unwrap().shift_remove(name)),
        }
        let faults = care.records.check(&record);
        let fits = faults.iter().any(|f| f.path.starts_with(path) && f.text.contains(remedy));
        assert!(fits, "{at} {value:?}: {faults:?}");
        let told = care.records.bundle(record.to_string().as_bytes()).unwrap_err();
        assert!(told.contains(path), "{told}");
        assert!(!told.contains("Ada") && !told.contains("mostly"), "no value is told: {told}");
    }
}
