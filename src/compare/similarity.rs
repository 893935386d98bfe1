//! How alike two words are, and how they sound.
//!
//! Jaro-Winkler and optimal string alignment come from `strsim`; the sound code is our own,
//! after the idea of Soundex and NYSIIS, with Spanish spellings in mind.

/// Longest word that is compared, in characters: similarity is quadratic.
const WORD_LEN_MAX: usize = 64;

/// Jaro-Winkler similarity, 0 to 1.
pub fn jaro_winkler(a: &str, b: &str) -> f64 {
    // The library's result differs in the last digit with the order of its arguments.
    let (low, high) = ordered(clip(a), clip(b));
    strsim::jaro_winkler(low, high)
}

/// Insertions, deletions, substitutions and swaps of neighbours that part the two.
pub fn edit_distance(a: &str, b: &str) -> usize {
    let (low, high) = ordered(clip(a), clip(b));
    strsim::osa_distance(low, high)
}

/// Whether one is probably a misspelling of the other.
pub fn is_close(a: &str, b: &str) -> bool {
    let shortest = a.chars().count().min(b.chars().count());
    if shortest < 3 {
        return false;
    }
    let allowed = if shortest >= 6 { 2 } else { 1 };
    edit_distance(a, b) <= allowed || jaro_winkler(a, b) >= 0.93
}

/// Whether two words are equal or probably misspellings of one another; short ones only if
/// equal.
pub fn is_like(a: &str, b: &str) -> bool {
    a == b || is_close(a, b)
}

/// The sound of a word: consonant classes after the first sound, at most six. Empty if the word
/// has no Latin letter.
pub fn sound(word: &str) -> String {
    let letters: Vec<u8> = clip(word)
        .bytes()
        .filter(u8::is_ascii_alphabetic)
        .map(|b| b.to_ascii_lowercase())
        .collect();
    let letters = respell(&letters);
    let mut code = String::new();
    let mut last = b'0';
    for (i, &letter) in letters.iter().enumerate() {
        let class = class_of(letter);
        if i == 0 {
            code.push(char::from(initial_of(letter)));
        } else if class != b'0' && class != last {
            code.push(char::from(class));
        }
        // A vowel parts two equal sounds; h and w do not.
        if !matches!(letter, b'h' | b'w') {
            last = class;
        }
        if code.len() == 6 {
            break;
        }
    }
    code
}

/// Brings spellings of one sound together: `ph` → `f`, `kn` → `n`, `gh` → nothing …
fn respell(letters: &[u8]) -> Vec<u8> {
    const PAIRS: [(&[u8], &[u8]); 12] = [
        (b"ph", b"f"),
        (b"gh", b""),
        (b"ck", b"k"),
        (b"sch", b"s"),
        (b"sh", b"s"),
        (b"th", b"t"),
        (b"dg", b"j"),
        (b"wr", b"r"),
        (b"mc", b"mk"),
        (b"mac", b"mk"),
        (b"qu", b"k"),
        (b"ll", b"l"),
    ];
    const SILENT_FIRST: [&[u8]; 4] = [b"kn", b"gn", b"pn", b"ps"];
    let silent = usize::from(SILENT_FIRST.iter().any(|s| letters.starts_with(s)));
    let mut rest = &letters[silent..];
    let mut out = Vec::with_capacity(rest.len());
    while let Some((&first, tail)) = rest.split_first() {
        match PAIRS.iter().find(|(from, _)| rest.starts_with(from)) {
            Some((from, to)) => {
                out.extend_from_slice(to);
                rest = &rest[from.len()..];
            }
            None => {
                out.push(first);
                rest = tail;
            }
        }
    }
    out
}

fn class_of(letter: u8) -> u8 {
    match letter {
        b'b' | b'p' | b'f' | b'v' => b'1',
        b'c' | b'g' | b'j' | b'k' | b'q' | b's' | b'x' | b'z' => b'2',
        b'd' | b't' => b'3',
        b'l' => b'4',
        b'm' | b'n' => b'5',
        b'r' => b'6',
        _ => b'0',
    }
}

fn initial_of(letter: u8) -> u8 {
    match letter {
        b'c' | b'q' => b'k',
        b'g' => b'j',
        b'z' | b'x' => b's',
        b'a' | b'e' | b'i' | b'o' | b'u' | b'y' | b'h' => b'a',
        other => other,
    }
}

fn clip(text: &str) -> &str {
    text.char_indices().nth(WORD_LEN_MAX).map_or(text, |(end, _)| &text[..end])
}

fn ordered<'a>(a: &'a str, b: &'a str) -> (&'a str, &'a str) {
    if a <= b { (a, b) } else { (b, a) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_sound_share_a_code() {
        for (a, b) in [
            ("smith", "smyth"),
            ("stephens", "stevens"),
            ("catherine", "kathryn"),
            ("phillips", "filips"),
            ("mcdonald", "macdonald"),
            ("gonzalez", "gonzales"),
            ("jimenez", "gimenez"),
            ("knight", "night"),
        ] {
            assert_eq!(sound(a), sound(b), "{a} {b}");
        }
        assert_ne!(sound("smith"), sound("jones"));
        assert_eq!(sound("李"), "");
    }

    #[test]
    fn misspellings_are_close_and_short_words_are_not() {
        for (a, b) in [("johnson", "jonhson"), ("garcia", "gracia"), ("mccarthy", "mccarhty")] {
            assert!(is_close(a, b), "{a} {b}");
        }
        for (a, b) in [("al", "ed"), ("kim", "lee"), ("mary", "john"), ("li", "lu")] {
            assert!(!is_close(a, b), "{a} {b}");
        }
    }
}
