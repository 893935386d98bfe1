//! Log events on stderr, as text or as one JSON object a line.

use std::panic::PanicHookInfo;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

/// How events are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, fields at its top.
    Json,
}

/// Starts the log: our own events from this level on (`off` to `trace`), those of libraries from
/// warnings on, because at finer levels they may tell of URLs. Panics become events of ours.
pub fn start_log(format: LogFormat, level: LevelFilter) {
    super::process::started();
    let ours =
        Targets::new().with_default(LevelFilter::WARN.min(level)).with_target("careweave", level);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry();
    match format {
        LogFormat::Text => registry.with(lines.with_filter(ours)).init(),
        LogFormat::Json => {
            let lines = lines.json().flatten_event(true);
            registry.with(lines.with_filter(ours)).init();
        }
    }
    std::panic::set_hook(Box::new(log_panic));
}

/// A panic's message may quote what was being worked on (a text that was cut at a wrong place is
/// printed whole), so only messages that are fixed in the code are told.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let message = panic.payload().downcast_ref::<&'static str>();
    let message = message.copied().unwrap_or("(withheld: it may hold data)");
    let thread = std::thread::current();
    tracing::error!(place, message, thread = thread.name(), "panicked");
}
