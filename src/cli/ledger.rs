//! `ledger`: what became of every source version.

use clap::Args;

use super::gateway::{known_endpoint, open_gateway, read_config};
use super::output::Output;
use super::person_text::audited;
use super::{CliError, Common};
use crate::fhir::ResourceType;
use crate::pipeline::LedgerFilter;

/// Which rows.
#[derive(Args)]
pub(super) struct LedgerArgs {
    /// Only this endpoint
    #[arg(long, value_name = "ID")]
    endpoint: Option<String>,
    /// Only this resource type
    #[arg(long = "type", value_name = "TYPE")]
    resource_type: Option<String>,
}

/// Prints the rows: a table, or NDJSON with `--json`.
pub(super) fn run(args: &LedgerArgs, common: &Common, output: &Output) -> Result<(), CliError> {
    let config = read_config(common)?;
    if let Some(id) = &args.endpoint {
        known_endpoint(&config, id)?;
    }
    if let Some(name) = &args.resource_type {
        name.parse::<ResourceType>().map_err(|e| CliError::Usage(e.to_string()))?;
    }
    let gateway = open_gateway(&config)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(audited(&gateway, "ledger", &[]))?;
    let filter = LedgerFilter {
        endpoint: args.endpoint.as_deref().map(Into::into),
        resource_type: args.resource_type.as_deref().map(Into::into),
    };
    gateway.ledger::<CliError>(&filter, &mut |row| {
        if output.is_json() {
            let text = serde_json::to_string(&row)
                .map_err(|e| CliError::Failed(format!("could not write JSON: {e}")))?;
            return output.line(&text);
        }
        let record = format!("{}/{}/{}", row.endpoint, row.resource_type, row.id);
        let view = row.view.as_deref().unwrap_or("-");
        let version = if row.version.is_empty() { "-" } else { &row.version };
        output.line(&format!(
            "{:11} {record} {version} → {view}  {}: {}",
            row.disposition, row.rule, row.reason
        ))
    })
}
