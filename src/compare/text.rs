//! Clinical text in comparable form: what two clinicians wrote about one thing becomes equal,
//! or at least similar.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Texts beyond this many characters are cut: a note is not compared in full.
const TEXT_CHARS_MAX: usize = 2000;

/// What SNOMED CT appends to a name to say its hierarchy.
#[rustfmt::skip]
const QUALIFIERS: [&str; 17] = [
    "body structure", "disorder", "event", "finding", "morphologic abnormality",
    "navigational concept", "observable entity", "occupation", "person", "physical object",
    "procedure", "product", "qualifier value", "record artifact", "regime/therapy", "situation",
    "substance",
];

/// Abbreviation → what it stands for. Only those with one reading in care plans.
#[rustfmt::skip]
const ABBREVIATIONS: [(&str, &str); 46] = [
    ("a1c", "hemoglobin a1c"), ("appt", "appointment"), ("asap", "as soon as possible"),
    ("bmi", "body mass index"), ("bp", "blood pressure"), ("cad", "coronary artery disease"),
    ("chf", "congestive heart failure"), ("ckd", "chronic kidney disease"),
    ("copd", "chronic obstructive pulmonary disease"), ("dbp", "diastolic blood pressure"),
    ("dm2", "type 2 diabetes mellitus"), ("dx", "diagnosis"), ("followup", "follow up"),
    ("fu", "follow up"), ("fx", "fracture"), ("gerd", "gastroesophageal reflux disease"),
    ("haemoglobin", "hemoglobin"), ("hb", "hemoglobin"), ("hba1c", "hemoglobin a1c"),
    ("hga1c", "hemoglobin a1c"), ("hgb", "hemoglobin"), ("hgba1c", "hemoglobin a1c"),
    ("htn", "hypertension"), ("hx", "history"), ("kgs", "kg"), ("kilograms", "kg"),
    ("lb", "pounds"), ("lbs", "pounds"), ("meds", "medications"), ("mins", "minutes"),
    ("pcnt", "%"), ("pcp", "primary care provider"), ("pct", "%"), ("percent", "%"),
    ("pt", "patient"), ("rx", "prescription"), ("sbp", "systolic blood pressure"),
    ("sob", "shortness of breath"), ("t2dm", "type 2 diabetes mellitus"), ("tx", "treatment"),
    ("uti", "urinary tract infection"), ("wk", "week"), ("wks", "weeks"), ("wt", "weight"),
    ("yr", "year"), ("yrs", "years"),
];

/// Words before a number → comparator. Longer ones first.
#[rustfmt::skip]
const COMPARATORS: [(&[&str], &str); 22] = [
    (&["less", "than", "or", "equal", "to"], "<="),
    (&["lower", "than", "or", "equal", "to"], "<="),
    (&["greater", "than", "or", "equal", "to"], ">="),
    (&["more", "than", "or", "equal", "to"], ">="),
    (&["no", "more", "than"], "<="), (&["not", "more", "than"], "<="),
    (&["no", "less", "than"], ">="), (&["not", "less", "than"], ">="), (&["less", "than"], "<"),
    (&["lower", "than"], "<"),
    (&["fewer", "than"], "<"), (&["greater", "than"], ">"), (&["more", "than"], ">"),
    (&["higher", "than"], ">"), (&["at", "least"], ">="), (&["at", "most"], "<="),
    (&["up", "to"], "<="), (&["below"], "<"), (&["under"], "<"), (&["above"], ">"),
    (&["over"], ">"), (&["exceeding"], ">"),
];

/// Words that carry no meaning of their own in a goal or an order.
#[rustfmt::skip]
const FILLERS: [&str; 20] = [
    "a", "an", "and", "at", "be", "for", "have", "her", "his", "in", "is", "its", "of", "on",
    "patient", "the", "their", "to", "will", "with",
];

/// Words that turn a statement into its opposite.
const NEGATIONS: [&str; 7] = ["avoid", "cannot", "never", "no", "not", "stop", "without"];

/// Text in comparable form: lower case, no diacritics, no punctuation, abbreviations spelled
/// out, numbers and comparators in one notation (`less than 7.0 percent` → `< 7 %`), without a
/// leading article and a trailing `(finding)`. Applying it twice changes nothing.
pub fn clinical_text(text: &str) -> Box<str> {
    let folded: String = text
        .chars()
        .take(TEXT_CHARS_MAX)
        .flat_map(char::to_lowercase)
        .nfkd()
        // Compatibility forms such as "℡" come apart into capitals.
        .flat_map(char::to_lowercase)
        .filter(|c| !is_combining_mark(*c))
        .collect();
    let mut tokens = expand(split_tokens(without_qualifier(&folded)));
    tokens = with_comparators(&tokens);
    let articles = tokens.iter().take_while(|t| ["a", "an", "the"].contains(&t.as_str())).count();
    let skip = if articles < tokens.len() { articles } else { 0 };
    tokens[skip..].join(" ").into()
}

/// How much two normalised texts say the same, from 0 to 1: the mean of Jaccard and overlap of
/// their words. Numbers, comparators and negations must agree where both state them: `< 7 %`
/// and `< 8 %` are different targets, however alike the words are.
pub fn text_similarity(a: &str, b: &str) -> f64 {
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    if a == b {
        return 1.0;
    }
    let (words_a, numbers_a, not_a) = parts(a);
    let (words_b, numbers_b, not_b) = parts(b);
    if not_a != not_b {
        return 0.0;
    }
    let both_count = !numbers_a.is_empty() && !numbers_b.is_empty();
    if both_count && numbers_a != numbers_b {
        return 0.0;
    }
    let shared = words_a.intersection(&words_b).count() as f64;
    let all = words_a.union(&words_b).count() as f64;
    let fewer = words_a.len().min(words_b.len()) as f64;
    if fewer == 0.0 {
        return 0.0;
    }
    let alike = f64::midpoint(shared / all, shared / fewer);
    // One states a number that the other leaves open: near, but never the same.
    if numbers_a == numbers_b { alike } else { alike * 0.8 }
}

fn without_qualifier(text: &str) -> &str {
    let trimmed = text.trim();
    let inner = trimmed.strip_suffix(')').and_then(|t| t.rsplit_once('('));
    match inner {
        Some((before, qualifier))
            if QUALIFIERS.contains(&qualifier.trim()) && !before.trim().is_empty() =>
        {
            before
        }
        _ => trimmed,
    }
}

/// Words, numbers (`7.5`, `130/80`) and signs (`<`, `>=`, `%`) in the order they stand.
fn split_tokens(text: &str) -> Vec<String> {
    let spelled = text
        .replace("w/o", "without ")
        .replace("w/", "with ")
        .replace("f/u", "follow up")
        .replace("per cent", "%")
        .replace(['\'', '\u{2019}'], "");
    let chars: Vec<char> = spelled.chars().collect();
    let mut tokens = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        let start = i;
        match chars[i] {
            c if c.is_ascii_digit() || (c == '.' && digit_at(&chars, i + 1)) => {
                i = number_end(&chars, i);
                tokens.push(plain_number(&chars[start..i]));
            }
            c if c.is_alphanumeric() => {
                while i < chars.len() && chars[i].is_alphanumeric() {
                    i += 1;
                }
                tokens.push(chars[start..i].iter().collect());
            }
            '<' | '>' => {
                let or_equal = chars.get(i + 1) == Some(&'=');
                tokens.push(if or_equal { format!("{}=", chars[i]) } else { chars[i].to_string() });
                i += if or_equal { 2 } else { 1 };
            }
            sign => {
                match sign {
                    '≤' => tokens.push("<=".into()),
                    '≥' => tokens.push(">=".into()),
                    '%' => tokens.push("%".into()),
                    _ => {}
                }
                i += 1;
            }
        }
    }
    tokens
}

fn digit_at(chars: &[char], at: usize) -> bool {
    chars.get(at).is_some_and(char::is_ascii_digit)
}

/// The end of a number with decimals, thousands separators and a second half (`130/80`).
fn number_end(chars: &[char], mut at: usize) -> usize {
    while at < chars.len() {
        let inside = chars[at].is_ascii_digit()
            || (['.', ',', '/'].contains(&chars[at]) && digit_at(chars, at + 1));
        if !inside {
            break;
        }
        at += 1;
    }
    at
}

/// `7.0` → `7`, `.5` → `0.5`, `1,000` → `1000`.
fn plain_number(chars: &[char]) -> String {
    let text: String = chars.iter().filter(|c| **c != ',').collect();
    let halves: Vec<String> = text
        .split('/')
        .map(|half| {
            let half = if half.starts_with('.') { format!("0{half}") } else { half.to_owned() };
            if half.matches('.').count() == 1 {
                half.trim_end_matches('0').trim_end_matches('.').to_owned()
            } else {
                half
            }
        })
        .collect();
    halves.join("/")
}

fn expand(tokens: Vec<String>) -> Vec<String> {
    let mut expanded: Vec<String> = Vec::with_capacity(tokens.len());
    for token in tokens {
        let found = ABBREVIATIONS.binary_search_by(|(short, _)| (*short).cmp(token.as_str()));
        let long = found.map_or(token.as_str(), |i| ABBREVIATIONS[i].1);
        for word in long.split(' ') {
            // "Hemoglobin A1c" must not become "hemoglobin hemoglobin a1c".
            let again = word == "hemoglobin" && expanded.last().is_some_and(|l| l == word);
            if !again {
                expanded.push(word.to_owned());
            }
        }
    }
    expanded
}

fn with_comparators(tokens: &[String]) -> Vec<String> {
    let is_number =
        |t: Option<&String>| t.is_some_and(|t| t.starts_with(|c: char| c.is_ascii_digit()));
    let mut out = Vec::with_capacity(tokens.len());
    let mut i = 0;
    while i < tokens.len() {
        let found = COMPARATORS.iter().find(|(words, _)| {
            tokens[i..].iter().map(String::as_str).take(words.len()).eq(words.iter().copied())
                && is_number(tokens.get(i + words.len()))
        });
        match found {
            Some((words, sign)) => {
                out.push((*sign).to_owned());
                i += words.len();
            }
            None => {
                out.push(tokens[i].clone());
                i += 1;
            }
        }
    }
    out
}

/// The words (without fillers, in the singular), the numbers with their comparators, and
/// whether it is negated.
fn parts(text: &str) -> (BTreeSet<&str>, BTreeSet<&str>, bool) {
    let mut words = BTreeSet::new();
    let mut numbers = BTreeSet::new();
    let mut negated = false;
    for token in text.split(' ') {
        if token.starts_with(|c: char| c.is_ascii_digit() || c == '<' || c == '>') {
            numbers.insert(token);
        } else if NEGATIONS.contains(&token) {
            negated = true;
        } else if !FILLERS.contains(&token) {
            let stem = token.strip_suffix('s').filter(|s| s.len() > 2 && !s.ends_with('s'));
            words.insert(stem.unwrap_or(token));
        }
    }
    (words, numbers, negated)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tables_are_sorted_for_the_search() {
        assert!(ABBREVIATIONS.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn what_says_the_same_becomes_equal() {
        for (a, b) in [
            ("HbA1c <7%", "Hemoglobin A1c less than 7.0 percent"),
            ("A1C < 7 %", "hemoglobin a1c below 7%"),
            ("BP ≤ 130/80", "blood pressure no more than 130/80"),
            ("Diabetes mellitus type 2 (disorder)", "diabetes  mellitus, type 2"),
            ("The patient's goal", "patients goal"),
            ("Pain w/o fever", "pain without fever"),
            ("Weight loss of 10lbs", "weight loss of 10 pounds"),
            ("Walk 1,000 steps", "walk 1000 steps"),
            ("Crise d'épilepsie", "CRISE DEPILEPSIE"),
        ] {
            assert_eq!(clinical_text(a), clinical_text(b), "{a} / {b}");
        }
    }

    #[test]
    fn other_numbers_and_negations_are_never_similar() {
        let alike = |a: &str, b: &str| text_similarity(&clinical_text(a), &clinical_text(b));
        assert_eq!(alike("HbA1c < 7 %", "HbA1c < 8 %"), 0.0);
        assert_eq!(alike("Patient smokes", "Patient does not smoke"), 0.0);
        assert!(alike("Keep HbA1c below 7%", "HbA1c <7%") > 0.7);
        assert!(alike("Lose weight", "Weight loss of 10 lbs") < 0.7);
        assert!(alike("Reduce sodium intake", "Sodium intake reduced") > 0.5);
    }

    proptest! {
        #[test]
        fn normal_text_stays_and_similarity_is_symmetric(
            a in "\\PC{0,60}",
            b in "[ a-z0-9<%./]{0,40}",
        ) {
            let (a, b) = (clinical_text(&a), clinical_text(&b));
            prop_assert_eq!(&clinical_text(&a), &a);
            let (ab, ba) = (text_similarity(&a, &b), text_similarity(&b, &a));
            prop_assert_eq!(ab, ba);
            prop_assert!((0.0..=1.0).contains(&ab));
        }
    }
}
