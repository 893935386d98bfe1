//! Arithmetic and functions of numbers.
//! <http://hl7.org/fhirpath/N1/#math-1>, <http://hl7.org/fhirpath/N1/#math>

use rust_decimal::prelude::{FromPrimitive, ToPrimitive};
use rust_decimal::{Decimal, RoundingStrategy};

use super::ast::{Expr, Operator};
use super::eval::{Eval, Focus, fault, one_of};
use super::function::Function;
use super::item::{Item, Items};
use super::{Fault, quantity, temporal};

/// A number as decimal.
pub(super) fn number(item: &Item<'_>) -> Option<Decimal> {
    match item {
        Item::Integer(value) => Some(Decimal::from(*value)),
        Item::Decimal(value) => Some(*value),
        _ => None,
    }
}

/// The negative of one number.
pub(super) fn negate(items: Items<'_>) -> Result<Items<'_>, Fault> {
    Ok(match one_of(&items)? {
        None => Vec::new(),
        Some(Item::Integer(value)) => vec![Item::Integer(-value)],
        Some(Item::Decimal(value)) => vec![Item::Decimal(-value)],
        Some(Item::Quantity(value, unit)) => vec![Item::Quantity(-value, unit)],
        Some(_) => return fault("only numbers have a negative"),
    })
}

/// `+ - * / div mod &`.
pub(super) fn arithmetic<'v>(
    operator: Operator,
    left: Option<Item<'v>>,
    right: Option<Item<'v>>,
) -> Result<Items<'v>, Fault> {
    if operator == Operator::Concatenate {
        let text = |item: &Option<Item<'v>>| match item {
            None => Ok(String::new()),
            Some(Item::String(text)) => Ok(text.to_string()),
            Some(_) => fault("& joins texts"),
        };
        return Ok(vec![Item::String((text(&left)? + &text(&right)?).into())]);
    }
    let (Some(left), Some(right)) = (left, right) else { return Ok(Vec::new()) };
    let result = match (&left, &right) {
        (Item::String(a), Item::String(b)) if operator == Operator::Plus => {
            Some(Item::String(format!("{a}{b}").into()))
        }
        (Item::Temporal(moment), Item::Quantity(value, unit)) => {
            moved(operator, *moment, *value, unit)?
        }
        (Item::Quantity(..), _) | (_, Item::Quantity(..)) => amounts(operator, &left, &right)?,
        (Item::Integer(a), Item::Integer(b)) => whole(operator, *a, *b)?,
        _ => match (number(&left), number(&right)) {
            (Some(a), Some(b)) => decimals(operator, a, b)?,
            _ => return fault("these two cannot be reckoned with"),
        },
    };
    Ok(result.into_iter().collect())
}

fn whole<'v>(operator: Operator, a: i64, b: i64) -> Result<Option<Item<'v>>, Fault> {
    let value = match operator {
        Operator::Plus => a.checked_add(b),
        Operator::Minus => a.checked_sub(b),
        Operator::Times => a.checked_mul(b),
        Operator::Div => a.checked_div(b),
        Operator::Mod => a.checked_rem(b),
        _ => return decimals(operator, Decimal::from(a), Decimal::from(b)),
    };
    Ok(value.map(Item::Integer))
}

fn decimals<'v>(operator: Operator, a: Decimal, b: Decimal) -> Result<Option<Item<'v>>, Fault> {
    let value = match operator {
        Operator::Plus => a.checked_add(b),
        Operator::Minus => a.checked_sub(b),
        Operator::Times => a.checked_mul(b),
        Operator::Divide => a.checked_div(b),
        Operator::Div => {
            let whole = a.checked_div(b).and_then(|q| q.trunc().to_i64());
            return Ok(whole.map(Item::Integer));
        }
        Operator::Mod => a.checked_rem(b),
        _ => return fault("not an operator of numbers"),
    };
    Ok(value.map(Item::Decimal))
}

fn amounts<'v>(
    operator: Operator,
    left: &Item<'v>,
    right: &Item<'v>,
) -> Result<Option<Item<'v>>, Fault> {
    let amount = |item: &Item<'v>| match item {
        Item::Quantity(value, unit) => Some((*value, unit.to_string())),
        _ => number(item).map(|value| (value, "1".to_owned())),
    };
    let (Some(left), Some(right)) = (amount(left), amount(right)) else {
        return fault("these two cannot be reckoned with");
    };
    let (a, b) = ((left.0, left.1.as_str()), (right.0, right.1.as_str()));
    Ok(match operator {
        Operator::Times | Operator::Divide => quantity::combine(a, b, operator == Operator::Divide)
            .map(|(value, unit)| Item::Quantity(value, unit.into())),
        Operator::Plus | Operator::Minus if a.1 == b.1 => {
            let value = if operator == Operator::Plus { a.0 + b.0 } else { a.0 - b.0 };
            Some(Item::Quantity(value, left.1.into()))
        }
        _ => return fault("these two cannot be reckoned with"),
    })
}

/// A date or time later or earlier.
fn moved<'v>(
    operator: Operator,
    moment: temporal::Temporal,
    value: Decimal,
    unit: &str,
) -> Result<Option<Item<'v>>, Fault> {
    let calendar = quantity::calendar_unit(unit).or_else(|| quantity::calendar_of_ucum(unit));
    let Some(calendar) = calendar else {
        return fault("a date is moved by years, months, weeks, days or parts of these");
    };
    let value = match operator {
        Operator::Plus => value,
        Operator::Minus => -value,
        _ => return fault("dates are only added to and subtracted from"),
    };
    let span = temporal::span(value, calendar);
    Ok(span.and_then(|span| moment.moved(span)).map(Item::Temporal))
}

impl<'v> Eval<'_, 'v> {
    /// Functions of one number.
    pub(super) fn number_call(
        &self,
        function: Function,
        input: &Items<'v>,
        arguments: &[Expr],
        focus: &Focus<'v>,
    ) -> Result<Items<'v>, Fault> {
        let Some(item) = one_of(input)? else { return Ok(Vec::new()) };
        if let (Function::Abs, Item::Quantity(value, unit)) = (function, &item) {
            return Ok(vec![Item::Quantity(value.abs(), unit.clone())]);
        }
        let Some(value) = number(&item) else { return fault("a number is needed") };
        let is_whole = matches!(item, Item::Integer(_));
        let argument = match arguments.first() {
            Some(argument) => match self.one(argument, focus)? {
                None => return Ok(Vec::new()),
                Some(item) => number(&item),
            },
            None => None,
        };
        let integer = |value: Decimal| value.to_i64().map(Item::Integer);
        let float = |result: f64| {
            let finite = result.is_finite().then_some(result);
            finite.and_then(Decimal::from_f64).map(Item::Decimal)
        };
        let x = value.to_f64().unwrap_or(f64::NAN);
        let result = match function {
            Function::Abs if is_whole => integer(value.abs()),
            Function::Abs => Some(Item::Decimal(value.abs())),
            Function::Ceiling => integer(value.ceil()),
            Function::Floor => integer(value.floor()),
            Function::Truncate => integer(value.trunc()),
            Function::Round => {
                let places = argument.and_then(|a| a.to_u32()).unwrap_or(0);
                let strategy = RoundingStrategy::MidpointAwayFromZero;
                Some(Item::Decimal(value.round_dp_with_strategy(places.min(28), strategy)))
            }
            Function::Sqrt => float(x.sqrt()),
            Function::Exp => float(x.exp()),
            Function::Ln => float(x.ln()),
            Function::Log => float(x.ln() / argument.and_then(|a| a.to_f64()).unwrap_or(0.0).ln()),
            Function::Power => {
                let power = argument.and_then(|a| a.to_f64()).unwrap_or(f64::NAN);
                match float(x.powf(power)) {
                    Some(Item::Decimal(result)) if is_whole && result.fract().is_zero() => {
                        integer(result)
                    }
                    other => other,
                }
            }
            _ => None,
        };
        Ok(result.into_iter().collect())
    }
}
