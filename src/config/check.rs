//! What `check-config` finds: settings that parse but cannot work.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{
    AuthConfig, Config, EndpointConfig, EndpointKind, RosterSource, SecurityMode, StoreEngine,
};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The program cannot run so.
    Error,
    /// It runs, but probably not as meant.
    Warning,
}

/// Something wrong with a setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The setting: `endpoint.mercy.url`.
    pub key: String,
    /// What is wrong and what to do.
    pub text: String,
}

/// Ids become parts of keys, URLs and file names; 64 characters is R4's bound for ids.
const ENDPOINT_ID_LEN_MAX: usize = 64;

impl Config {
    /// Everything that is wrong with the settings, errors first.
    pub fn check(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        self.check_server(&mut findings);
        self.check_files(&mut findings);
        let mut seen = BTreeSet::new();
        for endpoint in &self.endpoint {
            check_endpoint(endpoint, &mut findings);
            if !seen.insert(endpoint.id.as_str()) {
                let text = "two endpoints have this id; give each its own".to_owned();
                push(&mut findings, Severity::Error, key(endpoint, "id"), text);
            }
        }
        if self.endpoint.is_empty() {
            let text = "no endpoint is configured; add an [[endpoint]] with id and url".to_owned();
            push(&mut findings, Severity::Warning, "endpoint".to_owned(), text);
        }
        findings.sort_by_key(|f| f.severity);
        findings
    }

    fn check_server(&self, findings: &mut Vec<Finding>) {
        let mut error = |key: &str, text: &str| {
            push(findings, Severity::Error, key.to_owned(), text.to_owned());
        };
        match self.security.mode {
            SecurityMode::Open if !self.server.listen.ip().is_loopback() => error(
                "security.mode",
                "\"open\" is refused unless server.listen is a loopback address; listen on \
                 127.0.0.1 or use \"smart\"",
            ),
            SecurityMode::Open => {}
            SecurityMode::Smart => error(
                "security.mode",
                "\"smart\" is not built yet; on a loopback address \"open\" can be used",
            ),
        }
        match self.store.engine {
            StoreEngine::Sled => {}
            StoreEngine::Postgres => {
                error("store.engine", "\"postgres\" is not built yet; use \"sled\"");
            }
        }
        let base = self.server.public_base_url.as_str();
        if !base.is_empty()
            && let Some(problem) = base_url_problem(base)
        {
            error("server.public_base_url", problem);
        }
    }

    fn check_files(&self, findings: &mut Vec<Finding>) {
        let crosswalks = self.reconcile.crosswalk.iter().map(|path| ("reconcile.crosswalk", path));
        let files = [
            ("identity.model", self.identity.model.as_ref()),
            ("reconcile.policy", self.reconcile.policy.as_ref()),
            ("care.concepts", self.care.concepts.as_ref()),
        ];
        let named = files.into_iter().filter_map(|(key, path)| Some((key, path?)));
        for (key, path) in named.chain(crosswalks).filter(|(_, path)| !path.is_file()) {
            let text = format!("no file at {}; correct the path", path.display());
            push(findings, Severity::Error, key.to_owned(), text);
        }
        for path in self.profiles.packages.iter().filter(|path| !path.exists()) {
            let text = format!("no file or folder at {}; correct the path", path.display());
            push(findings, Severity::Error, "profiles.packages".to_owned(), text);
        }
    }
}

fn check_endpoint(endpoint: &EndpointConfig, findings: &mut Vec<Finding>) {
    let mut error = |name: &str, text: String| {
        push(findings, Severity::Error, key(endpoint, name), text);
    };
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    let id = endpoint.id.as_str();
    if id.is_empty() || id.len() > ENDPOINT_ID_LEN_MAX || !id.chars().all(legal) {
        let text = "an id has 1 to 64 lower-case letters, digits, - and _; it is part of every \
                    source record's key, so choose one that can stay";
        error("id", text.to_owned());
    }
    match endpoint.kind {
        // Files need no URL; one that is given is what their absolute references begin with.
        EndpointKind::Files if endpoint.url.is_empty() => {}
        EndpointKind::Client if endpoint.url.is_empty() => {}
        EndpointKind::Client => error("url", "a client is never called; remove url".to_owned()),
        EndpointKind::Fhir | EndpointKind::Files => {
            if let Some(problem) = base_url_problem(&endpoint.url) {
                error("url", problem.to_owned());
            }
        }
        kind @ (EndpointKind::Bulk | EndpointKind::Feed) => {
            let name = kind.name();
            error("kind", format!("\"{name}\" is not built yet; known: fhir, files, client"));
        }
    }
    match endpoint.auth {
        AuthConfig::None | AuthConfig::Bearer { .. } => {}
        AuthConfig::SmartBackend { .. } => {
            error("auth.kind", "\"smart-backend\" is not built yet; known: none, bearer".to_owned())
        }
    }
    match &endpoint.patients.from {
        RosterSource::All => {}
        RosterSource::File(path) if path.is_file() => {}
        RosterSource::File(path) => {
            error("patients.from", format!("no file at {}; correct the path", path.display()));
        }
        RosterSource::Group(_) | RosterSource::Match => error(
            "patients.from",
            "rosters by group or match are not built yet; known: all, file:PATH".to_owned(),
        ),
    }
    if !(1..=1_000).contains(&endpoint.pull.page_size) {
        error("pull.page_size", "a page size is 1 to 1000".to_owned());
    }
    if !(1..=64).contains(&endpoint.pull.concurrency) {
        error("pull.concurrency", "concurrency is 1 to 64 requests at once".to_owned());
    }
    if let Some(path) = endpoint.ca_file.as_deref().filter(|path| !path.is_file()) {
        error("ca_file", format!("no file at {}; correct the path", path.display()));
    }
    if matches!(endpoint.kind, EndpointKind::Files | EndpointKind::Client)
        && endpoint.auth != AuthConfig::None
    {
        let text = "nothing is fetched from this kind of endpoint; remove auth".to_owned();
        push(findings, Severity::Warning, key(endpoint, "auth"), text);
    }
    if matches!(endpoint.auth, AuthConfig::Bearer { .. }) && endpoint.url.starts_with("http:") {
        let text = "a token is sent in the clear over http; use https".to_owned();
        push(findings, Severity::Warning, key(endpoint, "auth"), text);
    }
}

/// What is wrong with the form of a base URL, if anything.
fn base_url_problem(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return Some("a URL is needed: https://host/path");
    }
    let Ok(url) = reqwest::Url::parse(text) else {
        return Some("not a URL; write https://host/path");
    };
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Some("only http and https URLs with a host can be used");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Some("a base URL has no ? and no #; remove them");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Some("a base URL holds no user name or password; use auth");
    }
    None
}

fn key(endpoint: &EndpointConfig, name: &str) -> String {
    format!("endpoint.{}.{name}", endpoint.id)
}

fn push(findings: &mut Vec<Finding>, severity: Severity, key: String, text: String) {
    findings.push(Finding { severity, key, text });
}
