//! Phone numbers and e-mail addresses in comparable form.
//! E.164 for phones: <https://www.itu.int/rec/T-REC-E.164>

/// Mailbox names that stand for "none".
const NO_MAILBOX: [&str; 16] = [
    "none",
    "noemail",
    "no",
    "na",
    "n/a",
    "unknown",
    "declined",
    "refused",
    "noreply",
    "no-reply",
    "donotreply",
    "test",
    "email",
    "noone",
    "nomail",
    "no.email",
];

/// A phone number as `+` and digits if its country is known (a plain ten-digit number is taken
/// as North American), else its digits. `None` if too short or a placeholder.
pub fn phone(text: &str) -> Option<Box<str>> {
    let lower = text.trim().to_ascii_lowercase();
    let body = lower.strip_prefix("tel:").unwrap_or(&lower);
    let body = body.split(['x', 'e', ';', ',', '#']).next().unwrap_or_default().trim();
    let digits: String = body.chars().filter(char::is_ascii_digit).collect();
    let number = if body.starts_with('+') {
        format!("+{digits}")
    } else if let Some(international) = digits.strip_prefix("00") {
        format!("+{international}")
    } else if digits.len() == 10 && !digits.starts_with('0') {
        format!("+1{digits}")
    } else if digits.len() == 11 && digits.starts_with('1') {
        format!("+{digits}")
    } else {
        digits
    };
    let bare = number.trim_start_matches('+');
    let usable = (7..=15).contains(&bare.len()) && !is_placeholder(bare);
    usable.then(|| number.into())
}

fn is_placeholder(digits: &str) -> bool {
    let national = digits.strip_prefix('1').filter(|d| d.len() == 10).unwrap_or(digits);
    let tail = &national[national.len().saturating_sub(7)..];
    // 555-0100 to 555-0199 are set aside for fiction, 555-1212 is directory assistance.
    tail.starts_with("55501")
        || tail == "5551212"
        || one_digit(tail)
        || one_digit(national)
        || matches!(national, "1234567890" | "0123456789" | "1234567" | "9876543210")
}

fn one_digit(digits: &str) -> bool {
    digits.bytes().all(|b| digits.as_bytes().first() == Some(&b))
}

/// An e-mail address in lower case; `None` if it has no two parts or stands for "none".
pub fn email(text: &str) -> Option<Box<str>> {
    let lower = text.trim().to_lowercase();
    let address = lower.strip_prefix("mailto:").unwrap_or(&lower);
    let (mailbox, domain) = address.split_once('@')?;
    let usable = !mailbox.is_empty()
        && !domain.is_empty()
        && !domain.contains('@')
        && !address.contains(char::is_whitespace)
        && !NO_MAILBOX.contains(&mailbox);
    usable.then(|| address.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phones_written_differently_are_equal() {
        for text in [
            "(617) 253-1234",
            "617.253.1234",
            "+1 617 253 1234",
            "1-617-253-1234 ext 9",
            "tel:16172531234",
        ] {
            assert_eq!(phone(text).as_deref(), Some("+16172531234"), "{text}");
        }
        assert_eq!(phone("+44 20 7946 0958").as_deref(), Some("+442079460958"));
        assert_eq!(phone("0044 20 7946 0958").as_deref(), Some("+442079460958"));
    }

    #[test]
    fn placeholder_phones_and_mailboxes_are_none() {
        for text in
            ["617-555-0123", "555-555-5555", "000-000-0000", "9999999999", "", "12", "1234567890"]
        {
            assert_eq!(phone(text), None, "{text}");
        }
        for text in ["none@none.com", "noemail@clinic.org", "not an address", "@x.org", "a@"] {
            assert_eq!(email(text), None, "{text}");
        }
        assert_eq!(email(" Ana.Diaz@Mail.ORG ").as_deref(), Some("ana.diaz@mail.org"));
    }
}
