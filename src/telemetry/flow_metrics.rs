//! What the flow does: pulled pages, accept and settle commits, waits.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::exposition::{Exposition, Kind};
use super::instruments::{Counter, Histogram};

/// Metrics of the flow from endpoints to views.
#[derive(Debug, Default)]
pub struct FlowMetrics {
    /// Accept commits.
    pub accept: StageMetrics,
    /// Settle commits.
    pub settle: StageMetrics,
    /// Homes settled.
    pub homes_settled: Counter,
    /// Owners woven.
    pub owners_woven: Counter,
    /// Pages that waited for settling before they were accepted.
    pub waits: Histogram,
    endpoints: BTreeMap<Arc<str>, EndpointMetrics>,
}

/// One of the two commits.
#[derive(Debug, Default)]
pub struct StageMetrics {
    /// How long those that were stored took; their number is that of the commits.
    pub seconds: Histogram,
    /// How many failed.
    pub failures: Counter,
}

/// What was pulled from an endpoint.
#[derive(Debug, Default)]
pub struct EndpointMetrics {
    /// Pages taken.
    pub pages: Counter,
    /// Entries taken.
    pub entries: Counter,
    /// Pulls that were not complete.
    pub incomplete: Counter,
}

impl FlowMetrics {
    /// Metrics with a line for each of these endpoints.
    pub fn new(endpoints: impl IntoIterator<Item = Arc<str>>) -> Self {
        let endpoints = endpoints.into_iter().map(|id| (id, EndpointMetrics::default()));
        Self { endpoints: endpoints.collect(), ..Self::default() }
    }

    /// The metrics of a configured endpoint.
    pub fn endpoint(&self, id: &str) -> Option<&EndpointMetrics> {
        self.endpoints.get(id)
    }

    /// Adds all of it to a page.
    pub fn write(&self, page: &mut Exposition) {
        self.write_endpoints(page);
        let stages = [("accept", &self.accept), ("settle", &self.settle)];
        let name = "careweave_commit_seconds";
        page.metric(name, Kind::Histogram, "Time of a commit with its preparation, by stage");
        for (stage, metrics) in stages {
            page.histogram(name, &[("stage", stage)], &metrics.seconds);
        }
        let name = "careweave_commit_failures_total";
        page.metric(name, Kind::Counter, "Commits that failed, by stage");
        for (stage, metrics) in stages {
            page.sample(name, &[("stage", stage)], metrics.failures.get());
        }
        for (name, help, count) in [
            ("careweave_settled_homes_total", "Homes settled", &self.homes_settled),
            (
                "careweave_woven_owners_total",
                "Persons and directory entries woven",
                &self.owners_woven,
            ),
        ] {
            page.single(name, Kind::Counter, help, count.get());
        }
        let name = "careweave_back_pressure_wait_seconds";
        page.metric(name, Kind::Histogram, "Time that pulled pages waited for settling");
        page.histogram(name, &[], &self.waits);
    }

    fn write_endpoints(&self, page: &mut Exposition) {
        type Of = fn(&EndpointMetrics) -> &Counter;
        let all: [(&str, &str, Of); 3] = [
            ("careweave_pull_pages_total", "Pages pulled", |e| &e.pages),
            ("careweave_pull_entries_total", "Entries pulled", |e| &e.entries),
            ("careweave_pull_incomplete_total", "Pulls that were not complete", |e| &e.incomplete),
        ];
        for (name, help, counter) in all {
            page.metric(name, Kind::Counter, help);
            for (id, endpoint) in &self.endpoints {
                page.sample(name, &[("endpoint", id)], counter(endpoint).get());
            }
        }
    }
}

impl StageMetrics {
    /// Counts a commit that took so long, and whether it was stored.
    pub fn ended(&self, took: Duration, stored: bool) {
        match stored {
            true => self.seconds.observe(took),
            false => self.failures.inc(),
        }
    }
}
