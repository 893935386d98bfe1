//! The match model: weights, term frequencies, prior and thresholds, one versioned file.
//!
//! Weights are log2(m/u) bits after Fellegi and Sunter, "A Theory for Record Linkage" (1969),
//! <https://doi.org/10.1080/01621459.1969.10501049>.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::levels::{FIELD_COUNT, FIELDS, Levels};
use super::nickname::Nicknames;
use crate::flow::{Hash, Identifier};

const MODEL: &str = include_str!("../../profiles/match-model.json");
/// Below so many pairs of relatives per pair of one person weights decide. One in fifty such
/// pairs are twins or a parent and a child of one name: of 2,500 links at most one would join them.
pub(crate) const RELATIVES_RARE: f64 = 0.02;
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
    relatives_are_rare: bool,
    /// What it was read from, for training to start from.
    pub(crate) file: ModelFile,
}

/// From which match weight on a grade is given, in bits, prior included.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Thresholds {
    pub(crate) certain_bits: f64,
    pub(crate) probable_bits: f64,
    pub(crate) possible_bits: f64,
    /// Certain from here if nothing but name, birth date and gender agree.
    pub(crate) name_and_birth_bits: f64,
}

/// A way to propose pairs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
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
    InitialBirth,
    StreetFamily,
    PhoneGiven,
    EmailGiven,
    NamesCity,
    HouseNames,
    StreetNames,
}

impl Pass {
    /// The pass as the model file calls it; part of every stored key.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Identifier => "identifier",
            Self::FamilySoundBirth => "family-sound-birth",
            Self::GivenBirth => "given-birth",
            Self::BirthPostcode => "birth-postcode",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::NamesBirthYear => "names-birth-year",
            Self::NamesPostcode => "names-postcode",
            Self::AddressGiven => "address-given",
            Self::InitialBirth => "initial-birth",
            Self::StreetFamily => "street-family",
            Self::PhoneGiven => "phone-given",
            Self::EmailGiven => "email-given",
            Self::NamesCity => "names-city",
            Self::HouseNames => "house-names",
            Self::StreetNames => "street-names",
        }
    }

    /// The fields that a key of this pass fixes, by position: its pairs say nothing about how
    /// often one person agrees in them.
    pub(crate) fn fixes(self) -> &'static [usize] {
        match self {
            Self::Identifier => &[6],
            Self::FamilySoundBirth => &[1, 2, 4],
            Self::GivenBirth => &[0, 2, 4],
            Self::BirthPostcode => &[4, 7],
            Self::Phone => &[8],
            Self::Email => &[9],
            Self::NamesBirthYear => &[0, 1, 2, 4],
            Self::NamesPostcode | Self::NamesCity => &[0, 1, 2, 7],
            Self::AddressGiven => &[0, 2, 7],
            Self::HouseNames | Self::StreetNames => &[0, 1, 2, 7],
            Self::InitialBirth => &[0, 1, 4],
            Self::StreetFamily => &[1, 2, 7],
            Self::PhoneGiven => &[0, 2, 8],
            Self::EmailGiven => &[0, 2, 9],
        }
    }
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
    /// One a person, of a scheme that cannot be checked: another value may be an error.
    Unverified,
    /// The last digits of a number for life.
    LastFour,
    /// Shared within a family.
    Shared,
    /// Not known.
    Other,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdentifierClasses {
    permanent: IdentifierSet,
    renewable: IdentifierSet,
    record: IdentifierSet,
    unverified: IdentifierSet,
    last_four: IdentifierSet,
    shared: IdentifierSet,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct IdentifierSet {
    systems: Vec<Box<str>>,
    prefixes: Vec<Box<str>>,
    kinds: Vec<Box<str>>,
}

/// How common each name is.
#[derive(Clone, Debug)]
pub(crate) struct TermFrequencies {
    average: f64,
    unseen: f64,
    terms: HashMap<Box<str>, f64>,
}

/// The weight of every level of every field, in bits, and how often one person reaches it.
#[derive(Clone, Debug)]
pub(crate) struct FieldBits {
    by_field: [Vec<f64>; FIELD_COUNT],
    m: [Vec<f64>; FIELD_COUNT],
}

/// The match model as the file has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModelFile {
    pub(crate) version: Box<str>,
    /// How it was learned; not there if set by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) training: Option<Training>,
    /// Pairs of two people of one family and home, per pair of records of one person; not there
    /// if it was not learned, and then they are taken to be many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) relatives: Option<f64>,
    pub(crate) prior_bits: f64,
    pub(crate) thresholds: Thresholds,
    pub(crate) block_cap: usize,
    pub(crate) group_cap: usize,
    pub(crate) passes: Vec<Pass>,
    pub(crate) identifiers: IdentifierClasses,
    pub(crate) household_share: f64,
    pub(crate) fields: BTreeMap<Box<str>, BTreeMap<Box<str>, Odds>>,
    pub(crate) term_frequencies: TermFile,
}

/// How a model was learned: settings and data.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// The version of the model it began with.
    pub from: Box<str>,
    /// Records read.
    pub records: u64,
    /// Random pairs from which u was learned.
    pub random_pairs: u64,
    /// Proposed pairs from which m was learned.
    pub proposed_pairs: u64,
    /// Seed of the samples.
    pub seed: u64,
    /// Rounds of expectation and maximisation.
    pub rounds: u32,
    /// Hash over the records, whatever their order.
    pub data_fingerprint: Box<str>,
}

/// The names of people by how common they are.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TermFile {
    pub(crate) family: TermTable,
    pub(crate) given: TermTable,
}

/// How common each name is, as the file has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TermTable {
    /// The chance that two random people agree, which the level's u stands for.
    pub(crate) average: f64,
    /// For a name that is not listed.
    pub(crate) unseen: f64,
    pub(crate) terms: BTreeMap<Box<str>, f64>,
}

/// How often a level is reached by two records of one person (m) and of two (u).
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Odds {
    pub(crate) m: f64,
    pub(crate) u: f64,
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
        let hash = Hash::of_parts([text.as_bytes(), nicknames.as_bytes()]);
        let nicknames = Nicknames::parse(nicknames).map_err(|e| format!("nicknames: {e}"))?;
        Self::of_file(file, hash, nicknames)
    }

    fn of_file(file: ModelFile, hash: Hash, nicknames: Nicknames) -> Result<Self, String> {
        check_ranges(&file)?;
        Ok(Self {
            version: file.version.clone(),
            hash,
            prior_bits: file.prior_bits,
            thresholds: file.thresholds,
            block_cap: file.block_cap,
            group_cap: file.group_cap,
            passes: file.passes.clone(),
            identifiers: file.identifiers.clone(),
            household_share: file.household_share,
            bits: FieldBits::read(&file.fields)?,
            family: TermFrequencies::of(&file.term_frequencies.family),
            given: TermFrequencies::of(&file.term_frequencies.given),
            nicknames,
            relatives_are_rare: file.relatives.is_some_and(|r| r < RELATIVES_RARE),
            file,
        })
    }

    /// The same model with another content, as training makes it. Its hash is that of its text.
    ///
    /// # Errors
    /// Names the key that is out of range.
    pub(crate) fn with_file(&self, file: ModelFile) -> Result<Self, String> {
        let text = serde_json::to_string(&file).map_err(|e| format!("match model: {e}"))?;
        let hash = Hash::of_parts([text.as_bytes(), NICKNAMES.as_bytes()]);
        Self::of_file(file, hash, self.nicknames.clone())
    }

    /// The model for so many records: where no training told how often two records match, it is
    /// not likelier than that each has one counterpart.
    pub fn for_records(&self, count: usize) -> Self {
        let mut model = self.clone();
        let counted = u32::try_from(count.max(1)).map_or(32.0, |n| f64::from(n).log2());
        if model.file.training.is_none() {
            model.prior_bits = model.prior_bits.min(-counted);
        }
        model
    }

    /// The model file's text.
    pub fn to_text(&self) -> String {
        serde_json::to_string_pretty(&self.file).expect("a model is made of strings and numbers")
    }

    /// How the model was learned; `None` if it was set by hand.
    pub fn training(&self) -> Option<&Training> {
        self.file.training.as_ref()
    }

    /// The model that comes with the gateway: not trained on any site's data.
    pub fn embedded() -> Self {
        static EMBEDDED: LazyLock<Model> =
            LazyLock::new(|| Model::parse(MODEL).expect("tests read the embedded model"));
        EMBEDDED.clone()
    }

    /// Whether training found that hardly any two people of a family and home are in the data, so
    /// that what looks like relatives is one person with errors.
    pub(crate) fn relatives_are_rare(&self) -> bool {
        self.relatives_are_rare
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
            (&classes.unverified, IdentifierClass::Unverified),
            (&classes.last_four, IdentifierClass::LastFour),
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
    fn of(table: &TermTable) -> Self {
        let terms = table.terms.iter().map(|(term, f)| (term.clone(), *f)).collect();
        Self { average: table.average, unseen: table.unseen, terms }
    }

    /// What agreement on this very name adds to agreement on an average one.
    pub(crate) fn adjustment_bits(&self, term: &str) -> f64 {
        let frequency = self.terms.get(term).copied().unwrap_or(self.unseen);
        (self.average / frequency).log2()
    }

    /// The most that it may add.
    pub(crate) fn most_adjustment_bits(&self) -> f64 {
        let rarest = self.terms.values().copied().fold(self.unseen, f64::min);
        (self.average / rarest).log2().max(0.0)
    }
}

impl FieldBits {
    /// The weight of a level.
    pub(crate) fn of<L: Levels>(&self, level: L) -> f64 {
        self.by_field[L::FIELD][level.index()]
    }

    /// The weight of a level by its position.
    pub(crate) fn at(&self, field: usize, level: u8) -> f64 {
        self.by_field[field][usize::from(level)]
    }

    /// The most that any level of a field weighs.
    pub(crate) fn most(&self, field: usize) -> f64 {
        self.by_field[field].iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }

    /// How often two records of one person reach a level.
    pub(crate) fn m<L: Levels>(&self, level: L) -> f64 {
        self.m[L::FIELD][level.index()]
    }

    fn read(fields: &BTreeMap<Box<str>, BTreeMap<Box<str>, Odds>>) -> Result<Self, String> {
        let mut read = Self { by_field: Default::default(), m: Default::default() };
        for (at, (field, words)) in FIELDS.into_iter().enumerate() {
            let levels =
                fields.get(field).ok_or(format!("match model: fields.{field} is missing"))?;
            for &word in words {
                let key = format!("fields.{field}.{word}");
                let odds =
                    levels.get(word).ok_or_else(|| format!("match model: {key} is missing"))?;
                let valid = |p: f64| p > 0.0 && p <= 1.0;
                if !valid(odds.m) || !valid(odds.u) {
                    return Err(format!("match model: {key} needs 0 < m, u <= 1"));
                }
                read.by_field[at].push((odds.m / odds.u).log2());
                read.m[at].push(odds.m);
            }
            if let Some(unknown) = levels.keys().find(|key| !words.contains(&&***key)) {
                return Err(format!("match model: fields.{field}.{unknown} is unknown"));
            }
        }
        let is_field = |key: &str| FIELDS.iter().any(|(field, _)| *field == key);
        match fields.keys().find(|key| !is_field(key)) {
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
        assert_ne!(model.hash(), Model::parse(&MODEL.replace("2026-4", "2026-5")).unwrap().hash());
        assert!(model.nicknames.are("bill", "william") && !model.nicknames.are("bill", "robert"));
    }

    #[test]
    fn a_faulty_model_is_refused_by_the_name_of_its_key() {
        for (from, to, named) in [
            ("\"group_cap\"", "\"group_kap\"", "group_kap"),
            ("\"decade-off\"", "\"decade-of\"", "fields.birth_date.decade-off"),
            ("\"email\": {", "\"e_mail\": {", "fields.email"),
            ("\"birth-postcode\"", "\"birth-post\"", "birth-post"),
            ("\"block_cap\": 200", "\"block_cap\": 0", "block_cap"),
        ] {
            let error = Model::parse(&MODEL.replace(from, to)).unwrap_err();
            assert!(error.contains(named), "{error}");
        }
    }
}
