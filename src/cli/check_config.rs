//! `check-config`: what is wrong with the configuration, and what to do.

use serde_json::json;

use super::gateway::read_config;
use super::output::Output;
use super::{CliError, Common};
use crate::config::Severity;
use crate::pipeline::Activated;

/// Prints every finding; fails if one is an error.
pub(super) fn run(common: &Common, output: &Output) -> Result<(), CliError> {
    let config = read_config(common)?;
    let findings = config.check();
    let activated = Activated::read(&config.data_dir)?;
    let errors = findings.iter().filter(|f| f.severity == Severity::Error).count();
    if output.is_json() {
        let findings: Vec<_> = findings
            .iter()
            .map(|f| json!({"severity": word(f.severity), "key": f.key, "text": f.text}))
            .collect();
        output.json(&json!({"endpoints": config.endpoint.len(), "findings": findings,
            "activated_model": activated.last()}))?;
    } else {
        for finding in &findings {
            output.line(&format!(
                "{:8} {}: {}",
                word(finding.severity),
                finding.key,
                finding.text
            ))?;
        }
        if let Some(last) = activated.last() {
            let instead = config.identity.model.as_ref().map_or("", |_| "; identity.model waits");
            let (version, by, at) = (&last.version, &last.by, last.at);
            let text =
                format!("match model {version} is in use, activated by {by} at {at}{instead}");
            output.line(&text)?;
        }
        if findings.is_empty() {
            output.line(&format!("ok: {} endpoints", config.endpoint.len()))?;
        }
    }
    match errors {
        0 => Ok(()),
        1 => Err(CliError::Usage("the configuration has an error".to_owned())),
        n => Err(CliError::Usage(format!("the configuration has {n} errors"))),
    }
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}
