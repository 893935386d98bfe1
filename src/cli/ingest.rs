//! `ingest`: takes FHIR files into the store of an endpoint, then settles.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use clap::{Args, ValueEnum};
use figment::Figment;
use figment::providers::{Format as _, Toml};

use super::gateway::{open_gateway, open_ingest, read_config};
use super::ingest_text::{document, print};
use super::output::Output;
use super::pull::settle;
use super::stop::stop_on_signal;
use super::{CliError, Common};
use crate::care::Mapping;
use crate::config::{Config, EndpointConfig, EndpointKind, profile_text};
use crate::files::{Bounds, Format, walk};
use crate::pipeline::{Files, Gateway, IngestReport, ingest};

/// Shown below the options.
pub(super) const AFTER_HELP: &str = "\
Folders are walked; names that begin with a dot are passed over. Input that is not valid R4 goes to
quarantine, with its bytes and the reason, and the rest is taken. The same files again change
nothing, so what was interrupted is run again.

Exit status: 0 done, also if some of the input is in quarantine or files are no FHIR (both are
named); 1 if nothing could be used, a file could not be read, or the store failed; 2 wrong usage.

Example: careweave ingest exports/2026-11 --endpoint mercy";

/// What to ingest.
#[derive(Args)]
pub(super) struct IngestArgs {
    /// Files and folders
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The endpoint whose records they are
    #[arg(long, value_name = "ID")]
    endpoint: String,
    /// What the files are taken for
    #[arg(long, value_enum, default_value_t = FormatArg::Auto)]
    format: FormatArg,
    /// The files are tables of a care-management system: CSV, or NDJSON; this says what their
    /// columns mean (TOML; fixtures/care-records/mapping.toml is one)
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum FormatArg {
    /// Each for what it seems to be
    Auto,
    /// A resource or Bundle in JSON
    Json,
    /// Resources or Bundles in JSON, one a line
    Ndjson,
    /// A resource or Bundle in XML
    Xml,
    /// Care records in JSON: one, or one a line
    Care,
}

/// Ingests, settles, prints the report.
pub(super) fn run(args: &IngestArgs, common: &Common, output: &Output) -> Result<(), CliError> {
    let config = read_config(common)?;
    let endpoint: Arc<str> = wanted_endpoint(&config, &args.endpoint)?.id.as_str().into();
    let bounds = Bounds {
        files_max: config.limits.files_max,
        document_bytes_max: config.limits.file_bytes_max,
        line_bytes_max: usize::try_from(config.limits.page_bytes_max).unwrap_or(usize::MAX),
    };
    let walked =
        walk(&args.paths, &bounds).map_err(|e| CliError::Usage(format!("{e}: {}", e.source)))?;
    let gateway = open_gateway(&config)?;
    let mapping = args.mapping.as_deref().map(|path| read_mapping(path, &gateway)).transpose()?;
    if mapping.is_some() && !matches!(args.format, FormatArg::Auto | FormatArg::Care) {
        let text = "--mapping makes care records of tables; leave --format out, or say care";
        return Err(CliError::Usage(text.to_owned()));
    }
    let runtime = tokio::runtime::Runtime::new()?;
    let _signals = runtime.enter();
    stop_on_signal(gateway.clone())?;
    let reader = open_ingest(&config)?;
    let started = Instant::now();
    let bar = output.bar(&endpoint);
    bar.set_length(walked.files.iter().map(|file| file.bytes).sum());
    let format = args.format.into();
    let files = Files { walked: &walked, format, bounds, mapping: mapping.as_ref() };
    let told = ingest(&gateway, &reader, &endpoint, files, &mut |progress| {
        bar.set_position(progress.bytes);
        bar.set_message(format!("bytes, {} entries", progress.entries));
    })?;
    bar.finish();
    settle(&gateway, &output.bar("weave"))?;
    let mut report = gateway.report()?;
    report.tell_received(&endpoint, told.total().received());
    report.seconds = started.elapsed().as_secs_f64();
    if output.is_json() {
        output.json(&document(&report, &told))?;
    } else {
        print(&endpoint, &report, &told, output)?;
    }
    if gateway.is_stopping() {
        let text = "stopped before the end; what the report counts is stored, and the same command \
                    again takes the rest";
        return Err(CliError::Failed(text.to_owned()));
    }
    tell_failure(&told, walked.files.len())
}

/// Reads a column mapping.
fn read_mapping(path: &Path, gateway: &Gateway) -> Result<Mapping, CliError> {
    let named = |e: String| CliError::Usage(format!("{}: {e}", path.display()));
    let text = profile_text(Some(path), "")?;
    let mapping: Mapping =
        Figment::from(Toml::string(&text)).extract().map_err(|e| named(e.to_string()))?;
    gateway.care().records.mapping(mapping).map_err(named)
}

/// The endpoint must be configured, and be one that may have files.
fn wanted_endpoint<'a>(config: &'a Config, id: &str) -> Result<&'a EndpointConfig, CliError> {
    let Some(endpoint) = config.endpoint.iter().find(|e| e.id == id) else {
        let known: Vec<&str> = config.endpoint.iter().map(|e| e.id.as_str()).collect();
        let known = match known.as_slice() {
            [] => "none is configured".to_owned(),
            known => format!("known: {}", known.join(", ")),
        };
        let text = format!(
            "unknown endpoint \"{id}\"; {known}. For one that only gets files, add this to \
             careweave.toml:\n\n[[endpoint]]\nid = \"{id}\"\nkind = \"files\""
        );
        return Err(CliError::Usage(text));
    };
    match endpoint.kind {
        EndpointKind::Fhir | EndpointKind::Files => Ok(endpoint),
        kind @ (EndpointKind::Bulk | EndpointKind::Feed) => {
            let text = format!("endpoint \"{id}\": kind \"{}\" is not built yet", kind.name());
            Err(CliError::Usage(text))
        }
        EndpointKind::Client => {
            let text = format!("endpoint \"{id}\" is a client: it writes to /fhir");
            Err(CliError::Usage(text))
        }
    }
}

/// Fails if nothing came of the files, or some of them could not be read.
fn tell_failure(told: &IngestReport, files: usize) -> Result<(), CliError> {
    let total = told.total();
    let nothing = total.new_versions + total.repeats + total.not_records == 0;
    if nothing && (total.quarantined > 0 || told.pieces == 0) {
        let text = match files {
            0 => "found no file; name files, or folders with files",
            _ => "nothing in these files could be used; what is wrong with each is told above",
        };
        return Err(CliError::Failed(text.to_owned()));
    }
    match told.unread {
        0 => Ok(()),
        1 => Err(CliError::Failed("not complete: a file could not be read".to_owned())),
        n => Err(CliError::Failed(format!("not complete: {n} files could not be read"))),
    }
}

impl From<FormatArg> for Format {
    fn from(format: FormatArg) -> Self {
        match format {
            FormatArg::Auto => Self::Auto,
            FormatArg::Json => Self::Json,
            FormatArg::Ndjson => Self::Ndjson,
            FormatArg::Xml => Self::Xml,
            FormatArg::Care => Self::Care,
        }
    }
}
