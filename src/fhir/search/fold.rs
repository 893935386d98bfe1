//! Text in the form in which string searches compare it.
//! <https://hl7.org/fhir/R4/search.html#string>

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Lower case, without diacritics, white space collapsed.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        let letters = word.nfkd().filter(|c| !is_combining_mark(*c));
        for letter in letters.flat_map(char::to_lowercase).filter(|c| !is_combining_mark(*c)) {
            match letter {
                'ß' => folded.push_str("ss"),
                'æ' => folded.push_str("ae"),
                'œ' => folded.push_str("oe"),
                'ø' => folded.push('o'),
                'ł' => folded.push('l'),
                'đ' => folded.push('d'),
                'ı' => folded.push('i'),
                other => folded.push(other),
            }
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn case_diacritics_and_white_space_do_not_count() {
        assert_eq!(fold("  José   NÚÑEZ\tÅström "), "jose nunez astrom");
        assert_eq!(fold("Łukasz Groß"), "lukasz gross");
        assert_eq!(fold(""), "");
    }
}
