//! Pull: every endpoint side by side, each page accepted with its cursor, then settled.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use crate::endpoints::{PageReceipt, PageSink, Progress, PullOutcome, PullPlan, Puller, SinkError};
use crate::fhir::ResourceType;
use crate::flow::{Access, Cursor, Ingested, RecordKey};
use crate::ingest::Ingest;
use crate::net::Fetcher;

use super::accept::{CursorAt, Receipt, accept};
use super::gateway::{Gateway, GatewayError};
use super::ingest::FILES;
use super::link_ahead::Linked;

/// The part under which the state of the endpoint as a whole stands.
const WHOLE: &str = "endpoint";

/// What the pull of one endpoint came to.
#[derive(Clone, Debug)]
pub struct PullReport {
    /// The endpoint.
    pub endpoint: Arc<str>,
    /// Its outcome, part by part.
    pub outcome: PullOutcome,
}

/// Pulls these endpoints side by side; a failing one does not stop the others. Resumes from the
/// stored cursors. Does not settle.
///
/// # Errors
/// When the store fails; what endpoints do is in the reports.
pub async fn pull(
    gateway: &Arc<Gateway>,
    ingest: &Arc<Ingest>,
    plans: Vec<(Fetcher, PullPlan, Arc<dyn Progress>)>,
) -> Result<Vec<PullReport>, GatewayError> {
    let mut running = Vec::new();
    for (fetcher, mut plan, progress) in plans {
        let endpoint = plan.endpoint.clone();
        plan.cursors = gateway.store().cursors(&Access::system(), &endpoint)?;
        plan.cursors.remove(WHOLE);
        plan.cursors.remove(FILES);
        let sink = Arc::new(Sink {
            gateway: gateway.clone(),
            ingest: ingest.clone(),
            endpoint: endpoint.clone(),
        });
        let task = tokio::spawn(async move {
            let outcome = Puller::new(fetcher, plan).pull(sink.clone(), progress).await;
            sink.tell(&outcome);
            let state = match &outcome.error {
                Some(error) => format!("failed: {error}"),
                None => "complete".to_owned(),
            };
            let cursor = Cursor { state: state.into(), ..Cursor::default() };
            let stored = sink.failed(WHOLE.into(), cursor).await;
            (outcome, stored)
        });
        running.push((endpoint, task));
    }
    let mut reports = Vec::new();
    for (endpoint, task) in running {
        match task.await {
            Ok((outcome, Ok(()))) => reports.push(PullReport { endpoint, outcome }),
            Ok((mut outcome, Err(error))) => {
                outcome.error.get_or_insert_with(|| error.to_string().into());
                reports.push(PullReport { endpoint, outcome });
            }
            // What it says may hold data of the page in hand; the panic itself is logged.
            Err(_panic) => {
                tracing::error!(%endpoint, "pull ended abnormally");
                let outcome = PullOutcome::ended("the pull ended abnormally; see the log");
                reports.push(PullReport { endpoint, outcome });
            }
        }
    }
    Ok(reports)
}

/// Accepts the pages of one endpoint.
struct Sink {
    gateway: Arc<Gateway>,
    ingest: Arc<Ingest>,
    endpoint: Arc<str>,
}

impl Sink {
    /// Logs what came of it, a line a part.
    fn tell(&self, outcome: &PullOutcome) {
        let endpoint = &self.endpoint;
        for part in &outcome.parts {
            let (name, state) = (&part.part, part.state.to_string());
            let (pages, entries) = (part.pages, part.entries);
            tracing::info!(%endpoint, part = %name, pages, entries, state, "pulled part");
        }
        if !outcome.is_complete()
            && let Some(metrics) = self.gateway.metrics().endpoint(endpoint)
        {
            metrics.incomplete.inc();
        }
    }

    /// Ingests and accepts on a blocking thread; durable when it returns.
    async fn accept(
        &self,
        ingested: impl FnOnce(&Ingest, &Arc<str>, jiff::Timestamp) -> Ingested + Send + 'static,
        at: Option<CursorAt>,
    ) -> Result<PageReceipt, SinkError> {
        let gateway = self.gateway.clone();
        let ingest = self.ingest.clone();
        let endpoint = self.endpoint.clone();
        let done = tokio::task::spawn_blocking(move || {
            gateway.wait_for_settling()?;
            let began = Instant::now();
            let ingested = ingested(&ingest, &endpoint, gateway.now());
            let accepted = accept(gateway.store().as_ref(), &endpoint, &ingested, at.as_ref());
            gateway.metrics().accept.ended(began.elapsed(), accepted.is_ok());
            Ok::<Receipt, GatewayError>(accepted?)
        });
        match done.await {
            Ok(Ok(receipt)) => Ok(PageReceipt { entries: receipt.received() }),
            Ok(Err(error)) => Err(SinkError(Box::new(error))),
            // What a panic says may hold data of the page.
            Err(_panic) => Err(SinkError("the page could not be read; see the log".into())),
        }
    }
}

impl Gateway {
    /// Back-pressure: beyond the bound on dirty homes a batch of them is settled before more is
    /// accepted. Whoever settles already is waited for. Blocking.
    pub(super) fn wait_for_settling(&self) -> Result<(), GatewayError> {
        let access = Access::system();
        if self.store().dirty_count(&access)? <= self.dirty_homes_max() {
            return Ok(());
        }
        let began = Instant::now();
        let dirty = self.store().dirty(&access, self.homes_per_settle())?;
        if !dirty.is_empty() {
            self.settle(&dirty, &Linked::default())?;
        }
        self.metrics().waits.observe(began.elapsed());
        Ok(())
    }
}

impl PageSink for Sink {
    async fn page(
        &self,
        part: Arc<str>,
        body: Bytes,
        cursor: Cursor,
    ) -> Result<PageReceipt, SinkError> {
        let page =
            move |ingest: &Ingest, endpoint: &Arc<str>, now| ingest.page(endpoint, now, &body);
        let receipt = self.accept(page, Some(CursorAt { part, cursor })).await?;
        if let Some(metrics) = self.gateway.metrics().endpoint(&self.endpoint) {
            metrics.pages.inc();
            metrics.entries.add(receipt.entries);
        }
        Ok(receipt)
    }

    async fn stopping(&self) {
        self.gateway.stopping().await;
    }

    async fn failed(&self, part: Arc<str>, cursor: Cursor) -> Result<(), SinkError> {
        let nothing = |_: &Ingest, _: &Arc<str>, _| Ingested::default();
        self.accept(nothing, Some(CursorAt { part, cursor })).await.map(|_| ())
    }

    async fn gone(&self, patient: &str) -> Result<(), SinkError> {
        let key = RecordKey::new(&self.endpoint, ResourceType::of("Patient"), patient);
        let deletion = move |ingest: &Ingest, _: &Arc<str>, now| Ingested {
            records: vec![ingest.deleted(key, now)],
            ..Ingested::default()
        };
        self.accept(deletion, None).await.map(|_| ())
    }
}
