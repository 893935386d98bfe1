//! ServiceRequests: one order at requester and performer, and what only looks like it.

use serde_json::{Value, json};

use super::story::Story;
use super::world::{HARBOR, LOINC, MERCY, SNOMED, SYSTEMS, VALLEY, coded, to};

const TESTS: [(&str, &str); 4] = [
    ("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood"),
    ("24323-8", "Comprehensive metabolic panel"),
    ("24331-1", "Lipid panel"),
    ("58410-2", "Complete blood count panel"),
];

/// One order, before an organisation writes it down.
struct Order {
    fact: u64,
    category: Value,
    code: Value,
    intent: &'static str,
    authored_ago: i64,
    hour: i64,
    requester: usize,
    identifier: Option<Value>,
}

/// States the person's orders.
pub(super) fn tell(story: &mut Story) {
    placed_and_performed(story);
    same_code_and_day(story);
    proposal_and_order(story);
    referral_and_sub_referral(story);
}

/// The requester's and the performer's record carry the placer's number.
fn placed_and_performed(story: &mut Story) {
    let test = story.rng.below(TESTS.len());
    let ago = story.rng.between(10, 25);
    let requester = story.places()[0];
    let number = format!("ORD-{}-1", story.person.number);
    let mut order = lab(story, "placer", test, ago, requester);
    order.identifier = Some(placer(requester, &number));
    let places = story.places();
    for (index, at) in places.iter().take(2).enumerate() {
        // The performer may already be done while the requester has not closed the order.
        let done = index == 1 && story.rng.chance(40);
        state(story, *at, &order, if done { "completed" } else { "active" }, &[]);
    }
    // The same test a month earlier is another order.
    let mut earlier = lab(story, "own", test, ago + 31, requester);
    earlier.identifier = Some(placer(requester, &format!("ORD-{}-0", story.person.number)));
    let last = *places.last().unwrap_or(&requester);
    let past = state(story, last, &earlier, "completed", &[]);
    if let Some(now) = story.orders[requester].first().cloned() {
        story.world.distinct((requester, &now), (last, &past));
    }
}

/// No common number: code, day and the requester's NPI tell.
fn same_code_and_day(story: &mut Story) {
    let places = story.places();
    let requester = places[0];
    let test = story.rng.below(TESTS.len());
    let ago = story.rng.between(80, 140);
    let order = lab(story, "code-and-date", test, ago, requester);
    for at in places {
        state(story, at, &order, "active", &[]);
    }
}

/// A proposal and the order that followed it are two.
fn proposal_and_order(story: &mut Story) {
    let places = story.places();
    let ago = story.rng.between(150, 190);
    let code = coded(SNOMED, "409073007", "Education");
    let category = json!({"coding": [{"system": SNOMED, "code": "409073007"}]});
    let mut pair: Vec<(usize, String)> = Vec::new();
    for (intent, at) in [("proposal", places[places.len() - 1]), ("order", places[0])] {
        let fact = story.world.fact("own");
        let order = Order {
            fact,
            category: category.clone(),
            code: code.clone(),
            intent,
            authored_ago: ago,
            hour: 9,
            requester: places[0],
            identifier: None,
        };
        let reference = state(story, at, &order, "active", &[]);
        pair.push((at, reference));
    }
    if let [(a, left), (b, right)] = &*pair {
        story.world.distinct((*a, left), (*b, right));
    }
}

/// A referral to a community service; the payer's coordinator refers on.
fn referral_and_sub_referral(story: &mut Story) {
    let places = story.places();
    let ago = story.rng.between(30, 60);
    let number = format!("REF-{}", story.person.number);
    let fact = story.world.fact("placer");
    let mut order = Order {
        fact,
        category: json!({"coding": [{"system": SNOMED, "code": "410606002"}]}),
        code: coded(SNOMED, "3457005", "Patient referral"),
        intent: "order",
        authored_ago: ago,
        hour: 11,
        requester: places[0],
        identifier: Some(placer(places[0], &number)),
    };
    let mut first: Option<(usize, String)> = None;
    for at in places {
        let reference = state(story, at, &order, "active", &[]);
        first.get_or_insert((at, reference.clone()));
        if at != HARBOR {
            continue;
        }
        order.fact = story.world.fact("own");
        order.identifier = Some(placer(HARBOR, &format!("{number}-B")));
        order.requester = HARBOR;
        order.authored_ago = ago - 1;
        let child = state(story, at, &order, "active", &[&reference]);
        story.world.distinct((at, &reference), (at, &child));
    }
}

fn lab(story: &mut Story, kind: &'static str, test: usize, ago: i64, requester: usize) -> Order {
    let (code, name) = TESTS[test];
    Order {
        fact: story.world.fact(kind),
        category: json!({"coding": [{"system": SNOMED, "code": "108252007",
            "display": "Laboratory procedure"}]}),
        code: coded(LOINC, code, name),
        intent: "order",
        authored_ago: ago,
        hour: 8 + i64::try_from(test).unwrap_or(0),
        requester,
        identifier: None,
    }
}

fn placer(at: usize, value: &str) -> Value {
    let system = "http://terminology.hl7.org/CodeSystem/v2-0203";
    json!({"type": {"coding": [{"system": system, "code": "PLAC"}]},
        "system": format!("{}/order", SYSTEMS[at]), "value": value})
}

fn state(story: &mut Story, at: usize, order: &Order, status: &str, based_on: &[&str]) -> String {
    let requester = story.doctor_seen_from(order.requester, at);
    let mut request = json!({
        "resourceType": "ServiceRequest",
        "status": status,
        "intent": order.intent,
        "category": [order.category],
        "code": order.code,
        "subject": story.subject(at),
        "authoredOn": story.moment(order.authored_ago, order.hour),
        "requester": to(&requester),
    });
    if let Some(identifier) = &order.identifier {
        request["identifier"] = json!([identifier]);
    }
    if !based_on.is_empty() {
        request["basedOn"] = based_on.iter().map(|r| to(r)).collect();
    }
    match at {
        MERCY => request["priority"] = json!("routine"),
        VALLEY => request["note"] = json!([{"text": "faxed"}]),
        _ => {}
    }
    if let Some(problem) = story.problem_at(0, at) {
        request["reasonReference"] = json!([to(problem)]);
    }
    let reference = story.world.add(at, order.fact, request);
    story.orders[at].push(reference.clone());
    reference
}
