//! P5: nobody is taken for somebody else, whatever is alike about them.

use std::collections::{BTreeMap, BTreeSet};

use careweave::flow::{Access, DerivedId, Home, RecordKey};
use careweave::population::Truth;

use super::compared::{Shown, assert_conserved, shown_as};
use super::statements::{all_of, is_patient, population};
use super::world::World;

#[test]
fn charts_of_different_people_are_never_one_person() {
    let (mut together, mut planted) = (0, 0);
    for seed in 0..6 {
        let population = population(seed, 40);
        let mut patients = all_of(&population);
        patients.retain(is_patient);
        let world = World::with(&patients);
        let mut charts_of: BTreeMap<usize, usize> = BTreeMap::new();
        for person in population.truth.person_of.values() {
            *charts_of.entry(*person).or_default() += 1;
        }
        planted += charts_of.values().map(|n| n * (n - 1) / 2).sum::<usize>();
        for charts in groups(&world) {
            let people: BTreeSet<usize> =
                charts.iter().map(|chart| population.truth.person_of[chart]).collect();
            assert_eq!(people.len(), 1, "seed {seed}: {charts:?} are {people:?}");
            together += charts.len() * (charts.len() - 1) / 2;
        }
    }
    // A matcher that links nobody would pass the rest.
    assert!(together * 10 >= planted * 7, "{together} of {planted} pairs are linked");
}

#[test]
fn records_of_different_facts_are_never_one_resource() {
    for seed in [3, 11] {
        let population = population(seed, 5);
        let world = World::with(&all_of(&population));
        assert_conserved(&world).unwrap();
        let shown = shown_as(&world.gateway);
        let score = population.truth.score(&|key| shown.get(key).map(|(id, _)| id.to_string()));
        let wrong = wrong_merges(&population.truth, &shown);
        assert_eq!(score.wrong_merges, 0, "seed {seed}: {score:?} {wrong:#?}");
        assert!(score.found * 10 >= score.planted * 6, "seed {seed}: {score:?}");
    }
}

/// View resources that state more than one fact, with the records.
fn wrong_merges(truth: &Truth, shown: &Shown) -> Vec<Vec<String>> {
    let mut stated: BTreeMap<DerivedId, Vec<&RecordKey>> = BTreeMap::new();
    for (key, (id, _)) in shown.iter().filter(|(key, _)| truth.fact_of.contains_key(key)) {
        stated.entry(*id).or_default().push(key);
    }
    let several = |keys: &&Vec<&RecordKey>| {
        keys.iter().map(|k| truth.fact_of[*k]).collect::<BTreeSet<_>>().len() > 1
    };
    let named =
        |keys: &Vec<&RecordKey>| keys.iter().map(|k| format!("{k} by {}", shown[*k].1)).collect();
    stated.values().filter(several).map(named).collect()
}

/// The charts of each person, as (endpoint, Patient id).
fn groups(world: &World) -> Vec<Vec<(String, String)>> {
    let access = Access::system();
    let store = world.gateway.store();
    let owners = store.owners(&access, None, 10_000).unwrap();
    let homes = owners.into_iter().map(|o| store.view(&access, o).unwrap().unwrap().homes);
    let charts = homes.map(|homes| {
        let charts = homes.iter().filter_map(Home::chart);
        charts.map(|c| (c.endpoint.to_string(), c.patient.to_string())).collect()
    });
    charts.filter(|charts: &Vec<_>| !charts.is_empty()).collect()
}
