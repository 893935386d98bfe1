//! Searches that came by POST. Their parameters stay here and go into no link, since links end
//! in logs and histories: a link names the search by [`SEARCH_ID`] instead.
//! <https://hl7.org/fhir/R4/http.html#search>

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::flow::IdKey;

use super::ApiOptions;
use super::error::ApiError;
use super::params::Params;

/// The parameter of our links that stands for those of a posted search. Whoever follows a link
/// may put `_count`, `_format`, `_pretty` and `_total` beside it.
pub(super) const SEARCH_ID: &str = "_search-id";

/// The latest posted searches. The oldest are forgotten first.
pub(super) struct PostedSearches {
    searches_max: usize,
    bytes_max: usize,
    kept: Mutex<Kept>,
}

/// Who searches where: a kept search is found again by the same caller at the same path only.
pub(super) struct Asked<'a> {
    pub(super) id_key: &'a IdKey,
    pub(super) reader: &'a str,
    pub(super) path: &'a str,
}

#[derive(Default)]
struct Kept {
    by_id: BTreeMap<String, Params>,
    order: VecDeque<String>,
    bytes: usize,
}

impl PostedSearches {
    /// Keeps nothing yet.
    pub(super) fn new(options: &ApiOptions) -> Self {
        Self {
            searches_max: options.posted_searches_max,
            bytes_max: options.posted_bytes_max,
            kept: Mutex::default(),
        }
    }

    /// Keeps the parameters of a search; returns those that its links show instead.
    pub(super) fn hide(&self, asked: &Asked<'_>, used: &Params) -> Params {
        let (shown, hidden): (Vec<_>, Vec<_>) =
            used.0.iter().cloned().partition(|(name, _)| Params::is_of_page(name));
        let (mut shown, hidden) = (Params(shown), Params(hidden));
        if !hidden.0.is_empty() {
            let id = asked.id_of(&hidden);
            shown.0.push((SEARCH_ID.to_owned(), id.clone()));
            self.keep(id, hidden);
        }
        shown
    }

    /// Puts the parameters of a kept search in the place of its id.
    ///
    /// # Errors
    /// `SearchForgotten` for an id that is not kept, or is another caller's or path's.
    pub(super) fn restore(&self, asked: &Asked<'_>, params: &mut Params) -> Result<(), ApiError> {
        let Some(id) = params.last(SEARCH_ID) else { return Ok(()) };
        let hidden = self.kept().by_id.get(id).cloned();
        let hidden = hidden.filter(|hidden| asked.id_of(hidden) == id);
        let hidden = hidden.ok_or(ApiError::SearchForgotten)?;
        params.0.retain(|(name, _)| name != SEARCH_ID);
        params.0.splice(0..0, hidden.0);
        Ok(())
    }

    fn keep(&self, id: String, hidden: Params) {
        let mut kept = self.kept();
        if kept.by_id.contains_key(&id) {
            return;
        }
        kept.bytes += hidden.size_bytes();
        kept.order.push_back(id.clone());
        kept.by_id.insert(id, hidden);
        while kept.order.len() > self.searches_max || kept.bytes > self.bytes_max {
            let Some(oldest) = kept.order.pop_front() else { break };
            let freed = kept.by_id.remove(&oldest).map_or(0, |params| params.size_bytes());
            kept.bytes -= freed;
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Asked<'_> {
    /// A keyed hash: nobody without the key can try values against it, and the same search
    /// posted again takes no second place.
    fn id_of(&self, hidden: &Params) -> String {
        let key = blake3::derive_key("careweave 2026-11 posted search", &self.id_key.0);
        let search = [self.reader, self.path, &hidden.encoded()].join("\n");
        blake3::keyed_hash(&key, search.as_bytes()).to_hex()[..32].to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(value: usize) -> Params {
        Params(vec![("identifier".to_owned(), value.to_string())])
    }

    #[test]
    fn the_oldest_searches_are_forgotten_when_there_are_too_many_or_too_long_ones() {
        let id_key = IdKey([7; 32]);
        let asked = Asked { id_key: &id_key, reader: "open", path: "/fhir/Patient" };
        for (searches_max, bytes_max) in [(3, 10_000), (1_000, 33)] {
            let options = ApiOptions {
                posted_searches_max: searches_max,
                posted_bytes_max: bytes_max,
                ..ApiOptions::default()
            };
            let posted = PostedSearches::new(&options);
            let mut links: Vec<Params> = (0..5).map(|n| posted.hide(&asked, &params(n))).collect();
            posted.hide(&asked, &params(4));
            let known: Vec<bool> =
                links.iter_mut().map(|link| posted.restore(&asked, link).is_ok()).collect();
            assert_eq!(known, [false, false, true, true, true], "{searches_max} {bytes_max}");
            assert_eq!(links[4].0, params(4).0);
        }
    }

    #[test]
    fn a_kept_search_is_that_of_its_caller_and_path_only() {
        let id_key = IdKey([7; 32]);
        let asked = Asked { id_key: &id_key, reader: "open", path: "/fhir/Patient" };
        let posted = PostedSearches::new(&ApiOptions::default());
        let link = posted.hide(&asked, &params(1));
        let payer = Asked { reader: "payer", ..asked };
        let goals = Asked { id_key: &id_key, reader: "open", path: "/fhir/Goal" };
        for other in [payer, goals] {
            assert!(posted.restore(&other, &mut link.clone()).is_err());
        }
    }
}
