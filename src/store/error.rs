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
    /// The disk takes no more.
    #[error(
        "could not {operation}: the disk of the data directory is full; free some space and \
         start careweave again, it goes on where it stopped"
    )]
    Full {
        /// What was being done.
        operation: &'static str,
    },
    /// The data directory may not be written.
    #[error(
        "could not {operation}: the data directory may not be written; give careweave the \
         right to, or use --data-dir"
    )]
    ReadOnly {
        /// What was being done.
        operation: &'static str,
    },
    /// The files were deleted while they were in use.
    #[error("the files of the store were deleted; put them back or pull again, then start anew")]
    Removed,
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
