//! What is said, changed, and said again; and what one endpoint takes back while another does not.

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use careweave::flow::RecordKey;

use super::compared::{assert_conserved, assert_same, said_in, shown_as, snapshot};
use super::order::cases;
use super::statements::{
    Edit, Said, Statement, all_of, edited_states, is_patient, population, some,
};
use super::world::World;

proptest! {
    #![proptest_config(cases(6))]

    #[test]
    fn what_is_said_again_counts_again_whatever_comes_late(
        said in some(2, 30..60),
        edited in prop::collection::vec(any::<prop::sample::Index>(), 1..8),
        late in Just(vec![0_i64, 1, 2]).prop_shuffle(),
    ) {
        let first: Vec<Statement> = said.into_iter().filter(|s| s.wave == 0).collect();
        let mut keys: Vec<&RecordKey> = Vec::new();
        let mut all = first.clone();
        for index in &edited {
            let statement = index.get(&first);
            if !keys.contains(&&statement.key) {
                keys.push(&statement.key);
                all.extend(edited_states(statement, Edit::Reverted, &first));
            }
        }
        let mut world = World::new();
        for wave in late {
            let of_wave: Vec<Statement> = all.iter().filter(|s| s.wave == wave).cloned().collect();
            world.take(&of_wave);
            world.settle();
            assert_conserved(&world)?;
        }
        let plain = World::with(&first);
        assert_same(&said_in(snapshot(&plain)), &said_in(snapshot(&world)))?;
    }
}

/// What was missing or gone, and is stated again under the same version, is back.
#[test]
fn what_was_gone_and_is_stated_again_unchanged_is_back() -> Result<(), TestCaseError> {
    let first = all_of(&population(5, 1));
    for endpoint in super::world::ENDPOINTS {
        let goal =
            |s: &&Statement| s.key.resource_type.name() == "Goal" && &*s.key.endpoint == endpoint;
        let Some(goal) = first.iter().find(goal) else { continue };
        let gone = Statement { wave: 1, said: Said::Gone, ..goal.clone() };
        let again = Statement { wave: 2, ..goal.clone() };
        let plain = snapshot(&World::with(&first));
        // That an upstream version still holds is not stored, so a withdrawal that comes after a
        // later confirmation is not among these.
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [1, 0, 2]] {
            let mut world = World::new();
            world.take(&first.iter().filter(|s| *s != goal).cloned().collect::<Vec<_>>());
            for at in order {
                world.take(&[[goal, &gone, &again][at].clone()]);
                world.settle();
            }
            assert_conserved(&world)?;
            assert_same(&plain, &snapshot(&world))?;
        }
    }
    Ok(())
}

/// P4: a retraction, or a deletion, withdraws that source's claim and no other.
#[test]
fn a_retraction_at_one_endpoint_leaves_the_claim_of_the_other() -> Result<(), TestCaseError> {
    let population = population(7, 1);
    let first = all_of(&population);
    let world = World::with(&first);
    let shown = shown_as(&world.gateway);
    let mut retracted = 0;
    for group in population.truth.duplicates.iter().filter(|g| g.resource_type == "Goal") {
        let lifted = |k: &&RecordKey| k.id.contains('#');
        let one = group.members.iter().find(|k| !lifted(k) && first.iter().any(|s| s.key == **k));
        let Some(one) = one else { continue };
        let other = group.members.iter().find(|k| {
            let id = |k| shown.get(k).map(|(id, _)| *id);
            k.endpoint != one.endpoint && id(*k).is_some() && id(*k) == id(one)
        });
        let Some(other) = other else { continue };
        let statement = first.iter().find(|s| s.key == *one).unwrap();
        for edit in [Edit::Retracted, Edit::Deleted] {
            let mut all = first.clone();
            all.extend(edited_states(statement, edit, &first));
            let world = World::with(&all);
            assert_conserved(&world)?;
            let shown = shown_as(&world.gateway);
            prop_assert!(shown.contains_key(other), "{} went with {}", other, one);
            prop_assert!(!shown.contains_key(one), "{} is still stated", one);
            retracted += 1;
        }
    }
    prop_assert!(retracted >= 2, "nothing to retract: {}", retracted);
    Ok(())
}

/// What a plan contained is stated by that plan: it goes when the plan drops it, is retracted or
/// deleted, and is back when the plan contains it again.
#[test]
fn what_is_contained_goes_and_comes_with_its_container() -> Result<(), TestCaseError> {
    let first = all_of(&population(7, 1));
    let contains =
        |s: &&Statement| matches!(&s.said, Said::Resource(r) if r.get("contained").is_some());
    let plan = first.iter().find(contains).unwrap();
    let shown = shown_as(&World::with(&first).gateway);
    let prefix = format!("{}/{}#", plan.key.resource_type, plan.key.id);
    let inner = |k: &&RecordKey| k.endpoint == plan.key.endpoint && k.id.starts_with(&prefix);
    let inner = shown.keys().find(inner).unwrap();
    for edit in [Edit::Emptied, Edit::Retracted, Edit::Deleted] {
        let mut all = first.clone();
        all.extend(edited_states(plan, edit, &first));
        let mut backwards = all.clone();
        backwards.reverse();
        let mut world = World::with(&all);
        assert_conserved(&world)?;
        prop_assert!(!shown_as(&world.gateway).contains_key(inner), "{:?}: still there", edit);
        assert_same(&snapshot(&world), &snapshot(&World::with(&backwards)))?;
        world.take(&[Statement { wave: 3, ..plan.clone() }]);
        world.settle();
        assert_conserved(&world)?;
        prop_assert!(shown_as(&world.gateway).contains_key(inner), "{:?}: not back", edit);
    }
    Ok(())
}

/// A plan that is moved to another patient, while what it contains still names the first one:
/// the contained record is that patient's, and no part of what is shown of the plan.
#[test]
fn what_a_plan_contains_of_another_patient_is_not_in_it() -> Result<(), TestCaseError> {
    let first = all_of(&population(7, 3));
    let contains =
        |s: &&Statement| matches!(&s.said, Said::Resource(r) if r.get("contained").is_some());
    let plan = first.iter().find(contains).unwrap();
    let mut all = first.clone();
    all.extend(edited_states(plan, Edit::Moved, &first));
    let world = World::with(&all);
    assert_conserved(&world)?;
    let prefix = format!("{}/{}#", plan.key.resource_type, plan.key.id);
    let shown = shown_as(&world.gateway);
    let inner = |k: &&RecordKey| k.endpoint == plan.key.endpoint && k.id.starts_with(&prefix);
    prop_assert!(shown.keys().any(|k| inner(&k)), "the contained record is still shown");
    Ok(())
}

/// A person whose Patient is gone is waiting, and is back with the Patient.
#[test]
fn a_patient_gone_and_back_brings_the_chart_back() -> Result<(), TestCaseError> {
    let first = all_of(&population(9, 2));
    let patient = first.iter().find(|s| is_patient(s)).unwrap();
    let mut world = World::with(&first);
    let before = said_in(snapshot(&world));
    let gone = Statement { wave: 1, said: Said::Gone, ..patient.clone() };
    world.take(&[gone]);
    world.settle();
    assert_conserved(&world)?;
    prop_assert!(!shown_as(&world.gateway).contains_key(&patient.key));
    world.take(&[Statement { wave: 2, ..patient.clone() }]);
    world.settle();
    assert_conserved(&world)?;
    assert_same(&before, &said_in(snapshot(&world)))
}
