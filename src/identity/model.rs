//! The match model: weights, term frequencies, prior and thresholds, one versioned file.
//!
//! Weights are log2(m/u) bits after Fellegi and Sunter, "A Theory for Record Linkage" (1969),
//! <https://doi.org/10.1080/01621459.1969.10501049>.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::LazyLock;

use serde::Deserialize;

use super::levels::{
    AddressLevel, BirthLevel, EmailLevel, GenderLevel, IdentifierLevel, Levels, MemberLevel,
    MiddleLevel, NameLevel, PhoneLevel,
};
use super::nickname::Nicknames;
use crate::flow::{Hash, Identifier};

const MODEL: &str = include_str!("../../profiles/match-model.json");
const NICKNAMES: &str = include_str!("../../profiles/nicknames.json");

/// Everything that scoring depends on. Two gateways with equal [`Model::hash`] decide alike.
#[derive(Clone, Debug)]
pub struct Model {
    /// The version the file states.
    pub version: Box<str>,
    hash: Hash,
    pub(crate) prior_bits: f64,
    pub(crate) thresholds: Thresholds,
    block_cap: usize,
    group_cap: usize,
    pub(crate) passes: Vec<Pass>,
    pub(crate) identifiers: IdentifierClasses,
    pub(crate) household_share: f64,
    pub(crate) bits: FieldBits,
    pub(crate) family: TermFrequencies,
    pub(crate) given: TermFrequencies,
    pub(crate) nicknames: Nicknames,
}

/// From which match weight on a grade is given, in bits, prior included.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Thresholds {
    pub(crate) certain_bits: f64,
    pub(crate) probable_bits: f64,
    pub(crate) possible_bits: f64,
    /// Certain from here if nothing but name, birth date and gender agree.
    pub(crate) name_and_birth_bits: f64,
}

/// A way to propose pairs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Pass {
    Identifier,
    FamilySoundBirth,
    GivenBirth,
    BirthPostcode,
    Phone,
    Email,
    NamesBirthYear,
    NamesPostcode,
    AddressGiven,
}

/// What an identifier proves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum IdentifierClass {
    /// One a person for life: another value is another person.
    Permanent,
    /// One a person at a time.
    Renewable,
    /// A record number of the system's owner.
    Record,
    /// Shared within a family.
    Shared,
    /// Not known.
    Other,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdentifierClasses {
    permanent: IdentifierSet,
    renewable: IdentifierSet,
    record: IdentifierSet,
    shared: IdentifierSet,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct IdentifierSet {
    systems: Vec<Box<str>>,
    prefixes: Vec<Box<str>>,
    kinds: Vec<Box<str>>,
}

/// How common each name is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TermFrequencies {
    /// The chance that two random people agree, which the level's u stands for.
    average: f64,
    /// For a name that is not listed.
    unseen: f64,
    terms: BTreeMap<Box<str>, f64>,
}

/// The weight of every level of a field.
#[derive(Clone, Debug)]
pub(crate) struct Bits<L> {
    by_level: Vec<f64>,
    level: PhantomData<L>,
}

/// The weights of all fields.
#[derive(Clone, Debug)]
pub(crate) struct FieldBits {
    pub(crate) name: Bits<NameLevel>,
    pub(crate) middle_name: Bits<MiddleLevel>,
    pub(crate) birth_date: Bits<BirthLevel>,
    pub(crate) gender: Bits<GenderLevel>,
    pub(crate) identifier: Bits<IdentifierLevel>,
    pub(crate) address: Bits<AddressLevel>,
    pub(crate) phone: Bits<PhoneLevel>,
    pub(crate) email: Bits<EmailLevel>,
    pub(crate) member_number: Bits<MemberLevel>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelFile {
    version: Box<str>,
    prior_bits: f64,
    thresholds: Thresholds,
    block_cap: usize,
    group_cap: usize,
    passes: Vec<Pass>,
    identifiers: IdentifierClasses,
    household_share: f64,
    fields: BTreeMap<Box<str>, BTreeMap<Box<str>, Odds>>,
    term_frequencies: TermFile,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TermFile {
    family: TermFrequencies,
    given: TermFrequencies,
}

/// How often a level is reached by two records of one person (m) and of two (u).
#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Odds {
    m: f64,
    u: f64,
}

impl Model {
    /// Reads a model file.
    ///
    /// # Errors
    /// Names the key that is missing, unknown or out of range.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::with_nicknames(text, NICKNAMES)
    }

    /// Reads a model file and a nickname file.
    ///
    /// # Errors
    /// Names the key that is missing, unknown or out of range.
    pub fn with_nicknames(text: &str, nicknames: &str) -> Result<Self, String> {
        let file: ModelFile =
            serde_json::from_str(text).map_err(|e| format!("match model: {e}"))?;
        check_ranges(&file)?;
        Ok(Self {
            version: file.version,
            hash: Hash::of_parts([text.as_bytes(), nicknames.as_bytes()]),
            prior_bits: file.prior_bits,
            thresholds: file.thresholds,
            block_cap: file.block_cap,
            group_cap: file.group_cap,
            passes: file.passes,
            identifiers: file.identifiers,
            household_share: file.household_share,
            bits: FieldBits::read(file.fields)?,
            family: file.term_frequencies.family,
            given: file.term_frequencies.given,
            nicknames: Nicknames::parse(nicknames).map_err(|e| format!("nicknames: {e}"))?,
        })
    }

    /// The model that comes with the gateway: not trained on any site's data.
    pub fn embedded() -> Self {
        static EMBEDDED: LazyLock<Model> =
            LazyLock::new(|| Model::parse(MODEL).expect("tests read the embedded model"));
        EMBEDDED.clone()
    }

    /// Hash of the model and nickname files.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// How many homes of a block are compared; pairs that only a larger block proposes are
    /// unproven.
    pub fn block_cap(&self) -> usize {
        self.block_cap
    }

    /// How many homes one person may have before links that add more are cut.
    pub fn group_cap(&self) -> usize {
        self.group_cap
    }

    /// What an identifier proves.
    pub(crate) fn class_of(&self, identifier: &Identifier) -> IdentifierClass {
        let classes = &self.identifiers;
        [
            (&classes.permanent, IdentifierClass::Permanent),
            (&classes.renewable, IdentifierClass::Renewable),
            (&classes.record, IdentifierClass::Record),
            (&classes.shared, IdentifierClass::Shared),
        ]
        .into_iter()
        .find(|(set, _)| set.has(identifier))
        .map_or(IdentifierClass::Other, |(_, class)| class)
    }
}

impl IdentifierSet {
    fn has(&self, identifier: &Identifier) -> bool {
        self.systems.contains(&identifier.system)
            || self.prefixes.iter().any(|p| identifier.system.starts_with(&**p))
            || self.kinds.contains(&identifier.kind)
    }
}

impl TermFrequencies {
    /// What agreement on this very name adds to agreement on an average one.
    pub(crate) fn adjustment_bits(&self, term: &str) -> f64 {
        let frequency = self.terms.get(term).copied().unwrap_or(self.unseen);
        (self.average / frequency).log2()
    }
}

impl<L: Levels> Bits<L> {
    /// The weight of a level.
    pub(crate) fn of(&self, level: L) -> f64 {
        self.by_level[level.index()]
    }

    fn read(fields: &mut BTreeMap<Box<str>, BTreeMap<Box<str>, Odds>>) -> Result<Self, String> {
        let field = L::FIELD;
        let mut levels =
            fields.remove(field).ok_or(format!("match model: fields.{field} is missing"))?;
        let mut by_level = Vec::with_capacity(L::WORDS.len());
        for &word in L::WORDS {
            let key = format!("fields.{field}.{word}");
            let odds =
                levels.remove(word).ok_or_else(|| format!("match model: {key} is missing"))?;
            let valid = |p: f64| p > 0.0 && p <= 1.0;
            if !valid(odds.m) || !valid(odds.u) {
                return Err(format!("match model: {key} needs 0 < m, u <= 1"));
            }
            by_level.push((odds.m / odds.u).log2());
        }
        match levels.keys().next() {
            Some(unknown) => Err(format!("match model: fields.{field}.{unknown} is unknown")),
            None => Ok(Self { by_level, level: PhantomData }),
        }
    }
}

impl FieldBits {
    fn read(mut fields: BTreeMap<Box<str>, BTreeMap<Box<str>, Odds>>) -> Result<Self, String> {
        let read = Self {
            name: Bits::read(&mut fields)?,
            middle_name: Bits::read(&mut fields)?,
            birth_date: Bits::read(&mut fields)?,
            gender: Bits::read(&mut fields)?,
            identifier: Bits::read(&mut fields)?,
            address: Bits::read(&mut fields)?,
            phone: Bits::read(&mut fields)?,
            email: Bits::read(&mut fields)?,
            member_number: Bits::read(&mut fields)?,
        };
        match fields.keys().next() {
            Some(unknown) => Err(format!("match model: fields.{unknown} is unknown")),
            None => Ok(read),
        }
    }
}

fn check_ranges(file: &ModelFile) -> Result<(), String> {
    let t = &file.thresholds;
    let ordered = t.possible_bits <= t.probable_bits
        && t.probable_bits <= t.certain_bits
        && t.certain_bits <= t.name_and_birth_bits;
    let terms = [&file.term_frequencies.family, &file.term_frequencies.given];
    let frequencies = terms.iter().all(|table| {
        let mut all = table.terms.values().chain([&table.average, &table.unseen]);
        all.all(|f| *f > 0.0 && *f <= 1.0)
    });
    let fault = match () {
        () if !ordered => "thresholds must rise from possible to certain to name_and_birth",
        () if file.prior_bits > 0.0 => "prior_bits must not be above 0",
        () if file.block_cap == 0 => "block_cap must be at least 1",
        () if file.group_cap < 2 => "group_cap must be at least 2",
        () if !(0.0..=1.0).contains(&file.household_share) => "household_share must be 0 to 1",
        () if !frequencies => "term_frequencies must be above 0 and at most 1",
        () => return Ok(()),
    };
    Err(format!("match model: {fault}"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_model_reads_and_has_a_hash_of_its_text() {
        let model = Model::parse(MODEL).unwrap();
        assert_eq!(model.hash(), Model::embedded().hash());
        assert_ne!(model.hash(), Model::parse(&MODEL.replace("2026-1", "2026-2")).unwrap().hash());
        assert!(model.nicknames.are("bill", "william") && !model.nicknames.are("bill", "robert"));
    }

    #[test]
    fn a_faulty_model_is_refused_by_the_name_of_its_key() {
        for (from, to, named) in [
            ("\"group_cap\"", "\"group_kap\"", "group_kap"),
            ("\"given-close\"", "\"given-klose\"", "fields.name.given-close"),
            ("\"email\": {", "\"e_mail\": {", "fields.email"),
            ("\"birth-postcode\"", "\"birth-post\"", "birth-post"),
            ("\"block_cap\": 200", "\"block_cap\": 0", "block_cap"),
        ] {
            let error = Model::parse(&MODEL.replace(from, to)).unwrap_err();
            assert!(error.contains(named), "{error}");
        }
    }
}
