//! Writing a searchset: rows, what goes with them, links, and what the client must be told.
//! <https://hl7.org/fhir/R4/bundle.html#searchset>

use bytes::Bytes;

use crate::fhir::bundle::{SearchsetEntry, searchset};
use crate::fhir::{Issue, Subset, operation_outcome};

use super::completeness;
use super::error::ApiError;
use super::hit::Hit;
use super::params::Params;
use super::reader::Reader;
use super::respond::Answer;

/// What a searchset is made of.
pub(super) struct Searchset<'a> {
    /// Path below the public base: `/fhir/Goal`.
    pub(super) path: &'a str,
    /// The parameters that links state, without the cursor.
    pub(super) params: &'a Params,
    /// The cursor of this page.
    pub(super) cursor: Option<&'a str>,
    /// The cursor of the next page, if there is one.
    pub(super) next: Option<String>,
    /// How many match, if that is to be told.
    pub(super) total: Option<usize>,
    /// What is found.
    pub(super) hits: Vec<Hit>,
    /// What goes with them.
    pub(super) extras: Vec<Hit>,
    /// What is given of what is found; what goes with it is given whole.
    pub(super) subset: &'a Subset,
    /// What the client must be told.
    pub(super) notes: Vec<Issue>,
}

impl Searchset<'_> {
    /// Writes the Bundle.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) fn answer(self, reader: &mut Reader<'_>) -> Result<Answer, ApiError> {
        let base = reader.gateway.public_base_url();
        let links = self.links(base);
        let mut entries: Vec<(String, Bytes, &'static str)> = Vec::new();
        let whole = &Subset::Whole;
        let parts = [(&self.hits, "match", self.subset), (&self.extras, "include", whole)];
        for (hits, mode, subset) in parts {
            for (reference, body) in Hit::rendered(hits, reader)? {
                let Some(body) = body else { continue };
                let body = subset.of(&body).map_or(body, Bytes::from);
                entries.push((reference, body, mode));
            }
        }
        let mut issues = self.notes;
        issues.extend(completeness::of(reader).issues());
        if !issues.is_empty() {
            let outcome = operation_outcome(&issues).to_string();
            entries.push((String::new(), outcome.into(), "outcome"));
        }
        let entries: Vec<SearchsetEntry<'_>> = entries
            .iter()
            .map(|(reference, body, mode)| entry(base, reference, body, mode))
            .collect();
        let total = self.total.and_then(|total| u64::try_from(total).ok());
        Ok(Answer::resource(searchset(&links, total, &entries)))
    }

    fn links(&self, base: &str) -> Vec<(&'static str, String)> {
        let url = |cursor: Option<&str>| {
            let mut params = self.params.clone();
            if let Some(cursor) = cursor {
                params.0.push(("_cursor".to_owned(), cursor.to_owned()));
            }
            let query = params.encoded();
            let mark = if query.is_empty() { "" } else { "?" };
            format!("{base}{}{mark}{query}", self.path)
        };
        let mut links = vec![("self", url(self.cursor)), ("first", url(None))];
        if let Some(next) = &self.next {
            links.push(("next", url(Some(next))));
        }
        links
    }
}

fn entry<'a>(
    base: &str,
    reference: &str,
    body: &'a [u8],
    mode: &'static str,
) -> SearchsetEntry<'a> {
    let full_url =
        if reference.is_empty() { String::new() } else { format!("{base}/fhir/{reference}") };
    SearchsetEntry { full_url, body, mode, score: None }
}
