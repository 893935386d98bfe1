//! A provider's FHIR R4 server, simulated: serves a set of resources over real HTTP, with faults
//! on demand. For the demo, for `simulate`, and for tests.

mod about;
mod capability;
mod entries;
mod fault;
mod holdings;
mod load;
mod query;
mod references;
mod routes;
mod search;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use axum::Router;
use bytes::Bytes;
use jiff::Timestamp;

use crate::fhir::ResourceType;

pub use fault::{FAULT_KINDS, Fault, FaultError};
pub use holdings::Refused;
pub use load::{Loaded, Note, load};

use about::About;
use fault::Faults;
use holdings::{Filling, Holdings};
use load::Record;

/// How a simulated server behaves.
#[derive(Clone, Debug)]
pub struct SimulatorOptions {
    /// Its id, for logs.
    pub id: String,
    /// Its organisation's name, for the CapabilityStatement.
    pub name: String,
    /// Refuses searches of patient data that name no patient, as strict servers do.
    pub require_patient: bool,
    /// Offers `Patient/{id}/$everything`.
    pub everything: bool,
    /// Largest page, at most 500.
    pub page_size: usize,
    /// What its links begin with, without trailing slash; none: `http://`, the request's
    /// `Host` and `/fhir`.
    pub base_url: Option<String>,
    /// What goes wrong.
    pub faults: Vec<Fault>,
}

/// A simulated server. Clones are handles to the same one, so that a test can change what is
/// served while it runs.
#[derive(Clone)]
pub struct Simulator {
    shared: Arc<Shared>,
}

struct Shared {
    options: SimulatorOptions,
    holdings: RwLock<Holdings>,
    faults: Mutex<Faults>,
    requests: AtomicU64,
}

/// Largest page, whatever a client asks for.
pub const PAGE_SIZE_MAX: usize = 500;

impl Default for SimulatorOptions {
    fn default() -> Self {
        Self {
            id: "simulator".to_owned(),
            name: "Simulated provider".to_owned(),
            require_patient: false,
            everything: true,
            page_size: 100,
            base_url: None,
            faults: Vec::new(),
        }
    }
}

impl Simulator {
    /// Makes a server of resources, each one JSON text. What cannot be served is named in the
    /// second value; of two resources with one type and id the later one stays.
    pub fn new(
        options: SimulatorOptions,
        resources: impl IntoIterator<Item = Bytes>,
    ) -> (Self, Vec<Refused>) {
        let mut filling = Filling::default();
        let mut refused = Vec::new();
        let now = Timestamp::now();
        for (index, body) in resources.into_iter().enumerate() {
            let taken = About::read(&body).and_then(|about| {
                let updated = about.last_updated.unwrap_or(now);
                filling.take(about, body, updated)
            });
            if let Err(reason) = taken {
                refused.push(Refused { index, reason });
            }
        }
        (Self::holding(options, filling.finish()), refused)
    }

    /// Makes a server of what was loaded from files.
    pub fn of_files(options: SimulatorOptions, loaded: Loaded) -> Self {
        let mut filling = Filling::default();
        for Record { about, body, last_updated, .. } in loaded.records {
            // Every loaded record has an id.
            let _ = filling.take(about, body, last_updated);
        }
        Self::holding(options, filling.finish())
    }

    fn holding(mut options: SimulatorOptions, holdings: Holdings) -> Self {
        options.page_size = options.page_size.clamp(1, PAGE_SIZE_MAX);
        let faults = Mutex::new(Faults::new(options.faults.clone()));
        let holdings = RwLock::new(holdings);
        let requests = AtomicU64::new(0);
        let shared = Shared { options, holdings, faults, requests };
        Self { shared: Arc::new(shared) }
    }

    /// The routes, under `/fhir`.
    pub fn router(&self) -> Router {
        routes::router(self.clone())
    }

    /// Adds or replaces a resource, as of now.
    ///
    /// # Errors
    /// When it is no resource with type and id.
    pub fn put(&self, body: Bytes) -> Result<(), &'static str> {
        self.write().put(body)
    }

    /// Deletes a resource: it is `410 Gone` from now on. Whether there was one.
    pub fn delete(&self, resource_type: ResourceType, id: &str) -> bool {
        self.write().delete(resource_type, id)
    }

    /// Changes what goes wrong.
    pub fn set_faults(&self, faults: Vec<Fault>) {
        *self.shared.faults.lock().unwrap_or_else(PoisonError::into_inner) = Faults::new(faults);
    }

    /// How many requests have come so far.
    pub fn requests(&self) -> u64 {
        self.shared.requests.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// How many resources are served.
    pub fn resources(&self) -> usize {
        self.read().len()
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Holdings> {
        self.shared.holdings.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Holdings> {
        self.shared.holdings.write().unwrap_or_else(PoisonError::into_inner)
    }
}
