//! What can go wrong in a store.

/// A failed store call.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else changed what the commit was decided on: read again and retry.
    #[error("the commit was decided on rows that have changed since; nothing was stored")]
    Conflict,
    /// The engine failed.
    #[error("could not {operation}")]
    Engine {
        /// What was being done.
        operation: &'static str,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A stored value does not decode.
    #[error("a stored {what} is damaged; set the data directory aside and pull again")]
    Damaged {
        /// What it was to be.
        what: &'static str,
    },
    /// The store was written by a later careweave.
    #[error("the store has format {found}, this careweave knows up to {known}; use a newer one")]
    Newer {
        /// Format of the store.
        found: u32,
        /// Newest format this code reads.
        known: u32,
    },
    /// Another process has the store open.
    #[error("the data directory {path} is in use by another careweave; stop it or use --data-dir")]
    InUse {
        /// The directory.
        path: String,
    },
}
