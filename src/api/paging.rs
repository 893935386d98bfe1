//! Pages that go on after a row, never after a number of rows: what comes or goes meanwhile
//! makes no other row appear twice or not at all.
//! <https://hl7.org/fhir/R4/http.html#paging>

use crate::flow::{DerivedId, IdKey};

use super::error::ApiError;
use super::hit::Hit;
use super::params::Params;

/// Where a row stands in the order of an answer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct PageKey {
    /// What goes first: the woven plan, the Patient.
    pub(super) rank: u8,
    /// Then by id.
    pub(super) id: DerivedId,
}

/// Seals cursors, so that one works for the caller and the search it was made for only.
pub(super) struct CursorSeal {
    key: [u8; 32],
    bound_to: Vec<u8>,
}

/// One page of an ordered answer.
pub(super) struct Page {
    /// What it gives.
    pub(super) hits: Vec<Hit>,
    /// How many all pages give, if that is known.
    pub(super) total: Option<usize>,
    /// The last one, if more come after it.
    pub(super) next: Option<PageKey>,
}

const KEY_LEN: usize = 17;
const MAC_LEN: usize = 16;

impl CursorSeal {
    /// The seal of one search of one caller.
    pub(super) fn new(id_key: &IdKey, reader: &str, path: &str, params: &Params) -> Self {
        let bound = params.0.iter().filter(|(name, _)| !Params::is_of_page(name));
        let search = Params(bound.cloned().collect()).encoded();
        let bound_to = [reader, path, &search].join("\n").into_bytes();
        Self { key: blake3::derive_key("careweave 2026-11 paging cursor", &id_key.0), bound_to }
    }

    /// The cursor that goes on after a row.
    pub(super) fn seal(&self, key: PageKey) -> String {
        let mut bytes = vec![key.rank];
        bytes.extend_from_slice(&key.id.0.to_be_bytes());
        bytes.extend_from_slice(&self.mac(&bytes)[..MAC_LEN]);
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Reads a cursor back.
    ///
    /// # Errors
    /// `BadCursor` for what was not sealed here for this search and caller.
    pub(super) fn open(&self, cursor: &str) -> Result<PageKey, ApiError> {
        let digits: Option<Vec<u8>> = cursor
            .chars()
            .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect();
        let digits = digits.filter(|d| d.len() == 2 * (KEY_LEN + MAC_LEN));
        let digits = digits.ok_or(ApiError::BadCursor)?;
        let bytes: Vec<u8> = digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect();
        let (body, mac) = bytes.split_at(KEY_LEN);
        // Compared as hashes: blake3 does so in constant time.
        let ours = blake3::hash(&self.mac(body)[..MAC_LEN]);
        if ours != blake3::hash(mac) {
            return Err(ApiError::BadCursor);
        }
        let (rank, id) = body.split_first().ok_or(ApiError::BadCursor)?;
        let id = id.try_into().map_err(|_| ApiError::BadCursor)?;
        Ok(PageKey { rank: *rank, id: DerivedId(u128::from_be_bytes(id)) })
    }

    fn mac(&self, body: &[u8]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(body);
        hasher.update(&self.bound_to);
        *hasher.finalize().as_bytes()
    }
}

/// The page after a hit. Orders the hits and drops repeats.
pub(super) fn page(mut hits: Vec<(PageKey, Hit)>, after: Option<PageKey>, count: usize) -> Page {
    hits.sort_by_key(|(key, _)| *key);
    hits.dedup_by_key(|(key, _)| *key);
    let total = hits.len();
    let start = after.map_or(0, |after| hits.partition_point(|(key, _)| *key <= after));
    let end = total.min(start.saturating_add(count));
    let more = count > 0 && end < total;
    let next = more.then(|| hits[end - 1].0);
    let hits = hits.drain(start..end).map(|(_, hit)| hit).collect();
    Page { hits, total: Some(total), next }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(text: &str) -> Params {
        Params(vec![("status".to_owned(), text.to_owned())])
    }

    #[test]
    fn a_cursor_opens_for_its_own_search_and_caller_only() {
        let key = IdKey([7; 32]);
        let seal = CursorSeal::new(&key, "open", "/fhir/Goal", &params("active"));
        let at = PageKey { rank: 1, id: DerivedId(u128::MAX / 3) };
        let cursor = seal.seal(at);
        assert_eq!(seal.open(&cursor).ok(), Some(at));
        let other_search = CursorSeal::new(&key, "open", "/fhir/Goal", &params("completed"));
        let other_caller = CursorSeal::new(&key, "payer", "/fhir/Goal", &params("active"));
        assert!(other_search.open(&cursor).is_err());
        assert!(other_caller.open(&cursor).is_err());
        for broken in ["", "00", "zz", &cursor[2..], &format!("{cursor}00"), "é"] {
            assert!(seal.open(broken).is_err(), "{broken}");
        }
    }
}
