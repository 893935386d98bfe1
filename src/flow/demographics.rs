//! Who a Patient says they are, normalised for comparison.

use serde::{Deserialize, Serialize};

use super::facts::{Identifier, RefTarget};

/// The comparable demographics of one chart. Placeholder values ("John Doe", 1900-01-01) have
/// been left out, so whatever is here may score.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug, Default)]
pub struct Demographics {
    /// Names, current ones first; old and maiden names are kept and marked.
    pub names: Vec<PersonName>,
    /// Birth date, as precise as stated.
    pub birth_date: Option<PartialDate>,
    /// Administrative gender code, if male, female or other.
    pub gender: Option<Box<str>>,
    /// Identifiers, also those without system.
    pub identifiers: Vec<Identifier>,
    /// Postal addresses.
    pub addresses: Vec<Address>,
    /// Phone numbers in E.164 where the country is known, else digits.
    pub phones: Vec<Box<str>>,
    /// E-mail addresses in lower case.
    pub emails: Vec<Box<str>>,
    /// `deceasedBoolean` or `deceasedDateTime` says dead.
    pub deceased: bool,
    /// The day of death, as precise as stated.
    pub deceased_date: Option<PartialDate>,
    /// The day of the last encounter that took place, looked up only where the other of two who
    /// are compared has died; not stored.
    #[serde(skip)]
    pub last_seen: Option<PartialDate>,
    /// Place in a multiple birth; 0 when it is only known that there was one.
    pub multiple_birth: Option<u8>,
    /// `active` is false.
    pub inactive: bool,
    /// The endpoint's own merge: `link` of type `replaced-by`.
    pub replaced_by: Option<RefTarget>,
    /// Nothing but an identifier is known: records name their Patient by
    /// `Patient?identifier=`. Such a chart joins only a chart of its own endpoint that has
    /// the identifier, and only if there is exactly one such person.
    pub by_identifier_only: bool,
}

/// A person's name in comparable form: lower case, no diacritics, no punctuation.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Debug, Default)]
pub struct PersonName {
    /// Given names in order.
    pub given: Vec<Box<str>>,
    /// Family name; compound names with one space between parts.
    pub family: Box<str>,
    /// Generational suffix: `jr`, `sr`, `ii`, `iii` …; empty if none.
    pub suffix: Box<str>,
    /// A former name (`use` old or maiden, or ended).
    pub former: bool,
}

/// A date of which month and day may be unknown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Debug)]
pub struct PartialDate {
    /// Year, 4 digits.
    pub year: i16,
    /// Month 1–12; 0 if not stated.
    pub month: u8,
    /// Day 1–31; 0 if not stated.
    pub day: u8,
}

/// A postal address in comparable form.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Debug, Default)]
pub struct Address {
    /// House number, or PO box number with `box ` before it; empty if none.
    pub number: Box<str>,
    /// Street name with expanded street words (`st` → `street`).
    pub street: Box<str>,
    /// Flat, apartment or suite.
    pub unit: Box<str>,
    /// City.
    pub city: Box<str>,
    /// State or region as written, lower case.
    pub state: Box<str>,
    /// Postcode without white space; US ZIP+4 cut to 5.
    pub postcode: Box<str>,
}
