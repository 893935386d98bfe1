//! R4 date, dateTime and instant as intervals.
//! <https://hl7.org/fhir/R4/datatypes.html#dateTime>, <https://hl7.org/fhir/R4/search.html#date>

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};

/// A date, dateTime or instant as the interval it covers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    /// First instant; a value without zone is read as UTC.
    pub from: Timestamp,
    /// First instant after it.
    pub until: Timestamp,
    /// First day, in the zone it was stated in.
    pub first_day: Date,
    /// Last day, in the zone it was stated in.
    pub last_day: Date,
}

/// Reads `2024`, `2024-05`, `2024-05-06`, `2024-05-06T07:08[:09[.123]][Z|±hh:mm]`; `None` for
/// what is no date, also impossible ones (30 February).
///
/// Ends of intervals beyond what a timestamp can hold (31 December 9999, which senders write
/// for "for ever") are cut to the last instant there is.
pub fn parse_moment(text: &str) -> Option<Moment> {
    let (day, time) = match text.split_once('T') {
        Some((day, time)) => (day, Some(time)),
        None => (text, None),
    };
    let mut parts = day.split('-');
    let year = i16::try_from(digits(parts.next()?, 4)?).ok().filter(|y| *y > 0)?;
    let month = parts.next().map(|m| two_digits(m, 1, 12));
    let day = parts.next().map(|d| two_digits(d, 1, 31));
    if parts.next().is_some() {
        return None;
    }
    match (month, day, time) {
        (None, None, None) => days(Date::new(year, 1, 1).ok()?, Date::new(year, 12, 31).ok()?, 0),
        (Some(month), None, None) => {
            let first = Date::new(year, month?, 1).ok()?;
            days(first, first.last_of_month(), 0)
        }
        (Some(month), Some(day), None) => {
            let date = Date::new(year, month?, day?).ok()?;
            days(date, date, 0)
        }
        (Some(month), Some(day), Some(time)) => {
            let date = Date::new(year, month?, day?).ok()?;
            part_of_day(date, Time::parse(time)?)
        }
        (None, ..) | (Some(_), None, Some(_)) => None,
    }
}

/// A time of day and how precisely it was stated.
struct Time {
    since_midnight: SignedDuration,
    precision: SignedDuration,
    /// Seconds east of UTC.
    offset: i64,
}

impl Time {
    fn parse(text: &str) -> Option<Self> {
        let (clock, offset) = split_zone(text)?;
        let (clock, fraction) = match clock.split_once('.') {
            Some((clock, fraction)) => (clock, Some(fraction)),
            None => (clock, None),
        };
        let mut parts = clock.split(':');
        let hour = i64::from(two_digits(parts.next()?, 0, 23)?);
        let minute = i64::from(two_digits(parts.next()?, 0, 59)?);
        let second = match parts.next() {
            // 60 is a leap second.
            Some(second) => Some(i64::from(two_digits(second, 0, 60)?)),
            None => None,
        };
        if parts.next().is_some() {
            return None;
        }
        let (nanos, precision) = match (second, fraction) {
            (None, None) => (0, SignedDuration::from_secs(60)),
            (Some(_), None) => (0, SignedDuration::from_secs(1)),
            (Some(_), Some(fraction)) => parse_fraction(fraction)?,
            (None, Some(_)) => return None,
        };
        let seconds = hour * 3600 + minute * 60 + second.unwrap_or(0);
        Some(Self { since_midnight: SignedDuration::new(seconds, nanos), precision, offset })
    }
}

/// Splits `07:08:09Z` or `07:08:09-05:00` into clock and offset; no zone is UTC.
fn split_zone(text: &str) -> Option<(&str, i64)> {
    if let Some(clock) = text.strip_suffix('Z') {
        return Some((clock, 0));
    }
    let Some(at) = text.rfind(['+', '-']) else {
        return Some((text, 0));
    };
    let (hours, minutes) = text[at + 1..].split_once(':')?;
    let seconds =
        i64::from(two_digits(hours, 0, 14)?) * 3600 + i64::from(two_digits(minutes, 0, 59)?) * 60;
    if seconds > 14 * 3600 {
        return None;
    }
    Some((&text[..at], if text[at..].starts_with('-') { -seconds } else { seconds }))
}

/// Nanoseconds and precision of the digits after the point; digits past the ninth are cut.
fn parse_fraction(text: &str) -> Option<(i32, SignedDuration)> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let kept = &text[..text.len().min(9)];
    let unit = 10_i32.pow(9 - u32::try_from(kept.len()).ok()?);
    let nanos = kept.parse::<i32>().ok()? * unit;
    Some((nanos, SignedDuration::new(0, unit)))
}

fn days(first: Date, last: Date, offset: i64) -> Option<Moment> {
    let day_after = last.checked_add(1.day()).ok();
    Some(interval(
        midnight(first, offset)?,
        day_after.and_then(|day| midnight(day, offset)).unwrap_or(Timestamp::MAX),
        first,
        last,
    ))
}

fn part_of_day(date: Date, time: Time) -> Option<Moment> {
    // A sum past the end of time is cut, as for days.
    let from =
        midnight(date, time.offset)?.checked_add(time.since_midnight).unwrap_or(Timestamp::MAX);
    let until = from.checked_add(time.precision).unwrap_or(Timestamp::MAX);
    Some(interval(from, until, date, date))
}

fn interval(from: Timestamp, until: Timestamp, first_day: Date, last_day: Date) -> Moment {
    let last_instant =
        Timestamp::MAX.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(Timestamp::MAX);
    Moment { from: from.min(last_instant), until, first_day, last_day }
}

/// Midnight of a day at an offset, cut to what a timestamp can hold.
fn midnight(day: Date, offset: i64) -> Option<Timestamp> {
    let epoch = Date::new(1970, 1, 1).ok()?;
    let seconds = i64::from(epoch.until(day).ok()?.get_days()) * 86_400 - offset;
    let bounds = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    Timestamp::from_second(seconds.clamp(bounds.0, bounds.1)).ok()
}

fn digits(text: &str, count: usize) -> Option<u16> {
    (text.len() == count && text.bytes().all(|b| b.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

fn two_digits(text: &str, least: u16, most: u16) -> Option<i8> {
    let number = digits(text, 2).filter(|n| (least..=most).contains(n))?;
    i8::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "test")]
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_interval_follows_the_precision() {
        let cases = [
            ("2024", "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z"),
            ("2024-02", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"),
            ("2024-02-29", "2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z"),
            ("2024-02-29T07:08", "2024-02-29T07:08:00Z", "2024-02-29T07:09:00Z"),
            ("2024-02-29T07:08:09-05:00", "2024-02-29T12:08:09Z", "2024-02-29T12:08:10Z"),
            ("2024-02-29T07:08:09.5Z", "2024-02-29T07:08:09.5Z", "2024-02-29T07:08:09.6Z"),
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z", "2017-01-01T00:00:01Z"),
        ];
        for (text, from, until) in cases {
            let moment = parse_moment(text).unwrap();
            assert_eq!((moment.from, moment.until), (at(from), at(until)), "{text}");
        }
    }

    #[test]
    fn days_are_those_of_the_stated_zone() {
        let moment = parse_moment("2024-05-06T23:30:00-05:00").unwrap();
        assert_eq!(moment.first_day, Date::constant(2024, 5, 6));
        assert_eq!(moment.last_day, Date::constant(2024, 5, 6));
        assert_eq!(parse_moment("2024-02").unwrap().last_day, Date::constant(2024, 2, 29));
    }

    #[test]
    fn for_ever_is_a_date_too() {
        for text in ["9999", "9999-12-31", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00Z"] {
            let moment = parse_moment(text).unwrap();
            assert!(moment.from < moment.until, "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "24",
            "0000",
            "2024-13",
            "2024-00",
            "2024-02-30",
            "2023-02-29",
            "2024-2-3",
            "2024-02-03T",
            "2024-02T07:08Z",
            "2024-02-03T24:00:00Z",
            "2024-02-03T07:60Z",
            "2024-02-03T07:08.5Z",
            "2024-02-03T07:08:09.Z",
            "2024-02-03T07:08:09+14:30",
            "2024-02-03T07:08:09+5:00",
            "2024-02-03 07:08",
            " 2024",
            "2024-02-03-",
            "+2024",
            "2024-02-03T07Z",
            "２０２４",
        ] {
            assert_eq!(parse_moment(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_date_or_none(text in "\\PC*|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.+Zé-]*") {
            if let Some(moment) = parse_moment(&text) {
                prop_assert!(moment.from < moment.until && moment.first_day <= moment.last_day);
            }
        }
    }
}
