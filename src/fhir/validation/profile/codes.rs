//! The codes of value sets, as far as the packages hold them.
//! <https://hl7.org/fhir/R4/valueset.html#expansion>

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::tree::plain;

/// ValueSets and CodeSystems by URL.
#[derive(Default)]
pub(super) struct Terminology {
    pub(super) sets: BTreeMap<String, Value>,
    pub(super) systems: BTreeMap<String, Value>,
}

/// By system its codes; `None` where any code of the system is taken, since it is not at hand.
pub(super) type Codes = BTreeMap<String, Option<BTreeSet<String>>>;

/// Sets within sets, this deep.
const DEPTH_MAX: usize = 8;
/// A set of more codes is not compiled.
const CODES_MAX: usize = 20_000;

impl Terminology {
    /// The codes of a set: never too few, maybe too many. `None` if it cannot be told.
    pub(super) fn codes(&self, url: &str) -> Option<Codes> {
        let mut codes = Codes::new();
        self.add(url, DEPTH_MAX, &mut codes)?;
        let count: usize = codes.values().flatten().map(BTreeSet::len).sum();
        (!codes.is_empty() && count <= CODES_MAX).then_some(codes)
    }

    fn add(&self, url: &str, deep: usize, into: &mut Codes) -> Option<()> {
        let compose = self.sets.get(plain(url))?.get("compose")?;
        for include in compose["include"].as_array()? {
            let inner = include["valueSet"].as_array();
            let Some(system) = include["system"].as_str() else {
                for url in inner?.iter().filter_map(Value::as_str) {
                    self.add(url, deep.checked_sub(1)?, into)?;
                }
                continue;
            };
            let listed = match include["concept"].as_array() {
                Some(concepts) => Some(concepts.iter().filter_map(code).collect()),
                None => self.all_of(system),
            };
            match (into.entry(system.to_owned()).or_insert_with(|| Some(BTreeSet::new())), listed) {
                (Some(known), Some(more)) => known.extend(more),
                (entry, _) => *entry = None,
            }
        }
        for exclude in compose["exclude"].as_array().into_iter().flatten() {
            let system = exclude["system"].as_str().unwrap_or_default();
            if let Some(Some(known)) = into.get_mut(system) {
                for code in exclude["concept"].as_array().into_iter().flatten().filter_map(code) {
                    known.remove(&code);
                }
            }
        }
        Some(())
    }

    /// All codes of a system that is at hand and whole.
    fn all_of(&self, system: &str) -> Option<BTreeSet<String>> {
        let held = self.systems.get(system).filter(|held| held["content"] == "complete")?;
        let mut codes = BTreeSet::new();
        let mut open = vec![&held["concept"]];
        while let Some(concepts) = open.pop() {
            for concept in concepts.as_array().into_iter().flatten() {
                codes.extend(code(concept));
                open.push(&concept["concept"]);
            }
        }
        Some(codes)
    }
}

fn code(concept: &Value) -> Option<String> {
    concept["code"].as_str().map(str::to_owned)
}

/// The schema of a coding that is one of these.
pub(super) fn coding(codes: &Codes) -> Value {
    let systems = codes.iter().map(|(system, codes)| match codes {
        Some(codes) => json!({"required": ["system", "code"],
            "properties": {"system": {"const": system}, "code": {"enum": codes}}}),
        None => json!({"required": ["system"], "properties": {"system": {"const": system}}}),
    });
    json!({"anyOf": systems.collect::<Vec<_>>()})
}
