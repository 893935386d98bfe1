//! What operators see: logs and metrics. Neither holds patient data.
//!
//! Labels and log fields come from closed sets: route templates, status classes, endpoint ids,
//! resource types, stages. Never an id of a record or person, a name, a value or a URL.

mod exposition;
mod flow_metrics;
mod http_metrics;
mod instruments;
mod log;
mod process;

pub use exposition::{Exposition, Kind};
pub use flow_metrics::{EndpointMetrics, FlowMetrics, StageMetrics};
pub use http_metrics::HttpMetrics;
pub use instruments::{Counter, Gauge, Histogram};
pub use log::{LogFormat, start_log};
pub use process::process_metrics;
