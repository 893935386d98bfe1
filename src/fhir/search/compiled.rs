//! The values of a criterion, taken apart: escapes, dates and numbers with prefixes.
//! <https://hl7.org/fhir/R4/search.html#escaping>, <https://hl7.org/fhir/R4/search.html#prefix>

use jiff::{SignedDuration, Timestamp};

use crate::fhir::parse_moment;

pub(super) const DATE_EXPECTED: &str =
    "a date such as 2024-05-06, with an optional prefix eq, ne, gt, lt, ge, le, sa, eb or ap";
pub(super) const NUMBER_EXPECTED: &str =
    "a number, with an optional prefix eq, ne, gt, lt, ge, le, sa, eb or ap";

/// How a stated value must lie to the one searched for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Prefix {
    Eq,
    Ne,
    Gt,
    Lt,
    Ge,
    Le,
    Sa,
    Eb,
    Ap,
}

/// A date range and how values must lie to it.
#[derive(Clone, Debug)]
pub(super) struct DateTest {
    prefix: Prefix,
    from: Timestamp,
    until: Timestamp,
}

/// A number, read as the range of its written precision, and how values must lie to it.
#[derive(Clone, Debug)]
pub(super) struct NumberTest {
    prefix: Prefix,
    value: f64,
    half_unit: f64,
}

impl Prefix {
    fn split(text: &str) -> (Self, &str) {
        const PREFIXES: [(&str, Prefix); 9] = [
            ("eq", Prefix::Eq),
            ("ne", Prefix::Ne),
            ("gt", Prefix::Gt),
            ("lt", Prefix::Lt),
            ("ge", Prefix::Ge),
            ("le", Prefix::Le),
            ("sa", Prefix::Sa),
            ("eb", Prefix::Eb),
            ("ap", Prefix::Ap),
        ];
        let stripped = |(code, prefix): &(&str, Self)| Some((*prefix, text.strip_prefix(code)?));
        PREFIXES.iter().find_map(stripped).unwrap_or((Self::Eq, text))
    }

    /// Compares the stated range (`from..until`) with the searched one (`low..high`). `ge` and
    /// `le` take a partial overlap for equal: a plan that begins on a day is `le` that day.
    fn accepts<T: PartialOrd>(self, (from, until): (T, T), (low, high): (T, T)) -> bool {
        let within = low <= from && until <= high;
        match self {
            Self::Eq => within,
            Self::Ne => !within,
            Self::Gt => until > high,
            Self::Lt => from < low,
            Self::Ge => until > low || within,
            Self::Le => from < high || within,
            Self::Sa => from >= high,
            Self::Eb => until <= low,
            Self::Ap => from < high && low < until,
        }
    }
}

impl DateTest {
    /// The prefix, and the range searched for: from (included) to (excluded).
    pub(super) fn parts(&self) -> (Prefix, Timestamp, Timestamp) {
        (self.prefix, self.from, self.until)
    }

    /// Reads a date with an optional prefix.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (prefix, date) = Prefix::split(text);
        // A `+` of a zone arrives as a blank when a client forgot to encode it.
        let date = date.replace(' ', "+");
        let moment = parse_moment(&date)?;
        Some(Self { prefix, from: moment.from, until: moment.until })
    }

    /// Stretches an `ap` at both ends by a tenth of what lies between it and now, as R4
    /// recommends.
    pub(super) fn approximate(&mut self, now: Timestamp) {
        if self.prefix != Prefix::Ap {
            return;
        }
        let ahead = self.from.duration_since(now);
        let past = now.duration_since(self.until);
        let stretch = ahead.max(past).max(SignedDuration::ZERO) / 10;
        self.from = self.from.checked_sub(stretch).unwrap_or(Timestamp::MIN);
        self.until = self.until.checked_add(stretch).unwrap_or(Timestamp::MAX);
    }

    /// The first instant that meets it, if not all before a day do.
    pub(super) fn earliest(&self) -> Option<Timestamp> {
        match self.prefix {
            Prefix::Eq | Prefix::Ge | Prefix::Gt | Prefix::Sa | Prefix::Ap => Some(self.from),
            Prefix::Ne | Prefix::Lt | Prefix::Le | Prefix::Eb => None,
        }
    }

    /// Whether a stated interval, from (included) to (excluded), meets it.
    pub(super) fn accepts(&self, from: Timestamp, until: Timestamp) -> bool {
        self.prefix.accepts((from, until), (self.from, self.until))
    }
}

impl NumberTest {
    /// Reads a number with an optional prefix.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (prefix, number) = Prefix::split(text);
        let value = decimal(number)?;
        let half_unit = match prefix {
            Prefix::Ap => value.abs() / 10.0,
            Prefix::Eq | Prefix::Ne => half_unit(number),
            Prefix::Gt | Prefix::Lt | Prefix::Ge | Prefix::Le | Prefix::Sa | Prefix::Eb => 0.0,
        };
        Some(Self { prefix, value, half_unit })
    }

    /// Whether a stated number meets it.
    pub(super) fn accepts(&self, stated: &str) -> bool {
        decimal(stated).is_some_and(|stated| self.accepts_number(stated))
    }

    /// The same of a number.
    pub(super) fn accepts_number(&self, stated: f64) -> bool {
        let range = (self.value - self.half_unit, self.value + self.half_unit);
        match self.prefix {
            Prefix::Ap => range.0 <= stated && stated <= range.1,
            Prefix::Sa => stated > self.value,
            Prefix::Eb => stated < self.value,
            Prefix::Eq | Prefix::Ne | Prefix::Gt | Prefix::Lt | Prefix::Ge | Prefix::Le => {
                self.prefix.accepts((stated, stated), range)
            }
        }
    }
}

fn decimal(text: &str) -> Option<f64> {
    let plain = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E');
    if !text.chars().all(plain) {
        return None;
    }
    text.parse().ok().filter(|n: &f64| n.is_finite())
}

/// Half of the last written digit: `5.40` stands for 5.395 to 5.405.
fn half_unit(text: &str) -> f64 {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let digits = mantissa.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let digits = i32::try_from(digits).unwrap_or(i32::MAX);
    let exponent = exponent.parse::<i32>().unwrap_or(0);
    0.5 * 10f64.powi(exponent.saturating_sub(digits))
}

/// Splits at an unescaped separator; the pieces keep their escapes.
pub(super) fn split_unescaped(text: &str, separator: char) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut escaped = false;
    for (at, letter) in text.char_indices() {
        if letter == separator && !escaped {
            pieces.push(&text[start..at]);
            start = at + letter.len_utf8();
        }
        escaped = letter == '\\' && !escaped;
    }
    pieces.push(&text[start..]);
    pieces
}

/// Resolves `\,` `\|` `\$` `\\`; any other backslash stands for itself.
pub(super) fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let escaped = letters.peek().filter(|c| letter == '\\' && ",|$\\".contains(**c)).copied();
        plain.push(escaped.unwrap_or(letter));
        if escaped.is_some() {
            letters.next();
        }
    }
    plain
}
