//! Care plans: republished, renewed, replaced, and those of other custodians.

use serde_json::json;

use crate::concepts::SNOMED;
use crate::world::{Fact, World, calendar};

struct Kind {
    texts: &'static [&'static str],
    snomed: (&'static str, &'static str),
}

const KINDS: [Kind; 6] = [
    Kind {
        texts: &["Diabetes care plan", "Diabetes self-management plan", "Diabetes Care Plan"],
        snomed: ("698360004", "Diabetes self management plan"),
    },
    Kind {
        texts: &["Heart failure care plan", "Care plan for heart failure"],
        snomed: ("735985000", "Heart failure self management plan"),
    },
    Kind {
        texts: &["Asthma action plan", "Asthma self-management plan"],
        snomed: ("699728000", "Asthma self management"),
    },
    Kind {
        texts: &["Transition of care plan", "Care transition plan"],
        snomed: ("773976005", "Multidisciplinary care regime"),
    },
    Kind {
        texts: &["COPD care plan", "Care plan for COPD"],
        snomed: ("735984001", "Chronic obstructive pulmonary disease self management plan"),
    },
    Kind {
        texts: &["Housing support plan", "Plan for housing support"],
        snomed: ("734163000", "Care plan"),
    },
];

struct Planned<'a> {
    kind: &'a Kind,
    custodian: usize,
    start: i32,
    days: i32,
    addresses: &'a [Fact],
    goals: &'a [Fact],
    replaces: Option<&'a Fact>,
    ended: bool,
}

fn state_plan(world: &mut World, fact: &Fact, plan: &Planned) {
    let shared_identifier = world.rng.percent(20);
    let goes_on = world.rng.percent(30);
    world.state(fact, |w, site| {
        let mut category = vec![json!({"coding": [{
            "system": "http://hl7.org/fhir/us/core/CodeSystem/careplan-category",
            "code": "assess-plan"}]})];
        if w.rng.percent(60) {
            category.push(json!({"coding": [{"system": SNOMED, "code": plan.kind.snomed.0,
                "display": plan.kind.snomed.1}]}));
        }
        let status = if plan.ended { "completed" } else { "active" };
        let mut body = json!({"status": status, "intent": "plan", "category": category});
        if w.rng.percent(75) {
            body["title"] = json!(w.text(site, plan.kind.texts));
        }
        if w.rng.percent(85) {
            body["period"] = json!({"start": w.date(site, plan.start)});
            if !goes_on && w.rng.percent(70) {
                body["period"]["end"] = json!(w.date(site, plan.start + plan.days));
            }
        }
        // Who keeps the plan: as author, or among the contributors.
        match w.rng.below(10) {
            0 => {}
            1..=7 => body["author"] = w.organization(site, plan.custodian),
            _ => body["contributor"] = json!([w.organization(site, plan.custodian)]),
        }
        if w.rng.percent(60) {
            body["created"] = json!(calendar(plan.start));
        }
        let addresses: Vec<_> =
            plan.addresses.iter().filter_map(|p| w.reference(p, site)).collect();
        if !addresses.is_empty() {
            body["addresses"] = json!(addresses);
        }
        // A copy often carries a part of the goals only.
        let mut goals = Vec::new();
        for goal in plan.goals {
            let carried = w.rng.percent(80);
            if let Some(reference) = w.reference(goal, site).filter(|_| carried) {
                goals.push(reference);
            }
        }
        if !goals.is_empty() {
            body["goal"] = json!(goals);
        }
        if let Some(old) = plan.replaces
            && let Some(reference) = w.reference(old, site)
        {
            body["replaces"] = json!([reference]);
        }
        if shared_identifier {
            body["identifier"] =
                json!([{"system": "https://plans.example", "value": format!("{}", fact.id)}]);
        }
        body
    });
}

/// Plans of a person.
pub(crate) fn plans(world: &mut World, problems: &[Fact], goals: &[Fact]) {
    let count = 1 + world.rng.below(3);
    for kind in world.rng.some(&KINDS, count) {
        let addresses: Vec<Fact> = world.rng.some(problems, 2).into_iter().cloned().collect();
        let aimed: Vec<Fact> = world.rng.some(goals, 3).into_iter().cloned().collect();
        let plan = Planned {
            kind,
            custodian: world.rng.below(4),
            start: world.rng.below(700) as i32,
            days: 180,
            addresses: &addresses,
            goals: &aimed,
            replaces: None,
            ended: false,
        };
        let fact = world.fact("CarePlan");
        state_plan(world, &fact, &plan);
        match world.rng.below(4) {
            0 => {
                // Another custodian plans for the same problems in the same year.
                let other = world.fact("CarePlan");
                let custodian = (plan.custodian + 1) % 4;
                // Its own start, and some of the goals only.
                let start = plan.start + 17;
                let own = Planned { custodian, start, goals: &aimed[..1.min(aimed.len())], ..plan };
                state_plan(world, &other, &own);
            }
            1 => {
                let next = world.fact_at("CarePlan", fact.sites.clone());
                let renewed = Planned { start: plan.start + 365, replaces: Some(&fact), ..plan };
                state_plan(world, &next, &renewed);
            }
            _ => {}
        }
    }
}

/// Care teams: the same team at several sites, and the team of another programme.
pub(crate) fn teams(world: &mut World) {
    let names = [
        ["Diabetes care team", "Diabetes Care Team"],
        ["Transition care team", "Care team for transition"],
    ];
    let lead = world.rng.below(3);
    for (n, names) in names.iter().enumerate() {
        let fact = world.fact("CareTeam");
        world.state(&fact, |w, site| {
            let mut participants = Vec::new();
            for member in [lead + n, lead + n + 2, lead + n + 4] {
                if w.rng.percent(85) {
                    participants.push(json!({"member": w.clinician(site, member % 8)}));
                }
            }
            let mut body = json!({"status": "active", "name": w.text(site, names)});
            if !participants.is_empty() {
                body["participant"] = json!(participants);
            }
            body
        });
    }
}
