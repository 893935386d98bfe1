//! How statements arrive: in any order, in pages of any size, more than once.

use proptest::prelude::*;

use super::statements::Statement;
use super::world::World;

/// Statements in some order, cut into pages; some come again, and now and then all is settled.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    order: Vec<Statement>,
    page_size: usize,
    /// After which statement which one comes again.
    again: Vec<(prop::sample::Index, prop::sample::Index)>,
    /// Settle after each so many pages.
    settle_every: usize,
}

pub(crate) fn any_delivery(statements: Vec<Statement>) -> impl Strategy<Value = Delivery> {
    let again = prop::collection::vec(any::<(prop::sample::Index, prop::sample::Index)>(), 0..6);
    let order = Just(statements).prop_shuffle();
    (order, 1_usize..50, again, 1_usize..8).prop_map(|(order, page_size, again, settle_every)| {
        Delivery { order, page_size, again, settle_every }
    })
}

impl Delivery {
    pub(crate) fn deliver(&self) -> World {
        let mut order: Vec<&Statement> = self.order.iter().collect();
        for (at, which) in &self.again {
            order.insert(at.index(self.order.len() + 1), which.get(&self.order));
        }
        let mut world = World::new();
        let mut pages = 0;
        for chunk in order.chunks(self.page_size) {
            for page in pages_of(chunk) {
                world.page(&page);
                pages += 1;
                if pages % self.settle_every == 0 {
                    world.settle();
                }
            }
        }
        world.settle();
        world
    }
}

/// A page is of one endpoint and one moment.
fn pages_of<'a>(chunk: &[&'a Statement]) -> Vec<Vec<&'a Statement>> {
    let mut pages: Vec<Vec<&Statement>> = Vec::new();
    for statement in chunk {
        let fits = |page: &Vec<&Statement>| {
            page[0].key.endpoint == statement.key.endpoint && page[0].wave == statement.wave
        };
        match pages.iter().position(fits) {
            Some(page) => pages[page].push(statement),
            None => pages.push(vec![statement]),
        }
    }
    pages
}
