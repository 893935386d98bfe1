//! What a short clinical text says, apart from how it is put: content words, amounts, sides and
//! negation. Two texts are alike only if all of these agree; a slip of the pen is forgiven.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use super::quantity::quantity;

/// What a normalised text (see [`super::clinical_text`]) says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wording {
    /// Content words, stemmed.
    pub words: BTreeSet<String>,
    /// Amounts with their unit in the unit of comparison (`30 minutes` → `1800 s`).
    pub amounts: BTreeSet<String>,
    /// `<` or `>`: on which side of the amounts it is to be.
    pub bounds: BTreeSet<char>,
    /// Left, right, both.
    pub sides: BTreeSet<&'static str>,
    /// Whether it denies what it names.
    pub negated: bool,
}

/// How two texts compare.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Likeness {
    /// The same words, amounts and sense.
    Alike,
    /// Other words, and nothing that cannot both be true.
    Unlike,
    /// Another amount, another side, or the one denies what the other says.
    Contrary,
}

/// Words, as typed → what is read. Longer ones first where one begins the other.
#[rustfmt::skip]
const PHRASES: [(&[&str], &[&str]); 68] = [
    // What classifications append where no more is known says nothing about the patient.
    (&["without", "complications"], &[]), (&["without", "complication"], &[]),
    (&["not", "elsewhere", "classified"], &[]), (&["not", "otherwise", "specified"], &[]),
    (&["site", "not", "specified"], &[]), (&["not", "specified"], &[]),
    (&["single", "episode"], &[]),
    (&["every", "day"], &["daily"]), (&["each", "day"], &["daily"]), (&["per", "day"], &["daily"]),
    (&["a", "day"], &["daily"]), (&["once", "daily"], &["daily"]),
    (&["every", "week"], &["weekly"]), (&["each", "week"], &["weekly"]),
    (&["per", "week"], &["weekly"]), (&["a", "week"], &["weekly"]),
    (&["x", "week"], &["times", "weekly"]), (&["x", "day"], &["times", "daily"]),
    (&["every", "month"], &["monthly"]), (&["per", "month"], &["monthly"]),
    (&["a", "month"], &["monthly"]), (&["twice"], &["2", "times"]),
    (&["two"], &["2"]), (&["three"], &["3"]), (&["four"], &["4"]), (&["five"], &["5"]),
    (&["six"], &["6"]), (&["seven"], &["7"]), (&["eight"], &["8"]), (&["nine"], &["9"]),
    (&["ten"], &["10"]), (&["twelve"], &["12"]), (&["fifteen"], &["15"]),
    (&["twenty"], &["20"]), (&["thirty"], &["30"]), (&["sixty"], &["60"]),
    (&["ii"], &["2"]), (&["iii"], &["3"]), (&["iv"], &["4"]),
    (&["self", "management"], &["selfmanagement"]), (&["self", "care"], &["selfcare"]),
    (&["mm", "hg"], &["mmhg"]), (&["a", "fib"], &["atrial", "fibrillation"]),
    // What clinicians write for the same thing; only what has one reading in a care record.
    (&["high", "blood", "pressure"], &["hypertension"]),
    (&["heart", "attack"], &["myocardial", "infarction"]),
    (&["cerebrovascular", "accident"], &["stroke"]), (&["cva"], &["stroke"]),
    (&["dm"], &["diabetes"]), (&["t1dm"], &["type", "1", "diabetes"]),
    (&["hld"], &["hyperlipidemia"]), (&["sore", "throat"], &["pharyngitis"]),
    (&["glycated", "hemoglobin"], &["hemoglobin", "a1c"]),
    (&["glycosylated", "hemoglobin"], &["hemoglobin", "a1c"]),
    (&["middle", "ear", "infection"], &["otitis", "media"]),
    (&["coronary", "heart", "disease"], &["coronary", "artery", "disease"]),
    (&["degenerative", "joint", "disease"], &["osteoarthritis"]),
    (&["cardiac", "failure"], &["heart", "failure"]), (&["hf"], &["heart", "failure"]),
    (&["cbc"], &["complete", "blood", "count"]), (&["ecg"], &["electrocardiogram"]),
    (&["ekg"], &["electrocardiogram"]), (&["mri"], &["magnetic", "resonance", "imaging"]),
    (&["ct"], &["computed", "tomography"]), (&["spo2"], &["oxygen", "saturation"]),
    (&["o2", "sat"], &["oxygen", "saturation"]), (&["h", "o"], &["history"]),
    (&["w", "o"], &["without"]), (&["b", "l"], &["bilateral"]),
];

/// Words that say nothing by themselves.
#[rustfmt::skip]
const VOID: [&str; 44] = [
    "a", "all", "an", "and", "any", "as", "at", "be", "been", "by", "disorder", "for", "have",
    "her", "his", "in", "is", "it", "its", "mellitus", "my", "next", "nos", "of", "on", "or",
    "other", "patient", "per", "primary", "procedure", "that", "the", "their", "this", "to",
    "uncomplicated", "unilateral", "unspecified", "w", "was", "will", "with",
    "your",
];

/// Verbs of wishing, what a goal is called, and what an amount is of where that is understood
/// (`lose 5 kg`, `LDL < 100 mg/dL`): beside an amount they add nothing.
#[rustfmt::skip]
const WISHES: [&str; 15] = [
    "achiev", "blood", "cholesterol", "get", "goal", "hav", "keep", "level", "maintain", "reach",
    "remain", "stay", "target", "total", "weight",
];

/// Words that turn a statement into its opposite.
#[rustfmt::skip]
const NEGATIONS: [&str; 11] = [
    "absent", "avoid", "cannot", "denies", "denied", "negative", "never", "no", "not", "without",
    "non",
];

/// Word → side.
const SIDES: [(&str, &str); 6] = [
    ("left", "left"),
    ("right", "right"),
    ("lt", "left"),
    ("rt", "right"),
    ("bilateral", "both"),
    ("both", "both"),
];

/// Stems that say one thing.
#[rustfmt::skip]
const SYNONYMS: [(&str, &str); 31] = [
    ("afib", "fibrillation"), ("bodyweight", "weight"), ("ceas", "stop"), ("cessation", "stop"),
    ("decreas", "reduc"), ("depressiv", "depression"), ("diabetic", "diabet"),
    ("echo", "echocardiogram"), ("hypertensiv", "hypertension"), ("lac", "laceration"),
    ("strep", "streptococcal"), ("teach", "education"),
    ("drug", "medication"), ("evaluation", "assessment"),
    ("il", "diseas"), ("immunization", "vaccin"), ("lessen", "reduc"),
    ("lung", "pulmonary"), ("mammogram", "mammography"), ("medicin", "medication"),
    ("phon", "call"), ("physiotherapy", "physicaltherapy"),
    ("quit", "stop"), ("sugar", "glucos"), ("renal", "kidney"), ("salt", "sodium"),
    ("surgical", "surgery"), ("telephon", "call"), ("tobacco", "smok"),
    ("vaccination", "vaccin"), ("vaccine", "vaccin"),
];

/// Shortest word in which one wrong letter is a slip.
const SLIP_LETTERS_MIN: usize = 7;
/// How much of the longer of two words must be their common beginning for one root
/// (`cardiology`, `cardiologist`; not `thrombocytosis`, `thrombocytopenia`).
const ROOT_SHARE: f64 = 0.75;
/// And how many letters at least.
const ROOT_LETTERS_MIN: usize = 6;

/// How many texts a thread remembers, and up to which length: those of care repeat.
const REMEMBERED_MAX: usize = 4096;
const REMEMBERED_BYTES_MAX: usize = 256;

thread_local! {
    // The same few texts are read for every pair that is compared; the result is a function of
    // the text alone.
    static REMEMBERED: RefCell<HashMap<Box<str>, Rc<Wording>>> = RefCell::default();
}

/// Reads a normalised text.
pub fn wording(text: &str) -> Rc<Wording> {
    if text.len() > REMEMBERED_BYTES_MAX {
        return Rc::new(read(text));
    }
    REMEMBERED.with_borrow_mut(|remembered| {
        if let Some(known) = remembered.get(text) {
            return known.clone();
        }
        if remembered.len() >= REMEMBERED_MAX {
            remembered.clear();
        }
        let new = Rc::new(read(text));
        remembered.insert(text.into(), new.clone());
        new
    })
}

fn read(text: &str) -> Wording {
    let tokens = rephrased(text);
    let mut wording = Wording::default();
    let mut i = 0;
    while let Some(token) = tokens.get(i) {
        let first = token.chars().next().unwrap_or(' ');
        if matches!(first, '<' | '>') {
            wording.bounds.insert(first);
        } else if first.is_ascii_digit() {
            let (amount, taken) = amount(token, tokens.get(i + 1));
            wording.amounts.insert(amount);
            i += taken;
        } else if let Some((_, side)) = SIDES.iter().find(|(word, _)| word == token) {
            wording.sides.insert(side);
        } else if NEGATIONS.contains(&token.as_str()) {
            wording.negated = true;
        } else if !VOID.contains(&token.as_str()) && token != "%" {
            wording.words.insert(root(token));
        }
        i += 1;
    }
    wording
}

/// Compares what two normalised texts say.
pub fn likeness(a: &str, b: &str) -> Likeness {
    if a == b {
        return Likeness::Alike;
    }
    compared(&wording(a), &wording(b))
}

/// Most words that the closer of two descriptions may have beside those of the other, and fewest
/// that they must share.
const CLOSER_WORDS_MAX: usize = 2;
const SHARED_WORDS_MIN: usize = 2;

/// Whether the one says all that the other does, and a little more (`physical therapy`,
/// `physical therapy evaluation`): the same only where time and people agree as well.
pub fn says_more(a: &str, b: &str) -> bool {
    let (a, b) = (wording(a), wording(b));
    let (fewer, more) = if a.words.len() <= b.words.len() { (&a, &b) } else { (&b, &a) };
    a.negated == b.negated
        && a.sides == b.sides
        && a.amounts == b.amounts
        && fewer.words.len() >= SHARED_WORDS_MIN
        && fewer.words.is_subset(&more.words)
        && more.words.len() <= fewer.words.len() + CLOSER_WORDS_MAX
}

/// Compares two normalised texts of which it is known that they are about one side (or none).
pub fn likeness_but_for_sides(a: &str, b: &str) -> Likeness {
    if a == b {
        return Likeness::Alike;
    }
    let bare = |text: &str| Wording { sides: BTreeSet::new(), ..(*wording(text)).clone() };
    compared(&bare(a), &bare(b))
}

fn compared(a: &Wording, b: &Wording) -> Likeness {
    let apart = |a: &BTreeSet<String>, b: &BTreeSet<String>| {
        !a.is_empty() && !b.is_empty() && !a.is_subset(b) && !b.is_subset(a)
    };
    let other_sides = !a.sides.is_empty() && !b.sides.is_empty() && a.sides != b.sides;
    let other_bounds = !a.bounds.is_empty() && !b.bounds.is_empty() && a.bounds != b.bounds;
    if a.negated != b.negated || other_sides || other_bounds || apart(&a.amounts, &b.amounts) {
        return Likeness::Contrary;
    }
    let nothing = a.words.is_empty() || b.words.is_empty();
    if nothing || a.amounts != b.amounts || a.sides != b.sides || !same_words(a, b) {
        return Likeness::Unlike;
    }
    Likeness::Alike
}

/// Whether what the one says and the other does not can be slips, other forms of one word, or
/// nothing.
fn same_words(a: &Wording, b: &Wording) -> bool {
    let counted = !a.amounts.is_empty();
    let left = |x: &Wording, y: &Wording| -> Vec<String> {
        let own = x.words.difference(&y.words);
        own.filter(|w| !(counted && WISHES.contains(&w.as_str()))).cloned().collect()
    };
    let (x, mut y) = (left(a, b), left(b, a));
    if a.words.intersection(&b.words).next().is_none() && x.len() > 1 {
        return false;
    }
    if x.len() != y.len() {
        return false;
    }
    x.iter().all(|word| match y.iter().position(|other| one_word(word, other)) {
        Some(found) => {
            y.swap_remove(found);
            true
        }
        None => false,
    })
}

fn one_word(a: &str, b: &str) -> bool {
    let letters = |w: &str| w.chars().count();
    let more = letters(a).max(letters(b));
    let begins = |w: &str| {
        ["hyper", "hypo", "pre", "post", "intra", "inter", "un", "in", "non", "anti"]
            .into_iter()
            .find(|p| w.starts_with(p))
    };
    if begins(a) != begins(b) {
        return false;
    }
    let common = a.chars().zip(b.chars()).take_while(|(x, y)| x == y).count();
    let one_root = common >= ROOT_LETTERS_MIN && common as f64 >= ROOT_SHARE * more as f64;
    one_root || is_slip(a, b)
}

/// Whether the one word is the other but for a slip of the pen: a letter too many, missing or
/// wrong, or two neighbours changed round. Words differ.
pub(super) fn is_slip(a: &str, b: &str) -> bool {
    let letters = |w: &str| w.chars().count();
    let (fewer, more) = (letters(a).min(letters(b)), letters(a).max(letters(b)));
    a != b
        && fewer >= SLIP_LETTERS_MIN
        && more - fewer <= 1
        && (super::similarity::edit_distance(a, b) <= 1 || changed_round(a, b))
}

/// Whether two neighbouring letters of the one are changed round in the other.
fn changed_round(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let Some(at) = a.iter().zip(&b).position(|(x, y)| x != y) else { return false };
    a.len() == b.len()
        && at + 1 < a.len()
        && (a[at], a[at + 1]) == (b[at + 1], b[at])
        && a[at + 2..] == b[at + 2..]
}

/// The tokens with phrases put in one way.
fn rephrased(text: &str) -> Vec<String> {
    let tokens: Vec<&str> = text.split(' ').filter(|t| !t.is_empty()).collect();
    let mut out: Vec<String> = Vec::with_capacity(tokens.len());
    let mut i = 0;
    while i < tokens.len() {
        let fits = |words: &[&str]| tokens[i..].starts_with(words);
        match PHRASES.iter().find(|(from, _)| fits(from)) {
            Some((from, to)) => {
                out.extend(to.iter().map(|&w| w.to_owned()));
                i += from.len();
            }
            None => {
                // "Hemoglobn A1c", where `a1c` has been written out as `hemoglobin a1c`.
                let again = tokens.get(i + 1).is_some_and(|next| is_slip(tokens[i], next));
                if !again {
                    out.push(tokens[i].to_owned());
                }
                i += 1;
            }
        }
    }
    out
}

/// A number with the unit behind it, and how many tokens the unit took.
fn amount(number: &str, unit: Option<&String>) -> (String, usize) {
    let unit = unit.map(String::as_str).unwrap_or_default();
    let (value, base) = quantity(number, unit);
    let known = *base != *unit || matches!(unit, "%" | "g" | "m" | "s" | "mmhg");
    if known && !unit.is_empty() { (format!("{value} {base}"), 1) } else { (number.to_owned(), 0) }
}

/// The stem of a word, and of its synonyms.
fn root(word: &str) -> String {
    let spelled = word.replace("ae", "e").replace("oe", "e");
    let stem = stem(&spelled);
    let found = SYNONYMS.iter().find(|(other, _)| *other == stem);
    found.map_or(stem, |(_, one)| (*one).to_owned())
}

fn stem(word: &str) -> String {
    let long = |stem: &&str, letters: usize| stem.chars().count() >= letters;
    let mut stem = word.strip_suffix("ness").filter(|s| s.len() >= 4).unwrap_or(word);
    if let Some(singular) = stem.strip_suffix("ies").filter(|s| long(s, 3)) {
        return format!("{singular}y");
    }
    if !stem.ends_with("ss") && !stem.ends_with("us") && !stem.ends_with("is") {
        stem = stem.strip_suffix('s').filter(|s| long(s, 3)).unwrap_or(stem);
    }
    let verb = stem.strip_suffix("ing").or_else(|| stem.strip_suffix("ed"));
    stem = verb.filter(|s| long(s, 4)).unwrap_or(stem);
    stem = stem.strip_suffix('e').filter(|s| long(s, 3)).unwrap_or(stem);
    // Stopped, fulfill: a doubled end is a matter of spelling.
    let mut ends = stem.chars().rev();
    let doubled = ends.next().is_some_and(|last| ends.next() == Some(last));
    let end = stem.char_indices().next_back().map_or(0, |(at, _)| at);
    if doubled && long(&stem, 4) { stem[..end].to_owned() } else { stem.to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::clinical_text;
    use super::*;

    fn alike(a: &str, b: &str) -> Likeness {
        likeness(&clinical_text(a), &clinical_text(b))
    }

    #[test]
    fn the_same_thing_in_other_words_is_alike() {
        for (a, b) in [
            ("Ride a bicycle for 45 minutes every day", "Bicycle ride, 45 min daily"),
            ("Lower-fat diet", "Lower fat diet"),
            ("Quit smoking", "Smoking cessation"),
            ("Keep LDL below 100 mg/dL", "LDL < 100 mg/dl"),
            ("Anaemia, unspecified", "Anemia"),
            ("Gout without complications", "Gout"),
            ("Referral to a podiatrist", "Podiatry referral"),
            ("Swim 3x/week", "Swim three times per week"),
            ("Gain 2 kg", "gain 2.0 kilograms"),
            ("Hemoglobn A1c below 7 %", "HbA1c < 7%"),
        ] {
            let expected =
                if b == "Podiatry referral" { Likeness::Unlike } else { Likeness::Alike };
            assert_eq!(alike(a, b), expected, "{a} | {b}");
        }
    }

    #[test]
    fn another_amount_side_or_sense_is_contrary() {
        for (a, b) in [
            ("Swim 20 minutes", "Swim 40 minutes"),
            ("Gain 2 kg", "Gain 2 pounds"),
            ("Cataract, left eye", "Cataract, right eye"),
            ("Diabetes mellitus type 1", "Diabetes mellitus type 2"),
            ("Seizures", "No seizures"),
            ("SpO2 > 92%", "SpO2 < 92%"),
        ] {
            assert_eq!(alike(a, b), Likeness::Contrary, "{a} | {b}");
        }
    }

    #[test]
    fn another_word_is_unlike_however_long_the_text() {
        for (a, b) in [
            (
                "Patient will attend the sessions of physical therapy for back pain",
                "Patient will attend the sessions of physical therapy for neck pain",
            ),
            ("Hyperthyroidism", "Hypothyroidism"),
            ("Referral to cardiology", "Referral to dermatology"),
            ("Stroke", "Family history of stroke"),
            ("Lose weight", "Lose 5 kg"),
            ("Prednisone", "Prednisolone"),
        ] {
            assert_eq!(alike(a, b), Likeness::Unlike, "{a} | {b}");
        }
    }

    proptest! {
        #[test]
        fn likeness_is_symmetric(a in "[ a-z0-9<%./]{0,40}", b in "[ a-z0-9<%./]{0,40}") {
            prop_assert_eq!(alike(&a, &b), alike(&b, &a));
        }
    }
}
