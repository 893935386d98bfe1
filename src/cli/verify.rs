//! `verify`: proves of a store what the promises say of it.

use super::gateway::{open_gateway, read_config};
use super::output::Output;
use super::{CliError, Common};

/// Checks, prints what was checked and what is wrong; fails if something is.
pub(super) fn run(common: &Common, output: &Output) -> Result<(), CliError> {
    let config = read_config(common)?;
    let gateway = open_gateway(&config)?;
    let bar = output.bar("verify");
    let verified = gateway.verify(&mut |owners| bar.set_position(owners))?;
    bar.finish_and_clear();
    if output.is_json() {
        output.json(&verified)?;
    } else {
        for finding in &verified.findings {
            output.line(&format!("{}: {}", finding.check, finding.text))?;
        }
        output.line(&format!(
            "checked {} views with {} resources, {} ledger rows, {} references, {} audit entries",
            verified.owners,
            verified.resources,
            verified.ledger_rows,
            verified.references,
            verified.audit_entries
        ))?;
    }
    match verified.findings_total {
        0 => output.text("ok: the ledger balances and every view equals its rebuild"),
        n => Err(CliError::Problems(format!("{n} findings; see above"))),
    }
}
