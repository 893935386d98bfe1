//! Names of people in comparable form.
//! <https://hl7.org/fhir/R4/datatypes.html#HumanName>

use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use crate::flow::PersonName;

/// Longest text that is folded, in characters.
const TEXT_LEN_MAX: usize = 200;
/// Most given names that are kept.
const GIVEN_MAX: usize = 6;

const PREFIXES: [&str; 12] =
    ["mr", "mrs", "ms", "miss", "mx", "dr", "prof", "rev", "hon", "sra", "srta", "master"];

/// Whole words that stand for "no name known". Each could be no one's real name.
const NO_NAME: [&str; 14] = [
    "unknown",
    "unk",
    "unkn",
    "unidentified",
    "anonymous",
    "nofirstname",
    "nolastname",
    "na",
    "noname",
    "none",
    "zztest",
    "nfn",
    "nln",
    "fnu",
];

/// Given names of people not yet named.
const NOT_YET_NAMED: [&str; 12] = [
    "baby", "babyboy", "babygirl", "newborn", "infant", "bb", "bg", "boy", "girl", "male",
    "female", "twin",
];

/// Whole names that stand for "not known".
const NOBODY: [(&str, &str); 12] = [
    ("john", "doe"),
    ("jane", "doe"),
    ("johnny", "doe"),
    ("baby", "doe"),
    ("juan", "perez test"),
    ("test", "patient"),
    ("patient", "test"),
    ("test", "test"),
    ("patient", "patient"),
    ("unknown", "patient"),
    ("unknown", "doe"),
    ("joe", "doe"),
];

/// Lower case without diacritics or punctuation, words parted by one space. Apostrophes and
/// full stops vanish (`O'Brien` → `obrien`); hyphens part words.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len().min(TEXT_LEN_MAX));
    if text.is_ascii() {
        fold_ascii(text, &mut folded);
        return folded;
    }
    for c in text.chars().take(TEXT_LEN_MAX).nfkd() {
        match c {
            '\'' | '\u{2019}' | '\u{2018}' | '`' | '\u{00b4}' | '.' | '\u{02bc}' => {}
            'ß' => folded.push_str("ss"),
            'æ' | 'Æ' => folded.push_str("ae"),
            'œ' | 'Œ' => folded.push_str("oe"),
            'ø' | 'Ø' => folded.push('o'),
            'ł' | 'Ł' => folded.push('l'),
            'đ' | 'Đ' | 'ð' | 'Ð' => folded.push('d'),
            'þ' | 'Þ' => folded.push_str("th"),
            'ı' => folded.push('i'),
            c if unicode_normalization::char::is_combining_mark(c) => {}
            c if c.is_alphanumeric() => folded.extend(c.to_lowercase()),
            _ if folded.ends_with(' ') || folded.is_empty() => {}
            _ => folded.push(' '),
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

/// The same for ASCII alone, which most text is.
fn fold_ascii(text: &str, folded: &mut String) {
    for byte in text.bytes().take(TEXT_LEN_MAX) {
        match byte {
            b'\'' | b'`' | b'.' => {}
            b if b.is_ascii_alphanumeric() => folded.push(char::from(b.to_ascii_lowercase())),
            _ if folded.ends_with(' ') || folded.is_empty() => {}
            _ => folded.push(' '),
        }
    }
    folded.truncate(folded.trim_end().len());
}

/// Reads a FHIR HumanName; `None` if no comparable part is left.
pub fn person_name(value: &Value) -> Option<PersonName> {
    let mut given = words_of(value.get("given"));
    let mut family = words_of(value.get("family"));
    if given.is_empty() && family.is_empty() {
        (given, family) = from_text(value.get("text").and_then(Value::as_str)?);
    }
    let suffix = words_of(value.get("suffix"));
    comparable(given, family, &suffix, is_former(value))
}

/// A name by its parts as text; `None` if no comparable part is left.
pub fn name_of_parts(given: &[&str], family: &str, suffix: &str) -> Option<PersonName> {
    let given = given.iter().flat_map(|text| words(text)).collect();
    comparable(given, words(family), &words(suffix), false)
}

fn comparable(
    mut given: Vec<String>,
    mut family: Vec<String>,
    suffix: &[String],
    former: bool,
) -> Option<PersonName> {
    let mut suffix = suffix.iter().find_map(|w| generation(w, true));
    while given.len() > 1 && PREFIXES.contains(&given[0].as_str()) {
        given.remove(0);
    }
    for words in [&mut family, &mut given] {
        if words.len() > 1
            && let Some(found) = words.last().and_then(|w| generation(w, false))
        {
            words.pop();
            suffix = suffix.or(Some(found));
        }
    }
    drop_placeholders(&mut given, &mut family);
    given.truncate(GIVEN_MAX);
    (!given.is_empty() || !family.is_empty()).then(|| PersonName {
        given: given.into_iter().map(Into::into).collect(),
        family: family.join(" ").into(),
        suffix: suffix.unwrap_or_default().into(),
        former,
    })
}

/// Whether `use` is old or maiden, or the period has an end. There is no clock here, so an end
/// counts as past.
fn is_former(value: &Value) -> bool {
    let used = value.get("use").and_then(Value::as_str);
    matches!(used, Some("old" | "maiden")) || has_ended(value)
}

/// Whether an element's period has an end.
pub(super) fn has_ended(value: &Value) -> bool {
    value.pointer("/period/end").is_some_and(Value::is_string)
}

fn words_of(value: Option<&Value>) -> Vec<String> {
    let texts: Vec<&str> = match value {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(items)) => {
            items.iter().filter_map(Value::as_str).take(GIVEN_MAX).collect()
        }
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => vec![],
    };
    texts.iter().flat_map(|text| words(text)).collect()
}

fn words(text: &str) -> Vec<String> {
    fold(text).split(' ').filter(|w| !w.is_empty()).map(str::to_owned).collect()
}

/// `Family, Given Middle` or `Given Middle Family [suffix]`.
fn from_text(text: &str) -> (Vec<String>, Vec<String>) {
    if let Some((family, given)) = text.split_once(',')
        && !words(given).iter().all(|w| generation(w, true).is_some())
    {
        return (words(given), words(family));
    }
    let mut given = words(text);
    let has_suffix =
        given.len() > 2 && given.last().is_some_and(|w| generation(w, false).is_some());
    let family_at = given.len().saturating_sub(if has_suffix { 2 } else { 1 });
    let family = given.split_off(family_at);
    (given, family)
}

/// The generational suffix a word stands for. Lone `v`, `i` are initials unless `stated` as a
/// suffix; degrees (MD, PhD) are none.
fn generation(word: &str, stated: bool) -> Option<&'static str> {
    match word {
        "jr" | "junior" | "jnr" | "hijo" if stated || word != "hijo" => Some("jr"),
        "sr" | "senior" | "snr" => Some("sr"),
        "ii" | "2nd" => Some("ii"),
        "iii" | "3rd" => Some("iii"),
        "iv" | "4th" => Some("iv"),
        "i" | "1st" if stated => Some("sr"),
        "v" | "5th" if stated => Some("v"),
        _ => None,
    }
}

fn drop_placeholders(given: &mut Vec<String>, family: &mut Vec<String>) {
    let whole_given = given.first().map_or("", String::as_str);
    let whole_family = family.join(" ");
    if NOBODY.contains(&(whole_given, whole_family.as_str())) {
        given.clear();
        family.clear();
        return;
    }
    // "Baby Boy Smith", "Smith, Girl A": born, not named. Letters tell twins apart, not names.
    if given.first().is_some_and(|first| NOT_YET_NAMED.contains(&first.as_str()))
        && given.iter().all(|w| NOT_YET_NAMED.contains(&w.as_str()) || w.len() <= 1)
    {
        given.clear();
    }
    given.retain(|w| !NO_NAME.contains(&w.as_str()));
    if family.len() == 1 && NO_NAME.contains(&family[0].as_str()) {
        family.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(value: Value) -> (String, String, String) {
        let name = person_name(&value).unwrap_or_default();
        (name.given.join("+"), name.family.into(), name.suffix.into())
    }

    #[test]
    fn names_written_differently_read_alike() {
        let row = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
        for (value, expected) in [
            (json!({"given": ["José"], "family": "Muñoz"}), row("jose", "munoz", "")),
            (json!({"given": ["Pat"], "family": "O’Brien"}), row("pat", "obrien", "")),
            (json!({"given": ["Ann"], "family": "Smith-Jones"}), row("ann", "smith jones", "")),
            (json!({"given": ["Dr. Ann", "B."], "family": "Lee"}), row("ann+b", "lee", "")),
            (json!({"given": ["Al"], "family": "Ray Jr."}), row("al", "ray", "jr")),
            (json!({"given": ["Al", "III"], "family": "Ray"}), row("al", "ray", "iii")),
            (
                json!({"given": ["Al"], "family": "Ray", "suffix": ["MD", "Sr."]}),
                row("al", "ray", "sr"),
            ),
            (json!({"text": "Ray, Al B"}), row("al+b", "ray", "")),
            (json!({"text": "Al B Ray Jr"}), row("al+b", "ray", "jr")),
            (json!({"text": "Al Ray, Jr."}), row("al", "ray", "jr")),
        ] {
            assert_eq!(of(value.clone()), expected, "{value}");
        }
    }

    #[test]
    fn placeholder_names_do_not_compare() {
        assert_eq!(person_name(&json!({"given": ["John"], "family": "Doe"})), None);
        assert_eq!(person_name(&json!({"given": ["Unknown"], "family": "UNKNOWN"})), None);
        let baby = person_name(&json!({"given": ["Baby Boy A"], "family": "Diaz"}));
        assert!(baby.is_some_and(|n| n.given.is_empty() && &*n.family == "diaz"));
        let doe = person_name(&json!({"given": ["Martha"], "family": "Doe"}));
        assert!(doe.is_some_and(|n| &*n.family == "doe"));
    }

    #[test]
    fn any_text_folds_without_panic_and_folds_once() {
        for text in ["", " . ", "ﬁ İı", "ß–ø", "a\u{301}b", "李 小龙"] {
            assert_eq!(fold(&fold(text)), fold(text), "{text}");
        }
    }
}
