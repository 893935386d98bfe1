//! What the gateway proposes and nobody has stated: resources of our own among the rows, marked
//! as proposals (tag `proposal`), which a person confirms by stating them and nobody else does.
//!
//! They are woven like everything else, from records and the day alone, and go when what they
//! rest on goes.

mod transition;

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::fhir::{ResourceType, canonical_bytes};
use crate::flow::{DerivedId, Hash, Member, ViewRow};

use super::calendar::Calendar;
use super::merge::TAG_SYSTEM;
use super::person::{Group, Person};
use super::rows::member;
use super::scene::Scene;

/// The tag of a proposal.
pub const PROPOSAL: &str = "proposal";

/// A resource that is proposed.
struct Proposal {
    resource_type: ResourceType,
    id: DerivedId,
    body: Value,
    /// What it rests on.
    members: Vec<Member>,
}

/// Puts all proposals among the rows.
pub(super) fn add_proposals(
    scene: &Scene<'_>,
    tables: &mut BTreeMap<ResourceType, Vec<ViewRow>>,
    calendar: &mut Calendar,
) {
    let proposals = transition::proposals(scene, calendar);
    for proposal in proposals {
        let rows = tables.entry(proposal.resource_type).or_default();
        rows.push(row(proposal));
    }
    for rows in tables.values_mut() {
        rows.sort_by_key(|row| row.id);
        rows.dedup_by_key(|row| row.id);
    }
}

fn row(proposal: Proposal) -> ViewRow {
    let Proposal { id, mut body, members, resource_type } = proposal;
    body["resourceType"] = json!(resource_type.name());
    body["id"] = json!(id.to_string());
    body["meta"] = json!({
        "source": "urn:careweave:proposals",
        "tag": [{"system": TAG_SYSTEM, "code": PROPOSAL}],
    });
    let bytes = canonical_bytes(body);
    let hash = Hash::of(&bytes);
    ViewRow {
        id,
        hash,
        input: hash,
        body: Bytes::from(bytes),
        values: Vec::new(),
        members,
        aliases: Vec::new(),
        choices: Vec::new(),
        made_by_us: true,
    }
}

/// The records that a group states, as what a proposal rests on.
fn resting_on(person: &Person<'_>, group: &Group, rule: &str) -> Vec<Member> {
    let members = group.members.iter();
    let mut members: Vec<Member> =
        members.map(|(claim, _)| member(&person.claims[*claim], rule)).collect();
    members.sort();
    members
}
