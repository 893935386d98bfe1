//! Conditions and goals, with their nearest look-alikes.

use serde_json::{Value, json};

use crate::concepts::{ACUTE, AIMS, Aim, CHRONIC, ICD, LOINC, Problem, SNOMED};
use crate::world::{Coding, Fact, World};

/// The code of a problem as the site has it: one system, both, or words only.
pub(crate) fn problem_code(world: &mut World, site: usize, problem: &Problem) -> Value {
    let snomed = json!({"system": SNOMED, "code": problem.snomed.0, "display": problem.snomed.1});
    let icd = json!({"system": ICD, "code": problem.icd.0, "display": problem.icd.1});
    let words = world.text(site, problem.texts);
    let text = match world.rng.below(3) {
        0 => Some(words.clone()),
        1 => Some(problem.snomed.1.to_owned()),
        _ => None,
    };
    let mut code = match world.sites[site].coding {
        Coding::Snomed => json!({"coding": [snomed]}),
        Coding::Icd => {
            return json!({"coding": [icd], "text": words});
        }
        Coding::Both => json!({"coding": [icd, snomed]}),
        Coding::TextOnly => return json!({"text": words}),
    };
    if let Some(text) = text {
        code["text"] = json!(text);
    }
    code
}

fn status(code: &str) -> Value {
    json!({"coding": [{"system":
        "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": code}]})
}

fn verification(code: &str) -> Value {
    json!({"coding": [{"system":
        "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": code}]})
}

fn category(code: &str) -> Value {
    json!([{"coding": [{"system":
        "http://terminology.hl7.org/CodeSystem/condition-category", "code": code}]}])
}

/// Long-standing problems, all stated as one fact each.
pub(crate) fn chronic(world: &mut World) -> Vec<Fact> {
    let count = 4 + world.rng.below(4);
    let chosen: Vec<usize> = (0..CHRONIC.len()).collect();
    let chosen: Vec<usize> = world.rng.some(&chosen, count).into_iter().copied().collect();
    let mut facts = Vec::new();
    for index in chosen {
        let problem = &CHRONIC[index];
        let fact = world.fact("Condition");
        let onset = world.rng.below(1200) as i32;
        let drift = world.rng.percent(10);
        world.state(&fact, |w, site| {
            let mut body = json!({"code": problem_code(w, site, problem)});
            let inactive = drift && w.rng.percent(50);
            body["clinicalStatus"] = status(if inactive { "inactive" } else { "active" });
            if w.rng.percent(70) {
                body["verificationStatus"] =
                    verification(if w.rng.percent(85) { "confirmed" } else { "provisional" });
            }
            if w.rng.percent(80) {
                body["category"] = category("problem-list-item");
            }
            if w.rng.percent(60) {
                body["onsetDateTime"] = json!(w.coarse(site, onset));
            }
            if w.rng.percent(60) {
                let later = onset + w.rng.below(200) as i32;
                body["recordedDate"] = json!(w.date(site, later));
            }
            body
        });
        facts.push(fact);
    }
    facts
}

/// The same illness twice, a year apart, both over.
pub(crate) fn recurring(world: &mut World) {
    let problem = world.rng.below(3);
    let problem = &ACUTE[problem];
    let first = world.rng.below(300) as i32;
    for start in [first, first + 180 + world.rng.below(300) as i32] {
        let fact = world.fact("Condition");
        world.state(&fact, |w, site| {
            json!({
                "code": problem_code(w, site, problem),
                "clinicalStatus": status("resolved"),
                "category": category("encounter-diagnosis"),
                "onsetDateTime": w.date(site, start),
                "abatementDateTime": w.date(site, start + 12),
            })
        });
    }
}

/// One joint left, one joint right; in ICD-10-CM the side is in the code, elsewhere beside it.
pub(crate) fn sided(world: &mut World) {
    let sides = [("M17.11", "right", "6757004"), ("M17.12", "left", "82169009")];
    let onset = world.rng.below(1000) as i32;
    for (icd, side, body_site) in sides {
        let fact = world.fact("Condition");
        world.state(&fact, |w, site| {
            let words = w.text(
                site,
                &[
                    &format!("Osteoarthritis of {side} knee"),
                    &format!("{side} knee osteoarthritis"),
                    &format!("Osteoarthritis, {side} knee"),
                ],
            );
            let mut body = json!({"clinicalStatus": status("active")});
            body["code"] = match w.sites[site].coding {
                Coding::Snomed => json!({"coding": [{"system": SNOMED, "code": "239873007",
                    "display": "Osteoarthritis of knee"}]}),
                Coding::TextOnly => json!({"text": words}),
                _ => json!({"text": words, "coding": [{"system": ICD, "code": icd,
                    "display": format!("Unilateral primary osteoarthritis, {side} knee")}]}),
            };
            if w.sites[site].coding == Coding::Snomed {
                body["bodySite"] = json!([{"coding": [{"system": SNOMED, "code": body_site,
                    "display": format!("Structure of {side} knee")}]}]);
            }
            if w.rng.percent(50) {
                body["onsetDateTime"] = json!(w.coarse(site, onset));
            }
            body
        });
    }
}

/// What the words deny, or say of somebody else, is not the problem itself.
pub(crate) fn denied(world: &mut World) {
    let pairs = [
        ["Depression", "No depression"],
        ["Stroke", "Family history of stroke"],
        ["Breast cancer", "History of breast cancer"],
    ];
    let pair = pairs[world.rng.below(pairs.len())];
    for words in pair {
        let fact = world.fact("Condition");
        world.state(&fact, |w, site| {
            json!({"code": {"text": w.written(site, words)}, "clinicalStatus": status("active")})
        });
    }
}

fn number(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value}") }
}

/// A goal as it is.
struct Aimed<'a> {
    aim: &'a Aim,
    value: Option<f64>,
    start: Option<i32>,
    due: Option<i32>,
    addresses: Option<&'a Fact>,
    finished: bool,
}

fn state_goal(world: &mut World, fact: &Fact, goal: &Aimed) {
    let drift = world.rng.percent(15);
    let statuses = if goal.finished { ["completed"; 2] } else { ["active", "accepted"] };
    let tells_due = world.rng.percent(60);
    world.state(fact, |w, site| {
        let value = goal.value.map(number).unwrap_or_default();
        let decimals = goal.value.map(|v| format!("{v:.1}")).unwrap_or_default();
        let variant = *w.rng.one(goal.aim.texts);
        let shown = if w.rng.percent(25) && goal.aim.unit.0 == "%" { decimals } else { value };
        let text = w.written(site, &variant.replace("{}", &shown));
        let mut body = json!({"description": {"text": text}});
        if let Some((code, display)) = goal.aim.snomed
            && w.sites[site].coding != Coding::TextOnly
        {
            body["description"]["coding"] =
                json!([{"system": SNOMED, "code": code, "display": display}]);
        }
        let chosen = statuses[usize::from(drift && w.rng.percent(50))];
        body["lifecycleStatus"] = json!(chosen);
        let mut target = json!({});
        if let Some((code, display)) = goal.aim.measure {
            // Without it "reach target weight" would say nothing.
            let needed = !variant.contains("{}");
            if needed || w.rng.percent(70) {
                target["measure"] = json!({"coding": [
                    {"system": LOINC, "code": code, "display": display}]});
                target["detailQuantity"] = quantity(w, site, goal);
            }
        }
        if let Some(due) = goal.due
            && (tells_due || w.rng.percent(60))
        {
            target["dueDate"] = json!(crate::world::calendar(due));
        }
        if target.as_object().is_some_and(|t| !t.is_empty()) {
            body["target"] = json!([target]);
        }
        if let Some(start) = goal.start
            && w.rng.percent(60)
        {
            body["startDate"] = json!(crate::world::calendar(start));
        }
        if let Some(problem) = goal.addresses
            && let Some(reference) = w.reference(problem, site)
        {
            body["addresses"] = json!([reference]);
        }
        if w.rng.percent(40) {
            let code = *w.rng.one(&["in-progress", "improving", "no-change"]);
            body["achievementStatus"] = json!({"coding": [{"system":
                "http://terminology.hl7.org/CodeSystem/goal-achievement", "code": code}]});
        }
        body
    });
}

fn quantity(world: &mut World, site: usize, goal: &Aimed) -> Value {
    let (unit, other) = goal.aim.unit;
    let value = goal.value.unwrap();
    let (value, unit) = match other {
        Some((other, factor)) if world.sites[site].us_units => {
            ((value * factor * 10.0).round() / 10.0, other)
        }
        _ => (value, unit),
    };
    json!({"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit,
        "comparator": "<"})
}

/// Goals and their look-alikes: another number, another problem, another year.
pub(crate) fn goals(world: &mut World, problems: &[Fact]) -> Vec<Fact> {
    let count = 3 + world.rng.below(4);
    let all: Vec<usize> = (0..AIMS.len()).collect();
    let chosen: Vec<usize> = world.rng.some(&all, count).into_iter().copied().collect();
    let mut facts = Vec::new();
    for index in chosen {
        let aim = &AIMS[index];
        let which = world.rng.below(aim.numbers.len().max(1));
        let value = aim.numbers.get(which).copied();
        let start = world.rng.below(900) as i32;
        let addresses = world.rng.percent(60).then(|| world.rng.one(problems).clone());
        let due = world.rng.percent(50).then_some(start + 180);
        let goal = Aimed {
            aim,
            value,
            start: Some(start),
            due,
            addresses: addresses.as_ref(),
            finished: false,
        };
        let fact = world.fact("Goal");
        state_goal(world, &fact, &goal);
        facts.push(fact.clone());
        match world.rng.below(4) {
            0 if aim.numbers.len() > 1 => {
                let other = aim.numbers[(which + 1) % aim.numbers.len()];
                let fact = world.fact("Goal");
                state_goal(world, &fact, &Aimed { value: Some(other), ..goal });
                facts.push(fact);
            }
            1 if due.is_some() => {
                // Reached, and set again for the year after: every statement tells its dates.
                let again = start + 365;
                let twin = world.fact_at("Goal", fact.sites.clone());
                dated_goal(world, &twin, aim, value, again);
                facts.push(twin);
            }
            _ => {}
        }
    }
    for_another_problem(world, problems);
    facts
}

fn dated_goal(world: &mut World, fact: &Fact, aim: &Aim, value: Option<f64>, start: i32) {
    world.state(fact, |w, site| {
        let value = value.map(number).unwrap_or_default();
        let variant = *w.rng.one(aim.texts);
        let mut target = json!({"dueDate": crate::world::calendar(start + 180)});
        if let Some((code, _)) = aim.measure
            && !variant.contains("{}")
        {
            target["measure"] = json!({"coding": [{"system": LOINC, "code": code}]});
            target["detailQuantity"] = json!({"value": value.parse::<f64>().unwrap(),
                "system": "http://unitsofmeasure.org", "code": aim.unit.0});
        }
        json!({
            "description": {"text": w.written(site, &variant.replace("{}", &value))},
            "lifecycleStatus": "active",
            "startDate": crate::world::calendar(start),
            "target": [target],
        })
    });
}

/// The same words for two problems are two goals.
fn for_another_problem(world: &mut World, problems: &[Fact]) {
    let words = ["Improve self-management", "Improved self management", "Self-management improved"];
    for problem in problems.iter().take(2) {
        let fact = world.fact_at("Goal", problem.sites.clone());
        world.state(&fact, |w, site| {
            let problem = w.reference(problem, site).unwrap();
            json!({
                "description": {"text": w.text(site, &words)},
                "lifecycleStatus": "active",
                "addresses": [problem],
            })
        });
    }
}
