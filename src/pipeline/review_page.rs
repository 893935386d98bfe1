//! Pages of the review queue: filtered, in one of several orders, with what stewards said.

use std::cmp::Ordering;

use jiff::Timestamp;

use crate::flow::{Access, Home, MatchGrade, NoteKind, PairNote, Priority};
use crate::store::{ReviewPair, ReviewPlace};

use super::gateway::{Gateway, GatewayError};
use super::review::Queued;

/// Most pairs of the queue that one page looks at: the heaviest. Beyond it a page says so.
const LOOKED_AT_MAX: usize = 20_000;
/// Pairs read at once.
const PAIRS_AT_ONCE: usize = 256;

/// What stewards said about a pair so far.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PairState {
    /// Who is to look at it.
    pub assignee: Option<Box<str>>,
    /// How soon.
    pub priority: Priority,
    /// Who could not tell.
    pub not_sure: Vec<Box<str>>,
    /// The open proposal to link it.
    pub proposal: Option<PairNote>,
    /// All notes, oldest first.
    pub notes: Vec<PairNote>,
}

/// Which pairs are wanted; what is not said does not matter.
#[derive(Clone, Debug, Default)]
pub struct QueueFilter {
    /// Of this grade.
    pub grade: Option<MatchGrade>,
    /// For this reason, or one that begins so.
    pub reason: Option<String>,
    /// A chart of this endpoint is in it.
    pub endpoint: Option<String>,
    /// Assigned to this steward; inside `None`: to nobody.
    pub assignee: Option<Option<String>>,
    /// Of this priority.
    pub priority: Option<Priority>,
    /// Somebody proposes to link it, also where it is not in the queue.
    pub proposed: bool,
    /// Queued before.
    pub before: Option<Timestamp>,
}

/// What comes first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum QueueOrder {
    /// The most alike.
    #[default]
    Score,
    /// The longest in the queue.
    Age,
    /// The most urgent, then the most alike.
    Priority,
}

/// A page of the queue.
#[derive(Clone, Debug, Default)]
pub struct QueuePage {
    /// Its pairs.
    pub pairs: Vec<Queued>,
    /// More pairs fit behind them.
    pub more: bool,
    /// How many pairs the whole queue has.
    pub total: usize,
    /// Pairs that were not looked at, because there are too many: the least alike.
    pub unseen: usize,
}

impl Gateway {
    /// A page of the queue, behind a pair that is or was queued.
    ///
    /// # Errors
    /// When the store fails.
    pub fn review_page(
        &self,
        access: &Access,
        filter: &QueueFilter,
        order: QueueOrder,
        after: Option<&(Home, Home)>,
        limit: usize,
    ) -> Result<QueuePage, GatewayError> {
        let total = self.store().review_count(access)?;
        let mut page = QueuePage { total, ..QueuePage::default() };
        let after = after.map(|pair| self.queued(access, pair)).transpose()?;
        let by_score = order == QueueOrder::Score && !filter.proposed;
        let mut place = after.as_ref().filter(|_| by_score).map(place_of);
        let mut looked_at = 0;
        let mut found: Vec<Queued> = Vec::new();
        if filter.proposed {
            for open in self.store().proposals(access, LOOKED_AT_MAX)? {
                let queued = self.queued(access, &(open.a, open.b))?;
                found.extend(filter.takes(&queued).then_some(queued));
            }
        }
        while !filter.proposed && looked_at < LOOKED_AT_MAX {
            let some = self.store().reviews(access, place.as_ref(), PAIRS_AT_ONCE)?;
            looked_at += some.len();
            let Some(last) = some.last() else { break };
            place = Some(place_of_pair(last));
            for pair in some.into_iter().filter(|pair| filter.takes_pair(pair)) {
                let queued = self.with_state(access, pair)?;
                found.extend(filter.takes(&queued).then_some(queued));
            }
            if by_score && found.len() > limit {
                break;
            }
        }
        if looked_at >= LOOKED_AT_MAX && found.len() <= limit {
            page.unseen = total.saturating_sub(looked_at);
        }
        if !by_score {
            found.sort_by(|x, y| order.compare(x, y));
            found.retain(|pair| {
                after.as_ref().is_none_or(|after| order.compare(pair, after) == Ordering::Greater)
            });
        }
        page.more = found.len() > limit;
        found.truncate(limit);
        page.pairs = found;
        Ok(page)
    }

    /// What stewards said about a pair so far.
    ///
    /// # Errors
    /// When the store fails.
    pub fn pair_state(
        &self,
        access: &Access,
        a: &Home,
        b: &Home,
    ) -> Result<PairState, GatewayError> {
        let notes = self.store().pair_notes(access, a, b)?;
        let mut state = PairState::default();
        for note in &notes {
            match &note.kind {
                NoteKind::Assigned(to) => state.assignee.clone_from(to),
                NoteKind::Priority(priority) => state.priority = *priority,
                NoteKind::NotSure if !state.not_sure.contains(&note.by) => {
                    state.not_sure.push(note.by.clone());
                }
                NoteKind::NotSure | NoteKind::Remark | NoteKind::Proposed | NoteKind::Declined => {}
            }
        }
        if !notes.is_empty() {
            state.proposal = self.store().proposal(access, a, b)?;
        }
        state.notes = notes;
        Ok(state)
    }

    fn with_state(&self, access: &Access, pair: ReviewPair) -> Result<Queued, GatewayError> {
        let id = self.store().id_key().pair(&pair.a, &pair.b);
        let known = self.store().known_pairs(access, &id.to_string(), 1)?;
        let since = known.into_iter().next().and_then(|known| known.queued);
        let state = self.pair_state(access, &pair.a, &pair.b)?;
        Ok(Queued { id, pair, since, state })
    }

    /// A pair as the queue would show it, whether it is there or not.
    fn queued(&self, access: &Access, (a, b): &(Home, Home)) -> Result<Queued, GatewayError> {
        let compared = self.comparison(a, b)?;
        let pair = ReviewPair {
            a: a.clone(),
            b: b.clone(),
            weight_bits: compared.as_ref().map_or(0.0, |c| c.weight_bits),
            grade: compared.as_ref().map_or(MatchGrade::CertainlyNot, |c| c.grade),
            reason: "proposed".into(),
        };
        self.with_state(access, pair)
    }
}

fn place_of(queued: &Queued) -> ReviewPlace {
    place_of_pair(&queued.pair)
}

fn place_of_pair(pair: &ReviewPair) -> ReviewPlace {
    ReviewPlace { weight_bits: pair.weight_bits, a: pair.a.clone(), b: pair.b.clone() }
}

impl QueueFilter {
    fn takes_pair(&self, pair: &ReviewPair) -> bool {
        let reason = self.reason.as_deref();
        self.grade.is_none_or(|grade| pair.grade == grade)
            && reason.is_none_or(|reason| pair.reason.starts_with(reason))
            && self.endpoint.as_deref().is_none_or(|endpoint| {
                [&pair.a, &pair.b].iter().any(|home| **home.endpoint() == *endpoint)
            })
    }

    fn takes(&self, queued: &Queued) -> bool {
        let state = &queued.state;
        let assigned = |to: &Option<String>| state.assignee.as_deref() == to.as_deref();
        let old = |before: Timestamp| queued.since.is_some_and(|since| since < before);
        (self.proposed || self.takes_pair(&queued.pair))
            && self.assignee.as_ref().is_none_or(assigned)
            && self.priority.is_none_or(|priority| state.priority == priority)
            && (!self.proposed || state.proposal.is_some())
            && self.before.is_none_or(old)
    }
}

impl QueueOrder {
    fn compare(self, x: &Queued, y: &Queued) -> Ordering {
        let heavier = || y.pair.weight_bits.total_cmp(&x.pair.weight_bits);
        let older = || {
            // What was never queued comes last.
            let age = |q: &Queued| q.since.unwrap_or(Timestamp::MAX);
            age(x).cmp(&age(y))
        };
        let first = match self {
            Self::Score => heavier(),
            Self::Age => older(),
            Self::Priority => y.state.priority.cmp(&x.state.priority).then_with(heavier),
        };
        first.then_with(|| (&x.pair.a, &x.pair.b).cmp(&(&y.pair.a, &y.pair.b)))
    }
}
