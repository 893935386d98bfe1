//! Query and form parameters, decoded.
//! <https://url.spec.whatwg.org/#application/x-www-form-urlencoded>

use super::error::ApiError;

/// More parameters than any sensible search has.
const PARAMS_MAX: usize = 200;

/// Decoded parameters, in the order sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Params(pub(super) Vec<(String, String)>);

impl Params {
    /// Decodes a query string or a form.
    ///
    /// # Errors
    /// `BadQuery` for a broken escape, bytes that are not UTF-8, a NUL or too many parameters.
    pub(super) fn parse(encoded: &str) -> Result<Self, ApiError> {
        let pairs = encoded.split('&').filter(|pair| !pair.is_empty());
        if pairs.clone().count() > PARAMS_MAX {
            return Err(ApiError::BadQuery("it has more than 200 parameters"));
        }
        let decoded = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        });
        // R4: an empty parameter is the same as none.
        let stated = decoded.filter(|pair| !matches!(pair, Ok((_, value)) if value.is_empty()));
        Ok(Self(stated.collect::<Result<_, ApiError>>()?))
    }

    /// The last value of a parameter.
    pub(super) fn last(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Whether a parameter says how an answer is given, not what is searched: it may differ
    /// from page to page.
    pub(super) fn is_of_page(name: &str) -> bool {
        ["_count", "_elements", "_format", "_pretty", "_summary", "_total"].contains(&name)
    }

    /// Bytes of all names and values.
    pub(super) fn size_bytes(&self) -> usize {
        self.0.iter().map(|(name, value)| name.len() + value.len()).sum()
    }

    /// The query string that states them.
    pub(super) fn encoded(&self) -> String {
        let pairs: Vec<String> =
            self.0.iter().map(|(n, v)| format!("{}={}", encode(n), encode(v))).collect();
        pairs.join("&")
    }
}

/// Splits at commas that no backslash escapes.
pub(super) fn alternatives(value: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, c) in value.char_indices() {
        if c == ',' && !escaped {
            parts.push(&value[start..at]);
            start = at + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    parts.push(&value[start..]);
    parts.retain(|part| !part.is_empty());
    parts
}

fn decode(text: &str) -> Result<String, ApiError> {
    let broken = ApiError::BadQuery;
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => match (rest.next().and_then(hex), rest.next().and_then(hex)) {
                (Some(high), Some(low)) => high << 4 | low,
                _ => return Err(broken("a percent sign is not followed by two hex digits")),
            },
            0x80.. => return Err(broken("it holds bytes that are not escaped")),
            plain => plain,
        });
    }
    let decoded = String::from_utf8(bytes).map_err(|_| broken("it is not UTF-8"))?;
    if decoded.contains('\0') {
        return Err(broken("it holds a NUL"));
    }
    Ok(decoded)
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' | b'/' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn commas_part_alternatives_unless_escaped() {
        assert_eq!(alternatives(r"a,b\,c,,d"), ["a", r"b\,c", "d"]);
    }

    #[test]
    fn a_broken_escape_is_refused() {
        for text in ["a=%", "a=%4", "a=%zz", "a=%ff", "%00=a", "a=\u{e9}"] {
            assert!(Params::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_reads_back(
            pairs in proptest::collection::vec(("[a-z_]{1,9}", "[^\0]{1,20}"), 0..8),
        ) {
            let params = Params(pairs);
            let again = Params::parse(&params.encoded());
            prop_assert_eq!(again.map(|p| p.0).ok(), Some(params.0));
        }
    }
}
