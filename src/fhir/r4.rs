//! Facts of R4's definitions that no crate here holds: which primitive an element is, what a
//! reference may refer to, and the invariants (`profiles/r4-facts.json`).
//! <https://hl7.org/fhir/R4/definitions.json.zip>

use std::collections::HashMap;
use std::sync::OnceLock;

use serde::Deserialize;

const TEXT: &str = include_str!("../../profiles/r4-facts.json");

/// The table as it stands.
#[derive(Deserialize, Default)]
pub(super) struct Facts {
    /// By type and primitive the paths of its elements.
    primitives: HashMap<String, HashMap<String, Vec<String>>>,
    /// By type and path the types a reference may refer to.
    pub(super) references: HashMap<String, HashMap<String, Vec<String>>>,
    pub(super) invariants: Vec<Invariant>,
}

/// A rule that R4 gives a name.
#[derive(Deserialize, Debug)]
pub(super) struct Invariant {
    pub(super) key: String,
    /// The types or element paths it holds of.
    pub(super) on: Vec<String>,
    /// Whether breaking it is no error.
    #[serde(default)]
    pub(super) is_warning: bool,
    pub(super) expression: String,
}

/// The table, read once.
pub(super) fn facts() -> &'static Facts {
    static FACTS: OnceLock<Facts> = OnceLock::new();
    // A test reads the table, so that what is compiled in is known to be whole.
    FACTS.get_or_init(|| serde_json::from_str(TEXT).unwrap_or_default())
}

/// Which primitive an element is, if it is none of string, boolean, integer and decimal.
pub(super) fn primitive(path: &str) -> Option<&'static str> {
    static PRIMITIVES: OnceLock<HashMap<String, &'static str>> = OnceLock::new();
    let primitives = PRIMITIVES.get_or_init(|| {
        let mut all = HashMap::new();
        for (name, kinds) in &facts().primitives {
            for (kind, paths) in kinds {
                all.extend(paths.iter().map(|path| (format!("{name}.{path}"), kind.as_str())));
            }
        }
        all
    });
    primitives.get(path).copied()
}
