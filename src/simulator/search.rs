//! Search results: pages of a searchset, spliced from the resources' own bytes.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use jiff::Timestamp;

use super::holdings::{Row, Shelf, behind};
use super::query::{AFTER, OF, Query};
use crate::fhir::ResourceType;
use crate::fhir::bundle::{SearchsetEntry, searchset};

/// One page.
pub(super) struct Page<'a> {
    pub(super) total: usize,
    pub(super) rows: Vec<Row<'a>>,
    /// Where the next page goes on, if there is one.
    pub(super) next: Option<String>,
}

/// A place in the order of a search, after which a page goes on: the type, the id, and the time
/// where the order is one of times.
struct After<'a> {
    kind: &'a str,
    id: &'a str,
    time: Option<Timestamp>,
}

/// The page of some shelves (in the order of their types) that a query asks for. Only what the
/// page holds is looked at, and on the first page what is to be counted.
pub(super) fn page<'a>(
    shelves: &[(ResourceType, &'a Shelf)],
    query: &Query,
    page_size: usize,
) -> Page<'a> {
    let size = query.count.unwrap_or(page_size).min(page_size);
    let total = query.total.unwrap_or_else(|| total(shelves, query));
    let mut page = Page { total, rows: Vec::new(), next: None };
    if size == 0 || query.count_only {
        return page;
    }
    let after = query.after.as_deref().map(After::parse);
    for (kind, shelf) in shelves {
        let id = match &after {
            Some(after) if kind.name() < after.kind => continue,
            Some(after) if kind.name() == after.kind => after.id,
            _ => "",
        };
        let time = after.as_ref().filter(|after| after.kind == kind.name());
        let time = time.and_then(|after| Some((after.time?, after.id.into())));
        for row in rows(*kind, shelf, query, id, time.as_ref()) {
            if page.rows.len() == size {
                page.next = page.rows.last().map(|row| place(row, query));
                return page;
            }
            page.rows.push(row);
        }
    }
    page
}

fn total(shelves: &[(ResourceType, &Shelf)], query: &Query) -> usize {
    match query.is_whole() {
        true => shelves.iter().map(|(_, shelf)| shelf.live()).sum(),
        false => shelves.iter().map(|(kind, s)| rows(*kind, s, query, "", None).count()).sum(),
    }
}

/// The matching rows of one shelf behind a place, by the narrowest way in.
fn rows<'a>(
    kind: ResourceType,
    shelf: &'a Shelf,
    query: &Query,
    after: &str,
    time: Option<&(Timestamp, Box<str>)>,
) -> impl Iterator<Item = Row<'a>> {
    let candidates: Box<dyn Iterator<Item = &'a str>> = if query.is_bounded() {
        Box::new(named(shelf, query, after).into_iter())
    } else if query.is_timed() {
        Box::new(shelf.since(query.changed_from(), time).map(|(_, id)| id))
    } else {
        Box::new(shelf.ids(after))
    };
    let row = move |id: &'a str| {
        let held = shelf.get(id)?;
        Some(Row { resource_type: kind, id, held, body: held.body.as_ref()? })
    };
    candidates.filter_map(row).filter(|row| query.matches(row))
}

/// Candidates of a search that names resources, patients or identifiers.
fn named<'a>(shelf: &'a Shelf, query: &Query, after: &str) -> BTreeSet<&'a str> {
    if let Some(ids) = &query.ids {
        return ids.iter().filter(|id| ***id > *after).filter_map(|id| shelf.known(id)).collect();
    }
    let sets: Vec<_> = match (query.patients.first(), query.identifiers.first()) {
        (Some(patients), _) => patients.iter().filter_map(|id| shelf.of_patient(id)).collect(),
        (None, Some(any)) => any.iter().filter_map(|(_, v)| shelf.identified(v)).collect(),
        (None, None) => Vec::new(),
    };
    sets.into_iter().flat_map(|ids| ids.range::<str, _>(behind(after))).map(|id| &**id).collect()
}

/// A row's place in the order of a search.
fn place(row: &Row<'_>, query: &Query) -> String {
    match !query.is_bounded() && query.is_timed() {
        true => format!("{}/{}/{}", row.resource_type, row.held.last_updated, row.id),
        false => format!("{}/{}", row.resource_type, row.id),
    }
}

impl<'a> After<'a> {
    fn parse(place: &'a str) -> Self {
        let (kind, rest) = place.split_once('/').unwrap_or(("", place));
        let timed = rest.split_once('/').and_then(|(at, id)| Some((at.parse().ok()?, id)));
        match timed {
            Some((time, id)) => Self { kind, id, time: Some(time) },
            None => Self { kind, id: rest, time: None },
        }
    }
}

/// The query string that asks for the page after `place`.
pub(super) fn next_query(query: &Query, place: &str, total: usize) -> String {
    let total = total.to_string();
    let own = [(AFTER, place), (OF, &*total)];
    let pairs = query.repeated.iter().map(|(n, v)| (n.as_str(), v.as_str()));
    let mut text = String::new();
    for (name, value) in pairs.chain(own) {
        let and = if text.is_empty() { "" } else { "&" };
        let _ = write!(text, "{and}{}={}", escape(name), escape(value));
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
