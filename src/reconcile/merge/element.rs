//! The elements of members, put side by side.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::policy::Policy;
use super::Voice;

/// What one member says in one field group.
pub(super) struct Part {
    /// The claim.
    pub(super) claim: usize,
    /// Its members of the field group, by name.
    pub(super) value: Map<String, Value>,
}

/// The choice elements of R4 (`value[x]`): whatever the type, they are one element.
/// <https://hl7.org/fhir/R4/formats.html#choice>
#[rustfmt::skip]
const CHOICES: [&str; 18] = [
    "abatement", "allowed", "deceased", "due", "effective", "multipleBirth", "medication",
    "occurrence", "onset", "performed", "product", "reported", "scheduled", "serviced", "start",
    "timing", "value", "asNeeded",
];
/// What may follow a choice's name: the capital of a datatype.
#[rustfmt::skip]
const DATATYPES: [&str; 22] = [
    "Age", "Boolean", "CodeableConcept", "Date", "DateTime", "Duration", "Instant", "Integer",
    "Period", "Quantity", "Range", "Ratio", "Reference", "SampledData", "String", "Time",
    "Timing", "Attachment", "Decimal", "Identifier", "Uri", "Money",
];

/// An element's name without the datatype of a choice, and without the `_` of its extensions.
pub(in super::super) fn stem(name: &str) -> &str {
    let bare = name.strip_prefix('_').unwrap_or(name);
    let choice = CHOICES
        .iter()
        .find(|choice| bare.strip_prefix(**choice).is_some_and(|rest| DATATYPES.contains(&rest)));
    choice.copied().unwrap_or(bare)
}

/// The field groups of all members, by name; a narrative is no fact and is left out.
pub(super) fn parts(policy: &Policy, kind: &str, voices: &[Voice]) -> BTreeMap<String, Vec<Part>> {
    let mut groups: BTreeMap<String, Vec<Part>> = BTreeMap::new();
    for voice in voices {
        for (name, value) in voice.body.iter().filter(|(name, _)| *name != "text") {
            let group = policy.field_group(kind, stem(name)).to_owned();
            let parts = groups.entry(group).or_default();
            if parts.last().is_none_or(|p| p.claim != voice.claim) {
                parts.push(Part { claim: voice.claim, value: Map::new() });
            }
            if let Some(part) = parts.last_mut() {
                part.value.insert(name.clone(), value.clone());
            }
        }
    }
    for part in groups.values_mut().flatten() {
        part.value.sort_keys();
    }
    groups
}

/// A part as JSON text: the bare value if it is one element.
pub(super) fn text(part: &Map<String, Value>) -> Box<str> {
    let mut values = part.values();
    match (values.next(), values.next()) {
        (Some(only), None) => only.to_string().into(),
        _ => Value::Object(part.clone()).to_string().into(),
    }
}

/// How many values a part holds.
pub(super) fn completeness(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(completeness).sum(),
        Value::Object(object) => object.values().map(completeness).sum(),
        Value::Null => 0,
        Value::Bool(_) | Value::Number(_) | Value::String(_) => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_one_element_and_a_longer_name_is_not_one() {
        assert_eq!(stem("valueQuantity"), "value");
        assert_eq!(stem("_onsetDateTime"), "onset");
        assert_eq!(stem("statusReason"), "statusReason");
        assert_eq!(stem("startDate"), "start");
        assert_eq!(stem("valueSet"), "valueSet");
        assert_eq!(stem("status"), "status");
    }
}
