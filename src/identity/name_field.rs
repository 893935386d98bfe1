//! How two charts' names agree: family and given name as one field, and the middle name.

use super::levels::{MiddleLevel, NameLevel};
use super::model::Model;
use crate::compare::similarity::{edit_distance, is_close, is_like, jaro_winkler, sound};
use crate::flow::PersonName;

/// Most names of a chart that are compared.
const NAMES_MAX: usize = 6;

/// Words within family names that many share.
const PARTICLES: [&str; 16] = [
    "de", "la", "las", "los", "del", "da", "dos", "das", "di", "van", "von", "der", "den", "y",
    "al", "el",
];

/// How one part of a name agrees.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    Exact,
    Nickname,
    MiddleUsed,
    /// One of several words agrees.
    Some,
    Close,
    Initial,
    Different,
    Missing,
}

/// The best agreement of any two names, with its weight.
pub(super) fn compare_names(
    a: &[PersonName],
    b: &[PersonName],
    model: &Model,
) -> Option<(NameLevel, f64)> {
    best_pair(a, b, |x, y| compare_two(x, y, model))
}

/// The best agreement of the middle names of any two names whose first given name agrees.
pub(super) fn compare_middle(
    a: &[PersonName],
    b: &[PersonName],
    model: &Model,
) -> Option<(MiddleLevel, f64)> {
    best_pair(a, b, |x, y| {
        let first_agrees = x.given.first()? == y.given.first()?;
        let (middle, other) = (x.given.get(1)?, y.given.get(1)?);
        if !first_agrees {
            return None;
        }
        let level = if middle.len().min(other.len()) == 1 {
            let same = middle.chars().next() == other.chars().next();
            if same { MiddleLevel::Initial } else { MiddleLevel::Different }
        } else if is_like(middle, other) || model.nicknames.are(middle, other) {
            MiddleLevel::Same
        } else {
            MiddleLevel::Different
        };
        Some((level, model.bits.middle_name.of(level)))
    })
}

/// Whether the generational suffixes exclude one another: both stated, and no pair of current
/// names is compatible.
pub(super) fn suffixes_conflict(a: &[PersonName], b: &[PersonName]) -> bool {
    let stated = |names: &[PersonName]| -> Vec<u8> {
        let current = names.iter().filter(|n| !n.former).take(NAMES_MAX);
        current.filter_map(|n| generation(&n.suffix)).collect()
    };
    let (a, b) = (stated(a), stated(b));
    !a.is_empty() && !b.is_empty() && !a.iter().any(|x| b.contains(x))
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

fn best_pair<L: Ord + Copy>(
    a: &[PersonName],
    b: &[PersonName],
    compare: impl Fn(&PersonName, &PersonName) -> Option<(L, f64)>,
) -> Option<(L, f64)> {
    let mut best: Option<(L, f64)> = None;
    for x in a.iter().take(NAMES_MAX) {
        for y in b.iter().take(NAMES_MAX) {
            let Some(found) = compare(x, y) else { continue };
            let better = best.is_none_or(|known| {
                known.1.total_cmp(&found.1).then(found.0.cmp(&known.0)).is_lt()
            });
            if better {
                best = Some(found);
            }
        }
    }
    best
}

fn compare_two(a: &PersonName, b: &PersonName, model: &Model) -> Option<(NameLevel, f64)> {
    let family = compare_family(&a.family, &b.family);
    let given = compare_given(&a.given, &b.given, model);
    let level = joint_level(given, family)?;
    let level =
        if level >= NameLevel::BothClose && is_swapped(a, b) { NameLevel::Swapped } else { level };
    Some((level, weight(level, given, family, (a, b), model)))
}

fn joint_level(given: Part, family: Part) -> Option<NameLevel> {
    use NameLevel as L;
    let level = match (given, family) {
        (Part::Missing, Part::Missing) => return None,
        (Part::Exact, Part::Exact) => L::Exact,
        (Part::Nickname, Part::Exact) => L::Nickname,
        (Part::MiddleUsed | Part::Some, Part::Exact) => L::MiddleNameUsed,
        (Part::Close, Part::Exact) => L::GivenClose,
        (Part::Initial, Part::Exact) => L::GivenInitial,
        (Part::Missing, Part::Exact | Part::Some) => L::FamilyOnly,
        (Part::Different, Part::Exact | Part::Some) => L::GivenDiffers,
        (Part::Exact, Part::Some) => L::FamilyPart,
        (Part::Exact, Part::Close) => L::FamilyClose,
        (
            Part::Nickname | Part::MiddleUsed | Part::Some | Part::Close | Part::Initial,
            Part::Some | Part::Close,
        ) => L::BothClose,
        (Part::Exact | Part::Nickname, Part::Different) => L::FamilyChanged,
        (Part::Exact | Part::Nickname, Part::Missing) => L::GivenOnly,
        // What is left says too little to count for either side, or speaks against.
        (Part::Missing, Part::Close)
        | (Part::MiddleUsed | Part::Some | Part::Close | Part::Initial, Part::Missing) => {
            return None;
        }
        (_, _) => L::Different,
    };
    Some(level)
}

fn weight(
    level: NameLevel,
    given: Part,
    family: Part,
    names: (&PersonName, &PersonName),
    model: &Model,
) -> f64 {
    let mut bits = model.bits.name.of(level);
    if matches!(level, NameLevel::Different | NameLevel::Swapped | NameLevel::GivenDiffers) {
        return bits;
    }
    let (a, b) = names;
    if family == Part::Exact {
        bits += model.family.adjustment_bits(&a.family.replace(' ', ""));
    }
    if given == Part::Exact
        && let (Some(x), Some(y)) = (a.given.first(), b.given.first())
    {
        // Two spellings of one compound name: the commoner part decides.
        bits += model.given.adjustment_bits(x).min(model.given.adjustment_bits(y));
    }
    bits
}

fn compare_family(a: &str, b: &str) -> Part {
    if a.is_empty() || b.is_empty() {
        return Part::Missing;
    }
    let (joined_a, joined_b) = (a.replace(' ', ""), b.replace(' ', ""));
    if joined_a == joined_b {
        return Part::Exact;
    }
    let words = |text: &str| -> Vec<String> {
        let parts = text.split(' ').filter(|w| w.len() > 1 && !PARTICLES.contains(w));
        parts.map(str::to_owned).collect()
    };
    let (words_a, words_b) = (words(a), words(b));
    let shares = words_a.iter().any(|w| words_b.contains(w));
    if shares {
        return Part::Some;
    }
    if is_close(&joined_a, &joined_b) || sounds_alike(&joined_a, &joined_b) {
        return Part::Close;
    }
    Part::Different
}

fn compare_given(a: &[Box<str>], b: &[Box<str>], model: &Model) -> Part {
    let (Some(first_a), Some(first_b)) = (a.first(), b.first()) else {
        return Part::Missing;
    };
    if first_a == first_b || a.concat() == b.concat() {
        return Part::Exact;
    }
    if model.nicknames.are(first_a, first_b) {
        return Part::Nickname;
    }
    let full = |name: &str| name.chars().count() > 1;
    let used =
        |first: &str, other: &[Box<str>]| full(first) && other[1..].iter().any(|w| **w == *first);
    if used(first_a, b) || used(first_b, a) {
        return Part::MiddleUsed;
    }
    if !full(first_a) || !full(first_b) {
        let same = first_a.chars().next() == first_b.chars().next();
        return if same { Part::Initial } else { Part::Different };
    }
    if is_close(first_a, first_b) || is_start(first_a, first_b) || sounds_alike(first_a, first_b) {
        return Part::Close;
    }
    Part::Different
}

/// A shortened form: `rob` of `roberta`, `chris` of `christiane`.
fn is_start(a: &str, b: &str) -> bool {
    a.len().min(b.len()) >= 3 && (a.starts_with(b) || b.starts_with(a))
}

fn sounds_alike(a: &str, b: &str) -> bool {
    let sound_a = sound(a);
    sound_a.len() >= 3 && sound_a == sound(b) && jaro_winkler(a, b) >= 0.8
}

/// Given and family name written into each other's field.
fn is_swapped(a: &PersonName, b: &PersonName) -> bool {
    let (Some(given_a), Some(given_b)) = (a.given.first(), b.given.first()) else {
        return false;
    };
    let alike = |x: &str, y: &str| x == y || (x.chars().count() >= 5 && edit_distance(x, y) <= 1);
    let crossed = alike(given_a, &b.family) && alike(given_b, &a.family);
    crossed && a.family != b.family
}
