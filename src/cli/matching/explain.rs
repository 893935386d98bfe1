//! `match explain`: the waterfall of two records, of a CSV file or of the store.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::super::gateway::{open_gateway, read_config};
use super::super::output::Output;
use super::super::review_names::Named;
use super::super::review_text::{grade_word, steps_json};
use super::super::{CliError, Common};
use super::table::refused;
use super::{TableArgs, model};
use crate::flow::{Comparison, Home};
use crate::identity::{linking_grade, waterfall_text};
use crate::pipeline::linkage::{self, Records};

pub(super) const AFTER_HELP: &str = "\
Examples:
  careweave match explain mercy/Patient/1001 valley/Patient/7
  careweave match explain rec-7-org rec-7-dup-0 --file people.csv --model site-model.json";

#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct ExplainArgs {
    /// One record: ENDPOINT/Patient/ID, or its id in --file
    #[arg(value_name = "A")]
    a: String,
    /// The other
    #[arg(value_name = "B")]
    b: String,
    /// A CSV file with both
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    table: TableArgs,
}

pub(super) fn run(args: &ExplainArgs, common: &Common, output: &Output) -> Result<(), CliError> {
    let comparison = match &args.file {
        Some(file) => {
            let model = model(args.table.model.as_deref(), common)?;
            let records = Records::read(file, &args.table.options()).map_err(refused)?;
            let model = model.for_records(records.len());
            let found = linkage::explain(&records, [&args.a, &args.b], &model);
            found.map_err(|id| CliError::Usage(format!("the file has no record {id:?}")))?
        }
        None => of_store(args, common)?,
    };
    if output.is_json() {
        return output.json(&explained(&args.a, &args.b, &comparison));
    }
    output.line(waterfall_text(&comparison).trim_end())
}

fn of_store(args: &ExplainArgs, common: &Common) -> Result<Comparison, CliError> {
    let gateway = open_gateway(&read_config(common)?)?;
    let names = [args.a.clone(), args.b.clone()];
    let Named::Two(a, b) = Named::of(&gateway, &names)? else {
        return Err(CliError::Usage("name two charts".to_owned()));
    };
    let known = |home: &Home| home.chart().is_some();
    let found = if known(&a) && known(&b) { gateway.comparison(&a, &b)? } else { None };
    found.ok_or_else(|| CliError::Failed("one of the two has no Patient yet".to_owned()))
}

/// The comparison as JSON: what `$match` says in words, for programs.
fn explained(a: &str, b: &str, comparison: &Comparison) -> Value {
    json!({
        "a": a, "b": b, "weight_bits": comparison.weight_bits,
        "probability": comparison.probability, "grade": grade_word(linking_grade(comparison)),
        "unproven": comparison.unproven, "waterfall": steps_json(comparison),
        "against": comparison.vetoes
    })
}
