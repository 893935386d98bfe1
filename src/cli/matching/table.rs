//! `match link` and `match dedupe`: pairs and persons of CSV files.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use serde_json::json;

use super::super::output::Output;
use super::super::review_text::grade_word;
use super::super::{CliError, Common};
use super::{Least, TableArgs, model};
use crate::flow::MatchGrade;
use crate::identity::Model;
use crate::pipeline::linkage::{self, Pairs, Quality, Records, Share, TableError, Truth};

pub(super) const DEDUPE_HELP: &str = "\
Examples:
  careweave match dedupe people.csv --out pairs.csv
  careweave match dedupe people.csv --out pairs.csv --train --clusters persons.csv
  careweave match dedupe febrl.csv --out pairs.csv --id rec_id --truth febrl.csv

--out has id_a,id_b,weight_bits,probability,grade; --clusters has id,person. --truth is a file
with the columns id,person (or entity_id, cluster), or id_a,id_b.";

/// What both commands write.
#[derive(Args, Clone, Debug)]
struct Results {
    /// Where pairs go, as CSV
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Learns the weights from these files first
    #[arg(long)]
    train: bool,
    /// Seed of the samples that weights are learned from
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Where persons go, as CSV
    #[arg(long, value_name = "FILE")]
    clusters: Option<PathBuf>,
    /// From which grade on records are put together in --clusters
    #[arg(long, value_enum, default_value_t = Least::Probable, value_name = "GRADE")]
    least: Least,
    /// Who is who, to measure precision and recall
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
}

#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct LinkArgs {
    /// One file
    #[arg(value_name = "A.csv")]
    a: PathBuf,
    /// The other
    #[arg(value_name = "B.csv")]
    b: PathBuf,
    #[command(flatten)]
    results: Results,
    #[command(flatten)]
    table: TableArgs,
}

#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct DedupeArgs {
    /// The file
    #[arg(value_name = "A.csv")]
    a: PathBuf,
    #[command(flatten)]
    results: Results,
    #[command(flatten)]
    table: TableArgs,
}

pub(super) fn link(args: &LinkArgs, common: &Common, output: &Output) -> Result<(), CliError> {
    let begun = Instant::now();
    let base = model(args.table.model.as_deref(), common)?;
    let read = Records::read_two(&args.a, &args.b, &args.table.options());
    match_all(&read.map_err(refused)?, base, &args.results, begun, output)
}

pub(super) fn dedupe(args: &DedupeArgs, common: &Common, output: &Output) -> Result<(), CliError> {
    let begun = Instant::now();
    let base = model(args.table.model.as_deref(), common)?;
    let read = Records::read(&args.a, &args.table.options());
    match_all(&read.map_err(refused)?, base, &args.results, begun, output)
}

/// A table that cannot be read is wrong usage when it is its form, else a failure.
pub(super) fn refused(error: TableError) -> CliError {
    match error {
        TableError::Table { .. } => CliError::Usage(error.to_string()),
        TableError::Read { ref file, ref source } => {
            CliError::Failed(format!("could not read {file}: {source}"))
        }
    }
}

fn match_all(
    records: &Records,
    base: Model,
    results: &Results,
    begun: Instant,
    output: &Output,
) -> Result<(), CliError> {
    let model = if results.train {
        linkage::learn(records, &base, results.seed).map_err(CliError::Failed)?.model
    } else {
        base.for_records(records.len())
    };
    let pairs = linkage::pairs(records, &model);
    write_pairs(&results.out, records, &pairs)?;
    let certain = linkage::persons(records, &pairs, &model, MatchGrade::Certain);
    let probable = linkage::persons(records, &pairs, &model, MatchGrade::Probable);
    let chosen = if results.least.grade() == MatchGrade::Certain { &certain } else { &probable };
    if let Some(path) = &results.clusters {
        write_persons(path, records, chosen)?;
    }
    let truth = results.truth.as_deref().map(|path| Truth::read(path, records));
    let truth = truth.transpose().map_err(refused)?;
    let quality = truth.map(|truth| truth.quality(records, &pairs, &certain, &probable));
    report(records, &pairs, (&certain, &probable), &model, quality.as_ref(), begun, output)
}

fn write_pairs(path: &Path, records: &Records, pairs: &Pairs) -> Result<(), CliError> {
    let mut out = csv_writer(path)?;
    write_row(&mut out, &["id_a", "id_b", "weight_bits", "probability", "grade"])?;
    for pair in pairs.list.iter().filter(|p| p.grade > MatchGrade::CertainlyNot) {
        let [a, b] = [pair.a, pair.b].map(|n| &*records.ids[n as usize]);
        let probability = 1.0 / (1.0 + (-pair.weight_bits).exp2());
        let bits = format!("{:.2}", pair.weight_bits);
        write_row(&mut out, &[a, b, &bits, &format!("{probability:.9}"), grade_word(pair.grade)])?;
    }
    Ok(out.flush()?)
}

fn write_persons(path: &Path, records: &Records, person: &[u32]) -> Result<(), CliError> {
    let mut out = csv_writer(path)?;
    write_row(&mut out, &["id", "person"])?;
    for (id, first) in records.ids.iter().zip(person) {
        write_row(&mut out, &[id, &records.ids[*first as usize]])?;
    }
    Ok(out.flush()?)
}

type Rows = csv::Writer<BufWriter<File>>;

fn csv_writer(path: &Path) -> Result<Rows, CliError> {
    let file = File::create(path)
        .map_err(|e| CliError::Usage(format!("could not write {}: {e}", path.display())))?;
    Ok(csv::Writer::from_writer(BufWriter::new(file)))
}

fn write_row(out: &mut Rows, row: &[&str]) -> Result<(), CliError> {
    out.write_record(row).map_err(|e| CliError::Failed(format!("could not write a row: {e}")))
}

fn report(
    records: &Records,
    pairs: &Pairs,
    (certain, probable): (&[u32], &[u32]),
    model: &Model,
    quality: Option<&Quality>,
    begun: Instant,
    output: &Output,
) -> Result<(), CliError> {
    let of = |grade| pairs.list.iter().filter(|p| p.grade == grade).count();
    let count =
        |person: &[u32]| person.iter().enumerate().filter(|(n, p)| *n == **p as usize).count();
    let seconds = begun.elapsed().as_secs_f64();
    if output.is_json() {
        return output.json(&json!({
            "records": records.len(), "model": model.version, "compared": pairs.compared,
            "certain": of(MatchGrade::Certain), "probable": of(MatchGrade::Probable),
            "possible": of(MatchGrade::Possible),
            "persons": {"certain": count(certain), "probable": count(probable)},
            "overfull": {"blocks": pairs.overfull.blocks, "records": pairs.overfull.records},
            "truth": quality, "seconds": seconds
        }));
    }
    output.line(&format!(
        "{} records, {} pairs compared in {seconds:.1} s with model {}",
        records.len(),
        pairs.compared,
        model.version
    ))?;
    output.line(&format!(
        "{} certain, {} probable, {} possible; {} persons by certain links, {} with probable ones",
        of(MatchGrade::Certain),
        of(MatchGrade::Probable),
        of(MatchGrade::Possible),
        count(certain),
        count(probable)
    ))?;
    if pairs.overfull.blocks > 0 {
        output.line(&format!(
            "unproven: {} values are shared by more records than are compared ({} records); pairs \
             that only these would propose were not looked at",
            pairs.overfull.blocks, pairs.overfull.records
        ))?;
    }
    quality.map_or(Ok(()), |quality| quality_text(quality, output))
}

fn quality_text(quality: &Quality, output: &Output) -> Result<(), CliError> {
    let line = |name: &str, share: &Share| {
        output.line(&format!(
            "{name:<24} {:>9.5} {:>9.5} {:>9.5} {:>9} {:>7}",
            share.precision, share.recall, share.f1, share.right, share.wrong
        ))
    };
    output.line(&format!(
        "\n{:<24} {:>9} {:>9} {:>9} {:>9} {:>7}",
        "", "precision", "recall", "F1", "right", "wrong"
    ))?;
    line("pairs, certain", &quality.certain)?;
    line("pairs, probable", &quality.probable)?;
    line("pairs, possible", &quality.possible)?;
    line("persons, certain", &quality.persons_certain)?;
    line("persons, probable", &quality.persons_probable)?;
    for (bits, share) in &quality.curve {
        line(&format!("pairs from {bits} bits"), share)?;
    }
    Ok(())
}
