//! Settling one large person, through the library.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use careweave::fhir::StructureCheck;
use careweave::identity::Model;
use careweave::ingest::{EndpointBases, Ingest};
use careweave::pipeline::{EndpointSettings, Gateway, GatewayOptions, accept};
use careweave::reconcile::{EndpointFacts, Policy};
use careweave::store::SledStore;

use super::Options;
use super::process::used_by;
use super::world::{LARGEST, World, types};

const BASE: &str = "http://mercy.example/fhir";

pub(crate) fn weave(options: &Options) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = Arc::new(SledStore::open(dir.path()).expect("a store"));
    let facts = EndpointFacts {
        base_url: BASE.to_owned(),
        name: "mercy".to_owned(),
        ..EndpointFacts::default()
    };
    let gateway = Gateway::new(
        store,
        GatewayOptions {
            public_base_url: "http://gateway.example".to_owned(),
            endpoints: vec![EndpointSettings { id: "mercy".into(), facts, ..Default::default() }],
            model: Model::embedded(),
            policy: Policy::embedded(),
            as_of: None,
        },
    );
    let check = Arc::new(StructureCheck::new(&[]).expect("the embedded profiles"));
    let ingest = Ingest::new(check, EndpointBases::new([(BASE.to_owned(), "mercy".into())]));
    println!("weave: one person of {LARGEST} records");
    let world = World { persons: 1, ..options.world() };
    let began = Began::now();
    let mut records = 0;
    for name in types() {
        let count = world.count(0, name, 0);
        for start in (0..count).step_by(200) {
            let end = (start + 200).min(count);
            take(&gateway, &ingest, world, name, start..end);
            records += end - start;
        }
    }
    println!("  accept: {records} records in {began}");
    let began = Began::now();
    gateway.settle_all(&mut |_, _| ()).expect("it settles");
    println!("  first settle: {began}");
    for (what, name) in [("Observation", "Observation"), ("Goal", "Goal")] {
        let next = world.count(0, name, 0);
        take(&gateway, &ingest, world, name, next..next + 1);
        let began = Began::now();
        gateway.settle_all(&mut |_, _| ()).expect("it settles");
        println!("  one {what} more: {began}");
    }
    let began = Began::now();
    gateway.rebuild(&mut |_, _| ()).expect("it rebuilds");
    println!("  rebuild: {began}");
    let used = used_by("self").unwrap_or_default();
    println!("  {} MB resident at most", used.peak_kb / 1024);
}

/// When something began, on the clock and in CPU time; shown as what it took.
struct Began(Instant, Duration);

impl Began {
    fn now() -> Self {
        Self(Instant::now(), used_by("self").unwrap_or_default().cpu)
    }
}

impl fmt::Display for Began {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cpu = used_by("self").unwrap_or_default().cpu.saturating_sub(self.1);
        write!(f, "{:.2?}, {cpu:.2?} of CPU", self.0.elapsed())
    }
}

fn take(gateway: &Gateway, ingest: &Ingest, world: World, name: &str, range: std::ops::Range<u32>) {
    let mut body = String::from(r#"{"resourceType":"Bundle","type":"searchset","entry":["#);
    for n in range.clone() {
        if n > range.start {
            body.push(',');
        }
        body += &format!(r#"{{"fullUrl":"{BASE}/{name}/0-{n}","resource":"#);
        world.write(0, name, 0, n, &mut body);
        body.push('}');
    }
    body += "]}";
    let endpoint = "mercy".into();
    let ingested = ingest.page("mercy", gateway.now(), body.as_bytes());
    accept(gateway.store().as_ref(), &endpoint, &ingested, None).expect("it is accepted");
}
