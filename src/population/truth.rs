//! What the population knows of itself: who is who, and which records state one fact.

use std::collections::{BTreeMap, BTreeSet};

use crate::flow::{PERSON_TYPES, RecordKey};

/// The truth about a population.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Truth {
    /// The person behind each (endpoint, Patient id).
    pub person_of: BTreeMap<(String, String), usize>,
    /// Records that state one fact, at least two each: what should become one.
    pub duplicates: Vec<TruthGroup>,
    /// Records that look alike and state different facts: what must stay two.
    pub distinct: Vec<(RecordKey, RecordKey)>,
    /// (endpoint, Patient id) of one person seen everywhere, with conflicts and duplicates.
    pub showcase: (String, String),
    /// The fact each usable record states; a retracted one too.
    pub fact_of: BTreeMap<RecordKey, u64>,
}

/// Records that state one fact.
#[derive(Clone, Debug, PartialEq)]
pub struct TruthGroup {
    /// Their type.
    pub resource_type: &'static str,
    /// The records, sorted.
    pub members: Vec<RecordKey>,
    /// How they were planted: `identifier`, `text-variant`, `code-and-date` …
    pub kind: &'static str,
}

/// How a view compares with the truth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TruthReport {
    /// Pairs of records that were made to state one fact.
    pub planted: u64,
    /// Those of them that are one resource of the view.
    pub found: u64,
    /// Pairs of records that are one resource of the view and state different facts.
    pub wrong_merges: u64,
}

impl Truth {
    /// Compares with a view: `merged` gives the view resource that states a record, if any.
    pub fn score(&self, merged: &dyn Fn(&RecordKey) -> Option<String>) -> TruthReport {
        let mut report = TruthReport::default();
        for group in &self.duplicates {
            let ids: Vec<Option<String>> = group.members.iter().map(merged).collect();
            for (index, id) in ids.iter().enumerate() {
                let rest = &ids[index + 1..];
                report.planted += count(rest.len());
                report.found +=
                    count(rest.iter().filter(|other| id.is_some() && *other == id).count());
            }
        }
        let mut stated: BTreeMap<String, BTreeMap<u64, u64>> = BTreeMap::new();
        for (key, fact) in &self.fact_of {
            if let Some(id) = merged(key) {
                let name = format!("{}/{id}", key.resource_type);
                *stated.entry(name).or_default().entry(*fact).or_default() += 1;
            }
        }
        for facts in stated.values() {
            let all: u64 = facts.values().sum();
            let apart: u64 = facts.values().map(|n| n * (all - n)).sum();
            report.wrong_merges += apart / 2;
        }
        report
    }

    /// Makes the groups of duplicates, of what belongs to a person and is not retracted.
    pub(super) fn group(
        &mut self,
        kinds: &BTreeMap<u64, &'static str>,
        retracted: &BTreeSet<RecordKey>,
    ) {
        let mut by_fact: BTreeMap<u64, Vec<RecordKey>> = BTreeMap::new();
        for (key, fact) in self.fact_of.iter().filter(|(key, _)| !retracted.contains(*key)) {
            by_fact.entry(*fact).or_default().push(key.clone());
        }
        let person_type = |key: &RecordKey| PERSON_TYPES.contains(&key.resource_type.name());
        by_fact.retain(|_, members| members.len() > 1 && members.iter().all(person_type));
        let group = |(fact, members): (u64, Vec<RecordKey>)| TruthGroup {
            resource_type: members[0].resource_type.name(),
            kind: kinds.get(&fact).copied().unwrap_or("restated"),
            members,
        };
        self.duplicates = by_fact.into_iter().map(group).collect();
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
