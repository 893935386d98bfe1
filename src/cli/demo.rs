//! `demo`: the main job on a made population, over real sockets.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::gateway::{ScratchDir, open_gateway, open_ingest};
use super::output::Output;
use super::person_text::person_text;
use super::pull::{Wanted, print_report, pull_and_settle};
use super::serve::{end, run_api, settle_in_background};
use super::stop::stop_on_signal;
use super::{CliError, Common, panel};
use crate::config::{Config, EndpointConfig, EndpointKind, SecurityMode};
use crate::fhir::ResourceType;
use crate::flow::{ChartKey, RecordKey};
use crate::net::{ServeOptions, serve};
use crate::pipeline::{Gateway, LedgerFilter, Report};
use crate::population::{self, Population, PopulationEndpoint, TruthReport};
use crate::simulator::{Simulator, SimulatorOptions};

/// What to make.
#[derive(Args)]
pub(super) struct DemoArgs {
    /// How many persons to make
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    patients: u32,
    /// What the population is drawn from: the same seed gives the same population
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Port of the gateway on 127.0.0.1; a free one is taken if none is given and 8080 is not free
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// Exits after printing
    #[arg(long)]
    once: bool,
}

const DEFAULT_PORT: u16 = 8080;
/// The client that may write to the demo.
const CLIENT: &str = "careteam";
/// The payer, and the system of its members' numbers.
const PAYER: &str = "harbor";
const MEMBER_NUMBER: &str = "http://harbor.example/member";

/// Runs the demo.
pub(super) fn run(args: &DemoArgs, common: &Common, output: &Output) -> Result<(), CliError> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(show(args, common, output))
}

async fn show(args: &DemoArgs, common: &Common, output: &Output) -> Result<(), CliError> {
    let started = Instant::now();
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let patients = usize::try_from(args.patients).unwrap_or(usize::MAX);
    let population = population::generate(args.seed, patients, today);
    let scratch = ScratchDir::new()?;
    let listener = bind(args.port).await?;
    let mut config = Config {
        data_dir: common.data_dir.clone().unwrap_or_else(|| scratch.path().to_owned()),
        ..Config::default()
    };
    config.server.listen = listener.local_addr()?;
    config.security.mode = SecurityMode::Open;
    for endpoint in &population.endpoints {
        config.endpoint.push(serve_endpoint(endpoint).await?);
    }
    output
        .text(&format!("{patients} made persons (seed {}), seen by three providers:", args.seed))?;
    for endpoint in &config.endpoint {
        output.text(&format!("  {:10} {:28} {}", endpoint.id, endpoint.name, endpoint.url))?;
    }

    let client = EndpointConfig::new(CLIENT, "The care team's own client", "");
    config.endpoint.push(EndpointConfig { kind: EndpointKind::Client, ..client });

    let gateway = open_gateway(&config)?;
    stop_on_signal(gateway.clone())?;
    let ingest = open_ingest(&config)?;
    gateway.use_ingest(ingest.clone());
    let wanted = Wanted { endpoints: &[], full: false };
    let pulled = pull_and_settle(&gateway, &ingest, &config, wanted, output).await?;
    if gateway.is_stopping() {
        return Err(CliError::Failed("stopped before the demo was made".to_owned()));
    }
    let truth = score(&gateway, &population)?;
    let mut report = gateway.report()?;
    report.tell_pulled(&pulled);
    report.seconds = started.elapsed().as_secs_f64();
    let person = showcase(&gateway, &population)?;
    if output.is_json() {
        output.json(&DemoReport { report, truth: truth.into() })?;
    } else {
        output.line("\nPulled, matched and woven:")?;
        print_report(&report, output)?;
        output.line(&format!(
            "  truth: {} planted duplicate pairs, {} found, {} wrong merges",
            truth.planted, truth.found, truth.wrong_merges
        ))?;
        output.line(&format!("  in {:.1} s\n", report.seconds))?;
        output.line("One of them:\n")?;
        output.line(&person_text(&gateway, person, &access()).await?)?;
    }
    if args.once {
        return Ok(());
    }
    let panel = members_of_payer(&gateway, &population)?;
    print_urls(&gateway, person, panel, output)?;
    let settling = tokio::spawn(settle_in_background(gateway.clone()));
    run_api(listener, &gateway, &config.limits).await;
    end(vec![settling], &config.limits).await;
    Ok(())
}

fn access() -> crate::flow::Access {
    crate::flow::Access::open()
}

/// The gateway's port: the one asked for, or the default one, or any that is free.
async fn bind(port: Option<u16>) -> Result<TcpListener, CliError> {
    let address = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    match port {
        Some(port) => TcpListener::bind(address(port)).await.map_err(|e| {
            CliError::Failed(format!("cannot listen on port {port}: {e}; choose another --port"))
        }),
        None => match TcpListener::bind(address(DEFAULT_PORT)).await {
            Ok(listener) => Ok(listener),
            Err(_) => Ok(TcpListener::bind(address(0)).await?),
        },
    }
}

/// Serves one organisation's resources on a port of its own.
async fn serve_endpoint(endpoint: &PopulationEndpoint) -> Result<EndpointConfig, CliError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let url = format!("http://{}/fhir", listener.local_addr()?);
    let options = SimulatorOptions {
        id: endpoint.id.to_owned(),
        name: endpoint.name.to_owned(),
        require_patient: endpoint.requires_patient,
        everything: endpoint.offers_everything,
        base_url: Some(url.clone()),
        ..SimulatorOptions::default()
    };
    let resources = endpoint.resources.iter().map(|r| Bytes::from(r.to_string()));
    let (simulator, refused) = Simulator::new(options, resources);
    if let Some(refused) = refused.first() {
        return Err(CliError::Failed(format!("a made resource cannot be served: {refused:?}")));
    }
    let forever = std::future::pending();
    tokio::spawn(serve(listener, simulator.router(), forever, ServeOptions::default()));
    let organization = Some(endpoint.organization.clone());
    Ok(EndpointConfig { organization, ..EndpointConfig::new(endpoint.id, endpoint.name, &url) })
}

/// Compares what was merged with what the population knows.
fn score(gateway: &Gateway, population: &Population) -> Result<TruthReport, CliError> {
    let mut view: BTreeMap<RecordKey, String> = BTreeMap::new();
    gateway.ledger::<CliError>(&LedgerFilter::default(), &mut |row| {
        if let (Some(resource_type), Some(shown)) =
            (ResourceType::parse(&row.resource_type), row.view)
        {
            view.insert(RecordKey::new(&row.endpoint, resource_type, &row.id), shown.into());
        }
        Ok(())
    })?;
    Ok(population.truth.score(&|key| view.get(key).cloned()))
}

/// The person whom the population made to be shown.
fn showcase(
    gateway: &Gateway,
    population: &Population,
) -> Result<crate::flow::DerivedId, CliError> {
    let (endpoint, patient) = &population.truth.showcase;
    let chart = ChartKey::new(endpoint, patient);
    let home = crate::flow::Home::Chart(chart);
    let link = gateway.store().link(&access(), &home)?;
    let owner = link.and_then(|l| l.owner);
    let missing = || CliError::Failed("the person to show was not pulled".to_owned());
    owner.map(crate::flow::Owner::id).ok_or_else(missing)
}

/// A panel of all members of the payer, by their member numbers.
fn members_of_payer(
    gateway: &Gateway,
    population: &Population,
) -> Result<crate::flow::DerivedId, CliError> {
    let payer = population.endpoints.iter().filter(|endpoint| endpoint.id == PAYER);
    let patients = payer.flat_map(|e| &e.resources).filter(|r| r["resourceType"] == "Patient");
    let numbers = patients.filter_map(|patient| {
        let mut identifiers = patient["identifier"].as_array()?.iter();
        identifiers.find(|i| i["system"] == MEMBER_NUMBER)
    });
    let members: Vec<Value> = numbers
        .map(|n| json!({"entity": {"identifier": {"system": n["system"], "value": n["value"]}}}))
        .collect();
    let group = json!({"resourceType": "Group", "member": members});
    panel::state(gateway, &CLIENT.into(), "Harbor members", group)
}

fn print_urls(
    gateway: &Arc<Gateway>,
    person: crate::flow::DerivedId,
    panel: crate::flow::DerivedId,
    output: &Output,
) -> Result<(), CliError> {
    let base = gateway.public_base_url();
    output.text("\nServing until interrupted. Try:")?;
    for path in [
        format!("fhir/CarePlan?patient={person}"),
        format!("fhir/Goal?patient={person}&_revinclude=Provenance:target"),
        format!("fhir/DetectedIssue?patient={person}"),
        format!("fhir/Patient/{person}/$everything"),
        format!("care/panel/{panel}/goals?_format=csv"),
        "fhir/metadata".to_owned(),
    ] {
        output.text(&format!("  curl -s '{base}/{path}'"))?;
    }
    output.text(&format!(
        "and say something yourself, as the client \"{CLIENT}\":\n  curl -s '{base}/fhir/Goal' \
         -H 'Content-Type: application/fhir+json' -d \
         '{{\"resourceType\":\"Goal\",\"lifecycleStatus\":\"active\",\
         \"description\":{{\"text\":\"Walk 30 minutes a day\"}},\
         \"subject\":{{\"reference\":\"Patient/{person}\"}}}}'"
    ))?;
    Ok(())
}

/// The report, with the truth beside it.
#[derive(Serialize)]
struct DemoReport {
    #[serde(flatten)]
    report: Report,
    truth: TruthLine,
}

/// What the population knows of itself.
#[derive(Serialize)]
struct TruthLine {
    planted: u64,
    found: u64,
    wrong_merges: u64,
}

impl From<TruthReport> for TruthLine {
    fn from(truth: TruthReport) -> Self {
        let TruthReport { planted, found, wrong_merges } = truth;
        Self { planted, found, wrong_merges }
    }
}
