//! The one test suite for every engine: what any [`Store`] must do.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::fixture::{audited as entry, *};
use super::{
    Accept, Change, ChangeKind, Cursor, Dirty, Issued, ReviewPair, ReviewPlace, Settle, Store,
    StoreError, verify_audit_chain,
};
use crate::flow::{
    Access, Basis, ChartKey, Decision, DerivedId, DisclosureClass, Hash, Home, MatchGrade,
    Override, Owner, PastDecision, PastOverride, Quarantined, RecordHeader, Resolution, State,
    Undo, Verdict,
};

/// Opens the engine under test in a directory, or opens it again.
pub(super) type Open<S> = fn(&Path) -> S;

pub(super) fn system() -> Access {
    Access::system()
}

pub(super) fn only(endpoint: &str) -> Access {
    let class = DisclosureClass::Endpoints(BTreeSet::from([Arc::from(endpoint)]));
    Access { class, reader: "test".into() }
}

fn header(store: &dyn Store, id: u128) -> Option<RecordHeader> {
    store.headers(&system(), &[DerivedId(id)]).unwrap().remove(0)
}

fn accept_one(store: &dyn Store, id: u128, text: &str, home: &Home, second: i64) -> u64 {
    let write = record(id, header(store, id), text, home, second);
    store.accept(Accept { records: vec![write], ..Accept::default() }).unwrap()
}

fn settle_views(store: &dyn Store, second: i64, views: Vec<super::ViewWrite>) -> u64 {
    store.settle(Settle { views, at: at(second), ..Settle::default() }).unwrap()
}

fn texts(store: &dyn Store, owner: Owner) -> Vec<String> {
    let Some(table) = store.table(&system(), owner, goal()).unwrap() else { return Vec::new() };
    let all: Vec<DerivedId> = table.rows.iter().map(|row| row.id).collect();
    let bodies = store.bodies(&system(), owner, goal(), &all).unwrap();
    bodies.into_iter().map(|body| String::from_utf8(body.unwrap().to_vec()).unwrap()).collect()
}

fn kinds(changes: &[Change]) -> Vec<(Owner, u128, u32, ChangeKind)> {
    changes.iter().map(|c| (c.owner, c.id.0, c.version, c.kind)).collect()
}

pub(super) fn what_was_accepted_is_there_after_reopening<S: Store>(open: Open<S>, dir: &Path) {
    let home = chart("a", "1");
    let (key, seq) = {
        let store = open(dir);
        let cursor = Cursor { state: "complete".into(), ..Cursor::default() };
        let batch = Accept {
            records: vec![record(1, None, "one", &home, 1)],
            counters: [(("a".into(), "received".into()), 3)].into(),
            cursors: [(("a".into(), "Goal".into()), cursor)].into(),
            dirty: [home.clone()].into(),
            ..Accept::default()
        };
        let seq = store.accept(batch).unwrap();
        assert_eq!(seq, store.last_seq().unwrap());
        (store.id_key().0, seq)
    };
    let store = open(dir);
    assert_eq!(store.id_key().0, key);
    assert_eq!(store.last_seq().unwrap(), seq);
    assert_eq!(header(&store, 1).unwrap().first_seq, seq);
    let content = store.home(&system(), &home).unwrap();
    assert_eq!(content.records.len(), 1);
    let stored = content.records[0].contents.iter().next().unwrap().1;
    assert_eq!(stored, &super::fixture::content("one"));
    assert_eq!(store.dirty(&system(), 9).unwrap(), [Dirty { home: home.clone(), seq }]);
    assert_eq!(store.dirty_count(&system()).unwrap(), 1);
    assert_eq!(&*store.cursors(&system(), "a").unwrap()["Goal"].state, "complete");
    assert_eq!(store.counters(&system()).unwrap()[&("a".into(), "received".into())], 3);
    let issued = store.issued(&system(), DerivedId(1)).unwrap();
    assert!(matches!(issued, Some(Issued::Record(record)) if record.home == home));
}

pub(super) fn a_stale_header_is_a_conflict_and_stores_nothing<S: Store>(open: Open<S>, dir: &Path) {
    let store = open(dir);
    let home = chart("a", "1");
    accept_one(&store, 1, "one", &home, 1);
    let seq = store.last_seq().unwrap();
    let stale = Accept {
        records: vec![record(2, None, "x", &home, 2), record(1, None, "two", &home, 2)],
        dirty: [home.clone()].into(),
        ..Accept::default()
    };
    assert!(matches!(store.accept(stale), Err(StoreError::Conflict)));
    assert_eq!(store.last_seq().unwrap(), seq);
    assert_eq!(header(&store, 2), None);
    assert_eq!(store.dirty_count(&system()).unwrap(), 0);
}

pub(super) fn a_b_a_and_a_move_keep_every_content<S: Store>(open: Open<S>, dir: &Path) {
    let store = open(dir);
    let (home, other) = (chart("a", "1"), chart("a", "2"));
    for (text, home, second) in
        [("A", &home, 1), ("B", &home, 2), ("A", &home, 3), ("C", &other, 4)]
    {
        accept_one(&store, 1, text, home, second);
    }
    let old = store.home(&system(), &home).unwrap();
    let new = store.home(&system(), &other).unwrap();
    assert_eq!(old.records[0].header.versions().len(), 4);
    assert_eq!(old.records[0].header, new.records[0].header);
    assert_eq!(old.records[0].header.home(), &other);
    let hashes = |texts: &[&str]| -> BTreeSet<Hash> {
        texts.iter().map(|text| Hash::of(text.as_bytes())).collect()
    };
    assert_eq!(
        old.records[0].contents.iter().map(|(hash, _)| *hash).collect::<BTreeSet<_>>(),
        hashes(&["A", "B"])
    );
    assert_eq!(
        new.records[0].contents.iter().map(|(hash, _)| *hash).collect::<BTreeSet<_>>(),
        hashes(&["C"])
    );
    assert_eq!(store.homes(&system(), None, 9).unwrap(), [home.clone(), other.clone()]);
    assert_eq!(store.homes(&system(), Some(&home), 9).unwrap(), [other]);
}

/// A record read alone.
fn alone(store: &impl Store, home: &Home, id: DerivedId) -> super::StoredRecord {
    store.record(&system(), home, id).unwrap().unwrap()
}

pub(super) fn putting_batches_together_loses_nothing<S: Store>(open: Open<S>, dir: &Path) {
    let store = open(dir);
    let home = chart("a", "1");
    for n in 0..30_i64 {
        accept_one(&store, (n % 7).unsigned_abs().into(), &format!("text {n}"), &home, n);
    }
    let before = store.home(&system(), &home).unwrap();
    let links = vec![link(&home, person(1), &[])];
    store.settle(Settle { links, at: at(99), ..Settle::default() }).unwrap();
    accept_one(&store, 3, "after", &home, 100);
    let after = store.home(&system(), &home).unwrap();
    assert_eq!(after.records.len(), 7);
    for (old, new) in before.records.iter().zip(&after.records) {
        let added = usize::from(old.id == DerivedId(3));
        assert_eq!(new.contents.iter().len(), old.contents.iter().len() + added);
        assert_eq!(new.header.versions().len(), old.header.versions().len() + added);
        assert_eq!(alone(&store, &home, old.id).header, new.header);
        assert_eq!(alone(&store, &home, old.id).contents, new.contents);
        assert!(old.contents.iter().all(|(hash, content)| new.contents.get(hash) == Some(content)));
    }
}

pub(super) fn dirty_marks_coalesce_and_a_late_mark_survives_cleaning<S: Store>(
    open: Open<S>,
    dir: &Path,
) {
    let store = open(dir);
    let (a, b) = (chart("a", "1"), chart("b", "1"));
    store.mark_dirty(Some(std::slice::from_ref(&b))).unwrap();
    store.mark_dirty(Some(std::slice::from_ref(&a))).unwrap();
    let seen = store.dirty(&system(), 9).unwrap();
    assert_eq!(seen.iter().map(|d| &d.home).collect::<Vec<_>>(), [&b, &a]);
    store.mark_dirty(Some(std::slice::from_ref(&b))).unwrap();
    assert_eq!(store.dirty_count(&system()).unwrap(), 2);
    store.settle(Settle { clean: seen, ..Settle::default() }).unwrap();
    let left = store.dirty(&system(), 9).unwrap();
    assert_eq!(left.iter().map(|d| &d.home).collect::<Vec<_>>(), [&b]);
    store.settle(Settle { clean: left, ..Settle::default() }).unwrap();
    assert_eq!(store.dirty_count(&system()).unwrap(), 0);
    assert!(store.dirty(&system(), 9).unwrap().is_empty());
    accept_one(&store, 1, "one", &a, 1);
    store.mark_dirty(None).unwrap();
    assert_eq!(store.dirty(&system(), 9).unwrap()[0].home, a);
}

pub(super) fn a_changed_block_is_a_conflict<S: Store>(open: Open<S>, dir: &Path) {
    let store = open(dir);
    let (a, b) = (chart("a", "1"), chart("b", "1"));
    let settle =
        |link, expected| store.settle(Settle { links: vec![link], expected, ..Settle::default() });
    settle(link(&a, person(1), &[7, 8]), vec![(block(7), 0), (block(8), 0)]).unwrap();
    let blocks = store.candidates(&system(), &[block(7), block(9)], 9).unwrap();
    assert_eq!((blocks[0].homes.as_slice(), blocks[0].total), ([a.clone()].as_slice(), 1));
    assert_eq!((blocks[1].generation, blocks[1].total), (0, 0));
    let read = blocks[0].generation;
    settle(link(&b, person(2), &[7]), vec![(block(7), read)]).unwrap();
    let late = settle(link(&b, person(1), &[]), vec![(block(7), read)]);
    assert!(matches!(late, Err(StoreError::Conflict)));
    let blocks = store.candidates(&system(), &[block(7)], 1).unwrap();
    assert_eq!((blocks[0].homes.as_slice(), blocks[0].total), ([a.clone()].as_slice(), 2));
    // The same keys again change no block; leaving one does.
    let before = store.candidates(&system(), &[block(7), block(8)], 9).unwrap();
    settle(link(&a, person(1), &[8]), vec![]).unwrap();
    let after = store.candidates(&system(), &[block(7), block(8)], 9).unwrap();
    assert_eq!(after[0].homes, [b]);
    assert!(after[0].generation > before[0].generation);
    assert_eq!(after[1].generation, before[1].generation);
    assert_eq!(store.link(&system(), &a).unwrap().unwrap().owner, Some(person(1)));
}

pub(super) fn versions_go_on_across_owners_and_absences<S: Store>(open: Open<S>, dir: &Path) {
    let store = open(dir);
    let (one, two) = (person(100), person(200));
    settle_views(&store, 1, vec![view(one, &[(1, "a"), (2, "b")]), view(two, &[(3, "c")])]);
    let seq = settle_views(&store, 2, vec![view(one, &[(1, "a"), (2, "B")])]);
    let table = store.table(&system(), one, goal()).unwrap().unwrap();
    assert_eq!((table.rows[0].version, table.rows[0].last_updated), (1, at(1)));
    assert_eq!((table.rows[1].version, table.rows[1].last_updated), (2, at(2)));
    let changes = store.changes(&system(), seq - 1, 9).unwrap();
    assert_eq!(kinds(&changes), [(one, 2, 2, ChangeKind::Updated)]);
    // Moved to another owner with a change, its first owner gone.
    let moved = Settle {
        views: vec![view(two, &[(2, "B2"), (3, "c")])],
        removed: vec![one],
        at: at(3),
        ..Settle::default()
    };
    let seq = store.settle(moved).unwrap();
    let (left, gone) = ((one, 2, 2, ChangeKind::Left), (one, 1, 1, ChangeKind::Removed));
    let expected = [left, (two, 2, 3, ChangeKind::Updated), gone];
    assert_eq!(kinds(&store.changes(&system(), seq - 1, 9).unwrap()), expected);
    let mut newest_first = store.newest_changes(&system(), u64::MAX, 1).unwrap();
    newest_first.reverse();
    assert_eq!(kinds(&newest_first), expected, "the last commit alone, its last change first");
    let before = store.newest_changes(&system(), seq, 9).unwrap();
    assert!(!before.is_empty() && before.iter().all(|change| change.seq < seq));
    // An owner's own history, whole and after a commit.
    let came = [(one, 1, 1, ChangeKind::Created), (one, 2, 1, ChangeKind::Created)];
    let changed = (one, 2, 2, ChangeKind::Updated);
    let history = store.history(&system(), one, 0, usize::MAX).unwrap();
    assert_eq!(kinds(&history), [came[0], came[1], changed, left, gone]);
    assert_eq!(kinds(&store.history(&system(), one, 0, 1).unwrap()), came);
    assert_eq!(kinds(&store.history(&system(), one, seq - 1, 9).unwrap()), [left, gone]);
    assert_eq!(store.view(&system(), one).unwrap(), None);
    assert!(texts(&store, one).is_empty());
    assert_eq!(store.owners(&system(), None, 9).unwrap(), [two]);
    // Back after an absence, with the same content.
    settle_views(&store, 4, vec![view(one, &[(1, "a")])]);
    let table = store.table(&system(), one, goal()).unwrap().unwrap();
    assert_eq!(table.rows[0].version, 2);
    let past =
        |id, version| store.past_body(&system(), goal(), DerivedId(id), version, &[]).unwrap();
    let text = |body: Option<bytes::Bytes>| String::from_utf8(body.unwrap().to_vec()).unwrap();
    assert!(text(past(2, 1)).contains(r#""versionId":"1""#));
    assert!(text(past(2, 2)).contains(r#""source":"B""#));
    assert!(text(past(1, 1)).contains(r#""source":"a""#));
    assert_eq!(past(2, 3), None);
    assert_eq!(past(1, 2), None);
}

pub(super) fn an_earlier_version_needs_all_its_homes<S: Store>(open: Open<S>, dir: &Path) {
    let store = open(dir);
    let (one, two) = (chart("a", "1"), chart("b", "2"));
    let of = |text, homes: &[&Home]| {
        let mut view = view(person(1), &[(1, text)]);
        view.homes = homes.iter().map(|home| (*home).clone()).collect();
        view
    };
    settle_views(&store, 1, vec![of("alone", &[&one])]);
    settle_views(&store, 2, vec![of("joined", &[&one, &two])]);
    settle_views(&store, 3, vec![of("parted", &[&one])]);
    let shown = |version, within: &[&Home]| {
        let within: Vec<Home> = within.iter().map(|home| (*home).clone()).collect();
        let past = store.past_body(&system(), goal(), DerivedId(1), version, &within).unwrap();
        past.is_some()
    };
    assert!(shown(1, &[&one]) && shown(1, &[&one, &two]));
    assert!(!shown(2, &[&one]) && !shown(2, &[&two]) && shown(2, &[&one, &two]));
}

pub(super) fn bodies_carry_version_and_time<S: Store>(open: Open<S>, dir: &Path) {
    let store = open(dir);
    settle_views(&store, 1, vec![view(person(1), &[(1, "a"), (2, "b")])]);
    let texts = texts(&store, person(1));
    assert!(texts[1].contains(r#""meta":{"versionId":"1","lastUpdated":"20"#), "{}", texts[1]);
    assert!(texts[1].contains(r#""source":"b""#));
    let some = store.bodies(&system(), person(1), goal(), &[DerivedId(3), DerivedId(1)]).unwrap();
    assert!(some[0].is_none() && some[1].is_some());
}

pub(super) fn what_a_view_put_into_indexes_leaves_with_it<S: Store>(open: Open<S>, dir: &Path) {
    let store = open(dir);
    let owner = person(1);
    let received = |n: i64| [(("a".into(), "kept".into()), n)].into();
    let mut first = view(owner, &[(1, "a")]);
    first.homes = vec![chart("a", "1")];
    first.index = vec![(goal(), Hash(5), DerivedId(1)), (goal(), Hash(6), DerivedId(1))];
    first.directory_refs = vec![DerivedId(77)];
    first.next_change = Some(day(5));
    first.counts = received(4);
    first.issued = vec![(DerivedId(1), goal(), ChartKey::new("a", "1"))];
    settle_views(&store, 1, vec![first.clone()]);
    let by_index = |key| store.by_index(&system(), goal(), Hash(key), 9).unwrap();
    assert_eq!(by_index(5), [(owner, DerivedId(1))]);
    assert_eq!(store.referrers(&system(), DerivedId(77)).unwrap(), [chart("a", "1")]);
    assert!(store.due(&system(), day(4), 9).unwrap().is_empty());
    assert_eq!(store.due(&system(), day(5), 9).unwrap(), [owner]);
    let mut second = first;
    second.index.remove(0);
    second.directory_refs.clear();
    second.next_change = Some(day(9));
    second.counts = received(3);
    second.tables.clear();
    settle_views(&store, 2, vec![second]);
    assert!(by_index(5).is_empty());
    assert_eq!(by_index(6), [(owner, DerivedId(1))]);
    assert!(store.referrers(&system(), DerivedId(77)).unwrap().is_empty());
    assert!(store.due(&system(), day(8), 9).unwrap().is_empty());
    assert_eq!(store.view(&system(), owner).unwrap().unwrap().types[&goal()], 1);
    let kept = |store: &S| store.counters(&system()).unwrap()[&("a".into(), "kept".into())];
    assert_eq!(kept(&store), 3);
    store.settle(Settle { removed: vec![owner], ..Settle::default() }).unwrap();
    assert!(by_index(6).is_empty());
    assert_eq!(kept(&store), 0);
    assert!(store.due(&system(), day(30), 9).unwrap().is_empty());
    assert!(store.dispositions(&system(), owner).unwrap().is_empty());
    assert!(matches!(store.issued(&system(), DerivedId(1)).unwrap(), Some(Issued::Made { .. })));
}

pub(super) fn reads_show_only_what_their_class_may_see<S: Store>(open: Open<S>, dir: &Path) {
    let store = open(dir);
    let (a, b) = (chart("a", "1"), chart("b", "1"));
    accept_one(&store, 1, "one", &a, 1);
    accept_one(&store, 2, "two", &b, 1);
    let links = vec![link(&a, person(1), &[7]), link(&b, person(1), &[7])];
    let views = vec![view(person(1), &[(1, "both")])];
    store.settle(Settle { links, views, ..Settle::default() }).unwrap();
    let access = only("a");
    assert_eq!(store.headers(&access, &[DerivedId(2)]).unwrap(), [None]);
    assert!(store.home(&access, &b).unwrap().records.is_empty());
    assert_eq!(store.homes(&access, None, 9).unwrap(), std::slice::from_ref(&a));
    assert_eq!(store.candidates(&access, &[block(7)], 9).unwrap()[0].homes, [a]);
    assert_eq!(store.link(&access, &b).unwrap(), None);
    assert_eq!(store.view(&access, person(1)).unwrap(), None);
    assert_eq!(store.table(&access, person(1), goal()).unwrap(), None);
    assert!(store.changes(&access, 0, 9).unwrap().is_empty());
    assert_eq!(store.issued(&access, DerivedId(2)).unwrap(), None);
}

pub(super) fn decisions_and_reviews_are_found_from_both_ends<S: Store>(open: Open<S>, dir: &Path) {
    let store = open(dir);
    let homes = [chart("a", "1"), chart("b", "1"), chart("c", "1")];
    let [a, b, c] = &homes;
    let decision = Decision {
        verdict: Verdict::Link,
        a: a.clone(),
        b: b.clone(),
        by: "steward".into(),
        at: at(1),
        note: "".into(),
    };
    store.decide(std::slice::from_ref(&decision)).unwrap();
    assert_eq!(store.decisions(&system(), a).unwrap(), std::slice::from_ref(&decision));
    assert_eq!(store.decisions(&system(), b).unwrap(), std::slice::from_ref(&decision));
    assert_eq!(store.dirty_count(&system()).unwrap(), 2);
    let other = Decision { verdict: Verdict::NoMatch, at: at(2), ..decision.clone() };
    store.decide(std::slice::from_ref(&other)).unwrap();
    assert_eq!(store.decisions(&system(), a).unwrap(), std::slice::from_ref(&other));
    let undo = Undo { by: "steward".into(), at: at(3), note: "".into() };
    assert_eq!(store.undo_decisions(&[(b.clone(), a.clone())], &undo).unwrap(), 1);
    let standing = store.decisions(&system(), b).unwrap();
    assert_eq!(standing, std::slice::from_ref(&decision), "the one before stands again");
    assert_eq!(store.undo_decisions(&[(a.clone(), b.clone())], &undo).unwrap(), 1);
    assert_eq!(store.undo_decisions(&[(a.clone(), b.clone())], &undo).unwrap(), 0);
    assert!(store.decisions(&system(), b).unwrap().is_empty());
    let past = |decision| PastDecision { decision, undone: Some(undo.clone()) };
    let history = store.past_decisions(&system(), b, a).unwrap();
    assert_eq!(history, [past(decision), past(other)]);
    let pair = |a: &Home, b: &Home, weight_bits| ReviewPair {
        a: a.clone(),
        b: b.clone(),
        weight_bits,
        grade: MatchGrade::Probable,
        reason: "below-certain".into(),
    };
    let review = |of: &Home, reviews| {
        let batch = Settle { review_of: vec![of.clone()], reviews, ..Settle::default() };
        store.settle(batch).unwrap();
    };
    review(a, vec![pair(a, b, -1.5), pair(a, c, 4.0)]);
    review(c, vec![pair(a, c, 3.0), pair(b, c, 12.0)]);
    let weights = || -> Vec<f64> {
        store.reviews(&system(), None, 9).unwrap().iter().map(|p| p.weight_bits).collect()
    };
    assert_eq!(weights(), [12.0, 3.0, -1.5]);
    let place =
        |a: &Home, b: &Home, weight_bits| ReviewPlace { weight_bits, a: a.clone(), b: b.clone() };
    let next = store.reviews(&system(), Some(&place(b, c, 12.0)), 1).unwrap();
    assert_eq!(next, [pair(a, c, 3.0)]);
    assert_eq!(store.review_count(&system()).unwrap(), 3);
    review(b, vec![]);
    assert_eq!(weights(), [3.0]);
    assert_eq!(store.review_count(&system()).unwrap(), 1);
    let after_gone = store.reviews(&system(), Some(&place(b, c, 12.0)), 1).unwrap();
    assert_eq!(after_gone, [pair(a, c, 3.0)], "a place that is empty by now is still a place");
    let id = store.id_key().pair(c, b);
    let known = store.known_pairs(&system(), &id.to_string()[..10], 2).unwrap();
    assert_eq!(known.len(), 1, "a pair that has left the queue is still known");
    assert_eq!((&known[0].a, &known[0].b), (b, c));
}

pub(super) fn overrides_are_found_from_every_home_they_concern<S: Store>(
    open: Open<S>,
    dir: &Path,
) {
    let store = open(dir);
    let homes = [chart("a", "1"), chart("b", "1")];
    let [a, b] = &homes;
    let decided = |matter: &str| Override {
        matter: matter.into(),
        basis: vec![Basis { record: DerivedId(1), hash: Hash(1), state: State::Live }],
        resolution: Resolution::Accept,
        by: "steward".into(),
        at: at(1),
        note: "".into(),
    };
    let first = PastOverride { decided: decided("C1"), reopened: None };
    store.record_override(&homes, &first).unwrap();
    assert_eq!(store.dirty_count(&system()).unwrap(), 2);
    let second = PastOverride { decided: decided("C2"), reopened: None };
    store.record_override(std::slice::from_ref(b), &second).unwrap();
    let undo = Undo { by: "steward".into(), at: at(3), note: "".into() };
    let reopened = PastOverride { reopened: Some(undo), ..first };
    store.record_override(&homes, &reopened).unwrap();
    drop(store);
    let store = open(dir);
    assert_eq!(store.overrides(&system(), a).unwrap(), std::slice::from_ref(&reopened));
    let of_b = store.overrides(&system(), b).unwrap();
    assert!(of_b.len() == 2 && of_b.contains(&second) && of_b.contains(&reopened));
}

pub(super) fn quarantined_input_is_kept_once_in_order<S: Store>(open: Open<S>, dir: &Path) {
    let store = open(dir);
    let input = |n: u128| Quarantined {
        hash: Hash(n),
        endpoint: "a".into(),
        resource_type: "".into(),
        id: "".into(),
        bytes: "{".into(),
        code: "structure".into(),
        reason: "not JSON".into(),
        observed_at: at(1),
    };
    let accept = |inputs: Vec<Quarantined>| {
        store.accept(Accept { quarantined: inputs, ..Accept::default() }).unwrap();
    };
    accept(vec![input(9), input(3)]);
    accept(vec![input(9), input(1)]);
    let hashes = |after| -> Vec<u128> {
        store.quarantine(&system(), after, 9).unwrap().iter().map(|q| q.hash.0).collect()
    };
    assert_eq!(hashes(None), [9, 3, 1]);
    assert_eq!(hashes(Some(Hash(9))), [3, 1]);
}

pub(super) fn the_audit_trail_shows_tampering<S: Store>(open: Open<S>, dir: &Path) {
    open(dir).audit(&[entry(1), entry(2)]).unwrap();
    let store = open(dir);
    store.audit(&[entry(3), entry(4)]).unwrap();
    let rows = store.audit_trail(&system(), 0, 9).unwrap();
    assert_eq!(rows.iter().map(|row| row.number).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(verify_audit_chain(&rows), Ok(()));
    assert_eq!(verify_audit_chain(&rows[2..]), Ok(()));
    assert_eq!(store.audit_trail(&system(), 2, 1).unwrap(), [rows[2].clone()]);
    assert!(store.audit_trail(&only("a"), 0, 9).unwrap().is_empty());
    let mut changed = rows.clone();
    changed[1].entry.count = 0;
    assert_eq!(verify_audit_chain(&changed), Err(2));
    let mut missing = rows.clone();
    missing.remove(1);
    assert_eq!(verify_audit_chain(&missing), Err(3));
    let mut swapped = rows;
    swapped.swap(2, 3);
    assert_eq!(verify_audit_chain(&swapped), Err(4));
}
