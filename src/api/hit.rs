//! What an answer is made of: rows of the view, and our Provenances of rows.

use bytes::Bytes;

use super::error::ApiError;
use super::paging::PageKey;
use super::provenance;
use super::reader::{Reader, RowRef};

/// A resource that an answer may give.
#[derive(Clone)]
pub(super) enum Hit {
    /// A row of a view.
    Row(RowRef),
    /// Our Provenance of a row.
    Provenance(RowRef),
}

impl Hit {
    /// Where a search gives it: what we made over the sources (the woven plan) comes first,
    /// then by id; our Provenances come last, by the id of what they are about.
    pub(super) fn key(&self) -> PageKey {
        match self {
            Self::Row(row) => {
                // What we propose stands among what is stated.
                let is_woven = row.row().made_by_us && row.resource_type.name() == "CarePlan";
                PageKey { rank: u8::from(!is_woven), id: row.row().id }
            }
            Self::Provenance(row) => PageKey { rank: 2, id: row.row().id },
        }
    }

    /// The id that it is given under.
    pub(super) fn id(&self) -> String {
        match self {
            Self::Row(row) => row.row().id.to_string(),
            Self::Provenance(row) => provenance::id_of(row),
        }
    }

    /// The row, if it is one.
    pub(super) fn as_row(&self) -> Option<&RowRef> {
        match self {
            Self::Row(row) => Some(row),
            Self::Provenance(_) => None,
        }
    }

    /// `Type/id` and body of each, in the order given, and notes them as disclosed. A row that
    /// has left the view meanwhile has no body.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) fn rendered(
        hits: &[Self],
        reader: &mut Reader<'_>,
    ) -> Result<Vec<(String, Option<Bytes>)>, ApiError> {
        let rows: Vec<RowRef> = hits.iter().filter_map(Self::as_row).cloned().collect();
        let mut bodies = reader.bodies(&rows)?.into_iter();
        let mut rendered = Vec::with_capacity(hits.len());
        for hit in hits {
            rendered.push(match hit {
                Self::Row(row) => {
                    reader.note_disclosed(std::slice::from_ref(row));
                    (row.reference(), bodies.next().flatten())
                }
                Self::Provenance(row) => {
                    reader.note_disclosed(std::slice::from_ref(row));
                    let body = provenance::body(reader, row)?;
                    (format!("Provenance/{}", provenance::id_of(row)), body)
                }
            });
        }
        Ok(rendered)
    }
}
