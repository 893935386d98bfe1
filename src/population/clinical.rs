//! Medicines, allergies, immunisations, procedures, encounters, documents, screenings, risks.

use serde_json::{Value, json};

use super::story::Story;
use super::world::{CVX, HARBOR, LOINC, MERCY, RXNORM, SNOMED, SYSTEMS, VALLEY, coded, to};

const MEDICINES: [(&str, &str); 6] = [
    ("314076", "lisinopril 10 MG Oral Tablet"),
    ("861007", "metformin hydrochloride 500 MG Oral Tablet"),
    ("197361", "amlodipine 5 MG Oral Tablet"),
    ("313988", "furosemide 40 MG Oral Tablet"),
    ("312941", "sertraline 50 MG Oral Tablet"),
    ("312961", "simvastatin 20 MG Oral Tablet"),
];
const ALLERGIES: [(&str, &str); 3] = [
    ("91936005", "Allergy to penicillin"),
    ("91935009", "Allergy to peanut"),
    ("300916003", "Latex allergy"),
];
const VACCINES: [(&str, &str); 3] = [
    ("140", "Influenza, seasonal, injectable, preservative free"),
    ("115", "Tdap"),
    ("33", "pneumococcal polysaccharide PPV23"),
];

/// States the person's clinical records.
pub(super) fn tell(story: &mut Story) {
    medicines(story);
    allergy(story);
    immunisations(story);
    procedures(story);
    encounters(story);
    documents(story);
    screening(story);
}

fn medicines(story: &mut Story) {
    let first = story.rng.below(MEDICINES.len());
    for number in 0..3 {
        let (code, name) = MEDICINES[(first + number) % MEDICINES.len()];
        let fact = story.world.fact("code-and-date");
        let ago = 20 + 31 * i64::try_from(number).unwrap_or(0) + story.rng.between(0, 9);
        let prescriber = story.places()[0];
        for at in story.places() {
            let medicine = match at {
                VALLEY => json!({"coding": [{"system": RXNORM, "code": code}],
                    "text": name.to_lowercase()}),
                _ => coded(RXNORM, code, name),
            };
            let stopped = number == 2 && at == HARBOR;
            let request = json!({
                "resourceType": "MedicationRequest",
                "status": if stopped { "stopped" } else { "active" },
                "intent": "order",
                "medicationCodeableConcept": medicine,
                "subject": story.subject(at),
                "authoredOn": story.day(ago),
                "requester": to(&story.doctor_seen_from(prescriber, at)),
                "dosageInstruction": [{"text": "one tablet daily"}],
            });
            story.world.add(at, fact, request);
        }
    }
}

fn allergy(story: &mut Story) {
    let (code, name) = ALLERGIES[story.rng.below(ALLERGIES.len())];
    let fact = story.world.fact("code");
    let system = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical";
    let verified = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification";
    let since = story.rng.between(900, 4000);
    for at in story.places() {
        let allergy = json!({
            "resourceType": "AllergyIntolerance",
            "clinicalStatus": {"coding": [{"system": system, "code": "active"}]},
            "verificationStatus": {"coding": [{"system": verified, "code": "confirmed"}]},
            "code": coded(SNOMED, code, name),
            "patient": story.subject(at),
            "recordedDate": story.day(since),
        });
        story.world.add(at, fact, allergy);
    }
}

fn immunisations(story: &mut Story) {
    for (number, (code, name)) in (0..).zip(VACCINES) {
        let fact = story.world.fact("code-and-date");
        let ago = 60 + 400 * number + story.rng.between(0, 90);
        let places = story.places();
        let reach = if number == 1 { 1 } else { places.len() };
        for at in places.into_iter().take(reach) {
            let immunization = json!({
                "resourceType": "Immunization",
                "status": "completed",
                "vaccineCode": coded(CVX, code, name),
                "patient": story.subject(at),
                "occurrenceDateTime": story.day(ago),
                "primarySource": at != HARBOR,
            });
            story.world.add(at, fact, immunization);
        }
    }
}

fn procedures(story: &mut Story) {
    let rows = [("73761001", "Colonoscopy", 700), ("268400002", "12 lead electrocardiogram", 90)];
    for (code, name, ago) in rows {
        let fact = story.world.fact("code-and-date");
        let ago = ago + story.rng.between(0, 60);
        for at in story.places().into_iter().take(2) {
            let procedure = procedure(story, at, code, name, ago);
            story.world.add(at, fact, procedure);
        }
    }
    for at in story.places() {
        let fact = story.world.fact("own");
        let ago = 30 + 3 * i64::try_from(at).unwrap_or(0);
        let own = procedure(story, at, "430193006", "Medication reconciliation", ago);
        story.world.add(at, fact, own);
    }
}

fn procedure(story: &Story, at: usize, code: &str, name: &str, ago: i64) -> Value {
    json!({
        "resourceType": "Procedure",
        "status": "completed",
        "code": coded(SNOMED, code, name),
        "subject": story.subject(at),
        "performedDateTime": story.day(ago),
    })
}

fn encounters(story: &mut Story) {
    for at in story.places() {
        for number in 0..4 {
            let fact = story.world.fact("own");
            let ago = 12 + 40 * number + 5 * i64::try_from(at).unwrap_or(0);
            let encounter = encounter(story, at, "AMB", (ago, ago));
            story.world.add(at, fact, encounter);
        }
    }
    // A stay at the hospital, which the payer heard of.
    if !story.knows(MERCY) {
        return;
    }
    let fact = story.world.fact("identifier");
    let number = format!("V{}", story.person.number);
    for at in story.among(&[MERCY, HARBOR]) {
        let mut stay = encounter(story, at, "IMP", (37, 33));
        stay["identifier"] =
            json!([{"system": format!("{}/visit", SYSTEMS[MERCY]), "value": number}]);
        stay["hospitalization"] = json!({"dischargeDisposition": {"coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/discharge-disposition",
            "code": "home"}]}});
        stay["serviceProvider"] = story.custodian(MERCY, at);
        story.world.add(at, fact, stay);
    }
}

fn encounter(story: &Story, at: usize, class: &str, (from, until): (i64, i64)) -> Value {
    json!({
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": class},
        "subject": story.subject(at),
        "period": {"start": story.moment(from, 9), "end": story.moment(until, 10)},
        "location": [{"location": to(&story.directory.places[at][at])}],
        "serviceProvider": story.custodian(at, at),
    })
}

fn documents(story: &mut Story) {
    let fact = story.world.fact("identifier");
    let shared = format!("D{}", story.person.number);
    for at in story.among(&[MERCY, HARBOR]) {
        let document = document(story, at, ("18842-5", "Discharge summary"), 33, &shared, MERCY);
        story.world.add(at, fact, document);
    }
    for at in story.places() {
        let fact = story.world.fact("own");
        let number = format!("N{}", story.person.number);
        let ago = 50 + 2 * i64::try_from(at).unwrap_or(0);
        let document = document(story, at, ("11506-3", "Progress note"), ago, &number, at);
        story.world.add(at, fact, document);
    }
}

fn document(
    story: &Story,
    at: usize,
    (code, name): (&str, &str),
    ago: i64,
    number: &str,
    author: usize,
) -> Value {
    json!({
        "resourceType": "DocumentReference",
        "masterIdentifier": {"system": format!("{}/document", SYSTEMS[author]), "value": number},
        "status": "current",
        "type": coded(LOINC, code, name),
        "category": [{"coding": [{
            "system": "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category",
            "code": "clinical-note"}]}],
        "subject": story.subject(at),
        "date": story.moment(ago, 15),
        "author": [to(&story.doctor_seen_from(author, at))],
        "content": [{"attachment": {"contentType": "text/plain", "title": name}}],
    })
}

fn screening(story: &mut Story) {
    for at in story.places().into_iter().filter(|at| *at != VALLEY) {
        let fact = story.world.fact("own");
        let ago = 22 + 3 * i64::try_from(at).unwrap_or(0);
        let answers = json!({
            "resourceType": "QuestionnaireResponse",
            "questionnaire": "http://region.example/Questionnaire/phq-9",
            "status": "completed",
            "subject": story.subject(at),
            "authored": story.moment(ago, 10),
            "item": [{"linkId": "44261-6", "text": "PHQ-9 total score",
                "answer": [{"valueInteger": story.rng.between(0, 20)}]}],
        });
        story.world.add(at, fact, answers);
        let fact = story.world.fact("own");
        let share = story.rng.between(5, 60);
        let risk = json!({
            "resourceType": "RiskAssessment",
            "status": "final",
            "method": coded(LOINC, "96574-9", "LACE index"),
            "subject": story.subject(at),
            "occurrenceDateTime": story.moment(ago, 11),
            "prediction": [{"outcome": {"text": "readmission within 30 days"},
                "probabilityDecimal": share}],
        });
        story.world.add(at, fact, risk);
    }
}
