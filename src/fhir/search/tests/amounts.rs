//! Dates that are about right, and amounts in other units.

use serde_json::{Value, json};

use super::super::*;
use super::hit;

#[test]
fn approximate_dates_stretch_with_their_distance_to_now() {
    let (table, kind) = (SearchTable::embedded(), ResourceType::of("Task"));
    let task = json!({"resourceType": "Task", "lastModified": "2020-01-01"});
    let values = table.extract(kind, &task);
    let hit = |query: &str, now: &str| {
        let criterion = table.criterion(kind, "modified", query).unwrap();
        criterion.at(now.parse().unwrap()).matches(&values)
    };
    // 366 days lie between, and a tenth of that is 36.
    for (query, is_hit) in [
        ("ap2020-01-01", true),
        ("ap2020-02-05", false),
        ("ap2020-02-01", true),
        ("ap2019-12-01", true),
        ("ap2019-11-15", false),
    ] {
        assert_eq!(hit(query, "2021-01-01T00:00:00Z"), is_hit, "{query}");
    }
    assert!(!hit("ap2019-12-31", "2020-01-01T00:00:00Z"), "yesterday is no other day");
    assert!(hit("ap2020-06-01", "2000-01-01T00:00:00Z"), "what is far ahead is vague too");
    let now = "2026-01-01T00:00:00Z".parse().unwrap();
    let at = "2025-11-01T00:00:00Z".parse().unwrap();
    assert!(instant_matches("ap2025-11-05", at, now).unwrap());
    assert!(!instant_matches("ap2025-11-15", at, now).unwrap());
    let earliest = |text: &str| earliest_match(text, now).map(|at| at.to_string());
    assert_eq!(earliest("ge2025-11").as_deref(), Some("2025-11-01T00:00:00Z"));
    assert_eq!((earliest("lt2025"), earliest("soon")), (None, None));
}

#[test]
fn quantities_in_other_units_of_ucum_are_the_same_amounts() {
    let stated = |value: Value, code: &str| {
        json!({"resourceType": "Observation", "valueQuantity":
            {"value": value, "system": "http://unitsofmeasure.org", "code": code}})
    };
    let ucum = |number: &str, code: &str| {
        format!("value-quantity={number}|http://unitsofmeasure.org|{code}")
    };
    for (value, code, asked, unit, is_hit) in [
        (json!(0.5), "g", "500", "mg", true),
        (json!(0.5), "g", "le500", "mg", true),
        (json!(0.5), "g", "lt500", "mg", false),
        (json!(126), "mg/dL", "1.26", "g/L", true),
        (json!(126), "mg/dL", "7.0", "mmol/L", false),
        (json!(72), "{beats}/min", "72", "/min", true),
        (json!(72), "/min", "1.2", "/s", true),
        (json!(98.6), "[degF]", "37.0", "Cel", true),
        (json!(37), "Cel", "gt98", "[degF]", true),
        (json!(310.15), "K", "37.0", "Cel", true),
        (json!(16), "kPa", "120", "mm[Hg]", true),
        (json!(154.324), "[lb_av]", "70.0", "kg", true),
        (json!(154.324), "[lb_av]", "71", "kg", false),
        (json!(5), "furlong", "5", "mg", false),
    ] {
        let hit = hit("Observation", &ucum(asked, unit), &stated(value, code));
        assert_eq!(hit, is_hit, "{code} as {asked} {unit}");
    }
    // Without the system a unit is a word.
    assert!(!hit("Observation", "value-quantity=500||mg", &stated(json!(0.5), "g")));
    assert!(hit("Observation", "value-quantity=0.5||g", &stated(json!(0.5), "g")));
}
