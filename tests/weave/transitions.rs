//! After a discharge: the checklist, as proposals, and who is back in hospital.

use super::findings::{encounter, medication, none, one, persons, set, with};
use super::*;

const SNOMED: &str = "http://snomed.info/sct";

/// The Tasks that are proposed, by the line of the checklist.
fn proposed(sources: &[(&str, Value)], day: Date) -> BTreeMap<String, Value> {
    let view = woven_on(day, charts(records(sources)), Vec::new(), &NoPreviousRows);
    let tasks = view.tables.get(&ResourceType::of("Task")).into_iter().flatten();
    let check = StructureCheck::new(&[]).unwrap();
    let mut found = BTreeMap::new();
    for row in tasks.filter(|row| row.made_by_us) {
        let task = body(row);
        assert!(check.check(&task.to_string(), &task).is_empty(), "{task:#}");
        let marks = (&task["intent"], &task["status"], &task["meta"]["tag"][0]["code"]);
        assert_eq!(marks, (&json!("proposal"), &json!("draft"), &json!(PROPOSAL)));
        assert!(!row.members.is_empty(), "it names what it rests on");
        found.insert(task["code"]["coding"][0]["code"].as_str().unwrap().to_owned(), task);
    }
    found
}

fn lines(sources: &[(&str, Value)], day: Date) -> Vec<String> {
    proposed(sources, day).into_keys().filter(|line| line != "checklist").collect()
}

fn due(sources: &[(&str, Value)], line: &str) -> Value {
    proposed(sources, date(2026, 1, 11))[line]["restriction"]["period"]["end"].clone()
}

fn home() -> Vec<(&'static str, Value)> {
    let stay = encounter("e", "IMP", "2026-01-01", "2026-01-10T12:00:00Z");
    let drug = medication("m", "Metformin 500 MG", "2026-01-05", "1 tablet");
    with(&persons(), vec![("valley", stay), ("valley", drug)])
}

fn coded(kind: &str, id: &str, code: &str, members: Value) -> Value {
    let resource = about_p(json!({"resourceType": kind, "id": id, "status": "completed",
        "code": {"coding": [{"system": SNOMED, "code": code}]}}));
    set(resource, members)
}

#[test]
fn a_discharge_proposes_what_nobody_has_taken_up() {
    let all =
        ["education", "equipment", "follow-up-visit", "home-services", "medication-reconciliation"];
    assert_eq!(lines(&home(), date(2026, 1, 9)), Vec::<String>::new(), "before the discharge");
    assert_eq!(lines(&home(), date(2026, 1, 10)), all);
    assert_eq!(lines(&home(), date(2026, 4, 11)), Vec::<String>::new(), "nobody acts on it now");
    for (line, code, kind, members) in [
        (
            "follow-up-visit",
            "185389009",
            "ServiceRequest",
            json!({"status": "active", "intent": "order", "authoredOn": "2026-01-09"}),
        ),
        (
            "medication-reconciliation",
            "430193006",
            "Procedure",
            json!({"performedDateTime": "2026-01-12"}),
        ),
        (
            "education",
            "409073007",
            "ServiceRequest",
            json!({"intent": "order", "authoredOn": "2026-01-08"}),
        ),
    ] {
        let met = with(&home(), vec![("mercy", coded(kind, "x", code, members.clone()))]);
        let found = proposed(&met, DAY);
        assert!(!found.contains_key(line), "{line}: {found:#?}");
        let output = &found["checklist"]["output"];
        assert_eq!(output[0]["type"]["coding"][0]["code"], line, "{output:#}");
        assert!(output[0]["valueReference"]["reference"].as_str().unwrap().starts_with(kind));
        let cancelled = set(
            coded(kind, "x", code, members),
            json!({"status": match kind {
                "Procedure" => "not-done",
                _ => "revoked",
            }}),
        );
        assert_eq!(lines(&with(&home(), vec![("mercy", cancelled)]), DAY), all, "{line}");
    }
    let visit = encounter("v", "HH", "2026-01-15", "2026-01-15");
    let seen_at_home = lines(&with(&home(), vec![("mercy", visit)]), DAY);
    assert_eq!(seen_at_home, ["education", "equipment", "medication-reconciliation"]);
    let walker = about_p(json!({"resourceType": "DeviceRequest", "id": "d", "status": "active",
        "intent": "order", "codeCodeableConcept": {"text": "Walker"}, "authoredOn": "2026-01-09"}));
    assert!(!lines(&with(&home(), vec![("mercy", walker)]), DAY).contains(&"equipment".to_owned()));
    let died = json!({"hospitalization": {"dischargeDisposition": {"coding": [{"system":
        "http://terminology.hl7.org/CodeSystem/discharge-disposition", "code": "exp"}]}}});
    let died = set(encounter("e", "IMP", "2026-01-01", "2026-01-10T12:00:00Z"), died);
    assert!(lines(&with(&persons(), vec![("valley", died)]), DAY).is_empty());
}

#[test]
fn a_test_of_the_stay_without_result_is_a_line_of_its_own() {
    let test = |id: &str, day: &str| {
        set(
            order(id, day, "order", "1"),
            json!({"code": {"text": format!("Culture {id}")},
            "category": [{"coding": [{"system": SNOMED, "code": "108252007"}]}]}),
        )
    };
    let ordered = with(
        &home(),
        vec![("valley", test("a", "2026-01-08")), ("valley", test("b", "2025-12-01"))],
    );
    let found = proposed(&ordered, DAY);
    let text = found["pending-test"]["code"]["text"].as_str().unwrap();
    assert!(text.ends_with("Culture a"), "{text}");
    assert!(
        found["pending-test"]["focus"]["reference"].as_str().unwrap().contains("ServiceRequest")
    );
    let result = about_p(json!({"resourceType": "Observation", "id": "o", "status": "final",
        "code": {"text": "Culture"}, "basedOn": [{"reference": "ServiceRequest/a"}]}));
    let done = with(&ordered, vec![("valley", result)]);
    assert!(!proposed(&done, DAY).contains_key("pending-test"));
    let issue = one(&ordered, date(2026, 1, 25), "checklist-overdue");
    assert!(issue["detail"].as_str().unwrap().contains("Culture a"), "{issue}");
    none(&home(), date(2026, 1, 17), "checklist-overdue");
    one(&home(), date(2026, 1, 18), "checklist-overdue");
}

#[test]
fn who_is_at_high_risk_is_to_be_seen_earlier() {
    let lace = |score: u8| {
        let score = about_p(json!({"resourceType": "Observation", "id": "l", "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "96574-9"}]},
            "effectiveDateTime": "2026-01-10", "valueInteger": score}));
        with(&home(), vec![("valley", score)])
    };
    assert_eq!(due(&lace(10), "follow-up-visit"), "2026-01-17");
    assert_eq!(due(&lace(9), "follow-up-visit"), "2026-01-24");
    one(&lace(10), date(2026, 1, 18), "no-follow-up");
    none(&lace(9), date(2026, 1, 18), "no-follow-up");
}

#[test]
fn a_stay_soon_after_a_discharge_is_a_readmission() {
    let again =
        |start: &str| with(&home(), vec![("mercy", encounter("f", "IMP", start, "2026-03-20"))]);
    let told = one(&again("2026-02-09"), date(2026, 2, 20), "readmission");
    assert_eq!(told["implicated"].as_array().unwrap().len(), 2);
    none(&again("2026-02-10"), date(2026, 2, 20), "readmission");
    none(&again("2026-01-10"), date(2026, 2, 20), "readmission");
    none(&again("2026-02-09"), date(2026, 7, 20), "readmission");
}
