//! The HTTP face of the gateway: the unified view over FHIR R4, and the claims of clients.
//! <https://hl7.org/fhir/R4/http.html>
//!
//! One file an interaction. Every answer that tells of a person goes through
//! `answer`: the work runs on a blocking thread, its audit entry is durable,
//! then the bytes leave.

mod access;
mod answer;
mod batch;
mod body;
mod call;
mod care_dates;
mod care_loops;
mod care_needs;
mod care_person;
mod care_progress;
mod chain;
mod claim;
mod client;
mod completeness;
mod concepts;
mod conditional;
mod create;
mod delete;
mod docref;
mod entries;
mod error;
mod everything;
mod filter;
mod group;
mod group_write;
mod guard;
mod history;
mod history_page;
mod hit;
mod ihe_pix;
mod include;
mod inner;
mod match_patient;
mod mdm;
mod member_match;
mod meta;
mod metadata;
mod metrics;
mod named;
mod offer;
mod operations;
mod order;
mod paging;
mod panel_goals;
mod parameters;
mod params;
mod patch;
mod patient_ref;
mod posted;
mod provenance;
mod provenance_search;
mod query;
mod read;
mod reader;
mod respond;
mod result_params;
mod root;
mod routes;
mod scope;
mod search;
mod searchset;
mod served;
mod source;
#[cfg(test)]
mod tests;
mod transaction;
mod update;
mod validate;
mod vread;
mod write;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use bytes::Bytes;

use tokio::sync::{Mutex, Semaphore};

use crate::pipeline::Gateway;
use crate::telemetry::HttpMetrics;

use posted::PostedSearches;

/// Bounds of the HTTP face.
#[derive(Clone, Debug)]
pub struct ApiOptions {
    /// Rows of a page when the client states no `_count`.
    pub page_size_default: usize,
    /// Rows of a page at most; a greater `_count` is cut to it.
    pub page_size_max: usize,
    /// Rows that the cross-person index may propose before a search is `too-costly`.
    pub candidates_max: usize,
    /// Included rows of one page at most.
    pub included_max: usize,
    /// Entries of a batch or transaction at most.
    pub bundle_entries_max: usize,
    /// Bytes of a request body at most.
    pub body_bytes_max: usize,
    /// Bytes of a request's path and query at most.
    pub url_bytes_max: usize,
    /// Searches by POST whose links still work, at most; older ones are forgotten.
    pub posted_searches_max: usize,
    /// Bytes of their parameters at most, all together.
    pub posted_bytes_max: usize,
    /// Requests worked on at once; more are refused.
    pub requests_max: usize,
    /// How long an answer may take.
    pub request_timeout: Duration,
    /// How long a read waits for a dirty person to be settled.
    pub settle_wait: Duration,
    /// How long a search across persons waits for whatever is dirty; shorter, because a pull
    /// that is under way keeps somebody dirty all the time.
    pub settle_all_wait: Duration,
}

/// What every handler is given.
#[derive(Clone)]
struct Api {
    gateway: Arc<Gateway>,
    options: Arc<ApiOptions>,
    posted: Arc<PostedSearches>,
    began: jiff::Timestamp,
    metrics: Arc<HttpMetrics>,
    free: Arc<Semaphore>,
    last_header: Arc<completeness::LastHeader>,
    /// The CapabilityStatement: nothing that it tells of changes while this runs.
    statement: Arc<OnceLock<Bytes>>,
    /// Held by the write that is under way: what it looked at first still holds when it is done.
    writes: Arc<Mutex<()>>,
}

/// The routes of the gateway.
pub fn router(gateway: Arc<Gateway>, options: ApiOptions) -> Router {
    let body_limit = DefaultBodyLimit::max(options.body_bytes_max);
    let posted = Arc::new(PostedSearches::new(&options));
    let free = Arc::new(Semaphore::new(options.requests_max));
    let metrics = Arc::new(HttpMetrics::default());
    let options = Arc::new(options);
    let (began, last_header) = (jiff::Timestamp::now(), Arc::default());
    let (statement, writes) = (Arc::default(), Arc::default());
    let api =
        Api { gateway, options, posted, began, metrics, free, last_header, statement, writes };
    routes::routes()
        .layer(body_limit)
        .layer(axum::middleware::from_fn_with_state(api.clone(), guard::guard))
        .with_state(api)
}

impl Default for ApiOptions {
    fn default() -> Self {
        Self {
            page_size_default: 50,
            page_size_max: 500,
            candidates_max: 10_000,
            included_max: 1_000,
            bundle_entries_max: 500,
            body_bytes_max: 64 * 1024,
            url_bytes_max: 8 * 1024,
            posted_searches_max: 1024,
            // Mostly far less: only the longest forms come near 8 KiB each.
            posted_bytes_max: 8 * 1024 * 1024,
            requests_max: 256,
            request_timeout: Duration::from_secs(30),
            settle_wait: Duration::from_secs(2),
            settle_all_wait: Duration::from_millis(250),
        }
    }
}
