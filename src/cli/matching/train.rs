//! `match train`: learns a model from CSV files and says what it would change.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::super::output::Output;
use super::super::{CliError, Common};
use super::table::refused;
use super::{TableArgs, model};
use crate::flow::MatchGrade;
use crate::identity::Model;
use crate::pipeline::linkage::{self, Records};

/// Most changed links that are listed.
const LISTED_MAX: usize = 20;

#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct TrainArgs {
    /// CSV files, read as one
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Where the model goes
    #[arg(long, value_name = "MODEL")]
    out: PathBuf,
    /// Seed of the samples
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    #[command(flatten)]
    table: TableArgs,
}

pub(super) fn run(args: &TrainArgs, common: &Common, output: &Output) -> Result<(), CliError> {
    let base = model(args.table.model.as_deref(), common)?;
    let mut records = Records::default();
    for file in &args.files {
        records.add(file, &args.table.options()).map_err(refused)?;
    }
    let trained = linkage::learn(&records, &base, args.seed).map_err(CliError::Failed)?;
    let text = trained.model.to_text();
    std::fs::write(&args.out, format!("{text}\n"))
        .map_err(|e| CliError::Usage(format!("could not write {}: {e}", args.out.display())))?;
    let (before, after) = (links(&records, &base), links(&records, &trained.model));
    let gained: Vec<&(u32, u32)> = after.difference(&before).collect();
    let lost: Vec<&(u32, u32)> = before.difference(&after).collect();
    let named = |pairs: &[&(u32, u32)]| -> Vec<[String; 2]> {
        let id = |n: u32| records.ids[n as usize].to_string();
        pairs.iter().take(LISTED_MAX).map(|(a, b)| [id(*a), id(*b)]).collect()
    };
    if output.is_json() {
        return output.json(&json!({
            "model": trained.model.version, "training": trained.model.training(),
            "expected_matches": trained.matches.round(),
            "links": {"before": before.len(), "after": after.len(),
                      "gained": gained.len(), "lost": lost.len(),
                      "gained_first": named(&gained), "lost_first": named(&lost)}
        }));
    }
    output.line(&format!(
        "learned {} from {} records, which hold about {:.0} pairs of one person",
        trained.model.version,
        records.len(),
        trained.matches
    ))?;
    output.line(&format!(
        "against {}: {} certain links would be gained, {} lost, {} stay",
        base.version,
        gained.len(),
        lost.len(),
        after.len() - gained.len()
    ))?;
    for (word, pairs) in [("gained", named(&gained)), ("lost", named(&lost))] {
        for [a, b] in pairs {
            output.line(&format!("  {word}: {a} and {b}"))?;
        }
    }
    output.line(&format!(
        "written to {0}; careweave match activate {0} takes it into use",
        args.out.display()
    ))
}

fn links(records: &Records, model: &Model) -> BTreeSet<(u32, u32)> {
    let pairs = linkage::pairs(records, model);
    let certain = pairs.list.iter().filter(|pair| pair.grade == MatchGrade::Certain);
    certain.map(|pair| (pair.a, pair.b)).collect()
}
