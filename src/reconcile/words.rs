//! FHIR values and resources in a few words, for texts that people read.

use serde_json::{Map, Value};

use super::narrative::concept;

/// How much of a value a text shows.
const WORDS_CHARS_MAX: usize = 160;
/// How deep a value is looked into.
const DEPTH_MAX: usize = 4;

/// A value in words, whole: values that differ read differently as far as a reader can tell.
pub(super) fn in_words(value: &Value) -> String {
    words(value, DEPTH_MAX)
}

/// Words cut to what a text can show.
pub(super) fn shortened(words: &str) -> String {
    match words.char_indices().nth(WORDS_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words.to_owned(),
    }
}

/// What a resource is about, if it says so.
pub(super) fn subject_matter(resource: &Map<String, Value>) -> Option<String> {
    let text = |name: &str| resource.get(name).and_then(Value::as_str).map(str::to_owned);
    let about = ["description", "code", "medicationCodeableConcept", "vaccineCode"];
    about
        .iter()
        .find_map(|name| concept(resource.get(*name)))
        .or_else(|| text("title"))
        .or_else(|| text("description"))
        .filter(|words| !words.trim().is_empty())
}

fn words(value: &Value, depth: usize) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) => format!("\"{text}\""),
        Value::Array(items) => {
            let items = items.iter().map(|item| words(item, depth.saturating_sub(1)));
            items.filter(|w| !w.is_empty()).collect::<Vec<_>>().join("; ")
        }
        Value::Object(_) if depth == 0 => "…".to_owned(),
        Value::Object(members) => object(value, members, depth - 1),
    }
}

fn object(value: &Value, members: &Map<String, Value>, depth: usize) -> String {
    if members.contains_key("coding") || members.len() == 1 && members.contains_key("text") {
        return concept(Some(value)).unwrap_or_default();
    }
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    if let Some(number) = members.get("value").filter(|v| v.is_number()) {
        let unit = text("unit").or_else(|| text("code"));
        let parts = [text("comparator").map(str::to_owned), Some(number.to_string())];
        let parts = parts.into_iter().chain([unit.map(str::to_owned)]).flatten();
        return parts.collect::<Vec<_>>().join(" ");
    }
    if let Some(display) = text("display") {
        return display.to_owned();
    }
    if let Some(reference) = text("reference") {
        return reference.to_owned();
    }
    let said = members.iter().filter(|(name, _)| !matches!(name.as_str(), "system" | "use"));
    let said = said.filter_map(|(name, member)| {
        let words = words(member, depth);
        (!words.is_empty()).then(|| format!("{} {words}", heading(name)))
    });
    said.collect::<Vec<_>>().join(", ")
}

/// `dueDate` → `due date`; the type of a choice element is left out.
fn heading(name: &str) -> String {
    let types = ["CodeableConcept", "Quantity", "Range", "String", "Period"];
    let stem = types.iter().find_map(|t| name.strip_suffix(t)).filter(|s| !s.is_empty());
    let mut heading = String::new();
    for letter in stem.unwrap_or(name).chars() {
        if letter.is_ascii_uppercase() {
            heading.push(' ');
        }
        heading.push(letter.to_ascii_lowercase());
    }
    heading
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_read_like_words() {
        let achieved = json!({"coding": [{"system": "http://x", "code": "achieved"}]});
        let target = json!([{"measure": {"text": "LDL"}, "dueDate": "2027-01-30",
            "detailQuantity": {"value": 100, "comparator": "<", "unit": "mg/dL"}}]);
        for (value, said) in [
            (json!("active"), "\"active\""),
            (achieved, "achieved"),
            (target, "measure LDL, due date \"2027-01-30\", detail < 100 mg/dL"),
            (json!({"reference": "Patient/1"}), "Patient/1"),
        ] {
            assert_eq!(in_words(&value), said);
        }
    }
}
