//! The pull of one endpoint: types side by side, then what it only gives per patient.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32};

use futures_util::FutureExt;
use jiff::Timestamp;
use tokio::task::JoinSet;

use super::capability::{self, Capability, Offered};
use super::outcome::{PartError, PartOutcome, PartState, PullOutcome};
use super::patients::PatientPull;
use super::plan::{PullPlan, Roster};
use super::sink::{PageSink, Progress};
use super::walk::{End, Run, Tally, Walked};
use crate::net::{Fetcher, Url};

/// Pulls one endpoint once.
pub struct Puller {
    fetcher: Fetcher,
    plan: PullPlan,
}

/// How a type's search as a whole ended.
struct TypePull {
    offered: Offered,
    walked: Walked,
    result: Result<(), PartError>,
    /// All Patients of the endpoint came, not only changed ones.
    all: bool,
}

impl Puller {
    /// A puller for a plan.
    pub fn new(fetcher: Fetcher, plan: PullPlan) -> Self {
        Self { fetcher, plan }
    }

    /// Pulls everything the plan asks for. A failing part does not stop the others; a failing
    /// sink stops them all.
    pub async fn pull<S: PageSink + 'static>(
        self,
        sink: Arc<S>,
        progress: Arc<dyn Progress>,
    ) -> PullOutcome {
        let checked = tokio::select! {
            biased;
            () = sink.stopping() => {
                return PullOutcome::ended(PartError::Interrupted.to_string());
            }
            checked = capability::check(&self.fetcher, &self.plan.base) => checked,
        };
        let capability = match checked {
            Ok(capability) => capability,
            Err(error) => return PullOutcome::ended(error.to_string()),
        };
        let run = Arc::new(Run {
            fetcher: self.fetcher,
            plan: self.plan,
            sink,
            tally: Tally::new(progress),
            failures: AtomicU32::new(0),
            stopped: AtomicBool::new(false),
        });
        run.pull(capability).await
    }
}

impl<S: PageSink + 'static> Run<S> {
    async fn pull(self: Arc<Self>, capability: Capability) -> PullOutcome {
        let listed = matches!(self.plan.roster, Roster::Listed(_));
        // With a list of patients, nobody else's data is asked for.
        let of_roster =
            |o: &Offered| listed && (o.by_patient.is_some() || o.resource_type.name() == "Patient");
        let (mut per_patient, whole): (Vec<Offered>, Vec<Offered>) =
            capability.types.iter().copied().partition(of_roster);
        self.tally.expect_parts(whole.len());
        let jobs = whole.into_iter().map(|offered| self.clone().pull_type(offered));
        let pulled = bounded(self.plan.concurrency, jobs).await;

        let left_out = capability.left_out;
        let mut outcome = PullOutcome { parts: Vec::new(), left_out, error: None };
        let mut roster = None;
        for pull in pulled {
            let is_patient = pull.offered.resource_type.name() == "Patient";
            if is_patient && pull.all && pull.result.is_ok() {
                roster = Some(pull.walked.patients.clone());
            }
            let refused = pull.result.as_ref().is_err_and(PartError::is_refusal);
            if refused && pull.offered.by_patient.is_some() {
                per_patient.push(pull.offered);
                outcome.parts.push(pull.outcome(PartState::PerPatient));
            } else {
                outcome.parts.push(pull.finished());
            }
        }
        if !per_patient.is_empty() {
            per_patient.sort_by_key(|offered| offered.resource_type);
            let part = self.pull_patients(per_patient, capability.everything, roster).await;
            outcome.parts.push(part);
        }
        // Parts that had not begun keep the state of before, so the whole must say it.
        if !outcome.is_complete() && self.sink.stopping().now_or_never().is_some() {
            outcome.error = Some(PartError::Interrupted.to_string().into());
        }
        outcome.parts.sort_by(|a, b| a.part.cmp(&b.part));
        outcome
    }

    /// Searches one type as a whole.
    async fn pull_type(self: Arc<Self>, offered: Offered) -> TypePull {
        let part: Arc<str> = offered.resource_type.name().into();
        let mut cursor = self.earlier(&part);
        let mut pull = TypePull { offered, walked: Walked::default(), result: Ok(()), all: true };
        if let Some(url) = self.resumed(&cursor) {
            pull.all = false;
            pull.result = self.walk(&part, url, &mut cursor, End::Complete, &mut pull.walked).await;
            // A server may have forgotten its page links; then the part starts anew.
            let forgotten = matches!(
                pull.result,
                Err(PartError::Refused { .. } | PartError::Gone | PartError::NotABundle)
            );
            if !forgotten {
                return self.end_type(part, cursor, pull).await;
            }
        }
        cursor.next_page = None;
        cursor.began = None;
        pull.all = cursor.complete_until.is_none();
        let url = self.search_url(&part, None, cursor.complete_until);
        pull.result = self.walk(&part, url, &mut cursor, End::Complete, &mut pull.walked).await;
        self.end_type(part, cursor, pull).await
    }

    async fn end_type(
        &self,
        part: Arc<str>,
        cursor: crate::flow::Cursor,
        mut pull: TypePull,
    ) -> TypePull {
        self.tally.part_done();
        let falls_back = |e: &PartError| e.is_refusal() && pull.offered.by_patient.is_some();
        if let Err(error) = &pull.result
            && !falls_back(error)
            && !(error.is_interrupted() && pull.walked.pages == 0)
            && let Err(unstored) = self.store_failure(&part, &cursor, &error.to_string()).await
        {
            pull.result = Err(unstored);
        }
        pull
    }

    /// `Type?_count=…`, of one patient or of all, changed since a time or ever.
    pub(super) fn search_url(
        &self,
        resource_type: &str,
        of: Option<(&str, &str)>,
        since: Option<Timestamp>,
    ) -> Url {
        let count = self.plan.page_size.to_string();
        let since = since.map(|since| format!("ge{since:.3}"));
        let mut query: Vec<(&str, &str)> = of.into_iter().collect();
        query.push(("_count", &count));
        if let Some(since) = &since {
            query.push(("_lastUpdated", since));
        }
        self.plan.base.join(&[resource_type], &query)
    }

    /// Pulls the roster patient by patient.
    async fn pull_patients(
        self: &Arc<Self>,
        types: Vec<Offered>,
        everything: bool,
        known: Option<Vec<Box<str>>>,
    ) -> PartOutcome {
        let mut ids = match self.roster(known).await {
            Ok(ids) => ids,
            Err(reason) => {
                return PartOutcome {
                    part: PER_PATIENT.into(),
                    pages: 0,
                    entries: 0,
                    state: PartState::Failed(reason.into()),
                };
            }
        };
        // Those who were interrupted first, then those who never were complete, then the oldest:
        // a pull that is interrupted again and again still gets round.
        ids.sort_by_cached_key(|id| {
            let cursor = self.earlier(&format!("Patient/{id}"));
            (cursor.next_page.is_none(), cursor.complete_until)
        });
        let left_out = ids.len().saturating_sub(self.plan.roster_max);
        ids.truncate(self.plan.roster_max);
        self.tally.expect_parts(ids.len());
        let types: Arc<[Offered]> = types.into();
        let jobs =
            ids.into_iter().map(|id| self.clone().pull_patient(id, types.clone(), everything));
        let pulls = bounded(self.plan.concurrency, jobs).await;
        PatientPull::summary(&pulls, left_out)
    }

    /// The ids of the patients to pull one by one.
    async fn roster(&self, known: Option<Vec<Box<str>>>) -> Result<Vec<Box<str>>, String> {
        let mut ids = match (&self.plan.roster, known) {
            (Roster::Listed(ids), _) => ids.clone(),
            (Roster::All, Some(ids)) => ids,
            (Roster::All, None) => {
                // The search before brought only what changed: list them all.
                let part: Arc<str> = "Patient".into();
                let mut walked = Walked::default();
                let mut cursor = self.earlier(&part);
                (cursor.next_page, cursor.began) = (None, None);
                let url = self.search_url(&part, None, None);
                self.walk(&part, url, &mut cursor, End::Complete, &mut walked).await.map_err(
                    |error| {
                        format!(
                            "its patients cannot be listed: {error}; name them with \
                             patients = {{ from = \"file:PATH\" }}"
                        )
                    },
                )?;
                walked.patients
            }
        };
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }
}

/// The part name under which all patients pulled one by one are summed up.
pub(super) const PER_PATIENT: &str = "per patient";

impl TypePull {
    fn finished(&self) -> PartOutcome {
        self.outcome(match &self.result {
            Ok(()) => PartState::Complete,
            Err(error) => PartState::Failed(error.to_string().into()),
        })
    }

    fn outcome(&self, state: PartState) -> PartOutcome {
        PartOutcome {
            part: self.offered.resource_type.name().into(),
            pages: self.walked.pages,
            entries: self.walked.entries,
            state,
        }
    }
}

/// Runs jobs, at most so many at once; results in the order of ending.
async fn bounded<F>(at_once: usize, jobs: impl Iterator<Item = F>) -> Vec<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let mut running = JoinSet::new();
    let mut results = Vec::new();
    for job in jobs {
        if running.len() >= at_once.max(1)
            && let Some(ended) = running.join_next().await
        {
            results.push(joined(ended));
        }
        running.spawn(job);
    }
    while let Some(ended) = running.join_next().await {
        results.push(joined(ended));
    }
    results
}

/// A panic of a job goes on in the caller, as if it had been called.
fn joined<T>(result: Result<T, tokio::task::JoinError>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
