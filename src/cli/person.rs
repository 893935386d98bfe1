//! `person find` and `person show`.

use std::collections::BTreeSet;

use clap::{Subcommand, ValueEnum};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::gateway::{open_gateway, read_config};
use super::output::Output;
use super::person_past::{self, HistoryArgs};
use super::person_text::{audited, person_text, read_table};
use super::{CliError, Common};
use crate::fhir::ResourceType;
use crate::fhir::search::{Indexed, fold};
use crate::flow::{Access, DerivedId, Hash, Home, Owner};
use crate::pipeline::Gateway;
use crate::store::Issued;

/// Candidates of one search term that are looked at.
const CANDIDATES_MAX: usize = 1000;

/// What to do with persons.
#[derive(Subcommand)]
pub(super) enum PersonCommand {
    /// Finds persons by name and identifier
    #[command(after_help = "Example: careweave person find garcia rosa")]
    Find {
        /// Beginnings of names, or identifiers (value or system|value); all must fit
        #[arg(required = true)]
        terms: Vec<String>,
    },
    /// Shows one person's unified view
    #[command(after_help = "Example: careweave person show 3k9… --format fhir")]
    Show {
        /// Id of the person, or of any resource in their view
        id: String,
        /// How to print it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        /// As it was shown then: a date (its end), or a time with its zone
        #[arg(long, value_name = "T", value_parser = person_past::parse_end)]
        as_of: Option<Timestamp>,
    },
    /// Shows what changed a person's view, when, and because of which record
    #[command(after_help = "Example: careweave person history 3k9… --since 2026-03-01")]
    History(HistoryArgs),
}

/// How a person is printed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    Text,
    /// A FHIR Bundle of type collection
    Fhir,
    /// A care record
    Care,
}

/// Finds or shows.
pub(super) fn run(
    command: &PersonCommand,
    common: &Common,
    output: &Output,
) -> Result<(), CliError> {
    let config = read_config(common)?;
    let gateway = open_gateway(&config)?;
    gateway.settle_all(&mut |_, _| {})?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    match command {
        PersonCommand::Find { terms } => runtime.block_on(find(&gateway, terms, output)),
        PersonCommand::Show { id, format, as_of: None } => {
            runtime.block_on(show(&gateway, id, *format, output))
        }
        PersonCommand::Show { id, format, as_of: Some(at) } => {
            if *format == Format::Care {
                let text = "--format care shows the present; leave --as-of out";
                return Err(CliError::Usage(text.to_owned()));
            }
            let as_fhir = *format == Format::Fhir || output.is_json();
            let named = named(&gateway, id)?;
            runtime.block_on(person_past::show(&gateway, named, (*at, as_fhir), output))
        }
        PersonCommand::History(args) => {
            let named = named(&gateway, &args.id)?;
            runtime.block_on(person_past::history(&gateway, named, args, output))
        }
    }
}

async fn find(gateway: &Gateway, terms: &[String], output: &Output) -> Result<(), CliError> {
    let mut found: Option<BTreeSet<DerivedId>> = None;
    for term in terms {
        let of_term = owners_of_term(gateway, term)?;
        found = Some(match found {
            Some(before) => before.intersection(&of_term).copied().collect(),
            None => of_term,
        });
    }
    let found: Vec<DerivedId> = found.unwrap_or_default().into_iter().collect();
    audited(gateway, "person find", &found).await?;
    let mut persons = Vec::new();
    for id in &found {
        let patients = read_table(gateway, Owner::Person(*id), "Patient")?;
        let Some((row, patient)) = patients.into_iter().next() else { continue };
        let seen_at: Vec<String> = row.members.iter().map(|m| m.key.to_string()).collect();
        persons.push(json!({
            "id": id.to_string(),
            "name": super::person_text::name_of(&patient),
            "gender": patient.get("gender").cloned().unwrap_or(Value::Null),
            "birthDate": patient.get("birthDate").cloned().unwrap_or(Value::Null),
            "records": seen_at,
        }));
    }
    if output.is_json() {
        return output.json(&persons);
    }
    let text = |v: &Value| v.as_str().unwrap_or("?").to_owned();
    for p in &persons {
        let (id, name) = (text(&p["id"]), text(&p["name"]));
        let (gender, born) = (text(&p["gender"]), text(&p["birthDate"]));
        let records = p["records"].as_array().map_or(0, Vec::len);
        output.line(&format!("{id}  {name:28} {gender:7} {born:10}  {records} records"))?;
    }
    match persons.is_empty() {
        true => output.line("nobody fits all terms; try fewer or shorter ones"),
        false => Ok(()),
    }
}

/// Persons whose name begins so, or who have this identifier.
fn owners_of_term(gateway: &Gateway, term: &str) -> Result<BTreeSet<DerivedId>, CliError> {
    let text = Indexed::Text { folded: fold(term).into(), exact: term.into() };
    let (system, code) = term.split_once('|').unwrap_or(("", term));
    let token = Indexed::Token { system: system.into(), code: code.into() };
    let mut owners = BTreeSet::new();
    let access = Access::open();
    let patient = ResourceType::of("Patient");
    for (param, value) in [("family", &text), ("given", &text), ("identifier", &token)] {
        let Some(key) = Hash::of_search_value(param, value) else { continue };
        for (owner, _) in gateway.store().by_index(&access, patient, key, CANDIDATES_MAX)? {
            let fits = read_table(gateway, owner, "Patient")?.iter().any(|(row, _)| {
                let parameters = gateway.search_table().parameters(patient);
                row.values.iter().any(|v| {
                    let name = parameters.get(usize::from(v.param)).map_or("", |p| &*p.name);
                    name == param && begins(&v.value, value)
                })
            });
            if fits {
                owners.insert(owner.id());
            }
        }
    }
    Ok(owners)
}

fn begins(value: &Indexed, wanted: &Indexed) -> bool {
    match (value, wanted) {
        (Indexed::Text { folded, .. }, Indexed::Text { folded: start, .. }) => {
            folded.starts_with(&**start)
        }
        (Indexed::Token { system, code }, Indexed::Token { system: s, code: c }) => {
            code == c && (s.is_empty() || system == s)
        }
        _ => false,
    }
}

async fn show(
    gateway: &Gateway,
    id: &str,
    format: Format,
    output: &Output,
) -> Result<(), CliError> {
    let (_, person) = named(gateway, id)?;
    if format == Format::Text && !output.is_json() {
        return output.line(&person_text(gateway, person, &Access::open()).await?);
    }
    audited(gateway, "person show", &[person]).await?;
    let head = gateway.store().view(&Access::open(), Owner::Person(person))?;
    let mut entries = Vec::new();
    for resource_type in head.iter().flat_map(|h| h.types.keys()) {
        for (row, body) in read_table(gateway, Owner::Person(person), resource_type.name())? {
            let url = format!("{}/fhir/{resource_type}/{}", gateway.public_base_url(), row.id);
            entries.push(json!({"fullUrl": url, "resource": body}));
        }
    }
    if format == Format::Care {
        let resources: Vec<Value> =
            entries.iter_mut().map(|entry| entry["resource"].take()).collect();
        return output.json(&gateway.care().records.from_fhir(&resources));
    }
    let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": entries});
    output.json(&bundle)
}

/// The id that was asked for, and the person in whose view it stands.
fn named(gateway: &Gateway, id: &str) -> Result<(DerivedId, DerivedId), CliError> {
    let unknown =
        || CliError::Failed(format!("no person has the id \"{id}\"; try careweave person find"));
    let asked: DerivedId = id.parse().map_err(|_| unknown())?;
    Ok((asked, person_of(gateway, asked)?.ok_or_else(unknown)?))
}

/// The person in whose view an id stands.
pub(super) fn person_of(gateway: &Gateway, id: DerivedId) -> Result<Option<DerivedId>, CliError> {
    let access = Access::open();
    let home = match gateway.store().issued(&access, id)? {
        Some(Issued::Record(record)) => record.home,
        Some(Issued::Made { chart, .. }) => Home::Chart(chart),
        None => return Ok(None),
    };
    let owner = gateway.store().link(&access, &home)?.and_then(|l| l.owner);
    Ok(match owner {
        Some(Owner::Person(person)) => Some(person),
        Some(Owner::Directory(_)) | None => None,
    })
}
