//! The comparison of two charts: levels, bits, vetoes, grade.

use super::birth_field::compare_birth;
use super::household::Household;
use super::identifier_field::{IdentifierEvidence, compare_identifiers};
use super::levels::{BirthLevel, GenderLevel, IdentifierLevel, Levels, MiddleLevel, NameLevel};
use super::model::Model;
use super::name_field::{compare_middle, compare_names, suffixes_conflict};
use super::veto::{Veto, vetoes};
use crate::compare::same_identifier;
use crate::flow::{ChartKey, Comparison, Demographics, Home, MatchGrade, RefTarget, Step};

/// The weight of an endpoint's own word about its own charts, in bits: beyond any doubt of ours.
const OWN_WORD_BITS: f64 = 64.0;

/// What two charts' fields say.
#[derive(Clone, Debug)]
pub(super) struct Evidence {
    pub(super) name: Option<NameLevel>,
    pub(super) middle: Option<MiddleLevel>,
    pub(super) birth: Option<BirthLevel>,
    pub(super) gender: Option<GenderLevel>,
    pub(super) identifiers: IdentifierEvidence,
    pub(super) household: Household,
    pub(super) suffixes_conflict: bool,
    pub(super) multiple_birth: bool,
}

/// Compares two charts; the result does not depend on which comes first. Homes of other kinds
/// are certainly not the same here: directory records have rules of their own.
pub fn compare_homes(
    a: (&Home, &Demographics),
    b: (&Home, &Demographics),
    model: &Model,
) -> Comparison {
    let ((home_a, a), (home_b, b)) = if a.0 <= b.0 { (a, b) } else { (b, a) };
    let (Some(chart_a), Some(chart_b)) = (home_a.chart(), home_b.chart()) else {
        return of_rule(model, "home", "of another kind", false);
    };
    if let Some(stated) = endpoints_own_word((chart_a, a), (chart_b, b), model) {
        return stated;
    }
    let same_endpoint = chart_a.endpoint == chart_b.endpoint;
    let (evidence, waterfall) = gather(a, b, same_endpoint, model);
    let found = vetoes(&evidence, a, b, same_endpoint);
    let weight_bits: f64 = waterfall.iter().map(|step| step.weight_bits).sum();
    Comparison {
        weight_bits,
        probability: probability(weight_bits),
        grade: grade(&evidence, weight_bits, &found, model),
        unproven: false,
        waterfall,
        vetoes: found.iter().map(|v| v.name().into()).collect(),
    }
}

/// The probability that stands for a weight.
fn probability(weight_bits: f64) -> f64 {
    1.0 / (1.0 + (-weight_bits).exp2())
}

/// A merge by the endpoint, or a chart of which only an identifier is known.
fn endpoints_own_word(
    (chart_a, a): (&ChartKey, &Demographics),
    (chart_b, b): (&ChartKey, &Demographics),
    model: &Model,
) -> Option<Comparison> {
    let same_endpoint = chart_a.endpoint == chart_b.endpoint;
    if a.by_identifier_only || b.by_identifier_only {
        let shared =
            a.identifiers.iter().any(|x| b.identifiers.iter().any(|y| same_identifier(x, y)));
        let level = if shared { "same-identifier" } else { "not-found" };
        return Some(of_rule(model, "endpoint-reference", level, same_endpoint && shared));
    }
    let names = |from: &Demographics, to: &ChartKey| match &from.replaced_by {
        Some(RefTarget::Record(key)) => *key == to.patient_record(),
        _ => false,
    };
    let merged = same_endpoint && (names(a, chart_b) || names(b, chart_a));
    merged.then(|| of_rule(model, "endpoint-merge", "replaced-by", true))
}

fn of_rule(model: &Model, field: &str, level: &str, same: bool) -> Comparison {
    let bits = if same { OWN_WORD_BITS } else { -OWN_WORD_BITS };
    let weight_bits = model.prior_bits + bits;
    Comparison {
        weight_bits,
        probability: probability(weight_bits),
        grade: if same { MatchGrade::Certain } else { MatchGrade::CertainlyNot },
        unproven: false,
        waterfall: vec![
            step("prior", "any two charts", model.prior_bits),
            step(field, level, bits),
        ],
        vetoes: vec![],
    }
}

fn step(field: &str, level: &str, weight_bits: f64) -> Step {
    Step { field: field.into(), level: level.into(), weight_bits }
}

fn gather(
    a: &Demographics,
    b: &Demographics,
    same_endpoint: bool,
    model: &Model,
) -> (Evidence, Vec<Step>) {
    let name = compare_names(&a.names, &b.names, model);
    let middle = compare_middle(&a.names, &b.names, model);
    let birth = a.birth_date.zip(b.birth_date).map(|(x, y)| compare_birth(x, y));
    let gender = a
        .gender
        .as_ref()
        .zip(b.gender.as_ref())
        .map(|(x, y)| if x == y { GenderLevel::Same } else { GenderLevel::Different });
    let identifiers = compare_identifiers(&a.identifiers, &b.identifiers, same_endpoint, model);
    let household = Household::compare(a, b, identifiers);

    let mut waterfall = vec![step("prior", "any two charts", model.prior_bits)];
    if let Some((level, bits)) = name {
        waterfall.push(step(NameLevel::FIELD, level.word(), bits));
    }
    if let Some((level, bits)) = middle {
        waterfall.push(step(MiddleLevel::FIELD, level.word(), bits));
    }
    if let Some(level) = birth {
        waterfall.push(step(BirthLevel::FIELD, level.word(), model.bits.birth_date.of(level)));
    }
    if let Some(level) = gender {
        waterfall.push(step(GenderLevel::FIELD, level.word(), model.bits.gender.of(level)));
    }
    if let Some((level, bits)) = identifiers.bits(model) {
        waterfall.push(step(IdentifierLevel::FIELD, &level, bits));
    }
    waterfall.extend(household.steps(model));
    let evidence = Evidence {
        name: name.map(|(level, _)| level),
        middle: middle.map(|(level, _)| level),
        birth,
        gender,
        identifiers,
        household,
        suffixes_conflict: suffixes_conflict(&a.names, &b.names),
        multiple_birth: a.multiple_birth.is_some() || b.multiple_birth.is_some(),
    };
    (evidence, waterfall)
}

fn grade(evidence: &Evidence, weight_bits: f64, found: &[Veto], model: &Model) -> MatchGrade {
    let thresholds = &model.thresholds;
    if found.iter().any(|v| v.is_contradiction()) {
        // So much else agrees that the contradiction may be the error: a steward should look.
        let puzzling = weight_bits >= thresholds.probable_bits;
        return if puzzling { MatchGrade::Possible } else { MatchGrade::CertainlyNot };
    }
    if weight_bits < thresholds.possible_bits {
        return MatchGrade::CertainlyNot;
    }
    if weight_bits < thresholds.probable_bits {
        return MatchGrade::Possible;
    }
    let certain = weight_bits >= thresholds.certain_bits
        && found.is_empty()
        && evidence.proves(weight_bits >= thresholds.name_and_birth_bits);
    if certain { MatchGrade::Certain } else { MatchGrade::Probable }
}

impl Evidence {
    /// Whether enough independent pieces agree, whatever their weights: a strong identifier with
    /// a compatible name and birth date, or name and birth date with a third piece, or without
    /// one when the name is `rare`.
    fn proves(&self, rare: bool) -> bool {
        let same_gender = self.gender != Some(GenderLevel::Different);
        if self.identifiers.is_strong() {
            return self.name_is_compatible()
                && match self.birth {
                    Some(level) if level <= BirthLevel::OneDigitOff => true,
                    // Typed wrong, or someone else's card: only the very same name convinces.
                    Some(BirthLevel::Near) | None => self.name_agrees() && same_gender,
                    Some(_) => false,
                };
        }
        if !same_gender || !self.name_agrees() {
            return false;
        }
        let third =
            self.household.agrees() || self.middle.is_some_and(|m| m <= MiddleLevel::Initial);
        match self.birth {
            Some(BirthLevel::Exact) => third || (rare && self.name == Some(NameLevel::Exact)),
            Some(BirthLevel::JanuaryFirst) => third,
            Some(BirthLevel::YearAndMonth | BirthLevel::Swapped | BirthLevel::OneDigitOff) => {
                self.household.agrees_well()
            }
            Some(BirthLevel::Year | BirthLevel::Near | BirthLevel::Different) | None => false,
        }
    }

    /// The same name, but for spelling of the family name and usual forms of the given one. A
    /// given name that is merely close could be a sibling's.
    fn name_agrees(&self) -> bool {
        matches!(
            self.name,
            Some(
                NameLevel::Exact
                    | NameLevel::Nickname
                    | NameLevel::MiddleNameUsed
                    | NameLevel::FamilyPart
                    | NameLevel::FamilyClose
                    | NameLevel::Swapped
            )
        )
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
        match self.name {
            Some(NameLevel::GivenClose | NameLevel::BothClose | NameLevel::GivenInitial) => true,
            Some(NameLevel::FamilyChanged | NameLevel::FamilyOnly | NameLevel::GivenOnly) => {
                self.birth.is_some_and(|l| l <= BirthLevel::JanuaryFirst)
            }
            _ => false,
        }
    }
}
