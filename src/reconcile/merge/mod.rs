//! Merging: the members of a group become one body.
//!
//! Element by element, by the rule that the policy names; elements of one field group (a dose, a
//! status with its reason) come from one member and are never mixed. Where members differ the
//! choice is kept with the other values.

mod authority;
mod element;
mod prepare;
mod spelling;
mod union;

use serde_json::{Map, Value, json};

use crate::fhir::canonical_bytes;
use crate::flow::Choice;

use super::overrides::STEWARD;
use super::person::{Group, Person};
use super::policy::Rule;
use super::provenance::unaddressed;
use super::resolve::{Rewrite, local};
use element::Part;

pub(super) use authority::AUTHORITIES;
pub(super) use element::stem;

/// The system of our own tags.
pub const TAG_SYSTEM: &str = "urn:careweave:tag";

/// A member's body, ready to be merged.
pub(super) struct Voice {
    /// The claim.
    pub(super) claim: usize,
    /// Its body without `resourceType`, `id` and `meta`, with references rewritten.
    pub(super) body: Map<String, Value>,
    /// Its `meta`.
    pub(super) meta: Value,
}

/// A merged body with what had to be chosen.
pub(super) struct Merged {
    pub(super) body: Vec<u8>,
    pub(super) choices: Vec<Choice>,
}

/// Merges a group. `rewrites` holds the rewritten references of each member, in member order.
pub(super) fn merge(person: &Person<'_>, group: &Group, rewrites: &[Vec<Rewrite>]) -> Merged {
    let kind = group.resource_type.name();
    let own = local(group.resource_type, person.claims[group.shown].id);
    let mut voices: Vec<Voice> = group
        .members
        .iter()
        .zip(rewrites)
        .map(|((claim, _), rewrites)| prepare::voice(person, *claim, rewrites, &own))
        .collect();
    // Members speak in the order of their keys: whose id is shown depends on what came first, and
    // what is said must not.
    voices.sort_by_key(|v| v.claim);
    let meta = meta(person, group, &voices);
    let several = voices.len() > 1;
    let mut choices = Vec::new();
    let mut body = Map::new();
    if several {
        prepare::part_contained(&mut voices);
        for (name, parts) in element::parts(person.policy, kind, &voices) {
            merge_element(person, kind, &name, parts, &mut body, &mut choices);
        }
        prepare::drop_unreferenced_contained(&mut body);
    } else if let Some(only) = voices.pop() {
        body = only.body;
    }
    let mut resource = Map::new();
    resource.insert("resourceType".to_owned(), json!(kind));
    resource.insert("id".to_owned(), json!(person.claims[group.shown].id.to_string()));
    resource.insert("meta".to_owned(), meta);
    resource.append(&mut body);
    choices.sort();
    Merged { body: canonical_bytes(Value::Object(resource)), choices }
}

fn merge_element(
    person: &Person<'_>,
    kind: &str,
    name: &str,
    parts: Vec<Part>,
    body: &mut Map<String, Value>,
    choices: &mut Vec<Choice>,
) {
    let rule = person.policy.rule(kind, name);
    let differing = parts.windows(2).any(|w| w[0].value != w[1].value);
    if !differing {
        body.extend(parts.into_iter().next().map(|p| p.value).unwrap_or_default());
        return;
    }
    let mut ranked = authority::rank(person, kind, name, rule, parts);
    if rule == Rule::Union {
        union::unite(person, kind, ranked.parts, body, choices);
        return;
    }
    if let Some(at) = chosen_by_steward(person, kind, name, &ranked.parts) {
        ranked.parts[..=at].rotate_right(1);
        ranked.rule = STEWARD;
    }
    let mut ranked_parts = ranked.parts.into_iter();
    let Some(winner) = ranked_parts.next() else { return };
    let others: Vec<_> = ranked_parts
        .filter(|p| p.value != winner.value)
        .map(|p| (person.claims[p.claim].id, element::text(&p.value)))
        .collect();
    if !others.is_empty() {
        choices.push(Choice {
            element: format!("{kind}.{name}").into(),
            rule: ranked.rule.into(),
            from: person.claims[winner.claim].id,
            others,
        });
    }
    body.extend(winner.value);
}

/// The place of the part that a steward preferred to all others.
fn chosen_by_steward(person: &Person<'_>, kind: &str, name: &str, parts: &[Part]) -> Option<usize> {
    let group = person.group_of[parts.first()?.claim]?;
    let preferred = person.overrides.preferred(group, &format!("{kind}.{name}"))?;
    parts.iter().position(|part| part.claim == preferred)
}

/// Where it is from, what it conforms to, how it is labelled. Never a version or a time: those
/// are the view's own and are put in when the row is stored.
fn meta(person: &Person<'_>, group: &Group, voices: &[Voice]) -> Value {
    let first = person.claims[group.first()].key();
    let source = person.url(first).unwrap_or_else(|| unaddressed(&first.endpoint));
    let mut meta = Map::new();
    meta.insert("source".to_owned(), json!(source));
    for list in ["profile", "security", "tag"] {
        let mut all: Vec<Value> = Vec::new();
        for value in voices.iter().filter_map(|v| v.meta.get(list)?.as_array()).flatten() {
            let known =
                all.iter().any(|known| match (union::coding(known), union::coding(value)) {
                    (Some(a), Some(b)) => a == b,
                    _ => known == value,
                });
            if !known {
                all.push(value.clone());
            }
        }
        if list == "tag" && voices.len() > 1 {
            all.push(json!({"system": TAG_SYSTEM, "code": "merged"}));
        }
        if !all.is_empty() {
            meta.insert(list.to_owned(), Value::Array(all));
        }
    }
    Value::Object(meta)
}
