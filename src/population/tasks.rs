//! Tasks: the fulfilment of a referral, copies that lag behind, and a sub-task.

use serde_json::json;

use super::story::Story;
use super::world::{HARBOR, SYSTEMS, coded, to};

/// States the person's tasks.
pub(super) fn tell(story: &mut Story) {
    fulfilment(story);
    call(story);
}

/// The referral's task, known wherever the referral is; the payer's copy lags behind.
fn fulfilment(story: &mut Story) {
    let fact = story.world.fact("identifier");
    let authored = story.rng.between(25, 29);
    let changed = story.rng.between(2, 12);
    let service = story.person.number % 2;
    let (ahead, behind) = [("completed", "in-progress"), ("accepted", "requested")]
        [usize::from(story.person.number != 0 && story.rng.chance(50))];
    let places = story.places();
    for at in &places {
        let at = *at;
        // The referral is the last order of each, before the payer's sub-referral.
        let orders = &story.orders[at];
        let back = if at == HARBOR { 2 } else { 1 };
        let Some(focus) = orders.len().checked_sub(back).map(|i| orders[i].clone()) else {
            continue;
        };
        let status = if at == HARBOR && places.len() > 1 { behind } else { ahead };
        let late = if at == HARBOR { 5 } else { 0 };
        let mut task = json!({
            "resourceType": "Task",
            "identifier": [{"system": format!("{}/task", SYSTEMS[places[0]]),
                "value": format!("T{}", story.person.number)}],
            "status": status,
            "intent": "order",
            "code": coded("http://hl7.org/fhir/CodeSystem/task-code", "fulfill", "Fulfill"),
            "focus": to(&focus),
            "for": story.subject(at),
            "authoredOn": story.moment(authored, 12),
            "lastModified": story.moment(changed + late, 13),
            "requester": to(&story.doctor_seen_from(places[0], at)),
            "owner": to(&story.directory.services[service][at]),
        });
        if status == "completed" {
            let kind = json!({"text": "resulting activity"});
            task["output"] = json!([{"type": kind, "valueString": "service delivered"}]);
        }
        let parent = story.world.add(at, fact, task);
        if at == HARBOR {
            sub_task(story, &parent);
        }
    }
}

/// The coordinator's part of the work, owned by another: never the parent itself.
fn sub_task(story: &mut Story, parent: &str) {
    let fact = story.world.fact("own");
    let Some(focus) = story.orders[HARBOR].last().cloned() else { return };
    let owner = story.directory.services[2][HARBOR].clone();
    let child = json!({
        "resourceType": "Task",
        "partOf": [to(parent)],
        "status": "requested",
        "intent": "order",
        "code": coded("http://hl7.org/fhir/CodeSystem/task-code", "fulfill", "Fulfill"),
        "focus": to(&focus),
        "for": story.subject(HARBOR),
        "authoredOn": story.moment(20, 9),
        "lastModified": story.moment(20, 9),
        "requester": to(&story.doctor(HARBOR)),
        "owner": to(&owner),
    });
    let child = story.world.add(HARBOR, fact, child);
    story.world.distinct((HARBOR, parent), (HARBOR, &child));
}

/// Each care manager keeps a call list of their own.
fn call(story: &mut Story) {
    for at in story.places() {
        let fact = story.world.fact("own");
        let authored = 40 + i64::try_from(at).unwrap_or(0) * 7;
        let task = json!({
            "resourceType": "Task",
            "status": "ready",
            "intent": "plan",
            "description": "Call the patient after discharge",
            "for": story.subject(at),
            "authoredOn": story.moment(authored, 8),
            "lastModified": story.moment(authored, 8),
            "requester": story.custodian(at, at),
            "owner": to(&story.doctor(at)),
        });
        story.world.add(at, fact, task);
    }
}
