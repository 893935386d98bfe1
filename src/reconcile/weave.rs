//! Weaving: the stages in order.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;

use crate::flow::{
    ChartKey, Content, Coverage, DerivedId, Disposition, Home, IdKey, Owner, RecordDisposition,
    RecordKey, Version, View, coverage,
};

use super::calendar::Calendar;
use super::claim::{Claim, ClaimState};
use super::conflicts;
use super::group::group_all;
use super::input::{InputRecord, PersonInput, PreviousRows};
use super::overrides::Overrides;
use super::person::{Person, Surroundings};
use super::plan;
use super::policy::Policy;
use super::proposals;
use super::rows;
use super::scene::Scene;

/// Weaves the view of one person. The order of charts and records does not matter; rows come
/// without search values.
pub fn weave(
    input: &PersonInput<'_>,
    previous: &dyn PreviousRows,
    policy: &Policy,
    ids: &IdKey,
    as_of: Date,
) -> View {
    let silent = Content::default();
    let mut claims: Vec<Claim<'_>> = input
        .charts
        .iter()
        .flat_map(|chart| chart.records.iter().filter(|r| is_at_home(r, &chart.key)))
        .map(|record| Claim::of(record, &silent))
        .collect();
    stand_with_containers(&mut claims);
    let charts: BTreeSet<ChartKey> = input.charts.iter().map(|c| c.key.clone()).collect();
    let surroundings =
        Surroundings { outside: input.outside, endpoints: input.endpoints, policy, ids };
    let mut person = Person::new(claims, charts, surroundings);
    if !person.claims.iter().any(|c| c.is_live() && c.key().resource_type.name() == "Patient") {
        return waiting(input, &person);
    }
    group_all(&mut person);
    person.overrides = Overrides::of(&person, &input.overrides);
    let rows::Rows { mut tables, outside } = rows::rows(&person, previous);
    let dispositions = dispositions(&person);
    let shown = person.patient_group().map(|g| person.claims[person.groups[g].shown].id);
    let owner = Owner::Person(shown.unwrap_or_default());
    let material = plan::Material::of(&tables);
    plan::add_woven_plan(&person, &material, &mut tables);
    let scene = Scene::new(&person, &material);
    let mut calendar = Calendar::new(as_of);
    let disputes = conflicts::add_conflicts(&scene, &mut tables, &mut calendar);
    proposals::add_proposals(&scene, &mut tables, &mut calendar);
    View {
        owner,
        stamp: input.stamp.clone(),
        tables,
        dispositions,
        next_change: calendar.next(),
        directory_refs: outside.into_iter().collect(),
        disputes,
    }
}

/// A record that has moved away is no longer this chart's.
fn is_at_home(record: &InputRecord, chart: &ChartKey) -> bool {
    matches!(record.header.home(), Home::Chart(home) if home == chart)
}

/// What was contained in a record has no existence of its own: it is withdrawn with its container,
/// and when the container's current version no longer contains it.
/// <https://hl7.org/fhir/R4/references.html#contained>
fn stand_with_containers(claims: &mut [Claim<'_>]) {
    let containers: HashMap<&RecordKey, (ClaimState, &Version)> =
        claims.iter().map(|c| (c.key(), (c.state, c.header.current()))).collect();
    for claim in claims.iter_mut().filter(|c| c.is_live()) {
        let container = claim.header.parent.as_ref().and_then(|parent| containers.get(parent));
        claim.state = match container {
            Some((ClaimState::Live, current)) if !came_with(claim.header.current(), current) => {
                ClaimState::Deleted
            }
            Some((state, _)) => *state,
            None => ClaimState::Live,
        };
    }
}

/// Whether something contained was stated when its container's version was: under the same stamp,
/// or, without one, not before it.
fn came_with(inner: &Version, container: &Version) -> bool {
    let stamp = |v: &Version| v.stamp.version_id.clone().zip(v.stamp.last_updated);
    match (stamp(inner), stamp(container)) {
        (Some(inner), Some(container)) => inner == container,
        _ => inner.confirmed_at >= container.stamp.observed_at,
    }
}

/// No Patient has come, or all have gone: nothing can be shown yet.
fn waiting(input: &PersonInput<'_>, person: &Person<'_>) -> View {
    let first = |chart: &ChartKey| {
        let of_chart = person.claims.iter().filter(|c| c.header.home().chart() == Some(chart));
        let seq = of_chart.map(|c| c.header.first_seq).min().unwrap_or(u64::MAX);
        (seq, person.ids.record(&chart.patient_record()))
    };
    let owner = input.charts.iter().map(|c| first(&c.key)).min().map(|(_, id)| id);
    let dispositions = person
        .claims
        .iter()
        .map(|claim| {
            let (disposition, reason) = match (claim.state, is_stored(claim)) {
                (ClaimState::Absent, _) => (Disposition::Absent, ABSENT),
                (ClaimState::Deleted, _) => (Disposition::Withdrawn, DELETED),
                (ClaimState::EnteredInError, _) => (Disposition::Withdrawn, IN_ERROR),
                (ClaimState::Live, true) => (Disposition::Stored, STORED),
                (ClaimState::Live, false) => (Disposition::Waiting, "its patient has not come"),
            };
            disposed(claim.id, disposition, None, "no-patient", reason)
        })
        .collect();
    View {
        owner: Owner::Person(owner.unwrap_or_default()),
        stamp: input.stamp.clone(),
        tables: BTreeMap::new(),
        dispositions: sorted(dispositions),
        next_change: None,
        directory_refs: Vec::new(),
        disputes: Vec::new(),
    }
}

const ABSENT: &str = "missing from a complete pull";
const DELETED: &str = "deleted at its source";
const IN_ERROR: &str = "its source says it was entered in error";
const STORED: &str = "its type is kept as stated and is no part of the view";

/// What became of every current record.
pub(super) fn dispositions(person: &Person<'_>) -> Vec<RecordDisposition> {
    let mut all = Vec::with_capacity(person.claims.len());
    for (index, claim) in person.claims.iter().enumerate() {
        let group = person.group_of[index].map(|g| &person.groups[g]);
        let view = group.map(|g| (g.resource_type, person.claims[g.shown].id));
        let rule = group.and_then(|g| {
            let all = g.members.iter().chain(&g.withdrawn);
            all.into_iter().find(|(member, _)| *member == index).map(|(_, rule)| *rule)
        });
        let own = view.is_some_and(|(_, shown)| shown == claim.id);
        let (disposition, rule, reason) = match claim.state {
            ClaimState::Absent => (Disposition::Absent, "absent", ABSENT),
            ClaimState::Deleted => (Disposition::Withdrawn, "deleted", DELETED),
            ClaimState::EnteredInError => (Disposition::Withdrawn, "entered-in-error", IN_ERROR),
            ClaimState::Live if is_stored(claim) => (Disposition::Stored, "outside-view", STORED),
            ClaimState::Live if own => {
                (Disposition::Kept, rule.unwrap_or("only"), "shown under its own id")
            }
            ClaimState::Live => {
                let rule = rule.unwrap_or("only");
                (Disposition::Merged, rule, "states what another record states that came first")
            }
        };
        all.push(disposed(claim.id, disposition, view, rule, reason));
    }
    sorted(all)
}

fn sorted(mut dispositions: Vec<RecordDisposition>) -> Vec<RecordDisposition> {
    dispositions.sort_by_key(|d| d.id);
    dispositions
}

fn disposed(
    id: DerivedId,
    disposition: Disposition,
    view: Option<(crate::fhir::ResourceType, DerivedId)>,
    rule: &str,
    reason: &str,
) -> RecordDisposition {
    RecordDisposition { id, disposition, view, rule: rule.into(), reason: reason.into() }
}

/// Of a type that is no part of a person's view (also a directory resource contained in one).
fn is_stored(claim: &Claim<'_>) -> bool {
    coverage(claim.key().resource_type) != Coverage::Person
}
