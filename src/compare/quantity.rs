//! Quantities in comparable form: one unit per dimension for the common UCUM units.
//! <https://ucum.org/ucum>

/// Unit (lower case, without blanks) → canonical unit, factor. Amount of substance and mass
/// concentration are apart: mg/dL and mmol/L convert only when the substance is known.
#[rustfmt::skip]
const UNITS: [(&str, &str, f64); 77] = [
    ("ug", "g", 1e-6), ("mcg", "g", 1e-6), ("mg", "g", 1e-3), ("g", "g", 1.0), ("gram", "g", 1.0),
    ("grams", "g", 1.0), ("kg", "g", 1e3), ("kgs", "g", 1e3), ("kilogram", "g", 1e3),
    ("kilograms", "g", 1e3), ("milligram", "g", 1e-3), ("milligrams", "g", 1e-3),
    ("microgram", "g", 1e-6), ("micrograms", "g", 1e-6), ("[lb_av]", "g", 453.592_37),
    ("lb", "g", 453.592_37),
    ("lbs", "g", 453.592_37), ("pound", "g", 453.592_37), ("pounds", "g", 453.592_37),
    ("[oz_av]", "g", 28.349_523_125), ("oz", "g", 28.349_523_125),
    ("mm", "m", 1e-3), ("cm", "m", 1e-2), ("m", "m", 1.0), ("km", "m", 1e3),
    ("[in_i]", "m", 0.0254), ("[in_us]", "m", 0.0254), ("in", "m", 0.0254), ("inch", "m", 0.0254),
    ("inches", "m", 0.0254), ("[ft_i]", "m", 0.3048), ("ft", "m", 0.3048), ("feet", "m", 0.3048),
    ("mm[hg]", "mm[Hg]", 1.0), ("mmhg", "mm[Hg]", 1.0), ("kpa", "mm[Hg]", 7.500_615_05),
    ("ml", "L", 1e-3), ("dl", "L", 0.1), ("l", "L", 1.0), ("liter", "L", 1.0), ("litre", "L", 1.0),
    ("milliliter", "L", 1e-3), ("milliliters", "L", 1e-3), ("millilitre", "L", 1e-3),
    ("millilitres", "L", 1e-3),
    ("mg/dl", "g/L", 0.01), ("g/dl", "g/L", 10.0), ("g/l", "g/L", 1.0), ("mg/l", "g/L", 1e-3),
    ("ug/ml", "g/L", 1e-3), ("ng/ml", "g/L", 1e-6), ("ug/l", "g/L", 1e-6),
    ("mmol/l", "mol/L", 1e-3), ("umol/l", "mol/L", 1e-6), ("mol/l", "mol/L", 1.0),
    ("meq/l", "meq/L", 1.0),
    ("s", "s", 1.0), ("sec", "s", 1.0), ("min", "s", 60.0), ("minute", "s", 60.0),
    ("minutes", "s", 60.0), ("h", "s", 3600.0), ("hr", "s", 3600.0), ("hour", "s", 3600.0),
    ("hours", "s", 3600.0), ("d", "s", 86_400.0), ("day", "s", 86_400.0), ("days", "s", 86_400.0),
    ("wk", "s", 604_800.0), ("week", "s", 604_800.0), ("weeks", "s", 604_800.0),
    ("mo", "mo", 1.0), ("month", "mo", 1.0), ("months", "mo", 1.0), ("a", "mo", 12.0),
    ("year", "mo", 12.0), ("years", "mo", 12.0),
];

/// Other spellings of units that have no conversion.
#[rustfmt::skip]
const SPELLINGS: [(&str, &str); 10] = [
    ("percent", "%"), ("pct", "%"), ("bpm", "/min"), ("beats/min", "/min"),
    ("beats/minute", "/min"), ("{beats}/min", "/min"), ("breaths/min", "/min"),
    ("{score}", "1"), ("{#}", "1"), ("kg/m^2", "kg/m2"),
];

/// A value and its unit in comparable form. What is no number, and a unit that is not known,
/// stay as they are (trimmed). Values are rounded to 6 significant digits, so that a unit
/// converted there and back is the same.
pub fn quantity(value: &str, unit: &str) -> (Box<str>, Box<str>) {
    let unit = unit.trim();
    let squeezed: String = unit.to_lowercase().split_whitespace().collect();
    let number = value.trim().parse::<f64>().ok().filter(|n| n.is_finite());
    let Some(number) = number else {
        return (value.trim().into(), unit.into());
    };
    if ["[degf]", "degf", "°f", "f"].contains(&&*squeezed) {
        return (plain(f64::midpoint(number, -32.0) * 10.0 / 9.0), "Cel".into());
    }
    if ["cel", "°c", "degc", "c"].contains(&&*squeezed) {
        return (plain(number), "Cel".into());
    }
    if let Some((_, canonical, factor)) = UNITS.iter().find(|(known, ..)| *known == squeezed) {
        return (plain(number * factor), (*canonical).into());
    }
    let spelled = SPELLINGS.iter().find(|(other, _)| *other == squeezed);
    (plain(number), spelled.map_or(unit, |(_, one)| one).into())
}

/// 6 significant digits without exponent and without trailing zeros.
fn plain(number: f64) -> Box<str> {
    if number == 0.0 {
        return "0".into();
    }
    let magnitude = number.abs().log10().floor();
    // Outside of this no clinical value lies, and the decimals would grow without bound.
    if !(-15.0..=15.0).contains(&magnitude) {
        return format!("{number:e}").into();
    }
    let scale = 10f64.powf(5.0 - magnitude);
    let rounded = (number * scale).round() / scale;
    let decimals = (5.0 - magnitude).max(0.0) as usize;
    let text = format!("{rounded:.decimals$}");
    if text.contains('.') {
        return text.trim_end_matches('0').trim_end_matches('.').into();
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_amount_in_several_units_is_equal() {
        for ((a, unit_a), (b, unit_b)) in [
            (("154.324", "[lb_av]"), ("70.0002", "kg")),
            (("7.0", "%"), ("7", "percent")),
            (("98.6", "[degF]"), ("37.0", "Cel")),
            (("130", "mm[Hg]"), ("130.0", "mmHg")),
            (("1", "wk"), ("7", "d")),
            (("500", "mg"), ("0.5", "g")),
            (("126", "mg/dL"), ("1.26", "g/L")),
            (("12", "mo"), ("1", "a")),
        ] {
            assert_eq!(quantity(a, unit_a), quantity(b, unit_b), "{a} {unit_a}");
        }
    }

    #[test]
    fn mass_and_substance_concentration_stay_apart() {
        assert_ne!(quantity("126", "mg/dL").1, quantity("7", "mmol/L").1);
        assert_eq!(quantity("many", "{tbl}"), ("many".into(), "{tbl}".into()));
    }

    proptest! {
        #[test]
        fn any_text_has_a_form(value in "\\PC{0,20}", unit in "\\PC{0,10}", n in any::<f64>()) {
            quantity(&value, &unit);
            let (text, _) = quantity(&n.to_string(), "kg");
            prop_assert!(text.len() < 40);
        }
    }
}
