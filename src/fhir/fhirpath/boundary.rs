//! The least and the greatest that a value of limited precision can be.
//! <https://hl7.org/fhirpath/#lowboundaryprecision-integer-decimal--date--datetime--time>

use rust_decimal::{Decimal, RoundingStrategy};

use super::item::Item;

/// Digits after the point when none are asked for.
const DIGITS: i64 = 8;

/// The boundary to so many digits; nothing if a value has no such precision.
pub(super) fn boundary<'v>(
    item: &Item<'v>,
    is_high: bool,
    digits: Option<i64>,
) -> Option<Item<'v>> {
    match item {
        Item::Temporal(moment) => moment.boundary(is_high, digits).map(Item::Temporal),
        Item::Integer(value) => number(Decimal::from(*value), is_high, digits).map(Item::Decimal),
        Item::Decimal(value) => number(*value, is_high, digits).map(Item::Decimal),
        Item::Quantity(value, unit) => {
            number(*value, is_high, digits).map(|value| Item::Quantity(value, unit.clone()))
        }
        _ => None,
    }
}

fn number(value: Decimal, is_high: bool, digits: Option<i64>) -> Option<Decimal> {
    let scale = u32::try_from(digits.unwrap_or(DIGITS)).ok().filter(|scale| *scale <= 28)?;
    let half = Decimal::try_new(5, value.scale() + 1).ok()?;
    let bound = if is_high { value.checked_add(half)? } else { value.checked_sub(half)? };
    let strategy = match is_high {
        true => RoundingStrategy::ToPositiveInfinity,
        false => RoundingStrategy::ToNegativeInfinity,
    };
    let mut rounded = match scale < value.scale() {
        true => value.round_dp_with_strategy(scale, strategy),
        false => bound.round_dp_with_strategy(scale, strategy),
    };
    rounded.rescale(scale);
    Some(rounded)
}

/// Digits that a value states.
pub(super) fn precision(item: &Item<'_>) -> Option<i64> {
    match item {
        Item::Temporal(moment) => Some(moment.precision()),
        Item::Decimal(value) => Some(i64::from(value.scale())),
        Item::Integer(_) => Some(0),
        _ => None,
    }
}
