//! What the identifiers of two charts say. Two are equal only with the same system.

use super::levels::{IdentifierLevel, word};
use super::model::{IdentifierClass, Model};
use crate::compare::similarity::is_within;
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

/// Compares system by system. At one endpoint, two charts of course have two record numbers.
pub(super) fn compare_identifiers(
    a: &[Identifier],
    b: &[Identifier],
    same_endpoint: bool,
    model: &Model,
) -> IdentifierEvidence {
    let mut evidence = IdentifierEvidence::default();
    let (a, b) = (&a[..a.len().min(IDENTIFIERS_MAX)], &b[..b.len().min(IDENTIFIERS_MAX)]);
    for (at, first) in a.iter().enumerate() {
        let seen = a[..at].iter().any(|x| x.system == first.system);
        if first.system.is_empty() || seen || !b.iter().any(|y| y.system == first.system) {
            continue;
        }
        let ours = OfSystem { all: a, system: &first.system };
        let theirs = OfSystem { all: b, system: &first.system };
        let shared = ours.list().find(|x| theirs.list().any(|y| x.value == y.value));
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
    /// The weight.
    pub(super) fn bits(self, model: &Model) -> f64 {
        let of = |level: Option<IdentifierLevel>| level.map_or(0.0, |l| model.bits.of(l));
        of(self.agrees) + of(self.differs)
    }

    /// The words for the waterfall.
    pub(super) fn words(self) -> String {
        match (self.agrees, self.differs) {
            (None, None) => String::new(),
            (Some(level), None) | (None, Some(level)) => word(level).to_owned(),
            (Some(yes), Some(no)) => format!("{}, {}", word(yes), word(no)),
        }
    }

    /// An identifier that only one person has is equal.
    pub(super) fn is_strong(self) -> bool {
        self.agrees.is_some_and(|level| level <= IdentifierLevel::Same)
    }
}

/// The identifiers of one system.
#[derive(Clone, Copy)]
struct OfSystem<'a> {
    all: &'a [Identifier],
    system: &'a str,
}

impl<'a> OfSystem<'a> {
    fn list(self) -> impl Iterator<Item = &'a Identifier> {
        self.all.iter().filter(move |i| *i.system == *self.system)
    }
}

fn same_level(class: IdentifierClass) -> Option<IdentifierLevel> {
    match class {
        IdentifierClass::Permanent | IdentifierClass::Unverified => {
            Some(IdentifierLevel::SamePermanent)
        }
        IdentifierClass::Renewable => Some(IdentifierLevel::SameRenewable),
        IdentifierClass::Record => Some(IdentifierLevel::SameRecord),
        IdentifierClass::LastFour => Some(IdentifierLevel::SameLastFour),
        IdentifierClass::Other => Some(IdentifierLevel::Same),
        IdentifierClass::Shared => None,
    }
}

fn differing_level(
    ours: OfSystem<'_>,
    theirs: OfSystem<'_>,
    same_endpoint: bool,
    model: &Model,
) -> Option<IdentifierLevel> {
    // A former number says nothing about the present one.
    let current = |list: OfSystem<'_>| list.list().any(|i| !i.old);
    if !current(ours) || !current(theirs) {
        return None;
    }
    let one_off = ours
        .list()
        .flat_map(|x| theirs.list().map(move |y| (x, y)))
        .any(|(x, y)| x.value.len() >= 6 && is_within(&x.value, &y.value, 1));
    match ours.list().next().map(|i| model.class_of(i))? {
        IdentifierClass::Permanent | IdentifierClass::Unverified if one_off => {
            Some(IdentifierLevel::PermanentOneOff)
        }
        IdentifierClass::Permanent => Some(IdentifierLevel::PermanentDiffers),
        IdentifierClass::Unverified => Some(IdentifierLevel::UnverifiedDiffers),
        IdentifierClass::LastFour => Some(IdentifierLevel::LastFourDiffers),
        IdentifierClass::Renewable => Some(IdentifierLevel::RenewableDiffers),
        IdentifierClass::Record if !same_endpoint => Some(IdentifierLevel::RecordDiffers),
        IdentifierClass::Record | IdentifierClass::Shared | IdentifierClass::Other => None,
    }
}
