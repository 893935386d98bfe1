//! `pull`: fetches what is new from the endpoints, then settles.

use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use indicatif::ProgressBar;

use super::gateway::{open_gateway, open_ingest, plans, read_config};
use super::output::Output;
use super::stop::stop_on_signal;
use super::{CliError, Common};
use crate::config::Config;
use crate::endpoints::{PartState, Progress, PullProgress};
use crate::ingest::Ingest;
use crate::pipeline::{Gateway, PullReport, Report, pull};

/// What to pull.
#[derive(Args)]
pub(super) struct PullArgs {
    /// Only these endpoints
    #[arg(long, value_name = "ID")]
    endpoint: Vec<String>,
    /// Everything again, not only what is new
    #[arg(long)]
    full: bool,
}

/// Pulls, settles, prints the report; fails if an endpoint did.
pub(super) fn run(args: &PullArgs, common: &Common, output: &Output) -> Result<(), CliError> {
    let config = read_config(common)?;
    let gateway = open_gateway(&config)?;
    let ingest = open_ingest(&config)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let started = Instant::now();
    let plans = Wanted { endpoints: &args.endpoint, full: args.full };
    let reports = runtime.block_on(async {
        stop_on_signal(gateway.clone())?;
        pull_and_settle(&gateway, &ingest, &config, plans, output).await
    })?;
    let mut report = gateway.report()?;
    report.tell_pulled(&reports);
    report.seconds = started.elapsed().as_secs_f64();
    if output.is_json() {
        output.json(&report)?;
    } else {
        print_report(&report, output)?;
    }
    if gateway.is_stopping() {
        return Err(CliError::Failed(
            "stopped before the end; what the report counts is stored, and the next pull goes on \
             from there"
                .to_owned(),
        ));
    }
    tell_failures(&reports)
}

/// Which endpoints, and how.
pub(super) struct Wanted<'a> {
    /// None: all.
    pub(super) endpoints: &'a [String],
    /// Ignore cursors.
    pub(super) full: bool,
}

/// Pulls from endpoints with a bar each, then settles with one more.
pub(super) async fn pull_and_settle(
    gateway: &Arc<Gateway>,
    ingest: &Arc<Ingest>,
    config: &Config,
    wanted: Wanted<'_>,
    output: &Output,
) -> Result<Vec<PullReport>, CliError> {
    let mut with_bars = Vec::new();
    let mut bars = Vec::new();
    for (fetcher, plan) in plans(config, wanted.endpoints, wanted.full)? {
        let bar = output.bar(&plan.endpoint);
        bars.push(bar.clone());
        with_bars.push((fetcher, plan, Arc::new(Bar(bar)) as Arc<dyn Progress>));
    }
    let reports = pull(gateway, ingest, with_bars).await?;
    bars.iter().for_each(ProgressBar::finish);
    let bar = output.bar("weave");
    let to_settle = gateway.clone();
    let settling = tokio::task::spawn_blocking(move || settle(&to_settle, &bar));
    // What a panic says may hold data; where it happened is in the log.
    let ended_early = |_| CliError::Failed("settling ended early; see the log".to_owned());
    settling.await.map_err(ended_early)??;
    Ok(reports)
}

/// Settles all that is dirty, with a bar. Blocking.
pub(super) fn settle(gateway: &Gateway, bar: &ProgressBar) -> Result<(), CliError> {
    gateway.settle_all(&mut |done, left| {
        bar.set_length((done + left) as u64);
        bar.set_position(done as u64);
    })?;
    bar.finish();
    Ok(())
}

/// Fails, naming the endpoints and why, if some did not come completely.
fn tell_failures(reports: &[PullReport]) -> Result<(), CliError> {
    let mut failures = Vec::new();
    for report in reports.iter().filter(|r| !r.outcome.is_complete()) {
        let whole = report.outcome.error.as_ref().map(ToString::to_string);
        let parts = report.outcome.parts.iter().filter_map(|part| match &part.state {
            PartState::Failed(why) => Some(format!("{}: {why}", part.part)),
            PartState::Complete | PartState::PerPatient => None,
        });
        let why: Vec<String> = whole.into_iter().chain(parts).collect();
        failures.push(format!("{}: {}", report.endpoint, why.join("; ")));
    }
    match failures.is_empty() {
        true => Ok(()),
        false => Err(CliError::Failed(format!("not complete: {}", failures.join("\n")))),
    }
}

/// Prints the report as text.
pub(super) fn print_report(report: &Report, output: &Output) -> Result<(), CliError> {
    for endpoint in &report.endpoints {
        output.line(&format!(
            "  {:10} {:>7} entries   {}",
            endpoint.id, endpoint.pulled, endpoint.state
        ))?;
        if !endpoint.left_out.is_empty() {
            let types = endpoint.left_out.join(", ");
            output.line(&format!("             not pulled, as no records of care: {types}"))?;
        }
    }
    print_sums(report, output)
}

/// Prints what the store holds, as text.
pub(super) fn print_sums(report: &Report, output: &Output) -> Result<(), CliError> {
    let sources: i64 = report.source_records.values().sum();
    let woven: i64 = report.view.values().sum();
    output.line(&format!("  {sources} source records of {} persons", report.persons))?;
    output.line(&format!("  {woven} resources in the view"))?;
    for care_type in ["CarePlan", "Goal", "ServiceRequest", "Task", "Condition"] {
        let of = |counts: &std::collections::BTreeMap<Box<str>, i64>| {
            counts.get(care_type).copied().unwrap_or_default()
        };
        let (stated, shown) = (of(&report.source_records), of(&report.view));
        output.line(&format!("    {care_type:16} {stated:>6} stated  {shown:>6} shown"))?;
    }
    output.line(&format!(
        "  {} merged, {} conflicts, {} findings, {} quarantined",
        report.merged, report.conflicts, report.findings, report.quarantined
    ))?;
    let ledger = &report.ledger;
    let balance = if ledger.balanced { "balanced" } else { "NOT BALANCED" };
    output.line(&format!(
        "  ledger: {} received = {} kept + {} merged + {} superseded + {} withdrawn + {} absent \
         + {} waiting + {} stored + {} pending + {} quarantined + {} repeats + {} not records: \
         {balance}",
        ledger.received,
        ledger.kept,
        ledger.merged,
        ledger.superseded,
        ledger.withdrawn,
        ledger.absent,
        ledger.waiting,
        ledger.stored,
        ledger.pending,
        ledger.quarantined,
        ledger.repeats,
        ledger.not_records
    ))
}

/// Shows an endpoint's progress as a bar.
struct Bar(ProgressBar);

impl Progress for Bar {
    fn update(&self, progress: PullProgress) {
        self.0.set_length(progress.announced.max(progress.entries));
        self.0.set_position(progress.entries);
        self.0.set_message(format!("{} of {} parts", progress.parts_done, progress.parts));
    }
}
