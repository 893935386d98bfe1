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
}
