//! The configuration: `careweave.toml`, overridden by the environment.
//!
//! Defaults, then the file, then `CAREWEAVE_*` with `__` between levels
//! (`CAREWEAVE_SERVER__LISTEN`; an endpoint's setting as `CAREWEAVE_ENDPOINT__<ID>__URL`).
//! `…_FILE` reads the value from a file, for secrets.

mod check;
mod duration;
mod endpoint;
mod limits;
mod load;
mod log;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use check::{Finding, Severity};
pub use duration::{format_duration, parse_duration};
pub use endpoint::{
    AuthConfig, EndpointConfig, EndpointKind, PullConfig, RosterConfig, RosterSource, Secret,
};
pub use limits::LimitsConfig;
pub use load::ConfigError;
pub use log::{LogConfig, LogLevel, LogStyle};

/// The whole configuration.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where the store and its secrets live.
    pub data_dir: PathBuf,
    /// `[server]`.
    pub server: ServerConfig,
    /// `[store]`.
    pub store: StoreConfig,
    /// `[security]`.
    pub security: SecurityConfig,
    /// `[[endpoint]]`.
    pub endpoint: Vec<EndpointConfig>,
    /// `[identity]`.
    pub identity: IdentityConfig,
    /// `[reconcile]`.
    pub reconcile: ReconcileConfig,
    /// `[care]`.
    pub care: CareConfig,
    /// `[profiles]`.
    pub profiles: ProfilesConfig,
    /// `[limits]`.
    pub limits: LimitsConfig,
    /// `[log]`.
    pub log: LogConfig,
}

/// `[server]`: where the gateway listens.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// Address and port.
    pub listen: SocketAddr,
    /// What all links begin with; empty: `http://` and the listen address.
    pub public_base_url: String,
}

/// `[store]`: which engine keeps the data.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    /// The engine.
    pub engine: StoreEngine,
    /// Connection URL of the engine `postgres`.
    pub url: Option<Secret>,
}

/// A storage engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreEngine {
    /// Embedded, in `data_dir`.
    #[default]
    Sled,
    /// PostgreSQL 15 or later.
    Postgres,
}

/// `[security]`: who may ask.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SecurityConfig {
    /// The mode.
    pub mode: SecurityMode,
}

/// Who may ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecurityMode {
    /// Clients with a SMART Backend Services token.
    #[default]
    Smart,
    /// Anyone who reaches the port; on loopback only.
    Open,
}

/// `[identity]`: how persons are matched.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IdentityConfig {
    /// File of the match model; none: the one that is compiled in.
    pub model: Option<PathBuf>,
    /// Which links need a second steward before they take effect.
    pub second_reviewer: SecondReviewer,
    /// Systems of identifiers that `$ihe-pix` knows; none: any.
    pub domains: Vec<String>,
}

/// Which links of stewards need a second steward.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecondReviewer {
    /// None: one is enough.
    #[default]
    Never,
    /// Those of two persons who each have several charts, or whose charts contradict each other.
    Risky,
    /// All that join two persons.
    Always,
}

/// `[profiles]`: what resources are validated by.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProfilesConfig {
    /// FHIR packages (`.tgz`) and folders of packages.
    pub packages: Vec<PathBuf>,
}

/// `[reconcile]`: how records are woven.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReconcileConfig {
    /// File of the policy; none: the one that is compiled in.
    pub policy: Option<PathBuf>,
    /// Files of ConceptMaps whose rows are added to those that are compiled in.
    pub crosswalk: Vec<PathBuf>,
}

/// `[care]`: how care management is written in FHIR.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CareConfig {
    /// File of a concept map whose rows replace those of the same id that are compiled in, or are
    /// added to them.
    pub concepts: Option<PathBuf>,
}

/// The text of a profile file: the site's own, or the one that is compiled in.
///
/// # Errors
/// When the site's file cannot be read.
pub fn profile_text(path: Option<&Path>, embedded: &str) -> Result<String, ConfigError> {
    match path {
        None => Ok(embedded.to_owned()),
        Some(path) => load::read_text(path),
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: "careweave-data".into(),
            server: ServerConfig::default(),
            store: StoreConfig::default(),
            security: SecurityConfig::default(),
            endpoint: Vec::new(),
            identity: IdentityConfig::default(),
            reconcile: ReconcileConfig::default(),
            care: CareConfig::default(),
            profiles: ProfilesConfig::default(),
            limits: LimitsConfig::default(),
            log: LogConfig::default(),
        }
    }
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8080)), public_base_url: String::new() }
    }
}

impl ServerConfig {
    /// What all links begin with, without trailing slash.
    pub fn base_url(&self) -> String {
        match self.public_base_url.trim_end_matches('/') {
            "" => format!("http://{}", self.listen),
            base => base.to_owned(),
        }
    }
}
