//! The keys of the one tree: a byte for the kind, then parts that order as they must be walked.

use jiff::civil::Date;

use crate::fhir::ResourceType;
use crate::flow::{BlockingKey, DerivedId, DisclosureClass, Hash, Home, Owner, RecordKey};

/// Format of the store.
pub(super) const FORMAT: &[u8] = b"!format";
/// The secret that ids are derived from.
pub(super) const ID_KEY: &[u8] = b"!idkey";
/// The seq of the last commit.
pub(super) const LAST_SEQ: &[u8] = b"!seq";
/// How many homes are dirty.
pub(super) const DIRTY_COUNT: &[u8] = b"!dirty";
/// How many pairs are queued for review.
pub(super) const REVIEW_COUNT: &[u8] = b"!reviews";
/// All counters.
pub(super) const COUNTERS: &[u8] = b"!counters";

/// Kinds of keys. A kind's byte is part of the stored format.
pub(super) const RECORD: u8 = b'r';
pub(super) const HOME_BLOB: u8 = b'h';
pub(super) const HOME: u8 = b'o';
pub(super) const DIRTY: u8 = b'd';
pub(super) const DIRTY_PLACE: u8 = b'D';
pub(super) const QUARANTINE: u8 = b'u';
pub(super) const QUARANTINE_PLACE: u8 = b'U';
pub(super) const CURSOR: u8 = b'j';
pub(super) const LINK: u8 = b'l';
pub(super) const OWNER: u8 = b'w';
pub(super) const BLOCK: u8 = b'b';
pub(super) const BLOCK_MEMBER: u8 = b'B';
pub(super) const DECISION: u8 = b'k';
pub(super) const PAST_DECISION: u8 = b'K';
pub(super) const OVERRIDE: u8 = b'W';
pub(super) const PAIR: u8 = b'P';
pub(super) const PAIR_NOTE: u8 = b'N';
pub(super) const PROPOSAL: u8 = b'O';
pub(super) const PARTNER: u8 = b'M';
pub(super) const REVIEW: u8 = b'q';
pub(super) const REVIEW_PLACE: u8 = b'Q';
pub(super) const CLASS: u8 = b'g';
pub(super) const VIEW: u8 = b'v';
pub(super) const VIEW_SIDE: u8 = b'V';
pub(super) const DISPOSITIONS: u8 = b'p';
pub(super) const LISTING: u8 = b'T';
pub(super) const VALUES: u8 = b'S';
pub(super) const TRACES: u8 = b'R';
pub(super) const SEGMENT: u8 = b's';
pub(super) const PAST_BODY: u8 = b'y';
pub(super) const GONE_ROW: u8 = b'z';
pub(super) const CHANGES: u8 = b'c';
/// Which commits changed an owner's view.
pub(super) const HISTORY: u8 = b'H';
pub(super) const INDEX: u8 = b'x';
pub(super) const REFERRER: u8 = b'f';
pub(super) const DUE: u8 = b'e';
pub(super) const ISSUED: u8 = b'i';
pub(super) const PIECE: u8 = b'~';

/// A key under construction.
#[derive(Clone, Debug)]
pub(super) struct Key(Vec<u8>);

impl Key {
    /// Begins a key of a kind.
    pub(super) fn new(kind: u8) -> Self {
        let mut bytes = Vec::with_capacity(80);
        bytes.push(kind);
        Self(bytes)
    }

    /// Begins a key of a kind that is kept per disclosure class.
    pub(super) fn of_class(kind: u8, class: &DisclosureClass) -> Self {
        Self::new(kind).hash(class.key())
    }

    pub(super) fn hash(self, hash: Hash) -> Self {
        self.raw(&hash.0.to_be_bytes())
    }

    pub(super) fn id(self, id: DerivedId) -> Self {
        self.raw(&id.0.to_be_bytes())
    }

    pub(super) fn block(self, key: BlockingKey) -> Self {
        self.hash(key.0)
    }

    pub(super) fn number(self, number: u64) -> Self {
        self.raw(&number.to_be_bytes())
    }

    pub(super) fn small(self, number: u32) -> Self {
        self.raw(&number.to_be_bytes())
    }

    pub(super) fn owner(self, owner: Owner) -> Self {
        let tag = match owner {
            Owner::Person(_) => 0,
            Owner::Directory(_) => 1,
        };
        self.raw(&[tag]).id(owner.id())
    }

    pub(super) fn resource_type(self, resource_type: ResourceType) -> Self {
        self.text(resource_type.name())
    }

    /// A day, so that earlier ones come first.
    pub(super) fn day(self, day: Date) -> Self {
        // Flipping the sign bit makes two's complement order like unsigned.
        let year = day.year().cast_unsigned() ^ 0x8000;
        let [high, low] = year.to_be_bytes();
        self.raw(&[high, low, day.month().cast_unsigned(), day.day().cast_unsigned()])
    }

    /// A text with an end, so that keys order as the texts do. A zero byte is escaped.
    pub(super) fn text(mut self, text: &str) -> Self {
        for &byte in text.as_bytes() {
            self.0.push(byte);
            if byte == 0 {
                self.0.push(0xff);
            }
        }
        self.0.extend_from_slice(&[0, 0]);
        self
    }

    /// A home in the order of [`Home`]; homes are told apart by it.
    pub(super) fn home(self, home: &Home) -> Self {
        match home {
            Home::Chart(chart) => self.raw(&[0]).text(&chart.endpoint).text(&chart.patient),
            Home::Directory(record) => self.raw(&[1]).record(record),
            Home::Shared(record) => self.raw(&[2]).record(record),
        }
    }

    fn record(self, record: &RecordKey) -> Self {
        self.text(&record.endpoint).resource_type(record.resource_type).text(&record.id)
    }

    pub(super) fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }
}

impl AsRef<[u8]> for Key {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// A short name of a home for keys that need no order.
pub(super) fn home_hash(home: &Home) -> Hash {
    Hash::of(Key::new(HOME).home(home).as_ref())
}

/// An owner at this place of a key.
pub(super) fn owner_at(key: &[u8], at: usize) -> Option<Owner> {
    let id = id_at(key, at + 1)?;
    match key.get(at)? {
        0 => Some(Owner::Person(id)),
        1 => Some(Owner::Directory(id)),
        _ => None,
    }
}

/// An id at this place of a key.
pub(super) fn id_at(key: &[u8], at: usize) -> Option<DerivedId> {
    let bytes: [u8; 16] = key.get(at..at + 16)?.try_into().ok()?;
    Some(DerivedId(u128::from_be_bytes(bytes)))
}

/// Length of an owner in a key.
pub(super) const OWNER_LEN: usize = 17;
/// Length of the beginning of a key that is kept per class.
pub(super) const CLASS_LEN: usize = 17;

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::flow::ChartKey;

    fn any_home() -> impl Strategy<Value = Home> {
        let text = "[a-c\u{0}]{0,3}";
        (0..3, text, text, 0..2).prop_map(|(kind, endpoint, id, name)| {
            let record = RecordKey::new(
                &endpoint,
                ResourceType::of(if name == 0 { "Goal" } else { "Task" }),
                &id,
            );
            match kind {
                0 => Home::Chart(ChartKey::new(&endpoint, &id)),
                1 => Home::Directory(record),
                _ => Home::Shared(record),
            }
        })
    }

    proptest! {
        #[test]
        fn keys_of_homes_order_as_homes_do(a in any_home(), b in any_home()) {
            let key = |home| Key::new(HOME).home(home).as_ref().to_vec();
            prop_assert_eq!(key(&a).cmp(&key(&b)), a.cmp(&b));
        }
    }

    #[test]
    fn days_order_in_keys() {
        let key = |day: &str| Key::new(DUE).day(day.parse().unwrap()).as_ref().to_vec();
        assert!(key("2026-02-28") < key("2026-03-01"));
        assert!(key("-000001-12-31") < key("0000-01-01"));
    }
}
