//! The versions of one source record, and which of them is current.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::id::Hash;
use super::key::{Home, RecordKey};

/// When and as what a version was stated.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Stamp {
    /// `meta.versionId` at the endpoint.
    pub version_id: Option<Box<str>>,
    /// `meta.lastUpdated` at the endpoint.
    pub last_updated: Option<Timestamp>,
    /// When we received it.
    pub observed_at: Timestamp,
}

/// What a version says of its record.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Debug)]
pub enum State {
    /// The endpoint states the resource.
    Live,
    /// The endpoint answered 404 or 410, or its history says deleted.
    Deleted,
    /// It was missing from a complete pull and from a request by id.
    Absent,
}

/// One immutable version, without its content.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Version {
    /// When and as what it was stated; `observed_at` is the first time.
    pub stamp: Stamp,
    /// The last time it was observed unchanged.
    pub confirmed_at: Timestamp,
    /// Hash of the canonical content without `meta.versionId` and `meta.lastUpdated`.
    pub hash: Hash,
    /// What it says of the record.
    pub state: State,
    /// The home its content names.
    pub home: Home,
}

/// All versions of one source record, oldest first; the last is the current one.
///
/// # Invariant
/// Never empty, and ordered by (lastUpdated, versionId) if all versions have them, else by when
/// they were observed; of neighbours without upstream version no two state the same content.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct RecordHeader {
    /// The record.
    pub key: RecordKey,
    /// The accept commit that first held it: decides whose id a woven resource shows.
    pub first_seq: u64,
    /// The record it was lifted from, for contained resources.
    pub parent: Option<RecordKey>,
    versions: Vec<Version>,
}

/// What an observed version turned out to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Observed {
    /// A version that was not known.
    New,
    /// Content that was known to hold at that time.
    Repeat,
}

impl RecordHeader {
    /// The history of a record of which this is the first version.
    pub fn new(
        key: RecordKey,
        first_seq: u64,
        parent: Option<RecordKey>,
        version: Version,
    ) -> Self {
        Self { key, first_seq, parent, versions: vec![version] }
    }

    /// The versions, oldest first.
    pub fn versions(&self) -> &[Version] {
        &self.versions
    }

    /// The current version.
    pub fn current(&self) -> &Version {
        self.versions.last().expect("a record has at least one version")
    }

    /// Where the current version lives.
    pub fn home(&self) -> &Home {
        &self.current().home
    }

    /// The last version that was live, if there ever was one.
    pub fn last_live(&self) -> Option<&Version> {
        self.versions.iter().rev().find(|v| v.state == State::Live)
    }

    /// Says that the versions that live in one home live in another: for records that name no
    /// patient themselves, once it is known whose they are.
    pub fn move_versions(&mut self, from: &Home, to: &Home) {
        for version in self.versions.iter_mut().filter(|v| v.home == *from) {
            version.home = to.clone();
        }
        self.collapse();
    }

    /// Whether both say the same: all but when it was last confirmed.
    pub fn says_the_same(&self, other: &Self) -> bool {
        let said = |v: &Version| Version { confirmed_at: v.stamp.observed_at, ..v.clone() };
        self.versions.iter().map(said).eq(other.versions.iter().map(said))
    }

    /// Takes in one observation, whatever the order observations come in.
    ///
    /// A re-send is a repeat only when it says what the version before or at that time says;
    /// so A, B, A are three versions. A late observation between two that were taken for one
    /// parts them: the history may grow by two, or by none.
    pub fn observe(&mut self, seen: Version) -> Observed {
        // The same upstream version again, wherever it stands in the history.
        let again = self.versions.iter_mut().find(|v| same_statement(v, &seen));
        if let Some(known) = again {
            known.stamp.observed_at = known.stamp.observed_at.min(seen.stamp.observed_at);
            known.confirmed_at = known.confirmed_at.max(seen.confirmed_at);
            self.put_in_order();
            return Observed::Repeat;
        }
        let before = self.versions.len();
        self.split_around(&seen);
        self.versions.push(seen);
        self.put_in_order();
        if self.versions.len() > before { Observed::New } else { Observed::Repeat }
    }

    /// A version confirmed at t1 and t3 did not hold throughout if another was seen at t2.
    fn split_around(&mut self, seen: &Version) {
        let at = seen.stamp.observed_at;
        let parted = self.versions.iter_mut().find(|v| {
            unstamped(v)
                && !same_content(v, seen)
                && v.stamp.observed_at < at
                && at < v.confirmed_at
        });
        if let Some(version) = parted {
            let mut after = version.clone();
            after.stamp.observed_at = version.confirmed_at;
            version.confirmed_at = version.stamp.observed_at;
            self.versions.push(after);
        }
    }

    fn put_in_order(&mut self) {
        self.sort();
        self.house_withdrawals();
        self.collapse();
    }

    fn sort(&mut self) {
        let stamped = self.versions.iter().all(|v| !unstamped(v));
        // Among others, the newest upstream version stands where it was last seen: what was gone
        // and is stated again, unchanged, is back. Older ones never come after it.
        let newest =
            self.versions.iter().filter(|v| !unstamped(v)).max_by_key(|v| (upstream(v), v.hash));
        let newest = newest.map(|v| (v.stamp.clone(), v.hash, v.confirmed_at));
        let seen = |v: &Version| match &newest {
            Some((stamp, hash, until)) if !unstamped(v) => {
                let is_newest = v.stamp == *stamp && v.hash == *hash;
                if is_newest { *until } else { v.stamp.observed_at.min(*until) }
            }
            _ => v.stamp.observed_at,
        };
        self.versions.sort_by(|a, b| {
            let by_time = if stamped { Ordering::Equal } else { seen(a).cmp(&seen(b)) };
            let both = !unstamped(a) && !unstamped(b);
            let by_upstream = if both { upstream(a).cmp(&upstream(b)) } else { Ordering::Equal };
            by_time
                .then(unstamped(a).cmp(&unstamped(b)))
                .then(by_upstream)
                .then(a.stamp.observed_at.cmp(&b.stamp.observed_at))
                .then(a.hash.cmp(&b.hash))
                .then(a.state.cmp(&b.state))
                .then(a.home.cmp(&b.home))
        });
    }

    /// A withdrawal names no home: it lives with the version that it withdraws, or, as long as
    /// that has not come, with the first that has.
    fn house_withdrawals(&mut self) {
        let first = self.versions.iter().find(|v| v.state == State::Live);
        let Some(mut home) = first.map(|v| v.home.clone()) else { return };
        for version in &mut self.versions {
            match version.state {
                State::Live => home.clone_from(&version.home),
                State::Deleted | State::Absent => version.home.clone_from(&home),
            }
        }
    }

    fn collapse(&mut self) {
        self.versions.dedup_by(|later, earlier| {
            // An upstream version stays one: dropping its stamp would lose its place in the order
            // should one between the two arrive late.
            let same = same_content(later, earlier) && (unstamped(later) || unstamped(earlier));
            if same {
                earlier.confirmed_at = earlier.confirmed_at.max(later.confirmed_at);
            }
            same
        });
    }
}

fn same_content(a: &Version, b: &Version) -> bool {
    let is_live = a.state == State::Live;
    a.hash == b.hash && a.state == b.state && (!is_live || a.home == b.home)
}

fn same_statement(a: &Version, b: &Version) -> bool {
    let same_stamp =
        a.stamp.version_id == b.stamp.version_id && a.stamp.last_updated == b.stamp.last_updated;
    let dated = a.stamp.version_id.is_some() && a.stamp.last_updated.is_some();
    same_content(a, b) && same_stamp && (dated || a.stamp.observed_at == b.stamp.observed_at)
}

fn unstamped(version: &Version) -> bool {
    version.stamp.version_id.is_none() || version.stamp.last_updated.is_none()
}

fn upstream(version: &Version) -> (Option<Timestamp>, (bool, u64, &str)) {
    (version.stamp.last_updated, version_order(version))
}

/// Numbers order as numbers ("9" before "10"), all else as text after them.
fn version_order(version: &Version) -> (bool, u64, &str) {
    let text = version.stamp.version_id.as_deref().unwrap_or_default();
    match text.parse::<u64>() {
        Ok(number) => (false, number, text),
        Err(_) => (true, 0, text),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fhir::ResourceType;

    fn key() -> RecordKey {
        RecordKey::new("mercy", ResourceType::of("Goal"), "g1")
    }

    fn version(content: u128, at_s: i64, stamped: bool) -> Version {
        let at = Timestamp::from_second(at_s).expect("small");
        Version {
            stamp: Stamp {
                version_id: stamped.then(|| at_s.to_string().into()),
                last_updated: stamped.then_some(at),
                observed_at: at,
            },
            confirmed_at: at,
            hash: Hash(content),
            state: State::Live,
            home: Home::Shared(key()),
        }
    }

    fn header_of(observed: &[Version]) -> RecordHeader {
        let mut header = RecordHeader::new(key(), 1, None, observed[0].clone());
        for version in &observed[1..] {
            header.observe(version.clone());
        }
        header
    }

    #[test]
    fn a_b_a_are_three_versions_and_a_resend_is_no_version() {
        for stamped in [false, true] {
            let [a, b, again] = [(1, 1), (2, 2), (1, 3)].map(|(c, t)| version(c, t, stamped));
            let mut header = header_of(&[a, b.clone(), again.clone()]);
            assert_eq!(header.versions().len(), 3);
            assert_eq!(header.observe(again), Observed::Repeat);
            assert_eq!(header.observe(b), Observed::Repeat);
            assert_eq!((header.versions().len(), header.current().hash), (3, Hash(1)));
        }
    }

    proptest! {
        #[test]
        fn the_current_version_does_not_depend_on_the_order_of_arrival(
            contents in prop::collection::vec(0u128..3, 1..8),
            order in prop::collection::vec(any::<prop::sample::Index>(), 1..24),
            stamped: bool,
        ) {
            let seen: Vec<Version> =
                (1i64..).zip(&contents).map(|(t, c)| version(*c, t, stamped)).collect();
            let in_order = header_of(&seen);
            let mut shuffled: Vec<Version> = order.iter().map(|i| i.get(&seen).clone()).collect();
            shuffled.extend(seen.iter().rev().cloned());
            let any_order = header_of(&shuffled);
            prop_assert_eq!(in_order.current().hash, any_order.current().hash);
            prop_assert_eq!(in_order.current().hash, Hash(*contents.last().expect("not empty")));
        }
    }
}
