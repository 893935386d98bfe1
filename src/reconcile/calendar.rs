//! Days: which rules hold on the day of weaving, and when the next one flips.

use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::Value;

use crate::fhir::parse_moment;

/// The days on which rules flip: the next one after today counts.
pub(super) struct Calendar {
    as_of: Date,
    next: Option<Date>,
}

impl Calendar {
    pub(super) fn new(as_of: Date) -> Self {
        Self { as_of, next: None }
    }

    /// The next day on which an answer given here becomes another.
    pub(super) fn next(&self) -> Option<Date> {
        self.next
    }

    /// Whether a day is past; if it is not, the day after it is a day of change.
    pub(super) fn is_past(&mut self, day: Date) -> bool {
        // After the last day that there is no day comes.
        day.tomorrow().is_ok_and(|flips| self.has_come(flips))
    }

    /// Whether a day is today or past; if it is not, it is a day of change.
    pub(super) fn has_come(&mut self, day: Date) -> bool {
        if day <= self.as_of {
            return true;
        }
        self.next = Some(self.next.map_or(day, |known| known.min(day)));
        false
    }
}

/// The day so many days later; the last one there is, if it would be beyond.
pub(super) fn days_after(day: Date, days: u16) -> Date {
    day.saturating_add(i32::from(days).days())
}

/// The last possible day of a date, dateTime or instant.
pub(super) fn last_day(value: &Value) -> Option<Date> {
    parse_moment(value.as_str()?).map(|m| m.last_day)
}
