//! A site: a folder with a configuration, and the providers it names, on loopback.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use bytes::Bytes;
use careweave::net::{ServeOptions, serve};
use careweave::simulator::{Fault, Simulator, SimulatorOptions};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// A folder with a `careweave.toml` and running providers.
pub(crate) struct Site {
    dir: tempfile::TempDir,
    runtime: Runtime,
    bases: Vec<(String, String)>,
    simulators: Vec<(String, Simulator)>,
    environment: Vec<(&'static str, &'static str)>,
    /// Endpoints that are not servers.
    more: String,
}

/// A running `careweave serve`.
pub(crate) struct Gateway<'a> {
    site: &'a Site,
    process: Child,
    base: String,
}

impl Site {
    /// Starts these providers; one whose fixture does not exist is configured and down.
    pub(crate) fn new(endpoints: &[&str]) -> Self {
        Self::with(endpoints, "")
    }

    /// The same with more endpoints, as the configuration has them.
    pub(crate) fn with(endpoints: &[&str], more: &str) -> Self {
        let stated = endpoints.iter().map(|endpoint| (*endpoint, fixture(endpoint)));
        Self::made(stated.collect(), more)
    }

    /// Starts providers that state these resources; one that has none is configured and down.
    pub(crate) fn of(endpoints: Vec<(&str, Option<Vec<Bytes>>)>) -> Self {
        Self::made(endpoints, "")
    }

    /// The same with more endpoints, as the configuration has them.
    pub(crate) fn made(endpoints: Vec<(&str, Option<Vec<Bytes>>)>, more: &str) -> Self {
        let runtime = Runtime::new().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let (mut bases, mut simulators) = (Vec::new(), Vec::new());
        for (endpoint, resources) in endpoints {
            let (base, simulator) = runtime.block_on(provider(resources));
            bases.push((endpoint.to_owned(), base));
            simulators.extend(simulator.map(|simulator| (endpoint.to_owned(), simulator)));
        }
        let (environment, more) = (Vec::new(), more.to_owned());
        let site = Self { dir, runtime, bases, simulators, environment, more };
        let server = "[server]\nlisten = \"127.0.0.1:0\"\n[security]\nmode = \"open\"\n";
        std::fs::write(site.config(), site.with_endpoints(server)).unwrap();
        site
    }

    /// The base URL of a provider.
    pub(crate) fn base(&self, endpoint: &str) -> &str {
        &self.bases.iter().find(|(id, _)| id == endpoint).unwrap().1
    }

    /// Changes what goes wrong at a provider.
    pub(crate) fn set_faults(&self, endpoint: &str, faults: Vec<Fault>) {
        self.simulator(endpoint).set_faults(faults);
    }

    /// Sets a variable for the commands that come.
    pub(crate) fn set(&mut self, variable: &'static str, value: &'static str) {
        self.environment.push((variable, value));
    }

    /// How many requests a provider has had.
    pub(crate) fn requests(&self, endpoint: &str) -> u64 {
        self.simulator(endpoint).requests()
    }

    fn simulator(&self, endpoint: &str) -> &Simulator {
        &self.simulators.iter().find(|(id, _)| id == endpoint).unwrap().1
    }

    /// Runs a command that must end with this status; returns everything it printed.
    pub(crate) fn run(&self, args: &[&str], status: i32) -> String {
        let output = self.command().args(args).output().unwrap();
        let told = [output.stdout, output.stderr].concat();
        let told = String::from_utf8(told).unwrap();
        assert_eq!(output.status.code(), Some(status), "{args:?}: {told}");
        told
    }

    /// Runs a command that logs everything; returns what it printed on stderr.
    pub(crate) fn run_traced(&self, args: &[&str], status: i32) -> String {
        let output = self.command().env("CAREWEAVE_LOG", "trace").args(args).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{args:?}: {told}");
        told
    }

    /// Runs a command with another beginning of the configuration.
    pub(crate) fn run_with(&self, settings: &str, args: &[&str], status: i32) -> String {
        let other = self.dir.path().join("other.toml");
        std::fs::write(&other, self.with_endpoints(settings)).unwrap();
        let mut all = vec!["--config", other.to_str().unwrap()];
        all.extend(args);
        self.run(&all, status)
    }

    /// Runs a command that must succeed and print one JSON document.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let output = self.command().args(args).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {told}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Starts `careweave serve` and waits until it listens.
    pub(crate) fn serve(&self) -> Gateway<'_> {
        self.serve_with("", Stdio::inherit())
    }

    /// The same with more settings, and the log sent elsewhere.
    pub(crate) fn serve_with(&self, settings: &str, log: Stdio) -> Gateway<'_> {
        let other = self.dir.path().join("serve.toml");
        let own = std::fs::read_to_string(self.config()).unwrap();
        std::fs::write(&other, format!("{settings}\n{own}")).unwrap();
        let mut command = self.command();
        command.arg("serve").arg("--config").arg(&other).stdout(Stdio::piped()).stderr(log);
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = lines.next().unwrap().unwrap();
        let base = line.strip_prefix("listening on ").unwrap().to_owned();
        Gateway { site: self, process, base }
    }

    /// Starts a command without waiting for its end.
    pub(crate) fn start(&self, args: &[&str]) -> Child {
        let mut command = self.command();
        command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// A file of the site.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The program, about to run in the folder.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_careweave"));
        command.current_dir(self.dir.path()).envs(self.environment.iter().copied());
        command
    }

    fn config(&self) -> PathBuf {
        self.dir.path().join("careweave.toml")
    }

    fn with_endpoints(&self, settings: &str) -> String {
        let endpoints = self
            .bases
            .iter()
            .map(|(id, url)| format!("[[endpoint]]\nid = \"{id}\"\nurl = \"{url}\"\n"));
        let limits = match settings.contains("[limits]") {
            true => "",
            false => "[limits]\nretries_max = 0\nconnect_timeout = \"1s\"\n",
        };
        format!("{settings}{limits}{}{}", endpoints.collect::<String>(), self.more)
    }
}

impl Gateway<'_> {
    /// Host and port.
    pub(crate) fn address(&self) -> String {
        let rest = self.base.trim_start_matches("http://");
        rest.split('/').next().unwrap_or_default().to_owned()
    }

    /// A GET below `/fhir` that must succeed.
    pub(crate) fn get(&self, path: &str) -> Value {
        let (status, body) = self.fetch(path);
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// The status of a GET below `/fhir`.
    pub(crate) fn status(&self, path: &str) -> u16 {
        self.fetch(path).0
    }

    /// Status and body of a GET below the root.
    pub(crate) fn root(&self, path: &str) -> (u16, String) {
        self.fetch(&format!("../{path}"))
    }

    fn fetch(&self, path: &str) -> (u16, String) {
        self.send(path, |client, url| client.get(url))
    }

    /// Any request below `/fhir`.
    pub(crate) fn send(
        &self,
        path: &str,
        request: impl FnOnce(&reqwest::Client, String) -> reqwest::RequestBuilder,
    ) -> (u16, String) {
        careweave::net::install_crypto_provider();
        let url = format!("{}/{}", self.base, path.replace('|', "%7C"));
        self.site.runtime.block_on(async {
            let answer = request(&reqwest::Client::new(), url).send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        })
    }

    /// Sends it the termination signal; returns its exit status once it has ended.
    pub(crate) fn terminate(&mut self) -> Option<i32> {
        signal(&self.process, "-TERM");
        self.process.wait().unwrap().code()
    }
}

/// Sends a signal to a process of ours.
pub(crate) fn signal(process: &Child, name: &str) {
    let pid = process.id().to_string();
    assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
}

impl Drop for Gateway<'_> {
    fn drop(&mut self) {
        // It may have been stopped by the test.
        let _ = self.process.kill();
        self.process.wait().unwrap();
    }
}

/// What a provider's fixture states.
fn fixture(endpoint: &str) -> Option<Vec<Bytes>> {
    let fixture = format!("fixtures/two-providers/{endpoint}.ndjson");
    let fixture = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(fixture);
    let stated = std::fs::read_to_string(fixture).ok()?;
    Some(stated.lines().map(|line| Bytes::from(line.to_owned())).collect())
}

/// Serves a provider's resources; returns its base URL.
async fn provider(resources: Option<Vec<Bytes>>) -> (String, Option<Simulator>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/fhir", listener.local_addr().unwrap());
    let Some(resources) = resources else { return (base, None) };
    let options = SimulatorOptions { base_url: Some(base.clone()), ..SimulatorOptions::default() };
    let (simulator, refused) = Simulator::new(options, resources);
    assert!(refused.is_empty());
    let forever = std::future::pending();
    tokio::spawn(serve(listener, simulator.router(), forever, ServeOptions::default()));
    (base, Some(simulator))
}
