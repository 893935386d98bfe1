//! Observations: vital signs of each organisation's own, laboratory results seen twice.

use serde_json::{Value, json};

use super::story::Story;
use super::world::{LOINC, SYSTEMS, UCUM, coded, to};

/// A vital sign: code, name, usual range, unit and what people call the unit.
type Sign = (&'static str, &'static str, (i64, i64), &'static str);

const SIGNS: [Sign; 4] = [
    ("8480-6", "Systolic blood pressure", (108, 168), "mm[Hg]"),
    ("29463-7", "Body weight", (52, 118), "kg"),
    ("8867-4", "Heart rate", (54, 102), "/min"),
    ("2708-6", "Oxygen saturation in Arterial blood", (88, 99), "%"),
];

const LABS: [Sign; 4] = [
    ("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood", (5, 10), "%"),
    ("2089-1", "Cholesterol in LDL", (60, 190), "mg/dL"),
    ("2160-0", "Creatinine", (1, 3), "mg/dL"),
    ("2345-7", "Glucose", (72, 240), "mg/dL"),
];

const OWN_SIGNS: i64 = 16;

/// States the person's observations. Each falls on a day of its own, so that two are the same
/// only when they were made to be.
pub(super) fn tell(story: &mut Story) {
    for at in story.places() {
        for number in 0..OWN_SIGNS {
            let sign = SIGNS[usize::try_from(number % 4).unwrap_or(0)];
            let fact = story.world.fact("own");
            let value = story.rng.between(sign.2.0, sign.2.1);
            let days_ago = 10 + 7 * number + 2 * i64::try_from(at).unwrap_or(0);
            let effective = story.moment(days_ago, 9);
            let observation = observation(story, at, sign, value, &effective, "vital-signs");
            story.world.add(at, fact, observation);
        }
    }
    for (number, lab) in (0..).zip(LABS) {
        shared_lab(story, number, lab);
    }
}

fn shared_lab(story: &mut Story, number: i64, lab: Sign) {
    let by_identifier = story.rng.chance(50);
    let fact = story.world.fact(if by_identifier { "identifier" } else { "code-and-date" });
    let reported = story.world.fact("code-and-date");
    let value = story.rng.between(lab.2.0, lab.2.1);
    let effective = story.moment(15 + 7 * number, 7);
    for at in story.places().into_iter().take(2) {
        let mut result = observation(story, at, lab, value, &effective, "laboratory");
        if by_identifier {
            result["identifier"] = json!([{"system": "http://stonebridge-lab.example/result",
                "value": format!("R{}-{number}", story.person.number)}]);
        }
        result["performer"] = json!([to(&story.directory.services[2][at])]);
        let reference = story.world.add(at, fact, result);
        if number < 2 {
            report(story, at, reported, lab, &effective, &reference);
        }
    }
}

/// Both organisations hold the laboratory's report, each under a number of its own.
fn report(story: &mut Story, at: usize, fact: u64, lab: Sign, effective: &str, result: &str) {
    let (code, name) =
        if lab.0 == LABS[0].0 { ("24323-8", "CMP") } else { ("24331-1", "Lipid panel") };
    let system = "http://terminology.hl7.org/CodeSystem/v2-0074";
    let report = json!({
        "resourceType": "DiagnosticReport",
        "identifier": [{"system": format!("{}/report", SYSTEMS[at]), "value": result}],
        "status": "final",
        "category": [{"coding": [{"system": system, "code": "LAB"}]}],
        "code": coded(LOINC, code, name),
        "subject": story.subject(at),
        "effectiveDateTime": effective,
        "issued": effective,
        "result": [to(result)],
    });
    story.world.add(at, fact, report);
}

fn observation(
    story: &Story,
    at: usize,
    (code, name, _, unit): Sign,
    value: i64,
    effective: &str,
    category: &str,
) -> Value {
    let categories = "http://terminology.hl7.org/CodeSystem/observation-category";
    json!({
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": categories, "code": category}]}],
        "code": coded(LOINC, code, name),
        "subject": story.subject(at),
        "effectiveDateTime": effective,
        "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit},
    })
}
