//! Conversions between the types of values.
//! <http://hl7.org/fhirpath/N1/#conversion>

use rust_decimal::Decimal;

use super::Fault;
use super::eval::one_of;
use super::function::Function;
use super::item::{Item, Items};
use super::temporal::{Kind, Temporal};
use super::{lexer, math, quantity};

/// `toX()`, and `convertsToX()`, which says whether it can.
pub(super) fn convert<'v>(
    function: Function,
    input: &Items<'v>,
) -> Result<Option<Items<'v>>, Fault> {
    let (into, asks): (fn(&Item<'v>) -> Option<Item<'v>>, bool) = match function {
        Function::ToBoolean => (boolean, false),
        Function::ConvertsToBoolean => (boolean, true),
        Function::ToInteger => (integer, false),
        Function::ConvertsToInteger => (integer, true),
        Function::ToDecimal => (decimal, false),
        Function::ConvertsToDecimal => (decimal, true),
        Function::ToString => (text, false),
        Function::ConvertsToString => (text, true),
        Function::ToQuantity => (to_quantity, false),
        Function::ConvertsToQuantity => (to_quantity, true),
        Function::ToDate => (date, false),
        Function::ConvertsToDate => (date, true),
        Function::ToDateTime => (date_time, false),
        Function::ConvertsToDateTime => (date_time, true),
        Function::ToTime => (time, false),
        Function::ConvertsToTime => (time, true),
        _ => return Ok(None),
    };
    let Some(item) = one_of(input)? else { return Ok(Some(Vec::new())) };
    let converted = into(&item);
    Ok(Some(match asks {
        true => vec![Item::Bool(converted.is_some())],
        false => converted.into_iter().collect(),
    }))
}

fn boolean<'v>(item: &Item<'v>) -> Option<Item<'v>> {
    let value = match item {
        Item::Bool(value) => *value,
        Item::String(text) => match text.to_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "1" | "1.0" => true,
            "false" | "f" | "no" | "n" | "0" | "0.0" => false,
            _ => return None,
        },
        _ => match math::number(item)? {
            number if number == Decimal::ONE => true,
            number if number.is_zero() => false,
            _ => return None,
        },
    };
    Some(Item::Bool(value))
}

fn integer<'v>(item: &Item<'v>) -> Option<Item<'v>> {
    match item {
        Item::Integer(value) => Some(Item::Integer(*value)),
        Item::Bool(value) => Some(Item::Integer(i64::from(*value))),
        Item::String(text) => text.parse().ok().map(Item::Integer),
        _ => None,
    }
}

fn decimal<'v>(item: &Item<'v>) -> Option<Item<'v>> {
    match item {
        Item::Bool(value) => Some(Item::Decimal(Decimal::from(u8::from(*value)))),
        Item::String(text) => text.parse().ok().map(Item::Decimal),
        _ => math::number(item).map(Item::Decimal),
    }
}

fn text<'v>(item: &Item<'v>) -> Option<Item<'v>> {
    item.text().map(Item::String)
}

fn to_quantity<'v>(item: &Item<'v>) -> Option<Item<'v>> {
    match item {
        Item::Quantity(..) => Some(item.clone()),
        Item::Bool(value) => Some(Item::Quantity(Decimal::from(u8::from(*value)), "1".into())),
        Item::String(text) => match lexer::tokens(text).ok()?.as_slice() {
            [lexer::Token::Literal(Item::Quantity(value, unit))] => {
                let unit = quantity::calendar_unit(unit).map_or_else(|| unit.clone(), Into::into);
                Some(Item::Quantity(*value, unit))
            }
            [lexer::Token::Literal(item)] => {
                math::number(item).map(|value| Item::Quantity(value, "1".into()))
            }
            _ => None,
        },
        _ => math::number(item).map(|value| Item::Quantity(value, "1".into())),
    }
}

fn date<'v>(item: &Item<'v>) -> Option<Item<'v>> {
    let moment = match item {
        Item::Temporal(moment) if moment.kind != Kind::Time => *moment,
        Item::String(text) => Temporal::date_time(text)?,
        _ => return None,
    };
    let parts = moment.parts.min(3);
    Some(Item::Temporal(Temporal { kind: Kind::Date, parts, offset: None, ..moment }))
}

fn date_time<'v>(item: &Item<'v>) -> Option<Item<'v>> {
    let moment = match item {
        Item::Temporal(moment) if moment.kind != Kind::Time => *moment,
        Item::String(text) => Temporal::date_time(text)?,
        _ => return None,
    };
    Some(Item::Temporal(Temporal { kind: Kind::DateTime, ..moment }))
}

fn time<'v>(item: &Item<'v>) -> Option<Item<'v>> {
    match item {
        Item::Temporal(moment) if moment.kind == Kind::Time => Some(Item::Temporal(*moment)),
        Item::String(text) => Temporal::time(text).map(Item::Temporal),
        _ => None,
    }
}
