//! A model of the store in memory, and random commits that both must answer alike.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proptest::prelude::*;

use super::fixture::{at, block, chart, content, goal, link, person, record, view};
use super::{Accept, Settle, Store, StoreError};
use crate::flow::{Access, DerivedId, Hash, Home, RecordHeader};

/// One random commit. Numbers are small, so that commits meet.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Accept { id: u128, text: u8, home: u8, second: i64 },
    Stale { id: u128 },
    Settle { owner: u128, rows: BTreeMap<u128, u8>, removed: Option<u128> },
    Link { home: u8, keys: BTreeSet<u128> },
    Clean,
    Reopen,
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let rows = proptest::collection::btree_map(0..6_u128, 0..4_u8, 0..5);
    let removed = proptest::option::weighted(0.3, 0..3_u128);
    let step = prop_oneof![
        4 => (0..5_u128, 0..4_u8, 0..3_u8, 0..50_i64)
            .prop_map(|(id, text, home, second)| Step::Accept { id, text, home, second }),
        1 => (0..5_u128).prop_map(|id| Step::Stale { id }),
        4 => (0..3_u128, rows, removed)
            .prop_map(|(owner, rows, removed)| Step::Settle { owner, rows, removed }),
        2 => (0..3_u8, proptest::collection::btree_set(0..4_u128, 0..3))
            .prop_map(|(home, keys)| Step::Link { home, keys }),
        1 => Just(Step::Clean),
        1 => Just(Step::Reopen),
    ];
    proptest::collection::vec(step, 1..40)
}

/// What the store ought to hold.
#[derive(Default)]
struct Model {
    headers: BTreeMap<u128, RecordHeader>,
    contents: BTreeMap<(u8, u128), BTreeSet<Hash>>,
    views: BTreeMap<u128, BTreeMap<u128, (u8, u32)>>,
    versions: BTreeMap<u128, u32>,
    past: BTreeSet<(u128, u32)>,
    blocks: BTreeMap<u128, BTreeSet<u8>>,
    dirty: BTreeSet<u8>,
}

fn home(n: u8) -> Home {
    chart("a", &n.to_string())
}

fn text(n: u8) -> String {
    format!("text {n}")
}

fn hash(n: u8) -> Hash {
    Hash::of(text(n).as_bytes())
}

impl Model {
    fn apply(&mut self, store: &dyn Store, step: Step) {
        match step {
            Step::Accept { id, text, home, second } => self.accept(store, id, text, home, second),
            Step::Stale { id } => {
                let write = record(id, None, "stale", &home(0), 1);
                let stale = Accept { records: vec![write], ..Accept::default() };
                if self.headers.contains_key(&id) {
                    assert!(matches!(store.accept(stale), Err(StoreError::Conflict)));
                }
            }
            Step::Settle { owner, rows, removed } => self.settle(store, owner, rows, removed),
            Step::Link { home: n, keys } => {
                let keys_of_home: Vec<u128> = keys.iter().copied().collect();
                let links = vec![link(&home(n), person(1), &keys_of_home)];
                store.settle(Settle { links, ..Settle::default() }).unwrap();
                self.blocks.values_mut().for_each(|homes| {
                    homes.remove(&n);
                });
                for key in keys {
                    self.blocks.entry(key).or_default().insert(n);
                }
            }
            Step::Clean => {
                let clean = store.dirty(&Access::system(), 9).unwrap();
                store.settle(Settle { clean, ..Settle::default() }).unwrap();
                self.dirty.clear();
            }
            Step::Reopen => {}
        }
    }

    fn accept(&mut self, store: &dyn Store, id: u128, n: u8, at_home: u8, second: i64) {
        let known = self.headers.get(&id).cloned();
        let mut write = record(id, known, &text(n), &home(at_home), second);
        let batch = Accept {
            records: vec![write.clone()],
            dirty: [home(at_home)].into(),
            ..Accept::default()
        };
        let seq = store.accept(batch).unwrap();
        if write.header.first_seq == 0 {
            write.header.first_seq = seq;
        }
        self.headers.insert(id, write.header);
        self.contents.entry((at_home, id)).or_default().insert(hash(n));
        self.dirty.insert(at_home);
    }

    fn settle(
        &mut self,
        store: &dyn Store,
        owner: u128,
        mut rows: BTreeMap<u128, u8>,
        removed: Option<u128>,
    ) {
        let removed = removed.filter(|removed| *removed != owner);
        let gone = removed.and_then(|removed| self.views.remove(&removed)).unwrap_or_default();
        let elsewhere: BTreeSet<u128> = self
            .views
            .iter()
            .filter(|(other, _)| **other != owner)
            .flat_map(|(_, rows)| rows.keys().copied())
            .collect();
        rows.retain(|id, _| !elsewhere.contains(id));
        let mut before = self.views.remove(&owner).unwrap_or_default();
        before.extend(gone);
        let mut after = BTreeMap::new();
        for (&id, &n) in &rows {
            let version = match before.get(&id) {
                Some(&(same, version)) if same == n => version,
                _ => self.versions.get(&id).copied().unwrap_or(0) + 1,
            };
            self.versions.insert(id, version);
            after.insert(id, (n, version));
        }
        for (id, (n, version)) in before {
            if after.get(&id) != Some(&(n, version)) {
                self.past.insert((id, version));
            }
        }
        self.views.insert(owner, after);
        let texts: Vec<(u128, String)> = rows.iter().map(|(&id, &n)| (id, text(n))).collect();
        let rows: Vec<(u128, &str)> = texts.iter().map(|(id, n)| (*id, n.as_str())).collect();
        let batch = Settle {
            views: vec![view(person(owner), &rows)],
            removed: removed.map(person).into_iter().collect(),
            at: at(1),
            ..Settle::default()
        };
        store.settle(batch).unwrap();
    }

    fn compare(&self, store: &dyn Store) {
        let access = Access::system();
        for (&id, header) in &self.headers {
            let stored = store.headers(&access, &[DerivedId(id)]).unwrap().remove(0);
            assert_eq!(stored.as_ref(), Some(header));
        }
        for (&(n, id), hashes) in &self.contents {
            let home = store.home(&access, &home(n)).unwrap();
            let record = home.records.iter().find(|record| record.id == DerivedId(id)).unwrap();
            let stored: BTreeSet<Hash> = record.contents.iter().map(|(hash, _)| *hash).collect();
            assert!(stored.is_superset(hashes));
            for (n, text) in (0..4).map(|n| (n, text(n))) {
                if let Some(stored) = record.contents.get(&hash(n)) {
                    assert_eq!(stored, &content(&text));
                }
            }
        }
        for (&owner, rows) in &self.views {
            self.compare_view(store, owner, rows);
        }
        for &(id, version) in &self.past {
            let past = store.past_body(&access, goal(), DerivedId(id), version, &[]).unwrap();
            assert!(past.is_some(), "{id} {version}");
        }
        for (&key, homes) in &self.blocks {
            let stored = store.candidates(&access, &[block(key)], 9).unwrap().remove(0);
            assert_eq!(stored.homes, homes.iter().map(|&n| home(n)).collect::<Vec<_>>());
            assert_eq!(stored.total, homes.len());
        }
        let dirty: BTreeSet<Home> =
            store.dirty(&access, 9).unwrap().into_iter().map(|dirty| dirty.home).collect();
        assert_eq!(dirty, self.dirty.iter().map(|&n| home(n)).collect());
        assert_eq!(store.dirty_count(&access).unwrap(), dirty.len());
    }

    fn compare_view(&self, store: &dyn Store, owner: u128, rows: &BTreeMap<u128, (u8, u32)>) {
        let access = Access::system();
        let table = store.table(&access, person(owner), goal()).unwrap();
        let stored = table.map(|table| table.rows.clone()).unwrap_or_default();
        let versions: Vec<(u128, u32)> = stored.iter().map(|r| (r.id.0, r.version)).collect();
        let expected: Vec<(u128, u32)> = rows.iter().map(|(&id, &(_, v))| (id, v)).collect();
        assert_eq!(versions, expected);
        let all: Vec<DerivedId> = stored.iter().map(|row| row.id).collect();
        let bodies = store.bodies(&access, person(owner), goal(), &all).unwrap();
        for (body, &(n, _)) in bodies.iter().zip(rows.values()) {
            let body = body.as_deref().unwrap();
            assert!(std::str::from_utf8(body).unwrap().contains(&text(n)));
        }
    }
}

/// Runs the steps on a store and on the model.
pub(super) fn run<S: Store>(open: super::suite::Open<S>, dir: &Path, steps: Vec<Step>) {
    let mut model = Model::default();
    let mut store = Some(open(dir));
    for step in steps {
        if matches!(step, Step::Reopen) {
            // The engine's lock must go before it is opened again.
            drop(store.take());
        }
        let opened = store.get_or_insert_with(|| open(dir));
        model.apply(opened, step);
    }
    model.compare(store.get_or_insert_with(|| open(dir)));
}
