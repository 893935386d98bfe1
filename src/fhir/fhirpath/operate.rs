//! Operators: equality, order, logic, sets.
//! <http://hl7.org/fhirpath/N1/#operations>

use std::cmp::Ordering;

use rust_decimal::{Decimal, RoundingStrategy};

use super::Fault;
use super::ast::{Expr, Operator};
use super::eval::{Eval, Focus, fault};
use super::item::{Item, Items};
use super::temporal::Temporal;
use super::{math, quantity};

impl<'v> Eval<'_, 'v> {
    pub(super) fn binary(
        &self,
        operator: Operator,
        left: &Expr,
        right: &Expr,
        focus: &Focus<'v>,
    ) -> Result<Items<'v>, Fault> {
        let truth = match operator {
            Operator::And | Operator::Or | Operator::Xor | Operator::Implies => {
                return self.logic(operator, left, right, focus).map(as_items);
            }
            Operator::Union => {
                let mut all = self.eval(left, focus)?;
                all.extend(self.eval(right, focus)?);
                return self.distinct(all);
            }
            Operator::Equal => self.equal(left, right, focus)?,
            Operator::NotEqual => self.equal(left, right, focus)?.map(|equal| !equal),
            Operator::Equivalent => Some(self.equivalent(left, right, focus)?),
            Operator::NotEquivalent => Some(!self.equivalent(left, right, focus)?),
            Operator::In => self.is_in(left, right, focus)?,
            Operator::Contains => self.is_in(right, left, focus)?,
            Operator::Less
            | Operator::LessOrEqual
            | Operator::Greater
            | Operator::GreaterOrEqual => {
                let (left, right) = (self.one(left, focus)?, self.one(right, focus)?);
                let (Some(left), Some(right)) = (left, right) else { return Ok(Vec::new()) };
                compare(&left, &right)?.map(|order| match operator {
                    Operator::Less => order == Ordering::Less,
                    Operator::LessOrEqual => order != Ordering::Greater,
                    Operator::Greater => order == Ordering::Greater,
                    _ => order != Ordering::Less,
                })
            }
            _ => {
                let (left, right) = (self.one(left, focus)?, self.one(right, focus)?);
                return math::arithmetic(operator, left, right);
            }
        };
        Ok(as_items(truth))
    }

    fn logic(
        &self,
        operator: Operator,
        left: &Expr,
        right: &Expr,
        focus: &Focus<'v>,
    ) -> Result<Option<bool>, Fault> {
        let left = self.condition(left, focus)?;
        match (operator, left) {
            (Operator::And, Some(false)) => return Ok(Some(false)),
            (Operator::Or, Some(true)) | (Operator::Implies, Some(false)) => {
                return Ok(Some(true));
            }
            _ => {}
        }
        let right = self.condition(right, focus)?;
        Ok(match (operator, left, right) {
            (Operator::And, _, Some(false)) => Some(false),
            (Operator::Or | Operator::Implies, _, Some(true)) => Some(true),
            (Operator::And | Operator::Implies, Some(true), known) => known,
            (Operator::Or, Some(false), known) => known,
            (Operator::Xor, Some(a), Some(b)) => Some(a != b),
            _ => None,
        })
    }

    fn equal(&self, left: &Expr, right: &Expr, focus: &Focus<'v>) -> Result<Option<bool>, Fault> {
        let (left, right) = (self.eval(left, focus)?, self.eval(right, focus)?);
        self.spend(left.len() + right.len())?;
        if left.is_empty() || right.is_empty() {
            return Ok(None);
        }
        if left.len() != right.len() {
            return Ok(Some(false));
        }
        let mut all = Some(true);
        for (a, b) in left.iter().zip(&right) {
            match equal(a, b) {
                Some(true) => {}
                Some(false) => return Ok(Some(false)),
                None => all = None,
            }
        }
        Ok(all)
    }

    fn equivalent(&self, left: &Expr, right: &Expr, focus: &Focus<'v>) -> Result<bool, Fault> {
        let (left, mut right) = (self.eval(left, focus)?, self.eval(right, focus)?);
        if left.len() != right.len() {
            return Ok(false);
        }
        for item in &left {
            self.spend(right.len())?;
            let Some(at) = right.iter().position(|other| equivalent(item, other)) else {
                return Ok(false);
            };
            right.swap_remove(at);
        }
        Ok(true)
    }

    fn is_in(&self, item: &Expr, all: &Expr, focus: &Focus<'v>) -> Result<Option<bool>, Fault> {
        let items = self.eval(item, focus)?;
        if items.len() > 1 {
            return fault("in and contains look for one item");
        }
        let Some(item) = items.first() else { return Ok(None) };
        let all = self.eval(all, focus)?;
        self.spend(all.len())?;
        Ok(Some(all.iter().any(|other| equal(item, other) == Some(true))))
    }

    /// Every item once, in the order of its first appearance.
    pub(super) fn distinct(&self, items: Items<'v>) -> Result<Items<'v>, Fault> {
        let mut kept: Items<'v> = Vec::with_capacity(items.len());
        for item in items {
            self.spend(kept.len())?;
            if !kept.iter().any(|known| equal(known, &item) == Some(true)) {
                kept.push(item);
            }
        }
        Ok(kept)
    }

    /// The items that are, or are not, among others.
    pub(super) fn among(
        &self,
        items: Items<'v>,
        others: &Items<'v>,
        wanted: bool,
    ) -> Result<Items<'v>, Fault> {
        self.spend(items.len().saturating_mul(others.len()))?;
        let is_among =
            |item: &Item<'v>| others.iter().any(|other| equal(item, other) == Some(true));
        Ok(items.into_iter().filter(|item| is_among(item) == wanted).collect())
    }
}

fn as_items<'v>(truth: Option<bool>) -> Items<'v> {
    truth.map(Item::Bool).into_iter().collect()
}

/// Two texts that are dates where the type of an element is not known.
fn moments(left: &str, right: &str) -> Option<(Temporal, Temporal)> {
    let read = |text: &str| Temporal::date_time(text).filter(|_| text.len() >= 7);
    Some((read(left)?, read(right)?))
}

/// Equality of two items; `None` if their precision does not tell.
pub(super) fn equal(left: &Item<'_>, right: &Item<'_>) -> Option<bool> {
    if let (Item::Node(a), Item::Node(b)) = (left, right)
        && (a.value.is_object() || b.value.is_object())
    {
        return Some(a.value == b.value);
    }
    let (Some(a), Some(b)) = (left.system(), right.system()) else { return Some(left == right) };
    Some(match (&a, &b) {
        (Item::Temporal(x), Item::Temporal(y)) => match x.kind == y.kind {
            true => return x.compare(y).map(|order| order == Ordering::Equal),
            false if is_time(x) || is_time(y) => false,
            false => return x.compare(y).map(|order| order == Ordering::Equal),
        },
        (Item::Quantity(x, u), Item::Quantity(y, v)) => {
            if is_variable(u) != is_variable(v) {
                return None;
            }
            return quantity::compare((*x, u), (*y, v)).map(|order| order == Ordering::Equal);
        }
        (Item::Quantity(..), Item::Integer(_) | Item::Decimal(_)) => {
            return equal(&a, &as_quantity(&b));
        }
        (Item::Integer(_) | Item::Decimal(_), Item::Quantity(..)) => {
            return equal(&as_quantity(&a), &b);
        }
        _ => match (math::number(&a), math::number(&b)) {
            (Some(x), Some(y)) => x == y,
            _ => a == b,
        },
    })
}

/// Calendar years and months are no definite length; UCUM's are.
fn is_variable(unit: &str) -> bool {
    matches!(quantity::calendar_unit(unit), Some("year" | "month"))
}

fn as_quantity<'v>(item: &Item<'v>) -> Item<'v> {
    Item::Quantity(math::number(item).unwrap_or_default(), "1".into())
}

fn is_time(moment: &Temporal) -> bool {
    moment.kind == super::temporal::Kind::Time
}

fn equivalent(left: &Item<'_>, right: &Item<'_>) -> bool {
    let (Some(a), Some(b)) = (left.system(), right.system()) else {
        return equal(left, right) == Some(true);
    };
    match (&a, &b) {
        (Item::String(x), Item::String(y)) => folded(x) == folded(y),
        (Item::Temporal(x), Item::Temporal(y)) => x.compare(y) == Some(Ordering::Equal),
        (Item::Quantity(x, u), Item::Quantity(y, v)) => {
            quantity::comparable((*x, u), (*y, v)).is_some_and(|(x, y)| roughly(x, y))
        }
        _ => match (math::number(&a), math::number(&b)) {
            (Some(x), Some(y)) => roughly(x, y),
            _ => equal(&a, &b) == Some(true),
        },
    }
}

fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Equal to the lesser of both precisions.
fn roughly(x: Decimal, y: Decimal) -> bool {
    let scale = x.normalize().scale().min(y.normalize().scale());
    let strategy = RoundingStrategy::MidpointAwayFromZero;
    x.round_dp_with_strategy(scale, strategy) == y.round_dp_with_strategy(scale, strategy)
}

/// Which is less; `None` if that cannot be told.
pub(super) fn compare(left: &Item<'_>, right: &Item<'_>) -> Result<Option<Ordering>, Fault> {
    Ok(match (left, right) {
        (Item::String(a), Item::String(b)) => match moments(a, b) {
            Some((a, b)) => a.compare(&b),
            None => Some(a.cmp(b)),
        },
        (Item::Temporal(a), Item::Temporal(b)) if is_time(a) == is_time(b) => a.compare(b),
        (Item::Temporal(a), Item::String(b)) => Temporal::date_time(b).and_then(|b| a.compare(&b)),
        (Item::String(a), Item::Temporal(b)) => Temporal::date_time(a).and_then(|a| a.compare(b)),
        (Item::Quantity(a, u), Item::Quantity(b, v)) => quantity::compare((*a, u), (*b, v)),
        (Item::Quantity(..), Item::Integer(_) | Item::Decimal(_)) => {
            return compare(left, &as_quantity(right));
        }
        (Item::Integer(_) | Item::Decimal(_), Item::Quantity(..)) => {
            return compare(&as_quantity(left), right);
        }
        _ => match (math::number(left), math::number(right)) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            _ => return fault("these two are not in an order"),
        },
    })
}
