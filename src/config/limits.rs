//! Every bound of the program, with its default and its reason.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::duration;

/// `[limits]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// Largest request body we accept; default 16 MiB: a large transition document with its
    /// attachments.
    pub request_body_bytes_max: u64,
    /// Entries of a batch or transaction; default 500: a transition of care with all its records.
    pub bundle_entries_max: usize,
    /// Largest page we read from an endpoint; default 64 MiB: 100 resources with embedded
    /// documents. Pages are held in memory, one per request under way.
    pub page_bytes_max: u64,
    /// Largest file that `ingest` reads as a whole (a resource, a Bundle, XML); default 256 MiB:
    /// ten times the largest Bundle of one patient that we have seen. A line of NDJSON is bounded
    /// like a page, its file is not.
    pub file_bytes_max: u64,
    /// Files below the paths of one `ingest`; default 1,000,000. What comes after is left out,
    /// and that is said.
    pub files_max: usize,
    /// Pages of one part (a type, or a patient) in one pull; default 100,000: ten million
    /// resources at the default page size. More is a paging loop.
    pub pages_max: u32,
    /// Patients of one endpoint pulled one by one; default 1,000,000, DESIGN's largest store.
    pub roster_max: usize,
    /// Times a request is tried again; default 4: with back-off about half a minute.
    pub retries_max: u32,
    /// First wait before a retry, doubled each time; default 500ms.
    #[serde(with = "duration")]
    pub backoff_min: Duration,
    /// Longest wait before a retry, also for a server's `Retry-After`; default 30s.
    #[serde(with = "duration")]
    pub backoff_max: Duration,
    /// Failed requests in a row after which an endpoint is left alone until the next pull;
    /// default 8.
    pub failures_max: u32,
    /// Time to open a connection to an endpoint; default 10s.
    #[serde(with = "duration")]
    pub connect_timeout: Duration,
    /// Time for a whole answer of an endpoint; default 120s: slow servers take 30 s a page.
    #[serde(with = "duration")]
    pub fetch_timeout: Duration,
    /// Connections served at once; default 1,024. More wait in the listen queue.
    pub connections_max: usize,
    /// Time for a client to send its request head; default 10s, against clients that dribble.
    #[serde(with = "duration")]
    pub header_timeout: Duration,
    /// Time for one request to be answered; default 60s.
    #[serde(with = "duration")]
    pub request_timeout: Duration,
    /// Time that requests under way get to end at shutdown; default 10s.
    #[serde(with = "duration")]
    pub drain_timeout: Duration,
    /// Longest wait of a read for its person to be settled; default 2s, after which the answer
    /// says how much is pending.
    #[serde(with = "duration")]
    pub settle_wait: Duration,
    /// Largest `_count` of a search; default 500.
    pub search_count_max: usize,
    /// Requests worked on at once; default 256: half of the threads that may block. More are
    /// answered 503 with `Retry-After`.
    pub requests_max: usize,
    /// Homes that may wait for settling before pulled pages wait too; default 50,000: a first
    /// pull of a usual store runs through, and an endpoint that floods us does not outrun us.
    pub dirty_homes_max: usize,
    /// Homes that one transaction of settling takes on; default 64. More are faster and take more
    /// memory.
    pub homes_per_settle: usize,
    /// Members of a panel; default 50,000: a payer's programme in one county. Each is looked up
    /// whenever the panel is read, so larger ones are several panels.
    pub panel_members_max: usize,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            request_body_bytes_max: 16 << 20,
            bundle_entries_max: 500,
            page_bytes_max: 64 << 20,
            file_bytes_max: 256 << 20,
            files_max: 1_000_000,
            pages_max: 100_000,
            roster_max: 1_000_000,
            retries_max: 4,
            backoff_min: Duration::from_millis(500),
            backoff_max: Duration::from_secs(30),
            failures_max: 8,
            connect_timeout: Duration::from_secs(10),
            fetch_timeout: Duration::from_secs(120),
            connections_max: 1_024,
            header_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(60),
            drain_timeout: Duration::from_secs(10),
            settle_wait: Duration::from_secs(2),
            search_count_max: 500,
            requests_max: 256,
            dirty_homes_max: 50_000,
            homes_per_settle: 64,
            panel_members_max: 50_000,
        }
    }
}
