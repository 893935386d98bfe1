//! `careweave pull`, killed at any page and while it settles, and started again until it is done.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use careweave::net::{ServeOptions, serve};
use careweave::population;
use careweave::simulator::{Simulator, SimulatorOptions};

use super::state::{CRASHES, Dice, TODAY, assert_same, copy, gateway, kills_wanted, state};

const PERSONS: usize = 5;
const PAGE: usize = 15;
const KILLS_PER_STORE: usize = 6;
/// What is waited beyond the chosen request.
const BEYOND: Duration = Duration::from_millis(25);

/// Providers that outlive the processes that pull from them.
pub(crate) struct Providers {
    _runtime: Runtime,
    pub(crate) simulators: Vec<(&'static str, String, Simulator)>,
}

impl Providers {
    pub(crate) fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let population = population::generate(11, PERSONS, TODAY);
        let mut simulators = Vec::new();
        for endpoint in population.endpoints {
            let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
            let url = format!("http://{}/fhir", listener.local_addr().unwrap());
            let options = SimulatorOptions {
                id: endpoint.id.to_owned(),
                require_patient: endpoint.requires_patient,
                everything: endpoint.offers_everything,
                page_size: PAGE,
                base_url: Some(url.clone()),
                ..SimulatorOptions::default()
            };
            let resources = endpoint.resources.iter().map(|r| Bytes::from(r.to_string()));
            let (simulator, _) = Simulator::new(options, resources);
            let forever = std::future::pending();
            runtime.spawn(serve(listener, simulator.router(), forever, ServeOptions::default()));
            simulators.push((endpoint.id, url, simulator));
        }
        Self { _runtime: runtime, simulators }
    }

    /// A configuration that names them, in a directory.
    pub(crate) fn write_config(&self, dir: &Path) {
        let mut config = "[server]\nlisten = \"127.0.0.1:0\"\n[security]\nmode = \"open\"\n\
                          [limits]\nretries_max = 0\n"
            .to_owned();
        for (id, url, _) in &self.simulators {
            // One request at a time: every run brings the records in the same order.
            config += &format!(
                "[[endpoint]]\nid = \"{id}\"\nurl = \"{url}\"\n\
                 pull = {{ page_size = {PAGE}, concurrency = 1 }}\n"
            );
        }
        std::fs::write(dir.join("careweave.toml"), config).unwrap();
    }
}

/// The program, in a directory.
pub(crate) fn careweave(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_careweave"));
    // The program takes what begins so for a setting.
    command.env_remove(CRASHES).current_dir(dir).args(args);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs the program, which must succeed; returns its stdout.
pub(crate) fn run(dir: &Path, args: &[&str]) -> String {
    let output = careweave(dir, args).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {told}");
    String::from_utf8(output.stdout).unwrap()
}

/// What the pull of one endpoint took when nobody killed it.
struct Measured {
    requests: u64,
    after_last_request: Duration,
}

fn measure(dir: &Path, (id, _, simulator): &(&str, String, Simulator)) -> Measured {
    let before = simulator.requests();
    let mut child = careweave(dir, &["pull", "--quiet", "--endpoint", id]).spawn().unwrap();
    let mut seen = before;
    let mut last = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if simulator.requests() != seen {
            seen = simulator.requests();
            last = Instant::now();
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    Measured { requests: seen - before, after_last_request: last.elapsed() }
}

#[test]
fn a_killed_pull_ends_as_one_that_was_never_killed() {
    let providers = Providers::start();
    let seed = tempfile::tempdir().unwrap();
    providers.write_config(seed.path());
    run(seed.path(), &["ledger", "--json"]);
    let whole = tempfile::tempdir().unwrap();
    copy(seed.path(), whole.path());
    let measured: Vec<Measured> =
        providers.simulators.iter().map(|endpoint| measure(whole.path(), endpoint)).collect();
    let ledger = run(whole.path(), &["ledger", "--json"]);
    assert!(ledger.lines().count() > 100, "{ledger}");
    let expected = state(&gateway(&whole.path().join("careweave-data")));

    let mut dice = Dice(4);
    let mut kills = 0;
    while kills < kills_wanted() {
        let killed = tempfile::tempdir().unwrap();
        copy(seed.path(), killed.path());
        for (endpoint, took) in providers.simulators.iter().zip(&measured) {
            for _ in 0..KILLS_PER_STORE / providers.simulators.len() {
                kills += usize::from(kill_one(&mut dice, killed.path(), endpoint, took));
            }
            run(killed.path(), &["pull", "--quiet", "--endpoint", endpoint.0]);
        }
        assert_eq!(run(killed.path(), &["ledger", "--json"]), ledger);
        run(killed.path(), &["verify", "--quiet"]);
        assert_same(&state(&gateway(&killed.path().join("careweave-data"))), &expected);
    }
    eprintln!("pull: {kills} kills");
}

/// Kills one pull, after so many requests or while it settles. Returns whether it came in time.
fn kill_one(
    dice: &mut Dice,
    dir: &Path,
    (id, _, simulator): &(&str, String, Simulator),
    took: &Measured,
) -> bool {
    let asked = match dice.roll(3) {
        0 => took.requests,
        _ => dice.roll(took.requests + 1),
    };
    let beyond = dice.delay(if asked == took.requests { took.after_last_request } else { BEYOND });
    let until = simulator.requests() + asked;
    let mut child = careweave(dir, &["pull", "--quiet", "--endpoint", id]).spawn().unwrap();
    while simulator.requests() < until {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    std::thread::sleep(beyond);
    let ended = child.try_wait().unwrap().is_some();
    child.kill().unwrap();
    child.wait().unwrap();
    !ended
}
