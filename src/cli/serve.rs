//! `serve`: runs the gateway.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::gateway::{open_gateway, open_ingest, plans, read_config, refuse_insecure};
use super::output::Output;
use super::stop::stop_on_signal;
use super::{CliError, Common};
use crate::api::{ApiOptions, router};
use crate::config::{Config, EndpointConfig, EndpointKind, LimitsConfig};
use crate::endpoints::Silent;
use crate::ingest::Ingest;
use crate::net::{ServeOptions, Served, serve};
use crate::pipeline::{Gateway, PullReport, pull};

/// How often what became dirty is settled in the background.
const SETTLE_EVERY: Duration = Duration::from_millis(500);

/// Serves until interrupted.
pub(super) fn run(common: &Common, output: &Output) -> Result<(), CliError> {
    let mut config = read_config(common)?;
    refuse_insecure(&config)?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let listener = bind(&config).await?;
        // Port 0 asks for any free one: links must name the one that was given.
        config.server.listen = listener.local_addr()?;
        let gateway = open_gateway(&config)?;
        use_packages(&gateway, &config, output)?;
        stop_on_signal(gateway.clone())?;
        output.text(&format!("listening on {}/fhir", gateway.public_base_url()))?;
        let mut workers = vec![tokio::spawn(settle_in_background(gateway.clone()))];
        let ingest = open_ingest(&config)?;
        gateway.use_ingest(ingest.clone());
        let pulled = config
            .endpoint
            .iter()
            .filter(|e| !matches!(e.kind, EndpointKind::Files | EndpointKind::Client));
        for endpoint in pulled.cloned() {
            let (gateway, ingest) = (gateway.clone(), ingest.clone());
            let pulling = pull_on_schedule(gateway, ingest, config.clone(), endpoint);
            workers.push(tokio::spawn(pulling));
        }
        run_api(listener, &gateway, &config.limits).await;
        end(workers, &config.limits).await;
        output.text("stopped; everything accepted is stored")
    })
}

/// Waits for pulls and settling to come to their next safe point, up to the drain time. Each of
/// their commits is durable, so one that is cut off loses nothing.
pub(super) async fn end(workers: Vec<JoinHandle<()>>, limits: &LimitsConfig) {
    let until = tokio::time::Instant::now() + limits.drain_timeout;
    for mut worker in workers {
        if tokio::time::timeout_at(until, &mut worker).await.is_err() {
            worker.abort();
            tracing::warn!(
                "a pull or settle was cut off at shutdown; it goes on at the next start"
            );
        }
    }
}

/// Binds the configured address.
pub(super) async fn bind(config: &Config) -> Result<TcpListener, CliError> {
    let address = config.server.listen;
    TcpListener::bind(address).await.map_err(|e| {
        CliError::Failed(format!("cannot listen on {address}: {e}; choose another port"))
    })
}

/// Serves the API until the gateway is told to stop, and answers what is under way.
pub(super) async fn run_api(listener: TcpListener, gateway: &Arc<Gateway>, limits: &LimitsConfig) {
    let defaults = ApiOptions::default();
    let options = ApiOptions {
        page_size_max: limits.search_count_max,
        bundle_entries_max: limits.bundle_entries_max,
        body_bytes_max: usize::try_from(limits.request_body_bytes_max).unwrap_or(usize::MAX),
        request_timeout: limits.request_timeout,
        settle_wait: limits.settle_wait,
        requests_max: limits.requests_max,
        ..defaults
    };
    let serve_options = ServeOptions {
        connections_max: limits.connections_max,
        header_read_timeout: limits.header_timeout,
        drain: limits.drain_timeout,
        ..ServeOptions::default()
    };
    let app = router(gateway.clone(), options);
    if serve(listener, app, gateway.stopping(), serve_options).await == Served::Cut {
        tracing::warn!("some connections were cut at shutdown");
    }
}

/// Pulls one endpoint at once and then at its interval, as long as the gateway runs.
async fn pull_on_schedule(
    gateway: Arc<Gateway>,
    ingest: Arc<Ingest>,
    config: Config,
    endpoint: EndpointConfig,
) {
    let id = endpoint.id;
    loop {
        match plans(&config, std::slice::from_ref(&id), false) {
            Ok(plans) => {
                let silent = plans.into_iter().map(|(f, p)| (f, p, Arc::new(Silent) as _));
                match pull(&gateway, &ingest, silent.collect()).await {
                    Ok(reports) => reports.iter().for_each(log_outcome),
                    Err(error) => tracing::error!(endpoint = id, %error, "pull failed"),
                }
            }
            Err(error) => tracing::error!(endpoint = id, %error, "pull cannot be planned"),
        }
        if is_stopping_within(&gateway, endpoint.pull.every).await {
            return;
        }
    }
}

fn log_outcome(report: &PullReport) {
    let (endpoint, outcome) = (&report.endpoint, &report.outcome);
    let (entries, state) = (outcome.entries(), outcome.state());
    match outcome.is_complete() {
        true => tracing::info!(%endpoint, entries, "pulled"),
        false => tracing::warn!(%endpoint, entries, state, "pulled incompletely"),
    }
}

/// Waits so long, or until the gateway is told to stop.
async fn is_stopping_within(gateway: &Gateway, wait: Duration) -> bool {
    tokio::time::timeout(wait, gateway.stopping()).await.is_ok()
}

/// Has the gateway validate by the packages of the configuration as well.
fn use_packages(gateway: &Gateway, config: &Config, output: &Output) -> Result<(), CliError> {
    if config.profiles.packages.is_empty() {
        return Ok(());
    }
    let validator = super::validate::validator(&config.profiles.packages)?;
    for note in validator.refused() {
        output.text(&format!("not used: {note}"))?;
    }
    gateway.use_validator(Arc::new(validator));
    Ok(())
}

/// Settles what writers leave dirty, and what a new day makes dirty, as long as the gateway runs.
pub(super) async fn settle_in_background(gateway: Arc<Gateway>) {
    let mut swept = gateway.today();
    while !is_stopping_within(&gateway, SETTLE_EVERY).await {
        let today = gateway.today();
        let is_new_day = std::mem::replace(&mut swept, today) != today;
        let gateway = gateway.clone();
        let settle = move || {
            if is_new_day {
                gateway.sweep_due()?;
            }
            gateway.settle_all(&mut |_, _| {})
        };
        match tokio::task::spawn_blocking(settle).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::error!(%error, "settle failed"),
            // The panic itself is logged, without what it says of the data.
            Err(_panic) => tracing::error!("settle ended abnormally"),
        }
    }
}
