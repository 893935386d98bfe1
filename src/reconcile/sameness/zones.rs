//! Days of two claims where zones may differ: a day is a day somewhere.
//!
//! Facts hold the day in the zone that was stated. Late in the evening in one zone is the next
//! morning in another, so days next to each other are compared by their moments, where these are
//! told. Only then is a body looked at.

use jiff::SignedDuration;

use crate::fhir::Moment;
use crate::flow::DateSpan;

use super::super::claim::Claim;
use super::evidence::{Agreement, spans};

/// A day begins so long before it does in UTC where it begins first, and ends so long after.
const EARLIEST_ZONE: SignedDuration = SignedDuration::from_hours(14);
const LATEST_ZONE: SignedDuration = SignedDuration::from_hours(12);

/// Where a body tells the moment behind a day.
pub(super) type Look = fn(&[u8]) -> Option<(Moment, bool)>;

/// One respect in which two claims tell days.
pub(super) struct Days<'a, 'b> {
    pub(super) claims: (&'a Claim<'b>, &'a Claim<'b>),
    pub(super) spans: (Option<DateSpan>, Option<DateSpan>),
    pub(super) look: Look,
}

impl Days<'_, '_> {
    /// Like [`spans`]; days next to each other are one if the moments told are one, or if the
    /// moment that one tells lies on the other's day in some zone.
    pub(super) fn agreement(&self) -> Agreement {
        match spans(self.spans.0, self.spans.1) {
            Agreement::Differs if self.next_to_each_other() => self.moments(),
            found => found,
        }
    }

    /// Whether they are next to each other and no more is told: two days, or one of two zones.
    pub(super) fn may_be_one(&self) -> bool {
        self.next_to_each_other() && !self.times().is_some_and(|(a, b)| a.1 || b.1)
    }

    fn next_to_each_other(&self) -> bool {
        let next = |a: Option<DateSpan>, b: Option<DateSpan>| {
            let days = a.and_then(|s| s.high).zip(b.and_then(|s| s.low));
            days.is_some_and(|(end, begin)| (begin - end).get_days() == 1)
        };
        next(self.spans.0, self.spans.1) || next(self.spans.1, self.spans.0)
    }

    fn times(&self) -> Option<((Moment, bool), (Moment, bool))> {
        (self.look)(self.claims.0.body).zip((self.look)(self.claims.1.body))
    }

    fn moments(&self) -> Agreement {
        let Some(((a, a_timed), (b, b_timed))) = self.times() else { return Agreement::Differs };
        match (a_timed, b_timed) {
            (true, true) if a.from < b.until && b.from < a.until => Agreement::Same,
            (true, false) if on_day_somewhere(&a, &b) => Agreement::Close,
            (false, true) if on_day_somewhere(&b, &a) => Agreement::Close,
            _ => Agreement::Differs,
        }
    }
}

/// Whether a moment lies on a day of no told zone; days are read as in UTC.
fn on_day_somewhere(moment: &Moment, day: &Moment) -> bool {
    let (begins, ends) = (day.from - EARLIEST_ZONE, day.until + LATEST_ZONE);
    begins <= moment.from && moment.from < ends
}
