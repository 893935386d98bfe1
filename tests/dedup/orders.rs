//! Orders, tasks and prescriptions, with their nearest look-alikes.

use serde_json::{Value, json};

use crate::concepts::{DRUGS, Drug, RXNORM, SERVICES, SNOMED, Service};
use crate::world::{Fact, World};

fn service_code(world: &mut World, site: usize, service: &Service) -> Value {
    let text = world.text(site, service.texts);
    let coding = json!({"system": service.system, "code": service.code,
        "display": service.display});
    if world.sites[site].codes_orders {
        match world.rng.below(3) {
            0 => json!({"coding": [coding]}),
            _ => json!({"coding": [coding], "text": text}),
        }
    } else if let Some(local) = service.local {
        let system = format!("https://{}.example/orderables", world.sites[site].name);
        json!({"coding": [{"system": system, "code": local, "display": text}]})
    } else {
        json!({"text": text})
    }
}

/// An order as it is.
struct Ordered<'a> {
    service: &'a Service,
    day: i32,
    requester: usize,
    intent: &'static str,
    side: Option<&'static str>,
    reason: Option<&'a Fact>,
    based_on: Option<&'a Fact>,
    requisition: Option<u32>,
}

fn state_order(world: &mut World, fact: &Fact, order: &Ordered) {
    let placer = world.rng.percent(25);
    let late = world.rng.percent(40);
    world.state(fact, |w, site| {
        let mut body = json!({"intent": order.intent,
            "code": service_code(w, site, order.service)});
        let status = if late { *w.rng.one(&["active", "completed"]) } else { "active" };
        body["status"] = json!(status);
        if w.rng.percent(92) {
            body["authoredOn"] = json!(w.date(site, order.day));
        } else {
            body["occurrenceDateTime"] = json!(w.date(site, order.day));
        }
        if w.rng.percent(75) {
            body["requester"] = w.clinician(site, order.requester);
        }
        if let Some(side) = order.side {
            let code = if side == "left" { "7771000" } else { "24028007" };
            body["bodySite"] = match w.rng.below(2) {
                0 => json!([{"text": format!("{side} knee")}]),
                _ => json!([{"text": format!("{side} knee"), "coding": [
                    {"system": SNOMED, "code": code, "display": side}]}]),
            };
        }
        if let Some(reason) = order.reason
            && let Some(reference) = w.reference(reason, site)
        {
            body["reasonReference"] = json!([reference]);
        }
        if let Some(first) = order.based_on
            && let Some(reference) = w.reference(first, site)
        {
            body["basedOn"] = json!([reference]);
        }
        if let Some(group) = order.requisition {
            body["requisition"] = json!({"system": "urn:requisitions", "value": group.to_string()});
        }
        if placer {
            body["identifier"] = json!([{"system": "https://orders.example/placer",
                "value": format!("P-{}", fact.id), "type": {"coding": [{"system":
                "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "PLAC"}]}}]);
        }
        if w.rng.percent(30) {
            body["priority"] = json!("routine");
        }
        body
    });
}

/// Orders and their look-alikes, and the tasks that fulfil them.
pub(crate) fn orders(world: &mut World, problems: &[Fact]) -> Vec<Fact> {
    let count = 4 + world.rng.below(4);
    let all: Vec<usize> = (0..SERVICES.len()).collect();
    let chosen: Vec<usize> = world.rng.some(&all, count).into_iter().copied().collect();
    let mut facts = Vec::new();
    let mut group = 0;
    for index in chosen {
        let service = &SERVICES[index];
        let reason = world.rng.percent(40).then(|| world.rng.one(problems).clone());
        let order = Ordered {
            service,
            day: world.rng.below(1200) as i32,
            requester: world.rng.below(8),
            intent: "order",
            side: service.sided.then(|| *world.rng.one(&["left", "right"])),
            reason: reason.as_ref(),
            based_on: None,
            requisition: world.rng.percent(20).then_some(index as u32),
        };
        let fact = world.fact("ServiceRequest");
        state_order(world, &fact, &order);
        facts.push(fact.clone());
        let twin = match world.rng.below(7) {
            // The same test a month later; the screening of the year after.
            0 => Some(Ordered { day: order.day + 28 + world.rng.below(10) as i32, ..order }),
            1 => Some(Ordered { day: order.day + 365, ..order }),
            2 if order.side.is_some() => {
                let side = if order.side == Some("left") { "right" } else { "left" };
                Some(Ordered { side: Some(side), ..order })
            }
            3 => Some(Ordered { intent: "plan", ..order }),
            // A week later by somebody else: a duplicate order is still another order.
            4 => {
                Some(Ordered { day: order.day + 5, requester: (order.requester + 1) % 8, ..order })
            }
            _ => None,
        };
        if let Some(twin) = twin {
            let fact = world.fact("ServiceRequest");
            state_order(world, &fact, &twin);
            facts.push(fact);
        }
        group += 1;
        if group == 2 {
            // A coordinator passes the referral on: the sub-referral is known where it was made.
            let sub = world.fact_at("ServiceRequest", fact.sites.clone());
            let passed = Ordered { based_on: Some(&fact), requisition: None, ..order };
            state_order(world, &sub, &passed);
            facts.push(sub);
        }
    }
    facts
}

const TASK_CODES: &str = "http://hl7.org/fhir/CodeSystem/task-code";

/// Tasks: one or two for an order, and some without.
pub(crate) fn tasks(world: &mut World, orders: &[Fact]) {
    for order in orders.iter().take(5) {
        let day = world.rng.below(1200) as i32;
        let count = 1 + usize::from(world.rng.percent(35));
        for n in 0..count {
            let fact = world.fact_at("Task", order.sites.clone());
            let owner = world.rng.below(3) + n * 3;
            let late = world.rng.percent(50);
            let words = [
                ["Fulfill the order", "Fulfil the order"],
                ["Call patient to schedule", "Call patient for scheduling"],
            ][n];
            let mut parent = None;
            if n == 1 {
                parent = Some(Fact { id: fact.id - 1, ..fact.clone() });
            }
            world.state(&fact, |w, site| {
                let status = if late {
                    *w.rng.one(&["requested", "accepted", "in-progress", "completed"])
                } else {
                    "requested"
                };
                let mut body = json!({"status": status, "intent": "order",
                    "focus": w.reference(order, site).unwrap(),
                    "description": w.text(site, &words)});
                if n == 0 {
                    body["code"] = json!({"coding": [{"system": TASK_CODES, "code": "fulfill"}]});
                } else {
                    body["code"] = json!({"text": w.text(site, &words)});
                }
                if w.rng.percent(85) {
                    body["authoredOn"] = json!(w.date(site, day));
                }
                if w.rng.percent(70) {
                    body["owner"] = w.organization(site, owner);
                }
                if w.rng.percent(50) {
                    body["requester"] = w.clinician(site, owner);
                }
                if let Some(parent) = &parent
                    && w.rng.percent(50)
                {
                    body["partOf"] = json!([w.reference(parent, site).unwrap()]);
                }
                if w.rng.percent(50) {
                    body["lastModified"] = json!(format!("2026-0{}-01T08:00:00Z", 1 + site % 2));
                }
                body
            });
        }
    }
    without_order(world);
}

/// Tasks that stand alone: the same call, and the call of the month after.
fn without_order(world: &mut World) {
    let all = [
        ["Medication reconciliation", "Medication reconciliation after discharge"],
        ["Follow-up call after discharge", "Follow up call after discharge"],
        ["Complete PHQ-9 questionnaire", "Complete the PHQ-9 questionnaire"],
        ["Home safety assessment", "Home Safety Assessment"],
    ];
    let words = *world.rng.one(&all);
    let day = world.rng.below(1100) as i32;
    for day in [day, day + 30] {
        let fact = world.fact("Task");
        world.state(&fact, |w, site| {
            json!({
                "status": w.rng.one(&["requested", "in-progress", "completed"]),
                "intent": "order",
                "code": {"text": w.text(site, &words)},
                "authoredOn": w.date(site, day),
            })
        });
    }
}

fn drug_code(world: &mut World, site: usize, drug: &Drug) -> Value {
    let text = world.text(site, drug.texts);
    let coding = json!({"system": RXNORM, "code": drug.code, "display": drug.display});
    match (world.sites[site].codes_orders, world.rng.below(3)) {
        (true, 0) => json!({"coding": [coding]}),
        (true, _) => json!({"coding": [coding], "text": text}),
        _ => json!({"text": text}),
    }
}

fn dose(world: &mut World, times: usize) -> Value {
    let words = [
        ["Take 1 tablet by mouth daily", "1 tab PO daily"],
        ["Take 1 tablet by mouth twice a day", "1 tab PO BID"],
    ][times];
    let text = *world.rng.one(&words);
    let mut dosage = json!({"text": text});
    if world.rng.percent(50) {
        dosage["timing"] =
            json!({"repeat": {"frequency": times + 1, "period": 1, "periodUnit": "d"}});
        dosage["doseAndRate"] = json!([{"doseQuantity": {"value": 1, "unit": "tablet"}}]);
    }
    json!([dosage])
}

/// Prescriptions, renewals, and the other strength of the same drug.
pub(crate) fn prescriptions(world: &mut World) {
    let count = 3 + world.rng.below(4);
    let all: Vec<usize> = (0..DRUGS.len()).collect();
    let chosen: Vec<usize> = world.rng.some(&all, count).into_iter().copied().collect();
    for index in chosen {
        let drug = &DRUGS[index];
        let prescriber = world.rng.below(8);
        let times = world.rng.below(2);
        let first = world.rng.below(900) as i32;
        let renewed = world.rng.percent(35);
        let fact = world.fact("MedicationRequest");
        let mut all = vec![(fact.clone(), first, None)];
        if renewed {
            let renewal = world.fact("MedicationRequest");
            all.push((renewal, first + 90, Some(fact)));
        }
        for (fact, day, prior) in all {
            let ended = renewed && prior.is_none();
            world.state(&fact, |w, site| {
                let mut body = json!({"intent": "order",
                    "medicationCodeableConcept": drug_code(w, site, drug)});
                let drifted = w.rng.percent(15);
                let status = if ended || drifted { "completed" } else { "active" };
                body["status"] = json!(status);
                if w.rng.percent(93) {
                    body["authoredOn"] = json!(w.date(site, day));
                }
                if w.rng.percent(80) {
                    body["requester"] = w.clinician(site, prescriber);
                }
                if w.rng.percent(70) {
                    body["dosageInstruction"] = dose(w, times);
                }
                if let Some(prior) = &prior
                    && let Some(reference) = w.reference(prior, site)
                {
                    body["priorPrescription"] = reference;
                }
                body
            });
        }
    }
}
