//! P1 over time: the view of a day, whether the sweep brought it there or it was woven that day.

use jiff::ToSpan;
use proptest::prelude::*;

use super::compared::{assert_conserved, assert_same, snapshot};
use super::order::cases;
use super::statements::{all_of, population, some};
use super::world::{TODAY, World};

proptest! {
    #![proptest_config(cases(4))]

    #[test]
    fn a_day_that_comes_finds_what_it_changes(
        said in some(3, 30..80),
        days in prop::collection::vec(1..500_i32, 1..3),
    ) {
        let mut world = World::with(&said);
        let mut day = TODAY;
        for ahead in days {
            day = day.checked_add(ahead.days()).unwrap();
            world = world.on(day).0;
        }
        assert_conserved(&world)?;
        // A new store knows nothing of the days before.
        let mut fresh = World::new().on(day).0;
        fresh.take(&said);
        fresh.settle();
        assert_same(&snapshot(&world), &snapshot(&fresh))?;
    }
}

/// The sweep settles those whose day has come, and no others.
#[test]
fn only_those_whose_day_has_come_are_settled() {
    let world = World::with(&all_of(&population(11, 12)));
    let (world, none) = world.on(TODAY);
    assert_eq!(none, 0, "all was settled for this day");
    let charts = world.gateway.report().unwrap().persons;
    let (world, some) = world.on(TODAY.tomorrow().unwrap());
    let (_, more) = world.on(TODAY.checked_add(400.days()).unwrap());
    assert!(i64::try_from(some).unwrap() < charts, "{some} of {charts} persons in one day");
    assert!(more > some, "{more} in the rest of a year");
}
