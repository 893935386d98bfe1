//! Ingest, settle and decisions in a process that is killed, and started again until it is done.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use careweave::flow::{Access, ChartKey, Home, Verdict};
use careweave::pipeline::Gateway;
use careweave::store::SledStore;

use super::child::{
    DECISIONS, decide, decision, ingest_rest, ingested, pages, pages_in, start, told,
};
use super::state::{Dice, assert_same, copy, gateway, kills_wanted, proved};

/// What is waited beyond the chosen acknowledgement.
const BEYOND: Duration = Duration::from_millis(40);
/// Kills of one store before it may finish.
const KILLS_PER_STORE: usize = 5;

/// An empty store, whose secret the others of a test share.
fn seed() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    drop(SledStore::open(dir.path()).unwrap());
    dir
}

fn copy_of(seed: &Path) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    copy(seed, dir.path());
    dir
}

/// Lets a job acknowledge some things, and a little more, then kills it. Returns the last thing
/// it acknowledged, and whether it had come to its end.
fn kill_after(
    what: &str,
    dir: &Path,
    from: usize,
    (acknowledged, beyond): (usize, Duration),
) -> (Option<usize>, bool) {
    let mut child = start(what, dir, from);
    let mut lines = told(&mut child);
    let mut all: Vec<usize> = lines.by_ref().take(acknowledged).collect();
    std::thread::sleep(beyond);
    child.kill().unwrap();
    child.wait().unwrap();
    // What it told before it died counts.
    all.extend(lines);
    let ended = all.last() == Some(&usize::MAX);
    (all.into_iter().rfind(|nth| *nth != usize::MAX), ended)
}

#[test]
fn a_killed_ingest_loses_no_page_and_goes_on() {
    let seed = seed();
    let whole = copy_of(seed.path());
    let expected = {
        let gateway = gateway(whole.path());
        ingest_rest(&gateway, &mut |_| {});
        proved(&gateway)
    };
    let mut dice = Dice(1);
    let mut kills = 0;
    while kills < kills_wanted() {
        let killed = copy_of(seed.path());
        for _ in 0..KILLS_PER_STORE {
            let acknowledged = dice.roll(12) as usize + 1;
            let point = (acknowledged, dice.delay(BEYOND));
            let (last, ended) = kill_after("ingest", killed.path(), 0, point);
            kills += usize::from(!ended);
            assert_pages(&gateway(killed.path()), last);
        }
        let gateway = gateway(killed.path());
        ingest_rest(&gateway, &mut |_| {});
        assert_same(&proved(&gateway), &expected);
    }
    eprintln!("ingest: {kills} kills");
}

/// The last page that was acknowledged is there, and no cursor is ahead of its records.
fn assert_pages(gateway: &Gateway, last: Option<usize>) {
    let there = pages_in(gateway);
    assert!(there >= last.map_or(0, |last| last + 1), "{there} pages, acknowledged {last:?}");
    let store = gateway.store();
    for nth in 0..there {
        let ids =
            ingested(nth).records.iter().map(|r| store.id_key().record(&r.key)).collect::<Vec<_>>();
        let headers = store.headers(&Access::system(), &ids).unwrap();
        assert!(
            headers.iter().all(Option::is_some),
            "page {nth} of {there} {}",
            pages()[nth].endpoint
        );
    }
}

#[test]
fn a_killed_settle_is_finished_by_the_next() {
    let seed = seed();
    let base = copy_of(seed.path());
    let (expected, longest) = {
        let gateway = gateway(base.path());
        ingest_rest(&gateway, &mut |_| {});
        let expected = proved(&gateway);
        let began = Instant::now();
        gateway.rebuild(&mut |_, _| {}).unwrap();
        (expected, began.elapsed())
    };
    let mut dice = Dice(2);
    let mut kills = 0;
    while kills < kills_wanted() {
        let killed = copy_of(base.path());
        for _ in 0..KILLS_PER_STORE {
            let (_, ended) = kill_after("settle", killed.path(), 0, (1, dice.delay(longest)));
            kills += usize::from(!ended);
        }
        assert_same(&proved(&gateway(killed.path())), &expected);
    }
    eprintln!("settle: {kills} kills");
}

#[test]
fn an_acknowledged_decision_outlives_a_kill() {
    let seed = seed();
    let base = copy_of(seed.path());
    ingest_rest(&gateway(base.path()), &mut |_| {});
    let whole = copy_of(base.path());
    let expected = {
        let gateway = gateway(whole.path());
        (0..DECISIONS).for_each(|nth| decide(&gateway, nth));
        proved(&gateway)
    };
    let mut dice = Dice(3);
    let mut kills = 0;
    while kills < kills_wanted() {
        let killed = copy_of(base.path());
        let mut next = 0;
        for _ in 0..KILLS_PER_STORE {
            let acknowledged = dice.roll(4) as usize + 1;
            let point = (acknowledged, dice.delay(BEYOND));
            let (last, ended) = kill_after("decide", killed.path(), next, point);
            kills += usize::from(!ended);
            next = last.map_or(next, |last| last + 1);
            assert_decisions(&gateway(killed.path()), next);
        }
        let gateway = gateway(killed.path());
        (next..DECISIONS).for_each(|nth| decide(&gateway, nth));
        assert_same(&proved(&gateway), &expected);
    }
    eprintln!("decisions: {kills} kills");
}

/// All decisions before `next` hold, and the one that was under way may.
fn assert_decisions(gateway: &Gateway, next: usize) {
    let mut stored: BTreeMap<(ChartKey, ChartKey), Verdict> = BTreeMap::new();
    let mut held = BTreeMap::new();
    for nth in 0..=next.min(DECISIONS - 1) {
        let (a, b, _) = decision(nth);
        let decisions = gateway.store().decisions(&Access::system(), &Home::Chart(a.clone()));
        let other = Home::Chart(b.clone());
        let of_pair = decisions.unwrap().into_iter().find(|d| d.a == other || d.b == other);
        stored.extend(of_pair.map(|d| ((a, b), d.verdict)));
    }
    let mut may_be = Vec::new();
    for nth in 0..=next.min(DECISIONS - 1) {
        if nth == next {
            may_be.push(held.clone());
        }
        let (a, b, verdict) = decision(nth);
        match verdict {
            Some(verdict) => drop(held.insert((a, b), verdict)),
            None => drop(held.remove(&(a, b))),
        }
    }
    may_be.push(held);
    assert!(may_be.contains(&stored), "after {next}: {stored:?}, expected one of {may_be:?}");
}
