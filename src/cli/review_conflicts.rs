//! `review conflicts`, `resolve` and `reopen`: what sources disagree on, and what a steward
//! decides about it.

use clap::Args;
use serde_json::{Value, json};

use super::CliError;
use super::output::Output;
use super::person::person_of;
use super::person_text::read_table;
use super::review_names::decider;
use crate::fhir::ResourceType;
use crate::flow::{Access, DerivedId, Owner, RecordKey, Resolution};
use crate::pipeline::{Gateway, GatewayError};
use crate::reconcile::{RESOLVED, TAG_SYSTEM};

/// How many owners are read at once.
const OWNERS_PER_READ: usize = 256;

/// Which conflicts.
#[derive(Args)]
pub(super) struct ConflictsArgs {
    /// Of this person: their id, or that of any resource in their view; of all if not given
    person: Option<String>,
    /// Of this rule only (C11, value-disagreement, duplicate-order …)
    #[arg(long)]
    rule: Option<String>,
    /// Findings to act on as well
    #[arg(long)]
    findings: bool,
    /// Those that are resolved as well
    #[arg(long)]
    resolved: bool,
    /// Stops after so many, at the end of a person
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// Goes on behind this person
    #[arg(long, value_name = "PERSON", conflicts_with = "person")]
    after: Option<String>,
}

/// Which conflict, and how.
#[derive(Args)]
pub(super) struct ResolveArgs {
    /// Id of the conflict or finding
    issue: String,
    /// It stays as it is, and nobody needs to act
    #[arg(long, required_unless_present = "prefer", conflicts_with = "prefer")]
    accept: bool,
    /// The value of this record is shown: ENDPOINT/Type/ID, or its URL
    #[arg(long, value_name = "RECORD")]
    prefer: Option<String>,
    #[command(flatten)]
    word: Word,
}

/// Which conflict.
#[derive(Args)]
pub(super) struct ReopenArgs {
    /// Id of the conflict or finding
    issue: String,
    #[command(flatten)]
    word: Word,
}

impl ResolveArgs {
    /// The id that was given.
    pub(super) fn issue(&self) -> &str {
        bare(&self.issue)
    }
}

impl ReopenArgs {
    /// The id that was given.
    pub(super) fn issue(&self) -> &str {
        bare(&self.issue)
    }
}

/// On whose word.
#[derive(Args)]
struct Word {
    /// Why; kept with the decision
    #[arg(long, default_value = "", value_name = "TEXT")]
    note: String,
    /// Who decides; the user of the operating system if not given
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

/// Conflicts for printing, with the persons they are about and where to go on.
pub(super) struct Listed {
    pub(super) persons: Vec<DerivedId>,
    conflicts: Vec<Value>,
    next: Option<DerivedId>,
}

/// Reads what is asked for; nothing is printed before the audit entry stands.
pub(super) fn list(gateway: &Gateway, args: &ConflictsArgs) -> Result<Listed, CliError> {
    let mut listed = Listed { persons: Vec::new(), conflicts: Vec::new(), next: None };
    if let Some(person) = &args.person {
        let unknown = || CliError::Failed(format!("no person has the id \"{person}\""));
        let id: DerivedId = person.parse().map_err(|_| unknown())?;
        listed.add(gateway, person_of(gateway, id)?.ok_or_else(unknown)?, args)?;
        return Ok(listed);
    }
    let mut after = None;
    if let Some(person) = &args.after {
        let id = person
            .parse()
            .map_err(|_| CliError::Usage(format!("--after \"{person}\" is no id of a person")))?;
        after = Some(Owner::Person(id));
    }
    loop {
        let owners = gateway.store().owners(&Access::open(), after, OWNERS_PER_READ)?;
        let Some(last) = owners.last().copied() else { return Ok(listed) };
        for owner in owners {
            let Owner::Person(person) = owner else { continue };
            listed.add(gateway, person, args)?;
            if listed.conflicts.len() >= usize::from(args.limit) {
                listed.next = Some(person);
                return Ok(listed);
            }
        }
        after = Some(last);
    }
}

impl Listed {
    fn add(
        &mut self,
        gateway: &Gateway,
        person: DerivedId,
        args: &ConflictsArgs,
    ) -> Result<(), CliError> {
        let owner = Owner::Person(person);
        let head = gateway.store().view(&Access::open(), owner)?;
        let issues = ResourceType::parse("DetectedIssue");
        if !head.is_some_and(|head| issues.is_some_and(|i| head.types.contains_key(&i))) {
            return Ok(());
        }
        let before = self.conflicts.len();
        for (_, issue) in read_table(gateway, owner, "DetectedIssue")? {
            let rule_fits = args.rule.as_deref().is_none_or(|rule| rule_of(&issue) == rule);
            let kind_fits = args.findings || args.rule.is_some() || !is_tagged(&issue, "finding");
            if rule_fits && kind_fits && (args.resolved || !is_tagged(&issue, RESOLVED)) {
                self.conflicts.push(told(person, &issue));
            }
        }
        if self.conflicts.len() > before {
            self.persons.push(person);
        }
        Ok(())
    }

    /// Prints it.
    pub(super) fn print(&self, output: &Output) -> Result<(), CliError> {
        let next = self.next.map(|next| next.to_string());
        if output.is_json() {
            return output.json(&json!({"conflicts": self.conflicts, "next": next}));
        }
        let text = |conflict: &Value, name: &str| conflict[name].as_str().unwrap_or("?").to_owned();
        for conflict in &self.conflicts {
            let [id, severity, rule, person] =
                ["id", "severity", "rule", "person"].map(|name| text(conflict, name));
            output.line(&format!("{id}  {severity:8} {rule}, Patient/{person}"))?;
            output.line(&format!("    {}", text(conflict, "detail")))?;
            if let Some(resolved) = conflict["resolved"].as_str() {
                output.line(&format!("    resolved: {resolved}"))?;
            }
        }
        match next {
            Some(next) => output.line(&format!("more: careweave review conflicts --after {next}")),
            None if self.conflicts.is_empty() => output.line("no conflicts"),
            None => output.line(&format!("{} conflicts", self.conflicts.len())),
        }
    }
}

/// Resolves, and returns whose conflict it was.
pub(super) fn resolve(
    gateway: &Gateway,
    args: &ResolveArgs,
) -> Result<(DerivedId, String), CliError> {
    let by = decider(args.word.by.as_deref())?;
    let issue = issue_id(&args.issue)?;
    let resolution = match &args.prefer {
        Some(record) => {
            let key = record_key(gateway, record)?;
            Resolution::Prefer(gateway.store().id_key().record(&key))
        }
        None => Resolution::Accept,
    };
    let person = gateway.resolve(issue, resolution, &by, &args.word.note).map_err(told_sides)?;
    let how =
        args.prefer.as_ref().map_or("accepted as it is".to_owned(), |r| format!("{r} is shown"));
    Ok((person, format!("resolved by {by}: {how}")))
}

/// Reopens, and returns whose conflict it was.
pub(super) fn reopen(
    gateway: &Gateway,
    args: &ReopenArgs,
) -> Result<(DerivedId, String), CliError> {
    let by = decider(args.word.by.as_deref())?;
    match gateway.reopen(issue_id(&args.issue)?, &by, &args.word.note)? {
        (person, true) => Ok((person, format!("reopened by {by}"))),
        (_, false) => Err(CliError::Failed("it is open: no override stands".to_owned())),
    }
}

/// Prints what is so now.
pub(super) fn tell(
    gateway: &Gateway,
    output: &Output,
    issue: &str,
    (person, what): &(DerivedId, String),
) -> Result<(), CliError> {
    let issues = read_table(gateway, Owner::Person(*person), "DetectedIssue")?;
    let now = issues.iter().find(|(row, _)| row.id.to_string() == issue);
    let now = now.map(|(_, issue)| told(*person, issue));
    if output.is_json() {
        return output.json(&json!({"issue": issue, "decision": what, "conflict": now}));
    }
    output.line(what)?;
    match now.as_ref().and_then(|now| now["detail"].as_str()) {
        Some(detail) => output.line(detail),
        None => output.line("the conflict is gone"),
    }
}

/// A steward's decision about a conflict in a few words, if one stands.
pub(super) fn resolution(issue: &Value) -> Option<String> {
    let mitigation = issue.get("mitigation")?.get(0)?;
    let by = mitigation["author"]["display"].as_str()?;
    Some(format!("by {by}, {}", mitigation["action"]["text"].as_str().unwrap_or_default()))
}

fn told(person: DerivedId, issue: &Value) -> Value {
    let references = |list: &Value| -> Vec<Value> {
        let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
        list.iter().map(|reference| reference["reference"].clone()).collect()
    };
    json!({
        "id": issue["id"],
        "person": person.to_string(),
        "kind": if is_tagged(issue, "finding") { "finding" } else { "conflict" },
        "rule": rule_of(issue),
        "title": issue["code"]["text"],
        "severity": issue["severity"],
        "since": issue["identifiedDateTime"],
        "detail": issue["detail"],
        "implicated": references(&issue["implicated"]),
        "evidence": references(&issue["evidence"][0]["detail"]),
        "resolved": resolution(issue),
    })
}

fn rule_of(issue: &Value) -> &str {
    issue["code"]["coding"][0]["code"].as_str().unwrap_or("?")
}

fn is_tagged(issue: &Value, code: &str) -> bool {
    let tags = issue["meta"]["tag"].as_array().map(Vec::as_slice).unwrap_or_default();
    tags.iter().any(|tag| tag["system"] == TAG_SYSTEM && tag["code"] == code)
}

fn issue_id(text: &str) -> Result<DerivedId, CliError> {
    bare(text).parse().map_err(|_| GatewayError::NoConflict.into())
}

/// An id, also of somebody who copied the whole reference.
fn bare(text: &str) -> &str {
    text.strip_prefix("DetectedIssue/").unwrap_or(text)
}

fn record_key(gateway: &Gateway, text: &str) -> Result<RecordKey, CliError> {
    if let Some(key) = gateway.record_of_url(text) {
        return Ok(key);
    }
    let mut parts = text.splitn(3, '/');
    let (endpoint, kind, id) = (parts.next(), parts.next(), parts.next());
    match (endpoint, kind.and_then(ResourceType::parse), id) {
        (Some(endpoint), Some(kind), Some(id)) => Ok(RecordKey::new(endpoint, kind, id)),
        _ => Err(CliError::Usage(format!("\"{text}\" is no ENDPOINT/Type/ID and no source URL"))),
    }
}

/// Names the sides: the steward sees these records anyway.
fn told_sides(error: GatewayError) -> CliError {
    let GatewayError::NoSide(sides) = &error else { return error.into() };
    let sides: Vec<String> = sides.iter().map(RecordKey::to_string).collect();
    match sides.is_empty() {
        true => CliError::Failed(
            "this conflict is about no single value; resolve it with --accept".to_owned(),
        ),
        false => CliError::Failed(format!("{error}; its sides: {}", sides.join(", "))),
    }
}
