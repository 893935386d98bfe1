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

/// Told whether the entry is durable.
type Told = Box<dyn FnOnce(bool) + Send>;

type Waiting = (AuditEntry, Told);

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
                for tell in answers {
                    tell(stored);
                }
            }
        });
        Self { queue, failing }
    }

    /// Whether the last entries were stored and more can come.
    pub(super) fn takes_entries(&self) -> bool {
        !self.queue.is_closed() && !self.failing.load(Ordering::Relaxed)
    }

    /// Appends one entry; tells, from the writer's thread, whether it is durable. Blocks while
    /// the queue is full.
    pub(super) fn append_then(&self, entry: AuditEntry, tell: impl FnOnce(bool) + Send + 'static) {
        if let Err(closed) = self.queue.blocking_send((entry, Box::new(tell))) {
            let (_, tell) = closed.0;
            tell(false);
        }
    }

    /// Appends one entry; returns when it is durable.
    ///
    /// # Errors
    /// `Audit` when it could not be stored.
    pub(super) async fn append(&self, entry: AuditEntry) -> Result<(), GatewayError> {
        let (answer, stored) = oneshot::channel();
        // A reader that has gone away needs no answer.
        let tell = Box::new(|stored| {
            let _ = answer.send(stored);
        });
        self.queue.send((entry, tell)).await.map_err(|_| GatewayError::Audit)?;
        match stored.await {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(GatewayError::Audit),
        }
    }
}
