//! When two directory records are the same practitioner, organization, location or service.
//!
//! Never by name alone. A national provider identifier with a right check digit, or another
//! identifier of one system, is proof; a number in the NPI's system that is no NPI, a phone, an
//! e-mail or a street address is proof only beside the very same name.
//! <https://www.cms.gov/medicare/regulations-guidance/administrative-simplification/nppes>

use std::collections::BTreeSet;

use crate::compare::name::fold;
use crate::fhir::ResourceType;
use crate::flow::{BlockingKey, Facts, Hash, Identifier, PersonName, RecordKey, RefTarget};

const NPI: &str = "http://hl7.org/fhir/sid/us-npi";
const NPI_OID: &str = "urn:oid:2.16.840.1.113883.4.6";
/// Most keys of a record.
const KEYS_MAX: usize = 32;
/// Where a PractitionerRole says whose it is.
const ROLE_OF: &str = "/practitioner";

/// The keys under which the same directory entry is found, and under which a PractitionerRole is
/// found by its practitioner.
pub fn directory_keys(facts: &Facts, resource_type: ResourceType) -> Vec<BlockingKey> {
    let mut keys = BTreeSet::new();
    for (system, value) in comparable(facts) {
        keys.insert(key(resource_type, &["identifier", system, value]));
    }
    for name in names(resource_type, facts) {
        for number in numbers(facts) {
            keys.insert(key(resource_type, &["number-name", number, &name]));
        }
        for place in places(resource_type, facts) {
            keys.insert(key(resource_type, &["name-place", &name, &place]));
        }
    }
    let practitioners = facts.links.iter().filter(|link| &*link.pointer == ROLE_OF);
    if resource_type.name() == "PractitionerRole" {
        keys.extend(practitioners.filter_map(|link| role_key(&link.to)));
    }
    keys.into_iter().take(KEYS_MAX).collect()
}

/// The key under which records of a type stand that carry this identifier, if it can be compared
/// between endpoints.
pub fn identifier_key(resource_type: ResourceType, identifier: &Identifier) -> Option<BlockingKey> {
    let (system, value) = form(identifier)?;
    Some(key(resource_type, &["identifier", system, value]))
}

/// The key under which the PractitionerRoles stand that name their practitioner so.
pub fn role_key(practitioner: &RefTarget) -> Option<BlockingKey> {
    let role = ResourceType::of("PractitionerRole");
    match practitioner {
        RefTarget::Record(record) => {
            let parts = ["role-of", &*record.endpoint, record.resource_type.name(), &*record.id];
            Some(key(role, &parts))
        }
        RefTarget::Identified { identifier, .. } => {
            let (system, value) = form(identifier)?;
            Some(key(role, &["role-of-identifier", system, value]))
        }
        RefTarget::External(_) | RefTarget::Dangling(_) => None,
    }
}

/// The rule by which two directory records are the same entry, if one applies. Two numbers of
/// the NPI's system that differ are two entries, whatever else agrees. The order of the two does
/// not matter.
pub fn same_directory_entry(
    a: (&RecordKey, &Facts),
    b: (&RecordKey, &Facts),
) -> Option<&'static str> {
    let kind = a.0.resource_type;
    if kind != b.0.resource_type {
        return None;
    }
    let shares = |a: &BTreeSet<&str>, b: &BTreeSet<&str>| a.intersection(b).next().is_some();
    let (npis_a, npis_b) = (npis(a.1), npis(b.1));
    if shares(&npis_a, &npis_b) {
        return Some("npi");
    }
    let (numbers_a, numbers_b) = (numbers(a.1), numbers(b.1));
    let (all_a, all_b) = (&npis_a | &numbers_a, &npis_b | &numbers_b);
    if !all_a.is_empty() && !all_b.is_empty() && !shares(&all_a, &all_b) {
        return None;
    }
    let ours: BTreeSet<_> = comparable(a.1).collect();
    if comparable(b.1).any(|identifier| ours.contains(&identifier)) {
        return Some("identifier");
    }
    if !same_name(kind, a.1, b.1) {
        return None;
    }
    if shares(&numbers_a, &numbers_b) {
        return Some("number-and-name");
    }
    let (ours, theirs) = (places(kind, a.1), places(kind, b.1));
    ours.intersection(&theirs).next().is_some().then_some(match kind.name() {
        "Practitioner" => "name-and-contact",
        _ => "name-and-place",
    })
}

fn key(resource_type: ResourceType, parts: &[&str]) -> BlockingKey {
    let all = ["directory", resource_type.name()].into_iter().chain(parts.iter().copied());
    BlockingKey(Hash::of_parts(all.map(str::as_bytes)))
}

/// Identifiers that can be compared between endpoints, in one form of the system.
fn comparable(facts: &Facts) -> impl Iterator<Item = (&str, &str)> {
    current(facts).filter_map(form)
}

fn current(facts: &Facts) -> impl Iterator<Item = &Identifier> {
    let own = facts.identifiers.iter();
    let stated = facts.demographics.iter().flat_map(|d| d.identifiers.iter());
    own.chain(stated).filter(|i| !i.old)
}

/// Values without system, and systems that are no URI, are local; what stands for an NPI and is
/// none is no identifier.
fn form(identifier: &Identifier) -> Option<(&str, &str)> {
    let is_number = is_npi_system(identifier);
    let global = !identifier.value.is_empty()
        && (!is_number || is_npi(&identifier.value))
        && identifier.system.contains(':')
        && !identifier.system.starts_with("http://localhost");
    global.then_some((if is_number { NPI } else { &*identifier.system }, &*identifier.value))
}

fn is_npi_system(identifier: &Identifier) -> bool {
    [NPI, NPI_OID].contains(&&*identifier.system)
}

fn npis(facts: &Facts) -> BTreeSet<&str> {
    comparable(facts).filter(|(system, _)| *system == NPI).map(|(_, value)| value).collect()
}

/// What stands in the NPI's system and is no NPI: test systems and mistyped numbers. Of one digit
/// throughout it stands for "unknown", which is no number at all.
fn numbers(facts: &Facts) -> BTreeSet<&str> {
    let stands_for_none =
        |v: &str| v == "0" || (v.len() > 1 && v.bytes().all(|b| Some(&b) == v.as_bytes().first()));
    let stated = current(facts).filter(|i| is_npi_system(i)).map(|i| &*i.value);
    stated.filter(|v| !v.is_empty() && !is_npi(v) && !stands_for_none(v)).collect()
}

/// Ten digits with a right check digit, by Luhn over the number with 80840 before it (which adds
/// 24). Senders fill in 9999999999, whose check digit is wrong.
fn is_npi(value: &str) -> bool {
    if value.len() != 10 || !value.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let sum = value.bytes().rev().enumerate().fold(24, |sum, (place, byte)| {
        let digit = u32::from(byte - b'0');
        let doubled = if digit > 4 { digit * 2 - 9 } else { digit * 2 };
        sum + if place % 2 == 1 { doubled } else { digit }
    });
    sum % 10 == 0
}

/// The names a record is found by: of a person family and first given name.
fn names(resource_type: ResourceType, facts: &Facts) -> BTreeSet<String> {
    match resource_type.name() {
        "Practitioner" => {
            let whole = person_names(facts).filter_map(|n| Some((n, n.given.first()?)));
            whole.map(|(name, given)| format!("{}, {given}", name.family)).collect()
        }
        "Organization" | "Location" | "HealthcareService" => {
            Some(fold(&facts.text)).filter(|name| !name.is_empty()).into_iter().collect()
        }
        _ => BTreeSet::new(),
    }
}

fn person_names(facts: &Facts) -> impl Iterator<Item = &PersonName> {
    let all = facts.demographics.iter().flat_map(|d| &d.names);
    all.filter(|n| !n.former && !n.family.is_empty() && !n.given.is_empty())
}

/// The very same name; of a person family and given names, where a further one may be left out or
/// be an initial, and no other birth date or gender.
fn same_name(resource_type: ResourceType, a: &Facts, b: &Facts) -> bool {
    if resource_type.name() != "Practitioner" {
        return names(resource_type, a).intersection(&names(resource_type, b)).next().is_some();
    }
    let is_initial = |x: &str, y: &str| x.chars().count() == 1 && y.starts_with(x);
    let fits = |x: &str, y: &str| x == y || is_initial(x, y) || is_initial(y, x);
    let same = |x: &PersonName, y: &PersonName| {
        x.family == y.family
            && x.suffix == y.suffix
            && x.given.first() == y.given.first()
            && x.given.iter().zip(&y.given).all(|(x, y)| fits(x, y))
    };
    let Some((of_a, of_b)) = a.demographics.as_ref().zip(b.demographics.as_ref()) else {
        return false;
    };
    let born_apart = of_a.birth_date.zip(of_b.birth_date).is_some_and(|(x, y)| x != y);
    let genders = of_a.gender.as_ref().zip(of_b.gender.as_ref());
    !born_apart
        && genders.is_none_or(|(x, y)| x == y)
        && person_names(a).any(|x| person_names(b).any(|y| same(x, y)))
}

/// What says where a record of this name is: of an organization phones and postcodes, of a person
/// phones, e-mails and doors, of a location doors, of a service phones.
fn places(resource_type: ResourceType, facts: &Facts) -> BTreeSet<String> {
    let Some(d) = &facts.demographics else { return BTreeSet::new() };
    let phones = || d.phones.iter().map(|p| format!("phone {p}"));
    let doors = || {
        let whole = d.addresses.iter().filter(|a| !a.number.is_empty() && !a.street.is_empty());
        let somewhere = whole.filter(|a| !a.postcode.is_empty());
        somewhere.map(|a| format!("door {} {} {} {}", a.number, a.street, a.unit, a.postcode))
    };
    match resource_type.name() {
        "Organization" => {
            let postcodes = d.addresses.iter().filter(|a| !a.postcode.is_empty());
            phones().chain(postcodes.map(|a| format!("postcode {}", a.postcode))).collect()
        }
        "Practitioner" => {
            let emails = d.emails.iter().map(|e| format!("email {e}"));
            phones().chain(emails).chain(doors()).collect()
        }
        "Location" => doors().collect(),
        "HealthcareService" => phones().collect(),
        _ => BTreeSet::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::demographics;
    use serde_json::{Value, json};

    fn facts(text: &str, identifiers: &[(&str, &str)], phone: &str) -> Facts {
        let telecom = json!({"telecom": [{"system": "phone", "value": phone}]});
        with(text, identifiers, &telecom)
    }

    fn with(text: &str, identifiers: &[(&str, &str)], rest: &Value) -> Facts {
        let identifiers = identifiers.iter().map(|(system, value)| Identifier {
            system: (*system).into(),
            value: (*value).into(),
            ..Identifier::default()
        });
        Facts {
            text: text.into(),
            identifiers: identifiers.collect(),
            demographics: Some(Box::new(demographics(rest))),
            ..Facts::default()
        }
    }

    fn doctor(family: &str, given: &[&str], number: &str, rest: &Value) -> Facts {
        let mut person = json!({"name": [{"family": family, "given": given}]});
        for (name, value) in rest.as_object().into_iter().flatten() {
            person[name] = value.clone();
        }
        let number = [(NPI, number)];
        with("", if number[0].1.is_empty() { &[] } else { &number }, &person)
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
        for kind in ["Practitioner", "Organization"] {
            assert_eq!(same(kind, &placeholder, &placeholder.clone()), None);
        }
    }

    #[test]
    fn a_number_that_is_no_npi_needs_the_very_same_name() {
        let none = json!({});
        // A wrong check digit, and what Synthea writes.
        for number in ["1234567890", "10", "7"] {
            let ann = doctor("Lee", &["Ann"], number, &none);
            assert_eq!(same("Practitioner", &ann, &ann.clone()), Some("number-and-name"));
            let middle = doctor("LEE", &["Ann", "B."], number, &none);
            assert_eq!(same("Practitioner", &ann, &middle), Some("number-and-name"));
            for (family, given) in [("Lee", "Amy"), ("Leeds", "Ann")] {
                let other = doctor(family, &[given], number, &none);
                assert_eq!(same("Practitioner", &ann, &other), None);
            }
            let other_number = doctor("Lee", &["Ann"], "12", &none);
            assert_eq!(same("Practitioner", &ann, &other_number), None);
            assert_eq!(same("Practitioner", &ann, &doctor("Lee", &["Ann"], "", &none)), None);
        }
        let unknown = doctor("Lee", &["Ann"], "9999999999", &none);
        assert_eq!(same("Practitioner", &unknown, &unknown.clone()), None);
        let clinic = facts("mercy clinic", &[(NPI, "10")], "");
        assert_eq!(same("Organization", &clinic, &clinic.clone()), Some("number-and-name"));
        assert_eq!(same("Organization", &clinic, &facts("x", &[(NPI, "10")], "")), None);
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
        let door = json!({"address": [{"line": ["12 Oak Rd"], "postalCode": "01970"}]});
        let site = with("main site", &[], &door);
        assert_eq!(same("Location", &site, &site.clone()), Some("name-and-place"));
        assert_eq!(same("Location", &site, &with("pharmacy", &[], &door)), None);
    }

    #[test]
    fn a_practitioner_is_known_by_name_and_contact() {
        let phone = json!({"telecom": [{"system": "phone", "value": "617-253-1234"}]});
        let ann = doctor("Lee", &["Ann"], "", &phone);
        assert_eq!(same("Practitioner", &ann, &ann.clone()), Some("name-and-contact"));
        assert_eq!(same("Practitioner", &ann, &doctor("Lee", &["Amy"], "", &phone)), None);
        assert_eq!(same("Practitioner", &ann, &doctor("Lee", &["Ann"], "", &json!({}))), None);
        let numbered = |n| doctor("Lee", &["Ann"], n, &phone);
        let (one, other) = (numbered("1234567893"), numbered("1245319599"));
        assert_eq!(same("Practitioner", &one, &other), None, "colleagues of one name");
        let junior = json!({"name": [{"family": "Lee", "given": ["Ann"], "suffix": ["Jr"]}],
            "telecom": phone["telecom"]});
        assert_eq!(same("Practitioner", &ann, &with("", &[], &junior)), None);
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
