//! From mass to amount of substance, where the substance is known.

use crate::flow::Token;

/// LOINC code of a concentration → grams that one mole of the substance weighs. Codes: the mass
/// and the molar variants of each test. Weights: sums of standard atomic weights (IUPAC); for
/// triglyceride that of triolein, as laboratories convert it.
#[rustfmt::skip]
const GRAMS_PER_MOLE: [(&str, f64); 22] = [
    // Glucose, C6H12O6.
    ("2345-7", 180.16), ("2339-0", 180.16), ("1558-6", 180.16), ("41653-7", 180.16),
    ("14749-6", 180.16), ("15074-8", 180.16), ("14771-0", 180.16),
    // Cholesterol, C27H46O.
    ("2093-3", 386.65), ("14647-2", 386.65), ("2085-9", 386.65), ("14646-4", 386.65),
    ("13457-7", 386.65), ("18262-6", 386.65), ("2089-1", 386.65), ("22748-8", 386.65),
    // Triglyceride.
    ("2571-8", 885.4), ("14927-8", 885.4),
    // Creatinine, C4H7N3O.
    ("2160-0", 113.12), ("14682-9", 113.12), ("38483-4", 113.12),
    // Calcium.
    ("17861-6", 40.08), ("2000-8", 40.08),
];

/// The same by the name of the substance, for a measure that is not coded.
const SUBSTANCES: [(&str, f64); 5] = [
    ("glucose", 180.16),
    ("cholesterol", 386.65),
    ("ldl", 386.65),
    ("hdl", 386.65),
    ("creatinine", 113.12),
];

/// The grams that one mole weighs of what a measure measures: by its LOINC code, else by a word
/// of its name (normalised). `None` if neither names a substance that is known.
pub fn grams_per_mole(codes: &[Token], text: &str) -> Option<f64> {
    let loinc = codes.iter().filter(|t| &*t.system == "http://loinc.org");
    let known = |t: &Token| GRAMS_PER_MOLE.iter().find(|(code, _)| *code == &*t.code);
    let coded = loinc.filter_map(known).map(|(_, grams)| *grams).next();
    coded.or_else(|| {
        let words = text.split(' ');
        let mut named = words.filter_map(|word| SUBSTANCES.iter().find(|(name, _)| *name == word));
        named.next().map(|(_, grams)| *grams)
    })
}
