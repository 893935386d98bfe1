//! Needs by domain, community services, consent and the order not to contact, through merges and
//! exports; goals against readings.

use std::fs;

use serde_json::{Value, json};

use super::site::Site;

const ENDPOINTS: &str = "[[endpoint]]\nid = \"clinic\"\nkind = \"files\"\n\
                         [[endpoint]]\nid = \"pantry\"\nkind = \"files\"\ntrust = 20\n";
const SDOH: &str =
    "http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes";
const STRUCTURES: &str = "http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/SDOHCC-";
const TERMS: &str = "http://terminology.hl7.org/CodeSystem/";

fn coded(system: &str, code: &str) -> Value {
    json!({"coding": [{"system": system, "code": code}]})
}

fn patient() -> Value {
    json!({"resourceType": "Patient", "id": "1", "gender": "male", "birthDate": "1961-04-09",
        "name": [{"family": "Ostergaard", "given": ["Nils"]}],
        "identifier": [{"system": "http://state.example/medicaid", "value": "ME-5512"}],
        "address": [{"line": ["4 Mill Ln"], "city": "Harbor", "postalCode": "04000"}]})
}

/// The order for food, as each of two providers has it.
fn order(id: &str) -> Value {
    json!({"resourceType": "ServiceRequest", "id": id, "status": "active", "intent": "order",
        "subject": {"reference": "Patient/1"}, "authoredOn": "2026-05-02",
        "identifier": [{"system": "http://clinic.example/orders", "value": "77"}],
        "code": coded("http://snomed.info/sct", "710925007"),
        "category": [coded(SDOH, "food-insecurity")]})
}

fn service(id: &str, capacity: &str) -> Value {
    json!({"resourceType": "HealthcareService", "id": id, "active": true,
        "identifier": [{"system": "http://211.example/service", "value": "FS-9"}],
        "name": "Harbor Food Shelf", "providedBy": {"display": "Harbor Neighbours"},
        "category": [coded(SDOH, "food-insecurity")],
        "telecom": [{"system": "phone", "value": "555-0199"}],
        "extension": [{"url": format!("{STRUCTURES}ExtensionHealthcareServiceCapacityStatus"),
            "extension": [{"url": "capacityStatus",
                "valueCodeableConcept": coded(SDOH, capacity)}]}]})
}

fn of_clinic() -> Vec<Value> {
    let subject = json!({"reference": "Patient/1"});
    let risk = |id: &str, day: &str, answer: &str| {
        json!({"resourceType": "Observation", "id": id, "status": "final", "subject": subject,
            "code": coded("http://loinc.org", "88124-3"), "effectiveDateTime": day,
            "category": [coded(SDOH, "food-insecurity")],
            "valueCodeableConcept": coded("http://loinc.org", answer)})
    };
    let mut forbidden = order("r");
    forbidden["orderDetail"] = json!([coded(SDOH, "contacting-subject-prohibited")]);
    vec![
        patient(),
        json!({"resourceType": "Condition", "id": "n", "subject": subject,
            "clinicalStatus": coded(&format!("{TERMS}condition-clinical"), "active"),
            "verificationStatus":
                coded(&format!("{TERMS}condition-ver-status"), "unconfirmed"),
            "code": coded("http://snomed.info/sct", "733423003")}),
        json!({"resourceType": "Goal", "id": "g", "lifecycleStatus": "active", "subject": subject,
            "description": {"text": "Enough food every day"}, "startDate": "2026-05-02",
            "addresses": [{"reference": "Condition/n"}],
            "target": [{"measure": coded("http://loinc.org", "88124-3"), "dueDate": "2099-01-01",
                "detailCodeableConcept": coded("http://loinc.org", "LA19983-8")}]}),
        risk("o1", "2026-05-01", "LA19952-3"),
        risk("o2", "2026-08-01", "LA19983-8"),
        forbidden,
        json!({"resourceType": "Consent", "id": "c", "status": "active", "patient": subject,
            "scope": coded(&format!("{TERMS}consentscope"), "patient-privacy"),
            "category": [coded("http://terminology.hl7.org/CodeSystem/v3-ActCode", "IDSCL")],
            "dateTime": "2026-05-02", "policyRule": {"text": "state law"},
            "provision": {"type": "permit", "period": {"end": "2027-05-01"}}}),
        json!({"resourceType": "CarePlan", "id": "p", "status": "active", "intent": "plan",
            "subject": subject, "title": "Food plan", "period": {"start": "2026-05-02"},
            "goal": [{"reference": "Goal/g"}], "activity": [{"detail": {"status": "in-progress",
                "code": {"text": "Call"}, "scheduledTiming": {"repeat":
                    {"frequency": 1, "period": 1, "periodUnit": "wk"}}}}]}),
        service("s", "no-capacity"),
    ]
}

/// What the food service states: it knows nothing of the order not to contact.
fn of_pantry() -> Vec<Value> {
    vec![
        patient(),
        order("r9"),
        json!({"resourceType": "Task", "id": "t", "status": "accepted", "intent": "order",
            "code": coded("http://hl7.org/fhir/CodeSystem/task-code", "fulfill"),
            "for": {"reference": "Patient/1"}, "focus": {"reference": "ServiceRequest/r9"},
            "authoredOn": "2026-05-02", "lastModified": "2026-05-04"}),
        service("s9", "capacity"),
    ]
}

fn ingest(site: &Site, endpoint: &str, resources: &[Value]) {
    let lines: String = resources.iter().map(|resource| format!("{resource}\n")).collect();
    let file = format!("{endpoint}.ndjson");
    fs::write(site.path(&file), lines).unwrap();
    let report = site.json(&["ingest", &file, "--endpoint", endpoint, "--json"]);
    assert_eq!(report["quarantined"], 0, "{report:#}");
}

#[test]
fn needs_services_and_what_forbids_contact_survive_merge_and_export() {
    let site = Site::with(&[], ENDPOINTS);
    ingest(&site, "clinic", &of_clinic());
    ingest(&site, "pantry", &of_pantry());
    let found = site.json(&["person", "find", "ostergaard", "--json"]);
    assert_eq!(found.as_array().unwrap().len(), 1, "{found:#}");
    let person = found[0]["id"].as_str().unwrap();
    let record = site.json(&["person", "show", person, "--format", "care"]);
    let whole = site.json(&["person", "show", person, "--format", "fhir"]);
    site.run(&["verify", "--quiet"], 0);

    let gateway = site.serve();
    let (status, body) = gateway.root(&format!("care/person/{person}/needs"));
    assert_eq!(status, 200, "{body}");
    let needs: Value = serde_json::from_str(&body).unwrap();
    let food = &needs["domains"]["food-insecurity"];
    assert_eq!(needs["domains"].as_object().unwrap().len(), 1, "{needs:#}");
    assert_eq!(food["needs"][0]["certainty"], "unconfirmed", "by its code: {needs:#}");
    assert_eq!(food["goals"][0]["says"], "Enough food every day");
    let answers = food["answers"].as_array().unwrap();
    assert_eq!(answers.len(), 2);
    assert!(answers.iter().any(|told| told["says"] == "88124-3: LA19952-3"), "{answers:#?}");
    let requests = food["requests"].as_array().unwrap();
    // One number, but only one of the two forbids contact: they are not made one.
    let forbids = |wanted: bool| requests.iter().find(|r| r["doNotContact"] == wanted).unwrap();
    assert_eq!(requests.len(), 2, "{needs:#}");
    assert_eq!(forbids(false)["tasks"][0]["status"], "accepted");
    assert_eq!(needs["doNotContact"], json!([forbids(true)["reference"]]));
    assert_eq!(needs["consents"][0]["answer"], "permit");
    let services = food["services"].as_array().unwrap();
    assert_eq!(services.len(), 1, "one service, stated by two: {needs:#}");
    assert_eq!(services[0]["capacity"], "capacity", "who is trusted more: {needs:#}");
    assert_eq!(services[0]["contacts"], json!(["555-0199"]));

    // Every way out has both.
    assert_eq!(record["consents"][0]["says"]["answer"], "permit", "{record:#}");
    assert!(record["interventions"].to_string().contains("contacting-subject-prohibited"));
    drop(gateway);
    // Once the food service knows of it they are one order, which still says so.
    let mut told = of_pantry();
    told[1]["orderDetail"] = json!([coded(SDOH, "contacting-subject-prohibited")]);
    ingest(&site, "pantry", &told);
    let gateway = site.serve();
    let (_, body) = gateway.root(&format!("care/person/{person}/needs"));
    let needs: Value = serde_json::from_str(&body).unwrap();
    let requests = needs["domains"]["food-insecurity"]["requests"].as_array().unwrap();
    assert_eq!((requests.len(), &requests[0]["doNotContact"]), (1, &json!(true)), "{needs:#}");
    assert_eq!(requests[0]["tasks"][0]["status"], "accepted");
    let everything = gateway.get(&format!("Patient/{person}/$everything?_count=100"));
    for exported in [everything, whole] {
        let text = exported.to_string();
        assert!(text.contains("contacting-subject-prohibited") && text.contains("IDSCL"));
    }
    let query = format!("HealthcareService?service-category={SDOH}|food-insecurity");
    assert_eq!(gateway.get(&query)["total"], 1);
}

#[test]
fn progress_tells_readings_check_ins_and_how_the_plan_changed() {
    let site = Site::with(&[], ENDPOINTS);
    ingest(&site, "clinic", &of_clinic());
    let mut revised = of_clinic().swap_remove(7);
    revised["status"] = json!("on-hold");
    revised["activity"][0]["detail"]["code"]["text"] = json!("Visit");
    ingest(&site, "clinic", &[revised]);
    let found = site.json(&["person", "find", "ostergaard", "--json"]);
    let person = found[0]["id"].as_str().unwrap();
    let gateway = site.serve();
    let (status, body) = gateway.root(&format!("care/person/{person}/progress"));
    assert_eq!(status, 200, "{body}");
    let told: Value = serde_json::from_str(&body).unwrap();
    let goal = &told["goals"][0];
    assert_eq!(
        (&goal["targets"][0]["met"], &goal["targets"][0]["readings"]),
        (&json!(true), &json!(2))
    );
    assert_eq!(goal["proposed"]["achievement"], "achieved", "{told:#}");
    assert_eq!(goal["achievement"], Value::Null, "nothing is confirmed by us");
    for reference in goal["proposed"]["evidence"].as_array().unwrap() {
        assert_eq!(gateway.status(reference.as_str().unwrap()), 200);
    }
    assert_eq!(told["checkIns"], json!([]), "the plan is on hold: {told:#}");
    let plans = told["plans"].as_array().unwrap();
    let source = plans.iter().find(|plan| plan["title"] == "Food plan").unwrap();
    let revision = &source["revisions"][0];
    assert_eq!(revision["status"], json!(["active", "on-hold"]), "{told:#}");
    assert_eq!(revision["activitiesAdded"], json!(["Visit"]));
    assert_eq!(revision["activitiesRemoved"], json!(["Call"]));

    assert_eq!(gateway.root("care/person/nobody/progress").0, 404);
    assert_eq!(gateway.root("care/person/nobody/needs").0, 404);
}
