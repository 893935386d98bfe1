//! `simulate`: serves files as a provider's FHIR endpoint.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use indicatif::ProgressBar;
use serde_json::json;
use tokio::net::TcpListener;

use super::CliError;
use super::output::Output;
use super::stop::on_signal;
use crate::config::{Config, EndpointConfig};
use crate::files::Bounds;
use crate::net::{ServeOptions, serve};
use crate::simulator::{
    FAULT_KINDS, Fault, FaultError, Loaded, PAGE_SIZE_MAX, Simulator, SimulatorOptions, load,
};

/// What to serve, and how.
#[derive(Args)]
pub(super) struct SimulateArgs {
    /// Files and folders: FHIR JSON, XML, NDJSON, Bundles; folders are walked
    #[arg(long, value_name = "PATH", num_args = 1.., required_unless_present = "fault")]
    from: Vec<PathBuf>,
    /// Where to listen; port 0 is any free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Id of the endpoint in the snippet for careweave.toml
    #[arg(long, default_value = "simulated")]
    id: String,
    /// Resources a page, at most 500
    #[arg(long, value_name = "N", default_value_t = 100,
        value_parser = clap::value_parser!(u16).range(1..=500))]
    page_size: u16,
    /// How clients prove who they are
    #[arg(long, value_enum, default_value_t = Auth::None)]
    auth: Auth,
    /// Refuses searches of patient data that name no patient, as strict servers do
    #[arg(long)]
    require_patient: bool,
    /// Does not offer Patient/{id}/$everything
    #[arg(long)]
    no_everything: bool,
    /// What goes wrong, also several times; `help` lists the kinds
    #[arg(long, value_name = "KIND[=RATE]")]
    fault: Vec<String>,
}

/// Authentication of clients.
#[derive(Clone, Copy, ValueEnum, PartialEq, Eq)]
enum Auth {
    /// Everyone may read
    None,
    /// SMART Backend Services
    Smart,
}

const _: () = assert!(PAGE_SIZE_MAX == 500, "the help of --page-size says so");

/// Loading that takes longer shows a progress bar.
const PATIENCE: Duration = Duration::from_secs(1);
/// So many odd things of a kind are named on stderr; `--json` names all.
const NAMED_MAX: usize = 10;

/// Serves until interrupted.
pub(super) fn run(args: &SimulateArgs, output: &Output) -> Result<(), CliError> {
    if args.fault.iter().any(|fault| fault == "help") {
        return list_faults(output);
    }
    let faults = args.fault.iter().map(|text| {
        let usage = |error: FaultError| CliError::Usage(format!("--fault {text}: {error}"));
        text.parse::<Fault>().map_err(usage)
    });
    let faults: Vec<Fault> = faults.collect::<Result<_, _>>()?;
    if args.auth == Auth::Smart {
        let text = "--auth smart is not built yet; use --auth none";
        return Err(CliError::Usage(text.to_owned()));
    }
    if args.from.is_empty() {
        return Err(CliError::Usage("name what to serve with --from PATH".to_owned()));
    }
    check_id(&args.id)?;
    let started = Instant::now();
    let loaded = read(args, output)?;
    let seconds = started.elapsed().as_secs_f64();
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(serve_loaded(args, faults, loaded, seconds, output))
}

/// The id must be one that the configuration takes.
fn check_id(id: &str) -> Result<(), CliError> {
    let endpoint = EndpointConfig::new(id, "", "http://127.0.0.1/fhir");
    let config = Config { endpoint: vec![endpoint], ..Config::default() };
    match config.check().into_iter().find(|finding| finding.key.ends_with(".id")) {
        Some(finding) => Err(CliError::Usage(format!("--id: {}", finding.text))),
        None => Ok(()),
    }
}

fn list_faults(output: &Output) -> Result<(), CliError> {
    if output.is_json() {
        let list = FAULT_KINDS.map(|(form, text)| json!({"fault": form, "does": text}));
        return output.json(&list);
    }
    FAULT_KINDS.iter().try_for_each(|(form, text)| output.line(&format!("{form:16} {text}")))
}

/// Loads the files; a bar shows how far it is if it takes long.
fn read(args: &SimulateArgs, output: &Output) -> Result<Loaded, CliError> {
    let started = Instant::now();
    let mut bar: Option<ProgressBar> = None;
    let mut tell = |done: u64, total: u64| {
        if started.elapsed() > PATIENCE {
            let bar = bar.get_or_insert_with(|| output.bar("load"));
            bar.set_length(total >> 10);
            bar.set_position(done >> 10);
            bar.set_message("KiB");
        }
    };
    let loaded = load(&args.from, &Bounds::default(), &mut tell).map_err(|error| {
        let path = error.path.display().to_string();
        CliError::Usage(format!("--from {path}: {}", error.source))
    })?;
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    if loaded.counts().is_empty() {
        tell_odd(&loaded, output);
        let text = "no FHIR resource found; give a folder or file of FHIR JSON, NDJSON or XML";
        return Err(CliError::Failed(text.to_owned()));
    }
    Ok(loaded)
}

async fn serve_loaded(
    args: &SimulateArgs,
    faults: Vec<Fault>,
    loaded: Loaded,
    seconds: f64,
    output: &Output,
) -> Result<(), CliError> {
    let listener = TcpListener::bind(args.listen).await.map_err(|e| {
        CliError::Failed(format!("cannot listen on {}: {e}; choose another --listen", args.listen))
    })?;
    let address = listener.local_addr()?;
    let url = format!("http://{address}/fhir");
    tell_odd(&loaded, output);
    if !address.ip().is_loopback() {
        output.note("warning: whoever reaches this address reads all that is served");
    }
    let name = format!("Simulated provider {}", args.id);
    match output.is_json() {
        true => output.json(&document(args, &loaded, &url, &name, seconds))?,
        false => tell_loaded(args, &loaded, &url, &name, seconds, output)?,
    }
    let options = SimulatorOptions {
        id: args.id.clone(),
        name,
        require_patient: args.require_patient,
        everything: !args.no_everything,
        page_size: usize::from(args.page_size),
        // Of an address that stands for all interfaces, clients know the right one.
        base_url: (!address.ip().is_unspecified()).then_some(url),
        faults,
    };
    let simulator = Simulator::of_files(options, loaded);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    on_signal(move || drop(stop))?;
    let stopped = async {
        // The sender is dropped, nothing is sent.
        let _ = stopped.await;
    };
    serve(listener, simulator.router(), stopped, ServeOptions::default()).await;
    Ok(())
}

fn document(
    args: &SimulateArgs,
    loaded: &Loaded,
    url: &str,
    name: &str,
    seconds: f64,
) -> serde_json::Value {
    let counts = loaded.counts();
    let odd = loaded.notes.iter().map(|note| {
        json!({"path": note.place.path.display().to_string(), "line": note.place.line,
            "code": note.code, "text": note.text})
    });
    json!({
        "id": args.id, "url": url, "files": loaded.files,
        "resources": counts.values().sum::<usize>(),
        "types": counts.iter().map(|(kind, n)| (kind.name().to_owned(), json!(n)))
            .collect::<serde_json::Map<_, _>>(),
        "repeats": loaded.repeats, "odd": odd.collect::<Vec<_>>(),
        "endpoint": snippet(&args.id, name, url), "seconds": seconds,
    })
}

fn tell_loaded(
    args: &SimulateArgs,
    loaded: &Loaded,
    url: &str,
    name: &str,
    seconds: f64,
    output: &Output,
) -> Result<(), CliError> {
    let counts = loaded.counts();
    let total: usize = counts.values().sum();
    output.line(&format!("{total} resources from {} files in {seconds:.1} s", loaded.files))?;
    for (kind, count) in &counts {
        output.line(&format!("  {:28} {count:>7}", kind.name()))?;
    }
    if loaded.repeats > 0 {
        output.line(&format!("  {} more came again with the same content", loaded.repeats))?;
    }
    output
        .line(&format!("serving {} at {url} until interrupted; for careweave.toml:\n", args.id))?;
    output.line(&snippet(&args.id, name, url))
}

/// Names what was odd on stderr, of each kind so many.
fn tell_odd(loaded: &Loaded, output: &Output) {
    let mut told: BTreeMap<&str, usize> = BTreeMap::new();
    for note in &loaded.notes {
        let of_kind = told.entry(note.code).or_default();
        *of_kind += 1;
        if *of_kind <= NAMED_MAX {
            output.note(&format!("odd: {}: {}", note.place, note.text));
        }
    }
    for (code, count) in told.into_iter().filter(|(_, count)| *count > NAMED_MAX) {
        output.note(&format!("odd: {} more of kind {code}; --json lists all", count - NAMED_MAX));
    }
}

/// The endpoint as `careweave.toml` names it. Neither value needs escaping.
fn snippet(id: &str, name: &str, url: &str) -> String {
    format!("[[endpoint]]\nid = \"{id}\"\nname = \"{name}\"\nurl = \"{url}\"\n")
}
