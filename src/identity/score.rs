//! The comparison of two charts: levels, bits, vetoes, grade.

use super::assessment::Assessment;
use super::birth_field::compare_birth;
use super::household::{HOUSEHOLD, Household, household_bits};
use super::identifier_field::compare_identifiers;
use super::levels::{
    FIELD_COUNT, FamilyLevel, GenderLevel, GivenLevel, IdentifierLevel, Levels, MISSING,
    OrderLevel, Pattern,
};
use super::model::Model;
use super::name_field::{compare_middle, compare_names, suffixes_conflict};
use super::proof::Evidence;
use super::veto::vetoes;
use crate::compare::same_identifier;
use crate::flow::{ChartKey, Comparison, Demographics, Home, MatchGrade, RefTarget, Step};

/// The weight of an endpoint's own word about its own charts, in bits: beyond any doubt of ours.
const OWN_WORD_BITS: f64 = 64.0;

/// What two charts are to each other beside what they state.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Relation {
    /// One endpoint numbers both, so that two record numbers are no evidence.
    pub same_endpoint: bool,
    /// That endpoint keeps both as live records on purpose.
    pub kept_apart: bool,
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
    let kept_apart = same_endpoint && !a.inactive && !b.inactive;
    assess(a, b, Relation { same_endpoint, kept_apart }, model).comparison(model)
}

/// Compares two records' demographics, without words. Symmetric.
pub fn assess(a: &Demographics, b: &Demographics, relation: Relation, model: &Model) -> Assessment {
    let name = compare_names(&a.names, &b.names, model);
    let identifiers =
        compare_identifiers(&a.identifiers, &b.identifiers, relation.same_endpoint, model);
    let evidence = Evidence {
        name: name.unwrap_or_default(),
        middle: compare_middle(&a.names, &b.names, model),
        birth: a.birth_date.zip(b.birth_date).map(|(x, y)| compare_birth(x, y)),
        gender: gender(a, b),
        identifiers,
        household: Household::compare(a, b, identifiers),
        suffixes_conflict: suffixes_conflict(&a.names, &b.names),
        multiple_birth: a.multiple_birth.is_some() || b.multiple_birth.is_some(),
    };
    let pattern = pattern_of(&evidence);
    let mut bits = pattern_bits(&pattern, model);
    // Names weigh as rare or common as they are, identifiers also by what differs beside them.
    if name.is_some() {
        bits[GivenLevel::FIELD] = evidence.name.given_bits;
        bits[FamilyLevel::FIELD] = evidence.name.family_bits;
    }
    bits[IdentifierLevel::FIELD] = identifiers.bits(model);
    let weight_bits = model.prior_bits + bits.iter().sum::<f64>();
    let found = vetoes(&evidence, a, b, relation, model);
    let grade = evidence.grade(weight_bits, &found, model);
    let may_be_relatives = evidence.may_be_parent_and_child();
    Assessment { pattern, bits, identifiers, weight_bits, grade, vetoes: found, may_be_relatives }
}

fn gender(a: &Demographics, b: &Demographics) -> Option<GenderLevel> {
    let (x, y) = a.gender.as_ref().zip(b.gender.as_ref())?;
    Some(if x == y { GenderLevel::Same } else { GenderLevel::Different })
}

fn pattern_of(e: &Evidence) -> Pattern {
    fn at<L: Levels>(pattern: &mut Pattern, level: Option<L>) {
        pattern[L::FIELD] = level.and_then(|l| u8::try_from(l.index()).ok()).unwrap_or(MISSING);
    }
    let mut pattern = [MISSING; FIELD_COUNT];
    at(&mut pattern, e.name.given);
    at(&mut pattern, e.name.family);
    at(&mut pattern, e.name.swapped.then_some(OrderLevel::Swapped));
    at(&mut pattern, e.middle);
    at(&mut pattern, e.birth);
    at(&mut pattern, e.gender);
    at(&mut pattern, e.identifiers.agrees.or(e.identifiers.differs));
    e.household.note(&mut pattern);
    pattern
}

/// The weight of each field by its level alone, as if all names were of average frequency.
pub(super) fn pattern_bits(pattern: &Pattern, model: &Model) -> [f64; FIELD_COUNT] {
    let mut bits = [0.0; FIELD_COUNT];
    for (field, slot) in bits.iter_mut().enumerate() {
        if pattern[field] != MISSING && !HOUSEHOLD.contains(&field) {
            *slot = model.bits.at(field, pattern[field]);
        }
    }
    let household = household_bits(pattern, &model.bits, model.household_share);
    bits[HOUSEHOLD].copy_from_slice(&household);
    bits
}

/// The probability that stands for a weight.
pub(super) fn probability(weight_bits: f64) -> f64 {
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

pub(super) fn step(field: &str, level: &str, weight_bits: f64) -> Step {
    Step { field: field.into(), level: level.into(), weight_bits }
}
