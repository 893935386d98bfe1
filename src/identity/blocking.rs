//! Blocking: under which keys homes that might match are found together.
//!
//! Several passes, each tolerant of errors in other fields, and none of a common value alone.

use std::collections::BTreeSet;

use super::model::{Model, Pass};
use crate::compare::address::is_street_word;
use crate::compare::similarity::sound;
use crate::flow::{Address, BlockingKey, Demographics, Hash, Home, PersonName};

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
    let mut list = Vec::new();
    let mut seen = BTreeSet::new();
    each_key(d, model, |pass, parts| {
        let all = std::iter::once(pass.word()).chain(parts.iter().copied());
        let key = BlockingKey(Hash::of_parts(all.map(str::as_bytes)));
        if seen.insert(key) && list.len() < KEYS_MAX {
            list.push(key);
        }
    });
    list
}

/// A blocking key of a file's record: short, since many are in memory at once. Two keys that
/// collide only propose a pair too many.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct ShortKey(u64);

impl ShortKey {
    /// Bits that say which pass made the key.
    const PASS_BITS: u64 = 0x1f;

    /// How many shares keys are dealt out to.
    pub const SHARES: usize = 256;

    /// The share that the key is dealt to.
    pub fn share(self) -> usize {
        usize::try_from(self.0 >> 56).unwrap_or_default()
    }

    /// The key within its share, as the upper half of what stands for it there, pass last.
    pub fn within_share(self) -> u64 {
        let hash = self.0 >> 24 & 0xffff_ffff;
        (hash & !Self::PASS_BITS | self.0 & Self::PASS_BITS) << 32
    }

    /// The pass of a key that stands in the upper half.
    pub fn pass_within_share(upper: u64) -> usize {
        usize::try_from(upper >> 32 & Self::PASS_BITS).unwrap_or_default()
    }
}

/// The keys of a file's record, sorted.
pub fn short_keys(d: &Demographics, model: &Model, into: &mut Vec<ShortKey>) {
    into.clear();
    each_key(d, model, |pass, parts| {
        let at = model.passes.iter().position(|p| *p == pass).unwrap_or_default();
        let key = short_hash(parts) & !ShortKey::PASS_BITS | at as u64;
        if into.len() < KEYS_MAX {
            into.push(ShortKey(key));
        }
    });
    into.sort_unstable();
    into.dedup();
}

/// A hash of parts, the same on every machine and run; quick, and not safe from those who would
/// make keys collide, who gain nothing. The constant is the golden ratio's, as in Knuth's
/// multiplicative hashing.
fn short_hash(parts: &[&str]) -> u64 {
    let mixed = |hash: u64, word: u64| {
        let product = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        product ^ product >> 29
    };
    parts.iter().fold(0, |hash, part| {
        let words = part
            .as_bytes()
            .chunks(8)
            .map(|chunk| chunk.iter().fold(0, |word: u64, byte| word << 8 | u64::from(*byte)));
        mixed(words.fold(hash, mixed), part.len() as u64)
    })
}

/// Calls with every key of every pass, as parts.
fn each_key(d: &Demographics, model: &Model, mut add: impl FnMut(Pass, &[&str])) {
    let of = Parts::of(d, model);
    for &pass in &model.passes {
        run(pass, &of, |parts| {
            // A key with an unknown part would bring everyone of unknown parts together.
            if !parts.iter().any(|part| part.is_empty()) {
                add(pass, parts);
            }
        });
    }
}

/// What keys are made of.
struct Parts<'a> {
    d: &'a Demographics,
    /// The birth date if known to the day.
    birth: String,
    year: String,
    roots: Vec<&'a str>,
    /// Family name without spaces, its sound, first given name, its roots.
    names: Vec<NameParts<'a>>,
}

struct NameParts<'a> {
    family: String,
    family_sound: String,
    given_sound: String,
    first: &'a str,
    roots: Vec<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(d: &'a Demographics, model: &'a Model) -> Self {
        let known = |name: &'a PersonName| {
            let family = name.family.replace(' ', "");
            let first = name.given.first().map_or("", |g| &**g);
            NameParts {
                family_sound: sound_or_self(&family),
                given_sound: sound_or_self(first),
                family,
                first,
                roots: given_roots(name, model),
            }
        };
        let names: Vec<NameParts<'a>> = d.names.iter().take(ITEMS_MAX).map(known).collect();
        let mut roots: Vec<&str> = names.iter().flat_map(|n| n.roots.iter().copied()).collect();
        roots.dedup();
        let year = d.birth_date.map(|b| b.year.to_string()).unwrap_or_default();
        Self { d, birth: birth_text(d), year, roots, names }
    }

    fn addresses(&self) -> impl Iterator<Item = &Address> {
        self.d.addresses.iter().take(ITEMS_MAX)
    }

    fn postcodes(&self) -> impl Iterator<Item = &str> {
        self.addresses().map(|a| &*a.postcode)
    }
}

fn run(pass: Pass, of: &Parts<'_>, mut add: impl FnMut(&[&str])) {
    let birth = &*of.birth;
    match pass {
        Pass::Identifier => {
            let usable = of.d.identifiers.iter().filter(|i| !i.system.is_empty());
            for identifier in usable.take(IDENTIFIERS_MAX) {
                add(&[&identifier.system, &identifier.value]);
            }
        }
        Pass::FamilySoundBirth => {
            for name in &of.names {
                add(&[&name.family_sound, birth]);
                // Written in each other's field, one of them misspelt.
                add(&[&name.given_sound, birth]);
            }
        }
        Pass::GivenBirth => of.roots.iter().for_each(|root| add(&[root, birth])),
        Pass::BirthPostcode => of.postcodes().for_each(|postcode| add(&[birth, postcode])),
        Pass::Phone => of.d.phones.iter().take(ITEMS_MAX).for_each(|phone| add(&[phone])),
        Pass::Email => of.d.emails.iter().take(ITEMS_MAX).for_each(|email| add(&[email])),
        Pass::NamesBirthYear => {
            for_name_pairs(of, |low, high| add(&[low, high, &of.year]));
        }
        Pass::NamesPostcode => for_name_pairs(of, |low, high| {
            of.postcodes().for_each(|postcode| add(&[low, high, postcode]));
        }),
        Pass::NamesCity => for_name_pairs(of, |low, high| {
            of.addresses().for_each(|address| add(&[low, high, &address.city]));
        }),
        Pass::AddressGiven => {
            for address in of.addresses() {
                for root in &of.roots {
                    add(&[&address.number, &address.postcode, root]);
                }
            }
        }
        Pass::InitialBirth => {
            for name in &of.names {
                add(&["given", initial(name.first), birth]);
                add(&["family", initial(&name.family), birth]);
            }
        }
        Pass::HouseNames | Pass::StreetNames | Pass::StreetFamily => by_street(pass, of, add),
        Pass::PhoneGiven => {
            for phone in of.d.phones.iter().take(ITEMS_MAX) {
                of.roots.iter().for_each(|root| add(&[phone, root]));
            }
        }
        Pass::EmailGiven => {
            for email in of.d.emails.iter().take(ITEMS_MAX) {
                of.roots.iter().for_each(|root| add(&[email, root]));
            }
        }
    }
}

/// The passes that need a street and the sound of a name.
fn by_street(pass: Pass, of: &Parts<'_>, mut add: impl FnMut(&[&str])) {
    for address in of.addresses() {
        let street = telling_word(&address.street);
        for name in &of.names {
            match pass {
                Pass::HouseNames => {
                    add(&[&address.number, &address.postcode, &name.family_sound]);
                    add(&[&address.number, &address.postcode, &name.given_sound]);
                }
                Pass::StreetNames => {
                    add(&[street, &address.postcode, &name.family_sound]);
                    add(&[street, &address.postcode, &name.given_sound]);
                }
                _ => add(&[&address.number, &address.street, &name.family_sound]),
            }
        }
    }
}

/// The word by which a street is known: the first that is longer than a syllable and says no kind
/// of way.
fn telling_word(street: &str) -> &str {
    let telling = |word: &&str| word.len() > 3 && !is_street_word(word);
    street.split(' ').find(telling).unwrap_or_default()
}

fn initial(name: &str) -> &str {
    name.char_indices().nth(1).map_or(name, |(end, _)| &name[..end])
}

/// The birth date if known to the day.
fn birth_text(d: &Demographics) -> String {
    d.birth_date
        .filter(|b| b.day != 0)
        .map(|b| format!("{}-{}-{}", b.year, b.month, b.day))
        .unwrap_or_default()
}

/// The sound of a name; the name itself in scripts without one.
fn sound_or_self(joined: &str) -> String {
    let code = sound(joined);
    if code.is_empty() { joined.to_owned() } else { code }
}

fn given_roots<'a>(name: &'a PersonName, model: &'a Model) -> Vec<&'a str> {
    name.given.iter().take(2).flat_map(|given| model.nicknames.roots(given)).collect()
}

/// Family and given name in alphabetical order, so that swapped ones meet. A given name in a
/// nickname group stands under its root and itself.
fn for_name_pairs(of: &Parts<'_>, mut add: impl FnMut(&str, &str)) {
    for name in &of.names {
        let own = (!name.roots.contains(&name.first)).then_some(name.first);
        for given in name.roots.iter().copied().chain(own) {
            let (low, high) = if *given <= *name.family {
                (given, &*name.family)
            } else {
                (&*name.family, given)
            };
            add(low, high);
        }
    }
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
