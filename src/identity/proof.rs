//! Whether what agrees proves that two charts are one person, beside what it weighs.
//!
//! Weights take fields as independent. Twins, a father and a son of one name, and people of
//! one household are not random pairs, so a link also needs the pieces that tell these apart.

use super::household::Household;
use super::identifier_field::IdentifierEvidence;
use super::levels::{
    BirthLevel, EmailLevel, FamilyLevel, GenderLevel, GivenLevel, IdentifierLevel, MiddleLevel,
};
use super::model::Model;
use super::name_field::NameEvidence;
use super::veto::Vetoes;
use crate::flow::MatchGrade;

/// How often a child is recorded under the number of a parent of the same name and home, per
/// person: about two in a hundred have a parent's name, and three in a thousand of those numbers
/// are the wrong one's, half of them at one address.
const CHILD_UNDER_PARENTS_NUMBER: f64 = 3e-5;
/// How often a twin is recorded under the other's or a parent's number, per person: three in a
/// hundred are twins, half a pair each, and five in a thousand of those numbers are wrong.
const TWIN_UNDER_ONE_NUMBER: f64 = 7.5e-5;
/// How many times likelier an error must be than such a relative, for a link.
const LIKELIER_TIMES: f64 = 1000.0;

/// Whether, by what training found, twins are so rare, or a wrong given name so common, that the
/// latter explains better why two records with one number, family name and birth date differ in it.
pub(super) fn names_are_unreliable(model: &Model) -> bool {
    model.relatives_are_rare()
        || model.bits.m(GivenLevel::Different) >= TWIN_UNDER_ONE_NUMBER * LIKELIER_TIMES
}

fn is_generation(level: BirthLevel) -> bool {
    matches!(level, BirthLevel::DecadeOff | BirthLevel::GenerationApart)
}

/// What two charts' fields say.
#[derive(Clone, Debug)]
pub(super) struct Evidence {
    pub(super) name: NameEvidence,
    pub(super) middle: Option<MiddleLevel>,
    pub(super) birth: Option<BirthLevel>,
    pub(super) gender: Option<GenderLevel>,
    pub(super) identifiers: IdentifierEvidence,
    pub(super) household: Household,
    pub(super) suffixes_conflict: bool,
    pub(super) multiple_birth: bool,
}

impl Evidence {
    /// The grade by weight, vetoes and proof.
    pub(super) fn grade(&self, weight_bits: f64, found: &Vetoes, model: &Model) -> MatchGrade {
        let thresholds = &model.thresholds;
        if found.any_contradiction() {
            // So much else agrees that the contradiction may be the error: a steward should look.
            let puzzling = weight_bits >= thresholds.probable_bits;
            return if puzzling { MatchGrade::Possible } else { MatchGrade::CertainlyNot };
        }
        if weight_bits < thresholds.possible_bits {
            return MatchGrade::CertainlyNot;
        }
        let rare = model.relatives_are_rare();
        if weight_bits < thresholds.probable_bits || !rare && self.may_be_parent_and_child() {
            return MatchGrade::Possible;
        }
        let certain = weight_bits >= thresholds.certain_bits
            && found.is_empty()
            && (self.proves(weight_bits >= thresholds.name_and_birth_bits, model)
                || rare && self.two_pieces_agree());
        if certain { MatchGrade::Certain } else { MatchGrade::Probable }
    }

    pub(super) fn given(&self) -> Option<GivenLevel> {
        self.name.given
    }

    pub(super) fn family(&self) -> Option<FamilyLevel> {
        self.name.family
    }

    /// Whether enough independent pieces agree, whatever their weights: a strong identifier with
    /// a compatible name and birth date, or name and birth date with a third piece, or without
    /// one when the name is `rare`.
    fn proves(&self, rare: bool, model: &Model) -> bool {
        if self.identifiers.is_strong() {
            return self.name_is_compatible() && self.birth_fits_own_number(model)
                || self.only_name_is_wrong() && names_are_unreliable(model);
        }
        if !self.same_gender() {
            return false;
        }
        let home = &self.household;
        let third = home.agrees()
            || self.middle.is_some_and(|m| m <= MiddleLevel::Initial)
            || self.identifiers.agrees == Some(IdentifierLevel::SameLastFour);
        match self.birth {
            Some(BirthLevel::Exact) => {
                self.name_agrees() && (third || rare && self.name_is_exact())
                    || self.only_family_changed() && home.agrees_well()
            }
            Some(BirthLevel::JanuaryFirst) => self.name_agrees() && third,
            Some(BirthLevel::YearAndMonth | BirthLevel::Swapped | BirthLevel::OneDigitOff) => {
                self.name_agrees() && home.agrees_well()
            }
            // Brothers are not called alike, and a father is not that young.
            Some(BirthLevel::Near | BirthLevel::SameYear) => {
                self.name_is_exact()
                    && (home.pieces() >= 2 || home.email == Some(EmailLevel::Exact))
            }
            Some(
                BirthLevel::Year
                | BirthLevel::DecadeOff
                | BirthLevel::Different
                | BirthLevel::GenerationApart,
            )
            | None => false,
        }
    }

    /// Enough where there are no relatives to be told apart: no home alone, and not one name alone.
    fn two_pieces_agree(&self) -> bool {
        let number = self.identifiers.is_strong()
            || self.identifiers.differs == Some(IdentifierLevel::PermanentOneOff);
        let pieces = [
            self.given().is_some_and(|l| l <= GivenLevel::Similar),
            self.family().is_some_and(|l| l <= FamilyLevel::Similar),
            self.birth.is_some_and(|l| l <= BirthLevel::OneDigitOff && l != BirthLevel::Year),
            number,
        ];
        self.same_gender() && pieces.iter().filter(|agrees| **agrees).count() >= 2
    }

    /// Typed wrong, or someone else's card?
    fn birth_fits_own_number(&self, model: &Model) -> bool {
        let convincing = self.name_agrees() && self.same_gender();
        match self.birth {
            Some(level) if level <= BirthLevel::OneDigitOff => true,
            Some(BirthLevel::Near) | None => convincing,
            Some(BirthLevel::SameYear | BirthLevel::DecadeOff | BirthLevel::Different) => {
                convincing && self.household.agrees()
            }
            Some(_) => {
                let wrong = model.bits.m(BirthLevel::GenerationApart);
                let errors_are_common = wrong >= CHILD_UNDER_PARENTS_NUMBER * LIKELIER_TIMES;
                convincing && self.household.agrees_well() && errors_are_common
            }
        }
    }

    /// Born a generation apart, and no number of their own says that they are one: names go
    /// from parent to child, and so does the home.
    pub(super) fn may_be_parent_and_child(&self) -> bool {
        self.birth.is_some_and(is_generation) && !self.identifiers.is_strong()
    }

    fn same_gender(&self) -> bool {
        self.gender != Some(GenderLevel::Different)
    }

    fn name_is_exact(&self) -> bool {
        self.given() == Some(GivenLevel::Exact) && self.family() == Some(FamilyLevel::Exact)
    }

    /// The same name, but for spelling of the family name and usual forms of the given one. A
    /// given name that is merely close could be a sibling's.
    fn name_agrees(&self) -> bool {
        let (Some(given), Some(family)) = (self.given(), self.family()) else { return false };
        given <= GivenLevel::MiddleUsed
            && family <= FamilyLevel::Similar
            && (given == GivenLevel::Exact || family <= FamilyLevel::Part)
    }

    /// The given name stayed; the family name is missing on a side or is another one.
    fn only_family_changed(&self) -> bool {
        self.given().is_some_and(|l| l <= GivenLevel::Nickname)
            && self.family().is_none_or(|l| l == FamilyLevel::Different)
    }

    /// One's own number for life, birth date and home, but another name.
    fn only_name_is_wrong(&self) -> bool {
        self.identifiers.agrees == Some(IdentifierLevel::SamePermanent)
            && self.identifiers.differs.is_none()
            && self.birth == Some(BirthLevel::Exact)
            && self.household.is_shared()
            && self.same_gender()
            && !self.multiple_birth
    }

    /// Nothing in the name speaks against it. Twins may be written under one number of a parent
    /// or of the family's insurance, so then the name must agree.
    fn name_is_compatible(&self) -> bool {
        if self.name_agrees() {
            return true;
        }
        let family_number = self.identifiers.agrees == Some(IdentifierLevel::Same);
        if family_number || self.multiple_birth {
            return false;
        }
        let born_alike = self.birth.is_some_and(|l| l <= BirthLevel::JanuaryFirst);
        match (self.given(), self.family()) {
            (Some(GivenLevel::Different), _) | (None, None) => false,
            (Some(given), Some(FamilyLevel::Different) | None) => {
                given <= GivenLevel::MiddleUsed && born_alike
            }
            (Some(given), Some(_)) => given <= GivenLevel::MiddleUsed || self.same_gender(),
            (None, Some(family)) => family <= FamilyLevel::Misspelt && born_alike,
        }
    }
}
