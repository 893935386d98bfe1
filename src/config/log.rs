//! `[log]`: what is logged, and how.

use serde::{Deserialize, Serialize};

/// `[log]`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// How events are written.
    pub format: LogStyle,
    /// From which level on; none: `info` for `serve`, `warn` for other commands.
    pub level: Option<LogLevel>,
}

/// How events are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogStyle {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// From which level on events of ours are logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// What failed.
    Error,
    /// What may go wrong.
    Warn,
    /// A line a request, pulled part and settled batch.
    Info,
    /// More.
    Debug,
    /// Everything.
    Trace,
}
