//! What clinicians write for the same thing.

use crate::random::Rng;

/// Groups of ways to say one thing, each replaced by another of its group as whole words.
const SAYINGS: &[&[&str]] = &[
    &["hypertension", "HTN", "high blood pressure", "hypertensive disorder"],
    &["type 2 diabetes mellitus", "T2DM", "type II diabetes", "diabetes mellitus type 2", "DM2"],
    &["diabetes", "DM", "diabetes mellitus"],
    &["chronic kidney disease", "CKD", "chronic renal disease"],
    &["chronic obstructive pulmonary disease", "COPD"],
    &["hyperlipidemia", "HLD", "hyperlipidaemia"],
    &["coronary heart disease", "CHD", "CAD", "coronary artery disease"],
    &["chronic congestive heart failure", "chronic CHF", "congestive heart failure, chronic"],
    &["heart failure", "HF", "cardiac failure"],
    &["myocardial infarction", "MI", "heart attack"],
    &["atrial fibrillation", "AF", "afib", "a-fib"],
    &["anemia", "anaemia"],
    &["stroke", "CVA", "cerebrovascular accident"],
    &["urinary tract infection", "UTI"],
    &["upper respiratory infection", "URI"],
    &["osteoarthritis", "OA", "degenerative joint disease"],
    &["rheumatoid arthritis", "RA"],
    &["depression", "depressive disorder"],
    &["body mass index", "BMI"],
    &["blood pressure", "BP"],
    &["hemoglobin a1c", "HbA1c", "A1c", "haemoglobin A1c", "glycated hemoglobin"],
    &["blood glucose", "blood sugar"],
    &["oxygen saturation", "O2 sat", "SpO2"],
    &["laceration", "lac"],
    &["fracture", "fx"],
    &["history of", "hx of", "h/o"],
    &["physical therapy", "PT", "physiotherapy"],
    &["occupational therapy", "OT"],
    &["pulmonary embolism", "PE"],
    &["gastroesophageal reflux disease", "GERD"],
    &["electrocardiogram", "ECG", "EKG"],
    &["complete blood count", "CBC"],
    &["metabolic panel", "met panel"],
    &["x-ray", "radiograph", "XR"],
    &["computed tomography", "CT"],
    &["magnetic resonance imaging", "MRI"],
    &["echocardiogram", "echo"],
    &["ultrasound", "US", "ultrasonography"],
    &["appointment", "appt"],
    &["medication", "med"],
    &["patient", "pt"],
    &["follow-up", "f/u", "follow up"],
    &["without", "w/o"],
    &["with", "w/"],
    &["minutes", "min", "mins"],
    &["per day", "daily", "a day", "/day"],
    &["chronic", "chr"],
    &["bilateral", "b/l"],
    &["secondary to", "due to", "2/2"],
    &["kidney", "renal"],
    &["otitis media", "middle ear infection"],
    &["streptococcal", "strep"],
    &["sore throat", "pharyngitis"],
    &["below", "under", "less than"],
    &["maintain", "keep"],
    &["education", "teaching"],
    &["mg", "milligram"],
    &["oral tablet", "tab", "tablet", "tablets", "PO tab"],
    &["oral capsule", "cap", "capsule"],
    &["extended release", "ER", "XR"],
    &["hydrochloride", "HCl"],
    &["sodium", "Na"],
    &["injection", "inj"],
    &["injectable solution", "inj soln"],
];

/// `None` where a text cannot be rewritten so.
type Way = fn(&mut Rng, &str) -> Option<String>;

/// One way of rewriting a text, and its name in the tally.
pub(crate) fn rewritten(rng: &mut Rng, text: &str) -> (String, &'static str) {
    let ways: [(&'static str, Way); 7] = [
        ("words: case", cased),
        ("words: saying", said),
        ("words: saying", said),
        ("words: order", ordered),
        ("words: semantic tag", untagged),
        ("words: punctuation", punctuated),
        ("words: slip", slipped),
    ];
    for _ in 0..4 {
        let (name, way) = *rng.one(&ways);
        if let Some(changed) = way(rng, text).filter(|changed| changed != text) {
            return (changed, name);
        }
    }
    (text.to_owned(), "words: none")
}

fn cased(rng: &mut Rng, text: &str) -> Option<String> {
    Some(if rng.percent(50) { text.to_uppercase() } else { text.to_lowercase() })
}

fn said(rng: &mut Rng, text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    if lower.len() != text.len() {
        return None;
    }
    let mut found = Vec::new();
    for group in SAYINGS {
        for way in *group {
            if let Some(at) = whole_word(&lower, &way.to_lowercase()) {
                found.push((at, way.len(), *group, *way));
            }
        }
    }
    // The longest match: "hemoglobin a1c" and not "a1c" in it.
    let longest = found.iter().map(|f| f.1).max()?;
    let (at, len, group, way) = *found.iter().find(|f| f.1 == longest)?;
    let others: Vec<&&str> = group.iter().filter(|other| **other != way).collect();
    let other = **rng.one(&others);
    Some(format!("{}{other}{}", &text[..at], &text[at + len..]))
}

fn whole_word(text: &str, word: &str) -> Option<usize> {
    text.match_indices(word).map(|(at, _)| at).find(|&at| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        let open = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
        open(before) && open(after)
    })
}

/// "Laceration of thigh" and "thigh laceration", "a, b" and "b a".
fn ordered(_: &mut Rng, text: &str) -> Option<String> {
    let plain = without_tag(text);
    let words = plain.split_whitespace().count();
    if words > 6 {
        return None;
    }
    if let Some((head, tail)) = plain.split_once(" of ") {
        return Some(format!(
            "{} {}",
            capital(tail.trim_start_matches("the ")),
            head.to_lowercase()
        ));
    }
    match plain.split_once(' ') {
        Some((first, rest)) if words == 2 && !first.ends_with(',') && !has_digit(plain) => {
            Some(format!("{}, {}", capital(rest), first.to_lowercase()))
        }
        _ => None,
    }
}

fn untagged(_: &mut Rng, text: &str) -> Option<String> {
    let plain = without_tag(text);
    (plain.len() < text.len()).then(|| plain.to_owned())
}

fn without_tag(text: &str) -> &str {
    const TAGS: [&str; 7] = [
        "(disorder)",
        "(finding)",
        "(procedure)",
        "(situation)",
        "(morphologic abnormality)",
        "(record artifact)",
        "(regime/therapy)",
    ];
    TAGS.iter().find_map(|tag| text.strip_suffix(tag)).unwrap_or(text).trim_end()
}

fn punctuated(rng: &mut Rng, text: &str) -> Option<String> {
    Some(match rng.below(4) {
        0 => format!("{text}."),
        1 => text.replace(", ", " - "),
        2 => text.replace('-', " "),
        _ => text.replace(" / ", "/"),
    })
}

/// One letter left out of a long word, or two of them changed round.
fn slipped(rng: &mut Rng, text: &str) -> Option<String> {
    let letters: Vec<char> = text.chars().collect();
    let word_of = |at: usize| {
        let letter = |c: &&char| c.is_ascii_alphabetic();
        let before = letters[..at].iter().rev().take_while(letter).count();
        before + letters[at..].iter().take_while(letter).count()
    };
    let inner =
        |at: usize| letters[at].is_ascii_lowercase() && letters[at - 1].is_ascii_lowercase();
    let places: Vec<usize> =
        (2..letters.len()).filter(|&at| inner(at) && word_of(at) >= 9).collect();
    if places.is_empty() {
        return None;
    }
    let at = *rng.one(&places);
    let mut changed = letters.clone();
    if rng.percent(50) {
        changed.remove(at);
    } else {
        changed.swap(at, at - 1);
    }
    Some(changed.into_iter().collect())
}

fn has_digit(text: &str) -> bool {
    text.chars().any(|c| c.is_ascii_digit())
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |c| c.to_uppercase().chain(letters).collect())
}

/// The words that carry what a text says.
pub(crate) fn content(text: &str) -> Vec<String> {
    const EMPTY: [&str; 16] = [
        "with",
        "without",
        "disorder",
        "finding",
        "procedure",
        "care",
        "plan",
        "management",
        "patient",
        "oral",
        "tablet",
        "record",
        "artifact",
        "product",
        "from",
        "that",
    ];
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric());
    let kept = words
        .filter(|w| w.len() > 3 && !EMPTY.contains(w) && !w.chars().all(|c| c.is_ascii_digit()));
    kept.map(str::to_owned).collect()
}
