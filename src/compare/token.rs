//! Codings in comparable form.
//! The URIs of code systems: <https://hl7.org/fhir/R4/terminologies-systems.html>

use serde_json::Value;

use super::normalise_system;
use crate::flow::Token;

/// Other names of a code system → the URI that R4 uses. OIDs: HL7 OID registry.
#[rustfmt::skip]
const SYSTEMS: [(&str, &str); 14] = [
    ("urn:oid:2.16.840.1.113883.6.96", "http://snomed.info/sct"),
    ("urn:oid:2.16.840.1.113883.6.1", "http://loinc.org"),
    ("urn:oid:2.16.840.1.113883.6.90", ICD_10_CM),
    ("urn:oid:2.16.840.1.113883.6.3", ICD_10),
    ("urn:oid:2.16.840.1.113883.6.103", "http://hl7.org/fhir/sid/icd-9-cm"),
    ("urn:oid:2.16.840.1.113883.6.88", "http://www.nlm.nih.gov/research/umls/rxnorm"),
    ("urn:oid:2.16.840.1.113883.12.292", "http://hl7.org/fhir/sid/cvx"),
    ("urn:oid:2.16.840.1.113883.6.59", "http://hl7.org/fhir/sid/cvx"),
    ("urn:oid:2.16.840.1.113883.6.69", "http://hl7.org/fhir/sid/ndc"),
    ("urn:oid:2.16.840.1.113883.6.12", "http://www.ama-assn.org/go/cpt"),
    ("urn:oid:2.16.840.1.113883.6.8", "http://unitsofmeasure.org"),
    ("http://hl7.org/fhir/sid/icd-10-us", ICD_10_CM),
    ("http://hl7.org/fhir/sid/snomed", "http://snomed.info/sct"),
    ("http://www.loinc.org", "http://loinc.org"),
];

const ICD_10_CM: &str = "http://hl7.org/fhir/sid/icd-10-cm";
const ICD_10: &str = "http://hl7.org/fhir/sid/icd-10";

/// A coding as a token: system in its R4 URI, code trimmed, ICD-10 codes in upper case with
/// their dot. `None` if it has no code.
pub fn token(coding: &Value) -> Option<Token> {
    let code = coding.get("code")?.as_str()?.trim();
    if code.is_empty() {
        return None;
    }
    let system = coding.get("system").and_then(Value::as_str).unwrap_or_default();
    let system = code_system(system);
    let code = if [ICD_10, ICD_10_CM].contains(&&*system) { icd_code(code) } else { code.into() };
    Some(Token { system, code })
}

/// The R4 URI of a code system that is named by it, by an OID or by an edition's URI.
pub fn code_system(system: &str) -> Box<str> {
    let normal = normalise_system(system);
    if normal.starts_with("http://snomed.info/sct/") {
        return "http://snomed.info/sct".into();
    }
    SYSTEMS.iter().find(|(other, _)| **other == *normal).map_or(normal, |(_, uri)| (*uri).into())
}

fn icd_code(code: &str) -> Box<str> {
    let upper = code.to_ascii_uppercase();
    if upper.len() > 3 && upper.is_ascii() && !upper.contains(['.', '-']) {
        return format!("{}.{}", &upper[..3], &upper[3..]).into();
    }
    upper.into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_code_in_several_notations_is_one_token() {
        for (a, b) in [
            (
                json!({"system": "urn:oid:2.16.840.1.113883.6.96", "code": "44054006"}),
                json!({"system": "http://snomed.info/sct/731000124108", "code": " 44054006"}),
            ),
            (
                json!({"system": "2.16.840.1.113883.6.90", "code": "e119"}),
                json!({"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "E11.9"}),
            ),
            (
                json!({"system": "https://loinc.org/", "code": "4548-4"}),
                json!({"system": "http://loinc.org", "code": "4548-4", "display": "x"}),
            ),
        ] {
            assert_eq!(token(&a), token(&b));
        }
        assert_eq!(token(&json!({"display": "only"})), None);
    }
}
