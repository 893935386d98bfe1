//! P1: the view is a projection: rebuilt, unlinked and undone it is what it would be anyway.

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use careweave::flow::{Access, ChartKey, Home, Owner, Verdict};

use super::compared::{assert_conserved, assert_same, snapshot, to_the_byte};
use super::order::cases;
use super::statements::{Statement, some};
use super::world::World;

proptest! {
    #![proptest_config(cases(6))]

    #[test]
    fn a_rebuild_changes_no_byte_and_raises_no_version(said in some(4, 30..90)) {
        let mut world = World::new();
        for part in said.chunks(17) {
            world.take(part);
            world.settle();
        }
        let before = to_the_byte(&world);
        world.gateway.rebuild(&mut |_, _| {}).unwrap();
        assert_same(&before, &to_the_byte(&world))?;
    }

    #[test]
    fn unlinked_is_as_never_linked(said in some(3, 30..70), pair: prop::sample::Index) {
        let linked = World::with(&said);
        let Some((a, b)) = linked_pair(&linked, &pair) else { return Ok(()) };
        decide(&linked, Verdict::NoMatch, &a, &b);
        assert_conserved(&linked)?;
        prop_assert!(owner(&linked, &a) != owner(&linked, &b));

        let mut never = World::new();
        decide(&never, Verdict::NoMatch, &a, &b);
        never.take(&said);
        never.settle();
        assert_same(&snapshot(&linked), &snapshot(&never))?;
    }

    #[test]
    fn a_decision_undone_was_never_made(
        said in some(3, 30..70),
        first: prop::sample::Index,
        second: prop::sample::Index,
        link: bool,
    ) {
        let world = World::with(&said);
        let (before, bytes) = (snapshot(&world), to_the_byte(&world));
        let charts = charts(&said);
        if charts.is_empty() {
            return Ok(());
        }
        let (a, b) = (first.get(&charts), second.get(&charts));
        if a == b {
            return Ok(());
        }
        let verdict = if link { Verdict::Link } else { Verdict::NoMatch };
        let apart = owner(&world, a) != owner(&world, b);
        decide(&world, verdict, a, b);
        assert_conserved(&world)?;
        prop_assert_eq!(owner(&world, a) == owner(&world, b), link);
        prop_assert!(world.gateway.undo(&[(a.clone(), b.clone())], "steward", "").unwrap() == 1);
        assert_conserved(&world)?;
        assert_same(&before, &snapshot(&world))?;
        if apart != link {
            // The decision changed nothing, so its undoing has no versions to leave behind.
            assert_same(&bytes, &to_the_byte(&world))?;
        }
    }
}

/// Ids are handed on: every id that was ever shown answers, whatever was decided since.
#[test]
fn ids_answer_after_unlink_and_link() -> Result<(), TestCaseError> {
    let said = super::statements::all_of(&super::statements::population(7, 1));
    let world = World::with(&said);
    let access = Access::system();
    let store = world.gateway.store();
    let charts = charts(&said);
    let shown = |world: &World| -> Vec<_> {
        let owners = world.gateway.store().owners(&access, None, 1000).unwrap();
        owners.into_iter().map(Owner::id).collect()
    };
    let mut ids = shown(&world);
    prop_assert_eq!(charts.len(), 3, "the showcase is seen everywhere");
    for (verdict, a, b) in
        [(Verdict::NoMatch, 0, 1), (Verdict::NoMatch, 0, 2), (Verdict::Link, 0, 1)]
    {
        if verdict == Verdict::Link {
            // Else it would contradict: 1 and 2 are one person.
            let other = [(charts[0].clone(), charts[2].clone())];
            prop_assert_eq!(world.gateway.undo(&other, "steward", "").unwrap(), 1);
        }
        decide(&world, verdict, &charts[a], &charts[b]);
        ids.extend(shown(&world));
    }
    for id in ids {
        prop_assert!(store.issued(&access, id).unwrap().is_some(), "{} leads nowhere", id);
    }
    assert_conserved(&world)
}

fn decide(world: &World, verdict: Verdict, a: &ChartKey, b: &ChartKey) {
    world.gateway.decide(verdict, (a, b), "steward", "").unwrap();
    world.settle();
}

/// The charts whose Patient is stated, sorted.
fn charts(said: &[Statement]) -> Vec<ChartKey> {
    let mut charts: Vec<ChartKey> = said
        .iter()
        .filter(|s| super::statements::is_patient(s))
        .map(|s| ChartKey::new(&s.key.endpoint, &s.key.id))
        .collect();
    charts.sort();
    charts.dedup();
    charts
}

fn owner(world: &World, chart: &ChartKey) -> Option<Owner> {
    let home = Home::Chart(chart.clone());
    world.gateway.store().link(&Access::system(), &home).unwrap().and_then(|link| link.owner)
}

/// Two charts of one person.
fn linked_pair(world: &World, pick: &prop::sample::Index) -> Option<(ChartKey, ChartKey)> {
    let access = Access::system();
    let store = world.gateway.store();
    let owners = store.owners(&access, None, 1000).unwrap();
    let mut pairs = Vec::new();
    for owner in owners {
        let homes = store.view(&access, owner).unwrap().unwrap().homes;
        let charts: Vec<&ChartKey> = homes.iter().filter_map(Home::chart).collect();
        for (i, a) in charts.iter().enumerate() {
            pairs.extend(charts[i + 1..].iter().map(|b| ((*a).clone(), (*b).clone())));
        }
    }
    pairs.sort();
    (!pairs.is_empty()).then(|| pick.get(&pairs).clone())
}
