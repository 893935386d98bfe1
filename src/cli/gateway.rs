//! What most commands begin with: the configuration, the store, the gateway on it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use crate::care::{Care, Concepts};
use crate::compare::{Crosswalk, normalise_identifier, normalise_system};
use crate::config::{
    Config, EndpointConfig, EndpointKind, SecurityMode, Severity, StoreEngine, profile_text,
};
use crate::endpoints::plan_of;
use crate::fhir::StructureCheck;
use crate::flow::Identifier;
use crate::identity::Model;
use crate::ingest::{EndpointBases, Ingest};
use crate::pipeline::{Activated, EndpointSettings, Gateway, GatewayOptions};
use crate::reconcile::{EndpointFacts, Policy};
use crate::store::SledStore;

use super::{CliError, Common};

/// The configuration file that is read when none is named.
const DEFAULT_CONFIG: &str = "careweave.toml";

/// Reads the configuration that the command line names.
pub(super) fn read_config(common: &Common) -> Result<Config, CliError> {
    let default = Path::new(DEFAULT_CONFIG);
    let path = match &common.config {
        Some(path) => Some(path.as_path()),
        None => default.is_file().then_some(default),
    };
    let mut config = Config::load(path)?;
    if let Some(dir) = &common.data_dir {
        config.data_dir.clone_from(dir);
    }
    Ok(config)
}

/// The crosswalk that is compiled in, with the site's own rows.
fn crosswalk_of(config: &Config) -> Result<Crosswalk, CliError> {
    let mut crosswalk = Crosswalk::embedded();
    for path in &config.reconcile.crosswalk {
        let text = profile_text(Some(path), "")?;
        let named = |e: String| CliError::Usage(format!("{}: {e}", path.display()));
        crosswalk.add(&text).map_err(named)?;
    }
    Ok(crosswalk)
}

/// What care management goes by: what is compiled in, with the site's own rows.
pub(super) fn care_of(config: &Config) -> Result<Arc<Care>, CliError> {
    let Some(path) = config.care.concepts.as_deref() else { return Ok(Care::embedded()) };
    let text = profile_text(Some(path), "")?;
    let concepts = Concepts::embedded().with(&text);
    let concepts = concepts.map_err(|e| CliError::Usage(format!("care.concepts: {e}")))?;
    Ok(Arc::new(Care::with(concepts)))
}

/// The match model that matching goes by: the activated one, or else the configured one.
pub(super) fn model_in_force(config: &Config) -> Result<Model, CliError> {
    match Activated::read(&config.data_dir)?.model(&config.data_dir)? {
        Some(model) => Ok(model),
        None => configured_model(config),
    }
}

/// The match model of the configuration, or the one that is compiled in.
pub(super) fn configured_model(config: &Config) -> Result<Model, CliError> {
    match config.identity.model.as_deref() {
        None => Ok(Model::embedded()),
        Some(path) => Model::parse(&profile_text(Some(path), "")?)
            .map_err(|e| CliError::Usage(format!("identity.model: {e}"))),
    }
}

/// Opens the gateway that a configuration describes.
pub(super) fn open_gateway(config: &Config) -> Result<Arc<Gateway>, CliError> {
    refuse_unbuilt(config)?;
    let store = SledStore::open(&config.data_dir)?;
    let model = model_in_force(config)?;
    let policy = match config.reconcile.policy.as_deref() {
        None => Policy::embedded(),
        Some(path) => Policy::parse(&profile_text(Some(path), "")?)
            .map_err(|e| CliError::Usage(format!("reconcile.policy: {e}")))?,
    };
    let policy = policy.with_crosswalk(crosswalk_of(config)?);
    let options = GatewayOptions {
        public_base_url: config.server.base_url(),
        endpoints: config.endpoint.iter().map(endpoint_settings).collect(),
        model,
        policy,
        as_of: None,
    };
    let gateway = Gateway::new(Arc::new(store), options)
        .with_dirty_homes_max(config.limits.dirty_homes_max)
        .with_homes_per_settle(config.limits.homes_per_settle)
        .with_panel_members_max(config.limits.panel_members_max)
        .with_second_reviewer(config.identity.second_reviewer)
        .with_care(care_of(config)?)
        .with_domains(config.identity.domains.iter().map(|system| normalise_system(system)));
    gateway.refresh_stale()?;
    Ok(Arc::new(gateway))
}

/// What reads the inputs of these endpoints.
pub(super) fn open_ingest(config: &Config) -> Result<Arc<Ingest>, CliError> {
    let check = StructureCheck::new(&[]).map_err(CliError::Failed)?;
    let bases = config.endpoint.iter().map(|e| (e.url.clone(), Arc::from(e.id.as_str())));
    Ok(Arc::new(Ingest::new(Arc::new(check), EndpointBases::new(bases))))
}

/// The plans of these endpoints, or of all that are pulled.
pub(super) fn plans(
    config: &Config,
    endpoints: &[String],
    full: bool,
) -> Result<Vec<(crate::net::Fetcher, crate::endpoints::PullPlan)>, CliError> {
    endpoints.iter().try_for_each(|id| known_endpoint(config, id))?;
    let wanted =
        config.endpoint.iter().filter(|e| endpoints.is_empty() || endpoints.contains(&e.id));
    let mut plans = Vec::new();
    for endpoint in wanted {
        if matches!(endpoint.kind, EndpointKind::Files | EndpointKind::Client) {
            if endpoints.is_empty() {
                continue;
            }
            return Err(CliError::Usage(not_pulled(endpoint)));
        }
        let (fetcher, mut plan) =
            plan_of(endpoint, &config.limits).map_err(|e| CliError::Usage(e.to_string()))?;
        plan.full = full;
        plans.push((fetcher, plan));
    }
    Ok(plans)
}

fn not_pulled(endpoint: &EndpointConfig) -> String {
    let id = &endpoint.id;
    match endpoint.kind {
        EndpointKind::Client => {
            format!("endpoint \"{id}\" is a client: it writes to /fhir and is not pulled")
        }
        _ => format!(
            "endpoint \"{id}\" gets files and is not pulled; use careweave ingest PATH \
             --endpoint {id}"
        ),
    }
}

/// An endpoint that a command names must be configured.
pub(super) fn known_endpoint(config: &Config, id: &str) -> Result<(), CliError> {
    if config.endpoint.iter().any(|e| e.id == id) {
        return Ok(());
    }
    let known: Vec<&str> = config.endpoint.iter().map(|e| e.id.as_str()).collect();
    let known = known.join(", ");
    Err(CliError::Usage(format!("unknown endpoint \"{id}\"; known: {known}")))
}

/// The settings in use must be ones that work; nothing is served in a laxer mode in silence.
pub(super) fn refuse_unbuilt(config: &Config) -> Result<(), CliError> {
    if config.store.engine == StoreEngine::Postgres {
        return Err(CliError::Usage("store.engine: \"postgres\" is not built yet".to_owned()));
    }
    Ok(())
}

/// Serving is refused unless the mode can be kept.
pub(super) fn refuse_insecure(config: &Config) -> Result<(), CliError> {
    if config.security.mode == SecurityMode::Smart {
        let text = "security.mode = \"smart\" is not built yet; on a loopback address, for data \
                    that is not secret, \"open\" can be set";
        return Err(CliError::Usage(text.to_owned()));
    }
    let errors = config.check().into_iter().filter(|f| f.severity == Severity::Error);
    let errors: Vec<String> = errors.map(|f| format!("{}: {}", f.key, f.text)).collect();
    if errors.is_empty() { Ok(()) } else { Err(CliError::Usage(errors.join("\n"))) }
}

/// The system of identifiers that are URIs.
const URN: &str = "urn:ietf:rfc:3986";

fn endpoint_settings(endpoint: &EndpointConfig) -> EndpointSettings {
    let organizations = endpoint.organization.iter().map(|organization| {
        // A URN names it by itself; any other identifier counts only with its system.
        let (system, value) = organization.rsplit_once('|').unwrap_or((URN, organization));
        let (system, value) = normalise_identifier(system, value);
        Identifier { system, value, ..Identifier::default() }
    });
    EndpointSettings {
        id: endpoint.id.as_str().into(),
        kind: endpoint.kind,
        facts: EndpointFacts {
            trust: endpoint.trust,
            base_url: endpoint.url.trim_end_matches('/').to_owned(),
            organizations: organizations.collect(),
            name: match endpoint.name.as_str() {
                "" => endpoint.id.clone(),
                name => name.to_owned(),
            },
        },
    }
}

/// A directory that is removed when it is no longer used.
pub(super) struct ScratchDir(PathBuf);

impl ScratchDir {
    /// Makes a new one.
    pub(super) fn new() -> Result<Self, CliError> {
        // Named so that nobody can have made it before, and refused if somebody has.
        let name =
            format!("careweave-demo-{}-{}", std::process::id(), Timestamp::now().as_nanosecond());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path)?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for ScratchDir {
    fn drop(&mut self) {
        // What cannot be removed is left to the system's cleaning of temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
