//! A page of a history: changes become entries, with what may be shown of each version.
//! <https://hl7.org/fhir/R4/http.html#history>

use axum::http::StatusCode;
use bytes::Bytes;

use crate::fhir::bundle::{AnsweredEntry, answered};
use crate::fhir::{Issue, operation_outcome};
use crate::flow::DerivedId;
use crate::store::{Change, ChangeKind};

use super::error::ApiError;
use super::paging::{CursorSeal, PageKey};
use super::params::Params;
use super::reader::Reader;
use super::respond::Answer;
use super::vread;

/// Where a change stands in the log: the commit, and within it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Place {
    /// The commit.
    pub(super) seq: u64,
    /// Falls from change to change in the order of the page.
    pub(super) index: u32,
}

/// What a page of a history says of itself.
pub(super) struct HistoryPage<'a> {
    /// Path below the public base.
    pub(super) path: &'a str,
    /// The parameters that links state, without the cursor.
    pub(super) params: &'a Params,
    /// The cursor of this page.
    pub(super) cursor: Option<&'a str>,
    /// Seals the next one.
    pub(super) seal: &'a CursorSeal,
    /// How many entries all pages have, if that is known.
    pub(super) total: Option<usize>,
    /// The last place of this page, if more come after it.
    pub(super) next: Option<Place>,
}

impl Place {
    /// The place that a cursor names.
    pub(super) fn of_key(key: PageKey) -> Self {
        let [seq, index] = [key.id.0 >> 32, key.id.0 & u128::from(u32::MAX)];
        let seq = u64::try_from(seq).unwrap_or(u64::MAX);
        Self { seq, index: u32::try_from(index).unwrap_or(u32::MAX) }
    }

    fn key(self) -> PageKey {
        PageKey { rank: 0, id: DerivedId(u128::from(self.seq) << 32 | u128::from(self.index)) }
    }
}

impl HistoryPage<'_> {
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
        if let Some(next) = self.next {
            links.push(("next", url(Some(&self.seal.seal(next.key())))));
        }
        links
    }
}

/// Writes the Bundle of these changes.
///
/// # Errors
/// When the store fails.
pub(super) fn answer(
    reader: &mut Reader<'_>,
    page: &HistoryPage<'_>,
    changes: Vec<Change>,
) -> Result<Answer, ApiError> {
    let links = page.links(reader.gateway.public_base_url());
    let entries: Result<Vec<AnsweredEntry>, ApiError> =
        changes.iter().map(|change| entry(reader, change)).collect();
    let total = page.total.and_then(|total| u64::try_from(total).ok());
    Ok(Answer::resource(answered("history", &links, total, &entries?)))
}

fn entry(reader: &mut Reader<'_>, change: &Change) -> Result<AnsweredEntry, ApiError> {
    let reference = format!("{}/{}", change.resource_type, change.id);
    let mut entry = AnsweredEntry {
        full_url: format!("{}/fhir/{reference}", reader.gateway.public_base_url()),
        etag: Some(format!("W/\"{}\"", change.version)),
        last_modified: Some(format!("{:.3}", change.at)),
        ..AnsweredEntry::default()
    };
    let (method, url, status) = match change.kind {
        ChangeKind::Created => ("POST", change.resource_type.to_string(), StatusCode::CREATED),
        ChangeKind::Removed => ("DELETE", reference, StatusCode::NO_CONTENT),
        ChangeKind::Updated | ChangeKind::Arrived | ChangeKind::Left => {
            ("PUT", reference, StatusCode::OK)
        }
    };
    entry.request = Some((method, url));
    entry.status = status.to_string();
    if change.kind != ChangeKind::Removed {
        entry.body = vread::version_shown(reader, change.resource_type, change.id, change.version)?;
        if entry.body.is_none() {
            entry.status = StatusCode::GONE.to_string();
            entry.outcome = Some(closed());
        }
    }
    Ok(entry)
}

/// Why a version has an entry and no resource.
fn closed() -> Bytes {
    let issue = Issue {
        severity: "information",
        code: "suppressed",
        diagnostics: "this version is not shown: its sources have withdrawn it, or it was woven \
                      also from records of another person"
            .to_owned(),
        expression: Vec::new(),
    };
    operation_outcome(&[issue]).to_string().into()
}
