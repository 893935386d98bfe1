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

/// How often one record more is measured.
const MORE: u32 = 10;

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
    println!("  accept: {records} records in {}", began.took());
    let began = Began::now();
    gateway.settle_all(&mut |_, _| ()).expect("it settles");
    println!("  first settle: {}", began.took());
    for name in ["Observation", "Goal"] {
        let mut sum = Took::default();
        for more in 0..MORE {
            let next = world.count(0, name, 0) + more;
            take(&gateway, &ingest, world, name, next..next + 1);
            let began = Began::now();
            gateway.settle_all(&mut |_, _| ()).expect("it settles");
            let Took { clock, cpu } = began.took();
            sum = Took { clock: sum.clock + clock / MORE, cpu: sum.cpu + cpu / MORE };
        }
        println!("  one {name} more, {MORE} times: {sum} each");
    }
    let began = Began::now();
    gateway.rebuild(&mut |_, _| ()).expect("it rebuilds");
    println!("  rebuild: {}", began.took());
    let used = used_by("self").unwrap_or_default();
    println!("  {} MB resident at most", used.peak_kb / 1024);
}

/// When something began.
struct Began(Instant, Duration);

impl Began {
    fn now() -> Self {
        Self(Instant::now(), used_by("self").unwrap_or_default().cpu)
    }

    fn took(&self) -> Took {
        let cpu = used_by("self").unwrap_or_default().cpu.saturating_sub(self.1);
        Took { clock: self.0.elapsed(), cpu }
    }
}

/// What something took, on the clock and in CPU time.
#[derive(Default)]
struct Took {
    clock: Duration,
    cpu: Duration,
}

impl fmt::Display for Took {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2?}, {:.2?} of CPU", self.clock, self.cpu)
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
