//! How two dosages compare: how much, and how often a day, in whatever words.

use super::evidence::Agreement;

/// What a dosage says.
#[derive(Default, PartialEq)]
struct Dosage {
    each: Option<String>,
    daily: Option<u32>,
}

/// Compares two dosages as facts have them. What only one says, or what is put in words that are
/// not understood, is neutral.
pub(super) fn doses(a: &str, b: &str) -> Agreement {
    if a.is_empty() || b.is_empty() {
        return Agreement::Silent;
    }
    if a == b {
        return Agreement::Same;
    }
    let (a, b) = (dosage(a), dosage(b));
    let other_amount = a.each.is_some() && b.each.is_some() && a.each != b.each;
    let other_times = a.daily.is_some() && b.daily.is_some() && a.daily != b.daily;
    match (other_amount || other_times, a == b && a.daily.is_some()) {
        (true, _) => Agreement::Differs,
        (false, true) => Agreement::Same,
        (false, false) => Agreement::Silent,
    }
}

const TIMES: [(&str, u32); 16] = [
    ("twice a day", 2),
    ("twice daily", 2),
    ("two times", 2),
    ("2 times", 2),
    ("bid", 2),
    ("q12h", 2),
    ("three times", 3),
    ("3 times", 3),
    ("tid", 3),
    ("four times", 4),
    ("qid", 4),
    ("once a day", 1),
    ("every day", 1),
    ("daily", 1),
    ("qd", 1),
    ("nightly", 1),
];
const UNITS: [(&str, &str); 8] = [
    ("tablet", "piece"),
    ("tablets", "piece"),
    ("tab", "piece"),
    ("tabs", "piece"),
    ("capsule", "piece"),
    ("capsules", "piece"),
    ("cap", "piece"),
    ("caps", "piece"),
];

fn dosage(text: &str) -> Dosage {
    let spaced = format!(" {text} ");
    let daily = TIMES.iter().find(|(words, _)| spaced.contains(&format!(" {words} ")));
    let words: Vec<&str> = text.split(' ').collect();
    let each = words.windows(2).find_map(|pair| {
        let (_, unit) = UNITS.iter().find(|(word, _)| *word == pair[1])?;
        Some(format!("{} {unit}", number(pair[0])?))
    });
    // `frequency period unit`, as structured timings are written down.
    let structured = words.windows(3).find_map(|w| match (w[1], w[2]) {
        ("1", "d") => w[0].parse().ok(),
        _ => None,
    });
    Dosage { each, daily: structured.or(daily.map(|(_, times)| *times)) }
}

fn number(word: &str) -> Option<&str> {
    match word {
        "one" => Some("1"),
        "two" => Some("2"),
        _ => word.starts_with(|c: char| c.is_ascii_digit()).then_some(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_of_one_dose_agree_and_another_frequency_does_not() {
        assert!(doses("take 1 tablet by mouth daily", "1 tab po daily").agrees());
        assert!(doses("1 tablet 2 1 d", "take 1 tablet by mouth twice a day").agrees());
        assert!(doses("1 tab daily", "1 tab bid").differs());
        assert!(doses("1 tablet daily", "2 tablets daily").differs());
        assert_eq!(doses("as directed", "1 tab daily"), Agreement::Silent);
    }
}
