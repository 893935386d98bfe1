//! What was shown at a time is shown as of that time, and every change tells its cause.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use proptest::prelude::*;

use careweave::fhir::ResourceType;
use careweave::flow::{Access, ChartKey, DerivedId, Home, Owner, Verdict};
use careweave::store::ChangeKind;

use super::order::cases;
use super::statements::{all_of, population, some};
use super::world::World;

/// A view's resources by type and id.
type Shown = BTreeMap<(ResourceType, DerivedId), Bytes>;

proptest! {
    #![proptest_config(cases(4))]

    #[test]
    fn a_view_as_of_a_time_is_what_was_shown_then(said in some(3, 30..80)) {
        let mut world = World::new();
        let mut seen: Vec<(Timestamp, BTreeMap<DerivedId, Shown>)> = Vec::new();
        for part in said.chunks(said.len().div_ceil(4)) {
            world.take(part);
            world.settle();
            seen.push((world.gateway.now(), all_shown(&world)));
            // Times of commits are milliseconds.
            std::thread::sleep(Duration::from_millis(2));
        }
        for (at, persons) in &seen {
            for (id, shown) in persons {
                let Some(present) = present_owner(&world, *id) else { continue };
                let past = world.gateway.view_as_of(&Access::system(), *id, present, *at).unwrap();
                let past = past.unwrap_or_default();
                prop_assert_eq!(past.rows.len() + past.closed, shown.len());
                for row in past.rows {
                    prop_assert_eq!(&row.body, &shown[&(row.resource_type, row.id)]);
                }
            }
        }
    }
}

/// One person seen at three endpoints, woven, parted and woven again.
#[test]
fn history_goes_through_link_and_unlink_and_keeps_persons_apart() {
    let world = World::with(&all_of(&population(7, 1)));
    let access = Access::system();
    let before = world.gateway.now();
    let shown = all_shown(&world);
    let (&id, all) = shown.iter().max_by_key(|(_, shown)| shown.len()).unwrap();
    let owner = Owner::Person(id);
    let homes = world.gateway.view_homes(&access, owner).unwrap();
    let charts: Vec<ChartKey> = homes.iter().filter_map(Home::chart).cloned().collect();
    assert_eq!(charts.len(), 3, "the showcase is seen everywhere");
    std::thread::sleep(Duration::from_millis(2));
    for other in &charts[1..] {
        let pair = (&charts[0], other);
        world.gateway.decide(Verdict::NoMatch, pair, "steward", "").unwrap();
        world.settle();
    }
    let as_of = |at| world.gateway.view_as_of(&access, id, owner, at).unwrap();
    let parted = as_of(before).unwrap();
    assert_eq!(parted.rows.len() + parted.closed, all.len());
    assert!(parted.closed > 0, "what was woven of all three is not this person's any more");
    for (resource_type, name) in [("Patient", "name"), ("CarePlan", "status")] {
        let rows = parted.rows.iter().filter(|row| row.resource_type.name() == resource_type);
        for row in rows {
            let body: serde_json::Value = serde_json::from_slice(&row.body).unwrap();
            assert!(body.get(name).is_some());
        }
    }
    let pairs: Vec<_> = charts[1..].iter().map(|c| (charts[0].clone(), c.clone())).collect();
    assert_eq!(world.gateway.undo(&pairs, "steward", "").unwrap(), 2);
    world.settle();
    let joined = as_of(before).unwrap();
    assert_eq!((joined.rows.len(), joined.closed), (all.len(), 0));
    for row in joined.rows {
        assert_eq!(row.body, all[&(row.resource_type, row.id)]);
    }
    assert!(as_of("2020-01-01T00:00:00Z".parse().unwrap()).is_none());

    let history = world.gateway.view_history(&access, id, owner).unwrap();
    let causes = |kind: ChangeKind| {
        let of_kind = history.iter().filter(move |change| change.kind == kind);
        of_kind.map(|change| change.because.len()).max()
    };
    assert!(causes(ChangeKind::Created) > Some(1), "what was woven of several names them");
    assert!(causes(ChangeKind::Updated) > Some(0), "what lost a source names it");
    assert!(history.iter().any(|change| change.kind == ChangeKind::Left));
    assert!(history.is_sorted_by_key(|change| change.seq));
}

/// The persons' views, with the ids they are shown under.
fn all_shown(world: &World) -> BTreeMap<DerivedId, Shown> {
    let (store, access) = (world.gateway.store(), Access::system());
    let owners = store.owners(&access, None, 10_000).unwrap();
    let persons = owners.into_iter().filter(|owner| matches!(owner, Owner::Person(_)));
    let shown = persons.map(|owner| {
        let mut shown = Shown::new();
        for kind in store.view(&access, owner).unwrap().unwrap().types.into_keys() {
            let table = store.table(&access, owner, kind).unwrap().unwrap();
            let ids: Vec<DerivedId> = table.rows.iter().map(|row| row.id).collect();
            let bodies = store.bodies(&access, owner, kind, &ids).unwrap();
            shown.extend(ids.iter().zip(bodies).map(|(id, body)| ((kind, *id), body.unwrap())));
        }
        (owner.id(), shown)
    });
    shown.filter(|(_, shown)| !shown.is_empty()).collect()
}

/// Whose view the chart of this Patient is in now.
fn present_owner(world: &World, patient: DerivedId) -> Option<Owner> {
    let (store, access) = (world.gateway.store(), Access::system());
    let careweave::store::Issued::Record(record) = store.issued(&access, patient).unwrap()? else {
        return None;
    };
    store.owner(&access, &record.home).unwrap()
}
