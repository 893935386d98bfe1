//! What makes views dirty without a new record: another policy, model or weave code, and the
//! day that has come.

use crate::flow::{Access, Home, Owner};

use super::gateway::{Gateway, GatewayError};

/// Owners whose day has come that are marked at once.
const DUE_PER_SWEEP: usize = 1024;

impl Gateway {
    /// Marks dirty what was made with other code, policy or model than the present, and what
    /// looks different today. Settling is the caller's.
    ///
    /// # Errors
    /// When the store fails.
    pub fn refresh_stale(&self) -> Result<(), GatewayError> {
        let access = Access::system();
        let present = self.view_stamp();
        // Every view is made with the stamp of its time, and a changed stamp marks all views in
        // one go: so the first one speaks for the others.
        let first: Option<Owner> = self.store().owners(&access, None, 1)?.first().copied();
        let stale = match first {
            Some(owner) => self.store().view(&access, owner)?.is_some_and(|head| {
                let same = head.stamp.weave == present.weave
                    && head.stamp.policy == present.policy
                    && head.stamp.model == present.model;
                !same
            }),
            None => false,
        };
        if stale {
            self.store().mark_dirty(None)?;
        }
        self.sweep_due()
    }

    /// Marks dirty the owners whose day has come.
    ///
    /// # Errors
    /// When the store fails.
    pub fn sweep_due(&self) -> Result<(), GatewayError> {
        let access = Access::system();
        let mut homes: Vec<Home> = Vec::new();
        for owner in self.store().due(&access, self.today(), DUE_PER_SWEEP)? {
            if let Some(head) = self.store().view(&access, owner)? {
                homes.extend(head.homes.into_iter().take(1));
            }
        }
        if !homes.is_empty() {
            self.store().mark_dirty(Some(&homes))?;
        }
        Ok(())
    }
}
