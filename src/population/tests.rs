//! The population is the same every time, well-formed, and true to its own truth.
#![expect(clippy::unwrap_used, reason = "test")]

use std::collections::BTreeSet;

use jiff::civil::date;
use serde_json::Value;

use super::*;
use crate::fhir::{ResourceType, StructureCheck};
use crate::flow::RecordKey;

fn made(persons: usize) -> Population {
    generate(7, persons, date(2026, 11, 22))
}

fn key_of(endpoint: &str, resource: &Value) -> RecordKey {
    let kind = ResourceType::parse(resource["resourceType"].as_str().unwrap()).unwrap();
    RecordKey::new(endpoint, kind, resource["id"].as_str().unwrap())
}

#[test]
fn a_seed_makes_the_same_population_and_a_larger_one_begins_with_it() {
    assert_eq!(made(12), made(12));
    assert_ne!(made(12), generate(8, 12, date(2026, 11, 22)));
    let (small, large) = (made(8), made(9));
    for (s, l) in small.endpoints.iter().zip(&large.endpoints) {
        assert!(s.resources.len() <= l.resources.len());
        assert_eq!(s.resources[..], l.resources[..s.resources.len()]);
    }
}

#[test]
fn ids_are_unique_references_resolve_and_charts_are_full() {
    let population = made(20);
    let mut charts = 0;
    let mut total = 0;
    for endpoint in &population.endpoints {
        let mut ids = BTreeSet::new();
        let mut references = BTreeSet::new();
        for resource in &endpoint.resources {
            let name = resource["resourceType"].as_str().unwrap();
            charts += usize::from(name == "Patient");
            assert!(ids.insert(format!("{name}/{}", resource["id"].as_str().unwrap())));
            collect_references(resource, &mut references);
        }
        references.remove("#g1");
        let dangling: Vec<_> = references.difference(&ids).collect();
        assert!(dangling.is_empty(), "{}: {dangling:?}", endpoint.id);
        total += endpoint.resources.len();
    }
    let per_chart = total / charts;
    assert!((45..90).contains(&per_chart), "{total} resources in {charts} charts");
}

fn collect_references(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("reference") {
                into.insert(reference.clone());
            }
            members.values().for_each(|v| collect_references(v, into));
        }
        Value::Array(items) => items.iter().for_each(|v| collect_references(v, into)),
        _ => {}
    }
}

#[test]
fn all_but_the_unusable_are_well_formed() {
    let population = made(24);
    let check = StructureCheck::new(&[]).unwrap();
    let mut broken = BTreeSet::new();
    for endpoint in &population.endpoints {
        for resource in &endpoint.resources {
            let text = resource.to_string();
            let mut problems = check.check(&text, resource);
            problems.retain(|p| p.fatal);
            let known = population.truth.fact_of.contains_key(&key_of(endpoint.id, resource));
            assert!(problems.is_empty() || !known, "{text}\n{problems:?}");
            if !problems.is_empty() {
                broken.insert(key_of(endpoint.id, resource));
            }
        }
    }
    assert_eq!(broken.len(), 6, "{broken:?}");
}

#[test]
fn the_truth_covers_every_usable_record_and_nothing_else() {
    let population = made(24);
    let truth = &population.truth;
    let mut stated = BTreeSet::new();
    for endpoint in &population.endpoints {
        stated.extend(endpoint.resources.iter().map(|r| key_of(endpoint.id, r)));
    }
    let unknown: Vec<_> =
        truth.fact_of.keys().filter(|k| !k.id.contains('#') && !stated.contains(*k)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    let unusable = stated.iter().filter(|k| !truth.fact_of.contains_key(*k)).count();
    assert_eq!(unusable, 6, "persons 5 and 21 have three each");
    for group in &truth.duplicates {
        let facts: BTreeSet<_> = group.members.iter().map(|m| truth.fact_of[m]).collect();
        assert!(group.members.len() > 1 && facts.len() == 1, "{group:?}");
    }
    for (a, b) in &truth.distinct {
        assert!(a.resource_type == b.resource_type && truth.fact_of[a] != truth.fact_of[b]);
    }
    let planted: BTreeSet<_> = truth.duplicates.iter().map(|g| g.resource_type).collect();
    for name in [
        "Patient",
        "CarePlan",
        "Goal",
        "ServiceRequest",
        "Task",
        "Condition",
        "Observation",
        "MedicationRequest",
        "AllergyIntolerance",
        "Immunization",
    ] {
        assert!(planted.contains(name), "{name}");
    }
    for name in ["Goal", "ServiceRequest", "Task"] {
        assert!(truth.distinct.iter().any(|(a, _)| a.resource_type.name() == name), "{name}");
    }
}

#[test]
fn the_showcase_is_at_all_three_and_equal_ids_are_different_people() {
    let truth = made(24).truth;
    let of_first: Vec<_> =
        truth.person_of.iter().filter(|(_, p)| **p == 0).map(|((e, _), _)| e.as_str()).collect();
    assert_eq!(of_first, ["harbor", "mercy", "valley"]);
    assert_eq!(truth.person_of[&truth.showcase], 0);
    let person = |endpoint: &str| truth.person_of[&(endpoint.to_owned(), "1001".to_owned())];
    assert_ne!(person("mercy"), person("valley"));
    assert_ne!(person("valley"), person("harbor"));
}

#[test]
fn the_score_counts_pairs() {
    let truth = made(10).truth;
    let apart = truth.score(&|key| Some(key.to_string()));
    assert!(apart.planted > 50 && apart.found == 0 && apart.wrong_merges == 0, "{apart:?}");
    let right = truth.score(&|key| truth.fact_of.get(key).map(u64::to_string));
    assert_eq!((right.found, right.wrong_merges), (apart.planted, 0));
    let all = truth.score(&|_| Some("one".to_owned()));
    assert!(all.found == all.planted && all.wrong_merges > 1000, "{all:?}");
    let (a, b) = truth.distinct[0].clone();
    let one_wrong = truth.score(&|key| (*key == a || *key == b).then(|| "x".to_owned()));
    assert_eq!(one_wrong.wrong_merges, 1);
}

#[test]
fn a_third_is_seen_everywhere_and_a_quarter_once() {
    let people = person::people(7, 400, date(2026, 11, 22));
    let share = |places| people.iter().filter(|p| p.seen_at.len() == places).count() * 100 / 400;
    assert!((18..32).contains(&share(1)) && (38..52).contains(&share(2)), "{}", share(1));
}

/// Another machine, another release of a library: the same bytes. When the population is
/// changed on purpose, so is this number.
#[test]
fn the_population_of_a_seed_is_these_bytes() {
    let population = made(3);
    let mut hash = blake3::Hasher::new();
    for resource in population.endpoints.iter().flat_map(|e| &e.resources) {
        hash.update(resource.to_string().as_bytes());
    }
    assert_eq!(hash.finalize().to_hex()[..16], *"e8648a7c862cf299");
}
