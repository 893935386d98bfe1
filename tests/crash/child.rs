//! What runs in a process of its own, to be killed: this binary again, with a job in its
//! environment. It says on stdout what has been acknowledged.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use serde_json::{Value, json};

use careweave::fhir::StructureCheck;
use careweave::flow::{Access, ChartKey, Cursor, Verdict};
use careweave::ingest::{EndpointBases, Ingest};
use careweave::pipeline::{CursorAt, Gateway, GatewayError, accept};
use careweave::population;

use super::state::{ENDPOINTS, TODAY, base, gateway};

const JOB: &str = "CAREWEAVE_CRASH_JOB";
const PERSONS: usize = 6;
const PAGE: usize = 12;
const PART: &str = "pages";
/// Pages between two settles.
const SETTLE_EVERY: usize = 6;
/// How many decisions there are to take.
pub(crate) const DECISIONS: usize = 24;

/// A page of an endpoint.
pub(crate) struct Page {
    pub(crate) endpoint: Arc<str>,
    body: Vec<u8>,
}

#[test]
#[ignore = "runs in the process that another test kills"]
fn child() {
    let Ok(job) = std::env::var(JOB) else { return };
    let (what, dir) = job.split_once(' ').unwrap();
    let gateway = gateway(Path::new(dir));
    match what {
        "ingest" => ingest_rest(&gateway, &mut done),
        "settle" => {
            gateway.store().mark_dirty(None).unwrap();
            done(0);
            gateway.settle_all(&mut |homes, _| done(homes)).unwrap();
        }
        "decide" => {
            let from = std::env::var("CAREWEAVE_CRASH_FROM").unwrap().parse().unwrap();
            (from..DECISIONS).for_each(|nth| {
                decide(&gateway, nth);
                done(nth);
            });
        }
        other => panic!("no such job: {other}"),
    }
    done(usize::MAX);
}

fn done(nth: usize) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "done {nth}").unwrap();
    out.flush().unwrap();
}

/// Starts a job on a store.
pub(crate) fn start(what: &str, dir: &Path, from: usize) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "child::child", "--nocapture"])
        .env(JOB, format!("{what} {}", dir.display()))
        .env("CAREWEAVE_CRASH_FROM", from.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// What the child has told so far or still tells.
pub(crate) fn told(child: &mut Child) -> impl Iterator<Item = usize> + use<> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.map_while(Result::ok).filter_map(|line| {
        // The harness begins its line before the child's first one.
        let (_, nth) = line.split_once("done ")?;
        nth.parse().ok()
    })
}

/// The pages there are to ingest, endpoints in turn.
pub(crate) fn pages() -> &'static [Page] {
    static PAGES: OnceLock<Vec<Page>> = OnceLock::new();
    PAGES.get_or_init(|| {
        let population = population::generate(7, PERSONS, TODAY);
        let mut by_endpoint = Vec::new();
        for (endpoint, id) in population.endpoints.iter().zip(ENDPOINTS) {
            let bundle = |resources: &[Value]| Page {
                endpoint: id.into(),
                body: bundle(id, resources).to_string().into_bytes(),
            };
            by_endpoint.push(endpoint.resources.chunks(PAGE).map(bundle).collect::<Vec<_>>());
        }
        let mut pages = Vec::new();
        let mut columns: Vec<_> = by_endpoint.into_iter().map(Vec::into_iter).collect();
        loop {
            let row: Vec<Page> = columns.iter_mut().filter_map(Iterator::next).collect();
            if row.is_empty() {
                return pages;
            }
            pages.extend(row);
        }
    })
}

fn bundle(endpoint: &str, resources: &[Value]) -> Value {
    let entries = resources.iter().map(|resource| {
        let name = |key: &str| resource[key].as_str().unwrap_or("unknown").to_owned();
        let url = format!("{}/{}/{}", base(endpoint), name("resourceType"), name("id"));
        json!({"fullUrl": url, "resource": resource})
    });
    json!({"resourceType": "Bundle", "type": "searchset", "entry": entries.collect::<Vec<_>>()})
}

/// How many pages the store's cursors say it has.
pub(crate) fn pages_in(gateway: &Gateway) -> usize {
    let cursors = ENDPOINTS
        .iter()
        .flat_map(|id| gateway.store().cursors(&Access::system(), id).unwrap().into_values());
    let places = cursors.filter_map(|c| c.next_page?.parse::<usize>().ok());
    places.max().unwrap_or(0)
}

pub(crate) fn ingested(nth: usize) -> careweave::flow::Ingested {
    static INGEST: OnceLock<Ingest> = OnceLock::new();
    let ingest = INGEST.get_or_init(|| {
        let bases = ENDPOINTS.map(|id| (base(id), id.into()));
        Ingest::new(Arc::new(StructureCheck::new(&[]).unwrap()), EndpointBases::new(bases))
    });
    let at = Timestamp::from_second(1_795_000_000 + i64::try_from(nth).unwrap()).unwrap();
    let page = &pages()[nth];
    ingest.page(&page.endpoint, at, &page.body)
}

/// Ingests the pages that the store does not have, telling each one.
pub(crate) fn ingest_rest(gateway: &Gateway, done: &mut dyn FnMut(usize)) {
    for nth in pages_in(gateway)..pages().len() {
        let cursor = Cursor { next_page: Some((nth + 1).to_string().into()), ..Cursor::default() };
        let at = CursorAt { part: PART.into(), cursor };
        let endpoint = &pages()[nth].endpoint;
        accept(gateway.store().as_ref(), endpoint, &ingested(nth), Some(&at)).unwrap();
        done(nth);
        if (nth + 1) % SETTLE_EVERY == 0 {
            gateway.settle_all(&mut |_, _| {}).unwrap();
        }
    }
}

/// The pair that a decision is about, and what is decided; none: the decision is undone.
pub(crate) fn decision(nth: usize) -> (ChartKey, ChartKey, Option<Verdict>) {
    static PATIENTS: OnceLock<Vec<Vec<String>>> = OnceLock::new();
    let patients = PATIENTS.get_or_init(|| {
        let population = population::generate(7, PERSONS, TODAY);
        let of = |endpoint: &population::PopulationEndpoint| {
            let patients = endpoint.resources.iter().filter(|r| r["resourceType"] == "Patient");
            patients.filter_map(|r| r["id"].as_str().map(str::to_owned)).collect()
        };
        population.endpoints.iter().map(of).collect()
    });
    let patient = |endpoint: usize, nth: usize| {
        let of = &patients[endpoint];
        ChartKey::new(ENDPOINTS[endpoint], &of[nth % of.len()])
    };
    let verdict = match nth % 5 {
        0 | 3 => Some(Verdict::Link),
        1 => Some(Verdict::NoMatch),
        2 => Some(Verdict::Link),
        _ => None,
    };
    (patient(0, nth / 3), patient(1, nth / 2), verdict)
}

/// Takes a decision, by its number.
pub(crate) fn decide(gateway: &Gateway, nth: usize) {
    let (a, b, verdict) = decision(nth);
    match verdict {
        // A link that contradicts an earlier no-match is refused, killed or not.
        Some(verdict) => match gateway.decide(verdict, (&a, &b), "steward", "") {
            Ok(_) | Err(GatewayError::KeptApart(_)) => {}
            Err(error) => panic!("{error}"),
        },
        None => drop(gateway.undo(&[(a, b)], "steward", "").unwrap()),
    }
}
