//! What holds for any input: symmetry, order independence, decisions respected.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Glance, Model, Relation, assess, cluster, compare_homes};
use crate::compare::demographics;
use crate::fhir::ResourceType;
use crate::flow::{
    ChartKey, Comparison, Decision, Demographics, Home, MatchGrade, RecordKey, RefTarget, Verdict,
};

fn home(n: usize) -> Home {
    Home::Chart(ChartKey::new(["a", "b", "c"][n % 3], &n.to_string()))
}

fn edge_of(grade: MatchGrade, weight_bits: f64, veto: bool, unproven: bool) -> Comparison {
    let vetoes = if veto { vec!["generational-suffix".into()] } else { vec![] };
    Comparison { weight_bits, probability: 0.5, grade, unproven, waterfall: vec![], vetoes }
}

fn decision(a: usize, b: usize, verdict: Verdict, second: i64) -> Decision {
    let (a, b) = (home(a).min(home(b)), home(a).max(home(b)));
    let at = jiff::Timestamp::from_second(second).unwrap_or_default();
    Decision { verdict, a, b, by: "s".into(), at, note: "".into() }
}

fn any_demographics() -> impl Strategy<Value = Demographics> {
    let word = prop::sample::select(vec!["ana", "bill", "william", "o'neil", "smith", "x", ""]);
    let birth =
        prop::sample::select(vec!["1970-01-02", "1970-02-01", "1970-01", "1970", "1985-07-30", ""]);
    let ssn = prop::sample::select(vec!["212-34-5678", "212-34-5679", "315-78-1234", ""]);
    (word.clone(), word.clone(), birth, ssn, word).prop_map(|(given, family, birth, ssn, street)| {
        demographics(&json!({
            "name": [{"given": [given], "family": family}, {"family": given, "given": [street]}],
            "birthDate": birth,
            "identifier": [{"system": "http://hl7.org/fhir/sid/us-ssn", "value": ssn}],
            "address": [{"line": [format!("1 {street} st")], "postalCode": "02139"}]
        }))
    })
}

/// One of some texts, parted by bars.
fn one_of(texts: &'static str) -> impl Strategy<Value = String> + Clone {
    prop::sample::select(texts.split('|').map(str::to_owned).collect::<Vec<_>>())
}

/// A name as a table has it, with a former one at times.
fn any_name() -> impl Strategy<Value = Vec<Value>> {
    let given =
        one_of("Elizabeth|Liz|Elisabeth|Ann|Anne|J|John|Jonathan|Garcia|Zoë|Mary Ann|Bob|Robert|");
    let given = prop_oneof![4 => given, 1 => "[A-D]{1,7}"];
    let family =
        one_of("Garcia|Garcia Lopez|Lopez|Gracia|O'Neil|Oneal|John|Smith|Smyth|Núñez|de la Cruz|");
    let family = prop_oneof![4 => family, 1 => "[A-D]{1,9}"];
    (given.clone(), given, family.clone(), prop::option::weighted(0.1, family)).prop_map(
        |(given, middle, family, former)| {
            let mut names = vec![json!({"given": [given, middle], "family": family})];
            names.extend(former.map(|old| json!({"given": [given], "family": old})));
            names
        },
    )
}

/// Records as a table has them, mostly with one of each, slips included.
fn any_row() -> impl Strategy<Value = Demographics> {
    let birth = one_of("1970-01-02|1970-02-01|1970-01|1971-01-02|1990-07-30|1970-01-01|");
    let number = one_of("212-34-5678|212-34-5679|212-34-6578|315-78-1234|");
    let line = one_of("12 Maple Street|12 Mapel St|112 Maple St Apt 3|Maple Street|PO Box 12|");
    let line = prop_oneof![2 => line, 1 => "1 [A-C]{3,7} [A-C]{2,5} St"];
    let place = (one_of("Boston|Bosten|Worcester|"), one_of("02139|02138|01608|02193|"));
    let phone = one_of("617-253-1234|617-253-1243|508-253-9999|");
    let email = one_of("ann.smith@mail.org|an.smith@mail.org|b@x.example|");
    let home = (line, place, phone, email);
    (any_name(), birth, number, home, one_of("male|female|")).prop_map(
        |(names, birth, number, (line, (city, zip), phone, email), gender)| {
            demographics(&json!({
                "name": names, "birthDate": birth, "gender": gender,
                "identifier": [{"system": "http://hl7.org/fhir/sid/us-ssn", "value": number}],
                "address": [{"line": [line], "city": city, "postalCode": zip}],
                "telecom": [
                    {"system": "phone", "value": phone}, {"system": "email", "value": email}
                ]
            }))
        },
    )
}

type Edges = Vec<(Home, Home, Comparison)>;

fn any_edges() -> impl Strategy<Value = Edges> {
    let one = (0usize..9, 0usize..9, -5i8..30, any::<bool>(), 0u8..6, 0u8..6);
    prop::collection::vec(one, 0..25).prop_map(|rows| {
        let made = rows.into_iter().map(|(a, b, weight, certain, veto, unproven)| {
            let grade = if certain { MatchGrade::Certain } else { MatchGrade::Possible };
            (home(a), home(b), edge_of(grade, f64::from(weight), veto == 0, unproven == 0))
        });
        made.collect()
    })
}

fn any_decisions() -> impl Strategy<Value = Vec<Decision>> {
    let one = (0usize..9, 0usize..9, any::<bool>(), 0i64..5);
    prop::collection::vec(one, 0..8).prop_map(|rows| {
        let verdict = |link| if link { Verdict::Link } else { Verdict::NoMatch };
        rows.into_iter().map(|(a, b, link, at)| decision(a, b, verdict(link), at)).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn scores_are_symmetric(a in any_demographics(), b in any_demographics()) {
        let model = Model::embedded();
        let (x, y) = (home(0), home(1));
        let there = compare_homes((&x, &a), (&y, &b), &model);
        let back = compare_homes((&y, &b), (&x, &a), &model);
        let crossed = compare_homes((&x, &b), (&y, &a), &model);
        prop_assert_eq!(&there, &back);
        prop_assert_eq!(&there, &crossed);
    }

    #[test]
    fn no_pair_weighs_more_than_a_glance_says(rows in prop::collection::vec(any_row(), 12)) {
        let model = Model::embedded();
        let glance = Glance::of(&model);
        for a in &rows {
            for b in &rows {
                let most = glance.weight_at_most(&glance.outline(a), &glance.outline(b));
                let weight = assess(a, b, Relation::default(), &model).weight_bits;
                prop_assert!(weight <= most + 0.01, "{weight} {most} {a:?} {b:?}");
            }
        }
    }

    #[test]
    fn groups_do_not_depend_on_order(
        edges in any_edges(), decisions in any_decisions(), turn in 0usize..25,
    ) {
        let nodes: Vec<Home> = (0..9).map(home).collect();
        let there = cluster(&nodes, &edges, &decisions);
        let mut turned: Edges =
            edges.iter().map(|(a, b, c)| (b.clone(), a.clone(), c.clone())).rev().collect();
        let at = turn.min(turned.len());
        turned.rotate_left(at);
        let (mut back_nodes, mut back) = (nodes, decisions);
        back_nodes.reverse();
        back.reverse();
        prop_assert_eq!(there, cluster(&back_nodes, &turned, &back));
    }

    #[test]
    fn a_no_match_decision_is_never_violated(
        edges in any_edges(), decisions in any_decisions(),
    ) {
        let nodes: Vec<Home> = (0..9).map(home).collect();
        let groups = cluster(&nodes, &edges, &decisions).groups;
        prop_assert_eq!(groups.iter().map(Vec::len).sum::<usize>(), 9);
        for no in decisions.iter().filter(|d| d.verdict == Verdict::NoMatch && d.a != d.b) {
            let overruled = decisions.iter().any(|d| {
                d.verdict == Verdict::Link && (&d.a, &d.b) == (&no.a, &no.b) && d.at > no.at
            });
            let together = groups.iter().any(|g| g.contains(&no.a) && g.contains(&no.b));
            prop_assert!(overruled || !together);
        }
    }

    #[test]
    fn any_name_compares_without_panic(text in "\\PC{0,40}", other in "\\PC{0,40}") {
        let read = |t: &str| demographics(&json!({
            "name": [{"text": t}], "birthDate": t, "address": [{"line": [t], "postalCode": t}],
            "telecom": [{"system": "phone", "value": t}, {"system": "email", "value": t}],
        }));
        let (a, b) = (read(&text), read(&other));
        let found = compare_homes((&home(0), &a), (&home(1), &b), &Model::embedded());
        prop_assert!(found.weight_bits.is_finite());
    }
}

#[test]
fn a_contradiction_splits_a_chain_at_its_weakest_edge() {
    let certain = |w| edge_of(MatchGrade::Certain, w, false, false);
    let nodes: Vec<Home> = (0..3).map(home).collect();
    let edges = vec![
        (home(0), home(1), certain(30.0)),
        (home(1), home(2), certain(16.0)),
        (home(0), home(2), edge_of(MatchGrade::Possible, 9.0, true, false)),
    ];
    let split = cluster(&nodes, &edges, &[]);
    assert_eq!(split.groups, vec![vec![home(0), home(1)], vec![home(2)]]);
    assert_eq!(&*split.cuts[0].reason, "generational-suffix");
    let linked = cluster(&nodes, &edges, &[decision(0, 2, Verdict::Link, 1)]);
    assert_eq!(linked.groups.len(), 1);
}

#[test]
fn a_link_of_a_steward_joins_whole_persons_however_unlike_and_a_chain_stays_weak() {
    let certain = |a: usize, b: usize| {
        (home(a), home(b), edge_of(MatchGrade::Certain, 20.0 + a as f64, false, false))
    };
    let unlike = |a: usize, b: usize| {
        (home(a), home(b), edge_of(MatchGrade::CertainlyNot, -9.0, false, false))
    };
    let nodes: Vec<Home> = (0..6).map(home).collect();
    let mut edges: Edges = vec![certain(0, 1), certain(1, 2), certain(0, 2)];
    edges.extend([certain(3, 4), certain(4, 5), certain(3, 5)]);
    edges.extend((0..3).flat_map(|a| (3..6).map(move |b| unlike(a, b))));
    assert_eq!(cluster(&nodes, &edges, &[]).groups.len(), 2);
    let linked = cluster(&nodes, &edges, &[decision(0, 3, Verdict::Link, 1)]);
    assert_eq!((linked.groups.len(), linked.cuts.len()), (1, 0), "all of both persons");
    // Of the gateway's own making such a chain is not followed.
    edges.retain(|(a, b, _)| (a, b) != (&home(0), &home(3)));
    edges.push(certain(0, 3));
    let chained = cluster(&nodes, &edges, &[]);
    assert_eq!(&*chained.cuts[0].reason, "weak-chain");
}

#[test]
fn an_unproven_certain_edge_does_not_link() {
    let nodes: Vec<Home> = (0..2).map(home).collect();
    let edges = vec![(home(0), home(1), edge_of(MatchGrade::Certain, 30.0, false, true))];
    assert_eq!(cluster(&nodes, &edges, &[]).groups.len(), 2);
}

#[test]
fn an_endpoints_own_merge_is_certain_and_a_bare_identifier_stays_at_its_endpoint() {
    let model = Model::embedded();
    let at = |e, p| Home::Chart(ChartKey::new(e, p));
    let mut old = Demographics::default();
    let key = RecordKey::new("a", ResourceType::of("Patient"), "2");
    old.replaced_by = Some(RefTarget::Record(key));
    let new = Demographics::default();
    let merged = compare_homes((&at("a", "1"), &old), (&at("a", "2"), &new), &model);
    assert_eq!(merged.grade, MatchGrade::Certain);

    let known = demographics(&json!({"identifier": [{"system": "urn:x", "value": "7"}]}));
    let bare = Demographics { by_identifier_only: true, ..known.clone() };
    let grade = |e| {
        let reference = at(e, "?identifier=urn:x|7");
        compare_homes((&reference, &bare), (&at("a", "1"), &known), &model).grade
    };
    assert_eq!(grade("a"), MatchGrade::Certain);
    assert_eq!(grade("b"), MatchGrade::CertainlyNot);
}
