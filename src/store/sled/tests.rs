//! The suite on sled, and what only this engine has.

use std::path::Path;

use super::*;
use crate::flow::{DisclosureClass, Indexed, MatchGrade, SearchValue, Verdict};
use crate::store::fixture::{at, audited as entry, chart, goal, link, person, view};
use crate::store::{StoreError, codec, model, suite, suite_notes, verify_audit_chain};

fn open(dir: &Path) -> SledStore {
    SledStore::open(dir).unwrap()
}

macro_rules! suite {
    ($($test:ident)*) => { $(
        #[test]
        fn $test() {
            let dir = tempfile::tempdir().unwrap();
            suite::$test(open, dir.path());
        }
    )* };
}

suite! {
    what_was_accepted_is_there_after_reopening
    a_stale_header_is_a_conflict_and_stores_nothing
    a_b_a_and_a_move_keep_every_content
    putting_batches_together_loses_nothing
    dirty_marks_coalesce_and_a_late_mark_survives_cleaning
    a_changed_block_is_a_conflict
    versions_go_on_across_owners_and_absences
    an_earlier_version_needs_all_its_homes
    bodies_carry_version_and_time
    what_a_view_put_into_indexes_leaves_with_it
    reads_show_only_what_their_class_may_see
    decisions_and_reviews_are_found_from_both_ends
    overrides_are_found_from_every_home_they_concern
    quarantined_input_is_kept_once_in_order
    the_audit_trail_shows_tampering
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]
    #[test]
    fn random_commits_are_answered_as_the_model_does(steps in model::steps()) {
        let dir = tempfile::tempdir().unwrap();
        model::run(open, dir.path(), steps);
    }
}

#[test]
fn notes_stay_with_their_pair_and_a_decision_ends_a_proposal() {
    let dir = tempfile::tempdir().unwrap();
    suite_notes::notes_stay_with_their_pair_and_a_decision_ends_a_proposal(open, dir.path());
}

#[test]
fn a_store_is_opened_once_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let _held = open(dir.path());
    assert!(matches!(SledStore::open(dir.path()), Err(StoreError::InUse { .. })));
}

#[test]
fn a_later_format_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.db.insert(keys::FORMAT, [1, 0, 0, 0, 9].as_slice()).unwrap();
    drop(store);
    let refused = SledStore::open(dir.path());
    assert!(matches!(refused, Err(StoreError::Newer { found: 9, known: migrate::FORMAT })));
}

#[test]
fn an_earlier_format_is_brought_forward() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let past: Vec<[u8; 3]> = (0..2_500_u16)
        .map(|n| {
            let [high, low] = n.to_be_bytes();
            [keys::PAST_BODY, high, low]
        })
        .collect();
    for key in &past {
        store.db.insert(key, [1, 0].as_slice()).unwrap();
    }
    let (a, b) = (chart("a", "1"), chart("b", "1"));
    let (by, note) = ("anna".into(), "".into());
    let decision =
        Decision { verdict: Verdict::Link, a: a.clone(), b: b.clone(), by, at: at(1), note };
    store.decide(std::slice::from_ref(&decision)).unwrap();
    let (weight_bits, grade) = (4.0, MatchGrade::Probable);
    let queued =
        ReviewPair { a: a.clone(), b: chart("c", "1"), weight_bits, grade, reason: "".into() };
    let reviews = vec![queued];
    store.settle(Settle { review_of: vec![a.clone()], reviews, ..Settle::default() }).unwrap();
    for kind in [keys::PAIR, keys::PAST_DECISION, keys::PARTNER] {
        for key in store.db.scan_prefix([kind]).keys() {
            store.db.remove(key.unwrap()).unwrap();
        }
    }
    store.db.remove(keys::REVIEW_COUNT).unwrap();
    store.db.insert(keys::FORMAT, [1, 0, 0, 0, 1].as_slice()).unwrap();
    drop(store);
    let store = open(dir.path());
    assert_eq!(store.db.get(keys::FORMAT).unwrap().unwrap(), migrate::stamp());
    assert_eq!(store.db.scan_prefix([keys::PAST_BODY]).count(), 0);
    let system = Access::system();
    assert_eq!(store.known_pairs(&system, "", 9).unwrap().len(), 2);
    assert_eq!(store.review_count(&system).unwrap(), 1);
    let past = PastDecision { decision, undone: None };
    assert_eq!(store.past_decisions(&system, &b, &a).unwrap(), [past]);
    assert_eq!(store.partners(&system, &b, 9).unwrap(), [a]);
}

#[test]
fn a_table_of_one_value_is_divided() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let home = chart("a", "1");
    let links = vec![link(&home, person(1), &[7])];
    let mut rows = view(person(1), &[(1, "a"), (2, "b"), (5, "c")]);
    let row = &mut rows.tables[0].rows[1].row;
    row.aliases = vec![DerivedId(3), DerivedId(9)];
    let uri = |param, uri: &str| SearchValue { param, value: Indexed::Uri(uri.into()) };
    row.values = vec![uri(0, "x"), uri(0, "y"), uri(4, "z")];
    store.settle(Settle { links, views: vec![rows], ..Settle::default() }).unwrap();
    let access = Access::system();
    let state = |store: &SledStore| {
        let table = store.table(&access, person(1), goal()).unwrap().unwrap();
        let ids: Vec<DerivedId> = table.rows.iter().map(|row| row.id).collect();
        let bodies = store.bodies(&access, person(1), goal(), &ids).unwrap();
        (table, bodies, store.owner(&access, &home).unwrap())
    };
    let before = state(&store);
    // As format 4 had it.
    let class = DisclosureClass::Full;
    let table = tables::TableId { class, owner: person(1), resource_type: goal() };
    let get = |kind| Ok(store.db.get(table.key_of(kind)).unwrap());
    let contents = tables::Contents::read(get).unwrap();
    store.db.insert(table.key_of(b't'), codec::encode(&contents).unwrap()).unwrap();
    for kind in [keys::LISTING, keys::VALUES, keys::TRACES] {
        store.db.remove(table.key_of(kind)).unwrap();
    }
    store.db.remove(links::owner_key(&home)).unwrap();
    store.db.insert(keys::FORMAT, [1, 0, 0, 0, 4].as_slice()).unwrap();
    drop(store);
    let store = open(dir.path());
    assert_eq!(state(&store), before);
    assert_eq!(before.2, Some(person(1)));
    assert_eq!(store.db.scan_prefix(b"t").count(), 0);
    let listing = store.listing(&access, person(1), goal()).unwrap().unwrap();
    assert_eq!(listing.find_named(DerivedId(9)), Some(1));
    let values = store.values(&access, person(1), goal(), &[0]).unwrap();
    assert_eq!(values.of(DerivedId(2)), &before.0.rows[1].values[..2]);
    assert!(values.of(DerivedId(1)).is_empty());
}

#[test]
fn the_trail_and_the_change_log_of_format_4_are_carried_over() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let access = Access::system();
    store.audit(&[entry(1), entry(2), entry(3)]).unwrap();
    for (second, text) in [(1, "a"), (2, "b")] {
        let views = vec![view(person(1), &[(1, text)]), view(person(2), &[(2, "c")])];
        store.settle(Settle { views, at: at(second), ..Settle::default() }).unwrap();
    }
    let state = |store: &SledStore| {
        let trail = store.audit_trail(&access, 0, 9).unwrap();
        let changes = store.changes(&access, 0, 9).unwrap();
        (trail, changes, store.history(&access, person(1), 0, 9).unwrap())
    };
    let before = state(&store);
    assert_eq!((before.0.len(), before.1.len(), before.2.len()), (3, 3, 2));
    // As format 4 had it.
    for row in &before.0 {
        let key = [b"a".as_slice(), &row.number.to_be_bytes()].concat();
        store.db.insert(key, codec::encode(row).unwrap()).unwrap();
    }
    for item in store.db.scan_prefix([keys::CHANGES]) {
        let (key, stored) = item.unwrap();
        let changes: Vec<Change> = codec::decode("change log", &stored).unwrap();
        let told: Vec<_> = changes
            .iter()
            .map(|c| (c.seq, c.at, c.owner, c.resource_type, c.id, c.version, c.kind))
            .collect();
        store.db.insert(key, codec::encode(&told).unwrap()).unwrap();
    }
    for key in store.db.scan_prefix([keys::HISTORY]).keys() {
        store.db.remove(key.unwrap()).unwrap();
    }
    store.db.insert(keys::FORMAT, [1, 0, 0, 0, 4].as_slice()).unwrap();
    drop(store);
    std::fs::remove_dir_all(dir.path().join("audit")).unwrap();
    let store = open(dir.path());
    assert_eq!(state(&store), before);
    assert_eq!(verify_audit_chain(&before.0), Ok(()));
    assert_eq!(store.db.scan_prefix(b"a").count(), 0);
    store.audit(&[entry(4)]).unwrap();
    assert_eq!(verify_audit_chain(&store.audit_trail(&access, 0, 9).unwrap()), Ok(()));
}

#[test]
fn an_engine_that_lost_its_data_is_no_new_store() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    std::fs::remove_dir_all(dir.path().join("sled")).unwrap();
    assert!(matches!(SledStore::open(dir.path()), Err(StoreError::Damaged { .. })));
}

#[test]
fn a_damaged_value_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store
        .settle(Settle { views: vec![view(person(1), &[(1, "a")])], ..Settle::default() })
        .unwrap();
    for item in store.db.iter() {
        let (key, value) = item.unwrap();
        store.db.insert(key, &value[..value.len() / 2]).unwrap();
    }
    let access = Access::system();
    assert!(matches!(store.view(&access, person(1)), Err(StoreError::Damaged { .. })));
    assert!(matches!(store.table(&access, person(1), goal()), Err(StoreError::Damaged { .. })));
    assert!(matches!(store.changes(&access, 0, 9), Err(StoreError::Damaged { .. })));
}

#[test]
fn a_settle_rewrites_only_the_segments_it_changes() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let long: Vec<String> = (0..12).map(|n| format!("{n}-").repeat(12_000)).collect();
    let mut rows: Vec<(u128, &str)> = (0..12).zip(long.iter().map(String::as_str)).collect();
    let settle = |rows: &[(u128, &str)]| {
        let views = vec![view(person(1), rows)];
        store.settle(Settle { views, ..Settle::default() }).unwrap();
    };
    let segments = || -> Vec<(Vec<u8>, Vec<u8>)> {
        let all = store.db.scan_prefix([keys::SEGMENT]);
        all.map(|item| item.map(|(k, v)| (k.to_vec(), v.to_vec())).unwrap()).collect()
    };
    settle(&rows);
    let before = segments();
    assert!(before.len() > 2, "{}", before.len());
    rows[0].1 = "short";
    rows.push((99, "new"));
    rows.remove(1);
    settle(&rows);
    let after = segments();
    let same = before.iter().filter(|segment| after.contains(segment)).count();
    assert_eq!(same, before.len() - 2, "the first and the last segment changed");
    let all: Vec<DerivedId> = rows.iter().map(|(id, _)| DerivedId(*id)).collect();
    let bodies = store.bodies(&Access::system(), person(1), goal(), &all).unwrap();
    for (body, (_, text)) in bodies.iter().zip(&rows) {
        let body = std::str::from_utf8(body.as_deref().unwrap()).unwrap();
        assert!(body.ends_with(&format!(r#""source":"{text}"}}}}"#)));
    }
}

#[test]
fn files_that_were_deleted_take_no_more_commits() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    std::fs::remove_dir_all(dir.path()).unwrap();
    let refused = store.settle(Settle::default());
    assert!(matches!(refused, Err(StoreError::Removed)), "{refused:?}");
}

#[test]
fn large_values_come_back_whole_and_leave_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let store = SledStore::open_sized(dir.path(), 256 << 10).unwrap();
    let mut dice = power::Dice(1);
    let pieces = || store.db.scan_prefix([keys::PIECE]).count();
    let put = |value: Option<&str>| {
        let stage = |commit: &mut Commit<'_>| match value {
            Some(value) => commit.put("~key", value),
            None => {
                commit.remove("~key");
                Ok(())
            }
        };
        store.commit(stage).unwrap();
    };
    for bytes in [300_000, 40_000, 10] {
        let value = dice.text(bytes);
        put(Some(&value));
        assert_eq!(store.get::<String>("text", "~key").unwrap(), Some(value));
    }
    assert_eq!(pieces(), 1, "the small value alone");
    put(Some(&dice.text(50_000)));
    put(None);
    assert_eq!(pieces(), 0);
    assert_eq!(std::fs::read_dir(dir.path().join("sled/blobs")).unwrap().count(), 0);
}

#[test]
fn a_store_with_segments_of_another_size_is_opened_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    drop(SledStore::open_sized(dir.path(), 512 << 10).unwrap());
    assert!(open(dir.path()).last_seq().unwrap() > 0);
    let conf = std::fs::read(dir.path().join("sled/conf")).unwrap();
    assert!(String::from_utf8_lossy(&conf).contains("segment_size: 524288"));
}

#[test]
fn a_start_that_was_cut_short_is_begun_anew() {
    let dir = tempfile::tempdir().unwrap();
    let conf = dir.path().join("sled/conf");
    std::fs::create_dir_all(conf.parent().unwrap()).unwrap();
    std::fs::write(&conf, "segment_size: 83").unwrap();
    assert_eq!(open(dir.path()).last_seq().unwrap(), 1);
}

#[test]
fn a_snapshot_left_half_written_hinders_nothing() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    drop(open(dir.path()));
    std::fs::write(dir.path().join("sled/snap.00000000FFFFFFFF.generating"), "half").unwrap();
    assert_eq!(open(dir.path()).last_seq().unwrap(), 1);
}
