//! Search results: pages of a searchset, spliced from the resources' own bytes.

use std::fmt::Write as _;

use super::holdings::Row;
use super::query::{AFTER, Query};
use crate::fhir::bundle::{SearchsetEntry, searchset};

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
    let after = query.after.as_deref().map(|after| after.split_once('/').unwrap_or(("", after)));
    let mut page = Page { total: 0, rows: Vec::new(), next: None };
    if size == 0 || query.count_only {
        page.total = rows.filter(|row| query.matches(row)).count();
        return page;
    }
    for row in rows.filter(|row| query.matches(row)) {
        page.total += 1;
        let seen = after.is_some_and(|after| (row.resource_type.name(), row.id) <= after);
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
pub(super) fn bundle(base: &str, own: String, next: Option<String>, page: &Page<'_>) -> Vec<u8> {
    let mut links = vec![("self", own)];
    links.extend(next.map(|next| ("next", next)));
    let entries: Vec<SearchsetEntry<'_>> = page.rows.iter().map(|row| entry(base, row)).collect();
    searchset(&links, Some(page.total as u64), &entries)
}

fn entry<'a>(base: &str, row: &Row<'a>) -> SearchsetEntry<'a> {
    SearchsetEntry {
        full_url: format!("{base}/{}/{}", row.resource_type, row.id),
        body: row.body,
        mode: "match",
        score: None,
    }
}
