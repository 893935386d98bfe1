//! Log events on stderr, as text or as one JSON object a line.

use std::any::Any;
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
    let message = fixed_message(panic.payload());
    let thread = std::thread::current();
    tracing::error!(place, message, thread = thread.name(), "panicked");
}

fn fixed_message(payload: &(dyn Any + Send)) -> &'static str {
    payload.downcast_ref::<&'static str>().copied().unwrap_or("(withheld: it may hold data)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_tells_what_is_fixed_in_the_code_and_nothing_else() {
        let told = |panics: fn()| {
            let payload = std::panic::catch_unwind(panics).expect_err("it panics");
            fixed_message(&*payload)
        };
        assert_eq!(told(|| panic!("a row without id")), "a row without id");
        let quoting = told(|| {
            let name = std::hint::black_box("Núñez");
            // Cut within a letter: the message would quote the whole name.
            let _ = &name[..2];
        });
        assert!(quoting.contains("withheld"), "{quoting}");
    }
}
