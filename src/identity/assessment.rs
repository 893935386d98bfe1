//! The result of comparing two records, compact: for files with millions of pairs, and the
//! source of the [`Comparison`] that is kept and shown.

use super::identifier_field::IdentifierEvidence;
use super::levels::{FIELD_COUNT, FIELDS, IdentifierLevel, Levels, MISSING, Pattern};
use super::model::Model;
use super::score::{probability, step};
use super::veto::Vetoes;
use crate::flow::{Comparison, MatchGrade};

/// Levels, bits, vetoes and grade of a pair.
#[derive(Clone, Debug)]
pub struct Assessment {
    pub(super) pattern: Pattern,
    pub(super) bits: [f64; FIELD_COUNT],
    pub(super) identifiers: IdentifierEvidence,
    /// Match weight in bits, prior included.
    pub weight_bits: f64,
    /// The grade after vetoes.
    pub grade: MatchGrade,
    pub(super) vetoes: Vetoes,
    /// They may be relatives rather than one person, which training must not learn from.
    pub(super) may_be_relatives: bool,
}

impl Assessment {
    /// The probability of a match.
    pub fn probability(&self) -> f64 {
        probability(self.weight_bits)
    }

    /// Whether the two can never be one person, also not by way of a third record.
    pub fn is_contradiction(&self) -> bool {
        self.vetoes.any_contradiction()
    }

    /// With words: one step per field that was compared.
    pub fn comparison(&self, model: &Model) -> Comparison {
        let mut waterfall = vec![step("prior", "any two charts", model.prior_bits)];
        for (field, (name, words)) in FIELDS.into_iter().enumerate() {
            let level = self.pattern[field];
            if level == MISSING {
                continue;
            }
            let told = if field == IdentifierLevel::FIELD {
                self.identifiers.words()
            } else {
                words[usize::from(level)].to_owned()
            };
            waterfall.push(step(name, &told, self.bits[field]));
        }
        Comparison {
            weight_bits: self.weight_bits,
            probability: self.probability(),
            grade: self.grade,
            unproven: false,
            waterfall,
            vetoes: self.vetoes.iter().map(|v| v.name().into()).collect(),
        }
    }
}
