//! How two birth dates agree.

use super::levels::BirthLevel;
use crate::flow::PartialDate;

/// From this many years apart, a slipped digit is more likely a parent and a child.
const GENERATION_YEARS: u16 = 12;

/// The level two birth dates reach.
pub(super) fn compare_birth(a: PartialDate, b: PartialDate) -> BirthLevel {
    if a.month == 0 || b.month == 0 {
        return if a.year == b.year { BirthLevel::Year } else { BirthLevel::Different };
    }
    if a.day == 0 || b.day == 0 {
        let same = a.year == b.year && a.month == b.month;
        return if same { BirthLevel::YearAndMonth } else { BirthLevel::Different };
    }
    if a == b {
        // Many whose birthday is not known are given the first of January.
        let default = a.month == 1 && a.day == 1;
        return if default { BirthLevel::JanuaryFirst } else { BirthLevel::Exact };
    }
    if a.year == b.year && a.month == b.day && a.day == b.month {
        return BirthLevel::Swapped;
    }
    if a.year.abs_diff(b.year) >= GENERATION_YEARS {
        return BirthLevel::Different;
    }
    let (digits_a, digits_b) = (digits(a), digits(b));
    let off = digits_a.iter().zip(&digits_b).filter(|(x, y)| x != y).count();
    if off == 1 || (off == 2 && neighbours_swapped(&digits_a, &digits_b)) {
        return BirthLevel::OneDigitOff;
    }
    let parts = [a.year == b.year, a.month == b.month, a.day == b.day];
    if parts.iter().filter(|same| **same).count() == 2 {
        return BirthLevel::Near;
    }
    BirthLevel::Different
}

fn digits(date: PartialDate) -> [u8; 8] {
    let year = date.year.unsigned_abs();
    let two = |value: u8| [value / 10, value % 10];
    let [m1, m2] = two(date.month);
    let [d1, d2] = two(date.day);
    let digit = |power: u16| u8::try_from(year / power % 10).unwrap_or(0);
    [digit(1000), digit(100), digit(10), digit(1), m1, m2, d1, d2]
}

fn neighbours_swapped(a: &[u8; 8], b: &[u8; 8]) -> bool {
    (0..7).any(|i| a[i] == b[i + 1] && a[i + 1] == b[i] && a[i] != b[i])
}
