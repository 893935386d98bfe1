//! What is to be pulled from one endpoint, and within which bounds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::config::{AuthConfig, EndpointConfig, EndpointKind, LimitsConfig, RosterSource};
use crate::flow::Cursor;
use crate::net::{Base, BaseError, Bearer, FetchError, Fetcher, FetcherOptions};

/// What is to be pulled from one endpoint.
#[derive(Clone, Debug)]
pub struct PullPlan {
    /// The endpoint's id.
    pub endpoint: Arc<str>,
    /// Its base URL.
    pub base: Base,
    /// Which patients.
    pub roster: Roster,
    /// Where earlier pulls stand, by part.
    pub cursors: BTreeMap<Arc<str>, Cursor>,
    /// Ignores the cursors: everything, from the beginning.
    pub full: bool,
    /// Resources asked for per page.
    pub page_size: u32,
    /// Requests under way at once.
    pub concurrency: usize,
    /// Subtracted from the server's clock at the beginning of a complete pull.
    pub overlap: Duration,
    /// Pages of one part.
    pub pages_max: u64,
    /// Patients pulled one by one.
    pub roster_max: usize,
    /// Failures in a row after which the endpoint is left alone.
    pub failures_max: u32,
}

/// Which patients are pulled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Roster {
    /// Every Patient the endpoint shows.
    All,
    /// These ids; patient data is pulled for nobody else.
    Listed(Vec<Box<str>>),
}

/// An endpoint cannot be pulled as it is configured.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The URL cannot be used.
    #[error("endpoint \"{endpoint}\": url: {source}")]
    Url {
        /// The endpoint's id.
        endpoint: String,
        /// Why.
        source: BaseError,
    },
    /// The client cannot be set up.
    #[error("endpoint \"{endpoint}\": {source}")]
    Client {
        /// The endpoint's id.
        endpoint: String,
        /// Why.
        source: FetchError,
    },
    /// A setting that this version does not support.
    #[error("endpoint \"{endpoint}\": {what} is not built yet")]
    NotBuilt {
        /// The endpoint's id.
        endpoint: String,
        /// The setting.
        what: &'static str,
    },
    /// The roster file cannot be read.
    #[error("endpoint \"{endpoint}\": roster {path}: {source}", path = path.display())]
    RosterFile {
        /// The endpoint's id.
        endpoint: String,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line of the roster file is no id.
    #[error(
        "endpoint \"{endpoint}\": line {line} of the roster is no Patient id; write one id a line"
    )]
    RosterLine {
        /// The endpoint's id.
        endpoint: String,
        /// The line, from 1.
        line: usize,
    },
}

/// The client and the plan for a configured endpoint; reads its roster file. The cursors are
/// the caller's to fill in.
///
/// # Errors
/// When a setting cannot be used.
pub fn plan_of(
    endpoint: &EndpointConfig,
    limits: &LimitsConfig,
) -> Result<(Fetcher, PullPlan), PlanError> {
    let id = || endpoint.id.clone();
    match endpoint.kind {
        EndpointKind::Fhir => {}
        EndpointKind::Bulk | EndpointKind::Files | EndpointKind::Feed | EndpointKind::Client => {
            return Err(PlanError::NotBuilt { endpoint: id(), what: "pulling this kind" });
        }
    }
    let base =
        Base::parse(&endpoint.url).map_err(|source| PlanError::Url { endpoint: id(), source })?;
    let bearer = match &endpoint.auth {
        AuthConfig::None => None,
        AuthConfig::Bearer { token } => Some(Bearer { base: base.clone(), token: token.0.clone() }),
        AuthConfig::SmartBackend { .. } => {
            return Err(PlanError::NotBuilt { endpoint: id(), what: "auth \"smart-backend\"" });
        }
    };
    let roster = match &endpoint.patients.from {
        RosterSource::All => Roster::All,
        RosterSource::File(path) => Roster::Listed(read_roster(&endpoint.id, path)?),
        RosterSource::Group(_) => {
            return Err(PlanError::NotBuilt { endpoint: id(), what: "a roster by group" });
        }
        RosterSource::Match => {
            return Err(PlanError::NotBuilt { endpoint: id(), what: "a roster by match" });
        }
    };
    let fetcher = Fetcher::new(FetcherOptions {
        timeout_connect: limits.connect_timeout,
        timeout_total: limits.fetch_timeout,
        body_bytes_max: limits.page_bytes_max,
        ca_file: endpoint.ca_file.clone(),
        retries_max: limits.retries_max,
        backoff_min: limits.backoff_min,
        backoff_max: limits.backoff_max,
        seed: seed(&endpoint.id),
        bearer,
        direct: base.is_loopback(),
        ..FetcherOptions::default()
    })
    .map_err(|source| PlanError::Client { endpoint: id(), source })?;
    let plan = PullPlan {
        page_size: endpoint.pull.page_size,
        concurrency: endpoint.pull.concurrency.max(1),
        overlap: endpoint.pull.overlap,
        pages_max: limits.pages_max.into(),
        roster_max: limits.roster_max,
        failures_max: limits.failures_max.max(1),
        ..PullPlan::new(&endpoint.id, base, roster)
    };
    Ok((fetcher, plan))
}

impl PullPlan {
    /// A first pull with the default bounds.
    pub fn new(endpoint: &str, base: Base, roster: Roster) -> Self {
        Self {
            endpoint: endpoint.into(),
            base,
            roster,
            cursors: BTreeMap::new(),
            full: false,
            page_size: 100,
            concurrency: 4,
            overlap: Duration::from_secs(120),
            pages_max: 100_000,
            roster_max: 1_000_000,
            failures_max: 8,
        }
    }
}

/// Ids, one a line; empty lines and lines after `#` do not count.
fn read_roster(endpoint: &str, path: &Path) -> Result<Vec<Box<str>>, PlanError> {
    let text = std::fs::read_to_string(path).map_err(|source| PlanError::RosterFile {
        endpoint: endpoint.to_owned(),
        path: path.to_owned(),
        source,
    })?;
    let mut ids = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let id = line.trim();
        let id = id.strip_prefix("Patient/").unwrap_or(id);
        if id.is_empty() || id.starts_with('#') {
            continue;
        }
        if !is_id(id) {
            let endpoint = endpoint.to_owned();
            return Err(PlanError::RosterLine { endpoint, line: index + 1 });
        }
        ids.push(id.into());
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// <https://hl7.org/fhir/R4/datatypes.html#id>
fn is_id(text: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.');
    // Some servers use longer ids and `_`; a path segment can hold them.
    (1..=255).contains(&text.len()) && text.bytes().all(|b| legal(b) || b == b'_')
}

/// Endpoints that fail together do not come back together.
fn seed(id: &str) -> u64 {
    let hash = crate::flow::Hash::of(id.as_bytes()).0;
    u64::try_from(hash >> 64).unwrap_or(0)
}
