//! Authority: whose word counts for an element.

use std::cmp::Reverse;

use jiff::Timestamp;
use serde_json::Value;

use crate::fhir::parse_moment;
use crate::flow::Role;

use super::super::loops::Actor;
use super::super::person::Person;
use super::super::policy::Rule;
use super::element::{Part, completeness};

/// The roles of those whose word may count.
pub(in super::super) const AUTHORITIES: [Role; 4] =
    [Role::Requester, Role::Performer, Role::Custodian, Role::Author];

/// Parts in the order in which they count, and the name of the rule that told the first from
/// the second.
pub(super) struct Ranked {
    pub(super) parts: Vec<Part>,
    pub(super) rule: &'static str,
}

/// What a part is ranked by: smaller counts more. The later fields break ties.
#[derive(PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
struct Rank {
    unknown: bool,
    by_rule: Reverse<i64>,
    recency: Reverse<Option<Timestamp>>,
    trust: Reverse<i32>,
    progress: Reverse<u8>,
    /// Claims are sorted by key.
    claim: usize,
}

/// Ranks what members say of one element by a rule of the policy. Ties go to the later date, which
/// the author states of the thing itself; to the more trusted endpoint, which the site has said; to
/// the further status, which is only a guess at what happened last; and to the smaller key. Never
/// to what came first, because the order of arrival must not show in what is said.
pub(super) fn rank(
    person: &Person<'_>,
    kind: &str,
    element: &str,
    rule: Rule,
    parts: Vec<Part>,
) -> Ranked {
    let mut ranked: Vec<(Rank, Part)> =
        parts.into_iter().map(|p| (rank_of(person, kind, element, rule, &p), p)).collect();
    ranked.sort_by_key(|ranked| ranked.0);
    let winner = ranked.first().map(|(rank, _)| *rank);
    let rival = ranked
        .iter()
        .find(|(_, p)| ranked.first().is_some_and(|(_, first)| p.value != first.value))
        .map(|(rank, _)| *rank);
    let decided = winner.zip(rival).map_or(rule.name(), |(a, b)| decided_by(rule, a, b));
    Ranked { parts: ranked.into_iter().map(|(_, part)| part).collect(), rule: decided }
}

fn decided_by(rule: Rule, winner: Rank, rival: Rank) -> &'static str {
    if winner.unknown != rival.unknown {
        "known-over-unknown"
    } else if winner.by_rule != rival.by_rule {
        rule.name()
    } else if winner.recency != rival.recency {
        Rule::MostRecent.name()
    } else if winner.trust != rival.trust {
        Rule::MostTrusted.name()
    } else if winner.progress != rival.progress {
        "furthest-progress"
    } else {
        Rule::SmallestKey.name()
    }
}

fn rank_of(person: &Person<'_>, kind: &str, element: &str, rule: Rule, part: &Part) -> Rank {
    let claim = &person.claims[part.claim];
    let said = part.value.get(element).and_then(Value::as_str).unwrap_or_default();
    let trust = person.endpoints.get(claim.endpoint()).map_or(0, |e| e.trust);
    let by_rule = match rule {
        Rule::RequesterSystem => i64::from(is_system_of(person, part.claim, Role::Requester)),
        Rule::AllowedActor => allowed(person, part.claim, said),
        Rule::Custodian => {
            2 * i64::from(is_system_of(person, part.claim, Role::Custodian))
                + i64::from(is_system_of(person, part.claim, Role::Author))
        }
        Rule::MostTrusted => i64::from(trust),
        Rule::MostComplete => {
            i64::try_from(part.value.values().map(completeness).sum::<usize>()).unwrap_or(i64::MAX)
        }
        // Recency and the key stand in every rank anyway.
        Rule::MostRecent | Rule::Union => 0,
        Rule::SmallestKey => -i64::try_from(part.claim).unwrap_or(i64::MAX),
    };
    Rank {
        // R4: unknown is no status of its own, so any other code says more.
        unknown: said == "unknown",
        by_rule: Reverse(by_rule),
        recency: Reverse(recency(person, part.claim)),
        trust: Reverse(trust),
        progress: Reverse(if element.ends_with("tatus") { progress(kind, said) } else { 0 }),
        claim: part.claim,
    }
}

/// Whether the endpoint that states the claim is the system of the party in that role. One member
/// may state the party that another leaves out.
fn is_system_of(person: &Person<'_>, claim: usize, role: Role) -> bool {
    let endpoint = person.claims[claim].endpoint();
    let runs = |i: usize| person.systems_of(&person.claims[i], role).contains(endpoint);
    match person.group_of[claim] {
        Some(group) => person.groups[group].members.iter().any(|(i, _)| runs(*i)),
        None => runs(claim),
    }
}

/// Who may set a Task status: the requester, the owner, or either, as the policy has it.
/// <https://hl7.org/fhir/us/sdoh-clinicalcare/>
fn allowed(person: &Person<'_>, claim: usize, status: &str) -> i64 {
    let states = person.policy.task_states();
    let parties = [(Actor::Requester, Role::Requester), (Actor::Owner, Role::Performer)];
    let may = parties
        .iter()
        .any(|(actor, role)| states.may_set(*actor, status) && is_system_of(person, claim, *role));
    // What the requester set first, the owner's answer moves on.
    let answered = !matches!(status, "draft" | "requested");
    match (may, answered) {
        (true, true) => 2,
        (true, false) => 1,
        (false, _) => 0,
    }
}

/// When the author last touched it, by the author's own words.
fn recency(person: &Person<'_>, claim: usize) -> Option<Timestamp> {
    let claim = &person.claims[claim];
    let of = |name: &str| super::super::peek::date(claim.body, name);
    let stated = of("lastModified").or_else(|| of("statusDate"));
    let moment = stated.as_deref().and_then(parse_moment).map(|m| m.from);
    let day = |span: Option<crate::flow::DateSpan>| {
        let day = span?.high?;
        parse_moment(&day.to_string()).map(|m| m.from)
    };
    moment.or_else(|| day(claim.facts.changed)).or_else(|| day(claim.facts.authored))
}

/// How far along a status is by the type's state machine; more is further. A status that nothing
/// follows comes last: who has not got there yet has not heard. A pause comes before what it
/// pauses: either may follow the other, and what may still be open must not leave a work list
/// because one source, at an unknown time, said "on-hold".
fn progress(kind: &str, status: &str) -> u8 {
    #[rustfmt::skip]
    let order: &[&str] = match kind {
        "Task" => &[
            "draft", "requested", "received", "accepted", "ready", "on-hold", "in-progress",
            "rejected", "cancelled", "failed", "completed",
        ],
        "Goal" => &[
            "proposed", "planned", "accepted", "on-hold", "active", "rejected", "cancelled",
            "completed",
        ],
        _ => &[
            "proposed", "draft", "preparation", "planned", "pending", "waitlist", "registered",
            "booked", "preliminary", "arrived", "triaged", "on-hold", "onhold", "onleave",
            "suspended", "active", "in-progress", "revoked", "stopped", "not-done", "noshow",
            "cancelled", "inactive", "fulfilled", "completed", "finished", "final", "amended",
            "corrected",
        ],
    };
    let place = order.iter().position(|s| *s == status).map_or(0, |p| p + 1);
    u8::try_from(place).unwrap_or(u8::MAX)
}
