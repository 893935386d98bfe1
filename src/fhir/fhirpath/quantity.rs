//! Amounts with a unit, as far as expressions compare and reckon with them.
//! <http://hl7.org/fhirpath/N1/#quantity>

use std::cmp::Ordering;

use rust_decimal::Decimal;

/// The singular of a calendar unit.
pub(super) fn calendar_unit(word: &str) -> Option<&'static str> {
    let singular = word.strip_suffix('s').unwrap_or(word);
    ["year", "month", "week", "day", "hour", "minute", "second", "millisecond"]
        .into_iter()
        .find(|unit| *unit == singular)
}

/// The calendar unit that a UCUM unit of a definite length is.
pub(super) fn calendar_of_ucum(code: &str) -> Option<&'static str> {
    Some(match code {
        "wk" => "week",
        "d" => "day",
        "h" => "hour",
        "min" => "minute",
        "s" => "second",
        "ms" => "millisecond",
        _ => return None,
    })
}

/// A unit as base units with powers, and how many of them it is. Few units, and no others:
/// what is not known is not compared.
struct Unit {
    factor: Decimal,
    powers: Vec<(&'static str, i32)>,
}

/// Symbols: base, mantissa and scale of the factor.
const ATOMS: [(&str, &str, i64, u32); 37] = [
    ("kg", "g", 1000, 0),
    ("g", "g", 1, 0),
    ("mg", "g", 1, 3),
    ("ug", "g", 1, 6),
    ("ng", "g", 1, 9),
    ("[lb_av]", "g", 45_359_237, 5),
    ("[oz_av]", "g", 28_349_523_125, 9),
    ("km", "m", 1000, 0),
    ("m", "m", 1, 0),
    ("dm", "m", 1, 1),
    ("cm", "m", 1, 2),
    ("mm", "m", 1, 3),
    ("um", "m", 1, 6),
    ("[in_i]", "m", 254, 4),
    ("[ft_i]", "m", 3048, 4),
    ("L", "L", 1, 0),
    ("l", "L", 1, 0),
    ("dL", "L", 1, 1),
    ("mL", "L", 1, 3),
    ("ms", "s", 1, 3),
    ("s", "s", 1, 0),
    ("min", "s", 60, 0),
    ("h", "s", 3600, 0),
    ("d", "s", 86400, 0),
    ("wk", "s", 604_800, 0),
    ("mol", "mol", 1, 0),
    ("mmol", "mol", 1, 3),
    ("umol", "mol", 1, 6),
    ("nmol", "mol", 1, 9),
    ("pmol", "mol", 1, 12),
    ("pg", "g", 1, 12),
    ("uL", "L", 1, 6),
    ("Pa", "Pa", 1, 0),
    ("kPa", "Pa", 1000, 0),
    ("mm[Hg]", "Pa", 133_322, 3),
    ("%", "", 1, 2),
    ("1", "", 1, 0),
];

fn unit(text: &str) -> Option<Unit> {
    let text = match calendar_unit(text) {
        Some("year") => return Some(named("year")),
        Some("month") => return Some(named("month")),
        Some("week") => "wk",
        Some("day") => "d",
        Some("hour") => "h",
        Some("minute") => "min",
        Some("second") => "s",
        Some("millisecond") => "ms",
        _ => text,
    };
    let mut whole = Unit { factor: Decimal::ONE, powers: Vec::new() };
    for (at, part) in text.split('/').enumerate() {
        let sign = if at == 0 { 1 } else { -1 };
        for atom in part.split('.').filter(|atom| !atom.is_empty()) {
            whole.multiply(atom, sign)?;
        }
    }
    whole.powers.retain(|(base, power)| !base.is_empty() && *power != 0);
    whole.powers.sort_unstable();
    Some(whole)
}

fn named(name: &'static str) -> Unit {
    Unit { factor: Decimal::ONE, powers: vec![(name, 1)] }
}

impl Unit {
    fn multiply(&mut self, atom: &str, sign: i32) -> Option<()> {
        // What stands in braces is a note: `{beats}/min` is `/min`.
        if atom.starts_with('{') && atom.ends_with('}') {
            return Some(());
        }
        let (symbol, power) = match atom.strip_suffix(|c: char| c.is_ascii_digit()) {
            Some(symbol) if !symbol.is_empty() && atom != "1" => {
                (symbol, i32::try_from(atom.chars().last()?.to_digit(10)?).ok()?)
            }
            _ => (atom, 1),
        };
        let known = ATOMS.iter().find(|(name, ..)| *name == symbol)?;
        let factor = Decimal::try_new(known.2, known.3).ok()?;
        for _ in 0..power {
            self.factor = match sign {
                1 => self.factor.checked_mul(factor)?,
                _ => self.factor.checked_div(factor)?,
            };
        }
        match self.powers.iter_mut().find(|(base, _)| *base == known.1) {
            Some(entry) => entry.1 += sign * power,
            None => self.powers.push((known.1, sign * power)),
        }
        Some(())
    }
}

/// An amount and its unit.
pub(super) type Amount<'a> = (Decimal, &'a str);

/// Both amounts in the same unit; `None` if that cannot be told.
pub(super) fn comparable(left: Amount<'_>, right: Amount<'_>) -> Option<(Decimal, Decimal)> {
    if left.1 == right.1 {
        return Some((left.0, right.0));
    }
    let (a, b) = (unit(left.1)?, unit(right.1)?);
    (a.powers == b.powers)
        .then(|| Some((left.0.checked_mul(a.factor)?, right.0.checked_mul(b.factor)?)))
        .flatten()
}

/// An amount in another unit; `None` if that cannot be told. Scales of temperature begin at
/// different points.
pub(super) fn in_unit((value, from): Amount<'_>, to: &str) -> Option<Decimal> {
    let (nine, five) = (Decimal::from(9), Decimal::from(5));
    let celsius = match from {
        "Cel" => Some(value),
        "K" => value.checked_sub(Decimal::new(27_315, 2)),
        "[degF]" => value.checked_sub(Decimal::from(32))?.checked_mul(five)?.checked_div(nine),
        _ => None,
    };
    match (celsius, to) {
        (Some(celsius), "Cel") => Some(celsius),
        (Some(celsius), "K") => celsius.checked_add(Decimal::new(27_315, 2)),
        (Some(celsius), "[degF]") => {
            celsius.checked_mul(nine)?.checked_div(five)?.checked_add(Decimal::from(32))
        }
        _ => {
            let (a, b) = (unit(from)?, unit(to)?);
            let same = a.powers == b.powers;
            same.then(|| value.checked_mul(a.factor)?.checked_div(b.factor)).flatten()
        }
    }
}

/// Which is less.
pub(super) fn compare(left: Amount<'_>, right: Amount<'_>) -> Option<Ordering> {
    comparable(left, right).map(|(a, b)| a.cmp(&b))
}

/// The product or the quotient, in base units.
pub(super) fn combine(
    left: Amount<'_>,
    right: Amount<'_>,
    divides: bool,
) -> Option<(Decimal, String)> {
    let (mut a, b) = (unit(left.1)?, unit(right.1)?);
    let x = left.0.checked_mul(a.factor)?;
    let y = right.0.checked_mul(b.factor)?;
    let value = if divides { x.checked_div(y)? } else { x.checked_mul(y)? };
    for (base, power) in b.powers {
        let power = if divides { -power } else { power };
        match a.powers.iter_mut().find(|(known, _)| *known == base) {
            Some(entry) => entry.1 += power,
            None => a.powers.push((base, power)),
        }
    }
    a.powers.retain(|(_, power)| *power != 0);
    let part = |positive: bool| {
        let shown =
            a.powers.iter().filter(|(_, p)| (*p > 0) == positive).map(|(base, power)| match power
                .abs()
            {
                1 => (*base).to_owned(),
                n => format!("{base}{n}"),
            });
        shown.collect::<Vec<_>>().join(".")
    };
    let (above, below) = (part(true), part(false));
    let text = match (above.is_empty(), below.is_empty()) {
        (true, true) => "1".to_owned(),
        (false, true) => above,
        _ => format!("{above}/{below}"),
    };
    Some((value, text))
}
