//! Counters, gauges and histograms, kept in atomics.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// Only rises.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

/// Rises and falls.
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

/// Upper bounds of the buckets, in seconds: from a cached read to the longest time limit.
const BOUNDS_SECONDS: [f64; 12] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0, 60.0];

/// How long something took, in fixed buckets.
#[derive(Debug, Default)]
pub struct Histogram {
    /// How many fell into each bucket and none before; the last is beyond all bounds.
    buckets: [AtomicU64; BOUNDS_SECONDS.len() + 1],
    micros: AtomicU64,
}

impl Counter {
    /// Adds one.
    pub fn inc(&self) {
        self.add(1);
    }

    /// Adds so many.
    pub fn add(&self, by: u64) {
        self.0.fetch_add(by, Ordering::Relaxed);
    }

    /// The count.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Gauge {
    /// Adds so many; fewer than none takes away.
    pub fn add(&self, by: i64) {
        self.0.fetch_add(by, Ordering::Relaxed);
    }

    /// The value.
    pub fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Histogram {
    /// Takes one in.
    pub fn observe(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        let bucket = BOUNDS_SECONDS.iter().position(|bound| seconds <= *bound);
        self.buckets[bucket.unwrap_or(BOUNDS_SECONDS.len())].fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// How many were observed.
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).sum()
    }

    /// Their sum in seconds.
    pub fn sum_seconds(&self) -> f64 {
        Duration::from_micros(self.micros.load(Ordering::Relaxed)).as_secs_f64()
    }

    /// Each bound with how many took at most so long; the last has no bound.
    pub fn cumulative(&self) -> Vec<(Option<f64>, u64)> {
        let mut below = 0;
        let bounds = BOUNDS_SECONDS.iter().copied().map(Some).chain([None]);
        let counted = self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed));
        bounds
            .zip(counted)
            .map(|(bound, count)| {
                below += count;
                (bound, below)
            })
            .collect()
    }
}
