//! `panel import`, `panel list` and `panel show`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::gateway::{open_gateway, read_config};
use super::output::Output;
use super::panel_file::{self, Rows};
use super::person_text::{audited, name_of, read_table};
use super::{CliError, Common};
use crate::fhir::ResourceType;
use crate::flow::{Access, DerivedId, Hash, Owner, RecordKey};
use crate::ingest::Claim;
use crate::pipeline::{Gateway, Members, Named, Panel, PanelState};

/// Panels that are listed at most.
const PANELS_MAX: usize = 1_000;
/// The system of a panel's name as an identifier.
const PANEL_SYSTEM: &str = "urn:careweave:panel";

/// Shown below the options of `panel import`.
const IMPORT_HELP: &str = "\
The file is CSV with a header, or a FHIR Group in JSON. Columns: patient (an id of this gateway, or
the URL of a provider's record), or identifier (system|value, or a value with --system or in a
system column). Other columns are left alone. The panel is the client's; importing under the same
name again replaces its members. With a row that names nobody the panel is made all the same, and
the row is listed; with a row that cannot be read nothing is changed.

Example: careweave panel import roster.csv --client payer --system http://harbor.example/member";

/// What to do with panels.
#[derive(Subcommand)]
pub(super) enum PanelCommand {
    /// Makes or replaces a panel of a client, from a file of ids or identifiers
    #[command(after_help = IMPORT_HELP)]
    Import(ImportArgs),
    /// Lists the panels
    #[command(after_help = "Example: careweave panel list")]
    List,
    /// Shows who belongs to a panel now, and which members were not found
    #[command(after_help = "Example: careweave panel show roster")]
    Show {
        /// Id or name of the panel
        panel: String,
        /// Persons that are listed
        #[arg(long, default_value_t = 100, value_name = "N")]
        limit: usize,
    },
}

/// What to import.
#[derive(Args)]
pub(super) struct ImportArgs {
    /// CSV with a header, or a FHIR Group in JSON
    file: PathBuf,
    /// The client whose panel it is
    #[arg(long, value_name = "ID")]
    client: String,
    /// What the panel is called; the file's name without
    #[arg(long)]
    name: Option<String>,
    /// The system of identifiers that stand without one
    #[arg(long, value_name = "URI")]
    system: Option<String>,
}

/// Imports, lists or shows.
pub(super) fn run(
    command: &PanelCommand,
    common: &Common,
    output: &Output,
) -> Result<(), CliError> {
    let config = read_config(common)?;
    let gateway = open_gateway(&config)?;
    match command {
        PanelCommand::Import(args) => import(&gateway, args, output),
        PanelCommand::List => list(&gateway, output),
        PanelCommand::Show { panel, limit } => {
            let panel = named(&gateway, panel)?;
            tell(&gateway, &panel, *limit, output)
        }
    }
}

fn import(gateway: &Gateway, args: &ImportArgs, output: &Output) -> Result<(), CliError> {
    let client = client(gateway, &args.client)?;
    let rows = panel_file::read(&args.file, args.system.as_deref(), gateway.panel_members_max())?;
    let (group, name) = match rows {
        Rows::Group(group) => {
            let name = args.name.clone().or_else(|| Some(group["name"].as_str()?.to_owned()));
            (group, name.unwrap_or_else(|| stem(&args.file)))
        }
        Rows::Members(members) => {
            let name = args.name.clone().unwrap_or_else(|| stem(&args.file));
            (json!({ "resourceType": "Group", "member": members }), name)
        }
    };
    let id = state(gateway, &client, &name, group).map_err(|error| match error {
        CliError::Problems(text) => CliError::Problems(format!("{}: {text}", args.file.display())),
        other => other,
    })?;
    let PanelState::Live(panel) = gateway.panel(&Access::open(), id)? else {
        return Err(CliError::Failed("the panel could not be read back".to_owned()));
    };
    tell(gateway, &panel, 0, output)
}

/// Has a client state a panel: the one that it stated under this name, or a new one.
///
/// # Errors
/// `Problems` when it is no valid Group; when the store fails.
pub(super) fn state(
    gateway: &Gateway,
    client: &Arc<str>,
    name: &str,
    group: Value,
) -> Result<DerivedId, CliError> {
    let hash = Hash::of_parts([name.as_bytes()]);
    let id = format!("panel-{:032x}", hash.0);
    let key = RecordKey::new(client, ResourceType::of("Group"), &id);
    let group = as_panel(group, &id, name);
    let text = group.to_string();
    let ingest = gateway.claims_ingest()?;
    if let Some(problem) = ingest.problems(&text, &group).into_iter().find(|p| p.fatal) {
        return Err(CliError::Problems(format!("{}: {}", problem.expression, problem.text)));
    }
    let at = gateway.claimed_at(std::slice::from_ref(&key))?;
    let claim = Claim { body: text.into(), named: BTreeMap::new(), home: None };
    let homes = gateway.accept_claims(client, &ingest.claims(client, at, vec![claim]))?;
    gateway.settle_claims(&homes)?;
    Ok(gateway.store().id_key().record(&key))
}

/// The Group that is stated: what a panel must have is put in.
fn as_panel(mut group: Value, id: &str, name: &str) -> Value {
    group["id"] = json!(id);
    group["type"] = json!("person");
    group["actual"] = json!(true);
    group["name"] = json!(name);
    let own = json!({ "system": PANEL_SYSTEM, "value": name });
    match group.get_mut("identifier").and_then(Value::as_array_mut) {
        Some(identifiers) if identifiers.contains(&own) => {}
        Some(identifiers) => identifiers.push(own),
        None => group["identifier"] = json!([own]),
    }
    if group["member"].as_array().is_some_and(Vec::is_empty)
        && let Some(fields) = group.as_object_mut()
    {
        fields.shift_remove("member");
    }
    group
}

fn stem(file: &Path) -> String {
    file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A client must be configured: what is imported is what it states.
fn client(gateway: &Gateway, id: &str) -> Result<Arc<str>, CliError> {
    let clients = gateway.clients();
    if let Some(client) = clients.iter().find(|client| &***client == id) {
        return Ok(client.clone());
    }
    let known = match clients.is_empty() {
        true => "none is configured".to_owned(),
        false => format!("known: {}", clients.join(", ")),
    };
    let text = format!(
        "unknown client \"{id}\"; {known}. For one that states panels, add this to \
         careweave.toml:\n\n[[endpoint]]\nid = \"{id}\"\nkind = \"client\""
    );
    Err(CliError::Usage(text))
}

fn list(gateway: &Gateway, output: &Output) -> Result<(), CliError> {
    let panels = gateway.panels(&Access::open(), PANELS_MAX)?;
    let lines: Vec<Value> = panels.iter().map(line).collect();
    if output.is_json() {
        return output.json(&lines);
    }
    for panel in &panels {
        let (members, name) = (panel.members().len(), panel.name());
        let client = &*panel.key.endpoint;
        output.line(&format!("{}  {client:16} {members:>7} members  {name}", panel.id))?;
    }
    match panels.is_empty() {
        true => output.line("there is no panel; careweave panel import makes one"),
        false => Ok(()),
    }
}

fn line(panel: &Panel) -> Value {
    json!({
        "id": panel.id.to_string(),
        "client": &*panel.key.endpoint,
        "name": panel.name(),
        "members": panel.members().len(),
        "version": panel.version,
        "stated": panel.observed_at.to_string(),
    })
}

/// The panel of an id or a name.
fn named(gateway: &Gateway, wanted: &str) -> Result<Panel, CliError> {
    let access = Access::open();
    if let Ok(id) = wanted.parse::<DerivedId>()
        && let PanelState::Live(panel) = gateway.panel(&access, id)?
    {
        return Ok(*panel);
    }
    let mut panels = gateway.panels(&access, PANELS_MAX)?;
    panels.retain(|panel| panel.name() == wanted);
    match (panels.len(), panels.pop()) {
        (1, Some(panel)) => Ok(panel),
        (0, _) | (_, None) => {
            let text = format!("no panel is called \"{wanted}\"; careweave panel list shows them");
            Err(CliError::Failed(text))
        }
        _ => Err(CliError::Failed(format!(
            "several panels are called \"{wanted}\"; name one by its id: careweave panel list"
        ))),
    }
}

/// Says who belongs to a panel, naming so many persons, and every member that was not found.
fn tell(gateway: &Gateway, panel: &Panel, limit: usize, output: &Output) -> Result<(), CliError> {
    gateway.settle_all(&mut |_, _| {})?;
    let access = Access::open();
    let members = gateway.members(&access, panel, gateway.today())?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let ids: Vec<DerivedId> = members.persons.keys().map(|owner| owner.id()).collect();
    runtime.block_on(audited(gateway, "panel show", &ids))?;
    let mut persons = Vec::new();
    for (owner, places) in members.persons.iter().take(limit) {
        persons.push(person(gateway, panel, *owner, places)?);
    }
    if output.is_json() {
        let mut document = line(panel);
        document["persons"] = json!(members.persons.len());
        document["left"] = json!(members.left);
        document["listed"] = json!(persons);
        document["unmatched"] = unmatched(panel, &members).collect();
        return output.json(&document);
    }
    let (stated, found) = (panel.members().len(), members.persons.len());
    output.line(&format!("{} (Group/{})", panel.name(), panel.id))?;
    output.line(&format!("  {stated} members name {found} persons"))?;
    for person in &persons {
        let text = |name: &str| person[name].as_str().unwrap_or("?").to_owned();
        let (id, name, born) = (text("id"), text("name"), text("birthDate"));
        output.line(&format!("  {id}  {name:28} {born}"))?;
    }
    if found > persons.len() && limit > 0 {
        output.line(&format!("  and {} more (--limit)", found - persons.len()))?;
    }
    for one in unmatched(panel, &members) {
        let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
        output.line(&format!("  not found    {}: {}", text("member"), text("why")))?;
    }
    Ok(())
}

fn person(
    gateway: &Gateway,
    panel: &Panel,
    owner: Owner,
    places: &[usize],
) -> Result<Value, CliError> {
    let patients = read_table(gateway, owner, "Patient")?;
    let patient = patients.into_iter().next().map(|(_, patient)| patient).unwrap_or_default();
    let stated: BTreeSet<String> = places.iter().map(|place| panel.stated(*place)).collect();
    Ok(json!({
        "id": owner.id().to_string(),
        "name": name_of(&patient),
        "birthDate": patient.get("birthDate").cloned().unwrap_or(Value::Null),
        "members": stated,
    }))
}

fn unmatched<'a>(panel: &'a Panel, members: &'a Members) -> impl Iterator<Item = Value> + 'a {
    members.unmatched.iter().map(|(place, why): (&usize, &Named)| {
        json!({ "member": panel.stated(*place), "why": why.why_not() })
    })
}
