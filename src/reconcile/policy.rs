//! The policy: survivorship rules and finding rules, as data (`profiles/policy.json`).

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::compare::Crosswalk;
use crate::flow::Hash;

use super::checklist::TransitionPolicy;
use super::loops::TaskStates;
use super::windows::FindingPolicy;

/// The policy in force.
#[derive(Clone, Debug)]
pub struct Policy {
    file: PolicyFile,
    crosswalk: Crosswalk,
    hash: Hash,
}

/// How a displayed value is picked among differing ones.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// The system of the one who requested it.
    RequesterSystem,
    /// The party that may set this very status; then the last modification.
    AllowedActor,
    /// The custodian's system, else the author's.
    Custodian,
    /// The value stated last, by the author's own date.
    MostRecent,
    /// The endpoint with the highest configured trust.
    MostTrusted,
    /// The value with the most parts.
    MostComplete,
    /// All values, without repeats.
    Union,
    /// The record whose key is the smallest: says nothing of care, and is the same in any order of
    /// arrival.
    SmallestKey,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    #[expect(dead_code, reason = "read by people; the hash tells files apart")]
    version: String,
    bucket_cap: usize,
    default_rule: Rule,
    elements: BTreeMap<String, BTreeMap<String, Rule>>,
    together: BTreeMap<String, Vec<Vec<String>>>,
    conflicts: BTreeMap<String, Vec<String>>,
    findings: FindingPolicy,
    task_states: TaskStates,
    transition: TransitionPolicy,
    woven_plan: WovenPlanPolicy,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WovenPlanPolicy {
    title: String,
}

const EMBEDDED: &str = include_str!("../../profiles/policy.json");
/// The entry that holds for every type.
const ANY: &str = "*";

impl Policy {
    /// Reads a policy file.
    ///
    /// # Errors
    /// Says where the text is not a policy.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: PolicyFile = serde_json::from_str(text).map_err(|e| format!("policy: {e}"))?;
        if !(2..=1024).contains(&file.bucket_cap) {
            return Err("policy: bucket_cap must lie between 2 and 1024".to_owned());
        }
        file.findings.check()?;
        file.task_states.check()?;
        let policy =
            Self { hash: Hash::of(text.as_bytes()), file, crosswalk: Crosswalk::default() };
        Ok(policy.with_crosswalk(Crosswalk::embedded()))
    }

    /// The same policy with another crosswalk. The crosswalk is part of what tells policies apart.
    #[must_use]
    pub fn with_crosswalk(self, crosswalk: Crosswalk) -> Self {
        let parts = [self.hash, crosswalk.hash()].map(|h| h.0.to_be_bytes());
        let hash = Hash::of_parts(parts.iter().map(<[u8; 16]>::as_slice));
        Self { crosswalk, hash, ..self }
    }

    /// Which codes of two systems name one concept.
    pub fn crosswalk(&self) -> &Crosswalk {
        &self.crosswalk
    }

    /// The policy that is compiled into the program.
    ///
    /// # Panics
    /// Never: a test reads it.
    pub fn embedded() -> Self {
        Self::parse(EMBEDDED).expect("the embedded policy is tested to parse")
    }

    /// What tells two policies apart.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// How many records with one comparison key are all compared with each other; beyond, each
    /// is compared with so many neighbours.
    pub fn bucket_cap(&self) -> usize {
        self.file.bucket_cap
    }

    /// The days and codes of the finding rules.
    pub(super) fn findings(&self) -> &FindingPolicy {
        &self.file.findings
    }

    /// What follows a discharge.
    pub(super) fn transition(&self) -> &TransitionPolicy {
        &self.file.transition
    }

    /// Which status of a task follows which, and who may set it.
    pub(super) fn task_states(&self) -> &TaskStates {
        &self.file.task_states
    }

    /// The title of the woven plan.
    pub fn woven_title(&self) -> &str {
        &self.file.woven_plan.title
    }

    /// The survivorship rule of an element (without `[x]`).
    pub fn rule(&self, resource_type: &str, element: &str) -> Rule {
        let of = |t: &str| self.file.elements.get(t).and_then(|rules| rules.get(element));
        of(resource_type).or_else(|| of(ANY)).copied().unwrap_or(self.file.default_rule)
    }

    /// Whether a rule for this type asks whose system an endpoint is.
    pub fn asks_authority(&self, resource_type: &str) -> bool {
        let of = |t: &str| self.file.elements.get(t).into_iter().flat_map(|rules| rules.values());
        let all = of(resource_type).chain(of(ANY)).chain([&self.file.default_rule]);
        all.into_iter().any(|rule| rule.asks_authority())
    }

    /// The name of the field group that an element is taken with: elements of one group come
    /// from one source.
    pub fn field_group<'a>(&'a self, resource_type: &str, element: &'a str) -> &'a str {
        let of = |t: &str| {
            let groups = self.file.together.get(t)?;
            groups.iter().find(|g| g.iter().any(|e| e == element))?.first()
        };
        of(resource_type).or_else(|| of(ANY)).map_or(element, String::as_str)
    }

    /// Whether differing values of an element are a conflict to show, beyond Provenance.
    pub fn is_conflict(&self, resource_type: &str, element: &str) -> bool {
        let of = |t: &str| self.file.conflicts.get(t);
        of(resource_type)
            .or_else(|| of(ANY))
            .is_some_and(|elements| elements.iter().any(|e| e == element))
    }
}

impl Rule {
    /// Whether it asks whose system an endpoint is.
    fn asks_authority(self) -> bool {
        matches!(self, Self::RequesterSystem | Self::AllowedActor | Self::Custodian)
    }

    /// Its name in the policy and in Provenance.
    pub fn name(self) -> &'static str {
        match self {
            Self::RequesterSystem => "requester-system",
            Self::AllowedActor => "allowed-actor",
            Self::Custodian => "custodian",
            Self::MostRecent => "most-recent",
            Self::MostTrusted => "most-trusted",
            Self::MostComplete => "most-complete",
            Self::Union => "union",
            Self::SmallestKey => "smallest-key",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_policy_parses_and_a_misspelt_key_does_not() {
        let policy = Policy::embedded();
        assert_eq!(policy.rule("Task", "status"), Rule::AllowedActor);
        assert_eq!(policy.rule("Observation", "category"), Rule::Union);
        assert_eq!(policy.field_group("Goal", "statusDate"), "achievementStatus");
        assert!(policy.is_conflict("Patient", "birthDate"));
        assert!(Policy::parse(&EMBEDDED.replace("bucket_cap", "bucket_cup")).is_err());
    }
}
