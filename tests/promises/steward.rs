//! P1, P5: a steward's decisions outrank the algorithm and outlive whatever happens to the data.

use std::collections::BTreeMap;

use careweave::fhir::ResourceType;
use careweave::flow::{Access, ChartKey, DerivedId, Home, Owner, RecordKey, Resolution, Verdict};
use careweave::identity::Model;
use careweave::pipeline::GatewayError;

use super::compared::{assert_conserved, assert_same, said_in, snapshot, to_the_byte};
use super::statements::{Said, Statement, all_of, is_patient, population};
use super::world::World;

/// A population with pairs in the queue and persons of several charts.
const SEED: u64 = 7;
const PERSONS: usize = 12;

#[test]
fn decisions_outlive_rebuild_pull_and_model() {
    let said = all_of(&population(SEED, PERSONS));
    let mut world = World::with(&said);
    let (queued, together) = (queued_pair(&world), linked_pair(&world));
    decide(&world, Verdict::Link, &queued).unwrap();
    decide(&world, Verdict::NoMatch, &together).unwrap();
    let stands = |world: &World| {
        let (a, b) = &queued;
        assert_eq!(owner(world, a), owner(world, b), "the link stands");
        let (a, b) = &together;
        assert_ne!(owner(world, a), owner(world, b), "the no-match stands");
        assert_conserved(world).unwrap();
    };
    stands(&world);

    let bytes = to_the_byte(&world);
    world.gateway.rebuild(&mut |_, _| {}).unwrap();
    assert_same(&bytes, &to_the_byte(&world)).unwrap();

    let before = said_in(snapshot(&world));
    let again: Vec<Statement> =
        said.iter().map(|s| Statement { wave: s.wave + 60, ..s.clone() }).collect();
    world.take(&again);
    world.settle();
    stands(&world);
    assert_same(&before, &said_in(snapshot(&world))).unwrap();

    // A model that links nobody, and one that links whoever is a little alike.
    for certain_bits in ["60", "7.5"] {
        world = world.with_model(model(certain_bits));
        stands(&world);
    }
    assert_same(&before, &said_in(snapshot(&world.with_model(Model::embedded())))).unwrap();
}

#[test]
fn an_undone_decision_leaves_the_ids_of_before_and_its_history() {
    let world = World::with(&all_of(&population(SEED, PERSONS)));
    let (queued, together) = (queued_pair(&world), linked_pair(&world));
    for (verdict, pair) in [(Verdict::Link, &queued), (Verdict::NoMatch, &together)] {
        let (before, owners) = (snapshot(&world), owners(&world));
        decide(&world, verdict, pair).unwrap();
        assert_ne!(owners, self::owners(&world), "the decision did something");
        // The opposite on top of it, taken back: the first one stands again.
        let other = if verdict == Verdict::Link { Verdict::NoMatch } else { Verdict::Link };
        let decided = self::owners(&world);
        decide(&world, other, pair).unwrap();
        assert_eq!(undo(&world, pair), 1);
        assert_eq!(decided, self::owners(&world));
        assert_eq!(undo(&world, pair), 1);
        assert_eq!(undo(&world, pair), 0, "nothing is left to take back");
        assert_same(&before, &snapshot(&world)).unwrap();
        assert_eq!(owners, self::owners(&world), "everybody is shown under the id of before");
        let (a, b) = (home(&pair.0), home(&pair.1));
        let history = world.gateway.store().past_decisions(&Access::system(), &a, &b).unwrap();
        let verdicts: Vec<Verdict> = history.iter().map(|past| past.decision.verdict).collect();
        assert_eq!(verdicts, [verdict, other]);
        assert!(history.iter().all(|past| past.undone.is_some()));
    }
    assert_conserved(&world).unwrap();
}

#[test]
fn a_decision_waits_for_the_patient_it_is_about() {
    let said = all_of(&population(SEED, PERSONS));
    let whole = World::with(&said);
    let (queued, together) = (queued_pair(&whole), linked_pair(&whole));
    let late = |s: &Statement| {
        is_patient(s) && [&queued.1, &together.1].iter().any(|c| c.patient_record() == s.key)
    };
    let (patients, rest): (Vec<Statement>, Vec<Statement>) = said.iter().cloned().partition(late);
    assert_eq!(patients.len(), 2);
    let mut world = World::with(&rest);
    decide(&world, Verdict::Link, &queued).unwrap();
    decide(&world, Verdict::NoMatch, &together).unwrap();
    assert_conserved(&world).unwrap();
    world.take(&patients);
    world.settle();
    assert_conserved(&world).unwrap();
    assert_eq!(owner(&world, &queued.0), owner(&world, &queued.1));
    assert_ne!(owner(&world, &together.0), owner(&world, &together.1));

    decide(&whole, Verdict::Link, &queued).unwrap();
    decide(&whole, Verdict::NoMatch, &together).unwrap();
    assert_same(&snapshot(&whole), &snapshot(&world)).unwrap();
}

#[test]
fn a_link_against_a_standing_no_match_is_refused_and_changes_nothing() {
    let world = World::with(&all_of(&population(SEED, PERSONS)));
    let person = persons(&world).into_iter().find(|p| p.charts.len() > 2).unwrap();
    let [a, b, c] = &person.charts[..3] else { panic!("three charts") };
    // `a` is parted from both others, so a link to one of them contradicts the other decision.
    let apart = [(a.clone(), b.clone()), (a.clone(), c.clone())];
    world.gateway.decide_all(Verdict::NoMatch, &apart, "anna", "").unwrap();
    world.settle();
    assert_eq!(owner(&world, b), owner(&world, c), "the others stay together");
    let bytes = to_the_byte(&world);
    let refused = decide(&world, Verdict::Link, &(a.clone(), b.clone())).unwrap_err();
    let GatewayError::KeptApart(standing) = refused else { panic!("{refused}") };
    assert_eq!((&*standing[0].by, standing.len()), ("anna", 1));
    assert_same(&bytes, &to_the_byte(&world)).unwrap();
    assert_eq!(undo(&world, &(a.clone(), c.clone())), 1);
    decide(&world, Verdict::Link, &(a.clone(), b.clone())).unwrap();
    assert_eq!(owner(&world, a), owner(&world, c), "one person again");
    assert_conserved(&world).unwrap();
}

#[test]
fn what_a_link_would_do_is_what_it_does() {
    let world = World::with(&all_of(&population(SEED, PERSONS)));
    let access = Access::system();
    let queue = world.gateway.review_queue(&access, None, 100).unwrap();
    assert!(queue.len() > 2, "{} pairs", queue.len());
    for queued in queue {
        let pair = (chart(&queued.pair.a), chart(&queued.pair.b));
        let foretold = world.gateway.if_linked(&access, &pair).unwrap();
        let touched = [pair.0.clone(), pair.1.clone()];
        let before = world.gateway.persons_of(&access, &touched).unwrap();
        let all: Vec<ChartKey> = before.into_iter().flat_map(|p| p.charts).collect();
        let own = |chart: &ChartKey| owner(&world, chart).map(Owner::id);
        let apart = own(&pair.0) != own(&pair.1);
        decide(&world, Verdict::Link, &pair).unwrap();
        assert_eq!(apart, foretold.effect.is_some(), "{}", queued.id);
        if let Some(effect) = &foretold.effect {
            let ids = [own(&pair.0), own(&pair.1)];
            assert_eq!(ids, [Some(effect.into); 2], "the id that was foretold stays");
        }
        let mut come: Vec<_> = world.gateway.persons_of(&access, &all).unwrap();
        come.sort_by(|x, y| x.charts.cmp(&y.charts));
        let figures = |persons: &[careweave::pipeline::PersonNow]| -> Vec<_> {
            persons.iter().map(|p| (p.charts.clone(), p.records, p.plans)).collect()
        };
        assert_eq!(figures(&foretold.persons), figures(&come), "{}", queued.id);
        undo(&world, &pair);
    }
}

#[test]
fn an_override_outlives_rebuild_and_pull_and_expires_with_its_sources() {
    let said = all_of(&population(SEED, PERSONS));
    let mut world = World::with(&said);
    let before = snapshot(&world);
    let (issue, sides) = disagreement(&world);
    let (side, preferred) = sides
        .iter()
        .find_map(|key| {
            let id = world.gateway.store().id_key().record(key);
            (shown_value(&world, issue) != Some(id)).then(|| (key.clone(), id))
        })
        .expect("a disagreement has two sides");
    let not_a_side = world.gateway.resolve(issue, Resolution::Prefer(issue), "anna", "");
    assert!(matches!(not_a_side, Err(GatewayError::NoSide(known)) if known == sides));
    world.gateway.resolve(issue, Resolution::Prefer(preferred), "anna", "asked").unwrap();
    let stands = |world: &World| {
        assert_eq!(shown_value(world, issue), Some(preferred), "the preferred value is shown");
        let told = issue_text(world, issue).unwrap();
        assert!(told.contains("mitigation") && told.contains("anna"), "{told}");
        assert_conserved(world).unwrap();
    };
    stands(&world);
    let bytes = to_the_byte(&world);
    world.gateway.rebuild(&mut |_, _| {}).unwrap();
    assert_same(&bytes, &to_the_byte(&world)).unwrap();
    let again: Vec<Statement> =
        said.iter().map(|s| Statement { wave: s.wave + 60, ..s.clone() }).collect();
    world.take(&again);
    world.settle();
    stands(&world);

    // Taken back, it is as if it had never been; decided anew, it stands again.
    assert!(world.gateway.reopen(issue, "anna", "").unwrap().1);
    assert!(!world.gateway.reopen(issue, "anna", "").unwrap().1, "nothing is left to reopen");
    assert_same(&said_in(before), &said_in(snapshot(&world))).unwrap();
    world.gateway.resolve(issue, Resolution::Prefer(preferred), "anna", "asked").unwrap();
    stands(&world);

    let last = said.iter().rev().find(|s| s.key == side).unwrap();
    let Said::Resource(mut changed) = last.said.clone() else { panic!("it is live") };
    changed["note"] = serde_json::json!([{"text": "seen again"}]);
    changed["meta"] = serde_json::json!({"versionId": "900",
        "lastUpdated": "2026-11-21T08:00:00Z"});
    world.take(&[Statement { wave: 120, said: Said::Resource(changed), ..last.clone() }]);
    world.settle();
    let told = issue_text(&world, issue).unwrap();
    assert!(told.contains("earlier override, by anna") && !told.contains("mitigation"), "{told}");
    assert_conserved(&world).unwrap();
    let verified = world.gateway.verify(&mut |_| {}).unwrap();
    assert_eq!(verified.findings_total, 0, "{:?}", verified.findings);
}

/// A disagreement about a value of a Goal, and the records of which one can be preferred.
fn disagreement(world: &World) -> (DerivedId, Vec<RecordKey>) {
    let issues = issues(world).into_iter().map(|(id, _)| id);
    let mut sided = issues.map(|id| (id, world.gateway.sides(id).unwrap()));
    let fits = |(_, sides): &(DerivedId, Vec<RecordKey>)| {
        sides.len() > 1 && sides.iter().all(|key| key.resource_type.name() == "Goal")
    };
    sided.find(fits).expect("some goal is disagreed on")
}

fn issues(world: &World) -> Vec<(DerivedId, String)> {
    let (access, store) = (Access::system(), world.gateway.store());
    let kind = ResourceType::of("DetectedIssue");
    let mut issues = Vec::new();
    for owner in store.owners(&access, None, 10_000).unwrap() {
        let Some(table) = store.table(&access, owner, kind).unwrap() else { continue };
        let all: Vec<DerivedId> = table.rows.iter().map(|row| row.id).collect();
        let bodies = store.bodies(&access, owner, kind, &all).unwrap();
        let texts = bodies.into_iter().flatten().map(|b| String::from_utf8(b.to_vec()).unwrap());
        issues.extend(table.rows.iter().map(|row| row.id).zip(texts));
    }
    issues
}

fn issue_text(world: &World, issue: DerivedId) -> Option<String> {
    issues(world).into_iter().find(|(id, _)| *id == issue).map(|(_, text)| text)
}

/// The record whose value is shown where this conflict is about.
fn shown_value(world: &World, issue: DerivedId) -> Option<DerivedId> {
    let text = issue_text(world, issue)?;
    let told: serde_json::Value = serde_json::from_str(&text).unwrap();
    let about = told["implicated"][0]["reference"].as_str()?.strip_prefix("Goal/")?.to_owned();
    let sides = world.gateway.sides(issue).unwrap();
    let ids: Vec<DerivedId> =
        sides.iter().map(|key| world.gateway.store().id_key().record(key)).collect();
    let (access, store) = (Access::system(), world.gateway.store());
    let owners = store.owners(&access, None, 10_000).unwrap();
    let goals = owners
        .into_iter()
        .filter_map(|owner| store.table(&access, owner, ResourceType::of("Goal")).unwrap());
    let rows: Vec<_> = goals.flat_map(|table| table.rows.clone()).collect();
    let row = rows.into_iter().find(|row| row.id.to_string() == about)?;
    let detail = told["detail"].as_str()?;
    let choice = row.choices.into_iter().find(|c| {
        let element = c.element.strip_prefix("Goal.").unwrap_or_default();
        detail.contains(&format!(", {element}:")) && ids.contains(&c.from)
    })?;
    Some(choice.from)
}

fn decide(
    world: &World,
    verdict: Verdict,
    (a, b): &(ChartKey, ChartKey),
) -> Result<(), GatewayError> {
    world.gateway.decide(verdict, (a, b), "steward", "")?;
    world.settle();
    Ok(())
}

fn undo(world: &World, pair: &(ChartKey, ChartKey)) -> usize {
    let undone = world.gateway.undo(std::slice::from_ref(pair), "steward", "").unwrap();
    world.settle();
    undone
}

/// The heaviest pair in the queue of two persons.
fn queued_pair(world: &World) -> (ChartKey, ChartKey) {
    let queue = world.gateway.review_queue(&Access::system(), None, 100).unwrap();
    let pairs = queue.iter().map(|q| (chart(&q.pair.a), chart(&q.pair.b)));
    let alone = |c: &ChartKey| persons(world).iter().any(|p| p.charts == [c.clone()]);
    pairs.into_iter().find(|(a, b)| alone(a) || alone(b)).expect("somebody is in the queue")
}

/// Two charts that the algorithm has put together, and nobody else with them.
fn linked_pair(world: &World) -> (ChartKey, ChartKey) {
    let queued = queued_pair(world);
    let of_two = persons(world).into_iter().find(|p| {
        p.charts.len() == 2 && !p.charts.contains(&queued.0) && !p.charts.contains(&queued.1)
    });
    let charts = of_two.expect("somebody has two charts").charts;
    (charts[0].clone(), charts[1].clone())
}

struct Person {
    charts: Vec<ChartKey>,
}

fn persons(world: &World) -> Vec<Person> {
    let access = Access::system();
    let store = world.gateway.store();
    let owners = store.owners(&access, None, 10_000).unwrap();
    let homes = owners.into_iter().map(|o| store.view(&access, o).unwrap().unwrap().homes);
    homes
        .map(|homes| Person { charts: homes.iter().filter_map(Home::chart).cloned().collect() })
        .filter(|person| !person.charts.is_empty())
        .collect()
}

/// Under which id each chart is shown.
fn owners(world: &World) -> BTreeMap<ChartKey, DerivedId> {
    let charts = persons(world).into_iter().flat_map(|p| p.charts);
    charts.map(|c| (c.clone(), owner(world, &c).unwrap().id())).collect()
}

fn owner(world: &World, chart: &ChartKey) -> Option<Owner> {
    let link = world.gateway.store().link(&Access::system(), &home(chart)).unwrap();
    link.and_then(|link| link.owner)
}

fn home(chart: &ChartKey) -> Home {
    Home::Chart(chart.clone())
}

fn chart(home: &Home) -> ChartKey {
    home.chart().unwrap().clone()
}

/// The model that comes with the program, with another threshold for certain links.
fn model(certain_bits: &str) -> Model {
    let text = std::fs::read_to_string("profiles/match-model.json").unwrap();
    let mut model: serde_json::Value = serde_json::from_str(&text).unwrap();
    let thresholds = &mut model["thresholds"];
    thresholds["certain_bits"] = serde_json::from_str(certain_bits).unwrap();
    thresholds["name_and_birth_bits"] = thresholds["certain_bits"].clone();
    Model::parse(&model.to_string()).unwrap()
}
