//! How the report of `ingest` reads, as text and as JSON.

use std::collections::BTreeMap;

use serde::Serialize;

use super::CliError;
use super::output::Output;
use super::pull::print_sums;
use crate::pipeline::{IngestReport, Receipt, Report};

/// The report of `pull`, and what the files came to.
#[derive(Serialize)]
pub(super) struct Document<'a> {
    #[serde(flatten)]
    report: &'a Report,
    files: FilesLine,
    ingested: BTreeMap<&'a str, Dispositions>,
    quarantine: Vec<QuarantineLine<'a>>,
    odd: Vec<OddLine>,
}

#[derive(Serialize)]
struct FilesLine {
    read: u64,
    odd: u64,
    unread: u64,
}

#[derive(Serialize)]
struct Dispositions {
    new: u64,
    repeat: u64,
    quarantined: u64,
    not_records: u64,
}

#[derive(Serialize)]
struct QuarantineLine<'a> {
    place: String,
    #[serde(rename = "type")]
    resource_type: &'a str,
    id: &'a str,
    code: &'a str,
    reason: &'a str,
}

#[derive(Serialize)]
struct OddLine {
    place: String,
    code: &'static str,
    reason: String,
}

/// What stands for entries without a resource type.
const UNTYPED: &str = "(no type)";

/// The one JSON document.
pub(super) fn document<'a>(report: &'a Report, told: &'a IngestReport) -> Document<'a> {
    let quarantine = told.quarantined.iter().map(|unusable| QuarantineLine {
        place: unusable.place.to_string(),
        resource_type: &unusable.resource_type,
        id: &unusable.id,
        code: &unusable.code,
        reason: &unusable.reason,
    });
    let odd = told.odd.iter().map(|odd| OddLine {
        place: odd.place.to_string(),
        code: odd.why.code(),
        reason: odd.why.to_string(),
    });
    Document {
        report,
        files: FilesLine { read: told.files, odd: told.odd_total, unread: told.unread },
        ingested: told.receipts.iter().map(|(name, r)| (&**name, dispositions(r))).collect(),
        quarantine: quarantine.collect(),
        odd: odd.collect(),
    }
}

fn dispositions(receipt: &Receipt) -> Dispositions {
    Dispositions {
        new: receipt.new_versions,
        repeat: receipt.repeats,
        quarantined: receipt.quarantined,
        not_records: receipt.not_records,
    }
}

/// Prints the report as text.
pub(super) fn print(
    endpoint: &str,
    report: &Report,
    told: &IngestReport,
    output: &Output,
) -> Result<(), CliError> {
    let entries = told.total().received();
    let files = if told.files == 1 { "1 file".to_owned() } else { format!("{} files", told.files) };
    output.line(&format!("  {endpoint}: {files} read, {entries} entries"))?;
    print_types(told, output)?;
    for unusable in &told.quarantined {
        let what = match (&*unusable.resource_type, &*unusable.id) {
            ("", _) => String::new(),
            (resource_type, "") => format!(" {resource_type}:"),
            (resource_type, id) => format!(" {resource_type}/{id}:"),
        };
        output.line(&format!("  quarantined  {}:{what} {}", unusable.place, unusable.reason))?;
    }
    print_rest(told.total().quarantined, told.quarantined.len(), "quarantined", output)?;
    for odd in &told.odd {
        output.line(&format!("  not used     {odd}"))?;
    }
    print_rest(told.odd_total, told.odd.len(), "not used", output)?;
    print_sums(report, output)
}

fn print_types(told: &IngestReport, output: &Output) -> Result<(), CliError> {
    if told.receipts.is_empty() {
        return Ok(());
    }
    let row = |name: &str, counts: [&str; 4]| {
        let [new, repeat, quarantined, none] = counts;
        format!("    {name:26} {new:>8} {repeat:>8} {quarantined:>12} {none:>13}")
    };
    output.line(&row("", ["new", "repeat", "quarantined", "not a record"]))?;
    for (name, receipt) in &told.receipts {
        let name = if name.is_empty() { UNTYPED } else { name };
        let Receipt { new_versions, repeats, quarantined, not_records } = *receipt;
        let counts = [new_versions, repeats, quarantined, not_records].map(|n| n.to_string());
        output.line(&row(name, counts.each_ref().map(String::as_str)))?;
    }
    Ok(())
}

/// Says how many were not named.
fn print_rest(total: u64, named: usize, word: &str, output: &Output) -> Result<(), CliError> {
    match total.saturating_sub(named as u64) {
        0 => Ok(()),
        more => output.line(&format!("  and {more} more {word}")),
    }
}
