//! The report of `demo` and `pull`: what was pulled, found and merged, from counters alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::flow::{Access, Disposition};

use super::gateway::{Gateway, GatewayError};
use super::pull::PullReport;

/// The report (SURFACE.md).
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// One line per endpoint.
    pub endpoints: Vec<EndpointLine>,
    /// Source records by type.
    pub source_records: BTreeMap<Box<str>, i64>,
    /// Persons with a view.
    pub persons: i64,
    /// View resources by type.
    pub view: BTreeMap<Box<str>, i64>,
    /// Source records merged into another's view resource.
    pub merged: i64,
    /// Kept disagreements.
    pub conflicts: i64,
    /// Things to act on.
    pub findings: i64,
    /// Unusable inputs.
    pub quarantined: i64,
    /// The ledger's sums.
    pub ledger: LedgerSums,
    /// Wall time.
    pub seconds: f64,
}

/// An endpoint in the report.
#[derive(Clone, Debug, Serialize)]
pub struct EndpointLine {
    /// Its id.
    pub id: Arc<str>,
    /// Entries received from it: in the pull that the report is about, else so far.
    pub pulled: i64,
    /// `complete`, `failed: …` and so on.
    pub state: Box<str>,
    /// Types that it offers and that were not pulled, since they say nothing about care.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<Box<str>>,
}

/// The ledger's sums; each entry received stands in exactly one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LedgerSums {
    /// Entries received, resources lifted out of others included.
    pub received: i64,
    /// In the view under their own id.
    pub kept: i64,
    /// In the view under another's id.
    pub merged: i64,
    /// Replaced by a later version.
    pub superseded: i64,
    /// Retracted.
    pub withdrawn: i64,
    /// Missing from a complete pull.
    pub absent: i64,
    /// Without their Patient so far.
    pub waiting: i64,
    /// Of a type outside the view.
    pub stored: i64,
    /// Accepted, not settled.
    pub pending: i64,
    /// Unusable.
    pub quarantined: i64,
    /// Known already.
    pub repeats: i64,
    /// No records: search outcomes and the like.
    pub not_records: i64,
    /// Whether everything adds up, per endpoint and in total.
    pub balanced: bool,
}

impl Gateway {
    /// Makes the report from the counters.
    ///
    /// # Errors
    /// When the store fails.
    pub fn report(&self) -> Result<Report, GatewayError> {
        let counters = self.store().counters(&Access::system())?;
        let pending = self.store().dirty_count(&Access::system())? > 0;
        let total = |name: &str| sum(&counters, |_, n| n == name);
        let by_type = |prefix: &str| -> BTreeMap<Box<str>, i64> {
            let mut by_type = BTreeMap::new();
            for ((_, name), count) in &counters {
                if let Some(resource_type) = name.strip_prefix(prefix)
                    && *count != 0
                {
                    *by_type.entry(resource_type.into()).or_default() += count;
                }
            }
            by_type
        };
        let states = self.endpoint_states();
        let endpoints = states.iter().cloned().map(|state| EndpointLine {
            pulled: sum(&counters, |e, n| *e == *state.id && n == "received"),
            id: state.id,
            state: state.state,
            left_out: Vec::new(),
        });
        Ok(Report {
            endpoints: endpoints.collect(),
            source_records: by_type("records:"),
            persons: total("persons"),
            view: by_type("view:"),
            merged: total(Disposition::Merged.word()),
            conflicts: total("conflicts"),
            findings: total("findings"),
            quarantined: total("quarantined"),
            ledger: ledger_sums(&counters, pending),
            seconds: 0.0,
        })
    }
}

impl Report {
    /// Makes this the report of a pull: what it brought, endpoint by endpoint.
    pub fn tell_pulled(&mut self, pulls: &[PullReport]) {
        for line in &mut self.endpoints {
            let pull = pulls.iter().find(|pull| pull.endpoint == line.id);
            line.pulled = pull.map_or(0, |pull| pull.outcome.entries().cast_signed());
            let left_out = pull.into_iter().flat_map(|pull| &pull.outcome.left_out);
            line.left_out = left_out.map(|kind| kind.name().into()).collect();
        }
    }
}

impl Report {
    /// Makes this the report of an ingest: so many entries, of one endpoint.
    pub fn tell_received(&mut self, endpoint: &str, entries: u64) {
        for line in &mut self.endpoints {
            line.pulled = if *line.id == *endpoint { entries.cast_signed() } else { 0 };
        }
    }
}

type Counters = BTreeMap<(Arc<str>, Arc<str>), i64>;

/// The sums of the ledger in total; balanced if they are for every endpoint.
pub(super) fn ledger_sums(counters: &Counters, pending_allowed: bool) -> LedgerSums {
    let mut total = LedgerSums { balanced: true, ..LedgerSums::default() };
    let endpoints: std::collections::BTreeSet<&Arc<str>> =
        counters.keys().map(|(endpoint, _)| endpoint).filter(|e| !e.is_empty()).collect();
    for endpoint in endpoints {
        let of = |name: &str| {
            counters.get(&(endpoint.clone(), Arc::from(name))).copied().unwrap_or_default()
        };
        let mut sums = LedgerSums {
            received: of("received"),
            kept: of("kept"),
            merged: of("merged"),
            superseded: of("superseded"),
            withdrawn: of("withdrawn"),
            absent: of("absent"),
            waiting: of("waiting"),
            stored: of("stored"),
            quarantined: of("quarantined"),
            repeats: of("repeats"),
            not_records: of("not_records"),
            ..LedgerSums::default()
        };
        let settled = sums.kept
            + sums.merged
            + sums.superseded
            + sums.withdrawn
            + sums.absent
            + sums.waiting
            + sums.stored;
        sums.pending = of("versions") - settled;
        let accounted = of("versions") + sums.quarantined + sums.repeats + sums.not_records;
        sums.balanced = accounted == sums.received
            && (sums.pending == 0 || (pending_allowed && sums.pending > 0));
        total.add(sums);
    }
    total
}

impl LedgerSums {
    fn add(&mut self, other: Self) {
        self.received += other.received;
        self.kept += other.kept;
        self.merged += other.merged;
        self.superseded += other.superseded;
        self.withdrawn += other.withdrawn;
        self.absent += other.absent;
        self.waiting += other.waiting;
        self.stored += other.stored;
        self.pending += other.pending;
        self.quarantined += other.quarantined;
        self.repeats += other.repeats;
        self.not_records += other.not_records;
        self.balanced &= other.balanced;
    }
}

fn sum(counters: &Counters, wanted: impl Fn(&str, &str) -> bool) -> i64 {
    counters.iter().filter(|((e, n), _)| wanted(e, n)).map(|(_, count)| count).sum()
}
