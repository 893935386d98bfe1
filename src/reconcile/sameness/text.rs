//! Likeness of clinical texts: small slips are forgiven, what changes the meaning is not.

use std::collections::BTreeSet;

/// Words that turn a statement around; two texts that differ in one say different things.
const TURNING: [&str; 26] = [
    "no",
    "not",
    "non",
    "without",
    "never",
    "denies",
    "negative",
    "positive",
    "left",
    "right",
    "bilateral",
    "upper",
    "lower",
    "increase",
    "decrease",
    "reduce",
    "raise",
    "start",
    "stop",
    "avoid",
    "before",
    "after",
    "daily",
    "weekly",
    "monthly",
    "acute",
];

/// How alike two normalised texts are, 0 to 1: the greatest of the similarity as written, that of
/// the sorted words (Jaro-Winkler is too kind to long texts, so Levenshtein) and that of the sets
/// of words.
pub(super) fn similarity(a: &str, b: &str) -> f64 {
    if a == b {
        return 1.0;
    }
    let words = |t: &str| t.split(' ').map(str::to_owned).collect::<BTreeSet<String>>();
    let (wa, wb) = (words(a), words(b));
    if wa.symmetric_difference(&wb).any(|w| is_weighty(w)) {
        return 0.0;
    }
    let sorted = |w: &BTreeSet<String>| w.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    let as_written = strsim::normalized_damerau_levenshtein(a, b);
    let sorted_words = strsim::normalized_damerau_levenshtein(&sorted(&wa), &sorted(&wb));
    as_written.max(sorted_words).max(crate::compare::text_similarity(a, b))
}

/// Words that make another diagnosis of the one that they stand before.
#[rustfmt::skip]
const CHANGING: [&str; 28] = [
    "acquired", "and", "anterior", "by", "chronic", "congenital", "diastolic", "due", "family",
    "former", "gestational", "history", "juvenile", "maternal", "neonatal", "or", "past",
    "posterior", "possible", "post", "probable", "recurrent", "risk", "secondary", "suspected",
    "systolic", "type", "with",
];
/// Words that a diagnosis has or lacks without being another.
const VOID: [&str; 6] = ["mellitus", "nos", "of", "the", "unspecified", "disorder"];
/// How many words more the closer description of a diagnosis may have.
const CLOSER_WORDS_MAX: usize = 2;
/// How many words of a diagnosis its closer description must end with: of a single word (pain)
/// too much is a kind.
const SHARED_WORDS_MIN: usize = 2;

/// Whether two normalised names of diagnoses have the same words in another order, or the one
/// describes the other more closely: `congestive heart failure`, `heart failure`. What follows
/// the name (`diabetes mellitus neuropathy`) is another thing.
pub(super) fn specialises(a: &str, b: &str) -> bool {
    let words = |t: &str| -> Vec<String> {
        t.split(' ').filter(|w| !w.is_empty() && !VOID.contains(w)).map(str::to_owned).collect()
    };
    let (a, b) = (words(a), words(b));
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if short.len() < SHARED_WORDS_MIN {
        return false;
    }
    let set = |words: &[String]| words.iter().cloned().collect::<BTreeSet<String>>();
    if short.len() == long.len() {
        return set(&short) == set(&long);
    }
    let before = &long[..long.len() - short.len()];
    let changes = |w: &String| is_weighty(w) || CHANGING.contains(&w.as_str());
    long.ends_with(&short) && before.len() <= CLOSER_WORDS_MAX && !before.iter().any(changes)
}

fn is_weighty(word: &str) -> bool {
    word.bytes().any(|b| b.is_ascii_digit()) || TURNING.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_forgiven_and_numbers_sides_and_negations_are_not() {
        assert!(similarity("walk thirty minutes a day", "walk thirty minuts a day") > 0.93);
        assert!(similarity("improve blood sugar control", "blood sugar control improve") > 0.99);
        for (a, b) in [
            ("hba1c below 7", "hba1c below 8"),
            ("pain in left knee", "pain in right knee"),
            ("smoking", "no smoking"),
        ] {
            assert!(similarity(a, b) < 0.5, "{a} | {b}");
        }
    }

    #[test]
    fn a_closer_description_is_the_same_diagnosis_and_a_changing_word_makes_another() {
        for (a, b) in [
            ("heart failure", "congestive heart failure"),
            ("type 2 diabetes", "diabetes mellitus type 2"),
            ("heart failure unspecified", "heart failure"),
        ] {
            assert!(specialises(a, b) && specialises(b, a), "{a} | {b}");
        }
        for (a, b) in [
            ("diabetes mellitus", "diabetes mellitus type 2"),
            ("type 1 diabetes", "diabetes mellitus type 2"),
            ("kidney disease", "chronic kidney disease"),
            ("acute kidney injury", "chronic kidney injury"),
            ("knee pain", "left knee pain"),
            ("breast cancer", "family history of breast cancer"),
            ("heart failure", "no heart failure"),
            ("pain", "chest pain"),
            ("heart failure", "heart failure clinic"),
            ("", ""),
        ] {
            assert!(!specialises(a, b) && !specialises(b, a), "{a} | {b}");
        }
    }
}
