//! `match`: links and deduplicates tables, learns and compares match models, explains a pair.

mod activate;
mod explain;
mod table;
mod train;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};

use crate::config::profile_text;
use crate::flow::MatchGrade;
use crate::identity::Model;
use crate::pipeline::linkage::TableOptions;

use super::gateway::{model_in_force, read_config};
use super::output::Output;
use super::{CliError, Common};

/// The subcommands.
#[derive(Subcommand)]
pub(super) enum MatchCommand {
    /// Finds who is in both of two CSV files
    #[command(after_help = "Example: careweave match link a.csv b.csv --out pairs.csv")]
    Link(table::LinkArgs),
    /// Finds records of one CSV file that are the same person
    #[command(after_help = table::DEDUPE_HELP)]
    Dedupe(table::DedupeArgs),
    /// Learns the weights of a match model from CSV files, without labels
    #[command(after_help = "Example: careweave match train people.csv --out site-model.json")]
    Train(train::TrainArgs),
    /// Says what another model would change, and takes it into use
    #[command(after_help = activate::AFTER_HELP)]
    Activate(activate::ActivateArgs),
    /// Shows field by field why two records are, or are not, one person
    #[command(after_help = explain::AFTER_HELP)]
    Explain(explain::ExplainArgs),
}

/// How files are read.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct TableArgs {
    /// Names of columns: given=first_name,family=last_name; usual names are known
    #[arg(long, value_name = "KNOWN=THEIRS", value_delimiter = ',', value_parser = mapping)]
    columns: Vec<(String, String)>,
    /// The column with the record's id; else id or rec_id, else the row's number
    #[arg(long, value_name = "COLUMN")]
    id: Option<String>,
    /// Match model; else the one in use: activated, configured or built in
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
}

impl TableArgs {
    fn options(&self) -> TableOptions {
        TableOptions { columns: self.columns.clone(), id: self.id.clone() }
    }
}

fn mapping(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((known, theirs)) if !known.is_empty() && !theirs.is_empty() => {
            Ok((known.to_owned(), theirs.to_owned()))
        }
        _ => Err("write KNOWN=THEIRS, for example given=first_name".to_owned()),
    }
}

/// From which grade on records are put together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Least {
    /// What the gateway links by itself
    Certain,
    /// Also what it would ask a steward about first
    Probable,
}

impl Least {
    fn grade(self) -> MatchGrade {
        match self {
            Self::Certain => MatchGrade::Certain,
            Self::Probable => MatchGrade::Probable,
        }
    }
}

pub(super) fn run(
    command: &MatchCommand,
    common: &Common,
    output: &Output,
) -> Result<(), CliError> {
    match command {
        MatchCommand::Link(args) => table::link(args, common, output),
        MatchCommand::Dedupe(args) => table::dedupe(args, common, output),
        MatchCommand::Train(args) => train::run(args, common, output),
        MatchCommand::Activate(args) => activate::run(args, common, output),
        MatchCommand::Explain(args) => explain::run(args, common, output),
    }
}

/// The model of a file, or the one in force.
fn model(named: Option<&Path>, common: &Common) -> Result<Model, CliError> {
    match named {
        None => model_in_force(&read_config(common)?),
        Some(path) => {
            let text = profile_text(Some(path), "")?;
            Model::parse(&text).map_err(|e| CliError::Usage(format!("{}: {e}", path.display())))
        }
    }
}
