//! Whether two values with units are one amount, rounded here and there on their way.

use crate::compare::grams_per_mole;
use crate::flow::Token;

use super::evidence::Agreement;

/// How far two roundings of one amount may lie apart, as a share of it: a unit that was converted
/// and rounded to three digits is off by less.
const ROUNDING: f64 = 0.006;
/// The same between mass and substance, where laboratories round to two digits.
const ROUNDING_OF_MOLES: f64 = 0.015;

/// What is measured.
#[derive(Clone, Copy)]
pub(super) struct Measure<'a> {
    pub(super) codes: &'a [Token],
    /// Its name, normalised.
    pub(super) text: &'a str,
}

/// Compares two normalised values of one measure.
pub(super) fn amounts(a: &str, b: &str, measure: Measure<'_>) -> Agreement {
    match (a.is_empty() || b.is_empty(), a == b) {
        (true, _) => return Agreement::Silent,
        (false, true) => return Agreement::Same,
        (false, false) => {}
    }
    if let (Some((low_a, high_a)), Some((low_b, high_b))) = (a.split_once(".."), b.split_once(".."))
    {
        // Of a range, both ends.
        let ends = [amounts(low_a, low_b, measure), amounts(high_a, high_b, measure)];
        return if ends.iter().any(|end| end.differs()) {
            Agreement::Differs
        } else {
            Agreement::Close
        };
    }
    let (Some(x), Some(y)) = (read(a), read(b)) else { return Agreement::Differs };
    if x.comparator != y.comparator && !x.comparator.is_empty() && !y.comparator.is_empty() {
        return Agreement::Differs;
    }
    let Some(y_value) = in_unit_of(&x, &y, measure) else { return Agreement::Differs };
    let off = (x.value - y_value).abs();
    // Readings in one unit are not rounded: 120 and 120.5 are two.
    let share = match (x.unit == y.unit, x.exact(&y)) {
        (true, true) => 0.0,
        (true, false) => ROUNDING,
        (false, _) => ROUNDING_OF_MOLES,
    };
    let tolerance = share * x.value.abs().max(y_value.abs());
    if off <= tolerance { Agreement::Close } else { Agreement::Differs }
}

struct Amount<'a> {
    comparator: &'a str,
    digits: &'a str,
    value: f64,
    unit: &'a str,
}

impl Amount<'_> {
    /// Whether both were told in few digits of one unit, so neither was converted.
    fn exact(&self, other: &Self) -> bool {
        let few = |a: &Self| a.digits.bytes().filter(u8::is_ascii_digit).count() <= 4;
        self.unit == other.unit && few(self) && few(other)
    }
}

/// `<80000 g` → comparator, number, unit.
fn read(text: &str) -> Option<Amount<'_>> {
    let number_at = text.find(|c: char| c.is_ascii_digit() || c == '-')?;
    let (comparator, rest) = text.split_at(number_at);
    let (digits, unit) = rest.split_once(' ').unwrap_or((rest, ""));
    let plain = matches!(comparator, "" | "<" | "<=" | ">" | ">=");
    let value = digits.parse().ok()?;
    plain.then_some(Amount { comparator: comparator.trim_end_matches('='), digits, value, unit })
}

fn in_unit_of(x: &Amount<'_>, y: &Amount<'_>, measure: Measure<'_>) -> Option<f64> {
    let weight = || grams_per_mole(measure.codes, measure.text);
    match (x.unit, y.unit) {
        (a, b) if a == b => Some(y.value),
        ("g/L", "mol/L") => Some(y.value * weight()?),
        ("mol/L", "g/L") => Some(y.value / weight()?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loinc(code: &str) -> [Token; 1] {
        [Token { system: "http://loinc.org".into(), code: code.into() }]
    }

    fn coded(codes: &[Token]) -> Measure<'_> {
        Measure { codes, text: "" }
    }

    #[test]
    fn roundings_of_one_amount_agree_and_neighbours_do_not() {
        assert!(amounts("81000 g", "80965.5 g", coded(&[])).agrees());
        assert!(amounts("<1.3 g/L", "<0.0072 mol/L", coded(&loinc("2345-7"))).agrees());
        assert!(amounts("1.3 g/L", "0.0072 mol/L", coded(&loinc("9999-9"))).differs());
        let glucose = Measure { codes: &[], text: "fasting glucose in blood" };
        assert!(amounts("<1.08 g/L", "<0.006 mol/L", glucose).agrees());
        assert!(amounts("72574.8 g..81646.6 g", "72600 g..81600 g", coded(&[])).agrees());
        assert!(amounts("70000 g..81646.6 g", "72600 g..81600 g", coded(&[])).differs());
        assert!(amounts("7 %", "7.1 %", coded(&[])).differs());
        assert!(amounts("120 mm[Hg]", "120.5 mm[Hg]", coded(&[])).differs());
        assert!(amounts("<7 %", ">7 %", coded(&[])).differs());
        assert!(amounts("<7 %", "<=7 %", coded(&[])).agrees());
        assert_eq!(amounts("", "7 %", coded(&[])), Agreement::Silent);
    }
}
