//! What the process itself costs, under the names that Prometheus clients share.
//! <https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>

use std::sync::OnceLock;
use std::time::{Instant, SystemTime};

use super::exposition::{Exposition, Kind};

static STARTED: OnceLock<(Instant, SystemTime)> = OnceLock::new();

/// Notes when the process began; called once, early.
pub(super) fn started() -> (Instant, SystemTime) {
    *STARTED.get_or_init(|| (Instant::now(), SystemTime::now()))
}

/// Adds memory, start and uptime to a page. Memory is left out where the system does not tell.
pub fn process_metrics(page: &mut Exposition) {
    if let Some(bytes) = resident_bytes() {
        let name = "process_resident_memory_bytes";
        page.single(name, Kind::Gauge, "Resident memory", bytes);
    }
    let (since, at) = started();
    let at = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    page.single("process_start_time_seconds", Kind::Gauge, "Start, in Unix time", at);
    let uptime = since.elapsed().as_secs_f64();
    page.single("careweave_uptime_seconds", Kind::Gauge, "Time since the start", uptime);
    let name = "careweave_build_info";
    page.metric(name, Kind::Gauge, "Version of the program");
    page.sample(name, &[("version", env!("CARGO_PKG_VERSION"))], 1);
}

fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib * 1024)
}
