//! The settings of one endpoint.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::duration;

/// One `[[endpoint]]`: a configured place that data comes from.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointConfig {
    /// Stable id, part of every source record's key: lower-case letters, digits, `-`, `_`.
    pub id: String,
    /// Name for people.
    #[serde(default)]
    pub name: String,
    /// How it is read.
    #[serde(default)]
    pub kind: EndpointKind,
    /// Base URL; `files` endpoints may have none, a `client` has none.
    #[serde(default)]
    pub url: String,
    /// How we prove who we are.
    #[serde(default)]
    pub auth: AuthConfig,
    /// How much and how often it is pulled.
    #[serde(default)]
    pub pull: PullConfig,
    /// Used by survivorship only where no better rule decides; larger is trusted more.
    #[serde(default)]
    pub trust: i32,
    /// Identifier of the organisation whose system it is: `system|value`, or a URN. Its word counts
    /// for what that organisation, or who works for it, has ordered, does or keeps.
    #[serde(default)]
    pub organization: Option<String>,
    /// Which patients are pulled.
    #[serde(default)]
    pub patients: RosterConfig,
    /// PEM file of certification authorities trusted for this endpoint, besides the system's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

/// How an endpoint is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EndpointKind {
    /// A FHIR R4 REST server.
    #[default]
    Fhir,
    /// A Bulk Data export.
    Bulk,
    /// Only by files handed to `ingest`; never pulled.
    Files,
    /// Messages sent to us (HL7 v2, care records).
    Feed,
    /// A client that writes to the FHIR face: what it writes are its claims. Never pulled.
    Client,
}

/// How we prove who we are to an endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum AuthConfig {
    /// Not at all.
    #[default]
    None,
    /// A fixed token, sent to the endpoint's exact origin only.
    Bearer {
        /// The token; set it by `CAREWEAVE_ENDPOINT__<ID>__AUTH__TOKEN_FILE`.
        token: Secret,
    },
    /// SMART Backend Services.
    SmartBackend {
        /// Our client id there.
        client_id: String,
        /// File of our private key.
        key_file: PathBuf,
        /// Scopes to ask for.
        scope: String,
    },
}

/// A secret that never shows in logs or messages.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub Box<str>);

/// How much and how often an endpoint is pulled.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PullConfig {
    /// Time between two pulls of `serve`; default 15m.
    #[serde(with = "duration")]
    pub every: Duration,
    /// Resources asked for per page; default 100, which most servers grant.
    pub page_size: u32,
    /// Requests under way at once; default 4, which a small server bears.
    pub concurrency: usize,
    /// Subtracted from the server's clock when a pull ended, so that what was being written
    /// meanwhile comes with the next pull; default 2m.
    #[serde(with = "duration")]
    pub overlap: Duration,
}

/// Which patients are pulled.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RosterConfig {
    /// `all`, `file:PATH`, `group:ID` or `match`.
    #[serde(default)]
    pub from: RosterSource,
}

/// Where the roster comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum RosterSource {
    /// Every Patient the endpoint shows.
    #[default]
    All,
    /// The ids in a file, one a line.
    File(PathBuf),
    /// The members of a Group at the endpoint.
    Group(String),
    /// Persons that we know, found by `$match`.
    Match,
}

impl Default for PullConfig {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(15 * 60),
            page_size: 100,
            concurrency: 4,
            overlap: Duration::from_secs(2 * 60),
        }
    }
}

impl EndpointConfig {
    /// An endpoint with the defaults of everything else.
    pub fn new(id: &str, name: &str, url: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            kind: EndpointKind::default(),
            url: url.to_owned(),
            auth: AuthConfig::default(),
            pull: PullConfig::default(),
            trust: 0,
            organization: None,
            patients: RosterConfig::default(),
            ca_file: None,
        }
    }

    /// The name for people; the id when none is set.
    pub fn label(&self) -> &str {
        if self.name.is_empty() { &self.id } else { &self.name }
    }
}

impl EndpointKind {
    /// The kind as written in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fhir => "fhir",
            Self::Bulk => "bulk",
            Self::Files => "files",
            Self::Feed => "feed",
            Self::Client => "client",
        }
    }
}

impl TryFrom<String> for RosterSource {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "all" => Ok(Self::All),
            None if text == "match" => Ok(Self::Match),
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            Some(("group", id)) if !id.is_empty() => Ok(Self::Group(id.to_owned())),
            None | Some(_) => {
                Err(format!("unknown roster \"{text}\"; known: all, file:PATH, group:ID, match"))
            }
        }
    }
}

impl From<RosterSource> for String {
    fn from(source: RosterSource) -> Self {
        match source {
            RosterSource::All => "all".to_owned(),
            RosterSource::File(path) => format!("file:{}", path.display()),
            RosterSource::Group(id) => format!("group:{id}"),
            RosterSource::Match => "match".to_owned(),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
