//! Gaps of care: what findings are for. Nobody meant it, every organisation did its part.

use serde_json::json;

use super::story::Story;
use super::world::{LOINC, SNOMED, coded, to};

/// States the person's gaps; not everybody has each. Draws nothing, so that all other records
/// stay what they are.
pub(super) fn tell(story: &mut Story) {
    match story.person.number % 4 {
        0 => tested_twice(story),
        1 => two_doses(story),
        2 => sent_home(story),
        _ => {}
    }
}

/// Two organisations order one test, a week apart, without knowing of each other.
fn tested_twice(story: &mut Story) {
    let mut orders = Vec::new();
    for (at, ago) in story.places().into_iter().zip([16, 9]) {
        let fact = story.world.fact("own");
        let order = json!({
            "resourceType": "ServiceRequest",
            "status": "active",
            "intent": "order",
            "category": [coded(SNOMED, "108252007", "Laboratory procedure")],
            "code": coded(LOINC, "3016-3", "Thyrotropin [Units/volume] in Serum or Plasma"),
            "subject": story.subject(at),
            "authoredOn": story.moment(ago, 15),
            "requester": to(&story.doctor(at)),
        });
        orders.push((at, story.world.add(at, fact, order)));
    }
    if let [(a, first), (b, second)] = &*orders {
        story.world.distinct((*a, first), (*b, second));
    }
}

/// One organisation raises the dose, and the other's prescription goes on.
fn two_doses(story: &mut Story) {
    let doses = [("atorvastatin 20 MG Oral Tablet", 70), ("atorvastatin 40 MG Oral Tablet", 12)];
    for (at, (drug, ago)) in story.places().into_iter().zip(doses) {
        let fact = story.world.fact("own");
        let request = json!({
            "resourceType": "MedicationRequest",
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": {"text": drug},
            "subject": story.subject(at),
            "authoredOn": story.day(ago),
            "requester": to(&story.doctor(at)),
            "dosageInstruction": [{"text": "one tablet at night"}],
        });
        story.world.add(at, fact, request);
    }
}

/// Out of hospital, and nothing has been heard since.
fn sent_home(story: &mut Story) {
    let Some(at) = story.places().first().copied() else { return };
    let fact = story.world.fact("own");
    let stay = json!({
        "resourceType": "Encounter",
        "status": "finished",
        "class": {
            "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
            "code": "IMP",
        },
        "subject": story.subject(at),
        "period": {"start": story.moment(10, 9), "end": story.moment(8, 10)},
        "serviceProvider": story.custodian(at, at),
    });
    story.world.add(at, fact, stay);
}
