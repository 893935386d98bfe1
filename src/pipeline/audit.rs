//! The audit writer: entries that come at once are committed at once, in one group.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{mpsc, oneshot};

use crate::store::{AuditEntry, Store};

use super::gateway::GatewayError;

/// Entries that may wait for the disk before readers have to wait: bounds memory.
const QUEUE_MAX: usize = 4096;
/// Entries of one commit.
const GROUP_MAX: usize = 512;

type Waiting = (AuditEntry, oneshot::Sender<bool>);

/// Hands entries to the one thread that appends to the trail.
pub(super) struct AuditWriter {
    queue: mpsc::Sender<Waiting>,
    /// The last group could not be stored.
    failing: Arc<AtomicBool>,
}

impl AuditWriter {
    /// Starts the writer's thread; it ends when the writer is dropped.
    pub(super) fn start(store: Arc<dyn Store>) -> Self {
        let (queue, mut waiting) = mpsc::channel::<Waiting>(QUEUE_MAX);
        let failing = Arc::new(AtomicBool::new(false));
        let failed = failing.clone();
        std::thread::spawn(move || {
            let mut group: Vec<Waiting> = Vec::new();
            while waiting.blocking_recv_many(&mut group, GROUP_MAX) > 0 {
                let (entries, answers): (Vec<AuditEntry>, Vec<_>) = group.drain(..).unzip();
                let stored = match store.audit(&entries) {
                    Ok(()) => true,
                    Err(error) => {
                        tracing::error!(%error, entries = entries.len(), "audit failed");
                        false
                    }
                };
                failed.store(!stored, Ordering::Relaxed);
                for answer in answers {
                    // A reader that has gone away needs no answer.
                    let _ = answer.send(stored);
                }
            }
        });
        Self { queue, failing }
    }

    /// Whether the last entries were stored and more can come.
    pub(super) fn takes_entries(&self) -> bool {
        !self.queue.is_closed() && !self.failing.load(Ordering::Relaxed)
    }

    /// Appends one entry; returns when it is durable.
    ///
    /// # Errors
    /// `Audit` when it could not be stored.
    pub(super) async fn append(&self, entry: AuditEntry) -> Result<(), GatewayError> {
        let (answer, stored) = oneshot::channel();
        self.queue.send((entry, answer)).await.map_err(|_| GatewayError::Audit)?;
        match stored.await {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(GatewayError::Audit),
        }
    }
}
