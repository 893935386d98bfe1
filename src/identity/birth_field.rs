//! How two birth dates agree.

use super::levels::BirthLevel;
use crate::flow::PartialDate;

/// From this many years apart, a slipped digit is more likely a parent and a child.
const GENERATION_YEARS: u16 = 12;
/// Beyond this, no parent and child.
const PARENT_YEARS_MAX: u16 = 60;

/// The level two birth dates reach.
pub(super) fn compare_birth(a: PartialDate, b: PartialDate) -> BirthLevel {
    let gap = a.year.abs_diff(b.year);
    let apart = if (GENERATION_YEARS..=PARENT_YEARS_MAX).contains(&gap) {
        BirthLevel::GenerationApart
    } else {
        BirthLevel::Different
    };
    if a.month == 0 || b.month == 0 {
        return if gap == 0 { BirthLevel::Year } else { apart };
    }
    if a.day == 0 || b.day == 0 {
        let same = gap == 0 && a.month == b.month;
        return if same { BirthLevel::YearAndMonth } else { apart };
    }
    if a == b {
        // Many whose birthday is not known are given the first of January.
        let default = a.month == 1 && a.day == 1;
        return if default { BirthLevel::JanuaryFirst } else { BirthLevel::Exact };
    }
    if gap == 0 && a.month == b.day && a.day == b.month {
        return BirthLevel::Swapped;
    }
    let (digits_a, digits_b) = (digits(a), digits(b));
    let off = digits_a.iter().zip(&digits_b).filter(|(x, y)| x != y).count();
    if gap >= GENERATION_YEARS {
        return if off == 1 { BirthLevel::DecadeOff } else { apart };
    }
    if off == 1 || (off == 2 && neighbours_swapped(&digits_a, &digits_b)) {
        return BirthLevel::OneDigitOff;
    }
    let parts = [gap == 0, a.month == b.month, a.day == b.day];
    if parts.iter().filter(|same| **same).count() == 2 {
        return BirthLevel::Near;
    }
    if gap == 0 { BirthLevel::SameYear } else { BirthLevel::Different }
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
