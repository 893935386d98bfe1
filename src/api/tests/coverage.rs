//! The searches that US Core 6.1 and 7.0 (SHALL and SHOULD), IHE DCP and Gravity name, one test
//! a type, one cell a query: of two resources that differ in everything each finds the first.
//! <https://hl7.org/fhir/us/core/CapabilityStatement-us-core-server.html>
#![expect(clippy::unwrap_used, reason = "test")]

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::world::World;

/// The two resources of a type.
type Bodies = fn(&World) -> [Value; 2];

/// A world with a person who has these resources, each as `a` and `b`.
fn with(types: &[(&str, Bodies)]) -> World {
    let world = World::new();
    let mut rows = Vec::new();
    for (name, bodies) in types {
        for (id, body) in ["a", "b"].iter().zip(bodies(&world)) {
            rows.push((format!("{name}/{id}"), body));
        }
    }
    world.add_person("8", &rows);
    world
}

/// Every cell finds `a` and nothing else: by GET, by POST, by reference and by bare id, and
/// with an identifier of the patient.
async fn cells(world: &World, name: &str, queries: &[&str]) {
    let (id, wanted) = (world.id("mercy", "Patient/8"), world.id("mercy", &format!("{name}/a")));
    let wanted = vec![format!("{name}/{wanted}")];
    for query in queries {
        for patient in [
            format!("patient={id}"),
            format!("patient=Patient/{id}"),
            "patient.identifier=urn:mrn%7C8".to_owned(),
        ] {
            let path = format!("/fhir/{name}?{patient}&{query}");
            let told = world.get(&path).await;
            assert_eq!(told.status, StatusCode::OK, "{path}: {}", told.body);
            let codes = told.issue_codes();
            assert_eq!(told.references("match"), wanted, "{path}: {codes:?}");
        }
        let form = format!("patient={id}&{query}");
        let told = world.post(&format!("/fhir/{name}/_search"), &form).await;
        assert_eq!(told.references("match"), wanted, "POST {form}");
    }
}

fn code(system: &str, code: &str) -> Value {
    json!({ "coding": [{ "system": system, "code": code }], "text": code })
}

fn to(world: &World, reference: &str) -> Value {
    let name = reference.split('/').next().unwrap();
    json!({ "reference": format!("{name}/{}", world.id("mercy", reference)) })
}

fn conditions(world: &World) -> [Value; 2] {
    let asserted = "http://hl7.org/fhir/StructureDefinition/condition-assertedDate";
    [
        json!({
            "clinicalStatus": code("urn:clinical", "active"),
            "verificationStatus": code("urn:v", "confirmed"),
            "category": [code("urn:cat", "health-concern")],
            "code": code("http://snomed.info/sct", "73211009"),
            "encounter": to(world, "Encounter/a"), "onsetDateTime": "2024-05-06",
            "recordedDate": "2024-05-07", "abatementDateTime": "2024-06-01",
            "extension": [{ "url": asserted, "valueDateTime": "2024-05-08" }],
        }),
        json!({
            "clinicalStatus": code("urn:clinical", "resolved"),
            "code": code("urn:other", "73211009"),
            "category": [code("urn:cat", "encounter-diagnosis")],
            "encounter": to(world, "Encounter/b"),
            "onsetPeriod": { "start": "2020-01-01", "end": "2020-02-01" },
            "recordedDate": "2020-01-02",
            "abatementDateTime": "2020-03-01",
            "extension": [{ "url": asserted, "valueDateTime": "2020-01-02" }],
        }),
    ]
}

#[tokio::test]
async fn condition_search() {
    let world = with(&[("Condition", conditions)]);
    let encounter = format!("encounter=Encounter/{}", world.id("mercy", "Encounter/a"));
    let queries = [
        "category=health-concern",
        "category=urn:cat|health-concern&clinical-status=active",
        "category=health-concern&encounter:missing=false",
        &encounter,
        "clinical-status=urn:clinical|active",
        "code=http://snomed.info/sct|73211009",
        "code:text=73211009&verification-status=confirmed",
        "onset-date=2024-05",
        "onset-date=ge2024-05-06&onset-date=lt2024-05-07",
        "recorded-date=gt2024-05-06",
        "asserted-date=ge2024-05-08",
        "abatement-date=eq2024-06-01",
        "category=health-concern&_lastUpdated=gt2020-01-01",
    ];
    cells(&world, "Condition", &queries).await;
}

fn observations(_: &World) -> [Value; 2] {
    let system = "http://unitsofmeasure.org";
    let value =
        |value: i32| json!({ "value": value, "unit": "kg", "code": "kg", "system": system });
    [
        json!({
            "status": "final", "category": [code("urn:cat", "survey"), code("urn:sdoh", "housing")],
            "code": code("http://loinc.org", "29463-7"),
            "effectiveDateTime": "2024-05-06T10:00:00+02:00",
            "valueQuantity": value(80),
        }),
        json!({
            "status": "amended", "category": [code("urn:cat", "laboratory")],
            "code": code("http://loinc.org", "8302-2"), "valueQuantity": value(60),
            "effectivePeriod": { "start": "2023-01-01", "end": "2023-12-31" },
        }),
    ]
}

#[tokio::test]
async fn observation_search() {
    let world = with(&[("Observation", observations)]);
    let queries = [
        "category=survey",
        "category=urn:sdoh|housing",
        "code=http://loinc.org|29463-7",
        "code=29463-7,1-1",
        "category=survey&date=ge2024-05-06T08:00:00Z",
        "category=survey&date=gt2024-05-06T07:59:59Z&date=lt2024-05-06T08:00:01Z",
        "category=survey&status=final",
        "code=29463-7&date=2024-05-06",
        "category=survey&_lastUpdated=ge2020",
        "date=sa2023-12-31",
        "value-quantity=gt70||kg",
        "code-value-quantity=29463-7$ge80|http://unitsofmeasure.org|kg",
    ];
    cells(&world, "Observation", &queries).await;
}

fn encounters(world: &World) -> [Value; 2] {
    [
        json!({
            "identifier": [{ "system": "urn:visit", "value": "1" }], "status": "finished",
            "class": { "system": "urn:class", "code": "IMP" }, "type": [code("urn:type", "stay")],
            "period": { "start": "2024-05-01", "end": "2024-05-06" },
            "location": [{ "location": to(world, "Location/a") }],
            "hospitalization": { "dischargeDisposition": code("urn:d", "home") },
        }),
        json!({
            "identifier": [{ "system": "urn:visit", "value": "2" }], "status": "planned",
            "class": { "system": "urn:class", "code": "AMB" }, "type": [code("urn:type", "visit")],
            "period": { "start": "2022-05-01", "end": "2022-05-01" },
            "location": [{ "location": to(world, "Location/b") }],
        }),
    ]
}

#[tokio::test]
async fn encounter_search() {
    let world = with(&[("Encounter", encounters)]);
    let location = format!("location=Location/{}", world.id("mercy", "Location/a"));
    let by_id = format!("_id={}", world.id("mercy", "Encounter/a"));
    let queries = [
        &by_id,
        "identifier=urn:visit|1",
        "class=IMP",
        "class=urn:class|IMP&date=ge2024",
        "type=stay",
        "status=finished",
        "date=2024-05",
        "date=le2024-05-03&date=ge2024-05-03",
        "date=gt2024-05-02&_lastUpdated=ge2020",
        location.as_str(),
        "discharge-disposition=urn:d|home",
    ];
    cells(&world, "Encounter", &queries).await;
}

fn documents(_: &World) -> [Value; 2] {
    let document = |status: &str, kind: &str, category: &str, date: &str| {
        json!({
            "status": status, "type": code("http://loinc.org", kind), "date": date,
            "category": [code("urn:cat", category)],
            "content": [{ "attachment": { "contentType": "text/plain" } }],
            "context": { "period": { "start": date } },
        })
    };
    [
        document("current", "18842-5", "clinical-note", "2024-05-06T10:00:00Z"),
        document("superseded", "34133-9", "imaging", "2020-05-06T10:00:00Z"),
    ]
}

#[tokio::test]
async fn document_reference_search() {
    let world = with(&[("DocumentReference", documents)]);
    let by_id = format!("_id={}", world.id("mercy", "DocumentReference/a"));
    let queries = [
        &by_id,
        "status=current",
        "type=http://loinc.org|18842-5",
        "category=clinical-note",
        "category=urn:cat|clinical-note&date=ge2024-05-06",
        "type=18842-5&period=sa2024-01-01",
    ];
    cells(&world, "DocumentReference", &queries).await;
}

fn teams(_: &World) -> [Value; 2] {
    let team = |status: &str, role: &str| {
        let member = json!({ "role": [code("urn:role", role)] });
        json!({ "status": status, "participant": [member] })
    };
    [team("active", "coordinator"), team("inactive", "surgeon")]
}

#[tokio::test]
async fn care_team_search() {
    let world = with(&[("CareTeam", teams)]);
    let queries = ["status=active", "role=coordinator", "status=active&role=urn:role|coordinator"];
    cells(&world, "CareTeam", &queries).await;
}

fn goals(_: &World) -> [Value; 2] {
    let goal = |status: &str, text: &str, due: &str| {
        json!({
            "lifecycleStatus": status, "description": code("urn:g", text), "startDate": due,
            "achievementStatus": code("urn:ach", text), "target": [{ "dueDate": due }],
        })
    };
    [goal("active", "walk", "2026-12-01"), goal("completed", "rest", "2020-12-01")]
}

#[tokio::test]
async fn goal_search() {
    let world = with(&[("Goal", goals)]);
    let queries = [
        "lifecycle-status=active",
        "target-date=2026-12-01",
        "target-date=ge2026-12-01&target-date=le2026-12-01",
        "description=urn:g|walk",
        "description:text=WALK",
        "achievement-status=walk&start-date=gt2021",
    ];
    cells(&world, "Goal", &queries).await;
}

fn orders(_: &World) -> [Value; 2] {
    let order = |status: &str, word: &str, on: &str| {
        json!({
            "identifier": [{ "system": "urn:order", "value": word }], "status": status,
            "intent": "order", "category": [code("urn:cat", word)],
            "code": code("urn:code", word), "authoredOn": on,
        })
    };
    [order("active", "ride", "2026-05-06"), order("completed", "food", "2020-05-06")]
}

#[tokio::test]
async fn service_request_search() {
    let world = with(&[("ServiceRequest", orders)]);
    let by_id = format!("_id={}", world.id("mercy", "ServiceRequest/a"));
    let queries = [
        &by_id,
        "status=active,draft",
        "category=urn:cat|ride",
        "code=ride",
        "category=ride&authored=ge2026-05-06",
        "code=urn:code|ride&authored=lt2026-05-07&authored=gt2021",
        "identifier=urn:order|ride",
    ];
    cells(&world, "ServiceRequest", &queries).await;
    let across = world.get("/fhir/ServiceRequest?identifier=urn:order|ride").await;
    assert_eq!(across.references("match").len(), 1);
}

fn care_plans(world: &World) -> [Value; 2] {
    let plan = |x: &str, status: &str, intent: &str, year: &str| {
        let scheduled = json!({ "start": format!("{year}-03-01"), "end": format!("{year}-03-02") });
        json!({
            "instantiatesCanonical": [format!("http://plans.example/{x}|1")],
            "instantiatesUri": [format!("http://pathways.example/{x}")],
            "basedOn": [to(world, &format!("CarePlan/based-{x}"))],
            "replaces": [to(world, &format!("CarePlan/old-{x}"))],
            "partOf": [to(world, &format!("CarePlan/whole-{x}"))],
            "status": status, "intent": intent, "category": [code("urn:cat", x)],
            "period": { "start": format!("{year}-01-01"), "end": format!("{year}-12-31") },
            "careTeam": [to(world, &format!("CareTeam/{x}"))],
            "addresses": [to(world, &format!("Condition/{x}"))],
            "activity": [
                { "reference": to(world, &format!("ServiceRequest/{x}")) },
                { "detail": { "code": code("urn:act", x), "scheduledPeriod": scheduled } },
            ],
        })
    };
    [plan("a", "active", "plan", "2026"), plan("b", "revoked", "order", "2020")]
}

#[tokio::test]
async fn care_plan_search_by_the_parameters_of_us_core_and_ihe_dcp() {
    let world = with(&[("CarePlan", care_plans)]);
    let to = |param: &str, reference: &str| {
        let name = reference.split('/').next().unwrap();
        format!("{param}={name}/{}", world.id("mercy", reference))
    };
    let references = [
        to("activity-reference", "ServiceRequest/a"),
        to("based-on", "CarePlan/based-a"),
        to("care-team", "CareTeam/a"),
        to("condition", "Condition/a"),
        to("part-of", "CarePlan/whole-a"),
        to("replaces", "CarePlan/old-a"),
    ];
    let references = references.iter().map(String::as_str);
    let subject = format!("subject=Patient/{}&status=active", world.id("mercy", "Patient/8"));
    let assess_plan = "category=http://hl7.org/fhir/us/core/CodeSystem/careplan-category\
                       |assess-plan&status=active";
    let queries: Vec<&str> = [
        assess_plan,
        "category=assess-plan&status=active,on-hold&date=ge2026-06-01",
        "category=assess-plan&date=gt2025",
        "category=urn:cat|a",
        "activity-code=urn:act|a",
        "activity-date=2026-03",
        "date=2026",
        "instantiates-canonical=http://plans.example/a",
        "instantiates-canonical=http://plans.example/a|1",
        "instantiates-uri=http://pathways.example/a",
        "instantiates-uri:below=http://pathways.example/a",
        "intent=plan",
        "status=active",
        subject.as_str(),
    ]
    .into_iter()
    .chain(references)
    .collect();
    cells(&world, "CarePlan", &queries).await;
}

#[tokio::test]
async fn care_plans_are_found_by_date_across_patients_and_the_woven_one_first() {
    let world = with(&[("CarePlan", care_plans)]);
    let a = format!("CarePlan/{}", world.id("mercy", "CarePlan/a"));
    for date in [
        "2026",
        "ge2025",
        "gt2025-06",
        "sa2021",
        "eq2026&date=le2026-06",
        "ge2026-01-01&status=active",
    ] {
        let told = world.get(&format!("/fhir/CarePlan?date={date}")).await;
        assert_eq!(told.references("match"), std::slice::from_ref(&a), "{date}: {}", told.body);
    }
    let due = world.get("/fhir/Goal?target-date=lt2027-01-01&target-date=ge2026-06-01").await;
    assert_eq!(due.references("match").len(), 1);
    let ada = world.get(&format!("/fhir/CarePlan?patient={}", world.ada())).await;
    assert_eq!(ada.references("match")[0], format!("CarePlan/{}", world.woven()));
}

fn tasks(world: &World) -> [Value; 2] {
    let task = |x: &str, status: &str, owner: Option<&str>| {
        let mut task = json!({
            "identifier": [{ "system": "urn:task", "value": x }],
            "status": status, "intent": "order",
            "requester": to(world, &format!("PractitionerRole/{x}")), "code": code("urn:code", x),
            "focus": to(world, &format!("ServiceRequest/{x}")), "authoredOn": "2026-05-06",
        });
        if let Some(owner) = owner {
            task["owner"] = to(world, owner);
        }
        task
    };
    [task("a", "requested", None), task("b", "accepted", Some("Organization/clinic"))]
}

#[tokio::test]
async fn task_polling_of_gravity() {
    let world = with(&[("Task", tasks), ("ServiceRequest", orders)]);
    let id = |reference: &str| world.id("mercy", reference);
    let requester = format!("requester=PractitionerRole/{}", id("PractitionerRole/a"));
    let focus = format!("focus=ServiceRequest/{}", id("ServiceRequest/a"));
    let queries =
        ["status=requested", "owner:missing=true&status=requested", &requester, &focus, "code=a"];
    cells(&world, "Task", &queries).await;
    let (a, b) = (format!("Task/{}", id("Task/a")), format!("Task/{}", id("Task/b")));
    let clinic = format!("Organization/{}", id("Organization/clinic"));
    for (query, found) in [
        (format!("owner={clinic}&status=accepted"), vec![&b]),
        (format!("owner={clinic}&_lastUpdated=gt2020-01-01&status=accepted"), vec![&b]),
        (format!("owner={clinic}&_lastUpdated=lt2020-01-01"), vec![]),
        (requester, vec![&a]),
        (focus, vec![&a]),
        ("identifier=urn:task|a".to_owned(), vec![&a]),
        (format!("_id={},{}&status=requested", id("Task/a"), id("Task/b")), vec![&a]),
        ("owner:missing=true&status=requested".to_owned(), vec![&a]),
    ] {
        let told = world.get(&format!("/fhir/Task?{query}")).await;
        assert_eq!(
            told.references("match").iter().collect::<Vec<_>>(),
            found,
            "{query}: {}",
            told.body
        );
    }
    let both = format!("/fhir/Task?_id={},{}&_include=Task:focus", id("Task/a"), id("Task/b"));
    assert_eq!(world.get(&both).await.references("include").len(), 2);
}

#[tokio::test]
async fn patient_search() {
    let world = with(&[]);
    let eight = format!("Patient/{}", world.id("mercy", "Patient/8"));
    let by_id = format!("_id={}", world.id("mercy", "Patient/8"));
    for query in [
        by_id.as_str(),
        "identifier=urn:mrn|8",
        "identifier:of-type=http://v2|MR|8",
        "name=oertel",
        "family=%C3%98rtel&gender=female",
        "birthdate=1950-02-03&name=cyd",
        "birthdate=1950&family=ortel",
        "gender=female&name=ortel",
        "death-date=ge2024&family=ortel",
        "given:exact=Cyd&family:exact=%C3%98rtel",
    ] {
        let told = world.get(&format!("/fhir/Patient?{query}")).await;
        let wanted: &[String] =
            if query == "name=oertel" { &[] } else { std::slice::from_ref(&eight) };
        assert_eq!(told.references("match"), wanted, "{query}: {}", told.body);
    }
}

fn provenances(world: &World) -> [Value; 2] {
    let traced = |x: &str, on: &str| {
        json!({ "target": [to(world, &format!("Goal/{x}"))], "recorded": on,
            "agent": [{ "who": to(world, &format!("Practitioner/{x}")) }] })
    };
    [traced("a", "2024-05-06T10:00:00Z"), traced("b", "2020-05-06T10:00:00Z")]
}

#[tokio::test]
async fn provenance_search() {
    let world = with(&[("Provenance", provenances)]);
    let agent = format!("agent=Practitioner/{}", world.id("mercy", "Practitioner/a"));
    let target = format!("target=Goal/{}", world.id("mercy", "Goal/a"));
    let by_id = format!("_id={}", world.id("mercy", "Provenance/a"));
    let queries = [agent.as_str(), &target, &by_id, "recorded=2024-05-06"];
    cells(&world, "Provenance", &queries).await;
}
