//! Who a Patient, RelatedPerson or Practitioner says they are.
//! <https://hl7.org/fhir/R4/patient.html>

use serde_json::Value;

use super::birth::partial_date;
use super::name::{has_ended, person_name};
use super::{address, contact, normalise_identifier};
use crate::flow::{Demographics, Identifier, RefTarget};

/// Most names, addresses, phones, e-mails and identifiers that are read of one resource.
const ITEMS_MAX: usize = 32;

const SSN_SYSTEM: &str = "http://hl7.org/fhir/sid/us-ssn";
const MBI_SYSTEM: &str = "http://hl7.org/fhir/sid/us-mbi";
const NPI_SYSTEM: &str = "http://hl7.org/fhir/sid/us-npi";

/// Systems that are known under an OID and under a URL.
const SAME_SYSTEMS: [(&str, &str); 4] = [
    ("urn:oid:2.16.840.1.113883.4.1", SSN_SYSTEM),
    ("urn:oid:2.16.840.1.113883.4.927", MBI_SYSTEM),
    ("urn:oid:2.16.840.1.113883.4.6", NPI_SYSTEM),
    ("http://hl7.org/fhir/sid/us-medicare", "urn:oid:2.16.840.1.113883.4.338"),
];

/// Reads the comparable demographics. What is missing, unreadable or a placeholder is left out.
/// The target of `link` of type `replaced-by` is handed on as written, for the caller to resolve.
pub fn demographics(person: &Value) -> Demographics {
    let mut names: Vec<_> = items(person, "name").filter_map(person_name).collect();
    names.sort_by_key(|n| n.former);
    names.dedup();
    Demographics {
        names,
        birth_date: text(person, "birthDate").and_then(partial_date),
        gender: text(person, "gender").filter(|g| *g != "unknown").map(Into::into),
        identifiers: sorted(items(person, "identifier").filter_map(identifier)),
        addresses: sorted(items(person, "address").filter_map(address::address)),
        phones: telecoms(person, &["phone", "sms"], contact::phone),
        emails: telecoms(person, &["email"], contact::email),
        deceased: person.get("deceasedBoolean") == Some(&Value::Bool(true))
            || person.get("deceasedDateTime").is_some_and(Value::is_string),
        deceased_date: text(person, "deceasedDateTime").and_then(partial_date),
        last_seen: None,
        multiple_birth: multiple_birth(person),
        inactive: person.get("active") == Some(&Value::Bool(false)),
        replaced_by: replaced_by(person),
        by_identifier_only: false,
    }
}

/// Reads one FHIR Identifier; `None` without value or with a placeholder for one.
fn identifier(value: &Value) -> Option<Identifier> {
    let raw = text(value, "value")?;
    let (system, value_text) = identifier_value(text(value, "system").unwrap_or_default(), raw)?;
    let codes = value.pointer("/type/coding").and_then(Value::as_array);
    let kind = codes.into_iter().flatten().find_map(|c| text(c, "code")).unwrap_or_default();
    let old = text(value, "use") == Some("old") || has_ended(value);
    Some(Identifier { system, value: value_text, kind: kind.into(), old })
}

/// System and value in comparable form; `None` for a placeholder.
pub(super) fn identifier_value(system: &str, raw: &str) -> Option<(Box<str>, Box<str>)> {
    let (system, trimmed) = normalise_identifier(system, raw);
    let system: Box<str> = SAME_SYSTEMS
        .iter()
        .find(|(other, _)| **other == *system)
        .map_or(system, |(_, canonical)| (*canonical).into());
    let compact: String = trimmed.chars().filter(char::is_ascii_alphanumeric).collect();
    let value_text: Box<str> = match &*system {
        SSN_SYSTEM if !is_ssn(&compact) => return None,
        SSN_SYSTEM => compact.into(),
        MBI_SYSTEM if !is_mbi(&compact) => return None,
        MBI_SYSTEM => compact.to_ascii_uppercase().into(),
        _ if is_placeholder(&compact, &trimmed) => return None,
        _ => trimmed,
    };
    Some((system, value_text))
}

/// Eleven places, each a digit, a letter or either, without the letters that look like digits.
/// <https://www.cms.gov/medicare/new-medicare-card/understanding-the-mbi-with-format.pdf>
fn is_mbi(text: &str) -> bool {
    const PLACES: &[u8; 11] = b"CANNANNAANN";
    let letter = |b: u8| b.is_ascii_alphabetic() && !b"SLOIBZ".contains(&b.to_ascii_uppercase());
    text.len() == PLACES.len()
        && text.bytes().zip(PLACES).enumerate().all(|(i, (b, place))| match (i, place) {
            (0, _) => (b'1'..=b'9').contains(&b),
            // The third and the sixth place may be either.
            (2 | 5, _) => b.is_ascii_digit() || letter(b),
            (_, b'A') => letter(b),
            _ => b.is_ascii_digit(),
        })
}

/// Nine digits with a possible area, group and serial; masked ones and examples are none.
/// <https://www.ssa.gov/employer/randomization.html>
fn is_ssn(digits: &str) -> bool {
    if digits.len() != 9 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let first = digits.as_bytes()[0];
    let repeated = digits.bytes().all(|b| b == first);
    let impossible = digits.starts_with("000") || &digits[3..5] == "00" || digits.ends_with("0000");
    let example = matches!(digits, "123456789" | "987654321" | "078051120" | "219099999");
    !repeated && !impossible && !example
}

fn is_placeholder(compact: &str, text: &str) -> bool {
    let same = compact.len() > 3 && compact.bytes().all(|b| compact.as_bytes().first() == Some(&b));
    let word = text.to_ascii_lowercase();
    same || matches!(
        word.as_str(),
        "" | "unknown" | "none" | "n/a" | "na" | "null" | "pending" | "0" | "-" | "test" | "tbd"
    )
}

fn telecoms(person: &Value, systems: &[&str], read: fn(&str) -> Option<Box<str>>) -> Vec<Box<str>> {
    let of_system = items(person, "telecom")
        .filter(|t| text(t, "system").is_some_and(|s| systems.contains(&s)))
        .filter_map(|t| read(text(t, "value")?));
    sorted(of_system)
}

/// Zero: one of several; a number: its place.
fn multiple_birth(person: &Value) -> Option<u8> {
    let place = person.get("multipleBirthInteger").and_then(Value::as_u64);
    let several = person.get("multipleBirthBoolean") == Some(&Value::Bool(true));
    place.and_then(|p| u8::try_from(p).ok()).or(several.then_some(0))
}

fn replaced_by(person: &Value) -> Option<RefTarget> {
    items(person, "link")
        .filter(|link| text(link, "type") == Some("replaced-by"))
        .find_map(|link| link.pointer("/other/reference").and_then(Value::as_str))
        .map(|reference| RefTarget::Dangling(reference.into()))
}

fn items<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    // RelatedPerson and Practitioner have lists too; a lone object is a sender's fault.
    let list = value.get(key);
    let many = list.and_then(Value::as_array).into_iter().flatten();
    let one = list.filter(|v| v.is_object()).into_iter();
    many.chain(one).take(ITEMS_MAX)
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str).filter(|t| !t.trim().is_empty())
}

fn sorted<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut list: Vec<T> = items.collect();
    list.sort();
    list.dedup();
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_patient_reads_into_comparable_form() {
        let read = demographics(&json!({
            "resourceType": "Patient",
            "active": false,
            "identifier": [
                {"system": "urn:oid:2.16.840.1.113883.4.1", "value": "212-34-5678"},
                {"system": SSN_SYSTEM, "value": "999-99-9999"},
                {"system": "http://a.example/mrn", "value": " 7 ", "use": "old",
                 "type": {"coding": [{"code": "MR"}]}}
            ],
            "name": [
                {"use": "maiden", "family": "Ruiz", "given": ["Ana"]},
                {"use": "official", "family": "Díaz", "given": ["Ana", "M."]}
            ],
            "telecom": [{"system": "phone", "value": "617-253-1234"}],
            "birthDate": "1970-05-06",
            "multipleBirthInteger": 2,
            "link": [{"type": "replaced-by", "other": {"reference": "Patient/9"}}]
        }));
        assert_eq!(&*read.names[0].family, "diaz");
        assert!(read.names[1].former);
        assert_eq!(read.identifiers.len(), 2);
        assert!(read.identifiers[0].old && &*read.identifiers[0].value == "7");
        assert_eq!(&*read.identifiers[1].value, "212345678");
        assert_eq!(read.multiple_birth, Some(2));
        assert!(read.inactive);
        assert_eq!(read.replaced_by, Some(RefTarget::Dangling("Patient/9".into())));
    }

    #[test]
    fn odd_shapes_are_left_out() {
        for odd in [
            json!(null),
            json!([]),
            json!({"name": 3, "identifier": [{"value": 4}], "telecom": {}}),
        ] {
            assert_eq!(demographics(&odd), Demographics::default());
        }
    }
}
