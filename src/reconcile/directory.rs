//! The directory: one entry from the records of several endpoints that identity found to be one.

use std::collections::BTreeSet;

use crate::flow::{Content, IdKey, Owner, View};

use super::claim::Claim;
use super::group::group_as_one;
use super::input::{DirectoryInput, PreviousRows};
use super::person::{Person, Surroundings};
use super::policy::Policy;
use super::rows;
use super::weave::dispositions;

/// Weaves the view of one directory entry: its members, all of one type, become one resource.
pub fn weave_directory(
    input: &DirectoryInput<'_>,
    previous: &dyn PreviousRows,
    policy: &Policy,
    ids: &IdKey,
) -> View {
    let silent = Content::default();
    let claims: Vec<Claim<'_>> =
        input.records.iter().map(|record| Claim::of(record, &silent)).collect();
    let surroundings =
        Surroundings { outside: input.outside, endpoints: input.endpoints, policy, ids };
    let mut person = Person::new(claims, BTreeSet::new(), surroundings);
    let all: Vec<usize> = (0..person.claims.len()).collect();
    group_as_one(&mut person, &all, "same-entry");
    let rows = rows::rows(&person, previous);
    let shown = person.groups.first().map(|g| g.shown);
    // With no live member left, the entry keeps the id of the one that came first.
    let first = || (0..person.claims.len()).min_by_key(|&i| person.claims[i].precedence());
    let owner = shown.or_else(first).map(|i| person.claims[i].id).unwrap_or_default();
    let mut dispositions = dispositions(&person);
    for disposed in dispositions.iter_mut().filter(|d| &*d.rule == "outside-view") {
        let own = disposed.id == owner;
        disposed.disposition =
            if own { crate::flow::Disposition::Kept } else { crate::flow::Disposition::Merged };
        disposed.rule = if all.len() == 1 { "only".into() } else { "same-entry".into() };
        disposed.reason = "an entry of the directory".into();
    }
    View {
        owner: Owner::Directory(owner),
        stamp: input.stamp.clone(),
        tables: rows.tables,
        dispositions,
        next_change: None,
        directory_refs: rows.outside.into_iter().collect(),
        disputes: Vec::new(),
    }
}
