//! Rewriting literal references in a resource's text; every other byte stays as it is.
//! <https://hl7.org/fhir/R4/http.html#trules>

use bytes::Bytes;

const MEMBER: &str = "\"reference\"";

/// The text with those references replaced for which `replace` has another; `None` when it has
/// none, and for what is no UTF-8.
pub(super) fn rewrite(json: &[u8], replace: &dyn Fn(&str) -> Option<String>) -> Option<Bytes> {
    let text = std::str::from_utf8(json).ok()?;
    let mut out = String::new();
    let mut copied = 0;
    for (at, _) in text.match_indices(MEMBER) {
        // An escaped quote: the end of a longer name.
        if text[..at].ends_with('\\') {
            continue;
        }
        let Some((begin, end)) = value_behind(text, at + MEMBER.len()) else { continue };
        let Ok(reference) = serde_json::from_str::<String>(&text[begin..end]) else { continue };
        if let Some(other) = replace(&reference) {
            out.push_str(&text[copied..begin]);
            out.push_str(&serde_json::Value::from(other).to_string());
            copied = end;
        }
    }
    if copied == 0 {
        return None;
    }
    out.push_str(&text[copied..]);
    Some(out.into())
}

/// Where the text value of the member whose name ends here begins and ends, with its quotes.
fn value_behind(text: &str, at: usize) -> Option<(usize, usize)> {
    let rest = text[at..].trim_start().strip_prefix(':')?.trim_start();
    let inner = rest.strip_prefix('"')?;
    let begin = text.len() - rest.len();
    let mut escaped = false;
    let end = inner.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })?;
    Some((begin, begin + 1 + end + 1))
}

/// The text of a resource with an id put in; it must have none.
pub(super) fn with_id(json: &[u8], id: &str) -> Option<Bytes> {
    let inner = json.trim_ascii_start().strip_prefix(b"{")?;
    let member = format!("{{\"id\":{},", serde_json::Value::from(id));
    Some([member.as_bytes(), inner].concat().into())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "test")]
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn replaced(text: &str) -> Option<String> {
        let replace = |r: &str| r.starts_with("urn:uuid:").then(|| "Patient/\"1\"".to_owned());
        rewrite(text.as_bytes(), &replace).map(|b| String::from_utf8(b.to_vec()).unwrap())
    }

    #[test]
    fn only_references_are_replaced_and_nothing_else_moves() {
        let text = r#"{"a": 1.50, "subject" : {"reference" :  "urn:uuid:\u0031"},
            "b\"reference":"urn:uuid:1","code":"reference",
            "reference":{"reference":"urn:uuid:1"},"text":"\"reference\":\"urn:uuid:1\""}"#;
        let new = r#""Patient/\"1\"""#;
        let expected = text
            .replace(r#":  "urn:uuid:\u0031""#, &format!(":  {new}"))
            .replace(r#"{"reference":"urn:uuid:1"}"#, &format!("{{\"reference\":{new}}}"));
        assert_eq!(replaced(text), Some(expected));
        assert_eq!(replaced(r#"{"reference":"Patient/2"}"#), None);
        assert_eq!(with_id(b"\n{\"a\":1}", "x").unwrap(), &br#"{"id":"x","a":1}"#[..]);
    }

    proptest! {
        #[test]
        fn replacing_in_the_text_is_replacing_in_the_value(
            names in proptest::collection::vec("reference|subject|a\"reference", 1..4),
            values in proptest::collection::vec("urn:uuid:[a\"\\\\]{0,3}|[a\"\\\\:]{0,4}", 3)
        ) {
            let mut nested = json!({});
            let mut expected = json!({});
            for (name, value) in names.iter().zip(&values) {
                let hit = name == "reference" && value.starts_with("urn:uuid:");
                let other = if hit { "Patient/\"1\"" } else { value.as_str() };
                nested = json!({name: value, "in": nested});
                expected = json!({name: other, "in": expected});
            }
            let text = serde_json::to_string_pretty(&nested).unwrap();
            let after = replaced(&text).unwrap_or(text);
            prop_assert_eq!(serde_json::from_str::<Value>(&after).unwrap(), expected);
        }
    }
}
