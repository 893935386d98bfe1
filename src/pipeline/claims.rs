//! What clients write: their claims come in like what any endpoint states, and are settled before
//! the write is answered.

use std::collections::BTreeSet;
use std::sync::{Arc, MutexGuard};

use jiff::{SignedDuration, Timestamp};

use crate::config::EndpointKind;
use crate::fhir::StructureCheck;
use crate::flow::{Access, DerivedId, Home, Ingested, RecordKey};
use crate::ingest::{EndpointBases, Ingest};

use super::accept::accept;
use super::gateway::{Gateway, GatewayError};

impl Gateway {
    /// The clients that may write, by id.
    pub fn clients(&self) -> Vec<Arc<str>> {
        let clients = self.endpoints().iter().filter(|e| e.kind == EndpointKind::Client);
        clients.map(|client| client.id.clone()).collect()
    }

    /// What reads the claims of clients.
    ///
    /// # Errors
    /// When the profiles do not compile.
    pub fn claims_ingest(&self) -> Result<&Ingest, GatewayError> {
        if let Some(ingest) = self.ingest_cell().get() {
            return Ok(ingest);
        }
        let check = StructureCheck::new(&[]).map_err(GatewayError::Profiles)?;
        let endpoints = self.endpoints().iter();
        let bases = endpoints.map(|e| (e.facts.base_url.clone(), e.id.clone()));
        let ingest = Ingest::new(Arc::new(check), EndpointBases::new(bases));
        Ok(self.ingest_cell().get_or_init(|| Arc::new(ingest)))
    }

    /// Has claims read by this one, which may be shared with pulls.
    pub fn use_ingest(&self, ingest: Arc<Ingest>) {
        // One that is in use already reads the same.
        drop(self.ingest_cell().set(ingest));
    }

    /// Keeps views as they are until this is dropped: nothing settles.
    pub fn hold_views(&self) -> MutexGuard<'_, ()> {
        self.settling()
    }

    /// When a claim about these records is observed: now, and behind all that is known of them.
    ///
    /// # Errors
    /// When the store fails.
    pub fn claimed_at(&self, keys: &[RecordKey]) -> Result<Timestamp, GatewayError> {
        let ids: Vec<DerivedId> =
            keys.iter().map(|key| self.store().id_key().record(key)).collect();
        let mut at = self.now();
        for header in self.store().headers(&Access::system(), &ids)?.into_iter().flatten() {
            for version in header.versions() {
                let last = version.confirmed_at.max(version.stamp.observed_at);
                at = at.max(last.saturating_add(SignedDuration::from_millis(1)).unwrap_or(last));
            }
        }
        Ok(at)
    }

    /// Accepts what a client wrote, all of it in one commit: it is durable when this returns.
    /// Returns the homes that it changes, which are still to be settled.
    ///
    /// # Errors
    /// When the store fails.
    pub fn accept_claims(
        &self,
        client: &Arc<str>,
        ingested: &Ingested,
    ) -> Result<BTreeSet<Home>, GatewayError> {
        let mut homes = self.homes_claimed(ingested)?;
        accept(self.store().as_ref(), client, ingested, None)?;
        homes.extend(self.homes_claimed(ingested)?);
        Ok(homes)
    }

    /// Settles what claims changed, so that the next read sees it.
    ///
    /// # Errors
    /// When the store fails.
    pub fn settle_claims(&self, homes: &BTreeSet<Home>) -> Result<(), GatewayError> {
        self.settle_homes(homes.iter())
    }

    fn homes_claimed(&self, ingested: &Ingested) -> Result<BTreeSet<Home>, GatewayError> {
        let key = self.store().id_key();
        let ids: Vec<DerivedId> =
            ingested.records.iter().map(|record| key.record(&record.key)).collect();
        let headers = self.store().headers(&Access::system(), &ids)?;
        Ok(headers.into_iter().flatten().map(|header| header.home().clone()).collect())
    }
}
