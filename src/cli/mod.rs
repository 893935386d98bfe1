//! The command line: one file per command.
//!
//! Exit status: 0 done, 1 the work failed or found problems, 2 wrong usage.

mod check_config;
mod demo;
mod gateway;
mod ingest;
mod ingest_text;
mod ledger;
mod matching;
mod output;
mod panel;
mod panel_file;
mod person;
mod person_past;
mod person_text;
mod pull;
mod rebuild;
mod review;
mod review_conflicts;
mod review_names;
mod review_notes;
mod review_queue;
mod review_said;
mod review_text;
mod serve;
mod simulate;
mod stop;
mod validate;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

pub use output::CliError;
use output::Output;
use tracing_subscriber::filter::LevelFilter;

use crate::config::{LogLevel, LogStyle};
use crate::telemetry::{LogFormat, start_log};

/// A FHIR R4 gateway that weaves the care plans of every provider into one.
#[derive(Parser)]
#[command(name = "careweave", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: Common,
}

/// Options of every command.
#[derive(Args, Clone, Debug, Default)]
struct Common {
    /// Configuration file; careweave.toml if it is there
    #[arg(long, global = true, value_name = "FILE", env = "CAREWEAVE_CONFIG")]
    config: Option<PathBuf>,
    /// Where the store lives; overrides data_dir of the configuration
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Prints one JSON document on stdout and nothing else there
    #[arg(long, global = true)]
    json: bool,
    /// Prints no progress
    #[arg(long, short, global = true)]
    quiet: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the main job on a made population: three providers in, one care plan out
    #[command(after_help = "Example: careweave demo --patients 60 --seed 7")]
    Demo(demo::DemoArgs),
    /// Serves files as a provider's FHIR endpoint
    #[command(after_help = "Example: careweave simulate --from exports/ --id mercy")]
    Simulate(simulate::SimulateArgs),
    /// Runs the gateway
    #[command(after_help = "Example: careweave serve --config careweave.toml")]
    Serve,
    /// Pulls now, from all endpoints or some; resumes where it stopped
    #[command(after_help = "Example: careweave pull --endpoint mercy --full")]
    Pull(pull::PullArgs),
    /// Takes FHIR files into the store of an endpoint: resources, Bundles, NDJSON, XML
    #[command(after_help = ingest::AFTER_HELP)]
    Ingest(ingest::IngestArgs),
    /// Finds persons, or shows one
    #[command(subcommand)]
    Person(person::PersonCommand),
    /// Panels of persons: imports, lists, shows
    #[command(subcommand)]
    Panel(panel::PanelCommand),
    /// The steward's queue: pairs that may be one person, and decisions about them
    #[command(subcommand)]
    #[command(after_help = "Example: careweave review list")]
    Review(review::ReviewCommand),
    /// Links and deduplicates tables, learns match models, explains a pair
    #[command(subcommand, name = "match")]
    #[command(after_help = "Example: careweave match dedupe people.csv --out pairs.csv --train")]
    Match(matching::MatchCommand),
    /// Lists what became of every source version
    #[command(after_help = "Example: careweave ledger --endpoint mercy --type Goal")]
    Ledger(ledger::LedgerArgs),
    /// Checks the store: ledger, views, references, audit chain
    #[command(after_help = "Example: careweave verify --json")]
    Verify,
    /// Tells what is wrong with FHIR files
    #[command(after_help = validate::AFTER_HELP)]
    Validate(validate::ValidateArgs),
    /// Weaves every view anew
    #[command(after_help = "Example: careweave rebuild")]
    Rebuild,
    /// Checks the configuration and says what to do
    #[command(after_help = "Example: careweave check-config --config careweave.toml")]
    CheckConfig,
}

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.common.json, cli.common.quiet);
    start_logging(&cli);
    let done = match cli.command {
        Command::Demo(args) => demo::run(&args, &cli.common, &output),
        Command::Simulate(args) => simulate::run(&args, &output),
        Command::Serve => serve::run(&cli.common, &output),
        Command::Pull(args) => pull::run(&args, &cli.common, &output),
        Command::Ingest(args) => ingest::run(&args, &cli.common, &output),
        Command::Person(command) => person::run(&command, &cli.common, &output),
        Command::Panel(command) => panel::run(&command, &cli.common, &output),
        Command::Review(command) => review::run(&command, &cli.common, &output),
        Command::Match(command) => matching::run(&command, &cli.common, &output),
        Command::Ledger(args) => ledger::run(&args, &cli.common, &output),
        Command::Verify => verify::run(&cli.common, &output),
        Command::Validate(args) => validate::run(&args, &output),
        Command::Rebuild => rebuild::run(&cli.common, &output),
        Command::CheckConfig => check_config::run(&cli.common, &output),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output.error(&error);
            ExitCode::from(error.exit_status())
        }
    }
}

/// Logs to stderr: as `[log]` says, or from the level that `CAREWEAVE_LOG` names.
fn start_logging(cli: &Cli) {
    // A configuration that cannot be read is told of by the command that needs it.
    let log = gateway::read_config(&cli.common).map(|config| config.log).unwrap_or_default();
    let named = std::env::var("CAREWEAVE_LOG").ok().and_then(|level| level.parse().ok());
    let configured = log.level.map(|level| match level {
        LogLevel::Off => LevelFilter::OFF,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    });
    let usual = match cli.command {
        Command::Serve => LevelFilter::INFO,
        // What others do is on the screen already.
        _ => LevelFilter::WARN,
    };
    let format = match log.format {
        LogStyle::Text => LogFormat::Text,
        LogStyle::Json => LogFormat::Json,
    };
    start_log(format, named.or(configured).unwrap_or(usual));
}
