//! When two directory records are the same practitioner, organization or location.
//!
//! Never by name alone: identifiers first, and for an Organization the very same name with
//! the same phone or postcode.

use std::collections::BTreeSet;

use crate::compare::name::fold;
use crate::fhir::ResourceType;
use crate::flow::{BlockingKey, Facts, Hash, Identifier, RecordKey};

const NPI: &str = "http://hl7.org/fhir/sid/us-npi";
const NPI_OID: &str = "urn:oid:2.16.840.1.113883.4.6";
/// Most keys of a record.
const KEYS_MAX: usize = 32;

/// The keys under which the same directory entry is found.
pub fn directory_keys(facts: &Facts, resource_type: ResourceType) -> Vec<BlockingKey> {
    let mut keys = BTreeSet::new();
    let mut add = |parts: &[&str]| {
        let all = ["directory", resource_type.name()].into_iter().chain(parts.iter().copied());
        keys.insert(BlockingKey(Hash::of_parts(all.map(str::as_bytes))));
    };
    for (system, value) in comparable(facts) {
        add(&["identifier", system, value]);
    }
    if resource_type.name() == "Organization" {
        let name = name_of(facts);
        for place in places(facts) {
            if !name.is_empty() {
                add(&["name-place", &name, &place]);
            }
        }
    }
    keys.into_iter().take(KEYS_MAX).collect()
}

/// The rule by which two directory records are the same entry, if one applies. Two NPIs that
/// differ are two entries, whatever else agrees. The order of the two does not matter.
pub fn same_directory_entry(
    a: (&RecordKey, &Facts),
    b: (&RecordKey, &Facts),
) -> Option<&'static str> {
    if a.0.resource_type != b.0.resource_type {
        return None;
    }
    let (npis_a, npis_b) = (npis(a.1), npis(b.1));
    if npis_a.intersection(&npis_b).next().is_some() {
        return Some("npi");
    }
    if !npis_a.is_empty() && !npis_b.is_empty() {
        return None;
    }
    let ours: BTreeSet<_> = comparable(a.1).collect();
    if comparable(b.1).any(|identifier| ours.contains(&identifier)) {
        return Some("identifier");
    }
    let name = name_of(a.1);
    if a.0.resource_type.name() == "Organization" && !name.is_empty() && name == name_of(b.1) {
        let (ours, theirs) = (places(a.1), places(b.1));
        if ours.intersection(&theirs).next().is_some() {
            return Some("name-and-place");
        }
    }
    None
}

/// Identifiers that can be compared between endpoints, in one form of the system.
fn comparable(facts: &Facts) -> impl Iterator<Item = (&str, &str)> {
    let own = facts.identifiers.iter();
    let stated = facts.demographics.iter().flat_map(|d| d.identifiers.iter());
    own.chain(stated).filter(|i| !i.old && is_global(i)).map(|i| {
        let system = if &*i.system == NPI_OID { NPI } else { &*i.system };
        (system, &*i.value)
    })
}

/// Values without system, and systems that are no URI, are local.
fn is_global(identifier: &Identifier) -> bool {
    let npi = [NPI, NPI_OID].contains(&&*identifier.system);
    !identifier.value.is_empty()
        && (!npi || is_npi(&identifier.value))
        && identifier.system.contains(':')
        && !identifier.system.starts_with("http://localhost")
}

fn npis(facts: &Facts) -> BTreeSet<&str> {
    comparable(facts).filter(|(system, _)| *system == NPI).map(|(_, value)| value).collect()
}

/// Ten digits of which not all are equal: senders fill in 9999999999, which must not make one
/// entry of many. The check digit is not asked for: test systems
/// number their practitioners without.
fn is_npi(value: &str) -> bool {
    value.len() == 10
        && value.bytes().all(|b| b.is_ascii_digit())
        && value.bytes().any(|b| Some(&b) != value.as_bytes().first())
}

fn name_of(facts: &Facts) -> String {
    fold(&facts.text)
}

/// Phones and postcodes.
fn places(facts: &Facts) -> BTreeSet<String> {
    let Some(d) = &facts.demographics else { return BTreeSet::new() };
    let phones = d.phones.iter().map(|p| format!("phone {p}"));
    let postcodes = d.addresses.iter().filter(|a| !a.postcode.is_empty());
    phones.chain(postcodes.map(|a| format!("postcode {}", a.postcode))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::demographics;
    use serde_json::json;

    fn facts(text: &str, identifiers: &[(&str, &str)], phone: &str) -> Facts {
        let identifiers = identifiers.iter().map(|(system, value)| Identifier {
            system: (*system).into(),
            value: (*value).into(),
            ..Identifier::default()
        });
        let telecom = json!({"telecom": [{"system": "phone", "value": phone}]});
        Facts {
            text: text.into(),
            identifiers: identifiers.collect(),
            demographics: Some(Box::new(demographics(&telecom))),
            ..Facts::default()
        }
    }

    fn same(kind: &'static str, a: &Facts, b: &Facts) -> Option<&'static str> {
        let key = |e| RecordKey::new(e, ResourceType::of(kind), "1");
        let found = same_directory_entry((&key("a"), a), (&key("b"), b));
        assert_eq!(found, same_directory_entry((&key("b"), b), (&key("a"), a)));
        let keys = |f| directory_keys(f, ResourceType::of(kind));
        let meet = keys(a).iter().any(|k| keys(b).contains(k));
        assert!(found.is_none() || meet, "what is the same shares a key");
        found
    }

    #[test]
    fn npi_counts_first_in_either_form() {
        let a = facts("ann lee", &[(NPI, "1234567893")], "");
        assert_eq!(
            same("Practitioner", &a, &facts("a l", &[(NPI_OID, "1234567893")], "")),
            Some("npi")
        );
        assert_eq!(same("Practitioner", &a, &facts("ann lee", &[(NPI, "1245319599")], "")), None);
        let placeholder = facts("x", &[(NPI, "9999999999")], "");
        assert_eq!(same("Practitioner", &placeholder, &placeholder.clone()), None);
    }

    #[test]
    fn a_name_alone_is_never_the_same() {
        let none = facts("mercy hospital", &[], "");
        let one = facts("mercy hospital", &[], "617-253-1234");
        for kind in ["Practitioner", "Location", "Organization", "PractitionerRole"] {
            assert_eq!(same(kind, &none, &one), None, "{kind}");
        }
        assert_eq!(same("Organization", &one, &one.clone()), Some("name-and-place"));
        assert_eq!(same("Location", &one, &one.clone()), None);
    }

    #[test]
    fn identifiers_need_one_system() {
        let a = facts("", &[("urn:oid:1.2", "7")], "");
        assert_eq!(
            same("Location", &a, &facts("", &[("urn:oid:1.2", "7")], "")),
            Some("identifier")
        );
        assert_eq!(same("Location", &a, &facts("", &[("urn:oid:1.3", "7")], "")), None);
        let bare = facts("", &[("", "7")], "");
        assert_eq!(same("Location", &bare, &bare.clone()), None);
    }
}
