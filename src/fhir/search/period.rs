//! Dates in the cross-person index: the month in which a value begins and the one in which it
//! ends. A search asks for the months that its range allows and tests the values itself.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::Indexed;
use super::compiled::{DateTest, Prefix};

/// What begins before, or ends after these years stands under one key.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2100;

impl Indexed {
    /// The keys of a date in an index of periods; none for what is no date.
    pub fn period_keys(&self) -> Vec<String> {
        match self {
            Self::Date { from, until } => {
                vec![key("from", month(*from)), key("until", month(*until))]
            }
            _ => Vec::new(),
        }
    }
}

/// The keys under which everything stands that a date criterion may accept; `None` where that
/// is all but a part.
pub(super) fn asked(range: &DateTest) -> Option<Vec<String>> {
    let (prefix, low, high) = range.parts();
    let (low, high) = (month(low), month(high));
    let (first, last) = ends();
    let (side, from, to) = match prefix {
        Prefix::Eq => ("from", low, high),
        Prefix::Sa => ("from", high, last),
        Prefix::Gt | Prefix::Ge => ("until", low, last),
        Prefix::Lt | Prefix::Le => ("from", first, high),
        Prefix::Eb => ("until", first, low),
        Prefix::Ne | Prefix::Ap => return None,
    };
    Some((from..=to).map(|month| key(side, month)).collect())
}

fn key(side: &str, month: i32) -> String {
    format!("{side} {month}")
}

/// Months since year 0, cut to the known years.
fn month(at: Timestamp) -> i32 {
    let (first, last) = ends();
    let day: Date = at.to_zoned(TimeZone::UTC).date();
    (i32::from(day.year()) * 12 + i32::from(day.month()) - 1).clamp(first, last)
}

fn ends() -> (i32, i32) {
    (i32::from(*YEARS.start()) * 12 - 1, i32::from(*YEARS.end()) * 12 + 12)
}
