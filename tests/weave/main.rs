//! Behaviour of the whole of weaving, over records that ingest read.

#![expect(clippy::unwrap_used, reason = "test")]

mod appointments;
mod days;
mod findings;
mod groups;
mod likeness;
mod loops;
mod overrides;
mod problems;
mod transitions;
mod undated;
mod whole;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use jiff::civil::{Date, date};
use proptest::prelude::*;
use serde_json::{Value, json};

use careweave::fhir::{ResourceType, StructureCheck};
use careweave::flow::{
    ChartKey, DerivedId, DisclosureClass, Disposition, Hash, IdKey, Identifier, Override, Owner,
    RecordHeader, State, Version, View, ViewRow, ViewStamp,
};
use careweave::ingest::{EndpointBases, Ingest};
use careweave::reconcile::*;

const ENDPOINTS: [&str; 3] = ["valley", "mercy", "stjude"];
const DAY: Date = date(2026, 3, 1);
const KEY: IdKey = IdKey([7; 32]);

static INGEST: LazyLock<Ingest> = LazyLock::new(|| {
    let bases = ENDPOINTS.map(|e| (base(e), e.into()));
    Ingest::new(Arc::new(StructureCheck::new(&[]).unwrap()), EndpointBases::new(bases))
});
static POLICY: LazyLock<Policy> = LazyLock::new(Policy::embedded);

fn base(endpoint: &str) -> String {
    format!("https://{endpoint}.example/fhir")
}

fn at() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

/// Records of the person, by endpoint; the Patient of each endpoint has the id `p`.
fn records(sources: &[(&str, Value)]) -> Vec<InputRecord> {
    let mut all = Vec::new();
    for (seq, (endpoint, resource)) in sources.iter().enumerate() {
        let found = INGEST.page(endpoint, at(), resource.to_string().as_bytes());
        assert!(found.quarantined.is_empty(), "{:?}", found.quarantined);
        for record in found.records {
            let version = Version {
                stamp: record.stamp,
                confirmed_at: at(),
                hash: record.hash,
                state: record.state,
                home: record.home,
            };
            all.push(InputRecord {
                id: KEY.record(&record.key),
                header: RecordHeader::new(record.key, seq as u64 + 1, record.parent, version),
                content: Some(Arc::new(record.content)),
                statuses: Vec::new(),
            });
        }
    }
    all
}

fn charts(records: Vec<InputRecord>) -> Vec<ChartInput> {
    let mut charts: BTreeMap<ChartKey, Vec<InputRecord>> = BTreeMap::new();
    for record in records {
        if let Some(chart) = record.header.home().chart() {
            charts.entry(chart.clone()).or_default().push(record);
        }
    }
    charts.into_iter().map(|(key, records)| ChartInput { key, records }).collect()
}

struct Previous(HashMap<(ResourceType, DerivedId), ViewRow>);

impl PreviousRows for Previous {
    fn row(&self, resource_type: ResourceType, id: DerivedId) -> Option<ViewRow> {
        self.0.get(&(resource_type, id)).cloned()
    }
}

fn woven(charts: Vec<ChartInput>, previous: &dyn PreviousRows) -> View {
    woven_on(DAY, charts, Vec::new(), previous)
}

fn woven_on(
    as_of: Date,
    charts: Vec<ChartInput>,
    overrides: Vec<Override>,
    previous: &dyn PreviousRows,
) -> View {
    let endpoints = endpoints(|_| Vec::new());
    woven_at(as_of, charts, overrides, (&endpoints, previous))
}

fn endpoints(organizations: impl Fn(&str) -> Vec<Identifier>) -> BTreeMap<Arc<str>, EndpointFacts> {
    let facts = |endpoint: &str| EndpointFacts {
        base_url: base(endpoint),
        name: endpoint.to_owned(),
        organizations: organizations(endpoint),
        ..EndpointFacts::default()
    };
    ENDPOINTS.iter().map(|e| ((*e).into(), facts(e))).collect()
}

/// Woven where each endpoint is the system of these organizations.
fn woven_by(sources: &[(&str, Value)], organizations: impl Fn(&str) -> Vec<Identifier>) -> View {
    let endpoints = endpoints(organizations);
    woven_at(DAY, charts(records(sources)), Vec::new(), (&endpoints, &NoPreviousRows))
}

fn woven_at(
    as_of: Date,
    charts: Vec<ChartInput>,
    overrides: Vec<Override>,
    (endpoints, previous): (&BTreeMap<Arc<str>, EndpointFacts>, &dyn PreviousRows),
) -> View {
    let stamp = ViewStamp {
        weave: WEAVE_VERSION,
        policy: POLICY.hash(),
        model: Hash(0),
        class: DisclosureClass::Full,
        as_of,
    };
    let outside = &NothingOutside;
    let input = PersonInput { charts, overrides, outside, endpoints, stamp };
    weave(&input, previous, &POLICY, &KEY, as_of)
}

fn view(sources: &[(&str, Value)]) -> View {
    woven(charts(records(sources)), &NoPreviousRows)
}

fn rows<'a>(view: &'a View, kind: &'static str) -> Vec<&'a ViewRow> {
    let rows = view.tables.get(&ResourceType::of(kind)).into_iter().flatten();
    rows.filter(|r| kind == "DetectedIssue" || !r.made_by_us).collect()
}

fn body(row: &ViewRow) -> Value {
    serde_json::from_slice(&row.body).unwrap()
}

fn rules(view: &View) -> Vec<String> {
    let code = |r: &&ViewRow| body(r)["code"]["coding"][0]["code"].as_str().unwrap().to_owned();
    let mut rules: Vec<String> = rows(view, "DetectedIssue").iter().map(code).collect();
    rules.sort();
    rules
}

fn mark() -> careweave::flow::SearchValue {
    careweave::flow::SearchValue {
        param: 1,
        value: careweave::flow::Indexed::Text { folded: "x".into(), exact: "x".into() },
    }
}

fn unmarked(mut view: View) -> View {
    view.tables.values_mut().flatten().for_each(|row| row.values.clear());
    view
}

/// What a view says, comparable.
fn essence(view: &View) -> impl PartialEq + std::fmt::Debug + use<> {
    (
        view.owner,
        format!("{:?}", view.tables),
        view.dispositions.clone(),
        view.next_change,
        view.directory_refs.clone(),
    )
}

fn patient() -> Value {
    json!({"resourceType": "Patient", "id": "p", "name": [{"family": "Vale", "given": ["Ida"]}]})
}

fn about_p(mut resource: Value) -> Value {
    let subject = json!({"reference": "Patient/p"});
    let name = if resource["resourceType"] == "Task" { "for" } else { "subject" };
    resource[name] = subject;
    resource
}

fn goal(id: &str, text: &str, status: &str) -> Value {
    about_p(json!({
        "resourceType": "Goal", "id": id, "lifecycleStatus": status,
        "description": {"text": text}
    }))
}

fn order(id: &str, day: &str, intent: &str, requester: &str) -> Value {
    about_p(json!({
        "resourceType": "ServiceRequest", "id": id, "status": "active", "intent": intent,
        "code": {"coding": [{"system": "http://loinc.org", "code": "4548-4"}]},
        "authoredOn": day,
        "requester": {
            "identifier": {"system": "http://hl7.org/fhir/sid/us-npi", "value": requester}
        }
    }))
}

fn three_sources() -> Vec<(&'static str, Value)> {
    let plan = |id: &str, goal: &str| {
        about_p(json!({
            "resourceType": "CarePlan", "id": id, "status": "active", "intent": "plan",
            "title": format!("Plan {id}"), "goal": [{"reference": format!("Goal/{goal}")}],
            "activity": [{"detail": {
                "kind": "ServiceRequest", "status": "in-progress",
                "code": {"text": "Diabetes education"}}}]
        }))
    };
    vec![
        ("valley", patient()),
        ("valley", goal("g1", "HbA1c less than 7.0 percent", "active")),
        ("valley", plan("c1", "g1")),
        ("valley", order("s1", "2026-01-05", "order", "1")),
        ("mercy", patient()),
        ("mercy", goal("g9", "HbA1c < 7%", "completed")),
        ("mercy", plan("c9", "g9")),
        ("mercy", order("s9", "2026-01-05T10:00:00Z", "order", "1")),
        ("stjude", patient()),
        ("stjude", goal("g5", "hba1c less than 7 percent", "active")),
        ("stjude", order("s5", "2026-02-05", "order", "1")),
        (
            "stjude",
            json!({"resourceType": "List", "status": "current", "mode": "working",
            "id": "l", "subject": {"reference": "Patient/p"}}),
        ),
    ]
}

#[test]
fn three_statements_of_a_goal_are_one_goal_and_the_disagreement_is_shown() {
    let view = view(&three_sources());
    let [goal] = rows(&view, "Goal")[..] else { panic!("{:?}", rows(&view, "Goal")) };
    assert_eq!(goal.members.len(), 3);
    assert_eq!(goal.aliases.len(), 2);
    assert_eq!(body(goal)["meta"]["tag"][0]["code"], "merged");
    assert_eq!(body(goal)["subject"]["reference"], format!("Patient/{}", view.owner.id()));
    assert!(goal.choices.iter().any(|c| &*c.element == "Goal.lifecycleStatus"));
    assert!(rules(&view).contains(&"value-disagreement".to_owned()));
    assert_eq!(rows(&view, "ServiceRequest").len(), 2, "a month later is another order");
    assert_eq!(rows(&view, "CarePlan").len(), 2, "plans of different providers stay apart");
    assert_eq!(rows(&view, "Patient").len(), 1);
    let stored = view.dispositions.iter().filter(|d| d.disposition == Disposition::Stored);
    assert_eq!((stored.count(), view.dispositions.len()), (1, 12));
}

#[test]
fn the_woven_plan_states_each_thing_once_and_lists_its_sources() {
    let view = view(&three_sources());
    let plans = &view.tables[&ResourceType::of("CarePlan")];
    let plan = plans.iter().find(|r| r.made_by_us).unwrap();
    let body = body(plan);
    assert_eq!(body["goal"].as_array().unwrap().len(), 1);
    assert_eq!(body["supportingInfo"].as_array().unwrap().len(), 2);
    let activities = body["activity"].as_array().unwrap();
    assert_eq!(activities.iter().filter(|a| a["detail"].is_object()).count(), 1);
    assert_eq!(activities.iter().filter(|a| a["reference"].is_object()).count(), 2);
    assert!(activities.iter().all(|a| a["detail"].is_null() != a["reference"].is_null()));
    assert_eq!(plan.aliases.len(), 2);
    assert!(
        body["text"]["div"].as_str().unwrap().contains("&lt; 7")
            || !body.to_string().contains("< 7")
    );
}

#[test]
fn what_looks_alike_and_is_not_the_same_stays_apart() {
    let pair = |kind: &'static str, a: Value, b: Value| {
        let all = [("valley", patient()), ("mercy", patient()), ("valley", a), ("mercy", b)];
        let view = view(&all);
        rows(&view, kind).len()
    };
    assert_eq!(
        pair("Goal", goal("a", "HbA1c < 7%", "active"), goal("b", "HbA1c < 8%", "active")),
        2
    );
    let day = "2026-01-05";
    let same = order("a", day, "order", "1");
    assert_eq!(pair("ServiceRequest", same.clone(), order("b", day, "order", "1")), 1);
    assert_eq!(pair("ServiceRequest", same.clone(), order("b", day, "plan", "1")), 2);
    let mut forbidden = order("b", day, "order", "1");
    forbidden["doNotPerform"] = json!(true);
    assert_eq!(pair("ServiceRequest", same.clone(), forbidden), 2);
    let mut sub = order("b", day, "order", "1");
    sub["basedOn"] = json!([{"reference": "https://valley.example/fhir/ServiceRequest/a"}]);
    assert_eq!(pair("ServiceRequest", same.clone(), sub), 2);
    let mut group = order("b", "2026-02-09", "order", "1");
    let mut first = same;
    for order in [&mut group, &mut first] {
        order["requisition"] = json!({"system": "urn:x", "value": "1"});
    }
    assert_eq!(pair("ServiceRequest", first, group), 2);
    let target = |id: &str, due: &str| {
        let mut goal = goal(id, "Lose weight", "active");
        goal["target"] = json!([{"dueDate": due}]);
        goal
    };
    assert_eq!(pair("Goal", target("a", "2026-06-01"), target("b", "2026-09-01")), 2);
}

#[test]
fn one_endpoint_may_say_nearly_the_same_twice() {
    let all = [
        ("valley", patient()),
        ("valley", goal("a", "Walk daily", "active")),
        ("valley", goal("b", "Walk daily", "completed")),
    ];
    assert_eq!(rows(&view(&all), "Goal").len(), 2);
}

#[test]
fn a_retraction_withdraws_its_own_claim_only() {
    let mut sources = three_sources();
    sources[1].1["lifecycleStatus"] = json!("entered-in-error");
    let view = view(&sources);
    let [goal] = rows(&view, "Goal")[..] else { panic!("one goal stays") };
    assert_eq!(goal.members.len(), 2);
    assert!(rules(&view).contains(&"C12".to_owned()));
    let issues: Vec<Value> = rows(&view, "DetectedIssue").iter().map(|r| body(r)).collect();
    let issue = issues.iter().find(|i| i["code"]["coding"][0]["code"] == "C12").unwrap();
    let detail = issue["detail"].as_str().unwrap();
    for said in ["Goal \"", "mercy, stjude still state it", "valley says"] {
        assert!(detail.contains(said), "{detail}");
    }
    let gone =
        KEY.record(&careweave::flow::RecordKey::new("valley", ResourceType::of("Goal"), "g1"));
    let disposed = view.dispositions.iter().find(|d| d.id == gone).unwrap();
    assert_eq!(disposed.disposition, Disposition::Withdrawn);
    assert!(goal.aliases.contains(&gone), "its id still leads to the goal");
}

#[test]
fn a_republished_record_is_the_same_record() {
    let mut copy = order("s7", "2026-01-05", "order", "2");
    copy["meta"] = json!({"source": "https://valley.example/fhir/ServiceRequest/s1"});
    let mut sources = three_sources();
    sources.push(("stjude", copy));
    let view = view(&sources);
    let ids = |r: &&ViewRow| r.members.len();
    let members: usize = rows(&view, "ServiceRequest").iter().map(ids).max().unwrap();
    assert_eq!(members, 3);
}

#[test]
fn the_day_turns_findings_on_and_is_announced() {
    let mut goal = goal("a", "Walk daily", "active");
    goal["target"] = json!([{"dueDate": "2026-03-01"}]);
    let mut late = goal.clone();
    late["id"] = json!("b");
    late["description"]["text"] = json!("Stop smoking");
    late["target"] = json!([{"dueDate": "2026-02-01"}]);
    let view = view(&[("valley", patient()), ("valley", goal), ("valley", late)]);
    assert_eq!(rules(&view), ["C10"]);
    assert_eq!(view.next_change, Some(date(2026, 3, 2)));
}

#[test]
fn records_wait_for_their_patient() {
    let view = view(&[("valley", goal("a", "Walk daily", "active"))]);
    assert!(view.tables.is_empty());
    assert_eq!(
        view.owner,
        Owner::Person(KEY.record(&ChartKey::new("valley", "p").patient_record()))
    );
    assert_eq!(view.dispositions[0].disposition, Disposition::Waiting);
}

#[test]
fn a_goal_contained_in_a_plan_is_lifted_out_and_linked() {
    let plan = about_p(json!({
        "resourceType": "CarePlan", "id": "c", "status": "active", "intent": "plan",
        "contained": [
            {"resourceType": "Goal", "id": "g", "lifecycleStatus": "active",
             "description": {"text": "Walk daily"}, "subject": {"reference": "Patient/p"}}],
        "goal": [{"reference": "#g"}]
    }));
    let view = view(&[("valley", patient()), ("valley", plan)]);
    let [goal] = rows(&view, "Goal")[..] else { panic!("lifted") };
    let plan = body(rows(&view, "CarePlan")[0]);
    assert_eq!(plan["goal"][0]["reference"], format!("Goal/{}", goal.id));
    assert!(plan.get("contained").is_none());
}

#[test]
fn stored_rows_are_taken_over_and_change_nothing() {
    let first = view(&three_sources());
    let mut marked = HashMap::new();
    for (kind, rows) in &first.tables {
        for row in rows.iter().filter(|r| !r.made_by_us) {
            let mut row = row.clone();
            // Only a row that is taken over can bring this back.
            row.values = vec![mark()];
            marked.insert((*kind, row.id), row);
        }
    }
    let again = woven(charts(records(&three_sources())), &Previous(marked.clone()));
    for row in again.tables.values().flatten().filter(|r| !r.made_by_us) {
        assert_eq!(row.values, [mark()], "equal input takes the stored row over");
    }
    assert_eq!(essence(&first), essence(&unmarked(again)));
    let mut changed = three_sources();
    changed[5].1["lifecycleStatus"] = json!("active");
    let memo = woven(charts(records(&changed)), &Previous(marked));
    let marks = memo.tables.values().flatten().filter(|r| !r.values.is_empty()).count();
    let sources = memo.tables.values().flatten().filter(|r| !r.made_by_us).count();
    assert_eq!(marks, sources - 1, "only the changed goal is merged again");
    assert_eq!(essence(&unmarked(memo)), essence(&view(&changed)));
}

#[test]
fn provenance_names_every_source_version() {
    let view = view(&three_sources());
    let goal = rows(&view, "Goal")[0];
    let target = (ResourceType::of("Goal"), goal.id);
    let url = |e: &str| Some(base(e));
    let trace = (&goal.members[..], &goal.choices[..]);
    let rendered = provenance(target, at(), trace, &[], &url, "http://127.0.0.1:8080");
    assert_eq!(rendered["entity"].as_array().unwrap().len(), 3);
    assert_eq!(rendered["agent"].as_array().unwrap().len(), 4);
    assert_eq!(rendered["id"], format!("Goal.{}", goal.id));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn order_does_not_matter(order in Just((0..12usize).collect::<Vec<_>>()).prop_shuffle()) {
        let all = records(&three_sources());
        let shuffled: Vec<InputRecord> = order.iter().map(|&i| all[i].clone()).collect();
        let mut shuffled = charts(shuffled);
        shuffled.rotate_left(order[0] % 3);
        let shuffled = woven(shuffled, &NoPreviousRows);
        prop_assert_eq!(essence(&shuffled), essence(&view(&three_sources())));
    }

    #[test]
    fn every_record_is_accounted_for_once(kept in prop::collection::vec(any::<bool>(), 12)) {
        let sources: Vec<_> =
            three_sources().into_iter().zip(&kept).filter(|(_, k)| **k).map(|(s, _)| s).collect();
        let view = view(&sources);
        prop_assert_eq!(view.dispositions.len(), sources.len());
        let members: usize = view.tables.values().flatten()
            .filter(|r| !r.made_by_us).map(|r| r.members.len()).sum();
        let stated = view.dispositions.iter()
            .filter(|d| matches!(d.disposition, Disposition::Kept | Disposition::Merged)).count();
        prop_assert_eq!(members, stated);
    }
}

#[test]
fn a_deleted_patient_chart_keeps_its_other_records() {
    let mut all = records(&three_sources());
    let gone = all
        .iter_mut()
        .find(|r| {
            &*r.header.key.endpoint == "mercy" && r.header.key.resource_type.name() == "Patient"
        })
        .unwrap();
    let mut version = gone.header.current().clone();
    version.state = State::Deleted;
    version.hash = Hash(1);
    version.stamp.observed_at = "2026-02-02T03:04:05Z".parse().unwrap();
    gone.header.observe(version);
    let view = woven(charts(all), &NoPreviousRows);
    assert_eq!(rows(&view, "Goal")[0].members.len(), 3);
    assert_eq!(rows(&view, "Patient")[0].members.len(), 2);
}
