//! What happens at ctrl-c and at the termination signal.

use std::io::{self, Write};
use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::CliError;
use crate::pipeline::Gateway;

/// Exit status of a process that was interrupted twice, as shells have it.
const INTERRUPTED: i32 = 130;

/// Both signals.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> Result<Self, CliError> {
        let (interrupt, terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(Self { interrupt, terminate })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// From now on the first signal stops the gateway at its next safe point, and the second one ends
/// the process at once: what is acknowledged is durable either way.
///
/// # Errors
/// When the system lets nobody listen for signals.
pub(super) fn stop_on_signal(gateway: Arc<Gateway>) -> Result<(), CliError> {
    on_signal(move || gateway.stop())
}

/// The same for whatever stops when it is told so.
///
/// # Errors
/// When the system lets nobody listen for signals.
pub(super) fn on_signal(stop: impl FnOnce() + Send + 'static) -> Result<(), CliError> {
    let mut signals = Signals::new()?;
    tokio::spawn(async move {
        signals.next().await;
        stop();
        tracing::info!("stopping");
        // Nobody may be reading; that is no reason to go on.
        let told = "stopping: what is in hand ends first; interrupt again to end at once";
        let _ = writeln!(io::stderr(), "careweave: {told}");
        signals.next().await;
        std::process::exit(INTERRUPTED);
    });
    Ok(())
}
