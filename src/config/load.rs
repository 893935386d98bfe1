//! Reading the configuration: defaults, then the file, then the environment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Format, Serialized, Toml};
use figment::value::{Dict, Value};

use super::Config;

/// The configuration cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A setting is unknown or has a wrong value.
    #[error("{0}")]
    Setting(String),
    /// A variable names an endpoint that the file does not have.
    #[error("{variable} is set, but no endpoint \"{id}\" is configured; known: {known}")]
    UnknownEndpoint {
        /// The variable.
        variable: String,
        /// The id it names.
        id: String,
        /// The ids that are there.
        known: String,
    },
}

const PREFIX: &str = "CAREWEAVE_";

/// Variables of the command line, which are no settings.
const NOT_SETTINGS: [&str; 2] = ["CAREWEAVE_CONFIG", "CAREWEAVE_LOG"];

/// Settings that name a file themselves: their `_FILE` is part of the name.
const FILE_SETTINGS: [&str; 2] = ["ca_file", "key_file"];

impl Config {
    /// Loads the configuration from a file, if one is given, and the process's environment.
    ///
    /// # Errors
    /// When a file cannot be read, or a setting is unknown or wrong: names it and its place.
    pub fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        // Names that are no Unicode are none of ours.
        let unicode = |(k, v): (std::ffi::OsString, std::ffi::OsString)| {
            Some((k.into_string().ok()?, v.into_string().ok()?))
        };
        Self::load_with(path, std::env::vars_os().filter_map(unicode))
    }

    /// Like [`Config::load`], with the environment handed in.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn load_with(
        path: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        if let Some(path) = path {
            // Read by us, so that a missing file is an error and not an empty one.
            let text = read_text(path)?;
            figment = figment.merge(Toml::string(&text));
        }
        let mut settings = Dict::new();
        let mut endpoints: BTreeMap<String, (String, Dict)> = BTreeMap::new();
        let ours: BTreeMap<String, String> = environment
            .into_iter()
            .filter(|(name, _)| name.starts_with(PREFIX) && !NOT_SETTINGS.contains(&name.as_str()))
            .collect();
        for (name, raw) in ours {
            let (levels, value) = setting(&name, &raw)?;
            match levels.split_first() {
                Some((first, rest)) if first == "endpoint" && rest.len() > 1 => {
                    let entry = endpoints.entry(rest[0].clone()).or_insert((name, Dict::new()));
                    insert(&mut entry.1, &rest[1..], value);
                }
                Some(_) | None => insert(&mut settings, &levels, value),
            }
        }
        figment = figment.merge(Serialized::globals(settings));
        if !endpoints.is_empty() {
            let list = override_endpoints(&figment, endpoints)?;
            figment = figment.merge(("endpoint", list));
        }
        figment.extract().map_err(|e| ConfigError::Setting(describe(&e, path)))
    }
}

/// Reads a text file.
pub(super) fn read_text(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path)
        .map_err(|source| ConfigError::File { path: path.to_owned(), source })
}

/// The levels and the value of one variable.
fn setting(name: &str, raw: &str) -> Result<(Vec<String>, Value), ConfigError> {
    let key = name[PREFIX.len()..].to_ascii_lowercase();
    let mut levels: Vec<String> = key.split("__").map(str::to_owned).collect();
    let last = levels.last_mut().expect("splitting gives at least one part");
    if FILE_SETTINGS.contains(&last.as_str()) {
        return Ok((levels, Value::from(raw)));
    }
    if let Some(stem) = last.strip_suffix("_file").filter(|stem| !stem.is_empty()) {
        *last = stem.to_owned();
        let text = read_text(Path::new(raw))?;
        return Ok((levels, Value::from(text.trim_end_matches(['\r', '\n']))));
    }
    // Infallible: what is no number, boolean, array or table is a string.
    let value: Value = raw.parse().unwrap_or_else(|_| Value::from(raw));
    Ok((levels, value))
}

fn insert(dict: &mut Dict, levels: &[String], value: Value) {
    let Some((first, rest)) = levels.split_first() else { return };
    if rest.is_empty() {
        dict.insert(first.clone(), value);
        return;
    }
    let mut inner = match dict.remove(first) {
        Some(Value::Dict(_, inner)) => inner,
        Some(_) | None => Dict::new(),
    };
    insert(&mut inner, rest, value);
    dict.insert(first.clone(), Value::from(inner));
}

/// The configured endpoints with the environment's settings put over them.
fn override_endpoints(
    figment: &Figment,
    overrides: BTreeMap<String, (String, Dict)>,
) -> Result<Vec<Value>, ConfigError> {
    let mut list = match figment.find_value("endpoint") {
        Ok(Value::Array(_, list)) => list,
        Ok(_) | Err(_) => Vec::new(),
    };
    let id_of = |endpoint: &Value| -> String {
        let id = endpoint.find_ref("id").and_then(Value::as_str).unwrap_or_default();
        id.to_owned()
    };
    for (id, (variable, settings)) in overrides {
        let known: Vec<String> = list.iter().map(id_of).collect();
        // Variable names have no `-`.
        let place = known.iter().position(|k| k.to_ascii_lowercase().replace('-', "_") == id);
        let Some(Value::Dict(_, endpoint)) = place.and_then(|i| list.get_mut(i)) else {
            return Err(ConfigError::UnknownEndpoint { variable, id, known: known.join(", ") });
        };
        overlay(endpoint, settings);
    }
    Ok(list)
}

fn overlay(under: &mut Dict, over: Dict) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Dict(_, inner)), Value::Dict(_, settings)) => overlay(inner, settings),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

/// All problems that figment found, each with its key.
fn describe(error: &figment::Error, path: Option<&Path>) -> String {
    let file = path.map_or("the environment".to_owned(), |p| p.display().to_string());
    let problem = |e: figment::Error| {
        let key = e.path.join(".");
        let place = if key.is_empty() { String::new() } else { format!(" at \"{key}\"") };
        format!("{}{place}", e.kind)
    };
    let problems: Vec<String> = error.clone().into_iter().map(problem).collect();
    format!("configuration from {file}: {}", problems.join("; "))
}
