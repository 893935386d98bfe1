//! Negative evidence: what keeps two charts apart whatever their weight.

use super::levels::{BirthLevel, FamilyLevel, GivenLevel, IdentifierLevel, MiddleLevel};
use super::model::Model;
use super::proof::{Evidence, names_are_unreliable};
use super::score::Relation;
use crate::flow::{Comparison, Demographics, PartialDate};

/// An encounter within so many days of a death may still be the dead's own.
const AFTER_DEATH_DAYS: i32 = 31;

/// A reason against a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Veto {
    /// Two values of an identifier that a person has one of for life.
    PermanentIdentifier,
    /// Jr and Sr.
    Suffix,
    /// Born on the same day, of one name and household, but called differently.
    Twins,
    /// The same, where the site's own records often have a wrong given name; or called by names
    /// of which one may be a form of the other, while middle name or number differ.
    PerhapsTwins,
    /// Different places in a multiple birth.
    BirthOrder,
    /// Two values of an identifier that a person has one of at a time.
    RenewableIdentifier,
    /// The owner of a numbering system has two records.
    RecordNumber,
    /// The endpoint keeps both charts as active, so it thinks they are two.
    BothActive,
    /// Two different days of death.
    DeathDate,
    /// One was seen weeks after the other's death.
    SeenAfterDeath,
}

/// The vetoes that apply to a pair.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Vetoes(u16);

impl Vetoes {
    /// In fixed order.
    pub(super) fn iter(self) -> impl Iterator<Item = Veto> {
        Veto::ALL.into_iter().filter(move |v| self.0 & (1 << *v as u16) != 0)
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn any_contradiction(self) -> bool {
        self.iter().any(Veto::is_contradiction)
    }
}

/// All that apply.
pub(super) fn vetoes(
    evidence: &Evidence,
    a: &Demographics,
    b: &Demographics,
    relation: Relation,
    model: &Model,
) -> Vetoes {
    let differs = |level| evidence.identifiers.differs == Some(level);
    // The same number for life outweighs a renewed card.
    let permanent_agrees = evidence.identifiers.agrees == Some(IdentifierLevel::SamePermanent);
    let born_together = evidence.birth.is_some_and(|l| l <= BirthLevel::JanuaryFirst);
    let called_differently = evidence.given() == Some(GivenLevel::Different)
        && evidence.family().is_some_and(|l| l <= FamilyLevel::Misspelt);
    let twins =
        born_together && called_differently && evidence.household.is_shared() && !permanent_agrees;
    // `Liz` may be Elizabeth, or her twin Elisa: what else differs tells that they may be two.
    let by_nickname = evidence.given() == Some(GivenLevel::Nickname)
        && evidence.family().is_some_and(|l| l <= FamilyLevel::Misspelt)
        && (evidence.middle == Some(MiddleLevel::Different)
            || differs(IdentifierLevel::PermanentOneOff)
            || differs(IdentifierLevel::LastFourDiffers));
    let nicknamed_twins =
        born_together && by_nickname && evidence.household.is_shared() && !permanent_agrees;
    let birth_order = match (a.multiple_birth, b.multiple_birth) {
        (Some(x), Some(y)) => x != 0 && y != 0 && x != y,
        _ => false,
    };
    let death = a.deceased_date.zip(b.deceased_date).is_some_and(|(x, y)| {
        x.year != y.year || (x.month != 0 && y.month != 0 && x.month != y.month)
    });
    let applying = [
        (Veto::PermanentIdentifier, differs(IdentifierLevel::PermanentDiffers)),
        (Veto::Suffix, evidence.suffixes_conflict),
        (Veto::Twins, twins && !names_are_unreliable(model)),
        (Veto::PerhapsTwins, twins && names_are_unreliable(model) || nicknamed_twins),
        (Veto::BirthOrder, birth_order),
        (
            Veto::RenewableIdentifier,
            differs(IdentifierLevel::RenewableDiffers) && !permanent_agrees,
        ),
        (Veto::RecordNumber, differs(IdentifierLevel::RecordDiffers) && !permanent_agrees),
        (Veto::BothActive, relation.kept_apart),
        (Veto::DeathDate, death),
        (Veto::SeenAfterDeath, seen_after_death(a, b) || seen_after_death(b, a)),
    ];
    let bits = applying.into_iter().filter(|(_, applies)| *applies);
    Vetoes(bits.fold(0, |set, (veto, _)| set | 1 << veto as u16))
}

/// Whether one was seen later than what is still written down about the dead: an autopsy, a bill,
/// the day on which someone noted the death.
fn seen_after_death(seen: &Demographics, dead: &Demographics) -> bool {
    let Some((seen, death)) = seen.last_seen.zip(dead.deceased_date) else { return false };
    // As late as the date allows. Days are counted as if months had 31, which only delays.
    let latest = |stated: u8, most: i32| if stated == 0 { most } else { i32::from(stated) };
    let days = |date: PartialDate| {
        (i32::from(date.year) * 12 + latest(date.month, 12)) * 31 + latest(date.day, 31)
    };
    days(seen) > days(death) + AFTER_DEATH_DAYS
}

impl Veto {
    const ALL: [Self; 10] = [
        Self::PermanentIdentifier,
        Self::Suffix,
        Self::Twins,
        Self::PerhapsTwins,
        Self::BirthOrder,
        Self::RenewableIdentifier,
        Self::RecordNumber,
        Self::BothActive,
        Self::DeathDate,
        Self::SeenAfterDeath,
    ];

    /// What a comparison calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::PermanentIdentifier => "different-permanent-identifier",
            Self::Suffix => "generational-suffix",
            Self::Twins => "twins",
            Self::PerhapsTwins => "perhaps-twins",
            Self::BirthOrder => "birth-order",
            Self::RenewableIdentifier => "different-renewable-identifier",
            Self::RecordNumber => "different-record-number",
            Self::BothActive => "both-active-at-one-endpoint",
            Self::DeathDate => "different-death-date",
            Self::SeenAfterDeath => "encounter-after-death",
        }
    }

    /// In a steward's words.
    pub(super) fn sentence(self) -> &'static str {
        match self {
            Self::PermanentIdentifier => "they have different numbers of a kind one has for life",
            Self::Suffix => "their generational suffixes (Jr, Sr) exclude one another",
            Self::Twins => "born the same day into one household, but called differently",
            Self::PerhapsTwins => "born the same day into one household: perhaps twins",
            Self::BirthOrder => "they have different places in a multiple birth",
            Self::RenewableIdentifier => "they have different licence or passport numbers",
            Self::RecordNumber => "the owner of the record numbers keeps two records",
            Self::BothActive => "the endpoint itself keeps both charts as active",
            Self::DeathDate => "they have different dates of death",
            Self::SeenAfterDeath => "one had an encounter weeks after the other's death",
        }
    }

    /// Whether the two can never be one person, also not by way of a third chart. The others
    /// only keep a link from being certain.
    pub(super) fn is_contradiction(self) -> bool {
        match self {
            Self::PermanentIdentifier | Self::Suffix | Self::Twins | Self::BirthOrder => true,
            Self::PerhapsTwins
            | Self::RenewableIdentifier
            | Self::RecordNumber
            | Self::BothActive
            | Self::DeathDate
            | Self::SeenAfterDeath => false,
        }
    }

    /// The veto of a name, as stored with a comparison.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.name() == name)
    }
}

/// The contradictions of a comparison: name, and sentence for a steward.
pub fn contradictions(
    comparison: &Comparison,
) -> impl Iterator<Item = (&'static str, &'static str)> {
    let vetoes = comparison.vetoes.iter().filter_map(|name| Veto::named(name));
    vetoes.filter(|veto| veto.is_contradiction()).map(|veto| (veto.name(), veto.sentence()))
}

/// What keeps the two charts of a comparison out of one group, if anything does: a
/// contradiction, or an endpoint that keeps both as active. The latter ends with a steward's
/// link, or when the endpoint merges them.
pub(super) fn separation(comparison: &Comparison) -> Option<&'static str> {
    let vetoes = comparison.vetoes.iter().filter_map(|name| Veto::named(name));
    let mut parting = vetoes.filter(|v| v.is_contradiction() || *v == Veto::BothActive);
    parting.next().map(Veto::name)
}
