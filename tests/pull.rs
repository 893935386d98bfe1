//! Pulls of simulated servers over real sockets.
#![expect(clippy::unwrap_used, reason = "test")]

#[path = "pull/simulated.rs"]
mod simulated;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use careweave::endpoints::*;
use careweave::fhir::ResourceType;
use careweave::flow::Cursor;
use careweave::net::{Base, Fetcher, FetcherOptions, ServeOptions, Served, serve};
use careweave::simulator::{Fault, Simulator, SimulatorOptions};

/// Remembers what came; may refuse pages after so many.
#[derive(Default)]
struct Taken {
    state: Mutex<TakenState>,
    pages_max: Option<usize>,
}

#[derive(Default)]
struct TakenState {
    keys: BTreeSet<String>,
    entries: usize,
    pages: usize,
    cursors: BTreeMap<Arc<str>, Cursor>,
    gone: Vec<String>,
}

impl PageSink for Taken {
    async fn page(
        &self,
        part: Arc<str>,
        body: Bytes,
        cursor: Cursor,
    ) -> Result<PageReceipt, SinkError> {
        let mut state = self.state.lock().unwrap();
        if self.pages_max.is_some_and(|max| state.pages >= max) {
            return Err(SinkError("no more".into()));
        }
        let page: Value = serde_json::from_slice(&body).unwrap();
        let entries = page["entry"].as_array().cloned().unwrap_or_default();
        for entry in &entries {
            let resource = &entry["resource"];
            let key = format!(
                "{}/{}",
                resource["resourceType"].as_str().unwrap(),
                resource["id"].as_str().unwrap()
            );
            state.keys.insert(key);
        }
        state.entries += entries.len();
        state.pages += 1;
        state.cursors.insert(part, cursor);
        Ok(PageReceipt { entries: entries.len() as u64 })
    }

    async fn failed(&self, part: Arc<str>, cursor: Cursor) -> Result<(), SinkError> {
        self.state.lock().unwrap().cursors.insert(part, cursor);
        Ok(())
    }

    async fn gone(&self, patient: &str) -> Result<(), SinkError> {
        self.state.lock().unwrap().gone.push(patient.to_owned());
        Ok(())
    }
}

#[derive(Default)]
struct Last(Mutex<PullProgress>);

impl Progress for Last {
    fn update(&self, progress: PullProgress) {
        *self.0.lock().unwrap() = progress;
    }
}

const PATIENTS: usize = 6;

/// Six patients with seven goals and one coverage each, and three organisations.
fn population() -> Vec<Bytes> {
    let mut all = Vec::new();
    let mut add = |value: Value| all.push(Bytes::from(value.to_string()));
    let meta = json!({"lastUpdated": "2024-05-01T10:00:00Z"});
    for p in 0..PATIENTS {
        add(json!({"resourceType": "Patient", "id": format!("p{p}"), "meta": meta}));
        let of = json!({"reference": format!("Patient/p{p}")});
        for g in 0..7 {
            let id = format!("g{p}-{g}");
            add(json!({"resourceType": "Goal", "id": id, "meta": meta, "subject": of}));
        }
        let id = format!("c{p}");
        add(json!({"resourceType": "Coverage", "id": id, "meta": meta, "beneficiary": of}));
    }
    for o in 0..3 {
        add(json!({"resourceType": "Organization", "id": format!("o{o}"), "meta": meta}));
    }
    all
}

const ALL: usize = PATIENTS * 9 + 3;

struct World {
    simulator: Simulator,
    base: Base,
    _server: tokio::task::JoinHandle<Served>,
}

async fn world(options: SimulatorOptions) -> World {
    let (simulator, refused) = Simulator::new(options, population());
    assert_eq!((refused.len(), simulator.resources()), (0, ALL));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = Base::parse(&format!("http://{}/fhir", listener.local_addr().unwrap())).unwrap();
    let app = simulator.router();
    let server =
        tokio::spawn(serve(listener, app, std::future::pending(), ServeOptions::default()));
    World { simulator, base, _server: server }
}

impl World {
    fn plan(&self) -> PullPlan {
        PullPlan { page_size: 4, ..PullPlan::new("mercy", self.base.clone(), Roster::All) }
    }

    async fn pull(&self, plan: PullPlan, sink: &Arc<Taken>) -> PullOutcome {
        self.pull_bounded(plan, sink, 1 << 20).await
    }

    async fn pull_bounded(&self, plan: PullPlan, sink: &Arc<Taken>, bytes: u64) -> PullOutcome {
        let fetcher = Fetcher::new(FetcherOptions {
            backoff_min: Duration::from_millis(1),
            backoff_max: Duration::from_millis(4),
            body_bytes_max: bytes,
            // Every third of many requests at once: more tries than chance can use up.
            retries_max: 12,
            direct: true,
            ..FetcherOptions::default()
        })
        .unwrap();
        Puller::new(fetcher, plan).pull(sink.clone(), Arc::new(Silent)).await
    }
}

fn failed_parts(outcome: &PullOutcome) -> Vec<&str> {
    let failed = outcome.parts.iter().filter(|p| matches!(p.state, PartState::Failed(_)));
    failed.map(|p| &*p.part).collect()
}

#[tokio::test]
async fn everything_comes_by_type_per_patient_and_by_everything() {
    for (require_patient, everything) in [(false, true), (true, true), (true, false)] {
        let options = SimulatorOptions { require_patient, everything, ..Default::default() };
        let world = world(options).await;
        let sink = Arc::new(Taken::default());
        let outcome = world.pull(world.plan(), &sink).await;
        assert_eq!(outcome.state(), "complete", "{require_patient} {everything}");
        let taken = sink.state.lock().unwrap();
        assert_eq!(taken.keys.len(), ALL, "{require_patient} {everything}");
        assert_eq!(outcome.entries(), taken.entries as u64);
        let per_patient = outcome.parts.iter().any(|p| &*p.part == "per patient");
        assert_eq!(per_patient, require_patient);
        assert!(taken.cursors.values().all(|c| &*c.state == "complete" && c.next_page.is_none()));
        assert!(taken.cursors.values().all(|c| c.complete_until.is_some() && c.began.is_none()));
    }
}

#[tokio::test]
async fn a_listed_roster_brings_nobody_else() {
    for everything in [true, false] {
        let world = world(SimulatorOptions { everything, ..Default::default() }).await;
        let roster = Roster::Listed(vec!["p1".into(), "p3".into()]);
        let sink = Arc::new(Taken::default());
        let outcome = world.pull(PullPlan { roster, ..world.plan() }, &sink).await;
        assert!(outcome.is_complete(), "{}", outcome.state());
        let taken = sink.state.lock().unwrap();
        assert_eq!(taken.keys.len(), 2 * 9 + 3);
        assert!(taken.keys.contains("Patient/p3") && !taken.keys.contains("Patient/p0"));
    }
}

#[tokio::test]
async fn passing_faults_pass() {
    let world = world(SimulatorOptions::default()).await;
    world.simulator.set_faults(vec![Fault::Unavailable { every: 3 }]);
    let sink = Arc::new(Taken::default());
    let outcome = world.pull(world.plan(), &sink).await;
    assert_eq!(outcome.state(), "complete");
    assert_eq!(sink.state.lock().unwrap().keys.len(), ALL);
}

#[tokio::test]
async fn a_broken_part_does_not_stop_the_others() {
    let goal = ResourceType::of("Goal");
    for (fault, text) in [
        (Fault::Broken(goal), "Goal: the endpoint answered 500, exception"),
        (Fault::Forbidden(ResourceType::of("Organization")), "Organization: the endpoint refuses"),
    ] {
        let world = world(SimulatorOptions::default()).await;
        world.simulator.set_faults(vec![fault]);
        let sink = Arc::new(Taken::default());
        let outcome = world.pull(world.plan(), &sink).await;
        assert_eq!(failed_parts(&outcome).len(), 1);
        assert!(outcome.state().contains(text), "{}", outcome.state());
        let taken = sink.state.lock().unwrap();
        let failed = failed_parts(&outcome)[0];
        assert!(taken.cursors[failed].state.starts_with("failed: "));
        assert_eq!(taken.cursors[failed].complete_until, None);
        assert!(taken.keys.len() >= PATIENTS * 2);
    }
}

#[tokio::test]
async fn bad_paging_and_bad_content_end_with_a_reason() {
    for (fault, text) in [
        (Fault::PagingLoop, "paging goes in circles"),
        (Fault::EndlessPaging, "more than 40 pages"),
        (Fault::ForeignLinks, "outside the endpoint's base url"),
        (Fault::WrongContent, "something other than a Bundle"),
        (Fault::Huge { bytes: 20_000 }, "larger than 10000 bytes"),
    ] {
        let world = world(SimulatorOptions::default()).await;
        world.simulator.set_faults(vec![fault.clone()]);
        let sink = Arc::new(Taken::default());
        let plan = PullPlan { pages_max: 40, ..world.plan() };
        let outcome = world.pull_bounded(plan, &sink, 10_000).await;
        assert!(outcome.state().contains(text), "{fault:?}: {}", outcome.state());
        let taken = sink.state.lock().unwrap();
        assert!(taken.pages <= 4 * 40, "{fault:?}");
        let failed = failed_parts(&outcome);
        assert!(failed.iter().all(|part| taken.cursors[*part].next_page.is_none()), "{fault:?}");
    }
}

#[tokio::test]
async fn an_endpoint_that_cannot_be_pulled_says_why() {
    let world = world(SimulatorOptions::default()).await;
    let sink = Arc::new(Taken::default());
    world.simulator.set_faults(vec![Fault::WrongVersion]);
    let state = world.pull(world.plan(), &sink).await.state();
    assert!(state.contains("speaks FHIR 3.0.2"), "{state}");
    let elsewhere = Base::parse(&format!("{}/none", world.base.text())).unwrap();
    let state = world.pull(PullPlan { base: elsewhere, ..world.plan() }, &sink).await.state();
    assert!(state.contains("metadata answered 404"), "{state}");
    // Lasting trouble: after two failures in a row nothing more is asked.
    world.simulator.set_faults(vec![Fault::Truncated]);
    let state = world.pull(world.plan(), &sink).await.state();
    assert!(state.contains("broke off"), "{state}");
    assert_eq!(sink.state.lock().unwrap().pages, 0);
}

#[tokio::test]
async fn the_breaker_opens_after_failures_in_a_row() {
    let world = world(SimulatorOptions::default()).await;
    let broken = ["Coverage", "Goal", "Organization", "Patient"];
    let faults = broken.map(|name| Fault::Broken(ResourceType::of(name)));
    world.simulator.set_faults(faults.to_vec());
    let sink = Arc::new(Taken::default());
    let plan = PullPlan { failures_max: 2, concurrency: 1, ..world.plan() };
    let outcome = world.pull(plan, &sink).await;
    assert_eq!(failed_parts(&outcome), broken);
    let open = outcome.parts.iter().filter(|p| p.state.to_string().contains("in a row"));
    assert_eq!(open.count(), 2);
}

#[tokio::test]
async fn patients_that_cannot_be_listed_are_a_clear_failure() {
    let world = world(SimulatorOptions { require_patient: true, ..Default::default() }).await;
    world.simulator.set_faults(vec![Fault::Forbidden(ResourceType::of("Patient"))]);
    let sink = Arc::new(Taken::default());
    let outcome = world.pull(world.plan(), &sink).await;
    assert_eq!(failed_parts(&outcome), ["Patient", "per patient"]);
    assert!(outcome.parts.iter().any(|p| p.state.to_string().contains("file:PATH")));
    assert_eq!(sink.state.lock().unwrap().keys.len(), 3);
}

#[tokio::test]
async fn an_interrupted_pull_goes_on_where_it_stopped() {
    for require_patient in [false, true] {
        let options = SimulatorOptions { require_patient, everything: false, ..Default::default() };
        let world = world(options).await;
        let mut cursors = BTreeMap::new();
        let mut keys = BTreeSet::new();
        let mut entries = 0;
        for round in 0..60 {
            let sink = Arc::new(Taken { pages_max: Some(5), ..Taken::default() });
            let plan = PullPlan { cursors: cursors.clone(), concurrency: 2, ..world.plan() };
            let outcome = world.pull(plan, &sink).await;
            let mut taken = sink.state.lock().unwrap();
            cursors.append(&mut taken.cursors);
            keys.append(&mut taken.keys);
            entries += taken.entries;
            if keys.len() == ALL {
                break;
            }
            assert!(round < 50, "no progress: {}", outcome.state());
        }
        assert_eq!(keys.len(), ALL, "{require_patient}");
        if !require_patient {
            assert_eq!(entries, ALL, "no page came twice");
        }
    }
}

#[tokio::test]
async fn a_second_pull_brings_only_what_changed() {
    for require_patient in [false, true] {
        let world = world(SimulatorOptions { require_patient, ..Default::default() }).await;
        let first = Arc::new(Taken::default());
        assert!(world.pull(world.plan(), &first).await.is_complete());
        let cursors = first.state.lock().unwrap().cursors.clone();
        let goal =
            json!({"resourceType": "Goal", "id": "new", "subject": {"reference": "Patient/p2"}});
        world.simulator.put(goal.to_string().into()).unwrap();
        assert!(world.simulator.delete(ResourceType::of("Patient"), "p5"));
        let second = Arc::new(Taken::default());
        let outcome = world.pull(PullPlan { cursors, ..world.plan() }, &second).await;
        assert_eq!(outcome.state(), "complete");
        let taken = second.state.lock().unwrap();
        assert!(taken.keys.contains("Goal/new"));
        // Per patient, the roster is listed anew.
        let patients = if require_patient { PATIENTS - 1 } else { 0 };
        assert_eq!(taken.keys.len(), 1 + patients, "{:?}", taken.keys);
    }
}

#[tokio::test]
async fn a_deleted_patient_of_a_list_is_reported_as_gone() {
    let world = world(SimulatorOptions { require_patient: true, ..Default::default() }).await;
    world.simulator.delete(ResourceType::of("Patient"), "p5");
    let roster = Roster::Listed(vec!["p1".into(), "p5".into()]);
    let sink = Arc::new(Taken::default());
    let outcome = world.pull(PullPlan { roster, ..world.plan() }, &sink).await;
    assert!(outcome.is_complete(), "{}", outcome.state());
    assert_eq!(sink.state.lock().unwrap().gone, ["p5"]);
}

#[tokio::test]
async fn a_failing_sink_stops_the_pull() {
    let world = world(SimulatorOptions::default()).await;
    let sink = Arc::new(Taken { pages_max: Some(1), ..Taken::default() });
    let before = world.simulator.requests();
    let outcome = world.pull(world.plan(), &sink).await;
    assert!(!outcome.is_complete());
    assert!(world.simulator.requests() - before <= 8);
}

#[tokio::test]
async fn progress_ends_with_every_part_done() {
    let world = world(SimulatorOptions { require_patient: true, ..Default::default() }).await;
    let last = Arc::new(Last::default());
    let fetcher = Fetcher::new(FetcherOptions { direct: true, ..Default::default() }).unwrap();
    let sink = Arc::new(Taken::default());
    let outcome = Puller::new(fetcher, world.plan()).pull(sink, last.clone()).await;
    let progress = *last.0.lock().unwrap();
    assert_eq!(progress.parts_done, progress.parts);
    assert_eq!(progress.parts, 4 + PATIENTS);
    assert_eq!(progress.entries, outcome.entries());
    assert_eq!(progress.announced, progress.entries);
}
