//! Rows: one per group, taken from the stored view where their input is the same.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use jiff::Timestamp;

use crate::fhir::ResourceType;
use crate::flow::{DerivedId, Hash, Member, Stamp, ViewRow};

use super::WEAVE_VERSION;
use super::claim::Claim;
use super::input::PreviousRows;
use super::merge::{AUTHORITIES, merge};
use super::person::{Group, Person};
use super::resolve::{self, Rewrite};

/// The rows of all groups by type, and the outside records they rest on.
pub(super) struct Rows {
    pub(super) tables: BTreeMap<ResourceType, Vec<ViewRow>>,
    pub(super) outside: BTreeSet<DerivedId>,
}

/// Makes the rows of all groups.
pub(super) fn rows(person: &Person<'_>, previous: &dyn PreviousRows) -> Rows {
    let context = context_hash(person);
    let mut tables: BTreeMap<ResourceType, Vec<ViewRow>> = BTreeMap::new();
    let mut outside = BTreeSet::new();
    for group in &person.groups {
        let mut rewrites = Vec::with_capacity(group.members.len());
        for (claim, _) in &group.members {
            let (of_claim, rests_on) = resolve::rewrites(person, *claim);
            outside.extend(rests_on);
            rewrites.push(of_claim);
        }
        let row = row(person, group, &rewrites, context, previous);
        tables.entry(group.resource_type).or_default().push(row);
    }
    for rows in tables.values_mut() {
        rows.sort_by_key(|r| r.id);
    }
    Rows { tables, outside }
}

fn row(
    person: &Person<'_>,
    group: &Group,
    rewrites: &[Vec<Rewrite>],
    context: Hash,
    previous: &dyn PreviousRows,
) -> ViewRow {
    let id = person.claims[group.shown].id;
    let mut members: Vec<Member> =
        group.members.iter().map(|(claim, rule)| member(&person.claims[*claim], rule)).collect();
    members.sort();
    let mut aliases: Vec<DerivedId> = group
        .members
        .iter()
        .chain(&group.withdrawn)
        .map(|(claim, _)| person.claims[*claim].id)
        .filter(|alias| *alias != id)
        .collect();
    aliases.sort_unstable();
    aliases.dedup();
    let input = input_hash(person, group, rewrites, &aliases, context);
    if let Some(known) = previous.row(group.resource_type, id).filter(|r| r.input == input) {
        return known;
    }
    let merged = merge(person, group, rewrites);
    ViewRow {
        id,
        hash: Hash::of(&merged.body),
        input,
        body: Bytes::from(merged.body),
        values: Vec::new(),
        members,
        aliases,
        choices: merged.choices,
        made_by_us: false,
    }
}

pub(super) fn member(claim: &Claim<'_>, rule: &str) -> Member {
    let current = claim.header.current();
    Member {
        key: claim.key().clone(),
        id: claim.id,
        version: u32::try_from(claim.header.versions().len()).unwrap_or(u32::MAX),
        version_id: current.stamp.version_id.clone(),
        recorded: recorded(&current.stamp),
        rule: rule.into(),
    }
}

fn recorded(stamp: &Stamp) -> Timestamp {
    stamp.last_updated.unwrap_or(stamp.observed_at)
}

/// Everything a row is made from: what members say, what their references have become, and who
/// has authority over what.
fn input_hash(
    person: &Person<'_>,
    group: &Group,
    rewrites: &[Vec<Rewrite>],
    aliases: &[DerivedId],
    context: Hash,
) -> Hash {
    let mut parts: Vec<Vec<u8>> = vec![context.0.to_be_bytes().to_vec()];
    for ((index, rule), rewrites) in group.members.iter().zip(rewrites) {
        let claim = &person.claims[*index];
        let current = claim.header.current();
        parts.push(claim.id.0.to_be_bytes().to_vec());
        parts.push(claim.header.first_seq.to_be_bytes().to_vec());
        parts.push(current.hash.0.to_be_bytes().to_vec());
        parts.push(claim.header.versions().len().to_be_bytes().to_vec());
        parts.push(recorded(&current.stamp).as_nanosecond().to_be_bytes().to_vec());
        parts.push(current.stamp.version_id.as_deref().unwrap_or_default().as_bytes().to_vec());
        parts.push(rule.as_bytes().to_vec());
        for rewrite in rewrites {
            parts.push(rewrite.reference.as_deref().unwrap_or_default().as_bytes().to_vec());
        }
        parts.extend(authority_of(person, group, claim));
    }
    let of_group = person.group_of[group.shown].into_iter();
    for (element, claim) in of_group.flat_map(|index| person.overrides.within(index)) {
        parts.push(format!("{element} {}", person.claims[claim].id).into_bytes());
    }
    parts.extend(aliases.iter().map(|a| a.0.to_be_bytes().to_vec()));
    Hash::of_parts(parts.iter().map(Vec::as_slice))
}

/// The systems of those whose word counts, where members may differ and a rule asks for them.
fn authority_of(person: &Person<'_>, group: &Group, claim: &Claim<'_>) -> Option<Vec<u8>> {
    let asked = group.members.len() > 1 && person.policy.asks_authority(group.resource_type.name());
    asked.then(|| {
        let systems = AUTHORITIES.map(|role| person.systems_of(claim, role));
        format!("{systems:?}").into_bytes()
    })
}

/// What all rows of a view have in common.
fn context_hash(person: &Person<'_>) -> Hash {
    let mut parts: Vec<String> =
        vec![WEAVE_VERSION.to_string(), person.policy.hash().0.to_string()];
    for (endpoint, facts) in person.endpoints {
        parts.push(endpoint.to_string());
        parts.push(facts.trust.to_string());
        parts.push(facts.base_url.clone());
        for organization in &facts.organizations {
            parts.push(format!("{}|{}", organization.system, organization.value));
        }
    }
    Hash::of_parts(parts.iter().map(String::as_bytes))
}
