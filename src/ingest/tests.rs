//! Ingest from bytes to versions: reference forms, lifting, ids, accounting.

#![expect(clippy::unwrap_used, reason = "test")]

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::fhir::ResourceType;
use crate::flow::{ChartKey, Home, RefTarget, Role};

static INGEST: LazyLock<Ingest> = LazyLock::new(|| {
    let check = StructureCheck::new(&[]).unwrap();
    let bases = EndpointBases::new([
        ("https://a.example/fhir".to_owned(), "a".into()),
        ("https://b.example/r4/".to_owned(), "b".into()),
    ]);
    Ingest::new(Arc::new(check), bases)
});

fn at() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

fn page(input: &Value) -> Ingested {
    INGEST.page("a", at(), input.to_string().as_bytes())
}

fn patient(id: &str) -> Value {
    json!({"resourceType": "Patient", "id": id, "name": [{"family": "Vale", "given": ["Ida"]}]})
}

fn goal(id: &str, subject: &Value) -> Value {
    json!({
        "resourceType": "Goal", "id": id, "lifecycleStatus": "active", "subject": subject,
        "description": {"text": "HbA1c less than 7.0 percent"}
    })
}

fn bundle(kind: &str, entries: Vec<Value>) -> Value {
    json!({"resourceType": "Bundle", "type": kind, "entry": entries})
}

fn entry(full_url: &str, resource: Value) -> Value {
    json!({"fullUrl": full_url, "resource": resource})
}

fn key(endpoint: &str, kind: &'static str, id: &str) -> RecordKey {
    RecordKey::new(endpoint, ResourceType::of(kind), id)
}

fn chart(patient: &str) -> Home {
    Home::Chart(ChartKey::new("a", patient))
}

fn find<'a>(found: &'a Ingested, kind: &str, id: &str) -> &'a SourceRecord {
    let hit = found.records.iter().find(|r| r.key.resource_type.name() == kind && &*r.key.id == id);
    hit.unwrap_or_else(|| panic!("{kind}/{id} not among {:?}", found.records))
}

/// What was received, for the count: entries at every level, and documents as themselves.
fn accounted(found: &Ingested) -> usize {
    let own = found.records.iter().filter(|r| r.parent.is_none()).count();
    own + found.quarantined.len() + found.not_records as usize
}

#[test]
fn each_form_of_reference_finds_its_target() {
    let record = |endpoint, kind, id| RefTarget::Record(key(endpoint, kind, id));
    let cases = [
        ("Patient/p1", record("a", "Patient", "p1")),
        ("Patient/p1/_history/3", record("a", "Patient", "p1")),
        ("https://a.example/fhir/Patient/p1", record("a", "Patient", "p1")),
        ("https://B.example:443/r4/Patient/p1", record("b", "Patient", "p1")),
        ("https://c.example/x/Patient/9", record("a", "Patient", "p9")),
        (
            "https://a.example/fhirx/Patient/p1",
            RefTarget::External("https://a.example/fhirx/Patient/p1".into()),
        ),
        ("urn:uuid:0b3ffd1a-0000-4000-8000-000000000001", record("a", "Patient", "p1")),
        ("urn:uuid:none", RefTarget::Dangling("urn:uuid:none".into())),
        ("#none", RefTarget::Dangling("#none".into())),
    ];
    for (literal, expected) in cases {
        let found = page(&bundle(
            "collection",
            vec![
                entry("urn:uuid:0b3ffd1a-0000-4000-8000-000000000001", patient("p1")),
                entry("https://c.example/x/Patient/9", patient("p9")),
                entry("https://d.example/Goal/g1", goal("g1", &json!({"reference": literal}))),
            ],
        ));
        let record = find(&found, "Goal", "g1");
        let subject = record.content.facts.linked(Role::Subject).next();
        assert_eq!(subject, Some(&expected), "{literal}");
        assert_eq!(record.content.facts.links[0].pointer, "/subject".into());
    }
}

#[test]
fn a_relative_reference_is_resolved_by_its_entrys_base_first() {
    let found = page(&bundle(
        "collection",
        vec![
            entry("https://c.example/Patient/1", json!({"resourceType": "Patient", "id": "own"})),
            entry("https://c.example/Goal/2", goal("g", &json!({"reference": "Patient/1"}))),
        ],
    ));
    assert_eq!(find(&found, "Goal", "g").home, chart("own"));
}

#[test]
fn a_subject_named_by_identifier_makes_a_chart_of_that_identifier() {
    let expected = chart("?identifier=urn:oid:1.2.3|A 7");
    for subject in [
        json!({"reference": "Patient?identifier=1.2.3%7CA%207"}),
        json!({"type": "Patient", "identifier": {"system": "urn:oid:1.2.3", "value": "A 7"}}),
    ] {
        let found = page(&goal("g1", &subject));
        assert_eq!(find(&found, "Goal", "g1").home, expected);
    }
    let group = page(&goal("g1", &json!({"reference": "Group/x"})));
    assert!(matches!(group.records[0].home, Home::Shared(_)));
    assert!(!group.records[0].content.issues.is_empty());
}

#[test]
fn contained_goals_and_patients_become_records_of_their_own() {
    let plan = json!({
        "resourceType": "CarePlan", "id": "c1", "status": "active", "intent": "plan",
        "subject": {"reference": "#pat"}, "goal": [{"reference": "#g1"}],
        "author": {"reference": "#doc"},
        "contained": [
            patient("pat"),
            goal("g1", &json!({"reference": "#pat"})),
            {"resourceType": "Practitioner", "id": "doc"}
        ]
    });
    let found = page(&plan);
    assert_eq!(accounted(&found), 1);
    let home = chart("CarePlan/c1#pat");
    assert_eq!(find(&found, "CarePlan", "c1").home, home);
    let lifted = find(&found, "Goal", "CarePlan/c1#g1");
    assert_eq!((&lifted.home, lifted.parent.as_ref()), (&home, Some(&key("a", "CarePlan", "c1"))));
    assert_eq!(
        serde_json::from_slice::<Value>(&lifted.content.body).unwrap(),
        plan["contained"][1]
    );
    let plan_facts = &find(&found, "CarePlan", "c1").content.facts;
    let goals: Vec<_> = plan_facts.linked(Role::Goal).collect();
    assert_eq!(goals, [&RefTarget::Record(key("a", "Goal", "CarePlan/c1#g1"))]);
    // What stays inside is no link.
    assert_eq!(plan_facts.linked(Role::Author).count(), 0);
    assert!(find(&found, "Patient", "CarePlan/c1#pat").content.facts.demographics.is_some());
}

#[test]
fn a_lifted_goal_without_subject_is_about_whom_its_plan_is_about() {
    let mut inner = goal("g1", &json!({}));
    inner.as_object_mut().unwrap().remove("subject");
    let found = page(&json!({
        "resourceType": "CarePlan", "id": "c1", "status": "active", "intent": "plan",
        "subject": {"reference": "Patient/p1"}, "contained": [inner]
    }));
    let lifted = find(&found, "Goal", "CarePlan/c1#g1");
    assert_eq!(lifted.home, chart("p1"));
    assert_eq!(lifted.content.facts.linked(Role::Subject).count(), 1);
}

#[test]
fn ids_come_from_the_resource_the_url_or_the_content() {
    let bare = json!({"resourceType": "Organization", "name": "Vale Clinic"});
    let numbered = json!({
        "resourceType": "Organization", "name": "x",
        "identifier": [{"system": "http://hl7.org/fhir/sid/us-npi", "value": "1"}]
    });
    let found = page(&bundle(
        "transaction",
        vec![
            json!({"fullUrl": "urn:uuid:u-1", "resource": bare}),
            json!({"fullUrl": "https://c.example/Organization/o2", "resource": bare}),
            json!({"resource": bare, "request": {"method": "PUT", "url": "Organization/o3"}}),
            json!({"resource": bare}),
            json!({"resource": numbered}),
        ],
    ));
    let ids: Vec<&str> = found.records.iter().map(|r| &*r.key.id).collect();
    assert_eq!(ids[..3], ["u-1", "o2", "o3"]);
    assert!(ids[3].starts_with("h-") && ids[4].starts_with("h-") && ids[3] != ids[4]);
    // Two of one input that share an identifier, and have no id, are two.
    let mut other = numbered.clone();
    other["name"] = json!("z");
    let both = vec![json!({"resource": numbered}), json!({"resource": other})];
    let both = page(&bundle("collection", both));
    assert_ne!(both.records[0].key, both.records[1].key);
    let mut renamed = numbered.clone();
    renamed["name"] = json!("y");
    assert_eq!(&*page(&renamed).records[0].key.id, ids[4]);
}

#[test]
fn a_history_bundle_tells_deletions_apart() {
    let found = page(&bundle(
        "history",
        vec![
            json!({
                "request": {"method": "DELETE", "url": "Goal/g1"},
                "response": {
                    "status": "204", "etag": "W/\"2\"", "lastModified": "2025-01-02T00:00:00Z"
                }
            }),
            json!({"resource": goal("g1", &json!({"reference": "Patient/p1"})),
                "request": {"method": "POST", "url": "Goal"}, "response": {"status": "201"}}),
        ],
    ));
    let deleted = &found.records[0];
    assert_eq!(deleted.state, State::Deleted);
    assert_eq!(deleted.stamp.version_id.as_deref(), Some("2"));
    assert_eq!(found.records[1].key, deleted.key);
}

/// Newest first, and without stamps only the order tells.
#[test]
fn entries_of_a_history_are_older_the_later_they_come() {
    let put = json!({"resource": patient("p1"), "request": {"method": "PUT", "url": "Patient/p1"}});
    let delete = json!({"request": {"method": "DELETE", "url": "Patient/p1"}});
    for (kind, is_older) in [("history", true), ("transaction", false)] {
        let found = page(&bundle(kind, vec![put.clone(), delete.clone()]));
        let seen = |state| {
            let record = found.records.iter().find(|r| r.state == state).unwrap();
            record.stamp.observed_at
        };
        assert_eq!(seen(State::Deleted) < seen(State::Live), is_older, "{kind}");
    }
}

#[test]
fn everything_received_is_accounted_for() {
    let inner = bundle("document", vec![json!({"resource": patient("p2")})]);
    let input = bundle(
        "batch-response",
        vec![
            json!({"resource": patient("p1")}),
            json!({"resource": {"resourceType": "OperationOutcome", "issue": []}}),
            json!({"resource": patient("not legal")}),
            json!({"resource": {"resourceType": "MedicationOrder", "id": "1"}}),
            json!({"resource": {"id": "1"}}),
            json!({"resource": inner}),
            json!({"response": {"status": "201"}}),
            json!("odd"),
        ],
    );
    let found = page(&input);
    // One of the eight is a document with one entry.
    assert_eq!(accounted(&found), 9);
    assert_eq!((found.records.len(), found.quarantined.len()), (3, 4));
    assert!(found.quarantined.iter().all(|q| !q.bytes.is_empty() && !q.reason.is_empty()));
}

#[test]
fn lines_are_entries_each_good_or_bad() {
    let input = format!("{}\n\n{{broken\n{}\n", patient("p1"), patient("p2"));
    let found = INGEST.page("a", at(), input.as_bytes());
    assert_eq!((found.records.len(), found.quarantined.len()), (2, 1));
    assert_eq!(accounted(&INGEST.page("a", at(), b" \n ")), 0);
}

#[test]
fn a_hash_ignores_version_time_and_order_of_elements_only() {
    let hash = |resource: Value| page(&resource).records[0].hash;
    let plain = hash(json!({"resourceType": "Patient", "id": "p", "gender": "female"}));
    let stamped = json!({
        "id": "p", "gender": "female", "resourceType": "Patient",
        "meta": {"versionId": "7", "lastUpdated": "2025-01-01T00:00:00Z"}
    });
    assert_eq!(page(&stamped).records[0].stamp.version_id.as_deref(), Some("7"));
    assert_eq!(hash(stamped), plain);
    assert_ne!(hash(json!({"resourceType": "Patient", "id": "p", "gender": "male"})), plain);
}

#[test]
fn goals_stated_differently_have_equal_facts() {
    let stated = |text: &str, detail: Value| {
        let mut goal = goal("g", &json!({"reference": "Patient/p"}));
        goal["description"] = json!({"text": text});
        goal["target"] = json!([{
            "measure": {"coding": [{"system": "http://loinc.org", "code": "4548-4"}]},
            "detailQuantity": detail, "dueDate": "2026-06"
        }]);
        page(&goal).records.remove(0).content.facts
    };
    let a = stated("HbA1c <7%", json!({"value": 7.0, "comparator": "<", "unit": "%"}));
    let b = stated(
        "A1c below 7 percent",
        json!({"value": 7, "comparator": "<", "code": "%", "system": "http://unitsofmeasure.org"}),
    );
    assert_eq!(a, b);
    assert_eq!(&*a.targets[0].detail, "<7 %");
    assert!(a.targets[0].due.unwrap().high > a.targets[0].due.unwrap().low);
}

#[test]
fn a_provenance_lives_with_its_target_and_group_identifiers_are_not_own() {
    let found = page(&bundle(
        "searchset",
        vec![
            json!({"resource": {"resourceType": "Provenance", "id": "v",
                "recorded": "2025-01-01T00:00:00Z",
                "target": [{"reference": "ServiceRequest/s"}],
                "agent": [{"who": {"display": "x"}}]}}),
            json!({"resource": {"resourceType": "ServiceRequest", "id": "s",
                "status": "active", "intent": "order", "subject": {"reference": "Patient/p"},
                "requisition": {"system": "urn:r", "value": "1"},
                "identifier": [{"system": "urn:r", "value": "1"}, {
                    "system": "urn:o", "value": "2", "type": {"coding": [{"code": "PLAC"}]}}],
                "extension": [{
                    "url": "http://hl7.org/fhir/StructureDefinition/resource-pertainsToGoal",
                    "valueReference": {"reference": "Goal/g"}}]}}),
        ],
    ));
    assert_eq!(find(&found, "Provenance", "v").home, chart("p"));
    let facts = &find(&found, "ServiceRequest", "s").content.facts;
    let kinds: Vec<_> = facts.identifiers.iter().map(|i| (&*i.value, &*i.kind)).collect();
    assert_eq!(kinds, [("2", "PLAC")]);
    assert_eq!(facts.linked(Role::Goal).count(), 1);
}

/// Resources with something odd in them.
fn oddity() -> impl Strategy<Value = Value> {
    let odd = prop_oneof![
        Just(json!(null)),
        Just(json!([])),
        Just(json!({})),
        Just(json!("#g1")),
        Just(json!({"reference": "#"})),
        Just(json!([{"coding": [null, 3, {"code": ""}]}])),
        Just(json!("2024-02-30")),
        Just(json!(1e300)),
    ];
    let names = prop::sample::select(vec![
        "subject",
        "contained",
        "identifier",
        "description",
        "target",
        "meta",
        "id",
        "category",
        "startDate",
        "extension",
        "text",
        "status",
        "period",
        "code",
        "value",
        "component",
    ]);
    let kinds = prop::sample::select(vec![
        "Goal",
        "CarePlan",
        "Patient",
        "Observation",
        "Task",
        "Bundle",
        "Provenance",
        "Location",
    ]);
    (kinds, prop::collection::vec((names, odd), 0..4), "[a-d]").prop_map(|(kind, members, id)| {
        let mut resource = goal(&id, &json!({"reference": format!("Patient/{id}")}));
        resource["resourceType"] = json!(kind);
        for (name, value) in members {
            resource[name] = value;
        }
        resource
    })
}

fn essence(found: &Ingested) -> Vec<(RecordKey, Hash, Home, Content)> {
    let mut all: Vec<_> = found
        .records
        .iter()
        .map(|r| (r.key.clone(), r.hash, r.home.clone(), r.content.clone()))
        .collect();
    all.sort_by(|a, b| (&a.0, a.1, &a.3.body).cmp(&(&b.0, b.1, &b.3.body)));
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_bytes_are_accounted_for(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let found = INGEST.page("a", at(), &bytes);
        prop_assert!(accounted(&found) >= usize::from(!bytes.trim_ascii().is_empty()));
    }

    #[test]
    fn odd_entries_count_repeat_and_do_not_mind_their_order(
        resources in prop::collection::vec(oddity(), 0..6),
    ) {
        let entries: Vec<Value> =
            resources.iter().map(|r| entry(&format!("urn:uuid:{}", r["id"]), r.clone())).collect();
        let input = bundle("collection", entries.clone());
        let found = page(&input);
        prop_assert_eq!(accounted(&found), resources.len());
        prop_assert_eq!(essence(&found), essence(&page(&input)));
        let turned = bundle("collection", entries.into_iter().rev().collect());
        prop_assert_eq!(essence(&found), essence(&page(&turned)));
    }
}
