//! The wish to stop: told once, seen by whoever works in steps.

use tokio::sync::watch;

/// Whether the gateway is to stop. Work under way ends at its next safe point.
pub(super) struct Stop(watch::Sender<bool>);

impl Stop {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    pub(super) fn tell(&self) {
        self.0.send_replace(true);
    }

    pub(super) fn is_told(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns when it is told.
    pub(super) async fn told(&self) {
        // The sender is our own, so it cannot be gone.
        let _ = self.0.subscribe().wait_for(|told| *told).await;
    }
}
