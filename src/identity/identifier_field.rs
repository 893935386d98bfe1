//! What the identifiers of two charts say. Two are equal only with the same system.

use std::collections::BTreeMap;

use super::levels::{IdentifierLevel, Levels};
use super::model::{IdentifierClass, Model};
use crate::compare::similarity::edit_distance;
use crate::flow::Identifier;

/// Most identifiers of a chart that are compared.
const IDENTIFIERS_MAX: usize = 64;

/// The evidence of all systems both charts have.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct IdentifierEvidence {
    /// The level that says most for a match.
    pub(super) agrees: Option<IdentifierLevel>,
    /// The level that says most against it.
    pub(super) differs: Option<IdentifierLevel>,
    /// A number that a family shares is equal.
    pub(super) member_number: bool,
}

type BySystem<'a> = BTreeMap<&'a str, Vec<&'a Identifier>>;

/// Compares system by system. At one endpoint, two charts of course have two record numbers.
pub(super) fn compare_identifiers(
    a: &[Identifier],
    b: &[Identifier],
    same_endpoint: bool,
    model: &Model,
) -> IdentifierEvidence {
    let (a, b) = (by_system(a), by_system(b));
    let mut evidence = IdentifierEvidence::default();
    for (system, ours) in &a {
        let Some(theirs) = b.get(system) else { continue };
        let shared = ours.iter().find(|x| theirs.iter().any(|y| x.value == y.value));
        match shared {
            Some(identifier) => match same_level(model.class_of(identifier)) {
                Some(level) => {
                    evidence.agrees = Some(evidence.agrees.map_or(level, |known| known.min(level)));
                }
                None => evidence.member_number = true,
            },
            None => {
                if let Some(level) = differing_level(ours, theirs, same_endpoint, model) {
                    evidence.differs =
                        Some(evidence.differs.map_or(level, |known| known.max(level)));
                }
            }
        }
    }
    evidence
}

impl IdentifierEvidence {
    /// The weight, and the words for the waterfall.
    pub(super) fn bits(self, model: &Model) -> Option<(String, f64)> {
        let of = |level: Option<IdentifierLevel>| level.map(|l| (l, model.bits.identifier.of(l)));
        match (of(self.agrees), of(self.differs)) {
            (None, None) => None,
            (Some((level, bits)), None) | (None, Some((level, bits))) => {
                Some((level.word().to_owned(), bits))
            }
            (Some((yes, plus)), Some((no, minus))) => {
                Some((format!("{}, {}", yes.word(), no.word()), plus + minus))
            }
        }
    }

    /// An identifier that only one person has is equal.
    pub(super) fn is_strong(self) -> bool {
        matches!(
            self.agrees,
            Some(
                IdentifierLevel::SamePermanent
                    | IdentifierLevel::SameRenewable
                    | IdentifierLevel::SameRecord
                    | IdentifierLevel::Same
            )
        )
    }
}

fn by_system(identifiers: &[Identifier]) -> BySystem<'_> {
    let mut systems = BySystem::new();
    for identifier in identifiers.iter().take(IDENTIFIERS_MAX) {
        if !identifier.system.is_empty() {
            systems.entry(&identifier.system).or_default().push(identifier);
        }
    }
    systems
}

fn same_level(class: IdentifierClass) -> Option<IdentifierLevel> {
    match class {
        IdentifierClass::Permanent => Some(IdentifierLevel::SamePermanent),
        IdentifierClass::Renewable => Some(IdentifierLevel::SameRenewable),
        IdentifierClass::Record => Some(IdentifierLevel::SameRecord),
        IdentifierClass::Other => Some(IdentifierLevel::Same),
        IdentifierClass::Shared => None,
    }
}

fn differing_level(
    ours: &[&Identifier],
    theirs: &[&Identifier],
    same_endpoint: bool,
    model: &Model,
) -> Option<IdentifierLevel> {
    // A former number says nothing about the present one.
    let current = |list: &[&Identifier]| list.iter().filter(|i| !i.old).count() > 0;
    if !current(ours) || !current(theirs) {
        return None;
    }
    let one_off = ours
        .iter()
        .flat_map(|x| theirs.iter().map(move |y| (x, y)))
        .any(|(x, y)| x.value.len() >= 6 && edit_distance(&x.value, &y.value) == 1);
    match ours.first().map(|i| model.class_of(i))? {
        IdentifierClass::Permanent if one_off => Some(IdentifierLevel::PermanentOneOff),
        IdentifierClass::Permanent => Some(IdentifierLevel::PermanentDiffers),
        IdentifierClass::Renewable => Some(IdentifierLevel::RenewableDiffers),
        IdentifierClass::Record if !same_endpoint => Some(IdentifierLevel::RecordDiffers),
        IdentifierClass::Record | IdentifierClass::Shared | IdentifierClass::Other => None,
    }
}
