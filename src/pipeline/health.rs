//! Whether the gateway can do its work, and its figures for operators.

use jiff::Timestamp;

use crate::flow::Access;
use crate::telemetry::{Exposition, Kind, process_metrics};

use super::gateway::{Gateway, GatewayError};

/// Why the gateway should get no requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unready {
    /// It is stopping.
    Stopping,
    /// The store cannot be read.
    StoreUnreadable,
    /// The store takes no commits.
    StoreUnwritable,
    /// The audit trail takes no entries.
    Audit,
}

impl Unready {
    /// The check's name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Stopping => "stopping",
            Self::StoreUnreadable => "store-unreadable",
            Self::StoreUnwritable => "store-unwritable",
            Self::Audit => "audit-takes-no-entries",
        }
    }
}

impl Gateway {
    /// All that keeps the gateway from working; none if it is ready. Blocking, without a write:
    /// what failed last says whether commits and audit entries are taken.
    pub fn unready(&self) -> Vec<Unready> {
        let store = self.store();
        let checks = [
            (Unready::Stopping, self.is_stopping()),
            (Unready::StoreUnreadable, store.last_seq().is_err()),
            (Unready::StoreUnwritable, store.check_writable().is_err()),
            (Unready::Audit, !self.audit_takes_entries()),
        ];
        checks.into_iter().filter_map(|(check, failed)| failed.then_some(check)).collect()
    }

    /// Adds the gateway's metrics to a page. Blocking.
    ///
    /// # Errors
    /// When the store fails.
    pub fn write_metrics(&self, page: &mut Exposition) -> Result<(), GatewayError> {
        self.metrics().write(page);
        self.write_endpoint_states(page);
        self.write_store(page)?;
        process_metrics(page);
        Ok(())
    }

    fn write_endpoint_states(&self, page: &mut Exposition) {
        let states = self.endpoint_states();
        let name = "careweave_endpoint_stale";
        page.metric(name, Kind::Gauge, "Whether the endpoint's data may be old or partial");
        for state in states.iter() {
            page.sample(name, &[("endpoint", &state.id)], u8::from(state.stale));
        }
        let name = "careweave_endpoint_complete_age_seconds";
        let help = "Time since the moment up to which everything of the endpoint is held";
        page.metric(name, Kind::Gauge, help);
        let now = Timestamp::now();
        for state in states.iter() {
            if let Some(until) = state.complete_until {
                let age = now.duration_since(until).as_secs().max(0);
                page.sample(name, &[("endpoint", &state.id)], age);
            }
        }
    }

    fn write_store(&self, page: &mut Exposition) -> Result<(), GatewayError> {
        let access = Access::system();
        let store = self.store();
        let dirty = store.dirty_count(&access)?;
        page.single("careweave_dirty_homes", Kind::Gauge, "Homes that wait for settling", dirty);
        let reviews = store.review_count(&access)?;
        let help = "Pairs that wait for a steward";
        page.single("careweave_review_queue_pairs", Kind::Gauge, help, reviews);
        let audited = store.audit_count()?;
        let help = "Entries of the audit trail";
        page.single("careweave_audit_entries_total", Kind::Counter, help, audited);
        let bytes = store.size_on_disk()?;
        page.single("careweave_store_bytes", Kind::Gauge, "Size of the store on disk", bytes);

        let counters = store.counters(&access)?;
        let by_endpoint = "careweave_quarantined_inputs";
        page.metric(by_endpoint, Kind::Gauge, "Inputs in quarantine, by endpoint");
        let known = self.endpoint_facts();
        for ((endpoint, name), count) in &counters {
            if &**name == "quarantined" && known.contains_key(endpoint) {
                page.sample(by_endpoint, &[("endpoint", endpoint)], count);
            }
        }
        let view = "careweave_view_resources";
        page.metric(view, Kind::Gauge, "Resources in the view, by type");
        for ((_, name), count) in &counters {
            if let Some(resource_type) = name.strip_prefix("view:") {
                page.sample(view, &[("type", resource_type)], count);
            }
        }
        let persons: i64 =
            counters.iter().filter(|((_, n), _)| &**n == "persons").map(|c| c.1).sum();
        page.single("careweave_persons", Kind::Gauge, "Persons with a view", persons);
        Ok(())
    }
}
