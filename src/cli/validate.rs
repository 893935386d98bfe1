//! `validate`: what is wrong with FHIR files, by R4's rules and by profiles.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::CliError;
use super::output::Output;
use crate::fhir::{Finding, Severity, Validator, operation_outcome, xml};
use crate::files::{Bounds, Form, Odd, PackageBounds, Piece, Place, read, read_package, walk};

/// Shown below the options.
pub(super) const AFTER_HELP: &str = "\
Folders are walked; JSON, XML, NDJSON and Bundles are read. Nothing is kept and no configuration is
needed. With --json the answer is one Bundle with an OperationOutcome for each resource that has
something to tell.

Exit status: 0 no errors; 1 a resource breaks a rule or a file could not be read; 2 wrong usage.

Profiles come from --package and are checked where a resource claims them or --profile names them;
one that is not known is told as a warning.

Example: careweave validate exports/ --package us-core.tgz --json";

/// What to validate.
#[derive(Args)]
pub(super) struct ValidateArgs {
    /// Files and folders
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// A profile that all must conform to, besides those they claim; may be repeated
    #[arg(long, value_name = "URL")]
    profile: Vec<String>,

    /// A FHIR package (.tgz) or a folder of packages, such as ~/.fhir/packages; may be repeated
    #[arg(long, value_name = "FILE")]
    package: Vec<PathBuf>,
}

#[derive(Default)]
struct Told<'p> {
    profiles: &'p [&'p str],
    outcomes: Vec<Value>,
    resources: usize,
    errors: usize,
    warnings: usize,
    unread: usize,
}

/// Validates, prints every finding, fails if one is an error.
pub(super) fn run(args: &ValidateArgs, output: &Output) -> Result<(), CliError> {
    let validator = validator(&args.package)?;
    for note in validator.refused() {
        output.text(&format!("not used: {note}"))?;
    }
    let profiles: Vec<&str> = args.profile.iter().map(String::as_str).collect();
    let bounds = Bounds::default();
    let walked =
        walk(&args.paths, &bounds).map_err(|e| CliError::Usage(format!("{e}: {}", e.source)))?;
    let mut told = Told { profiles: &profiles, ..Told::default() };
    for odd in &walked.odd {
        told.odd(odd, output)?;
    }
    for file in &walked.files {
        for piece in read(&file.path, &bounds) {
            match piece {
                Ok(piece) => told.piece(&validator, &piece, output)?,
                Err(odd) => told.odd(&odd, output)?,
            }
        }
    }
    let Told { outcomes, resources, errors, warnings, unread, .. } = told;
    if output.is_json() {
        output.json(&json!({"resourceType": "Bundle", "type": "collection",
            "entry": outcomes}))?;
    } else {
        output.line(&format!(
            "{resources} resources: {errors} errors, {warnings} warnings, {unread} not read"
        ))?;
    }
    match errors + unread {
        0 => Ok(()),
        _ => Err(CliError::Problems(format!("{errors} errors, {unread} not read; see above"))),
    }
}

/// What validates by R4 and by the profiles of these packages.
pub(super) fn validator(packages: &[PathBuf]) -> Result<Validator, CliError> {
    let mut texts = Vec::new();
    for path in packages {
        let read = read_package(path, &PackageBounds::default());
        let found = read.map_err(|e| CliError::Usage(format!("{}: {e}", path.display())))?;
        texts.extend(found);
    }
    Validator::with_definitions(&texts).map_err(CliError::Failed)
}

impl Told<'_> {
    fn piece(
        &mut self,
        validator: &Validator,
        piece: &Piece,
        output: &Output,
    ) -> Result<(), CliError> {
        let json = match piece.form {
            Form::Xml => xml::from_xml(&piece.bytes),
            Form::Json | Form::Care | Form::Rows => Ok(piece.bytes.to_vec()),
        };
        let read = json.and_then(|json| {
            let text = String::from_utf8(json).map_err(|_| "not UTF-8".to_owned())?;
            let value: Value = serde_json::from_str(&text)
                .map_err(|e| format!("not JSON: line {}, column {}", e.line(), e.column()))?;
            Ok((text, value))
        });
        self.resources += 1;
        match read {
            Ok((text, value)) => {
                self.tell(&piece.place, &validator.validate(&text, &value, self.profiles), output)
            }
            Err(why) => self.unread(&piece.place, &why, output),
        }
    }

    fn tell(
        &mut self,
        place: &Place,
        findings: &[Finding],
        output: &Output,
    ) -> Result<(), CliError> {
        let count = |severity| findings.iter().filter(|f| f.severity == severity).count();
        self.errors += count(Severity::Error);
        self.warnings += count(Severity::Warning);
        for finding in findings {
            output.text(&format!(
                "{place}: {} {} at {}: {}",
                finding.severity.code(),
                finding.rule,
                if finding.expression.is_empty() { "the resource" } else { &finding.expression },
                finding.text
            ))?;
        }
        if !findings.is_empty() {
            let issues: Vec<_> = findings.iter().map(Finding::issue).collect();
            self.outcome(place, operation_outcome(&issues));
        }
        Ok(())
    }

    fn odd(&mut self, odd: &Odd, output: &Output) -> Result<(), CliError> {
        self.unread(&odd.place, &odd.why.to_string(), output)
    }

    fn unread(&mut self, place: &Place, why: &str, output: &Output) -> Result<(), CliError> {
        self.unread += 1;
        output.text(&format!("{place}: not read: {why}"))?;
        let issue = crate::fhir::Issue {
            severity: "fatal",
            code: "structure",
            diagnostics: why.to_owned(),
            expression: Vec::new(),
        };
        self.outcome(place, operation_outcome(&[issue]));
        Ok(())
    }

    /// An entry says which file its outcome is about.
    fn outcome(&mut self, place: &Place, outcome: Value) {
        let link = json!([{"relation": "about", "url": place.to_string()}]);
        self.outcomes.push(json!({"link": link, "resource": outcome}));
    }
}
