//! How alike two words are, and how they sound.
//!
//! Jaro-Winkler and optimal string alignment: our own for ASCII words, without allocation since a
//! deduplication compares millions; `strsim` for the rest. The sound code is our own, after the
//! idea of Soundex and NYSIIS, with Spanish spellings in mind.

/// Longest word that is compared, in characters: similarity is quadratic.
pub const WORD_LEN_MAX: usize = 64;

/// Jaro-Winkler similarity, 0 to 1.
pub fn jaro_winkler(a: &str, b: &str) -> f64 {
    // The result may differ in the last digit with the order of the arguments.
    let (low, high) = ordered(clip(a), clip(b));
    if low.is_ascii() && high.is_ascii() {
        return ascii_jaro_winkler(low.as_bytes(), high.as_bytes());
    }
    strsim::jaro_winkler(low, high)
}

/// Insertions, deletions, substitutions and swaps of neighbours that part the two.
pub fn edit_distance(a: &str, b: &str) -> usize {
    let (low, high) = ordered(clip(a), clip(b));
    if low.is_ascii() && high.is_ascii() {
        return ascii_edit_distance(low.as_bytes(), high.as_bytes());
    }
    strsim::osa_distance(low, high)
}

/// Whether at most `limit` edits part the two. Most words are told apart by their letters alone.
pub fn is_within(a: &str, b: &str, limit: usize) -> bool {
    if a.len().abs_diff(b.len()) > limit * 4 {
        return false;
    }
    if a.is_ascii() && b.is_ascii() {
        let apart = (letters(a) ^ letters(b)).count_ones() as usize;
        // An edit brings in one letter and takes out one, at most.
        if apart > limit * 2 || a.len().abs_diff(b.len()) > limit {
            return false;
        }
        if limit == 1 {
            return is_one_edit(a.as_bytes(), b.as_bytes());
        }
        if a.len().max(b.len()) <= WORD_LEN_MAX {
            return is_ascii_within(a.as_bytes(), b.as_bytes(), limit);
        }
    }
    edit_distance(a, b) <= limit
}

/// Whether two words are equal or one edit apart, in one walk.
fn is_one_edit(a: &[u8], b: &[u8]) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let Some(at) = (0..short.len()).find(|&i| short[i] != long[i]) else {
        return long.len() - short.len() <= 1;
    };
    if short.len() < long.len() {
        return short[at..] == long[at + 1..];
    }
    let swapped = at + 1 < long.len()
        && short[at] == long[at + 1]
        && short[at + 1] == long[at]
        && short[at + 2..] == long[at + 2..];
    swapped || short[at + 1..] == long[at + 1..]
}

/// Which letters a word has, as bits.
fn letters(word: &str) -> u32 {
    word.bytes().fold(0, |set, b| set | 1 << (b & 0x1f))
}

/// Whether the Jaro-Winkler similarity is at least `least`, which the letters often deny.
pub fn is_jaro_winkler(a: &str, b: &str, least: f64) -> bool {
    if a == b {
        return least <= 1.0;
    }
    if a.is_ascii() && b.is_ascii() && a.len().max(b.len()) <= WORD_LEN_MAX {
        let prefix = a.bytes().zip(b.bytes()).take(4).take_while(|(x, y)| x == y).count();
        let shared = as_real(shared_letters(a, b));
        let jaro =
            (shared / as_real(a.len().max(1)) + shared / as_real(b.len().max(1)) + 1.0) / 3.0;
        if jaro + 0.1 * as_real(prefix) * (1.0 - jaro) < least {
            return false;
        }
    }
    jaro_winkler(a, b) >= least
}

fn shared_letters(a: &str, b: &str) -> usize {
    let mut counts = [0u8; 128];
    a.bytes().for_each(|letter| counts[usize::from(letter & 0x7f)] += 1);
    let mut shared = 0;
    for letter in b.bytes() {
        let left = &mut counts[usize::from(letter & 0x7f)];
        shared += usize::from(*left > 0);
        *left = left.saturating_sub(1);
    }
    shared
}

/// Optimal string alignment with three rows on the stack.
fn ascii_edit_distance(a: &[u8], b: &[u8]) -> usize {
    let mut before_last = [0u8; WORD_LEN_MAX + 1];
    let mut last = [0u8; WORD_LEN_MAX + 1];
    let mut row = [0u8; WORD_LEN_MAX + 1];
    for (cell, n) in last.iter_mut().zip(0u8..) {
        *cell = n;
    }
    for (i, &x) in a.iter().enumerate() {
        row[0] = last[0] + 1;
        for (j, &y) in b.iter().enumerate() {
            let mut least = (last[j] + u8::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && x == b[j - 1] && a[i - 1] == y {
                least = least.min(before_last[j - 1] + 1);
            }
            row[j + 1] = least;
        }
        (before_last, last, row) = (last, row, before_last);
    }
    usize::from(last[b.len()])
}

/// The same distance, along the diagonal only, and given up when no way is short enough.
fn is_ascii_within(a: &[u8], b: &[u8], limit: usize) -> bool {
    let same = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[same..], &b[same..]);
    let beyond = u8::try_from(limit + 1).unwrap_or(u8::MAX);
    let mut before_last = [beyond; WORD_LEN_MAX + 2];
    let mut last = [beyond; WORD_LEN_MAX + 2];
    let mut row = [beyond; WORD_LEN_MAX + 2];
    for (cell, n) in last[..=limit.min(b.len())].iter_mut().zip(0u8..) {
        *cell = n;
    }
    for (i, &x) in a.iter().enumerate() {
        let (from, to) = (i.saturating_sub(limit), (i + limit + 1).min(b.len()));
        row[from] = if from == 0 { last[0].saturating_add(1).min(beyond) } else { beyond };
        let mut nearest = row[from];
        for j in from..to {
            let y = b[j];
            let mut least = (last[j] + u8::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && x == b[j - 1] && a[i - 1] == y {
                least = least.min(before_last[j - 1] + 1);
            }
            row[j + 1] = least.min(beyond);
            nearest = nearest.min(row[j + 1]);
        }
        row[to + 1] = beyond;
        if nearest >= beyond && i > 0 {
            // A swap reaches over one row, whose cells were as far.
            let reached = last[from..=to].iter().any(|n| *n < beyond);
            if !reached {
                return false;
            }
        }
        (before_last, last, row) = (last, row, before_last);
    }
    usize::from(last[b.len()]) <= limit
}

/// Jaro-Winkler with the letters already matched as bits. The prefix counts up to four letters,
/// a tenth each, as in Winkler's report: <https://files.eric.ed.gov/fulltext/ED325505.pdf>
fn ascii_jaro_winkler(a: &[u8], b: &[u8]) -> f64 {
    if a.is_empty() || b.is_empty() {
        return if a.len() == b.len() { 1.0 } else { 0.0 };
    }
    let reach = (a.len().max(b.len()) / 2).saturating_sub(1);
    let (mut used_a, mut used_b) = (0u64, 0u64);
    for (i, x) in a.iter().enumerate() {
        let (from, to) = (i.saturating_sub(reach), (i + reach + 1).min(b.len()));
        let Some(found) = (from..to).find(|&j| used_b & (1 << j) == 0 && b[j] == *x) else {
            continue;
        };
        used_a |= 1 << i;
        used_b |= 1 << found;
    }
    let matches = used_a.count_ones();
    if matches == 0 {
        return 0.0;
    }
    let taken = |text: &[u8], used: u64| -> [u8; WORD_LEN_MAX] {
        let mut letters = [0; WORD_LEN_MAX];
        let kept = text.iter().enumerate().filter(|(i, _)| used & (1 << i) != 0);
        for (slot, (_, letter)) in letters.iter_mut().zip(kept) {
            *slot = *letter;
        }
        letters
    };
    let (letters_a, letters_b) = (taken(a, used_a), taken(b, used_b));
    let crossed = letters_a.iter().zip(&letters_b).filter(|(x, y)| x != y).count();
    let m = f64::from(matches);
    let [len_a, len_b, transposed] = [a.len(), b.len(), crossed / 2].map(as_real);
    let jaro = (m / len_a + m / len_b + (m - transposed) / m) / 3.0;
    let prefix = a.iter().zip(b).take(4).take_while(|(x, y)| x == y).count();
    if jaro > 0.7 { jaro + 0.1 * as_real(prefix) * (1.0 - jaro) } else { jaro }
}

fn as_real(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

/// Whether two words are made of the same letters, but for one: typed in a muddle.
pub fn is_muddled(a: &str, b: &str) -> bool {
    if a.len().min(b.len()) < 4 || a.len().abs_diff(b.len()) > 1 {
        return false;
    }
    let mut counts = [0i8; 256];
    for byte in clip(a).bytes() {
        counts[usize::from(byte)] += 1;
    }
    for byte in clip(b).bytes() {
        counts[usize::from(byte)] -= 1;
    }
    counts.iter().map(|n| usize::from(n.unsigned_abs())).sum::<usize>() <= 1
}

/// Whether one is probably a misspelling of the other.
pub fn is_close(a: &str, b: &str) -> bool {
    let shortest = a.chars().count().min(b.chars().count());
    if shortest < 3 {
        return false;
    }
    let allowed = if shortest >= 6 { 2 } else { 1 };
    is_within(a, b, allowed) || is_jaro_winkler(a, b, 0.93)
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
    fn ascii_words_measure_as_the_library_measures_them() {
        let words = [
            "",
            "a",
            "ab",
            "ba",
            "martha",
            "marhta",
            "dixon",
            "dicksonx",
            "jellyfish",
            "smellyfish",
            "catherine",
            "katharina",
            "gonzalez",
            "gonzales",
            "aaaa",
            "aaa",
            "abcdefgh",
            "hgfedcba",
        ];
        for a in words {
            for b in words {
                let (low, high) = ordered(a, b);
                assert_eq!(edit_distance(a, b), strsim::osa_distance(low, high), "{a} {b}");
                let off = jaro_winkler(a, b) - strsim::jaro_winkler(low, high);
                assert!(off.abs() < 1e-9, "{a} {b} {off}");
                for limit in 1..4 {
                    assert_eq!(is_within(a, b, limit), edit_distance(a, b) <= limit, "{a} {b}");
                }
                for least in [0.8, 0.87, 0.93] {
                    assert_eq!(
                        is_jaro_winkler(a, b, least),
                        jaro_winkler(a, b) >= least,
                        "{a} {b}"
                    );
                }
            }
        }
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
