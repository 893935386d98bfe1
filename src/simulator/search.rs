//! Search results: pages of a searchset, spliced from the resources' own bytes.

use std::fmt::Write as _;

use super::holdings::Row;
use super::query::{AFTER, Query};

/// One page.
pub(super) struct Page<'a> {
    pub(super) total: usize,
    pub(super) rows: Vec<Row<'a>>,
    /// Where the next page goes on, if there is one.
    pub(super) next: Option<String>,
}

/// A row's place in the order of a search over one or more types.
fn place(row: &Row<'_>) -> String {
    format!("{}/{}", row.resource_type, row.id)
}

/// The page of these rows (in the order of their places) that a query asks for.
pub(super) fn page<'a>(
    rows: impl Iterator<Item = Row<'a>>,
    query: &Query,
    page_size: usize,
) -> Page<'a> {
    let size = query.count.unwrap_or(page_size).min(page_size);
    let mut page = Page { total: 0, rows: Vec::new(), next: None };
    if size == 0 || query.count_only {
        page.total = rows.filter(|row| query.matches(row)).count();
        return page;
    }
    for row in rows.filter(|row| query.matches(row)) {
        page.total += 1;
        let seen = query.after.as_deref().is_some_and(|after| place(&row).as_str() <= after);
        if seen {
            continue;
        }
        if page.rows.len() < size {
            page.rows.push(row);
        } else if page.next.is_none() {
            page.next = page.rows.last().map(place);
        }
    }
    page
}

/// The query string that asks for the page after `place`.
pub(super) fn next_query(query: &Query, place: &str) -> String {
    let pairs = query.repeated.iter().map(|(n, v)| (n.as_str(), v.as_str()));
    let mut text = String::new();
    for (name, value) in pairs.chain([(AFTER, place)]) {
        let _ =
            write!(text, "{}{}={}", if text.is_empty() { "" } else { "&" }, name, escape(value));
    }
    text
}

/// Percent-encodes everything but unreserved characters (RFC 3986 §2.3).
fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// The searchset Bundle of a page.
pub(super) fn bundle(base: &str, own: &str, next: Option<&str>, page: &Page<'_>) -> Vec<u8> {
    let bytes: usize = page.rows.iter().map(|row| row.body.len() + 160).sum();
    let mut out = Vec::with_capacity(bytes + 512);
    let mut head =
        format!(r#"{{"resourceType":"Bundle","type":"searchset","total":{}"#, page.total);
    let _ = write!(head, r#","link":[{{"relation":"self","url":{}}}"#, json(own));
    if let Some(next) = next {
        let _ = write!(head, r#",{{"relation":"next","url":{}}}"#, json(next));
    }
    head.push(']');
    out.extend_from_slice(head.as_bytes());
    for (index, row) in page.rows.iter().enumerate() {
        out.extend_from_slice(if index == 0 { br#","entry":["# } else { b"," });
        let url = json(&format!("{base}/{}/{}", row.resource_type, row.id));
        out.extend_from_slice(format!(r#"{{"fullUrl":{url},"resource":"#).as_bytes());
        out.extend_from_slice(row.body);
        out.extend_from_slice(br#","search":{"mode":"match"}}"#);
    }
    // R4 forbids empty arrays.
    out.extend_from_slice(if page.rows.is_empty() { b"}" } else { b"]}" });
    out
}

fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
