//! The gateway: a store with the policy, the model and the endpoints that go with it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::fhir::search::SearchTable;
use crate::flow::{Owner, RecordKey};
use crate::store::{AuditEntry, Store, StoreError};

/// The running gateway, shared by API, CLI and workers.
pub struct Gateway {
    store: Arc<dyn Store>,
    public_base_url: String,
    endpoints: Vec<EndpointState>,
}

/// What is known of an endpoint's freshness; handed out with every answer (P6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointState {
    /// Its id.
    pub id: Arc<str>,
    /// Its name.
    pub name: Box<str>,
    /// Its base URL, without trailing slash.
    pub base_url: Box<str>,
    /// `complete`, `running`, `never pulled`, `failed: …` (without patient data).
    pub state: Box<str>,
    /// Whether its data may be out of date or partial.
    pub stale: bool,
    /// Everything up to here is held.
    pub complete_until: Option<Timestamp>,
}

/// A failed gateway call.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

impl Gateway {
    /// A gateway over a filled store, that pulls and weaves nothing.
    #[cfg(test)]
    pub(crate) fn for_tests(store: Arc<dyn Store>, endpoints: Vec<EndpointState>) -> Self {
        Self { store, public_base_url: "http://gateway.test".to_owned(), endpoints }
    }

    /// The store, for reads.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The search parameters in force.
    pub fn search_table(&self) -> &SearchTable {
        SearchTable::embedded()
    }

    /// What all links begin with, without trailing slash: `http://127.0.0.1:8080`.
    pub fn public_base_url(&self) -> &str {
        &self.public_base_url
    }

    /// Writes an audit entry; returns when it is durable. Entries are committed in groups.
    ///
    /// # Errors
    /// When the store fails: nothing may be disclosed then.
    pub async fn audit(&self, entry: AuditEntry) -> Result<(), GatewayError> {
        Ok(self.store.audit(&[entry])?)
    }

    /// The state of every configured endpoint, by id.
    pub fn endpoint_states(&self) -> Vec<EndpointState> {
        self.endpoints.clone()
    }

    /// Settles what is dirty for this owner, waiting at most so long; returns how many homes
    /// are still pending in the whole store. Blocking.
    ///
    /// # Errors
    /// When the store fails.
    pub fn settle_for_read(
        &self,
        _owner: Option<Owner>,
        _wait: Duration,
    ) -> Result<usize, GatewayError> {
        Ok(0)
    }

    /// The source record that an absolute URL under one of the endpoints' bases names.
    pub fn record_of_url(&self, url: &str) -> Option<RecordKey> {
        let of = |e: &EndpointState| {
            url.strip_prefix(&*e.base_url)?.strip_prefix('/').map(str::to_owned)
        };
        let (endpoint, rest) = self.endpoints.iter().find_map(|e| Some((e, of(e)?)))?;
        let (name, id) = rest.split_once('/')?;
        Some(RecordKey::new(&endpoint.id, crate::fhir::ResourceType::parse(name)?, id))
    }
}
