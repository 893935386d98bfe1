//! `_include` and `_revinclude`: what goes with the rows of a page.
//! <https://hl7.org/fhir/R4/search.html#include>

use std::collections::BTreeSet;

use crate::fhir::{Issue, ResourceType};
use crate::flow::{DerivedId, Indexed, Owner, SearchValue};

use super::error::ApiError;
use super::hit::Hit;
use super::provenance;
use super::query::{Include, Query};
use super::reader::{Reader, RowRef};

/// How often `:iterate` goes on from what was included before.
const ROUNDS_MAX: usize = 10;

/// Collects extras, each once, up to a bound.
struct Collected {
    extras: Vec<Hit>,
    seen: BTreeSet<(ResourceType, DerivedId)>,
    /// What the Provenances of ours among them are about.
    traced: BTreeSet<(ResourceType, DerivedId)>,
    max: usize,
    cut: bool,
}

/// What a search wants beside its rows. Rows come from the person of the referring row or from
/// the directory only.
pub(super) fn extras(
    reader: &mut Reader<'_>,
    query: &mut Query,
    hits: &[Hit],
) -> Result<Vec<Hit>, ApiError> {
    let rows: Vec<RowRef> = hits.iter().filter_map(Hit::as_row).cloned().collect();
    let mut collected = Collected {
        extras: Vec::new(),
        seen: rows.iter().map(RowRef::identity).collect(),
        traced: BTreeSet::new(),
        max: reader.options.included_max,
        cut: false,
    };
    collect(reader, query, (hits, &rows), &mut collected, |_| true)?;
    let mut from = 0;
    for round in 0.. {
        let fresh: Vec<Hit> = collected.extras[from..].to_vec();
        let iterated = query.includes.iter().chain(&query.revincludes).any(|i| i.iterate);
        if fresh.is_empty() || !iterated || collected.cut {
            break;
        }
        if round == ROUNDS_MAX {
            collected.cut = true;
            break;
        }
        from = collected.extras.len();
        let rows: Vec<RowRef> = fresh.iter().filter_map(Hit::as_row).cloned().collect();
        collect(reader, query, (&fresh, &rows), &mut collected, |include| include.iterate)?;
    }
    if collected.cut {
        query.notes.push(Issue {
            severity: "warning",
            code: "incomplete",
            diagnostics: format!(
                "only {} included resources are given; ask for fewer rows with _count",
                collected.extras.len()
            ),
            expression: Vec::new(),
        });
    }
    Ok(collected.extras)
}

/// Adds what some includes want beside these hits.
fn collect(
    reader: &mut Reader<'_>,
    query: &Query,
    (hits, rows): (&[Hit], &[RowRef]),
    collected: &mut Collected,
    wanted: impl Fn(&Include) -> bool,
) -> Result<(), ApiError> {
    for include in query.includes.iter().filter(|i| wanted(i)) {
        for row in rows.iter().filter(|row| row.resource_type == include.from) {
            forward(reader, include, row, collected)?;
        }
        if provenance::is_of_target(reader.gateway.search_table(), include) {
            for hit in hits {
                collected.add_target(include, hit);
            }
        }
    }
    for include in query.revincludes.iter().filter(|i| wanted(i)) {
        backward(reader, include, rows, collected)?;
        if provenance::is_of_target(reader.gateway.search_table(), include) {
            for row in rows.iter().filter(|row| provenance::has(row)) {
                collected.add(Hit::Provenance(row.clone()));
            }
        }
    }
    Ok(())
}

/// The references that a row's values hold for some parameters.
pub(super) fn references<'v>(
    values: &'v [SearchValue],
    params: &'v [u16],
) -> impl Iterator<Item = &'v str> {
    values.iter().filter(|value| params.contains(&value.param)).filter_map(|value| {
        match &value.value {
            Indexed::Reference(to) => Some(&**to),
            Indexed::Token { .. }
            | Indexed::Text { .. }
            | Indexed::Date { .. }
            | Indexed::Quantity { .. }
            | Indexed::Number(_)
            | Indexed::Uri(_)
            | Indexed::Identified { .. }
            | Indexed::Typed { .. }
            | Indexed::Composite(_) => None,
        }
    })
}

fn forward(
    reader: &mut Reader<'_>,
    include: &Include,
    row: &RowRef,
    collected: &mut Collected,
) -> Result<(), ApiError> {
    let values = reader.values(row.owner, row.resource_type, &include.params)?;
    for reference in references(values.of(row.row().id), &include.params) {
        let Some(found) = reader.referred(reference)? else { continue };
        let wanted = include.target.is_none_or(|target| target == found.resource_type);
        let ours = found.owner == row.owner || matches!(found.owner, Owner::Directory(_));
        if wanted && ours {
            collected.add(Hit::Row(found));
        }
    }
    Ok(())
}

/// Rows of the same owners that refer to rows of the page.
fn backward(
    reader: &mut Reader<'_>,
    include: &Include,
    rows: &[RowRef],
    collected: &mut Collected,
) -> Result<(), ApiError> {
    let targets: BTreeSet<String> = rows
        .iter()
        .filter(|row| include.target.is_none_or(|target| target == row.resource_type))
        .map(RowRef::reference)
        .collect();
    let owners: BTreeSet<Owner> = rows.iter().map(|row| row.owner).collect();
    for owner in owners {
        let values = reader.values(owner, include.from, &include.params)?;
        for row in reader.rows(owner, include.from)? {
            let values = values.of(row.row().id);
            let refers = references(values, &include.params).any(|to| targets.contains(to));
            if refers {
                collected.add(Hit::Row(row));
            }
        }
    }
    Ok(())
}

impl Collected {
    fn add_target(&mut self, include: &Include, hit: &Hit) {
        if let Hit::Provenance(row) = hit
            && include.target.is_none_or(|target| target == row.resource_type)
        {
            self.add(Hit::Row(row.clone()));
        }
    }

    fn add(&mut self, extra: Hit) {
        if self.extras.len() >= self.max {
            self.cut = true;
            return;
        }
        let new = match &extra {
            Hit::Row(row) => self.seen.insert(row.identity()),
            Hit::Provenance(row) => self.traced.insert(row.identity()),
        };
        if new {
            self.extras.push(extra);
        }
    }
}
