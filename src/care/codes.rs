//! Whether a code can be one of its system: by the system's list, or by its check digit.
//! <https://confluence.ihtsdotools.org/display/DOCRELFMT/5.5+Check-digit>
//! <https://loinc.org/kb/faq/structure/>

/// The dihedral group of ten, by which SNOMED CT's last digit is made (Verhoeff).
const TIMES: [[u8; 10]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
    [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
    [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
    [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
    [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
    [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
    [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
    [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
    [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
];
/// How digits change places; applied once more for each step to the left.
const MOVED: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];

/// Whether it has the form and the check digit of a SNOMED CT identifier.
pub(super) fn is_snomed(code: &str) -> bool {
    if !(6..=18).contains(&code.len()) {
        return false;
    }
    let mut sum = 0;
    for (place, byte) in code.bytes().rev().enumerate() {
        let Some(mut digit) = digit(byte) else { return false };
        for _ in 0..place % 8 {
            digit = MOVED[usize::from(digit)];
        }
        sum = TIMES[usize::from(sum)][usize::from(digit)];
    }
    sum == 0
}

/// Whether it has the form of a LOINC, part or answer code and, if it is a term, its check digit.
pub(super) fn is_loinc(code: &str) -> bool {
    let is_answer = code.starts_with("LA") || code.starts_with("LL") || code.starts_with("LP");
    let number = if is_answer { &code[2..] } else { code };
    let Some((body, check)) = number.split_once('-') else { return false };
    let digits: Option<Vec<u8>> = body.bytes().map(digit).collect();
    let (Some(digits), [check]) = (digits, check.as_bytes()) else { return false };
    let Some(check) = digit(*check) else { return false };
    if !(1..=7).contains(&digits.len()) {
        return false;
    }
    // Answers are numbered by another rule that is not published.
    is_answer || luhn(&digits) == check
}

/// The check digit by modulus 10.
fn luhn(digits: &[u8]) -> u8 {
    let doubled = |(place, digit): (usize, &u8)| match (place % 2, digit * 2) {
        (0, twice) if twice > 9 => twice - 9,
        (0, twice) => twice,
        _ => *digit,
    };
    let sum: u32 = digits.iter().rev().enumerate().map(doubled).map(u32::from).sum();
    u8::try_from((10 - sum % 10) % 10).unwrap_or(u8::MAX)
}

fn digit(byte: u8) -> Option<u8> {
    byte.is_ascii_digit().then(|| byte - b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_digit_is_seen() {
        for code in ["768820003", "3457005", "467771000124109", "185389009"] {
            assert!(is_snomed(code), "{code}");
            let wrong = format!("{}{}", &code[..code.len() - 1], (code.as_bytes()[0] - b'0') % 9);
            assert!(wrong == code || !is_snomed(&wrong), "{wrong}");
        }
        for code in ["44261-6", "96574-9", "88124-3", "LA19983-8"] {
            assert!(is_loinc(code), "{code}");
        }
        for wrong in ["44261-7", "44216-6", "LA19983", "4426", "x-1", "44261-66", "-1", "é"] {
            assert!(!is_loinc(wrong), "{wrong}");
        }
        for wrong in ["", "12345", "3457050", "34a7005", "9999999999999999999"] {
            assert!(!is_snomed(wrong), "{wrong}");
        }
    }
}
