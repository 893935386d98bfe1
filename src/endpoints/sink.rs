//! Where pages go, and who is told how far a pull is.

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;

use crate::flow::Cursor;

/// Takes pages. Implemented by the pipeline: ingest, then the accept commit with the cursor.
pub trait PageSink: Send + Sync {
    /// Takes one page's body (a searchset Bundle) of a part, with the cursor to store in the
    /// same commit. Returns when both are durable.
    fn page(
        &self,
        part: Arc<str>,
        body: Bytes,
        cursor: Cursor,
    ) -> impl Future<Output = Result<PageReceipt, SinkError>> + Send;

    /// Stores the state of a part that failed, without a page.
    fn failed(
        &self,
        part: Arc<str>,
        cursor: Cursor,
    ) -> impl Future<Output = Result<(), SinkError>> + Send;

    /// Takes the news that the endpoint deleted a Patient (`410 Gone`).
    fn gone(&self, patient: &str) -> impl Future<Output = Result<(), SinkError>> + Send;

    /// Returns when no more pages are wanted: the pull then ends behind the page in hand.
    fn stopping(&self) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }
}

/// A page is durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PageReceipt {
    /// Entries taken, of whatever disposition.
    pub entries: u64,
}

/// A page could not be made durable; the pull of this endpoint stops.
#[derive(Debug, thiserror::Error)]
#[error("the page could not be stored")]
pub struct SinkError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// How far a pull is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PullProgress {
    /// Parts (types, then patients) that ended, well or not.
    pub parts_done: usize,
    /// Parts known so far.
    pub parts: usize,
    /// Entries received.
    pub entries: u64,
    /// Entries that the endpoint announced so far; 0 if it announces none.
    pub announced: u64,
}

/// Is told how far a pull is, after every page.
pub trait Progress: Send + Sync {
    /// Takes the current state; must not block.
    fn update(&self, progress: PullProgress);
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn update(&self, _: PullProgress) {}
}
