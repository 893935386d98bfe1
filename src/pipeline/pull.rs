//! Pull: every endpoint side by side, each page accepted with its cursor, then settled.

use std::sync::Arc;

use bytes::Bytes;

use crate::endpoints::{PageReceipt, PageSink, Progress, PullOutcome, PullPlan, Puller, SinkError};
use crate::fhir::ResourceType;
use crate::flow::{Access, Cursor, Ingested, RecordKey};
use crate::ingest::Ingest;
use crate::net::Fetcher;

use super::accept::{CursorAt, accept};
use super::gateway::{Gateway, GatewayError};
use super::ingest::FILES;

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
            Err(panic) => {
                tracing::error!(%endpoint, %panic, "pull ended abnormally");
                let error = Some("the pull ended abnormally; see the log".into());
                let outcome = PullOutcome { parts: Vec::new(), error };
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
            let ingested = ingested(&ingest, &endpoint, gateway.now());
            accept(gateway.store().as_ref(), &endpoint, &ingested, at.as_ref())
        });
        match done.await {
            Ok(Ok(receipt)) => Ok(PageReceipt { entries: receipt.received() }),
            Ok(Err(error)) => Err(SinkError(Box::new(error))),
            Err(panic) => Err(SinkError(Box::new(panic))),
        }
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
        self.accept(page, Some(CursorAt { part, cursor })).await
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
