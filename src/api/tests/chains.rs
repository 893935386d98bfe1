//! Chains, `_has`, compartments and includes that go on.
#![expect(clippy::unwrap_used, reason = "test")]

use axum::http::StatusCode;

use super::world::World;

/// The rows that a search of Ada gives, by what mercy calls them.
async fn expect(world: &World, query: &str, rows: &[&str]) {
    let (name, query) = query.split_once('?').unwrap();
    let path = format!("/fhir/{name}?patient={}&{query}", world.ada());
    let told = world.get(&path).await;
    assert_eq!(told.status, StatusCode::OK, "{path}: {}", told.body);
    let row = |row: &&str| match *row {
        "woven" => format!("{name}/{}", world.woven()),
        row => format!("{name}/{}", world.id("mercy", &format!("{name}/{row}"))),
    };
    let (mut found, mut wanted) =
        (told.references("match"), rows.iter().map(row).collect::<Vec<_>>());
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted, "{path}: {:?}", told.issue_codes());
}

#[tokio::test]
async fn chains_follow_references_in_the_view_and_into_the_directory() {
    let world = World::new();
    expect(&world, "Task?focus:ServiceRequest.code=diet", &["t"]).await;
    expect(&world, "Task?focus:ServiceRequest.code=urn:other|diet", &[]).await;
    expect(&world, "Task?focus:Observation.code=diet", &[]).await;
    expect(&world, "Task?owner.name=river", &["t"]).await;
    expect(&world, "Task?owner:Organization.identifier=urn:npi|5", &["t"]).await;
    expect(&world, "Task?owner:Organization.name:exact=river", &[]).await;
    expect(&world, "Task?focus:ServiceRequest.performer:Organization.name=riv", &["t"]).await;
    expect(&world, "Task?focus:ServiceRequest.performer:Organization.name=lake", &[]).await;
    expect(&world, "Goal?subject:Patient.name=ada", &["g1", "g2"]).await;
    expect(&world, "Goal?patient.birthdate=lt1900", &[]).await;
    expect(&world, "CarePlan?goal.achievement-status=achieved", &["woven", "p1", "p2"]).await;
    expect(&world, "CarePlan?status=completed&condition.code=diabetes", &["p2"]).await;
    let valley = world.id("valley", "Goal/g1");
    expect(&world, &format!("CarePlan?goal._id={valley}&status=completed"), &["p2"]).await;
    expect(&world, "CarePlan?goal._lastUpdated=lt2000", &[]).await;
    let clinic = "http://mercy.test/r4/Organization/clinic";
    expect(&world, &format!("Task?focus:ServiceRequest.performer={clinic}"), &["t"]).await;
    let ours =
        format!("/fhir/Provenance?patient={}&target:Goal.lifecycle-status=active", world.ada());
    // Ours of the goal, and the one that mercy states of it.
    assert_eq!(world.get(&ours).await.references("match").len(), 2);
}

#[tokio::test]
async fn has_finds_what_is_referred_to() {
    let world = World::new();
    expect(&world, "Goal?_has:CarePlan:goal:status=completed", &["g1", "g2"]).await;
    expect(&world, "Goal?_has:CarePlan:goal:status=draft", &[]).await;
    expect(&world, "Goal?_has:Provenance:target:agent.name=river", &["g1"]).await;
    expect(&world, "ServiceRequest?_has:Task:focus:owner.name=river", &["s"]).await;
    expect(&world, "Condition?_has:CarePlan:condition:_has:Provenance:target:_id=x", &[]).await;
    let ada = format!("/fhir/Patient?_id={}", world.ada());
    for (query, total) in [
        ("_has:Observation:subject:code=weight", 1),
        ("_has:Observation:subject:code=height", 0),
        ("_has:CarePlan:patient:goal.lifecycle-status=active", 1),
        ("_has:Task:patient:_has:Provenance:target:recorded=gt2020", 0),
    ] {
        assert_eq!(world.get(&format!("{ada}&{query}")).await.json()["total"], total, "{query}");
    }
}

#[tokio::test]
async fn chains_without_end_or_sense_are_refused() {
    let world = World::new();
    let ada = world.ada();
    let long = format!("{}family=x", "patient.".repeat(50));
    let has = format!("{}status=x", "_has:CarePlan:part-of:".repeat(50));
    for query in [
        long.as_str(),
        &has,
        "goal.lifecycle-status:nonsense=active",
        "goal.target-date=soon",
        "patient.general-practitioner.practitioner.organization.name=x",
    ] {
        let told = world.get(&format!("/fhir/CarePlan?patient={ada}&{query}")).await;
        assert_eq!(told.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(told.json()["resourceType"], "OperationOutcome");
    }
    let told = world.get("/fhir/Organization?name=river&_has:Task:owner:status=x").await;
    assert_eq!(told.issue_codes(), ["too-costly"]);
    for query in [
        "goal.nonsense=1",
        "status.code=1",
        "_has:Goal=1",
        "_has:Goal:subject:status=1",
        "_has:Wizard:x:y=1",
    ] {
        let path = format!("/fhir/CarePlan?patient={ada}&{query}");
        let lenient = world.get(&path).await;
        assert!(lenient.issue_codes().contains(&"not-supported".to_owned()), "{query}");
        assert!(!lenient.link("self").unwrap().contains(query.split('=').next().unwrap()));
        let strict = world.get_with(&path, "prefer", "handling=strict").await;
        assert_eq!(strict.status, StatusCode::BAD_REQUEST, "{query}");
    }
}

#[tokio::test]
async fn a_compartment_is_one_patients() {
    let world = World::new();
    for id in [world.ada(), world.id("valley", "Patient/1")] {
        let goals = format!("/fhir/Patient/{id}/Goal");
        assert_eq!(world.get(&goals).await.json()["total"], 2);
        let posted = world.post(&format!("{goals}/_search"), "lifecycle-status=active").await;
        assert_eq!(posted.references("match").len(), 1);
    }
    let goals = format!("/fhir/Patient/{}/Goal", world.ada());
    let first = world.get(&format!("{goals}?_count=1")).await;
    let second = world.get(&first.link("next").unwrap()).await;
    assert!(first.link("next").unwrap().starts_with(&goals));
    assert_ne!(first.references("match"), second.references("match"));
    for path in [
        "/fhir/Patient/1/Goal".to_owned(),
        format!("/fhir/Patient/{}/Organization", world.ada()),
        format!("/fhir/Patient/{}/Patient", world.ada()),
        format!("/fhir/Patient/{}/Wizard", world.ada()),
        format!("/fhir/Goal/{}/Goal", world.id("mercy", "Goal/g1")),
        format!("/fhir/Patient/{}/Goal", world.id("mercy", "Goal/g1")),
    ] {
        let told = world.get(&path).await;
        assert_eq!(told.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(told.json()["resourceType"], "OperationOutcome");
    }
}

#[tokio::test]
async fn includes_go_on_from_what_was_included_if_asked() {
    let world = World::new();
    let tasks = format!("/fhir/Task?patient={}", world.ada());
    let order = format!("ServiceRequest/{}", world.id("mercy", "ServiceRequest/s"));
    let clinic = format!("Organization/{}", world.id("mercy", "Organization/clinic"));
    for (includes, mut wanted) in [
        ("_include=Task:focus", vec![&order]),
        ("_include=Task:focus&_include=ServiceRequest:performer", vec![&order]),
        ("_include=Task:focus&_include:iterate=ServiceRequest:performer", vec![&order, &clinic]),
        ("_include:iterate=ServiceRequest:performer", vec![]),
    ] {
        let mut found = world.get(&format!("{tasks}&{includes}")).await.references("include");
        found.sort();
        wanted.sort();
        assert_eq!(found.iter().collect::<Vec<_>>(), wanted, "{includes}");
    }
    // Round and round: every resource comes once, and there is an end.
    let cycle = "_include:iterate=CarePlan:goal&_revinclude:iterate=CarePlan:goal\
                 &_revinclude:iterate=Provenance:target&_include:iterate=Provenance:target";
    let told = world.get(&format!("/fhir/Goal?patient={}&{cycle}", world.ada())).await;
    let mut included = told.references("include");
    let count = included.len();
    included.sort();
    included.dedup();
    assert!(count > 3 && included.len() == count, "{included:?}");
    for refused in ["_include:iterate=*", "_revinclude=*", "_include:sideways=Task:focus"] {
        let told = world.get_with(&format!("{tasks}&{refused}"), "prefer", "handling=strict").await;
        assert_eq!(told.status, StatusCode::BAD_REQUEST, "{refused}");
    }
}
