//! Blocking: under which keys homes that might match are found together.
//!
//! Several passes, each tolerant of errors in other fields, and none of a common value alone.

use std::collections::BTreeSet;

use super::model::{Model, Pass};
use crate::compare::similarity::sound;
use crate::flow::{BlockingKey, Demographics, Hash, Home, PersonName};

/// Most keys of a home. Reached only by charts with very many names, addresses or identifiers;
/// later passes then lose keys first.
const KEYS_MAX: usize = 64;
/// Most names, addresses, phones or e-mails that make keys.
const ITEMS_MAX: usize = 4;
/// Most identifiers that make keys.
const IDENTIFIERS_MAX: usize = 24;

/// The keys of a chart, in the order of the model's passes, without repeats. Charts without
/// demographics have none, and directory records have keys of their own.
pub fn blocking_keys(home: &Home, d: &Demographics, model: &Model) -> Vec<BlockingKey> {
    if home.chart().is_none() {
        return vec![];
    }
    let mut keys = Keys::default();
    for &pass in &model.passes {
        run(pass, d, model, &mut keys);
    }
    keys.list
}

#[derive(Default)]
struct Keys {
    list: Vec<BlockingKey>,
    seen: BTreeSet<BlockingKey>,
}

impl Keys {
    fn add(&mut self, pass: &str, parts: &[&str]) {
        // A key with an unknown part would bring everyone of unknown parts together.
        if parts.iter().any(|part| part.is_empty()) || self.list.len() >= KEYS_MAX {
            return;
        }
        let all = std::iter::once(pass).chain(parts.iter().copied());
        let key = BlockingKey(Hash::of_parts(all.map(str::as_bytes)));
        if self.seen.insert(key) {
            self.list.push(key);
        }
    }
}

fn run(pass: Pass, d: &Demographics, model: &Model, keys: &mut Keys) {
    let names = || d.names.iter().take(ITEMS_MAX);
    let birth = birth_text(d);
    match pass {
        Pass::Identifier => {
            let usable = d.identifiers.iter().filter(|i| !i.system.is_empty());
            for identifier in usable.take(IDENTIFIERS_MAX) {
                keys.add("identifier", &[&identifier.system, &identifier.value]);
            }
        }
        Pass::FamilySoundBirth => {
            for name in names() {
                keys.add("family-sound-birth", &[&family_sound(name), &birth]);
            }
        }
        Pass::GivenBirth => {
            for root in roots(d, model) {
                keys.add("given-birth", &[root, &birth]);
            }
        }
        Pass::BirthPostcode => {
            for address in d.addresses.iter().take(ITEMS_MAX) {
                keys.add("birth-postcode", &[&birth, &address.postcode]);
            }
        }
        Pass::Phone => {
            for phone in d.phones.iter().take(ITEMS_MAX) {
                keys.add("phone", &[phone]);
            }
        }
        Pass::Email => {
            for email in d.emails.iter().take(ITEMS_MAX) {
                keys.add("email", &[email]);
            }
        }
        Pass::NamesBirthYear => {
            let year = d.birth_date.map(|b| b.year.to_string()).unwrap_or_default();
            for [low, high] in name_pairs(d, model) {
                keys.add("names-birth-year", &[&low, &high, &year]);
            }
        }
        Pass::NamesPostcode => {
            for [low, high] in name_pairs(d, model) {
                for address in d.addresses.iter().take(ITEMS_MAX) {
                    keys.add("names-postcode", &[&low, &high, &address.postcode]);
                }
            }
        }
        Pass::AddressGiven => {
            for root in roots(d, model) {
                for address in d.addresses.iter().take(ITEMS_MAX) {
                    let parts: [&str; 3] = [&address.number, &address.postcode, root];
                    keys.add("address-given", &parts);
                }
            }
        }
    }
}

/// The birth date if known to the day.
fn birth_text(d: &Demographics) -> String {
    d.birth_date
        .filter(|b| b.day != 0)
        .map(|b| format!("{}-{}-{}", b.year, b.month, b.day))
        .unwrap_or_default()
}

fn joined_family(name: &PersonName) -> String {
    name.family.replace(' ', "")
}

/// The sound of a family name; the name itself in scripts without one.
fn family_sound(name: &PersonName) -> String {
    let joined = joined_family(name);
    let code = sound(&joined);
    if code.is_empty() { joined } else { code }
}

fn given_roots<'a>(name: &'a PersonName, model: &'a Model) -> Vec<&'a str> {
    name.given.iter().take(2).flat_map(|given| model.nicknames.roots(given)).collect()
}

fn roots<'a>(d: &'a Demographics, model: &'a Model) -> Vec<&'a str> {
    d.names.iter().take(ITEMS_MAX).flat_map(|name| given_roots(name, model)).collect()
}

/// Family and given name in alphabetical order, so that swapped ones meet. A given name in a
/// nickname group stands under its root and itself.
fn name_pairs(d: &Demographics, model: &Model) -> Vec<[String; 2]> {
    let mut pairs = Vec::new();
    for name in d.names.iter().take(ITEMS_MAX) {
        let family = joined_family(name);
        let first = name.given.first().map_or("", |g| &**g);
        for given in given_roots(name, model).into_iter().chain([first]) {
            let mut pair = [family.clone(), given.to_owned()];
            pair.sort();
            pairs.push(pair);
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::demographics;
    use crate::flow::ChartKey;
    use serde_json::{Value, json};

    fn keys(patient: Value) -> BTreeSet<BlockingKey> {
        let home = Home::Chart(ChartKey::new("a", "1"));
        blocking_keys(&home, &demographics(&patient), &Model::embedded()).into_iter().collect()
    }

    #[test]
    fn records_that_differ_in_one_field_still_meet() {
        let base = keys(json!({
            "name": [{"family": "Gonzalez", "given": ["William"]}], "birthDate": "1970-05-06",
            "address": [{"line": ["12 Elm St"], "postalCode": "02139"}]
        }));
        for other in [
            json!({"name": [{"family": "Gonzales", "given": ["Will"]}], "birthDate": "1970-05-06"}),
            json!({"name": [{"family": "William", "given": ["Gonzalez"]}],
                   "birthDate": "1970-06-05"}),
            json!({"name": [{"family": "Smith", "given": ["Bill"]}], "birthDate": "1970-05-06"}),
            json!({"name": [{"family": "Gonzalez", "given": ["Bill"]}],
                   "address": [{"postalCode": "02139-1234"}]}),
            json!({"name": [{"family": "Xu", "given": ["Billy"]}], "birthDate": "1950-01-06",
                   "address": [{"line": ["12 Elm Street"], "postalCode": "02139"}]}),
        ] {
            assert!(keys(other.clone()).intersection(&base).next().is_some(), "{other}");
        }
    }

    #[test]
    fn what_is_unknown_makes_no_key_and_keys_are_bounded() {
        assert!(keys(json!({"name": [{"family": "Lee"}]})).is_empty());
        let many: Vec<Value> =
            (0..30).map(|i| json!({"system": "urn:x", "value": i.to_string()})).collect();
        let names: Vec<Value> =
            (0..30).map(|i| json!({"family": format!("F{i}"), "given": ["Alex", "Sam"]})).collect();
        let zips: Vec<Value> = (0..30)
            .map(|i| json!({"line": [format!("{i} Elm St")], "postalCode": format!("{i}")}))
            .collect();
        let all = keys(json!({"identifier": many, "name": names, "address": zips,
            "birthDate": "1970-05-06"}));
        assert!(all.len() <= KEYS_MAX);
    }
}
