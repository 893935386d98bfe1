//! How two charts' names agree: given and family name, their order, and the middle name.

use super::levels::{FamilyLevel, GivenLevel, MiddleLevel, OrderLevel};
use super::model::Model;
use crate::compare::similarity::{is_jaro_winkler, is_like, is_muddled, is_within, sound};
use crate::flow::PersonName;

/// Most names of a chart that are compared.
const NAMES_MAX: usize = 6;

/// Words within family names that many share.
const PARTICLES: [&str; 16] = [
    "de", "la", "las", "los", "del", "da", "dos", "das", "di", "van", "von", "der", "den", "y",
    "al", "el",
];

/// How two names agree, with the weight of each part in bits.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct NameEvidence {
    pub(super) given: Option<GivenLevel>,
    pub(super) given_bits: f64,
    pub(super) family: Option<FamilyLevel>,
    pub(super) family_bits: f64,
    /// Given and family name were written into each other's field.
    pub(super) swapped: bool,
    pub(super) order_bits: f64,
}

impl NameEvidence {
    fn bits(&self) -> f64 {
        self.given_bits + self.family_bits + self.order_bits
    }

    /// What equal weights are told apart by, so that no order of names matters.
    fn rank(&self) -> (Option<GivenLevel>, Option<FamilyLevel>, bool) {
        (self.given, self.family, self.swapped)
    }
}

/// The best agreement of any two names.
pub(super) fn compare_names(
    a: &[PersonName],
    b: &[PersonName],
    model: &Model,
) -> Option<NameEvidence> {
    let mut best: Option<NameEvidence> = None;
    for x in a.iter().take(NAMES_MAX) {
        for y in b.iter().take(NAMES_MAX) {
            let found = compare_two(x, y, model);
            let known = found.given.is_some() || found.family.is_some();
            let better = best.is_none_or(|best| {
                best.bits().total_cmp(&found.bits()).then(found.rank().cmp(&best.rank())).is_lt()
            });
            if known && better {
                best = Some(found);
            }
        }
    }
    best
}

fn compare_two(a: &PersonName, b: &PersonName, model: &Model) -> NameEvidence {
    let straight = NameEvidence {
        given: compare_given(&a.given, &b.given, model),
        family: compare_family(&a.family, &b.family),
        ..NameEvidence::default()
    };
    let agrees = straight.given.is_some_and(|l| l <= GivenLevel::Similar)
        || straight.family.is_some_and(|l| l <= FamilyLevel::Similar);
    let crossed = if agrees { None } else { compare_crossed(a, b) };
    weighed(crossed.unwrap_or(straight), a, b, model)
}

/// Given and family name written into each other's field; one may be misspelt or missing.
fn compare_crossed(a: &PersonName, b: &PersonName) -> Option<NameEvidence> {
    let crossed = |given: &PersonName, family: &PersonName| -> Option<Option<FamilyLevel>> {
        let first = given.given.first()?;
        if family.family.is_empty() {
            return None;
        }
        let whole = given.given.concat();
        let is_whole = whole == joined(&family.family);
        let level =
            if is_whole { FamilyLevel::Exact } else { compare_family(first, &family.family)? };
        (level <= FamilyLevel::Similar && whole.len() >= 3).then_some(Some(level))
    };
    let known = |x: &PersonName, y: &PersonName| !x.given.is_empty() && !y.family.is_empty();
    let (there, back) = (crossed(a, b), crossed(b, a));
    let (one, other) = match (there, back) {
        (Some(x), Some(y)) => (x, y),
        (Some(x), None) if !known(b, a) => (x, None),
        (None, Some(y)) if !known(a, b) => (None, y),
        (Some(Some(x)), None) | (None, Some(Some(x))) if x <= FamilyLevel::Misspelt => {
            // In the other's field, and the other is another one.
            let (given, family) = (Some(GivenLevel::Different), Some(x));
            return Some(NameEvidence { given, family, swapped: true, ..NameEvidence::default() });
        }
        _ => return None,
    };
    // Which of the two is the given name cannot be told: the better one counts as the family.
    let (family, given) =
        if other.is_none() || one.is_some() && one <= other { (one, other) } else { (other, one) };
    let given = given.map(|level| match level {
        FamilyLevel::Exact => GivenLevel::Exact,
        FamilyLevel::Part => GivenLevel::MiddleUsed,
        FamilyLevel::Misspelt => GivenLevel::Misspelt,
        FamilyLevel::Similar | FamilyLevel::Different => GivenLevel::Similar,
    });
    Some(NameEvidence { given, family, swapped: true, ..NameEvidence::default() })
}

fn weighed(mut e: NameEvidence, a: &PersonName, b: &PersonName, model: &Model) -> NameEvidence {
    if let Some(level) = e.given {
        e.given_bits = model.bits.of(level);
        if level == GivenLevel::Exact
            && !e.swapped
            && let (Some(x), Some(y)) = (a.given.first(), b.given.first())
        {
            // Two spellings of one compound name: the commoner part decides.
            let rarity = model.given.adjustment_bits(x).min(model.given.adjustment_bits(y));
            e.given_bits += rarity;
        }
    }
    if let Some(level) = e.family {
        e.family_bits = model.bits.of(level);
        if level == FamilyLevel::Exact && !e.swapped {
            e.family_bits += model.family.adjustment_bits(&joined(&a.family));
        }
    }
    if e.swapped {
        e.order_bits = model.bits.of(OrderLevel::Swapped);
    }
    e
}

/// The best agreement of the middle names of any two names whose first given name agrees.
pub(super) fn compare_middle(
    a: &[PersonName],
    b: &[PersonName],
    model: &Model,
) -> Option<MiddleLevel> {
    let pairs =
        a.iter().take(NAMES_MAX).flat_map(|x| b.iter().take(NAMES_MAX).map(move |y| (x, y)));
    let level = |x: &PersonName, y: &PersonName| {
        let (middle, other) = (x.given.get(1)?, y.given.get(1)?);
        let (first, called) = (x.given.first()?, y.given.first()?);
        (first == called || model.nicknames.are(first, called))
            .then(|| middle_level(middle, other, model))
    };
    pairs.filter_map(|(x, y)| level(x, y)).min()
}

fn middle_level(a: &str, b: &str, model: &Model) -> MiddleLevel {
    if a.len().min(b.len()) == 1 {
        let same = a.chars().next() == b.chars().next();
        return if same { MiddleLevel::Initial } else { MiddleLevel::Different };
    }
    let same = is_like(a, b) || model.nicknames.are(a, b);
    if same { MiddleLevel::Same } else { MiddleLevel::Different }
}

/// Whether the generational suffixes exclude one another: both stated, and no pair of current
/// names is compatible.
pub(super) fn suffixes_conflict(a: &[PersonName], b: &[PersonName]) -> bool {
    let stated = |names: &[PersonName]| -> u8 {
        let current = names.iter().filter(|n| !n.former).take(NAMES_MAX);
        current.filter_map(|n| generation(&n.suffix)).fold(0, |set, n| set | 1 << n)
    };
    let (a, b) = (stated(a), stated(b));
    a != 0 && b != 0 && a & b == 0
}

/// Jr and II are both the second of their name.
fn generation(suffix: &str) -> Option<u8> {
    match suffix {
        "sr" => Some(1),
        "jr" | "ii" => Some(2),
        "iii" => Some(3),
        "iv" => Some(4),
        "v" => Some(5),
        _ => None,
    }
}

fn joined(family: &str) -> std::borrow::Cow<'_, str> {
    if family.contains(' ') { family.replace(' ', "").into() } else { family.into() }
}

fn compare_family(a: &str, b: &str) -> Option<FamilyLevel> {
    if a.is_empty() || b.is_empty() {
        return None;
    }
    if a == b {
        return Some(FamilyLevel::Exact);
    }
    let (joined_a, joined_b) = (joined(a), joined(b));
    if joined_a == joined_b {
        return Some(FamilyLevel::Exact);
    }
    let shares = (a.contains(' ') || b.contains(' ')) && shares_word(a, b);
    Some(match () {
        () if shares => FamilyLevel::Part,
        () if is_misspelt(&joined_a, &joined_b) => FamilyLevel::Misspelt,
        () if is_similar(&joined_a, &joined_b) => FamilyLevel::Similar,
        () => FamilyLevel::Different,
    })
}

fn shares_word(a: &str, b: &str) -> bool {
    let telling = |w: &&str| w.len() > 1 && !PARTICLES.contains(w);
    a.split(' ').filter(telling).any(|w| b.split(' ').any(|other| other == w))
}

fn compare_given(a: &[Box<str>], b: &[Box<str>], model: &Model) -> Option<GivenLevel> {
    let (first_a, first_b) = (a.first()?, b.first()?);
    let compound = a.len() > 1 || b.len() > 1;
    if first_a == first_b || compound && a.concat() == b.concat() {
        return Some(GivenLevel::Exact);
    }
    if model.nicknames.are(first_a, first_b) {
        return Some(GivenLevel::Nickname);
    }
    let full = |name: &str| name.chars().nth(1).is_some();
    let used =
        |first: &str, other: &[Box<str>]| full(first) && other[1..].iter().any(|w| **w == *first);
    if used(first_a, b) || used(first_b, a) {
        return Some(GivenLevel::MiddleUsed);
    }
    if !full(first_a) || !full(first_b) {
        let same = first_a.chars().next() == first_b.chars().next();
        return Some(if same { GivenLevel::Initial } else { GivenLevel::Different });
    }
    Some(match () {
        () if is_misspelt(first_a, first_b) => GivenLevel::Misspelt,
        () if is_similar(first_a, first_b) => GivenLevel::Similar,
        () if compound && is_misspelt(&a.concat(), &b.concat()) => GivenLevel::Similar,
        () => GivenLevel::Different,
    })
}

/// A slip of the keyboard: one edit, two in a long name, of at least three letters.
fn is_misspelt(a: &str, b: &str) -> bool {
    let shortest = a.len().min(b.len());
    if shortest < 3 {
        return false;
    }
    let allowed = if shortest >= 6 { 2 } else { 1 };
    is_within(a, b, allowed)
}

/// Spelt by ear, shortened, or typed in a muddle.
fn is_similar(a: &str, b: &str) -> bool {
    is_jaro_winkler(a, b, 0.87)
        || is_start(a, b)
        || is_muddled(a, b)
        || is_jaro_winkler(a, b, 0.8) && sounds_alike(a, b)
}

/// A shortened form: `rob` of `roberta`, `chris` of `christiane`.
fn is_start(a: &str, b: &str) -> bool {
    a.len().min(b.len()) >= 3 && (a.starts_with(b) || b.starts_with(a))
}

fn sounds_alike(a: &str, b: &str) -> bool {
    let sound_a = sound(a);
    sound_a.len() >= 3 && sound_a == sound(b)
}
