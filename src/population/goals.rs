//! Goals: coded at the hospital, text with small variants elsewhere; and look-alikes.

use serde_json::{Value, json};

use super::story::Story;
use super::world::{HARBOR, LOINC, MERCY, SNOMED, SYSTEMS, UCUM, VALLEY, coded, to};

/// A measurable goal, by the problem it addresses (same index as the problems).
struct Measure {
    text: &'static str,
    variants: [&'static str; 2],
    loinc: &'static str,
    measured: &'static str,
    comparator: &'static str,
    value: i64,
    other_value: i64,
    unit: &'static str,
}

const MEASURES: [Measure; 8] = [
    Measure {
        text: "Systolic blood pressure below 140 mmHg",
        variants: ["systolic blood pressure below 140 mm Hg.", "Systolic BP < 140 mmHg"],
        loinc: "8480-6",
        measured: "Systolic blood pressure",
        comparator: "<",
        value: 140,
        other_value: 130,
        unit: "mm[Hg]",
    },
    Measure {
        text: "Hemoglobin A1c below 7 %",
        variants: ["hemoglobin A1c below 7%", "HbA1c under 7 %"],
        loinc: "4548-4",
        measured: "Hemoglobin A1c/Hemoglobin.total in Blood",
        comparator: "<",
        value: 7,
        other_value: 8,
        unit: "%",
    },
    Measure {
        text: "Has enough food every day",
        variants: ["has enough food every day", "Has enough food, every day."],
        loinc: "88124-3",
        measured: "Food insecurity risk",
        comparator: "",
        value: 0,
        other_value: 0,
        unit: "",
    },
    Measure {
        text: "Body weight stays below 85 kg",
        variants: ["body weight stays below 85 kg", "Weight stays below 85 kg"],
        loinc: "29463-7",
        measured: "Body weight",
        comparator: "<",
        value: 85,
        other_value: 80,
        unit: "kg",
    },
    Measure {
        text: "Oxygen saturation at rest at least 92 %",
        variants: ["oxygen saturation at rest at least 92%", "SpO2 at rest at least 92 %"],
        loinc: "2708-6",
        measured: "Oxygen saturation in Arterial blood",
        comparator: ">=",
        value: 92,
        other_value: 88,
        unit: "%",
    },
    Measure {
        text: "PHQ-9 score below 5",
        variants: ["PHQ-9 score below 5.", "phq 9 score below 5"],
        loinc: "44261-6",
        measured: "PHQ-9 total score",
        comparator: "<",
        value: 5,
        other_value: 10,
        unit: "{score}",
    },
    Measure {
        text: "LDL cholesterol below 100 mg/dL",
        variants: ["ldl cholesterol below 100 mg/dl", "LDL below 100 mg/dL"],
        loinc: "2089-1",
        measured: "Cholesterol in LDL",
        comparator: "<",
        value: 100,
        other_value: 70,
        unit: "mg/dL",
    },
    Measure {
        text: "Body mass index below 30",
        variants: ["body mass index below 30", "BMI below 30 kg/m2"],
        loinc: "39156-5",
        measured: "Body mass index",
        comparator: "<",
        value: 30,
        other_value: 27,
        unit: "kg/m2",
    },
];

/// The text of a goal that a person may have once per problem.
const ADHERENCE: &str = "Takes medicines as prescribed";

/// States the person's goals.
pub(super) fn tell(story: &mut Story) {
    for index in 0..story.problems.len() {
        let twisted = story.person.number == 0 && index == 1 || story.rng.chance(15);
        shared_goal(story, index, twisted);
    }
    adherence(story);
}

/// One goal that every organisation states; `twisted`: the practice aims at another value,
/// which is another goal and a conflict.
fn shared_goal(story: &mut Story, index: usize, twisted: bool) {
    let measure = &MEASURES[story.problems[index].problem];
    let twisted = twisted && measure.value != measure.other_value && story.knows(VALLEY);
    let fact = story.world.fact("text-variant");
    let other = story.world.fact("own");
    let due = story.rng.between(-160, -20);
    let (start, changed) = (story.rng.between(60, 200), story.rng.between(3, 50));
    let retracted = story.person.number == 0 && index == 3;
    let mut stated: Vec<(usize, String)> = Vec::new();
    for at in story.places() {
        let value = if twisted && at == VALLEY { measure.other_value } else { measure.value };
        let variant = story.rng.below(4);
        let mut goal = json!({
            "resourceType": "Goal",
            "identifier": [{"system": format!("{}/goal", SYSTEMS[at]),
                "value": format!("G{}-{index}", story.person.number)}],
            "lifecycleStatus": "active",
            "achievementStatus": achievement("in-progress"),
            "description": description(measure, at, value, variant),
            "subject": story.subject(at),
            "startDate": story.day(start),
            "target": [target(measure, at, value, &story.day(due))],
            "statusDate": story.day(changed + i64::try_from(at).unwrap_or(0)),
        });
        disagree(story, &mut goal, at, index);
        if at == HARBOR && retracted {
            goal["lifecycleStatus"] = json!("entered-in-error");
        }
        if let Some(problem) = story.problem_at(index, at) {
            goal["addresses"] = json!([to(problem)]);
        }
        if at == MERCY {
            goal["expressedBy"] = to(&story.doctor(at));
        }
        let fact = if twisted && at == VALLEY { other } else { fact };
        let reference = story.world.add(at, fact, goal);
        story.goals[at].push(reference.clone());
        stated.push((at, reference));
    }
    if twisted {
        let (here, there): (Vec<_>, Vec<_>) = stated.iter().partition(|(at, _)| *at == VALLEY);
        for ((a, left), (b, right)) in here.iter().flat_map(|h| there.iter().map(move |t| (h, t))) {
            story.world.distinct((*a, left), (*b, right));
        }
    }
}

/// The organisations are not equally up to date.
fn disagree(story: &mut Story, goal: &mut Value, at: usize, index: usize) {
    let planted = story.person.number == 0 && index == 0;
    if at == MERCY && (planted || story.rng.chance(18)) {
        goal["lifecycleStatus"] = json!("completed");
        goal["achievementStatus"] = achievement("achieved");
    } else if at == HARBOR && (planted || story.rng.chance(10)) {
        goal["lifecycleStatus"] = json!("on-hold");
    }
}

/// The same words for two problems: two goals, at each organisation.
fn adherence(story: &mut Story) {
    let facts = [story.world.fact("same-text"), story.world.fact("same-text")];
    let start = story.rng.between(60, 200);
    for at in story.places() {
        let mut pair = Vec::new();
        for (index, fact) in facts.iter().enumerate() {
            let Some(problem) = story.problem_at(index, at) else { continue };
            let goal = json!({
                "resourceType": "Goal",
                "lifecycleStatus": "active",
                "description": {"text": ADHERENCE},
                "subject": story.subject(at),
                "startDate": story.day(start),
                "addresses": [to(problem)],
            });
            let reference = story.world.add(at, *fact, goal);
            story.goals[at].push(reference.clone());
            pair.push(reference);
        }
        if let [first, second] = &*pair {
            story.world.distinct((at, first), (at, second));
        }
    }
}

/// A goal as an organisation words it, for a plan that contains it.
pub(super) fn contained(story: &Story, index: usize, at: usize, due_ago: i64) -> Value {
    let measure = &MEASURES[story.problems[index].problem];
    json!({
        "resourceType": "Goal",
        "id": "g1",
        "lifecycleStatus": "planned",
        "description": {"text": format!("Talk about {} at the next visit", measure.measured)},
        "subject": story.subject(at),
        "target": [{"dueDate": story.day(due_ago)}],
    })
}

fn description(measure: &Measure, at: usize, value: i64, variant: usize) -> Value {
    let with_value = |text: &str| text.replace(&measure.value.to_string(), &value.to_string());
    let food = measure.loinc == "88124-3";
    match (at, variant) {
        (MERCY, _) if food => coded(SNOMED, "1078229009", measure.text),
        (MERCY, _) => json!({"text": measure.text}),
        (VALLEY, 0) => json!({"text": with_value(measure.variants[1])}),
        (VALLEY, _) => json!({"text": with_value(measure.variants[0])}),
        _ => {
            let system = format!("{}/goal-code", SYSTEMS[HARBOR]);
            let code = format!("HG-{}", measure.loinc);
            json!({"coding": [{"system": system, "code": code}], "text": measure.text})
        }
    }
}

fn target(measure: &Measure, at: usize, value: i64, due: &str) -> Value {
    let measured = if at == VALLEY {
        json!({"text": measure.measured})
    } else {
        json!({"coding": [{"system": LOINC, "code": measure.loinc}], "text": measure.measured})
    };
    let mut target = json!({"measure": measured});
    if measure.comparator.is_empty() {
        let answer = json!({"system": LOINC, "code": "LA19983-8", "display": "No risk"});
        target["detailCodeableConcept"] = json!({"coding": [answer]});
    } else {
        target["detailQuantity"] = json!({"value": value, "comparator": measure.comparator,
            "unit": measure.unit, "system": UCUM, "code": measure.unit});
    }
    target["dueDate"] = json!(due);
    target
}

fn achievement(code: &str) -> Value {
    let system = "http://terminology.hl7.org/CodeSystem/goal-achievement";
    json!({"coding": [{"system": system, "code": code}]})
}
