//! Narratives pass between XML and JSON as they are: the same XHTML in both, where white space
//! between words counts.
//! <https://hl7.org/fhir/R4/narrative.html#xhtml>
//!
//! fhirbolt drops white space beside tags and refuses `xml:lang`, so a `div` is taken out before
//! it converts, and put back after. What is not well formed is left to it.

use serde_json::Value;

use super::{after, tag_end};

const NAMESPACE: &str = "http://www.w3.org/1999/xhtml";

/// Takes the narratives out of XML, leaving a stand-in for each.
pub(super) fn take_from_xml(xml: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let mut left = Vec::with_capacity(xml.len());
    let mut taken = Vec::new();
    let mut rest = xml;
    while let Some(at) = rest.iter().position(|byte| *byte == b'<') {
        let tag = &rest[at..];
        let end = match div_len(tag) {
            Some(length) => {
                left.extend_from_slice(&rest[..at]);
                left.extend_from_slice(stand_in(taken.len()).as_bytes());
                taken.push(tag[..length].to_vec());
                rest = &tag[length..];
                continue;
            }
            None => rest.len() - after_markup(tag).len(),
        };
        left.extend_from_slice(&rest[..end]);
        rest = &rest[end..];
    }
    left.extend_from_slice(rest);
    (left, taken)
}

/// Puts the narratives into the JSON made of what was left.
pub(super) fn put_into_json(json: &[u8], taken: &[Vec<u8>]) -> Option<Vec<u8>> {
    let texts = taken.iter().map(|div| std::str::from_utf8(div).ok());
    // As a member, so that no text that reads like a stand-in is taken for one.
    let named = |text: &str| Some(format!("\"div\":{}", serde_json::to_string(text).ok()?));
    let pairs: Option<Vec<(String, String)>> =
        (0..).zip(texts).map(|(nth, text)| Some((named(&stand_in(nth))?, named(text?)?))).collect();
    Some(replaced(json, &pairs?))
}

/// Takes the narratives out of a resource, leaving a stand-in for each.
pub(super) fn take_from_json(resource: &mut Value, taken: &mut Vec<String>) {
    match resource {
        Value::Array(items) => items.iter_mut().for_each(|item| take_from_json(item, taken)),
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(div)
                        if name == "div" && div_len(div.as_bytes()) == Some(div.len()) =>
                    {
                        let stand_in = stand_in(taken.len());
                        taken.push(std::mem::replace(div, stand_in));
                    }
                    _ => take_from_json(value, taken),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Puts the narratives into the XML made of what was left. Other texts hold no bare `<`.
pub(super) fn put_into_xml(xml: &[u8], taken: Vec<String>) -> Vec<u8> {
    let pairs: Vec<(String, String)> =
        taken.into_iter().enumerate().map(|(nth, div)| (stand_in(nth), div)).collect();
    replaced(xml, &pairs)
}

fn stand_in(nth: usize) -> String {
    format!("<div xmlns=\"{NAMESPACE}\">narrative {nth}.</div>")
}

/// Replaces each text where it first stands behind the one before: they come in their order.
fn replaced(text: &[u8], pairs: &[(String, String)]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    for (old, new) in pairs {
        let old = old.as_bytes();
        let Some(at) = rest.windows(old.len()).position(|window| window == old) else { continue };
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(new.as_bytes());
        rest = &rest[at + old.len()..];
    }
    out.extend_from_slice(rest);
    out
}

/// The length of the XHTML `div` that begins here, if there is one and it is well formed.
fn div_len(text: &[u8]) -> Option<usize> {
    let quoted = |quote: &str| format!("xmlns={quote}{NAMESPACE}{quote}");
    if !text.starts_with(b"<div") {
        return None;
    }
    let start = &text[..tag_end(text).0];
    let has = |what: &str| start.windows(what.len()).any(|window| window == what.as_bytes());
    if name(start) != b"div" || !(has(&quoted("\"")) || has(&quoted("'"))) {
        return None;
    }
    let mut open: Vec<&[u8]> = Vec::new();
    let mut rest = text;
    loop {
        let at = rest.iter().position(|byte| *byte == b'<')?;
        let tag = &rest[at..];
        rest = after_markup(tag);
        if tag.starts_with(b"<!") || tag.starts_with(b"<?") {
            continue;
        }
        let (end, closed_in_itself) = tag_end(tag);
        match tag.get(1)? {
            b'/' => {
                if open.pop()? != name(&tag[1..end]) {
                    return None;
                }
            }
            _ if name(tag).is_empty() => return None,
            _ if closed_in_itself => {}
            _ => open.push(name(&tag[..end])),
        }
        if open.is_empty() {
            return Some(text.len() - rest.len());
        }
    }
}

/// What follows the tag, comment, CDATA section or instruction that begins here.
fn after_markup(text: &[u8]) -> &[u8] {
    if text.starts_with(b"<!--") {
        after(text, 4, b"-->")
    } else if text.starts_with(b"<![CDATA[") {
        after(text, 9, b"]]>")
    } else if text.starts_with(b"<?") {
        after(text, 2, b"?>")
    } else {
        &text[tag_end(text).0..]
    }
}

/// The name in `<name …` or `/name>`.
fn name(tag: &[u8]) -> &[u8] {
    let inner = &tag[1..];
    let is_end = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/' | b'<');
    &inner[..inner.iter().position(is_end).unwrap_or(inner.len())]
}
