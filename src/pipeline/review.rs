//! What a steward looks at: the queue, the two sides of a pair, what a decision would do.

use bytes::Bytes;
use jiff::Timestamp;

use crate::flow::{Access, ChartKey, Comparison, Decision, DerivedId, Home, Owner, State, Verdict};
use crate::store::{ReviewPair, ReviewPlace};

use super::gateway::{Gateway, GatewayError};
use super::identify::read_subject;
use super::last_seen::compare_charts;
use super::review_page::PairState;
use super::second_review::Risk;
use super::steward::ordered;

/// A pair in the queue.
#[derive(Clone, Debug)]
pub struct Queued {
    /// Its id.
    pub id: DerivedId,
    /// Who, how alike, and why it is queued.
    pub pair: ReviewPair,
    /// When it was first queued.
    pub since: Option<Timestamp>,
    /// Who is to look at it, how soon, and what stewards said so far.
    pub state: PairState,
}

/// One chart of a pair.
#[derive(Clone, Debug)]
pub struct Side {
    /// The home.
    pub home: Home,
    /// The person it belongs to; none while its Patient has not come.
    pub person: Option<DerivedId>,
    /// The Patient as its endpoint stated it last; none if it has not come.
    pub patient: Option<Bytes>,
    /// The Patient has been withdrawn since.
    pub withdrawn: bool,
}

/// A person as they are, or would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonNow {
    /// Their id; none for one who would come to be.
    pub id: Option<DerivedId>,
    /// Their charts, sorted.
    pub charts: Vec<ChartKey>,
    /// How many source records these have.
    pub records: usize,
    /// How many of those are care plans in the view.
    pub plans: usize,
}

/// What a decision would come to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The persons of all charts it touches.
    pub persons: Vec<PersonNow>,
    /// No-match decisions that forbid it; if there are some it is refused.
    pub kept_apart_by: Vec<Decision>,
    /// What it does to whom; none if they are one person already.
    pub effect: Option<Effect>,
    /// Why it may be wrong to make it.
    pub risks: Vec<Risk>,
}

/// Whom a link joins, and what moves to the one whose id stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// How many persons become one.
    pub joins: usize,
    /// The person whose id stays.
    pub into: DerivedId,
    /// Charts that come to that person.
    pub charts: usize,
    /// Their source records.
    pub records: usize,
    /// Their care plans.
    pub plans: usize,
    /// Charts of these persons that would no longer be with them: something keeps them apart
    /// from the other side, and a decision outweighs what had joined them.
    pub parted: usize,
}

impl Gateway {
    /// A page of the review queue, heaviest pair first, behind a pair that is or was queued.
    ///
    /// # Errors
    /// When the store fails.
    pub fn review_queue(
        &self,
        access: &Access,
        after: Option<&(Home, Home)>,
        limit: usize,
    ) -> Result<Vec<Queued>, GatewayError> {
        let place = match after {
            None => None,
            Some((a, b)) => {
                let weight_bits = self.comparison(a, b)?.map_or(0.0, |c| c.weight_bits);
                Some(ReviewPlace { weight_bits, a: a.clone(), b: b.clone() })
            }
        };
        let pairs = self.store().reviews(access, place.as_ref(), limit)?;
        let queued = pairs.into_iter().map(|pair| {
            let id = self.store().id_key().pair(&pair.a, &pair.b);
            let known = self.store().known_pairs(access, &id.to_string(), 1)?;
            let since = known.into_iter().next().and_then(|k| k.queued);
            let state = self.pair_state(access, &pair.a, &pair.b)?;
            Ok(Queued { id, pair, since, state })
        });
        queued.collect()
    }

    /// How alike two homes are: the stored evidence, or made anew if none was kept.
    ///
    /// # Errors
    /// When the store fails.
    pub fn comparison(&self, a: &Home, b: &Home) -> Result<Option<Comparison>, GatewayError> {
        let access = Access::system();
        let link = self.store().link(&access, a)?;
        let edge = link.and_then(|link| link.edges.into_iter().find(|edge| edge.other == *b));
        if let Some(edge) = edge {
            return Ok(Some(edge.comparison));
        }
        let store = self.store().as_ref();
        let of_a = read_subject(store, &access, a)?.demographics;
        let of_b = read_subject(store, &access, b)?.demographics;
        let (Some(of_a), Some(of_b)) = (of_a, of_b) else { return Ok(None) };
        Ok(Some(compare_charts(store, &access, (a, &of_a), (b, &of_b), self.model())?))
    }

    /// One side of a pair.
    ///
    /// # Errors
    /// When the store fails.
    pub fn review_side(&self, access: &Access, home: &Home) -> Result<Side, GatewayError> {
        let owner = self.store().link(access, home)?.and_then(|link| link.owner);
        let mut side = Side {
            home: home.clone(),
            person: owner.map(Owner::id),
            patient: None,
            withdrawn: false,
        };
        let Home::Chart(chart) = home else { return Ok(side) };
        let id = self.store().id_key().record(&chart.patient_record());
        let Some(mut record) = self.store().record(access, home, id)? else { return Ok(side) };
        side.withdrawn = record.header.current().state != State::Live;
        let stated = record.header.last_live().map(|version| version.hash);
        side.patient = stated.and_then(|hash| record.contents.remove(&hash)).map(|c| c.body);
        Ok(side)
    }

    /// The persons whom these charts belong to.
    ///
    /// # Errors
    /// When the store fails.
    pub fn persons_of(
        &self,
        access: &Access,
        charts: &[ChartKey],
    ) -> Result<Vec<PersonNow>, GatewayError> {
        let mut persons: Vec<PersonNow> = Vec::new();
        for chart in charts {
            let home = Home::Chart(chart.clone());
            let Some(owner) = self.store().link(access, &home)?.and_then(|link| link.owner) else {
                continue;
            };
            if persons.iter().any(|person| person.id == Some(owner.id())) {
                continue;
            }
            let homes = self.store().view(access, owner)?.map(|head| head.homes);
            let dispositions = self.store().dispositions(access, owner)?;
            let is_plan = |kind: &str| kind == "CarePlan";
            persons.push(PersonNow {
                id: Some(owner.id()),
                charts: charts_of(&homes.unwrap_or_default()),
                records: dispositions.len(),
                plans: dispositions
                    .iter()
                    .filter(|d| d.view.is_some_and(|(kind, _)| is_plan(kind.name())))
                    .count(),
            });
        }
        Ok(persons)
    }

    /// What linking two charts would come to.
    ///
    /// # Errors
    /// When the store fails.
    pub fn if_linked(
        &self,
        access: &Access,
        charts: &(ChartKey, ChartKey),
    ) -> Result<Outcome, GatewayError> {
        let (a, b) = ordered(charts);
        let (by, note) = ("".into(), "".into());
        let link = Decision { verdict: Verdict::Link, a, b, by, at: self.now(), note };
        let would = self.if_decided(std::slice::from_ref(&link))?;
        let now = self.persons_of(access, &[charts.0.clone(), charts.1.clone()])?;
        let touched: Vec<&ChartKey> = now.iter().flat_map(|person| &person.charts).collect();
        let mut persons = Vec::new();
        for group in would.groups {
            let charts = charts_of(&group);
            if !charts.iter().any(|chart| touched.contains(&chart)) {
                continue;
            }
            let before = self.persons_of(access, &charts)?;
            let same = before.iter().find(|person| person.charts == charts);
            let (records, plans) = match same {
                Some(person) => (person.records, person.plans),
                None => self.counted(access, &charts)?,
            };
            persons.push(PersonNow { id: same.and_then(|p| p.id), charts, records, plans });
        }
        let kept_apart_by = self.kept_apart_by(&link)?;
        let effect = self.effect(access, charts, &persons)?;
        Ok(Outcome { persons, kept_apart_by, effect, risks: self.risks(access, charts)? })
    }

    /// Whom the person with these charts is made of. The Patient that was persisted first is
    /// shown, ties go to the smaller id; its person's id stays.
    fn effect(
        &self,
        access: &Access,
        charts: &(ChartKey, ChartKey),
        then: &[PersonNow],
    ) -> Result<Option<Effect>, GatewayError> {
        let Some(one) = then.iter().find(|p| p.charts.contains(&charts.0)) else {
            return Ok(None);
        };
        let before = self.persons_of(access, &one.charts)?;
        if before.len() < 2 {
            return Ok(None);
        }
        let ids: Vec<DerivedId> = one
            .charts
            .iter()
            .map(|chart| self.store().id_key().record(&chart.patient_record()))
            .collect();
        let headers = self.store().headers(access, &ids)?;
        let known =
            ids.iter().zip(headers).filter_map(|(id, header)| Some((header?.first_seq, *id)));
        let Some((_, into)) = known.min() else { return Ok(None) };
        let shown = ids.iter().position(|id| *id == into).map(|at| &one.charts[at]);
        let stays = before.iter().find(|p| shown.is_some_and(|chart| p.charts.contains(chart)));
        let mut effect =
            Effect { joins: before.len(), into, charts: 0, records: 0, plans: 0, parted: 0 };
        for person in &before {
            let (come, parted): (Vec<ChartKey>, Vec<ChartKey>) =
                person.charts.iter().cloned().partition(|chart| one.charts.contains(chart));
            effect.parted += parted.len();
            if stays == Some(person) {
                continue;
            }
            effect.charts += come.len();
            let whole = parted.is_empty().then_some((person.records, person.plans));
            let (records, plans) = match whole {
                Some(counts) => counts,
                None => self.counted(access, &come)?,
            };
            effect.records += records;
            effect.plans += plans;
        }
        Ok(Some(effect))
    }

    /// Source records and care plans of some charts.
    fn counted(
        &self,
        access: &Access,
        charts: &[ChartKey],
    ) -> Result<(usize, usize), GatewayError> {
        let (mut records, mut plans) = (0, 0);
        for chart in charts {
            let home = Home::Chart(chart.clone());
            for record in self.store().home(access, &home)?.records {
                let here = *record.header.home() == home;
                let is_plan = record.header.key.resource_type.name() == "CarePlan"
                    && record.header.current().state == State::Live;
                records += usize::from(here);
                plans += usize::from(here && is_plan);
            }
        }
        Ok((records, plans))
    }
}

fn charts_of(homes: &[Home]) -> Vec<ChartKey> {
    homes.iter().filter_map(Home::chart).cloned().collect()
}
