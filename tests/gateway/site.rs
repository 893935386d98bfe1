//! A site: a folder with a configuration, and the providers it names, on loopback.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use bytes::Bytes;
use careweave::net::{ServeOptions, serve};
use careweave::simulator::{Simulator, SimulatorOptions};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// A folder with a `careweave.toml` and running providers.
pub(crate) struct Site {
    dir: tempfile::TempDir,
    runtime: Runtime,
    bases: Vec<(String, String)>,
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
        let runtime = Runtime::new().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let mut bases = Vec::new();
        for endpoint in endpoints {
            bases.push(((*endpoint).to_owned(), runtime.block_on(provider(endpoint))));
        }
        let site = Self { dir, runtime, bases, more: more.to_owned() };
        let server = "[server]\nlisten = \"127.0.0.1:0\"\n[security]\nmode = \"open\"\n";
        std::fs::write(site.config(), site.with_endpoints(server)).unwrap();
        site
    }

    /// The base URL of a provider.
    pub(crate) fn base(&self, endpoint: &str) -> &str {
        &self.bases.iter().find(|(id, _)| id == endpoint).unwrap().1
    }

    /// Runs a command that must end with this status; returns everything it printed.
    pub(crate) fn run(&self, args: &[&str], status: i32) -> String {
        let output = self.command().args(args).output().unwrap();
        let told = [output.stdout, output.stderr].concat();
        let told = String::from_utf8(told).unwrap();
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
        let mut process = self.command().arg("serve").stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = lines.next().unwrap().unwrap();
        let base = line.strip_prefix("listening on ").unwrap().to_owned();
        Gateway { site: self, process, base }
    }

    /// The folder, in which commands run.
    pub(crate) fn folder(&self) -> &Path {
        self.dir.path()
    }

    /// The program, about to run in the folder.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_careweave"));
        command.current_dir(self.dir.path());
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

    fn fetch(&self, path: &str) -> (u16, String) {
        careweave::net::install_crypto_provider();
        let url = format!("{}/{}", self.base, path.replace('|', "%7C"));
        self.site.runtime.block_on(async {
            let answer = reqwest::get(url).await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        })
    }
}

impl Drop for Gateway<'_> {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Serves a provider's fixture; returns its base URL.
async fn provider(endpoint: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/fhir", listener.local_addr().unwrap());
    let fixture = format!("fixtures/two-providers/{endpoint}.ndjson");
    let fixture = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(fixture);
    let Ok(stated) = std::fs::read_to_string(fixture) else { return base };
    let resources = stated.lines().map(|line| Bytes::from(line.to_owned()));
    let options = SimulatorOptions { base_url: Some(base.clone()), ..SimulatorOptions::default() };
    let (simulator, refused) = Simulator::new(options, resources);
    assert!(refused.is_empty());
    let forever = std::future::pending();
    tokio::spawn(serve(listener, simulator.router(), forever, ServeOptions::default()));
    base
}
