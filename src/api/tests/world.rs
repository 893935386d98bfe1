//! A store filled by hand: two persons who share an identifier and a family name, a directory
//! entry, one endpoint that failed.
#![expect(clippy::unwrap_used, reason = "test")]

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::api::{ApiOptions, router};
use crate::fhir::search::SearchTable;
use crate::fhir::{ResourceType, canonical_bytes};
use crate::flow::{
    ChartKey, Content, DerivedId, DisclosureClass, Hash, Home, Member, Owner, RecordHeader,
    RecordKey, Stamp, State, Version, ViewRow, ViewStamp,
};
use crate::pipeline::{EndpointState, Gateway};
use crate::store::{
    Accept, LinkWrite, RecordWrite, RowWrite, Settle, SledStore, Store, TableWrite, ViewWrite,
};

/// The running face over the filled store.
pub(super) struct World {
    pub(super) store: Arc<dyn Store>,
    pub(super) router: Router,
    _dir: tempfile::TempDir,
}

/// An answer, read.
pub(super) struct Told {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

pub(super) const BASE: &str = "http://gateway.test";

impl World {
    /// The standard world.
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(SledStore::open(dir.path()).unwrap());
        fill(&*store);
        let gateway = Arc::new(Gateway::for_tests(store.clone(), endpoints()));
        let router = router(gateway, ApiOptions::default());
        Self { store, router, _dir: dir }
    }

    /// The id of a record.
    pub(super) fn id(&self, endpoint: &str, reference: &str) -> String {
        record_id(&*self.store, endpoint, reference).to_string()
    }

    /// Ada's shown id.
    pub(super) fn ada(&self) -> String {
        self.id("mercy", "Patient/1")
    }

    /// The woven plan of Ada.
    pub(super) fn woven(&self) -> String {
        self.store.id_key().woven_plan(&ChartKey::new("mercy", "1")).to_string()
    }

    /// Weaves Ada's observations anew: those with these numbers are there, no other.
    pub(super) fn reweave_observations(&self, numbers: &[usize]) {
        let owner = Owner::Person(record_id(&*self.store, "mercy", "Patient/1"));
        let homes = ["mercy", "valley"].map(|at| Home::Chart(ChartKey::new(at, "1")));
        let mut all = gather(&*self.store, owner, &homes);
        for n in numbers {
            let reference = format!("Observation/o{n}");
            let id = record_id(&*self.store, "mercy", &reference);
            let body = json!({ "status": "final", "code": { "text": "weight" } });
            all.shown(id, &reference, body, Vec::new(), Vec::new(), false);
        }
        all.commit(Vec::new());
    }

    /// A GET below the base.
    pub(super) async fn get(&self, path: &str) -> Told {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// A GET with a header.
    pub(super) async fn get_with(&self, path: &str, name: &str, value: &str) -> Told {
        let request = Request::get(path).header(name, value);
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// A search by form.
    pub(super) async fn post(&self, path: &str, form: &str) -> Told {
        let request = Request::post(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()));
        self.send(request.unwrap()).await
    }

    /// Any request.
    pub(super) async fn send(&self, request: Request<Body>) -> Told {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let body = String::from_utf8(bytes.to_vec()).unwrap();
        Told { status: parts.status, headers: parts.headers, body }
    }
}

impl Told {
    /// The body as JSON.
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// `Type/id` of the entries with a mode.
    pub(super) fn references(&self, mode: &str) -> Vec<String> {
        let bundle = self.json();
        let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
        let of_mode = entries.iter().filter(|entry| entry["search"]["mode"] == mode);
        of_mode.map(|entry| reference(&entry["resource"])).collect()
    }

    /// The issue codes of an outcome, or of the outcome entry.
    pub(super) fn issue_codes(&self) -> Vec<String> {
        let body = self.json();
        let entries = body["entry"].as_array().cloned().unwrap_or_default();
        let outcomes = entries.iter().map(|entry| &entry["resource"]).chain([&body]);
        let issues = outcomes
            .filter(|resource| resource["resourceType"] == "OperationOutcome")
            .flat_map(|outcome| outcome["issue"].as_array().cloned().unwrap_or_default());
        issues.map(|issue| issue["code"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// The link of a relation.
    pub(super) fn link(&self, relation: &str) -> Option<String> {
        let bundle = self.json();
        let links = bundle["link"].as_array()?;
        let link = links.iter().find(|link| link["relation"] == relation)?;
        Some(link["url"].as_str()?.trim_start_matches(BASE).to_owned())
    }

    /// A header as text.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

fn reference(resource: &Value) -> String {
    let text = |name: &str| resource[name].as_str().unwrap_or_default().to_owned();
    format!("{}/{}", text("resourceType"), text("id"))
}

fn record_id(store: &dyn Store, endpoint: &str, reference: &str) -> DerivedId {
    store.id_key().record(&key(endpoint, reference))
}

fn key(endpoint: &str, reference: &str) -> RecordKey {
    let (name, id) = reference.split_once('/').unwrap();
    RecordKey::new(endpoint, ResourceType::parse(name).unwrap(), id)
}

fn endpoints() -> Vec<EndpointState> {
    let endpoint = |id: &str, state: &str, stale: bool, until: Option<&str>| EndpointState {
        id: id.into(),
        name: id.into(),
        base_url: format!("http://{id}.test/r4").into(),
        state: state.into(),
        stale,
        complete_until: until.map(|time| time.parse().unwrap()),
    };
    vec![
        endpoint("mercy", "complete", false, Some("2026-11-22T10:00:00Z")),
        endpoint("valley", "failed: connection refused", true, None),
    ]
}

/// One owner's records and rows as they are gathered.
struct Gathering<'s> {
    store: &'s dyn Store,
    owner: Owner,
    homes: Vec<Home>,
    records: Vec<RecordWrite>,
    rows: BTreeMap<ResourceType, Vec<ViewRow>>,
}

impl Gathering<'_> {
    /// A record that is shown as its own row, with other records as aliases.
    fn row(
        &mut self,
        home: &Home,
        endpoint: &str,
        reference: &str,
        body: Value,
        also: &[(&Home, &str, &str)],
    ) {
        let id = self.record(home, endpoint, reference, &body);
        let mut members = vec![member(endpoint, reference, id)];
        for (home, endpoint, reference) in also {
            let alias = self.record(home, endpoint, reference, &body);
            members.push(member(endpoint, reference, alias));
        }
        members.sort();
        let aliases = members.iter().map(|m| m.id).filter(|other| *other != id).collect();
        self.shown(id, reference, body, members, aliases, false);
    }

    fn shown(
        &mut self,
        id: DerivedId,
        reference: &str,
        mut body: Value,
        members: Vec<Member>,
        mut aliases: Vec<DerivedId>,
        made_by_us: bool,
    ) {
        let name = reference.split('/').next().unwrap();
        let resource_type = ResourceType::parse(name).unwrap();
        body["resourceType"] = name.into();
        body["id"] = id.to_string().into();
        body["meta"] = json!({ "tag": [{ "code": if made_by_us { "woven" } else { "stated" } }] });
        let values = SearchTable::embedded().extract(resource_type, &body);
        let body = canonical_bytes(body);
        aliases.sort();
        let row = ViewRow {
            id,
            hash: Hash::of(&body),
            input: Hash::of(&body),
            body: body.into(),
            values,
            members,
            aliases,
            choices: Vec::new(),
            made_by_us,
        };
        self.rows.entry(resource_type).or_default().push(row);
    }

    fn record(&mut self, home: &Home, endpoint: &str, reference: &str, body: &Value) -> DerivedId {
        let key = key(endpoint, reference);
        let id = self.store.id_key().record(&key);
        let text = body.to_string();
        let hash = Hash::of(text.as_bytes());
        let observed_at = Timestamp::from_second(1_790_000_000).unwrap();
        let version_id = Some("7".into());
        let stamp = Stamp { version_id, last_updated: Some(observed_at), observed_at };
        let state = State::Live;
        let version = Version { stamp, confirmed_at: observed_at, hash, state, home: home.clone() };
        let header = RecordHeader::new(key, 0, None, version);
        let content = Content { body: text.into(), ..Content::default() };
        let content = Some((hash, home.clone(), content));
        self.records.push(RecordWrite { id, expected_versions: 0, header, content });
        id
    }

    fn commit(mut self, issued: Vec<(DerivedId, ResourceType, ChartKey)>) {
        let accept = Accept { records: std::mem::take(&mut self.records), ..Accept::default() };
        self.store.accept(accept).unwrap();
        let mut index = Vec::new();
        let mut tables = Vec::new();
        for (resource_type, mut rows) in std::mem::take(&mut self.rows) {
            rows.sort_by_key(|row| row.id);
            let parameters = SearchTable::embedded().parameters(resource_type);
            for row in &rows {
                for value in &row.values {
                    let parameter = &parameters[usize::from(value.param)];
                    if parameter.cross_person {
                        let keys = Hash::index_keys(&parameter.name, &value.value);
                        index.extend(keys.into_iter().map(|key| (resource_type, key, row.id)));
                    }
                }
            }
            let rows = rows.into_iter().map(|row| RowWrite { row }).collect();
            tables.push(TableWrite { resource_type, rows });
        }
        index.sort();
        index.dedup();
        let view = ViewWrite {
            owner: self.owner,
            stamp: ViewStamp {
                weave: 1,
                policy: Hash(1),
                model: Hash(2),
                class: DisclosureClass::Full,
                as_of: jiff::civil::Date::constant(2026, 11, 22),
            },
            homes: self.homes.clone(),
            tables,
            dispositions: Vec::new(),
            counts: BTreeMap::new(),
            next_change: None,
            directory_refs: Vec::new(),
            index,
            issued,
        };
        let link = |home: &Home| LinkWrite {
            home: home.clone(),
            owner: Some(self.owner),
            edges: Vec::new(),
            blocking: Vec::new(),
            demographics: crate::flow::Demographics::default(),
        };
        let settle = Settle {
            links: self.homes.iter().map(link).collect(),
            views: vec![view],
            at: "2026-11-22T11:00:00Z".parse().unwrap(),
            ..Settle::default()
        };
        self.store.settle(settle).unwrap();
    }
}

fn member(endpoint: &str, reference: &str, id: DerivedId) -> Member {
    Member {
        key: key(endpoint, reference),
        id,
        version: 1,
        version_id: Some("7".into()),
        recorded: Timestamp::from_second(1_790_000_000).unwrap(),
        rule: "only".into(),
    }
}

fn fill(store: &dyn Store) {
    directory(store);
    ada(store);
    bob(store);
}

fn directory(store: &dyn Store) {
    let reference = "Organization/clinic";
    let home = Home::Directory(key("mercy", reference));
    let owner = Owner::Directory(record_id(store, "mercy", reference));
    let mut gathering = gather(store, owner, std::slice::from_ref(&home));
    let body =
        json!({ "name": "River Clinic", "identifier": [{ "system": "urn:npi", "value": "5" }] });
    gathering.row(&home, "mercy", reference, body, &[]);
    gathering.commit(Vec::new());
}

fn gather<'s>(store: &'s dyn Store, owner: Owner, homes: &[Home]) -> Gathering<'s> {
    let homes = homes.to_vec();
    Gathering { store, owner, homes, records: Vec::new(), rows: BTreeMap::new() }
}

/// Ada: known to mercy and valley, a woven plan over two plans, 120 observations.
fn ada(store: &dyn Store) {
    let id = |reference: &str| record_id(store, "mercy", reference);
    let to = |reference: &str| {
        let name = reference.split('/').next().unwrap();
        json!({ "reference": format!("{name}/{}", id(reference)) })
    };
    let mercy = Home::Chart(ChartKey::new("mercy", "1"));
    let valley = Home::Chart(ChartKey::new("valley", "1"));
    let owner = Owner::Person(id("Patient/1"));
    let mut all = gather(store, owner, &[mercy.clone(), valley.clone()]);
    let patient = json!({
        "identifier": [
            { "system": "urn:mrn", "value": "A-1" }, { "system": "urn:shared", "value": "77" },
        ],
        "name": [{ "family": "Lovelace", "given": ["Ada"] }],
        "gender": "female", "birthDate": "1975-12-10",
    });
    all.row(&mercy, "mercy", "Patient/1", patient, &[(&valley, "valley", "Patient/1")]);
    let me = to("Patient/1");
    let code = |system: &str, code: &str| json!({ "coding": [{ "system": system, "code": code }] });
    let condition = json!({ "subject": me, "code": code("urn:codes", "diabetes") });
    all.row(&mercy, "mercy", "Condition/c", condition, &[]);
    for (name, lifecycle, achieved, due) in [
        ("Goal/g1", "active", "in-progress", "2027-01-01"),
        ("Goal/g2", "completed", "achieved", "2026-06-01"),
    ] {
        let goal = json!({
            "lifecycleStatus": lifecycle, "subject": me, "description": { "text": "walk" },
            "achievementStatus": code("http://terminology.hl7.org/CodeSystem/goal-achievement", achieved),
            "target": [{ "dueDate": due }],
            "addresses": [to("Condition/c")],
        });
        all.row(&mercy, "mercy", name, goal, &[(&valley, "valley", name)]);
    }
    let order = json!({
        "status": "active", "intent": "order", "subject": me, "category": [code("urn:cat", "education")],
        "code": code("urn:codes", "diet"), "performer": [to("Organization/clinic")],
    });
    all.row(&mercy, "mercy", "ServiceRequest/s", order, &[]);
    let task = json!({
        "status": "requested", "intent": "order", "for": me, "focus": to("ServiceRequest/s"),
        "owner": to("Organization/clinic"),
    });
    all.row(&mercy, "mercy", "Task/t", task, &[]);
    let plan = |status: &str| {
        json!({
            "status": status, "intent": "plan", "subject": me, "goal": [to("Goal/g1"), to("Goal/g2")],
            "addresses": [to("Condition/c")],
        })
    };
    all.row(&mercy, "mercy", "CarePlan/p1", plan("active"), &[]);
    all.row(&mercy, "mercy", "CarePlan/p2", plan("completed"), &[]);
    let traced = json!({ "target": [to("Goal/g1")], "recorded": "2026-01-01T00:00:00Z",
        "agent": [{ "who": to("Organization/clinic") }] });
    all.row(&mercy, "mercy", "Provenance/pr", traced, &[]);
    for n in 0..120 {
        let reading =
            json!({ "status": "final", "subject": me, "code": code("urn:codes", "weight") });
        all.row(&mercy, "mercy", &format!("Observation/o{n}"), reading, &[]);
    }
    let woven = store.id_key().woven_plan(&ChartKey::new("mercy", "1"));
    let also = store.id_key().woven_plan(&ChartKey::new("valley", "1"));
    all.shown(woven, "CarePlan/woven", plan("active"), Vec::new(), vec![also], true);
    let care_plan = ResourceType::of("CarePlan");
    let issued = vec![
        (woven, care_plan, ChartKey::new("mercy", "1")),
        (also, care_plan, ChartKey::new("valley", "1")),
        (DerivedId(4711), care_plan, ChartKey::new("mercy", "1")),
    ];
    all.commit(issued);
}

/// Bob: has the shared identifier and the family name too, and a Patient/1 of his own.
fn bob(store: &dyn Store) {
    let home = Home::Chart(ChartKey::new("mercy", "2"));
    let owner = Owner::Person(record_id(store, "mercy", "Patient/2"));
    let mut all = gather(store, owner, std::slice::from_ref(&home));
    let patient = json!({
        "identifier": [{ "system": "urn:shared", "value": "77" }],
        "name": [{ "family": "Lovelace", "given": ["Bob"] }], "birthDate": "1980-01-02",
    });
    all.row(&home, "mercy", "Patient/2", patient, &[]);
    let me = json!({ "reference": format!("Patient/{}", record_id(store, "mercy", "Patient/2")) });
    let goal =
        json!({ "lifecycleStatus": "active", "subject": me, "description": { "text": "rest" } });
    all.row(&home, "mercy", "Goal/b1", goal, &[]);
    all.commit(Vec::new());
}
