//! Dates, times and moments of any precision.
//! <http://hl7.org/fhirpath/N1/#date>

use std::cmp::Ordering;
use std::fmt::{self, Display, Formatter};

use jiff::civil;
use rust_decimal::Decimal;

/// What a moment is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Date,
    DateTime,
    Time,
}

/// A date, a date with time, or a time; `parts` of these are stated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Temporal {
    pub(super) kind: Kind,
    /// Year, month, day, hour, minute, second, millisecond.
    pub(super) fields: [i32; 7],
    /// How many of the fields are stated, from the first field of its kind.
    pub(super) parts: usize,
    /// Minutes east of Greenwich.
    pub(super) offset: Option<i32>,
}

const LOWEST: [i32; 7] = [1, 1, 1, 0, 0, 0, 0];
const YEAR: usize = 0;
const HOUR: usize = 3;
const SECOND: usize = 5;
const MILLISECOND: usize = 6;

impl Temporal {
    /// `2015`, `2015-02`, `2015-02-04`.
    pub(super) fn date(text: &str) -> Option<Self> {
        Self::dated(Kind::Date, text)
    }

    fn dated(kind: Kind, text: &str) -> Option<Self> {
        let mut fields = LOWEST;
        let mut parts = 0;
        for (at, part) in text.split('-').enumerate() {
            if at > 2 || part.len() != if at == 0 { 4 } else { 2 } {
                return None;
            }
            fields[at] = digits(part)?;
            parts = at + 1;
        }
        civil_date(&fields)?;
        Some(Self { kind, fields, parts, offset: None })
    }

    /// `14`, `14:34`, `14:34:28.123`.
    pub(super) fn time(text: &str) -> Option<Self> {
        let mut time = Self { kind: Kind::Time, fields: LOWEST, parts: 0, offset: None };
        time.read_time(text)?;
        Some(time)
    }

    /// A date, or a date with a time and perhaps a zone.
    pub(super) fn date_time(text: &str) -> Option<Self> {
        let Some((date, time)) = text.split_once('T') else {
            return Self::dated(Kind::DateTime, text);
        };
        let mut moment = Self::dated(Kind::DateTime, date).filter(|d| d.parts == 3)?;
        let (time, offset) = match time.strip_suffix('Z') {
            Some(time) => (time, Some(0)),
            None => match time.rfind(['+', '-']) {
                Some(at) => (&time[..at], Some(zone(&time[at..])?)),
                None => (time, None),
            },
        };
        moment.read_time(time)?;
        moment.offset = offset;
        Some(moment)
    }

    fn read_time(&mut self, text: &str) -> Option<()> {
        let (whole, fraction) = match text.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (text, None),
        };
        const LIMITS: [i32; 3] = [24, 60, 60];
        let mut count = 0;
        for (at, part) in whole.split(':').enumerate() {
            let value = digits(part).filter(|_| part.len() == 2)?;
            self.fields[HOUR + at] = (value < *LIMITS.get(at)?).then_some(value)?;
            count = at + 1;
        }
        if let Some(fraction) = fraction {
            let known = count == 3 && !fraction.is_empty();
            let padded: String = fraction.chars().chain("00".chars()).take(3).collect();
            self.fields[MILLISECOND] = known.then(|| digits(&padded)).flatten()?;
            count = 4;
        }
        self.parts = count + self.first_of_time();
        Some(())
    }

    /// Fields of a date before those of the time.
    fn first_of_time(&self) -> usize {
        if self.kind == Kind::Time { 0 } else { HOUR }
    }

    fn first(&self) -> usize {
        if self.kind == Kind::Time { HOUR } else { YEAR }
    }

    /// Behind the last stated field.
    pub(super) fn end(&self) -> usize {
        self.first() + self.parts
    }

    /// Which is earlier; `None` if the stated parts do not tell.
    pub(super) fn compare(&self, other: &Self) -> Option<Ordering> {
        let (left, right) = match (self.offset, other.offset) {
            (Some(_), Some(_)) => (self.in_utc()?, other.in_utc()?),
            (None, None) => (*self, *other),
            _ => return self.compare_without_zone(other),
        };
        for at in self.first()..MILLISECOND {
            match (at < left.end(), at < right.end()) {
                (false, false) => return Some(Ordering::Equal),
                (true, true) => {}
                _ => return None,
            }
            // Milliseconds are part of the seconds.
            let order = match at {
                SECOND => left.fields[SECOND..].cmp(&right.fields[SECOND..]),
                _ => left.fields[at].cmp(&right.fields[at]),
            };
            if order != Ordering::Equal {
                return Some(order);
            }
        }
        Some(Ordering::Equal)
    }

    /// One has a zone, the other has not: only dates further apart than zones can be are told.
    fn compare_without_zone(&self, other: &Self) -> Option<Ordering> {
        let (left, right) = (civil_date(&self.fields)?, civil_date(&other.fields)?);
        let both_have_days = self.end() > 2 && other.end() > 2;
        if !both_have_days {
            let years = self.fields[YEAR].cmp(&other.fields[YEAR]);
            let far = self.fields[YEAR].abs_diff(other.fields[YEAR]) > 1;
            return far.then_some(years);
        }
        let days = left.until(right).ok()?.get_days();
        (days.abs() > 1).then(|| left.cmp(&right))
    }

    fn in_utc(self) -> Option<Self> {
        match self.offset {
            Some(offset) if offset != 0 && self.end() > HOUR + 1 => {
                let mut moved = self.plus(-i64::from(offset) * 60_000)?;
                moved.offset = Some(0);
                Some(moved)
            }
            _ => Some(self),
        }
    }

    fn plus(self, milliseconds: i64) -> Option<Self> {
        let span = jiff::Span::new().try_milliseconds(milliseconds).ok()?;
        self.moved(span)
    }

    /// The same precision, moved by a span.
    pub(super) fn moved(mut self, span: jiff::Span) -> Option<Self> {
        if self.kind == Kind::Time {
            let time = self.civil_time()?.wrapping_add(span);
            self.set_time(time);
            return Some(self);
        }
        let moved = civil_date(&self.fields)?.to_datetime(self.civil_time()?).checked_add(span);
        let moved = moved.ok()?;
        let date = moved.date();
        self.fields[..3].copy_from_slice(&[
            i32::from(date.year()),
            i32::from(date.month()),
            i32::from(date.day()),
        ]);
        self.set_time(moved.time());
        Some(self)
    }

    fn civil_time(&self) -> Option<civil::Time> {
        let [_, _, _, hour, minute, second, millisecond] = self.fields;
        let part = |value: i32| i8::try_from(value).ok();
        civil::Time::new(part(hour)?, part(minute)?, part(second)?, millisecond * 1_000_000).ok()
    }

    fn set_time(&mut self, time: civil::Time) {
        self.fields[HOUR..].copy_from_slice(&[
            i32::from(time.hour()),
            i32::from(time.minute()),
            i32::from(time.second()),
            i32::from(time.millisecond()),
        ]);
    }

    /// Digits that are stated.
    pub(super) fn precision(&self) -> i64 {
        const DIGITS: [i64; 7] = [4, 2, 2, 2, 2, 2, 3];
        DIGITS[self.first()..self.end()].iter().sum()
    }

    /// The earliest or latest moment it can be, to so many digits.
    pub(super) fn boundary(&self, is_high: bool, digits: Option<i64>) -> Option<Self> {
        const DIGITS: [(i64, usize); 7] =
            [(4, 1), (6, 2), (8, 3), (10, 4), (12, 5), (14, 6), (17, 7)];
        const TIME_DIGITS: [(i64, usize); 4] = [(2, 1), (4, 2), (6, 3), (9, 4)];
        let table: &[(i64, usize)] = match self.kind {
            Kind::Date => &DIGITS[..3],
            Kind::DateTime => &DIGITS,
            Kind::Time => &TIME_DIGITS,
        };
        let parts = match digits {
            None => table.last()?.1,
            Some(digits) => table.iter().find(|(n, _)| *n == digits)?.1,
        };
        let mut bound = *self;
        if is_high {
            for at in self.end()..7 {
                bound.fields[at] = match at {
                    1 => 12,
                    2 => i32::from(civil_date(&first_of_month(&bound.fields))?.days_in_month()),
                    3 => 23,
                    4 | 5 => 59,
                    _ => 999,
                };
            }
        }
        bound.parts = parts;
        let has_time = bound.kind == Kind::DateTime && parts > HOUR;
        bound.offset = match self.offset {
            // The zone furthest ahead has a moment first.
            None if has_time => Some(if is_high { -12 * 60 } else { 14 * 60 }),
            offset => offset.filter(|_| has_time),
        };
        Some(bound)
    }
}

fn first_of_month(fields: &[i32; 7]) -> [i32; 7] {
    let mut first = *fields;
    first[2] = 1;
    first
}

fn civil_date(fields: &[i32; 7]) -> Option<civil::Date> {
    let [year, month, day, ..] = *fields;
    civil::Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()
}

fn digits(text: &str) -> Option<i32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// `+10:00` in minutes.
fn zone(text: &str) -> Option<i32> {
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    let known = hours.len() == 2 && minutes.len() == 2;
    let total = known.then(|| Some(digits(hours)? * 60 + digits(minutes)?)).flatten()?;
    (total <= 14 * 60).then_some(if text.starts_with('-') { -total } else { total })
}

impl Display for Temporal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        const BEFORE: [&str; 7] = ["", "-", "-", "T", ":", ":", "."];
        let shown = self.fields.iter().zip(BEFORE).enumerate();
        for (at, (field, before)) in shown.take(self.end()).skip(self.first()) {
            if at != self.first() {
                f.write_str(before)?;
            }
            match at {
                YEAR => write!(f, "{field:04}")?,
                MILLISECOND => write!(f, "{field:03}")?,
                _ => write!(f, "{field:02}")?,
            }
        }
        match self.offset {
            Some(0) => f.write_str("Z"),
            Some(offset) => {
                let sign = if offset < 0 { '-' } else { '+' };
                write!(f, "{sign}{:02}:{:02}", offset.abs() / 60, offset.abs() % 60)
            }
            None => Ok(()),
        }
    }
}

/// The span that so many calendar units are; fractions only of seconds.
pub(super) fn span(value: Decimal, unit: &str) -> Option<jiff::Span> {
    let whole = i64::try_from(value.trunc()).ok()?;
    let milliseconds = || i64::try_from((value * Decimal::ONE_THOUSAND).trunc()).ok();
    let span = jiff::Span::new();
    match unit {
        "year" => span.try_years(whole),
        "month" => span.try_months(whole),
        "week" => span.try_weeks(whole),
        "day" => span.try_days(whole),
        "hour" => span.try_hours(whole),
        "minute" => span.try_minutes(whole),
        "second" => span.try_milliseconds(milliseconds()?),
        "millisecond" => span.try_milliseconds(whole),
        _ => return None,
    }
    .ok()
}
