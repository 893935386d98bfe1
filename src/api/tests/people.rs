//! Who is in the test world, and how their rows come into the store.
#![expect(clippy::unwrap_used, reason = "test")]

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::world::{key, record_id};
use crate::fhir::search::SearchTable;
use crate::fhir::{ResourceType, canonical_bytes};
use crate::flow::{
    ChartKey, Content, DerivedId, DisclosureClass, Hash, Home, Member, Owner, RecordHeader, Stamp,
    State, Version, ViewRow, ViewStamp,
};
use crate::store::{
    Accept, Cursor, LinkWrite, RecordWrite, RowWrite, Settle, Store, TableWrite, ViewWrite,
};

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
        self.records.push(RecordWrite {
            id,
            expected_versions: 0,
            header,
            contents: content.into_iter().collect(),
        });
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

/// Fills the store.
pub(super) fn fill(store: &dyn Store) {
    pulls(store);
    directory(store);
    ada(store);
    bob(store);
}

/// Mercy was pulled completely, valley could not be reached.
fn pulls(store: &dyn Store) {
    let cursor = |state: &str, until: Option<&str>| Cursor {
        next_page: None,
        complete_until: until.map(|time| time.parse().unwrap()),
        began: None,
        state: state.into(),
    };
    let part: Arc<str> = "Patient".into();
    let cursors = BTreeMap::from([
        (("mercy".into(), part.clone()), cursor("complete", Some("2026-11-22T10:00:00Z"))),
        (("valley".into(), part), cursor("failed: connection refused", None)),
    ]);
    store.accept(Accept { cursors, ..Accept::default() }).unwrap();
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

/// A reference to what mercy calls so.
fn to(store: &dyn Store, reference: &str) -> Value {
    let name = reference.split('/').next().unwrap();
    json!({ "reference": format!("{name}/{}", record_id(store, "mercy", reference)) })
}

fn code(system: &str, code: &str) -> Value {
    json!({ "coding": [{ "system": system, "code": code }] })
}

/// Ada: known to mercy and valley, a woven plan over two plans, 120 observations.
fn ada(store: &dyn Store) {
    let mercy = Home::Chart(ChartKey::new("mercy", "1"));
    let valley = Home::Chart(ChartKey::new("valley", "1"));
    let owner = Owner::Person(record_id(store, "mercy", "Patient/1"));
    let mut all = gather(store, owner, &[mercy.clone(), valley.clone()]);
    let patient = json!({
        "identifier": [
            { "system": "urn:mrn", "value": "A-1" }, { "system": "urn:shared", "value": "77" },
        ],
        "name": [{ "family": "Lovelace", "given": ["Ada"] }],
        "gender": "female", "birthDate": "1975-12-10",
    });
    all.row(&mercy, "mercy", "Patient/1", patient, &[(&valley, "valley", "Patient/1")]);
    let me = to(store, "Patient/1");
    let condition = json!({ "subject": me, "code": code("urn:codes", "diabetes") });
    all.row(&mercy, "mercy", "Condition/c", condition, &[]);
    for (name, lifecycle, achieved, due) in [
        ("Goal/g1", "active", "in-progress", "2027-01-01"),
        ("Goal/g2", "completed", "achieved", "2026-06-01"),
    ] {
        let system = "http://terminology.hl7.org/CodeSystem/goal-achievement";
        let goal = json!({
            "lifecycleStatus": lifecycle, "subject": me, "description": { "text": "walk" },
            "achievementStatus": code(system, achieved),
            "target": [{ "dueDate": due }],
            "addresses": [to(store, "Condition/c")],
        });
        all.row(&mercy, "mercy", name, goal, &[(&valley, "valley", name)]);
    }
    for n in 0..120 {
        let reading =
            json!({ "status": "final", "subject": me, "code": code("urn:codes", "weight") });
        all.row(&mercy, "mercy", &format!("Observation/o{n}"), reading, &[]);
    }
    orders(store, &mut all, &mercy);
    let issued = plans(store, &mut all, &mercy);
    all.commit(issued);
}

fn orders(store: &dyn Store, all: &mut Gathering<'_>, mercy: &Home) {
    let clinic = to(store, "Organization/clinic");
    let order = json!({
        "status": "active", "intent": "order", "subject": to(store, "Patient/1"),
        "category": [code("urn:cat", "education")],
        "code": code("urn:codes", "diet"), "performer": [clinic],
    });
    all.row(mercy, "mercy", "ServiceRequest/s", order, &[]);
    let task = json!({
        "status": "requested", "intent": "order", "for": to(store, "Patient/1"),
        "focus": to(store, "ServiceRequest/s"), "owner": clinic,
    });
    all.row(mercy, "mercy", "Task/t", task, &[]);
    let traced = json!({
        "target": [to(store, "Goal/g1")], "recorded": "2026-01-01T00:00:00Z",
        "agent": [{ "who": clinic }],
    });
    all.row(mercy, "mercy", "Provenance/pr", traced, &[]);
}

/// The plans, and the ids that were issued for what no source states; 4711 is no more.
fn plans(
    store: &dyn Store,
    all: &mut Gathering<'_>,
    mercy: &Home,
) -> Vec<(DerivedId, ResourceType, ChartKey)> {
    let plan = |status: &str| {
        json!({
            "status": status, "intent": "plan", "subject": to(store, "Patient/1"),
            "goal": [to(store, "Goal/g1"), to(store, "Goal/g2")],
            "addresses": [to(store, "Condition/c")],
        })
    };
    all.row(mercy, "mercy", "CarePlan/p1", plan("active"), &[]);
    all.row(mercy, "mercy", "CarePlan/p2", plan("completed"), &[]);
    let woven = store.id_key().woven_plan(&ChartKey::new("mercy", "1"));
    let also = store.id_key().woven_plan(&ChartKey::new("valley", "1"));
    all.shown(woven, "CarePlan/woven", plan("active"), Vec::new(), vec![also], true);
    let care_plan = ResourceType::of("CarePlan");
    vec![
        (woven, care_plan, ChartKey::new("mercy", "1")),
        (also, care_plan, ChartKey::new("valley", "1")),
        (DerivedId(4711), care_plan, ChartKey::new("mercy", "1")),
    ]
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

/// A person at mercy with these rows beside the Patient.
pub(super) fn add_person(store: &dyn Store, chart: &str, rows: &[(String, Value)]) {
    let home = Home::Chart(ChartKey::new("mercy", chart));
    let reference = format!("Patient/{chart}");
    let owner = Owner::Person(record_id(store, "mercy", &reference));
    let mut all = gather(store, owner, std::slice::from_ref(&home));
    let numbered = json!({ "coding": [{ "system": "http://v2", "code": "MR" }] });
    let patient = json!({
        "identifier": [{ "system": "urn:mrn", "value": chart, "type": numbered }],
        "name": [{ "family": "Ørtel", "given": ["Cyd"] }], "gender": "female",
        "birthDate": "1950-02-03", "deceasedDateTime": "2024-09-01",
    });
    all.row(&home, "mercy", &reference, patient, &[]);
    for (name, body) in rows {
        let mut body = body.clone();
        match name.split('/').next() {
            Some("Task") => body["for"] = to(store, &reference),
            Some("Provenance") => {}
            _ => body["subject"] = to(store, &reference),
        }
        all.row(&home, "mercy", name, body, &[]);
    }
    all.commit(Vec::new());
}

/// Weaves Ada's observations anew: those with these numbers are there, no other.
pub(super) fn reweave_observations(store: &dyn Store, numbers: &[usize]) {
    let body = |n: &usize| (*n, json!({ "status": "final", "code": { "text": "weight" } }));
    observe(store, numbers.iter().map(body));
}

/// Weaves Ada's observations anew: those with these numbers, each on a day of a month.
pub(super) fn date_observations(store: &dyn Store, days: &[(usize, usize)]) {
    let body = |(n, day): &(usize, usize)| {
        let on = format!("2026-05-{day:02}");
        (*n, json!({ "status": "final", "code": { "text": "weight" }, "effectiveDateTime": on }))
    };
    observe(store, days.iter().map(body));
}

fn observe(store: &dyn Store, bodies: impl Iterator<Item = (usize, Value)>) {
    let owner = Owner::Person(record_id(store, "mercy", "Patient/1"));
    let homes = ["mercy", "valley"].map(|at| Home::Chart(ChartKey::new(at, "1")));
    let mut all = gather(store, owner, &homes);
    for (n, body) in bodies {
        let reference = format!("Observation/o{n}");
        let id = record_id(store, "mercy", &reference);
        all.shown(id, &reference, body, Vec::new(), Vec::new(), false);
    }
    all.commit(Vec::new());
}
