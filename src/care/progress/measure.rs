//! What is measured, what a target allows, what a reading says: all in comparable units.

use serde_json::Value;

use crate::compare::{clinical_text, grams_per_mole, quantity, token};
use crate::flow::Token;

/// Two numbers this close, as a share, are one: a unit that was converted is rounded.
const ROUNDING: f64 = 0.005;

/// What is measured.
#[derive(Clone, Debug)]
pub(super) struct Measure {
    codes: Vec<Token>,
    text: Box<str>,
}

impl Measure {
    /// Of a CodeableConcept; `None` if it says nothing.
    pub(super) fn of(concept: &Value) -> Option<Self> {
        let codes = codings(concept);
        let text = name(concept).map(|name| clinical_text(&name)).unwrap_or_default();
        (!codes.is_empty() || !text.is_empty()).then_some(Self { codes, text })
    }

    /// Whether both are one: by a shared code; by name only where one of them has no code.
    pub(super) fn is(&self, other: &Self) -> bool {
        if self.codes.is_empty() || other.codes.is_empty() {
            return !self.text.is_empty() && self.text == other.text;
        }
        self.codes.iter().any(|code| other.codes.contains(code))
    }
}

/// A number in its comparable unit.
#[derive(Clone, Debug)]
pub(super) struct Amount {
    comparator: Box<str>,
    number: f64,
    unit: Box<str>,
}

impl Amount {
    fn of(quantity_of: &Value) -> Option<Self> {
        let text = |name: &str| quantity_of.get(name).and_then(Value::as_str).unwrap_or_default();
        let unit = if text("code").is_empty() { text("unit") } else { text("code") };
        let (number, unit) = quantity(&quantity_of.get("value")?.to_string(), unit);
        let number = number.parse().ok()?;
        Some(Self { comparator: text("comparator").into(), number, unit })
    }

    /// The number in a unit, or none if there is no way to it.
    fn number_in(&self, unit: &str, measure: &Measure) -> Option<f64> {
        let bare = |unit: &str| unit.is_empty() || unit == "1";
        let weight = || grams_per_mole(&measure.codes, &measure.text);
        match (&*self.unit, unit) {
            (from, to) if from == to || (bare(from) && bare(to)) => Some(self.number),
            ("mol/L", "g/L") => Some(self.number * weight()?),
            ("g/L", "mol/L") => Some(self.number / weight()?),
            _ => None,
        }
    }
}

/// What a reading says.
#[derive(Clone, Debug)]
pub(super) enum Said {
    Amount(Amount),
    Concept(Vec<Token>, Box<str>),
    Flag(bool),
}

impl Said {
    /// Of the choice element `prefix` (`value[x]`, `detail[x]`).
    pub(super) fn of(from: &Value, prefix: &str) -> Option<Self> {
        let get = |kind: &str| from.get(format!("{prefix}{kind}"));
        if let Some(quantity) = get("Quantity") {
            return Amount::of(quantity).map(Self::Amount);
        }
        if let Some(number) = get("Integer").and_then(Value::as_f64) {
            return Some(Self::Amount(Amount { comparator: "".into(), number, unit: "1".into() }));
        }
        if let Some(flag) = get("Boolean").and_then(Value::as_bool) {
            return Some(Self::Flag(flag));
        }
        if let Some(concept) = get("CodeableConcept") {
            let text = name(concept).map(|name| clinical_text(&name)).unwrap_or_default();
            return Some(Self::Concept(codings(concept), text));
        }
        let text = get("String")?.as_str()?;
        Some(Self::Concept(Vec::new(), clinical_text(text)))
    }
}

/// What a target allows.
#[derive(Clone, Debug)]
pub(super) enum Aim {
    /// Between bounds; each with whether it belongs to it.
    Within { low: Option<(f64, bool)>, high: Option<(f64, bool)>, unit: Box<str> },
    /// A number to get to, from either side.
    To(Amount),
    /// A value that is no number.
    Is(Said),
}

impl Aim {
    /// Of a `Goal.target`.
    pub(super) fn of(target: &Value) -> Option<Self> {
        if let Some(range) = target.get("detailRange") {
            let end = |name: &str| range.get(name).and_then(Amount::of);
            let (low, high) = (end("low"), end("high"));
            let unit = high.as_ref().or(low.as_ref())?.unit.clone();
            let inclusive = |end: Option<Amount>| end.map(|amount| (amount.number, true));
            return Some(Self::Within { low: inclusive(low), high: inclusive(high), unit });
        }
        let said = Said::of(target, "detail")?;
        let Said::Amount(amount) = said else { return Some(Self::Is(said)) };
        let bound = |inclusive: bool| Some((amount.number, inclusive));
        let unit = amount.unit.clone();
        Some(match &*amount.comparator {
            "<" => Self::Within { low: None, high: bound(false), unit },
            "<=" => Self::Within { low: None, high: bound(true), unit },
            ">" => Self::Within { low: bound(false), high: None, unit },
            ">=" => Self::Within { low: bound(true), high: None, unit },
            _ => Self::To(amount),
        })
    }

    /// Whether a reading meets it, as far as that can be told. `first`: where it began, which says
    /// from which side a number is to be reached.
    pub(super) fn met(&self, said: &Said, first: &Said, measure: &Measure) -> Option<bool> {
        match (self, said) {
            (Self::Within { low, high, unit }, Said::Amount(amount)) => {
                let number = amount.number_in(unit, measure)?;
                match &*amount.comparator {
                    "" => Some(
                        low.is_none_or(|(low, with)| number > low || (with && number == low))
                            && high.is_none_or(|(high, with)| {
                                number < high || (with && number == high)
                            }),
                    ),
                    "<" | "<=" if low.is_none() => high.map(|(high, _)| number <= high),
                    ">" | ">=" if high.is_none() => low.map(|(low, _)| number >= low),
                    _ => None,
                }
            }
            (Self::To(to), Said::Amount(amount)) => {
                let number = amount.number_in(&to.unit, measure)?;
                let Said::Amount(first) = first else { return None };
                let began = first.number_in(&to.unit, measure)?;
                let is_there = (number - to.number).abs() <= ROUNDING * to.number.abs();
                let is_past = (began > to.number && number < to.number)
                    || (began < to.number && number > to.number);
                (amount.comparator.is_empty()).then_some(is_there || is_past)
            }
            (Self::Is(Said::Flag(aim)), Said::Flag(said)) => Some(aim == said),
            (Self::Is(Said::Concept(aims, aim)), Said::Concept(codes, text)) => {
                if aims.is_empty() || codes.is_empty() {
                    return (!aim.is_empty() && !text.is_empty()).then_some(aim == text);
                }
                Some(aims.iter().any(|code| codes.contains(code)))
            }
            _ => None,
        }
    }

    /// How far a reading is from it, as a share of the number aimed at; 0 where it is met.
    pub(super) fn distance(&self, said: &Said, measure: &Measure) -> Option<f64> {
        let (unit, aims) = match self {
            Self::Within { low, high, unit } => (unit, [*low, *high].map(|end| Some(end?.0))),
            Self::To(to) => (&to.unit, [Some(to.number), Some(to.number)]),
            Self::Is(_) => return None,
        };
        let Said::Amount(amount) = said else { return None };
        let number = amount.number_in(unit, measure)?;
        let [low, high] = aims;
        let below = low.map_or(0.0, |low| low - number);
        let above = high.map_or(0.0, |high| number - high);
        let scale = high.or(low).map(f64::abs).filter(|scale| *scale > 0.0).unwrap_or(1.0);
        Some(below.max(above).max(0.0) / scale)
    }
}

/// A quantity as people read it.
pub(in crate::care) fn shown(from: &Value, prefix: &str) -> Option<String> {
    let get = |kind: &str| from.get(format!("{prefix}{kind}"));
    let amount = |quantity: &Value| {
        let text = |name: &str| quantity.get(name).and_then(Value::as_str).unwrap_or_default();
        let unit = if text("unit").is_empty() { text("code") } else { text("unit") };
        let value = quantity.get("value")?.to_string();
        Some(format!("{}{value} {unit}", text("comparator")).trim_end().to_owned())
    };
    if let Some(quantity) = get("Quantity") {
        return amount(quantity);
    }
    if let Some(range) = get("Range") {
        let end = |name: &str| range.get(name).and_then(amount).unwrap_or_default();
        return Some(format!("{} to {}", end("low"), end("high")));
    }
    if let Some(concept) = get("CodeableConcept") {
        return name(concept);
    }
    let plain = get("String").and_then(Value::as_str).map(str::to_owned);
    plain.or_else(|| get("Integer").or_else(|| get("Boolean")).map(Value::to_string))
}

/// What a CodeableConcept is called: its text, else a display, else a code.
pub(in crate::care) fn name(concept: &Value) -> Option<String> {
    let own = concept.get("text").and_then(Value::as_str);
    let codings = concept.get("coding").and_then(Value::as_array);
    let of = |name: &str| {
        codings.into_iter().flatten().find_map(|c| c.get(name).and_then(Value::as_str))
    };
    own.or_else(|| of("display")).or_else(|| of("code")).map(str::to_owned)
}

fn codings(concept: &Value) -> Vec<Token> {
    let all = concept.get("coding").and_then(Value::as_array);
    all.into_iter().flatten().filter_map(token).collect()
}
