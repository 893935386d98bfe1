//! What happened and what is on file: allergies, vaccines, procedures, visits, readings, papers.

use serde_json::{Value, json};

use crate::concepts::{LOINC, RXNORM, SNOMED};
use crate::world::{Fact, World, calendar};

fn clinical(kind: &str, code: &str) -> Value {
    json!({"coding": [{"system":
        format!("http://terminology.hl7.org/CodeSystem/{kind}"), "code": code}]})
}

struct Thing {
    system: &'static str,
    code: &'static str,
    display: &'static str,
    texts: &'static [&'static str],
}

const fn thing(
    system: &'static str,
    code: &'static str,
    display: &'static str,
    texts: &'static [&'static str],
) -> Thing {
    Thing { system, code, display, texts }
}

fn code_of(world: &mut World, site: usize, thing: &Thing) -> Value {
    let text = world.text(site, thing.texts);
    let coding = json!({"system": thing.system, "code": thing.code, "display": thing.display});
    match (world.sites[site].codes_orders, world.rng.below(3)) {
        (true, 0) => json!({"coding": [coding]}),
        (true, _) => json!({"coding": [coding], "text": text}),
        _ => json!({"text": text}),
    }
}

const SUBSTANCES: [Thing; 5] = [
    thing(RXNORM, "7980", "penicillin G", &["Penicillin G", "Penicillin G (substance)"]),
    thing(RXNORM, "1191", "aspirin", &["Aspirin", "Aspirin (substance)"]),
    thing(SNOMED, "91935009", "Allergy to peanuts", &["Peanut allergy", "Allergy to peanuts"]),
    thing(SNOMED, "300916003", "Latex allergy", &["Latex allergy", "Allergy to latex"]),
    thing(SNOMED, "300913006", "Shellfish allergy", &["Shellfish allergy", "Allergy to shellfish"]),
];
const NONE: Thing =
    thing(SNOMED, "716186003", "No known allergy", &["No known allergies", "No known allergy"]);

pub(crate) fn allergies(world: &mut World) {
    let chosen = if world.rng.percent(15) {
        vec![&NONE]
    } else {
        let count = 1 + world.rng.below(3);
        world.rng.some(&SUBSTANCES, count)
    };
    for substance in chosen {
        let fact = world.fact("AllergyIntolerance");
        let day = world.rng.below(1000) as i32;
        world.state(&fact, |w, site| {
            let mut body = json!({"code": code_of(w, site, substance),
                "clinicalStatus": clinical("allergyintolerance-clinical", "active")});
            if w.rng.percent(50) {
                body["recordedDate"] = json!(w.date(site, day + site as i32 * 40));
            }
            if w.rng.percent(50) {
                body["criticality"] = json!(*w.rng.one(&["high", "low"]));
            }
            body
        });
    }
}

const CVX: &str = "http://hl7.org/fhir/sid/cvx";
const VACCINES: [Thing; 4] = [
    thing(
        CVX,
        "140",
        "Influenza, seasonal, injectable, preservative free",
        &["Influenza, seasonal, injectable, preservative free"],
    ),
    thing(CVX, "113", "Td (adult) preservative free", &["Td (adult)", "Td adult"]),
    thing(CVX, "133", "Pneumococcal conjugate PCV 13", &["Pneumococcal conjugate PCV 13", "PCV13"]),
    thing(CVX, "121", "zoster", &["Zoster vaccine", "Zoster"]),
];

pub(crate) fn immunizations(world: &mut World) {
    let first = world.rng.below(300) as i32;
    let vaccine = world.rng.below(VACCINES.len());
    // The flu shot of each year; a second vaccine on the day of the first.
    for (which, day) in [(0, first), (0, first + 365), (1 + vaccine % 3, first)] {
        let fact = world.fact("Immunization");
        world.state(&fact, |w, site| {
            json!({"status": "completed", "vaccineCode": code_of(w, site, &VACCINES[which]),
                "occurrenceDateTime": w.date(site, day)})
        });
    }
}

const PROCEDURES: [Thing; 4] = [
    thing(SNOMED, "73761001", "Colonoscopy", &["Colonoscopy", "Colonoscopy (procedure)"]),
    thing(SNOMED, "80146002", "Appendectomy", &["Appendectomy", "Excision of appendix"]),
    thing(
        SNOMED,
        "430193006",
        "Medication reconciliation",
        &["Medication reconciliation", "Medication reconciliation (procedure)"],
    ),
    thing(
        SNOMED,
        "710824005",
        "Assessment of health and social care needs",
        &["Assessment of health and social care needs", "Health and social care needs assessment"],
    ),
];

pub(crate) fn procedures(world: &mut World) {
    for _ in 0..3 {
        let which = world.rng.below(PROCEDURES.len());
        let day = world.rng.below(1000) as i32;
        let again = world.rng.percent(40);
        for day in if again { vec![day, day + 14] } else { vec![day] } {
            let day = day + which as i32 * 1000 / 4 % 7;
            let fact = world.fact("Procedure");
            world.state(&fact, |w, site| {
                let mut body = json!({"status": "completed",
                    "code": code_of(w, site, &PROCEDURES[which])});
                if w.rng.percent(50) {
                    body["performedDateTime"] = json!(w.date(site, day));
                } else {
                    body["performedPeriod"] = json!({"start": w.date(site, day),
                        "end": calendar(day)});
                }
                if !w.sites[site].moments {
                    return body;
                }
                if let Some(period) = body.get_mut("performedPeriod") {
                    period.as_object_mut().unwrap().remove("end");
                }
                body
            });
        }
    }
}

pub(crate) fn encounters(world: &mut World) {
    let mut day = 0;
    for n in 0..4 {
        day += 20 + world.rng.below(200) as i32;
        let stay = if n == 0 { 4 } else { 0 };
        let class = if n == 0 { "IMP" } else { "AMB" };
        let fact = world.fact("Encounter");
        let keeper = world.rng.below(4);
        world.state(&fact, |w, site| {
            let mut body = json!({"status": "finished",
                "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
                    "code": class},
                "period": {"start": calendar(day), "end": calendar(day + stay)}});
            if w.rng.percent(60) {
                body["serviceProvider"] = w.organization(site, keeper);
            }
            if w.rng.percent(40) {
                body["type"] = json!([{"text": w.text(site, &["Office visit", "Office Visit"])}]);
            }
            body
        });
    }
}

/// A reading: measure, unit, the other unit with its factor, value.
const READINGS: [(Thing, &str, &str, f64, f64); 5] = [
    (
        thing(LOINC, "29463-7", "Body weight", &["Body weight", "Weight"]),
        "kg",
        "[lb_av]",
        2.204_622_6,
        81.0,
    ),
    (thing(LOINC, "8302-2", "Body height", &["Body height"]), "cm", "[in_i]", 0.393_700_8, 171.0),
    (
        thing(LOINC, "4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood", &["Hemoglobin A1c"]),
        "%",
        "%",
        1.0,
        7.1,
    ),
    (
        thing(LOINC, "2339-0", "Glucose [Mass/volume] in Blood", &["Glucose"]),
        "mg/dL",
        "mmol/L",
        0.0555,
        104.0,
    ),
    (thing(LOINC, "8310-5", "Body temperature", &["Body temperature"]), "Cel", "Cel", 1.0, 36.9),
];

pub(crate) fn observations(world: &mut World) {
    for (measure, metric, us, factor, around) in &READINGS {
        let mut day = world.rng.below(400) as i32;
        for _ in 0..3 {
            day += 1 + world.rng.below(90) as i32;
            let value = around + world.rng.below(40) as f64 / 10.0;
            let fact = world.fact("Observation");
            world.state(&fact, |w, site| {
                let (value, unit) = if w.sites[site].us_units && metric != us {
                    ((value * factor * 100.0).round() / 100.0, us)
                } else {
                    (value, metric)
                };
                let coding = json!({"system": LOINC, "code": measure.code,
                    "display": measure.display});
                json!({"status": "final", "code": {"coding": [coding],
                        "text": w.text(site, measure.texts)},
                    "effectiveDateTime": w.date(site, day),
                    "valueQuantity": {"value": value, "unit": unit,
                        "system": "http://unitsofmeasure.org", "code": unit}})
            });
        }
    }
}

/// A kind of paper: how it is written down, and how far apart two of it lie.
fn papers(
    world: &mut World,
    kind: &'static str,
    days: [i32; 2],
    mut body: impl FnMut(&mut World, usize, &Fact, i32) -> Value,
) {
    let start = world.rng.below(600) as i32;
    for offset in days {
        let fact = world.fact(kind);
        world.state(&fact, |w, site| body(w, site, &fact, start + offset));
    }
}

const REPORT: Thing =
    thing(LOINC, "24331-1", "Lipid 1996 panel - Serum or Plasma", &["Lipid panel", "Lipid Panel"]);
const SUMMARY: Thing =
    thing(LOINC, "18842-5", "Discharge summary", &["Discharge summary", "Discharge Summary"]);
const LACE: Thing = thing(LOINC, "96574-9", "LACE index", &["LACE index", "LACE Index"]);

pub(crate) fn papers_of_all_kinds(world: &mut World) {
    papers(world, "DiagnosticReport", [0, 40], |w, site, _, day| {
        json!({"status": "final", "code": code_of(w, site, &REPORT),
            "effectiveDateTime": w.date(site, day)})
    });
    papers(world, "DocumentReference", [0, 200], |w, site, fact, day| {
        let mut body = json!({"status": "current", "type": code_of(w, site, &SUMMARY),
            "date": format!("{}T15:00:00Z", calendar(day)),
            "content": [{"attachment": {"contentType": "application/pdf",
                "url": format!("https://{}.example/Binary/{}", w.sites[site].name, fact.id),
                "hash": format!("{:019}=", fact.id * 104_729 + 7)}}]});
        body["content"][0]["attachment"]["size"] = json!(10_000 + fact.id * 37);
        if w.rng.percent(70) {
            body["masterIdentifier"] = json!({"system": "urn:ietf:rfc:3986",
                "value": format!("urn:uuid:00000000-0000-4000-8000-{:012}", fact.id)});
        }
        body
    });
    papers(world, "QuestionnaireResponse", [0, 14], |w, site, _, day| {
        json!({"status": "completed", "questionnaire": "http://loinc.org/q/44249-1",
            "authored": w.date(site, day), "item": [{"linkId": "/44250-9",
            "answer": [{"valueInteger": 1 + day % 3}]}]})
    });
    papers(world, "RiskAssessment", [0, 30], |w, site, _, day| {
        json!({"status": "final", "code": code_of(w, site, &LACE),
            "occurrenceDateTime": w.date(site, day)})
    });
    papers(world, "Consent", [0, 365], |w, site, _, day| {
        json!({"status": "active", "dateTime": w.date(site, day),
            "scope": {"coding": [{"system":
                "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]},
            "category": [{"coding": [{"system":
                "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IDSCL"}]}],
            "policyRule": {"text": "opt-in"}})
    });
    papers(world, "EpisodeOfCare", [0, 400], |w, site, _, day| {
        json!({"status": "finished", "period": {"start": w.date(site, day),
            "end": calendar(day + 100)}, "managingOrganization": w.organization(site, 0),
            "type": [{"text": w.text(site, &["Transitional care", "Transitional Care"])}]})
    });
    coverages(world);
}

fn coverages(world: &mut World) {
    for plan in 0..2 {
        let fact = world.fact("Coverage");
        world.state(&fact, |w, site| {
            json!({"status": "active", "subscriberId": format!("M{}", 1000 + fact.id),
                "payor": [w.organization(site, plan)],
                "period": {"start": calendar(plan as i32 * 365)}})
        });
    }
}
