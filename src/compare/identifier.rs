//! Identifiers in a form in which equal ones are equal.
//! The rules for OID and UUID roots: C-CDA on FHIR, CDA id ↔ FHIR identifier.

use crate::flow::Identifier;

/// Normalises a system and a value. A `urn:oid:`/`urn:uuid:` value under
/// `urn:ietf:rfc:3986` keeps that system; a bare OID as system becomes `urn:oid:…`.
pub fn normalise_identifier(system: &str, value: &str) -> (Box<str>, Box<str>) {
    let system = normalise_system(system);
    let value = value.trim();
    if &*system == "urn:ietf:rfc:3986" {
        return (system, value.to_lowercase().into());
    }
    (system, value.into())
}

/// Normalises the URI of an identifier system.
pub fn normalise_system(system: &str) -> Box<str> {
    let trimmed = system.trim().trim_end_matches('/');
    let is_oid = trimmed.contains('.')
        && trimmed.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && trimmed.starts_with(['0', '1', '2']);
    if is_oid {
        return format!("urn:oid:{trimmed}").into();
    }
    let lower = trimmed.to_ascii_lowercase();
    if lower.starts_with("urn:") {
        return lower.into();
    }
    // Senders differ in the scheme of one and the same system.
    match lower.strip_prefix("https://") {
        Some(_) => format!("http://{}", &trimmed["https://".len()..]).into(),
        None => trimmed.into(),
    }
}

/// Whether two identifiers name the same thing: both have a system and are equal in system and
/// value. An identifier without system is equal to none.
pub fn same_identifier(a: &Identifier, b: &Identifier) -> bool {
    !a.system.is_empty() && a.system == b.system && a.value == b.value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_that_differ_in_form_only_are_equal() {
        for (a, b) in [
            ("2.16.840.1.113883.4.6", "urn:oid:2.16.840.1.113883.4.6"),
            ("https://hl7.org/fhir/sid/us-npi", "http://hl7.org/fhir/sid/us-npi/"),
            ("URN:OID:1.2.3", "urn:oid:1.2.3 "),
        ] {
            assert_eq!(normalise_system(a), normalise_system(b));
        }
        assert_ne!(
            normalise_system("http://a.example/mrn"),
            normalise_system("http://a.example/MRN")
        );
    }

    #[test]
    fn an_identifier_without_system_equals_none() {
        let bare = Identifier { value: "1".into(), ..Identifier::default() };
        assert!(!same_identifier(&bare, &bare));
    }
}
