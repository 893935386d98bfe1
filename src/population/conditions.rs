//! Problems: coded in SNOMED CT at one place, in ICD-10-CM or as text at others.

use serde_json::{Value, json};

use super::story::Story;
use super::world::{HARBOR, ICD10, MERCY, SNOMED, VALLEY, coded, to};

/// A problem a person may have.
pub(super) struct Problem {
    pub(super) name: &'static str,
    snomed: &'static str,
    icd10: &'static str,
    said: &'static str,
}

/// What a person has, and each organisation's record of it.
pub(super) struct Stated {
    /// Index into [`PROBLEMS`].
    pub(super) problem: usize,
    /// Per organisation.
    pub(super) references: [Option<String>; 3],
}

/// Problems by index; goals and orders go by the same index.
pub(super) const PROBLEMS: [Problem; 8] = [
    Problem {
        name: "Hypertensive disorder",
        snomed: "38341003",
        icd10: "I10",
        said: "high blood pressure",
    },
    Problem {
        name: "Diabetes mellitus type 2",
        snomed: "44054006",
        icd10: "E11.9",
        said: "type 2 diabetes",
    },
    Problem {
        name: "Food insecurity",
        snomed: "733423003",
        icd10: "Z59.41",
        said: "food insecurity",
    },
    Problem {
        name: "Congestive heart failure",
        snomed: "42343007",
        icd10: "I50.9",
        said: "heart failure",
    },
    Problem {
        name: "Chronic obstructive lung disease",
        snomed: "13645005",
        icd10: "J44.9",
        said: "COPD",
    },
    Problem { name: "Depressive disorder", snomed: "35489007", icd10: "F32.A", said: "depression" },
    Problem { name: "Hyperlipidemia", snomed: "55822004", icd10: "E78.5", said: "hyperlipidemia" },
    Problem { name: "Obesity", snomed: "414916001", icd10: "E66.9", said: "obesity" },
];

/// States the person's problems.
pub(super) fn tell(story: &mut Story) {
    let mut indices: Vec<usize> = vec![story.rng.below(2), 2 + story.rng.below(2)];
    indices.push(4 + story.rng.below(2));
    if story.rng.chance(60) {
        indices.push(6 + story.rng.below(2));
    }
    if story.person.number == 0 {
        indices = vec![0, 1, 2, 6];
    }
    for problem in indices {
        let stated = state(story, problem);
        story.problems.push(stated);
    }
}

fn state(story: &mut Story, index: usize) -> Stated {
    let problem = &PROBLEMS[index];
    let kind = ["snomed-icd10", "code", "identifier"][story.rng.below(3)];
    let fact = story.world.fact(kind);
    let onset = story.rng.between(400, 3600);
    let onset = story.world.day(onset);
    let identifier = format!("P{}-{index}", story.person.number);
    let mut references = [None, None, None];
    for at in story.places() {
        let mut condition = json!({
            "resourceType": "Condition",
            "clinicalStatus": status("condition-clinical", "active"),
            "verificationStatus": status("condition-ver-status", "confirmed"),
            "category": [{"coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/condition-category",
                "code": "problem-list-item"}]}],
            "code": code(problem, at, kind),
            "subject": story.subject(at),
            "onsetDateTime": onset.to_string(),
            "recordedDate": onset.to_string(),
        });
        if kind == "identifier" {
            condition["identifier"] =
                json!([{"system": "http://region.example/problem", "value": identifier}]);
        }
        if at == MERCY {
            condition["recorder"] = to(&story.doctor(at));
        }
        if at == HARBOR && story.rng.chance(12) {
            // Retracted here, alive elsewhere.
            condition["verificationStatus"] = status("condition-ver-status", "entered-in-error");
            condition.as_object_mut().and_then(|c| c.remove("clinicalStatus"));
        }
        references[at] = Some(story.world.add(at, fact, condition));
    }
    Stated { problem: index, references }
}

fn status(system: &str, code: &str) -> Value {
    let system = format!("http://terminology.hl7.org/CodeSystem/{system}");
    json!({"coding": [{"system": system, "code": code}]})
}

fn code(problem: &Problem, at: usize, kind: &str) -> Value {
    let snomed = json!({"system": SNOMED, "code": problem.snomed, "display": problem.name});
    let icd10 = json!({"system": ICD10, "code": problem.icd10});
    match (at, kind) {
        (MERCY, "code") => json!({"coding": [snomed, icd10], "text": problem.name}),
        (MERCY, _) => coded(SNOMED, problem.snomed, problem.name),
        (VALLEY, "code") => json!({"coding": [snomed], "text": problem.said}),
        (VALLEY, "identifier") => json!({"text": problem.said}),
        (VALLEY, _) => json!({"text": problem.name.to_lowercase()}),
        _ => json!({"coding": [icd10], "text": problem.name}),
    }
}
