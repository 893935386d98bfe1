//! Learning a model from a site's data, without labels.
//!
//! u is how often two different people reach a level: counted over random pairs. m is how often
//! two records of one person do: by expectation and maximisation over proposed pairs (Winkler,
//! "Using the EM Algorithm for Weight Computation in the Fellegi-Sunter Model of Record Linkage",
//! 1988). A pass says nothing about the fields that its key fixes. What the data hardly show stays
//! near the model that training began with.

use std::collections::{BTreeMap, HashMap};

use super::Assessment;
use super::household::HOUSEHOLD;
use super::levels::{
    AddressLevel, FIELD_COUNT, FIELDS, FamilyLevel, GivenLevel, MISSING, Pattern, PhoneLevel,
};
use super::model::{Model, ModelFile, Odds, RELATIVES_RARE, TermTable, Training};
use super::score::pattern_bits;

/// Most rounds; the weights have settled long before.
const ROUNDS_MAX: u32 = 25;
/// Rounds end when no probability moves by more.
const SETTLED: f64 = 1e-4;
/// As many observed matches the model that training begins with counts for.
const PRIOR_MATCHES: f64 = 20.0;
/// As many observed random pairs it counts for.
const PRIOR_RANDOM_PAIRS: f64 = 1000.0;
/// Random pairs share no home, but the pairs that must be told apart often do: u of home, phone
/// and e-mail does not fall below this part of what training began with.
const HOUSEHOLD_U_LEAST: f64 = 0.25;
/// Fewer matches than this say nothing about how rare relatives are.
const MATCHES_TO_TELL_RELATIVES: f64 = 200.0;
/// As many pairs of relatives are added to those that were seen.
const PRIOR_RELATIVES: f64 = 2.0;
/// Most names kept in a table of term frequencies.
const TERMS_MAX: usize = 50_000;

/// What was seen in the data.
#[derive(Clone, Debug, Default)]
pub struct Observations {
    random: HashMap<Pattern, f64>,
    /// By levels, passes that proposed the pair (as bits), whether something keeps it apart, and
    /// whether the two are a generation apart.
    proposed: HashMap<(Pattern, u32, bool, bool), f64>,
    given: HashMap<Box<str>, u64>,
    family: HashMap<Box<str>, u64>,
    /// Records seen.
    pub records: u64,
    /// Pairs that could be compared at all.
    pub pairs_in_all: f64,
    /// Seed of the samples.
    pub seed: u64,
    /// Hash over the records.
    pub data_fingerprint: Box<str>,
}

impl Observations {
    /// Takes in a random pair.
    pub fn random(&mut self, pair: &Assessment) {
        *self.random.entry(pair.pattern).or_default() += 1.0;
    }

    /// Takes in a pair that these passes proposed, as bits by their position in the model.
    pub fn proposed(&mut self, pair: &Assessment, passes: u32) {
        let key = (pair.pattern, passes, pair.is_contradiction(), pair.may_be_relatives);
        *self.proposed.entry(key).or_default() += 1.0;
    }

    /// Takes in a record's current name.
    pub fn name(&mut self, given: &str, family: &str) {
        let mut count = |table: fn(&mut Self) -> &mut HashMap<Box<str>, u64>, term: &str| {
            if term.is_empty() {
                return;
            }
            match table(self).get_mut(term) {
                Some(n) => *n += 1,
                None => {
                    table(self).insert(term.into(), 1);
                }
            }
        };
        count(|s| &mut s.given, given);
        count(|s| &mut s.family, &family.replace(' ', ""));
    }

    /// Takes in what another part of the data showed.
    pub fn add(&mut self, other: Self) {
        fn sum<K: Eq + std::hash::Hash, V: std::ops::AddAssign + Default>(
            into: &mut HashMap<K, V>,
            from: HashMap<K, V>,
        ) {
            for (key, n) in from {
                *into.entry(key).or_default() += n;
            }
        }
        sum(&mut self.random, other.random);
        sum(&mut self.proposed, other.proposed);
        sum(&mut self.given, other.given);
        sum(&mut self.family, other.family);
    }
}

/// A learned model, with how it came about.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The model.
    pub model: Model,
    /// Matches that the data are expected to hold.
    pub matches: f64,
}

/// Learns a model, beginning with `base`, whose thresholds, passes and rules it keeps.
///
/// # Errors
/// When there are too few records to learn anything from.
pub fn train(base: &Model, seen: &Observations) -> Result<Trained, String> {
    if seen.records < 100 || seen.random.is_empty() {
        return Err("too few records to learn from: at least 100 are needed".into());
    }
    let mut file = base.file.clone();
    terms(&seen.given, &mut file.term_frequencies.given);
    terms(&seen.family, &mut file.term_frequencies.family);
    let (mut model, mut matches, mut rounds) = converge(base, base.with_file(file)?, seen)?;
    let relatives = (relatives(&model, seen) + PRIOR_RELATIVES) / matches.max(1.0);
    if matches >= MATCHES_TO_TELL_RELATIVES {
        let mut file = model.file.clone();
        file.relatives = Some(relatives);
        model = base.with_file(file)?;
        if model.relatives_are_rare() {
            // What looked like relatives may now be learned from.
            let more;
            (model, matches, more) = converge(base, model, seen)?;
            rounds += more;
        }
    }
    let mut file = model.file.clone();
    let random_pairs: f64 = seen.random.values().sum();
    let proposed_pairs: f64 = seen.proposed.values().sum();
    file.version = format!("{}+{}", base.version, seen.data_fingerprint).into();
    file.training = Some(Training {
        from: base.version.clone(),
        records: seen.records,
        random_pairs: random_pairs as u64,
        proposed_pairs: proposed_pairs as u64,
        seed: seen.seed,
        rounds,
        data_fingerprint: seen.data_fingerprint.clone(),
    });
    Ok(Trained { model: base.with_file(file)?, matches })
}

/// Expectation and maximisation until nothing moves: the model, the matches it expects, rounds.
fn converge(
    base: &Model,
    mut model: Model,
    seen: &Observations,
) -> Result<(Model, f64, u32), String> {
    for round in 1.. {
        let expected = expect(&model, seen);
        let mut file = model.file.clone();
        file.prior_bits = prior(expected.matches, seen.pairs_in_all);
        let moved = maximise(base, &expected, &mut file);
        model = base.with_file(file)?;
        if moved < SETTLED || round == ROUNDS_MAX {
            return Ok((model, expected.matches, round));
        }
    }
    unreachable!("the last round returns")
}

/// How many pairs look like two people of one family and home.
fn relatives(model: &Model, seen: &Observations) -> f64 {
    let mut sum = 0.0;
    for ((pattern, _, contradiction, generation), n) in sorted(&seen.proposed) {
        let of_one_home = pattern[0] == GivenLevel::Different as u8
            && pattern[1] <= FamilyLevel::Misspelt as u8
            && (pattern[7] <= AddressLevel::Close as u8 || pattern[8] == PhoneLevel::Exact as u8);
        if of_one_home {
            let apart = *contradiction || *generation;
            sum += if apart { n } else { n * (1.0 - posterior(pattern, model)) };
        }
    }
    sum
}

fn posterior(pattern: &Pattern, model: &Model) -> f64 {
    let weight = model.prior_bits + pattern_bits(pattern, model).iter().sum::<f64>();
    1.0 / (1.0 + (-weight).exp2())
}

/// The chance that two random records match, in bits, within what is plausible.
fn prior(matches: f64, pairs_in_all: f64) -> f64 {
    let chance = (matches.max(0.5) / pairs_in_all.max(1.0)).log2();
    chance.clamp(-40.0, -3.0)
}

/// How often each level was seen among matches and among others.
#[derive(Default)]
struct Expected {
    matches: f64,
    m: [BTreeMap<u8, f64>; FIELD_COUNT],
    u: [BTreeMap<u8, f64>; FIELD_COUNT],
    /// Matches and others of which both names were known, whatever their order.
    ordered: f64,
}

fn expect(model: &Model, seen: &Observations) -> Expected {
    let mut expected = Expected::default();
    for (pattern, n) in sorted(&seen.random) {
        let other = n * (1.0 - posterior(pattern, model));
        for (field, level) in pattern.iter().enumerate().filter(|(_, l)| **l != MISSING) {
            *expected.u[field].entry(*level).or_default() += other;
        }
    }
    for ((pattern, passes, contradiction, generation), n) in sorted(&seen.proposed) {
        let apart = *contradiction || *generation && !model.relatives_are_rare();
        let same = if apart { 0.0 } else { n * posterior(pattern, model) };
        expected.matches += same;
        let fixed = |field: usize| {
            let proposing = model.passes.iter().enumerate().filter(|(i, _)| passes & (1 << i) != 0);
            proposing.clone().all(|(_, pass)| pass.fixes().contains(&field))
        };
        for (field, level) in pattern.iter().enumerate().filter(|(_, l)| **l != MISSING) {
            if !fixed(field) {
                *expected.m[field].entry(*level).or_default() += same;
            }
        }
        if pattern[0] != MISSING && pattern[1] != MISSING && !fixed(2) {
            expected.ordered += same;
        }
    }
    expected
}

/// In one order, since sums of fractions depend on it.
fn sorted<K: Ord, V: Copy>(map: &HashMap<K, V>) -> Vec<(&K, V)> {
    let mut list: Vec<(&K, V)> = map.iter().map(|(k, v)| (k, *v)).collect();
    list.sort_by(|a, b| a.0.cmp(b.0));
    list
}

/// Sets every level's odds; returns the largest move of an m.
fn maximise(base: &Model, expected: &Expected, file: &mut ModelFile) -> f64 {
    let rare = file.relatives.is_some_and(|r| r < RELATIVES_RARE);
    let mut moved: f64 = 0.0;
    for (field, (name, words)) in FIELDS.into_iter().enumerate() {
        for family in alternatives(field) {
            let sum = |counts: &BTreeMap<u8, f64>| -> f64 {
                family.iter().filter_map(|level| counts.get(level)).sum()
            };
            let (matches, others) = match field {
                2 => (expected.ordered, 0.0),
                _ => (sum(&expected.m[field]), sum(&expected.u[field])),
            };
            for &level in *family {
                let word = words[usize::from(level)];
                let Some(before) = base.file.fields[name].get(word).copied() else { continue };
                let seen = |counts: &BTreeMap<u8, f64>| counts.get(&level).copied().unwrap_or(0.0);
                let m = (seen(&expected.m[field]) + PRIOR_MATCHES * before.m)
                    / (matches + PRIOR_MATCHES);
                let u = (seen(&expected.u[field]) + PRIOR_RANDOM_PAIRS * before.u)
                    / (others + PRIOR_RANDOM_PAIRS);
                let shared = HOUSEHOLD.contains(&field) && !rare;
                let least = if shared { before.u * HOUSEHOLD_U_LEAST } else { 1e-9 };
                let learned = Odds { m: m.clamp(1e-6, 1.0), u: u.max(least).clamp(1e-9, 1.0) };
                let slot = file.fields.get_mut(name).and_then(|levels| levels.get_mut(word));
                if let Some(slot) = slot {
                    moved = moved.max((slot.m - learned.m).abs());
                    *slot = learned;
                }
            }
        }
    }
    moved
}

/// Levels that exclude one another, by field. A level that is reached only where nothing else
/// can be, such as a birth date known to the year, keeps its odds.
fn alternatives(field: usize) -> &'static [&'static [u8]] {
    match field {
        0 => &[&[0, 1, 2, 3, 4, 5, 6]],
        1 => &[&[0, 1, 2, 3, 4]],
        2 => &[&[0]],
        3 => &[&[0, 1, 2]],
        4 => &[&[0, 4, 5, 6, 7, 8, 9, 10]],
        5 => &[&[0, 1]],
        6 => &[&[0, 5, 7, 10], &[1, 8], &[4, 6]],
        7 => &[&[0, 1, 2, 3, 4, 5]],
        8 => &[&[0, 1, 2]],
        9 => &[&[0, 1, 2, 3]],
        _ => &[],
    }
}

/// How common each name is. One that is not listed counts as half a record's.
fn terms(counts: &HashMap<Box<str>, u64>, table: &mut TermTable) {
    let all: f64 = counts.values().map(|n| *n as f64).sum();
    if all < 100.0 {
        return;
    }
    let mut listed: Vec<(&Box<str>, u64)> =
        counts.iter().filter(|(_, n)| **n > 1).map(|(term, n)| (term, *n)).collect();
    listed.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    listed.truncate(TERMS_MAX);
    let share = |n: u64| n as f64 / all;
    // Whole numbers, whose sum does not depend on the order.
    let squares: u64 = counts.values().map(|n| n * n).sum();
    table.average = (squares as f64 / (all * all)).clamp(1e-6, 1.0);
    table.unseen = (0.5 / all).clamp(1e-7, 1.0);
    table.terms = listed.into_iter().map(|(term, n)| (term.clone(), share(n))).collect();
}
