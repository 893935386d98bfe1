//! Ids are derived, not drawn: the same source record has the same id in every rebuild.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::key::{ChartKey, Home, RecordKey};
use crate::fhir::search::Indexed;

/// A 128-bit id, shown as 26 lower-case base32 characters (a legal R4 `id`).
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default, Debug,
)]
pub struct DerivedId(pub u128);

/// A 128-bit content hash (blake3, truncated).
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default, Debug,
)]
pub struct Hash(pub u128);

/// The store's secret from which ids are derived. Backups keep it; whoever has it can link
/// our ids back to source ids.
#[derive(Clone, Serialize, Deserialize)]
pub struct IdKey(pub [u8; 32]);

/// A text that is no id of ours.
#[derive(Debug, thiserror::Error)]
#[error("not an id of this gateway")]
pub struct ForeignId;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const TEXT_LEN: usize = 26;

/// How many characters of a text the cross-person index distinguishes: names that agree so far
/// are told apart by the search itself.
pub const INDEX_PREFIX_CHARS: usize = 12;

impl Hash {
    /// The hash of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(first_half(&blake3::hash(bytes)))
    }

    /// The key under which the cross-person index is asked for a value of a parameter, if the
    /// value's kind has equality. Text is asked for by its first [`INDEX_PREFIX_CHARS`].
    pub fn of_search_value(param: &str, value: &Indexed) -> Option<Self> {
        let [kind, first, second] = value.key_parts()?;
        let first = match value {
            Indexed::Text { .. } => prefix(first, INDEX_PREFIX_CHARS),
            _ => first,
        };
        Some(Self::of_parts([param, kind, first, second].map(str::as_bytes)))
    }

    /// The keys under which the cross-person index holds a value: a text stands under each of
    /// its beginnings, because that is how texts are asked for, and a date under its periods.
    pub fn index_keys(param: &str, value: &Indexed) -> Vec<Self> {
        let mut keys: Vec<Self> = Self::of_search_value(param, value).into_iter().collect();
        keys.extend(value.period_keys().iter().map(|period| Self::of_period(param, period)));
        if let Indexed::Text { folded, .. } = value {
            for chars in 1..INDEX_PREFIX_CHARS.min(folded.chars().count()) {
                let parts = [param, "text", prefix(folded, chars), ""];
                keys.push(Self::of_parts(parts.map(str::as_bytes)));
            }
        }
        keys
    }

    /// The key under which the cross-person index holds dates of a parameter, by period.
    pub fn of_period(param: &str, period: &str) -> Self {
        Self::of_parts([param, "period", period, ""].map(str::as_bytes))
    }

    /// The hash of several parts, unambiguous about where one ends.
    pub fn of_parts<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            feed(&mut hasher, part);
        }
        Self(first_half(&hasher.finalize()))
    }
}

impl IdKey {
    /// The id of a source record: a function of endpoint, type and source id alone.
    pub fn record(&self, key: &RecordKey) -> DerivedId {
        let parts = [&*key.endpoint, key.resource_type.name(), &*key.id];
        self.derive("record", parts)
    }

    /// The id of the woven plan of the person whose id is that of this chart's Patient.
    pub fn woven_plan(&self, chart: &ChartKey) -> DerivedId {
        self.derive("woven-plan", [&*chart.endpoint, &*chart.patient])
    }

    /// The id of a finding or conflict: the rule's name and the ids it is about.
    pub fn finding(&self, rule: &str, about: &[DerivedId]) -> DerivedId {
        let about: Vec<String> = about.iter().map(DerivedId::to_string).collect();
        self.derive("finding", std::iter::once(rule).chain(about.iter().map(String::as_str)))
    }

    /// The id of a pair of charts (or of directory records), whichever comes first.
    pub fn pair(&self, a: &Home, b: &Home) -> DerivedId {
        let (a, b) = if a <= b { (a, b) } else { (b, a) };
        self.derive("pair", [a.to_string().as_str(), b.to_string().as_str()])
    }

    fn derive<'a>(&self, purpose: &str, parts: impl IntoIterator<Item = &'a str>) -> DerivedId {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        feed(&mut hasher, purpose.as_bytes());
        for part in parts {
            feed(&mut hasher, part.as_bytes());
        }
        DerivedId(first_half(&hasher.finalize()))
    }
}

impl fmt::Debug for IdKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdKey(secret)")
    }
}

impl fmt::Display for DerivedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0u8; TEXT_LEN];
        let mut rest = self.0;
        for slot in text.iter_mut().rev() {
            *slot = ALPHABET[(rest & 31) as usize];
            rest >>= 5;
        }
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for DerivedId {
    type Err = ForeignId;

    fn from_str(text: &str) -> Result<Self, ForeignId> {
        if text.len() != TEXT_LEN {
            return Err(ForeignId);
        }
        let mut value: u128 = 0;
        for (i, byte) in text.bytes().enumerate() {
            let digit = ALPHABET.iter().position(|&a| a == byte).ok_or(ForeignId)?;
            // 26 characters hold 130 bits: the first may only carry 3.
            if i == 0 && digit > 7 {
                return Err(ForeignId);
            }
            value = (value << 5) | digit as u128;
        }
        Ok(Self(value))
    }
}

fn prefix(text: &str, chars: usize) -> &str {
    text.char_indices().nth(chars).map_or(text, |(end, _)| &text[..end])
}

fn feed(hasher: &mut blake3::Hasher, part: &[u8]) {
    hasher.update(&(part.len() as u64).to_le_bytes());
    hasher.update(part);
}

fn first_half(hash: &blake3::Hash) -> u128 {
    let mut half = [0u8; 16];
    half.copy_from_slice(&hash.as_bytes()[..16]);
    u128::from_be_bytes(half)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_from_its_text_and_only_from_it() {
        for value in [0, 1, u128::MAX, 0x0123_4567_89ab_cdef_0f1e_2d3c_4b5a_6978] {
            let text = DerivedId(value).to_string();
            assert_eq!(text.len(), 26);
            assert_eq!(text.parse::<DerivedId>().map(|id| id.0).ok(), Some(value));
        }
        for foreign in ["", "1", "zzzzzzzzzzzzzzzzzzzzzzzzzz", "0000000000000000000000000U"] {
            assert!(foreign.parse::<DerivedId>().is_err(), "{foreign}");
        }
    }
}
