//! P2 and P3: order, paging and repetition do not matter, and everything is accounted for.

use proptest::prelude::*;

use super::compared::{assert_conserved, assert_same, snapshot};
use super::deliveries::any_delivery;
use super::statements::some;
use super::world::World;

proptest! {
    #![proptest_config(cases(10))]

    #[test]
    fn any_order_paging_and_repetition_gives_the_same_view(
        (said, delivery) in some(4, 30..90)
            .prop_flat_map(|said| (Just(said.clone()), any_delivery(said)))
    ) {
        let in_order = World::with(&said);
        assert_conserved(&in_order)?;
        let in_any = delivery.deliver();
        assert_conserved(&in_any)?;
        assert_same(&snapshot(&in_order), &snapshot(&in_any))?;
    }
}

/// So many cases, unless `PROPTEST_CASES` says otherwise.
pub(crate) fn cases(number: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").is_ok();
    let cases = if asked { ProptestConfig::default().cases } else { number };
    // A case is some seconds to repeat, so only a few simpler ones are tried.
    let max_shrink_iters = 40;
    ProptestConfig { cases, max_shrink_iters, failure_persistence: None, ..Default::default() }
}
