//! R4's types: what kind an element is, and what a kind is a kind of.
//! <https://hl7.org/fhir/R4/fhirpath.html#types>

use fhirbolt_shared::element_map::r4::ELEMENT_MAP;
use fhirbolt_shared::type_hints::r4::TYPE_HINTS;
use serde_json::Value;

use crate::fhir::r4;

/// Types that a choice element can have, as its name ends, and their names.
const CHOICES: [(&str, &str); 48] = [
    ("Address", "Address"),
    ("Age", "Age"),
    ("Annotation", "Annotation"),
    ("Attachment", "Attachment"),
    ("Base64Binary", "base64Binary"),
    ("Boolean", "boolean"),
    ("Canonical", "canonical"),
    ("Code", "code"),
    ("CodeableConcept", "CodeableConcept"),
    ("Coding", "Coding"),
    ("ContactDetail", "ContactDetail"),
    ("ContactPoint", "ContactPoint"),
    ("Contributor", "Contributor"),
    ("Count", "Count"),
    ("DataRequirement", "DataRequirement"),
    ("Date", "date"),
    ("DateTime", "dateTime"),
    ("Decimal", "decimal"),
    ("Distance", "Distance"),
    ("Dosage", "Dosage"),
    ("Duration", "Duration"),
    ("Expression", "Expression"),
    ("HumanName", "HumanName"),
    ("Id", "id"),
    ("Identifier", "Identifier"),
    ("Instant", "instant"),
    ("Integer", "integer"),
    ("Markdown", "markdown"),
    ("Meta", "Meta"),
    ("Money", "Money"),
    ("Oid", "oid"),
    ("ParameterDefinition", "ParameterDefinition"),
    ("Period", "Period"),
    ("PositiveInt", "positiveInt"),
    ("Quantity", "Quantity"),
    ("Range", "Range"),
    ("Ratio", "Ratio"),
    ("Reference", "Reference"),
    ("RelatedArtifact", "RelatedArtifact"),
    ("SampledData", "SampledData"),
    ("Signature", "Signature"),
    ("String", "string"),
    ("Time", "time"),
    ("Timing", "Timing"),
    ("TriggerDefinition", "TriggerDefinition"),
    ("UnsignedInt", "unsignedInt"),
    ("Uri", "uri"),
    ("Url", "url"),
];

/// Primitive types that none of the choices above is.
const PRIMITIVES: [&str; 20] = [
    "base64Binary",
    "boolean",
    "canonical",
    "code",
    "date",
    "dateTime",
    "decimal",
    "id",
    "instant",
    "integer",
    "markdown",
    "oid",
    "positiveInt",
    "string",
    "time",
    "unsignedInt",
    "uri",
    "url",
    "uuid",
    "xhtml",
];

/// The type that the end of a choice element's name says.
fn choice(suffix: &str) -> Option<&'static str> {
    if suffix == "Uuid" {
        return Some("uuid");
    }
    let at = CHOICES.binary_search_by(|(name, _)| (*name).cmp(suffix)).ok()?;
    Some(CHOICES[at].1)
}

/// Whether a member states the choice element `name`: `valueQuantity` states `value`.
pub(in crate::fhir) fn is_choice(member: &str, name: &str) -> bool {
    member.strip_prefix(name).is_some_and(|suffix| choice(suffix).is_some())
}

/// Whether R4 has that very element, which is then no choice.
pub(super) fn has_element(kind: &str, name: &str) -> bool {
    ELEMENT_MAP.get(kind).is_some_and(|names| names.contains(name))
}

/// The type of a resource; empty if it is none of R4.
pub(super) fn resource_kind(value: &Value) -> &'static str {
    let name = value.get("resourceType").and_then(Value::as_str).unwrap_or_default();
    known_kind(name)
}

/// The kind of that name; empty if R4 has none.
pub(super) fn known_kind(name: &str) -> &'static str {
    ELEMENT_MAP.get_entry(name).map_or("", |(name, _)| *name)
}

/// All kinds of elements that have children.
pub(in crate::fhir) fn kinds() -> impl Iterator<Item = &'static str> {
    ELEMENT_MAP.keys().copied()
}

/// The kind of an element of a kind.
pub(super) fn child_kind(kind: &'static str, name: &str, value: &Value) -> &'static str {
    match name {
        "extension" | "modifierExtension" => return "Extension",
        "id" => return if is_resource(kind) { "id" } else { "string" },
        "contained" => return resource_kind(value),
        "div" => return "xhtml",
        // No choice of the type id, though it reads like one.
        "linkId" => return "string",
        "meta" if is_resource(kind) => return "Meta",
        "text" if is_resource(kind) => return "Narrative",
        "implicitRules" if is_resource(kind) => return "uri",
        "language" if is_resource(kind) => return "code",
        _ => {}
    }
    if kind.is_empty() {
        return "";
    }
    let path = [kind, ".", name].concat();
    if let Some(elsewhere) = TYPE_HINTS.content_reference_paths.get(path.as_str()) {
        return elsewhere;
    }
    match TYPE_HINTS.type_paths.get(path.as_str()) {
        Some(&"Resource") => return resource_kind(value),
        Some(kind) => return kind,
        None => {}
    }
    if let Some((path, _)) = ELEMENT_MAP.get_entry(path.as_str()) {
        return path;
    }
    if let Some(primitive) = r4::primitive(&path) {
        return primitive;
    }
    let hints = &TYPE_HINTS;
    match () {
        () if hints.boolean_paths.contains(path.as_str()) => "boolean",
        () if hints.integer_paths.contains(path.as_str()) => "integer",
        () if hints.decimal_paths.contains(path.as_str()) => "decimal",
        () if hints.all_primitives_paths.contains(path.as_str()) => {
            let start = name.char_indices().skip(1).filter(|(_, c)| c.is_ascii_uppercase());
            let ends = start.filter_map(|(at, _)| choice(&name[at..]));
            let is_primitive = |kind: &&str| PRIMITIVES.contains(kind);
            ends.filter(is_primitive).last().unwrap_or("string")
        }
        () => "",
    }
}

/// Whether a kind is a resource.
pub(in crate::fhir) fn is_resource(kind: &str) -> bool {
    crate::fhir::ResourceType::parse(kind).is_some()
}

/// Whether a kind is a primitive.
pub(in crate::fhir) fn is_primitive(kind: &str) -> bool {
    PRIMITIVES.contains(&kind)
}

/// Whether a name is that of a type.
pub(super) fn is_type(name: &str) -> bool {
    const ABSTRACT: [&str; 6] =
        ["Resource", "DomainResource", "Element", "BackboneElement", "SimpleQuantity", "TypeInfo"];
    const SYSTEM: [&str; 7] =
        ["Boolean", "String", "Integer", "Decimal", "Date", "DateTime", "Time"];
    is_primitive(name)
        || ABSTRACT.contains(&name)
        || SYSTEM.contains(&name)
        || ELEMENT_MAP.contains_key(name)
}

/// Whether a kind is another, or a special form of it.
pub(in crate::fhir) fn is_kind(kind: &str, name: &str) -> bool {
    if kind == name {
        return true;
    }
    match name {
        "string" => matches!(kind, "code" | "id" | "markdown"),
        "uri" => matches!(kind, "url" | "canonical" | "uuid" | "oid"),
        "integer" => matches!(kind, "unsignedInt" | "positiveInt"),
        "Quantity" => {
            matches!(kind, "Age" | "Count" | "Distance" | "Duration" | "SimpleQuantity")
        }
        "Resource" => is_resource(kind),
        "DomainResource" => {
            is_resource(kind) && !matches!(kind, "Bundle" | "Binary" | "Parameters")
        }
        "BackboneElement" => kind.contains('.') || matches!(kind, "Dosage" | "Timing"),
        "Element" => !kind.is_empty() && !is_resource(kind),
        _ => false,
    }
}
