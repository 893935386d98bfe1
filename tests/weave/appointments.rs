//! Appointments and what patients are said to take: what is one thing, and its nearest look-alike.

use super::likeness::{count, with};
use super::*;

fn booked(id: &str, start: &str, rest: Value) -> Value {
    let appointment = json!({"resourceType": "Appointment", "id": id, "status": "booked",
        "start": start, "end": "2026-03-09T10:30:00Z", "description": "Follow-up after discharge",
        "participant": [{"status": "accepted", "actor": {"reference": "Patient/p"}}]});
    with(appointment, rest)
}

fn booked_at_both(x: &str, y: &str, rest: Value) -> usize {
    let (a, b) = (booked("a", x, json!({})), booked("b", y, rest));
    count("Appointment", &[("valley", &a), ("mercy", &b)])
}

#[test]
fn nobody_is_at_two_places_at_once() {
    let nine = "2026-03-09T09:00:00Z";
    assert_eq!(booked_at_both(nine, "2026-03-09T10:00:00+01:00", json!({})), 1);
    assert_eq!(booked_at_both(nine, "2026-03-09T09:30:00Z", json!({})), 2);
    assert_eq!(booked_at_both(nine, "2026-03-16T09:00:00Z", json!({})), 2, "the next one");
    let other = json!({"description": "Colonoscopy"});
    assert_eq!(booked_at_both(nine, nine, other), 2, "a double booking is shown");
}

#[test]
fn who_takes_part_is_listed_once_and_another_status_is_told() {
    let with_doctor = |id: &str, status: &str| {
        let actor = |who: &str| json!({"status": "accepted", "actor": {"reference": who}});
        let rest = json!({"status": status, "participant": [actor("Patient/p"),
            {"status": "accepted", "actor": {"display": "Ann Lee, MD"}}]});
        booked(id, "2026-03-09T09:00:00Z", rest)
    };
    let view = view(&[
        ("valley", patient()),
        ("mercy", patient()),
        ("valley", with_doctor("a", "booked")),
        ("mercy", with_doctor("b", "cancelled")),
    ]);
    let shown = rows(&view, "Appointment");
    assert_eq!(shown.len(), 1);
    let shown = body(shown[0]);
    assert_eq!(shown["participant"].as_array().unwrap().len(), 2, "{shown}");
    assert!(rules(&view).contains(&"value-disagreement".to_owned()), "{:?}", rules(&view));
}

fn taken(id: &str, dose: &str, rest: Value) -> Value {
    let statement = json!({"resourceType": "MedicationStatement", "id": id, "status": "active",
        "medicationCodeableConcept": {"text": "Metformin 500 MG Oral Tablet"},
        "effectivePeriod": {"start": "2026-01-05"}, "dosage": [{"text": dose}]});
    about_p(with(statement, rest))
}

#[test]
fn one_therapy_is_taken_once() {
    let of = |rest: Value| {
        let (a, b) = (taken("a", "1 tablet daily", json!({})), taken("b", "1 tablet daily", rest));
        count("MedicationStatement", &[("valley", &a), ("mercy", &b)])
    };
    assert_eq!(of(json!({})), 1);
    assert_eq!(of(json!({"status": "not-taken"})), 2);
    assert_eq!(of(json!({"dosage": [{"text": "1 tablet twice daily"}]})), 2);
    assert_eq!(of(json!({"effectivePeriod": {"start": "2025-01-01", "end": "2025-02-01"}})), 2);
    let other = json!({"medicationCodeableConcept": {"text": "Lisinopril 10 MG Oral Tablet"}});
    assert_eq!(of(other), 2);
}

#[test]
fn what_is_taken_otherwise_than_prescribed_is_told() {
    let prescribed = about_p(json!({"resourceType": "MedicationRequest", "id": "m",
        "status": "active", "intent": "order", "authoredOn": "2026-01-05",
        "medicationCodeableConcept": {"text": "Metformin 500 MG Oral Tablet"},
        "dosageInstruction": [{"text": "1 tablet daily"}]}));
    let told = |statement: Value| {
        let sources = [
            ("valley", patient()),
            ("mercy", patient()),
            ("valley", prescribed.clone()),
            ("mercy", statement),
        ];
        rules(&view(&sources)).contains(&"clashing-therapy".to_owned())
    };
    assert!(told(taken("s", "1 tablet twice daily", json!({}))));
    assert!(!told(taken("s", "1 tablet daily", json!({}))));
    assert!(!told(taken("s", "1 tablet twice daily", json!({"status": "completed"}))));
    let ended = json!({"effectivePeriod": {"start": "2025-01-01", "end": "2025-02-01"}});
    assert!(!told(taken("s", "1 tablet twice daily", ended)));
}
