//! Values as comparable text.
//! <https://hl7.org/fhir/R4/datatypes.html>

use serde_json::Value;

use super::reading::{each, name, tokens};
use crate::compare::{clinical_text, quantity};

/// The types of a choice that hold one comparable value.
#[rustfmt::skip]
const CHOICES: [&str; 12] = [
    "Boolean", "CodeableConcept", "Coding", "Date", "DateTime", "Decimal", "Integer", "Period",
    "Quantity", "Range", "Ratio", "String",
];

/// The value of `name[x]`; empty if there is none.
pub(super) fn choice(holder: &Value, element: &str) -> String {
    choice_of(holder, element, &CHOICES)
}

/// The value of `name[x]` that has one of these types.
pub(super) fn choice_of(holder: &Value, element: &str, kinds: &[&str]) -> String {
    let found = kinds.iter().find_map(|kind| {
        let value = holder.get(format!("{element}{kind}"))?;
        Some(of_type(kind, value))
    });
    found.unwrap_or_default()
}

fn of_type(kind: &str, value: &Value) -> String {
    match kind {
        "CodeableConcept" | "Coding" => concept(value),
        "Quantity" => amount(value),
        "Range" => format!("{}..{}", part(value, "low"), part(value, "high")),
        "Ratio" => format!("{}:{}", part(value, "numerator"), part(value, "denominator")),
        "Period" => format!("{}..{}", plain(value, "start"), plain(value, "end")),
        _ => scalar(value),
    }
}

/// Comparator, number and unit of a Quantity, in the unit of comparison.
pub(super) fn amount(value: &Value) -> String {
    let number = value.get("value").map(scalar).unwrap_or_default();
    if number.is_empty() {
        return String::new();
    }
    let ucum = value.get("system").and_then(Value::as_str) == Some("http://unitsofmeasure.org");
    let (first, second) = if ucum { ("code", "unit") } else { ("unit", "code") };
    let unit = value.get(first).or_else(|| value.get(second)).and_then(Value::as_str);
    let (number, unit) = quantity(&number, unit.unwrap_or_default());
    let comparator = value.get("comparator").and_then(Value::as_str).unwrap_or_default();
    format!("{comparator}{number} {unit}").trim_end().to_owned()
}

/// The codes of a concept, else its text.
pub(super) fn concept(value: &Value) -> String {
    let mut codes: Vec<String> =
        tokens(value).into_iter().map(|t| format!("{}|{}", t.system, t.code)).collect();
    codes.sort();
    codes.dedup();
    if codes.is_empty() { name(value).into() } else { codes.join("+") }
}

/// A text, number or truth as text.
pub(super) fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => clinical_text(text).into(),
        Value::Number(number) => quantity(number.as_str(), "").0.into(),
        Value::Bool(truth) => truth.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
    }
}

/// Dosages: the text, else dose, route and timing.
pub(super) fn dosage(value: &Value) -> String {
    if let Some(text) = value.get("text").and_then(Value::as_str) {
        return clinical_text(text).into();
    }
    let mut parts: Vec<String> =
        each(value.get("doseAndRate")).map(|dose| choice(dose, "dose")).collect();
    let timing = value.get("timing");
    if let Some(repeat) = timing.and_then(|t| t.get("repeat")) {
        let numbers = ["frequency", "period", "periodUnit"]
            .map(|n| repeat.get(n).map(scalar).unwrap_or_default());
        parts.push(numbers.join(" "));
    }
    parts.extend(timing.and_then(|t| t.get("code")).map(concept));
    parts.extend(value.get("route").map(concept));
    if value.get("asNeededBoolean").and_then(Value::as_bool) == Some(true) {
        parts.push("as needed".to_owned());
    }
    parts.retain(|p| !p.trim().is_empty());
    parts.join(" ")
}

fn part(value: &Value, name: &str) -> String {
    value.get(name).map(amount).unwrap_or_default()
}

fn plain(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}
