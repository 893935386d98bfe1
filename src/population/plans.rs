//! Care teams and care plans: each custodian's own, and the hospital's as republished.

use serde_json::{Value, json};

use super::goals;
use super::story::Story;
use super::world::{HARBOR, LOINC, MERCY, SNOMED, SYSTEMS, VALLEY, coded, to};

/// States the person's care teams and plans.
pub(super) fn tell(story: &mut Story) {
    for at in story.places() {
        team(story, at);
    }
    if story.knows(MERCY) {
        hospital_plan(story);
    }
    if story.knows(VALLEY) {
        practice_plan(story);
    }
    if story.knows(HARBOR) {
        payer_plan(story);
    }
}

fn team(story: &mut Story, at: usize) {
    let fact = story.world.fact("own");
    let roles = [("768820003", "Care coordinator"), ("116154003", "Patient")];
    let members = [to(&story.doctor(at)), story.subject(at)];
    let participants: Vec<Value> = roles
        .into_iter()
        .zip(members)
        .map(
            |((code, name), member)| json!({"role": [coded(SNOMED, code, name)], "member": member}),
        )
        .collect();
    let team = json!({
        "resourceType": "CareTeam",
        "status": "active",
        "category": [coded(LOINC, "LA28865-6", "Longitudinal care-coordination focused care team")],
        "name": format!("Care team {}", ["Mercy", "Valley", "Harbor"][at]),
        "subject": story.subject(at),
        "participant": participants,
        "managingOrganization": [story.custodian(at, at)],
    });
    story.teams[at] = Some(story.world.add(at, fact, team));
}

fn assess_plan() -> Value {
    let system = "http://hl7.org/fhir/us/core/CodeSystem/careplan-category";
    json!({"coding": [{"system": system, "code": "assess-plan"}]})
}

/// The plan as an organisation holds it, with its own records of what the plan names.
fn plan(story: &Story, at: usize, custodian: usize, title: &str) -> Value {
    let refer = |references: &[String]| -> Value { references.iter().map(|r| to(r)).collect() };
    let problems: Vec<Value> =
        story.problems.iter().filter_map(|p| p.references[at].as_deref()).map(to).collect();
    let activities: Vec<Value> =
        story.orders[at].iter().map(|o| json!({"reference": to(o)})).collect();
    let mut plan = json!({
        "resourceType": "CarePlan",
        "status": "active",
        "intent": "plan",
        "title": title,
        "subject": story.subject(at),
        "author": story.custodian(custodian, at),
        "addresses": problems,
        "goal": refer(&story.goals[at]),
        "activity": activities,
    });
    if let Some(team) = &story.teams[at] {
        plan["careTeam"] = json!([to(team)]);
    }
    plan
}

/// The hospital's plan; the payer republishes it with the same identifier.
fn hospital_plan(story: &mut Story) {
    let fact = story.world.fact("republished");
    let start = story.rng.between(40, 120);
    let identifier = json!([{"system": format!("{}/careplan", SYSTEMS[MERCY]),
        "value": format!("CP{}", story.person.number)}]);
    let republished = story.knows(HARBOR) && (story.person.number == 0 || story.rng.chance(70));
    for at in [MERCY, HARBOR] {
        if at == HARBOR && !republished {
            continue;
        }
        let mut plan = plan(story, at, MERCY, "Discharge care plan");
        plan["identifier"] = identifier.clone();
        plan["category"] = json!([assess_plan()]);
        plan["period"] = json!({"start": story.day(start), "end": story.day(start - 365)});
        if at == HARBOR && story.rng.chance(25) {
            plan["status"] = json!("on-hold");
        }
        let reference = story.world.add(at, fact, plan);
        provenance(story, at, &reference, start);
    }
}

/// The practice's plan: no category, a goal inside.
fn practice_plan(story: &mut Story) {
    let fact = story.world.fact("own");
    let start = story.rng.between(130, 220);
    let mut plan = plan(story, VALLEY, VALLEY, "Chronic care management");
    plan["period"] = json!({"start": story.day(start)});
    let contains = story.person.number == 0 || story.rng.chance(40);
    if contains {
        let goal = goals::contained(story, 0, VALLEY, -45);
        plan["contained"] = json!([goal]);
        if let Some(goals) = plan["goal"].as_array_mut() {
            goals.push(to("#g1"));
        }
    }
    let reference = story.world.add(VALLEY, fact, plan);
    if contains {
        let inner = story.world.fact("own");
        story.world.contains(VALLEY, &reference, "Goal", "g1", inner);
    }
}

fn payer_plan(story: &mut Story) {
    let fact = story.world.fact("own");
    let start = story.rng.between(20, 35);
    let mut plan = plan(story, HARBOR, HARBOR, "Member care management plan");
    plan["category"] = json!([{"coding": [
        {"system": format!("{}/plan-kind", SYSTEMS[HARBOR]), "code": "CM-2"}]}, assess_plan()]);
    plan["identifier"] = json!([{"system": format!("{}/careplan", SYSTEMS[HARBOR]),
        "value": format!("HCP{}", story.person.number)}]);
    plan["period"] = json!({"start": story.day(start), "end": story.day(start - 180)});
    story.world.add(HARBOR, fact, plan);
}

/// Who wrote the plan; the payer adds itself as the transmitter.
fn provenance(story: &mut Story, at: usize, plan: &str, ago: i64) {
    let fact = story.world.fact("own");
    let kinds = "http://terminology.hl7.org/CodeSystem/provenance-participant-type";
    let author = json!({"type": {"coding": [{"system": kinds, "code": "author"}]},
        "who": story.custodian(MERCY, at)});
    let mut agents = vec![author];
    if at == HARBOR {
        let kinds = "http://hl7.org/fhir/us/core/CodeSystem/us-core-provenance-participant-type";
        agents.push(json!({"type": {"coding": [{"system": kinds, "code": "transmitter"}]},
            "who": story.custodian(HARBOR, at)}));
    }
    let minute = i64::try_from(at).unwrap_or(0);
    let recorded = story.moment(ago - minute, 14);
    story.world.add(
        at,
        fact,
        json!({
            "resourceType": "Provenance",
            "target": [to(plan)],
            "recorded": recorded,
            "agent": agents,
        }),
    );
}
