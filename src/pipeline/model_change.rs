//! What another match model would change: which charts would come to be, and cease to be, one
//! person. Decided by the code that settles, over all charts, and nothing is written.

use std::collections::{BTreeMap, BTreeSet};

use crate::flow::{Access, ChartKey, Home, MatchGrade, Owner};
use crate::identity::{Model, linking_grade};

use super::gateway::{Gateway, GatewayError};
use super::identify::{Subject, identify, read_subject};
use super::last_seen::compare_charts;

/// Homes read at once.
const HOMES_AT_ONCE: usize = 1024;

/// What would change.
#[derive(Clone, Debug, Default)]
pub struct ModelChange {
    /// Charts that were looked at.
    pub charts: usize,
    /// Persons now and then.
    pub persons: [usize; 2],
    /// Pairs of charts of one person now and then.
    pub links: [u64; 2],
    /// Pairs in the review queue now and then.
    pub queued: [usize; 2],
    /// How many pairs would come to be one person.
    pub gained: u64,
    /// How many would cease to be.
    pub lost: u64,
    /// The first of those gained, by their names.
    pub gained_first: Vec<ChangedLink>,
    /// The first of those lost.
    pub lost_first: Vec<ChangedLink>,
}

/// Two charts that would come or cease to be one person.
#[derive(Clone, Debug)]
pub struct ChangedLink {
    /// One.
    pub a: ChartKey,
    /// The other.
    pub b: ChartKey,
    /// Match weight in bits now and then; none if the Patient of one has not come.
    pub weight_bits: Option<[f64; 2]>,
    /// Grade now and then.
    pub grade: Option<[MatchGrade; 2]>,
}

impl Gateway {
    /// Compares the model in force with another over all charts of the store, which must be
    /// settled; lists at most so many links each way. All demographics are held in memory.
    ///
    /// # Errors
    /// When the store fails.
    pub fn compare_model(&self, other: &Model, most: usize) -> Result<ModelChange, GatewayError> {
        let _alone = self.settling();
        let access = Access::system();
        let subjects = self.all_charts()?;
        let mut owner_of: BTreeMap<Home, Option<Owner>> = BTreeMap::new();
        for home in subjects.keys() {
            owner_of.insert(home.clone(), self.store().owner(&access, home)?);
        }
        let charts = owner_of.len();
        let mut change = ModelChange { charts, ..ModelChange::default() };
        let then = identify(self.store().as_ref(), other, subjects)?;
        // Charts whose Patient has not come are nobody, now and then.
        let is_person = |home: &&Home| owner_of.get(*home).is_some_and(Option::is_some);
        let mut groups: Vec<Vec<&Home>> = Vec::new();
        for group in &then.groups {
            let members: Vec<&Home> = group.iter().filter(is_person).collect();
            groups.extend((!members.is_empty()).then_some(members));
        }
        let mut persons: BTreeMap<Owner, Vec<&Home>> = BTreeMap::new();
        for (home, owner) in &owner_of {
            if let Some(owner) = owner {
                persons.entry(*owner).or_default().push(home);
            }
        }
        let group_of: BTreeMap<&Home, usize> = groups
            .iter()
            .enumerate()
            .flat_map(|(number, group)| group.iter().map(move |home| (*home, number)))
            .collect();
        let mut gained = Parted::new(most);
        for group in &groups {
            gained.look(group, |home| owner_of.get(home));
        }
        let mut lost = Parted::new(most);
        for person in persons.values() {
            lost.look(person, |home| group_of.get(home));
        }
        change.persons = [persons.len(), groups.len()];
        change.links = [lost.links, gained.links];
        let queued: BTreeSet<_> = then.reviews.iter().map(|pair| (&pair.a, &pair.b)).collect();
        change.queued = [self.store().review_count(&access)?, queued.len()];
        (change.gained, change.lost) = (gained.parted, lost.parted);
        change.gained_first = self.weighed(&gained.first, other)?;
        change.lost_first = self.weighed(&lost.first, other)?;
        Ok(change)
    }

    fn all_charts(&self) -> Result<BTreeMap<Home, Subject>, GatewayError> {
        let (access, store) = (Access::system(), self.store().as_ref());
        let mut subjects = BTreeMap::new();
        let mut after: Option<Home> = None;
        loop {
            let homes = store.homes(&access, after.as_ref(), HOMES_AT_ONCE)?;
            let Some(last) = homes.last() else { return Ok(subjects) };
            after = Some(last.clone());
            for home in homes.into_iter().filter(|home| home.chart().is_some()) {
                let subject = read_subject(store, &access, &home)?;
                subjects.insert(home, subject);
            }
        }
    }

    fn weighed(
        &self,
        pairs: &[(Home, Home)],
        other: &Model,
    ) -> Result<Vec<ChangedLink>, GatewayError> {
        let mut links = Vec::with_capacity(pairs.len());
        for (a, b) in pairs {
            let (Some(chart_a), Some(chart_b)) = (a.chart(), b.chart()) else { continue };
            let now = self.comparison(a, b)?;
            let then = self.comparison_by(a, b, other)?;
            let both = now.zip(then);
            let (a, b) = (chart_a.clone(), chart_b.clone());
            let weight_bits = both.as_ref().map(|(x, y)| [x.weight_bits, y.weight_bits]);
            let grade = both.as_ref().map(|(x, y)| [linking_grade(x), linking_grade(y)]);
            links.push(ChangedLink { a, b, weight_bits, grade });
        }
        Ok(links)
    }

    fn comparison_by(
        &self,
        a: &Home,
        b: &Home,
        model: &Model,
    ) -> Result<Option<crate::flow::Comparison>, GatewayError> {
        let (access, store) = (Access::system(), self.store().as_ref());
        let of_a = read_subject(store, &access, a)?.demographics;
        let of_b = read_subject(store, &access, b)?.demographics;
        let Some((x, y)) = of_a.as_ref().zip(of_b.as_ref()) else { return Ok(None) };
        Ok(Some(compare_charts(store, &access, (a, x), (b, y), model)?))
    }
}

/// The pairs of some groups that something else puts apart.
struct Parted {
    most: usize,
    links: u64,
    parted: u64,
    first: Vec<(Home, Home)>,
}

impl Parted {
    fn new(most: usize) -> Self {
        Self { most, links: 0, parted: 0, first: Vec::new() }
    }

    /// Counts the pairs of a group, which is bounded by the model's group cap and by what
    /// stewards linked.
    fn look<K: PartialEq>(&mut self, group: &[&Home], place: impl Fn(&Home) -> Option<K>) {
        for (n, a) in group.iter().enumerate() {
            let of_a = place(a);
            for b in &group[n + 1..] {
                self.links += 1;
                if place(b) == of_a {
                    continue;
                }
                self.parted += 1;
                if self.first.len() < self.most {
                    self.first.push(((*a).clone(), (*b).clone()));
                }
            }
        }
    }
}
