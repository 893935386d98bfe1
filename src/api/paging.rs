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
pub(super) struct Page<K> {
    /// What it gives.
    pub(super) hits: Vec<Hit>,
    /// How many all pages give, if that is known.
    pub(super) total: Option<usize>,
    /// The last one, if more come after it.
    pub(super) next: Option<K>,
}

const MAC_LEN: usize = 16;
/// The longest place that a cursor may name, in bytes.
const PLACE_MAX: usize = 2048;

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
        self.seal_place(&key.encode())
    }

    /// The cursor that goes on after a place. What it holds cannot be read from it: a place in a
    /// sorted answer has values of a patient's record in it.
    pub(super) fn seal_place(&self, place: &[u8]) -> String {
        let mac = self.mac(place);
        let mut bytes = mac[..MAC_LEN].to_vec();
        bytes.extend_from_slice(&self.masked(&mac[..MAC_LEN], place));
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Reads a cursor back.
    ///
    /// # Errors
    /// `BadCursor` for what was not sealed here for this search and caller.
    pub(super) fn open(&self, cursor: &str) -> Result<PageKey, ApiError> {
        PageKey::decode(&self.open_place(cursor)?).ok_or(ApiError::BadCursor)
    }

    /// Reads the place of a cursor back.
    ///
    /// # Errors
    /// `BadCursor` for what was not sealed here for this search and caller.
    pub(super) fn open_place(&self, cursor: &str) -> Result<Vec<u8>, ApiError> {
        let digits: Option<Vec<u8>> = cursor
            .chars()
            .take(2 * (PLACE_MAX + MAC_LEN) + 1)
            .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect();
        let fits = |d: &Vec<u8>| {
            d.len().is_multiple_of(2)
                && (2 * MAC_LEN..=2 * (PLACE_MAX + MAC_LEN)).contains(&d.len())
        };
        let digits = digits.filter(fits).ok_or(ApiError::BadCursor)?;
        let bytes: Vec<u8> = digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect();
        let (mac, masked) = bytes.split_at(MAC_LEN);
        let place = self.masked(mac, masked);
        // Compared as hashes: blake3 does so in constant time.
        let ours = blake3::hash(&self.mac(&place)[..MAC_LEN]);
        if ours != blake3::hash(mac) {
            return Err(ApiError::BadCursor);
        }
        Ok(place)
    }

    /// The place under a key stream that its own mac begins (a synthetic IV): the same place
    /// always has the same cursor, and without the key nothing can be told of it.
    fn masked(&self, mac: &[u8], place: &[u8]) -> Vec<u8> {
        let stream_key = blake3::derive_key("careweave 2026-11 paging cursor stream", &self.key);
        let mut stream = vec![0; place.len()];
        blake3::Hasher::new_keyed(&stream_key).update(mac).finalize_xof().fill(&mut stream);
        stream.iter().zip(place).map(|(stream, byte)| stream ^ byte).collect()
    }

    fn mac(&self, body: &[u8]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(body);
        hasher.update(&self.bound_to);
        *hasher.finalize().as_bytes()
    }
}

impl PageKey {
    /// How many bytes one takes.
    pub(super) const LEN: usize = 17;

    /// Its bytes.
    pub(super) fn encode(self) -> Vec<u8> {
        let mut bytes = vec![self.rank];
        bytes.extend_from_slice(&self.id.0.to_be_bytes());
        bytes
    }

    /// Reads them back.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (rank, id) = bytes.split_first()?;
        Some(Self { rank: *rank, id: DerivedId(u128::from_be_bytes(id.try_into().ok()?)) })
    }
}

/// The page after a hit. Orders the hits and drops repeats.
pub(super) fn page<K: Ord + Clone>(
    mut hits: Vec<(K, Hit)>,
    after: Option<&K>,
    count: usize,
) -> Page<K> {
    hits.sort_by(|(a, _), (b, _)| a.cmp(b));
    hits.dedup_by(|(a, _), (b, _)| a == b);
    let total = hits.len();
    let start = after.map_or(0, |after| hits.partition_point(|(key, _)| key <= after));
    let end = total.min(start.saturating_add(count));
    let more = count > 0 && end < total;
    let next = more.then(|| hits[end - 1].0.clone());
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
