//! Pairwise precision and recall of the embedded, untrained model on public linkage sets.
//!
//! Run with `CAREWEAVE_CORPUS=<folder> cargo test --test corpus_identity -- --ignored
//! --nocapture`; the folder holds `febrl-dataset{1,2,3}.csv` and `splink-fake_1000.csv`.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "test that reports figures")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use careweave::compare::demographics;
use careweave::flow::{ChartKey, Comparison, Demographics, Home, MatchGrade};
use careweave::identity::{
    Model, blocking_keys, cluster, compare_homes, linking_grade, waterfall_text,
};
use serde_json::json;

type Row = BTreeMap<String, String>;

fn rows(path: &Path) -> Option<Vec<Row>> {
    let text = std::fs::read_to_string(path).ok()?;
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next()?.split(',').map(str::trim).collect();
    let row = |line: &str| {
        let values = line.split(',').map(|v| v.trim().to_owned());
        header.iter().map(|h| (*h).to_owned()).zip(values).collect()
    };
    Some(lines.filter(|l| !l.is_empty()).map(row).collect())
}

fn iso(day: &str) -> String {
    match (day.get(..4), day.get(4..6), day.get(6..8)) {
        (Some(y), Some(m), Some(d)) => format!("{y}-{m}-{d}"),
        _ => String::new(),
    }
}

fn febrl(row: &Row) -> (String, Demographics) {
    let of = |k: &str| row.get(k).cloned().unwrap_or_default();
    let mut person = demographics(&json!({
        "name": [{"family": of("surname"), "given": [of("given_name")]}],
        "birthDate": iso(&of("date_of_birth")),
        "address": [{
            "line": [format!("{} {}", of("street_number"), of("address_1"))],
            "city": of("suburb"), "state": of("state"), "postalCode": of("postcode")
        }],
        "identifier": [{
            "system": "urn:example:national", "value": of("soc_sec_id"),
            "type": {"coding": [{"code": "NI"}]}
        }]
    }));
    person.identifiers.retain(|i| !i.value.is_empty());
    (of("entity_id"), person)
}

fn fake(row: &Row) -> (String, Demographics) {
    let of = |k: &str| row.get(k).cloned().unwrap_or_default();
    let person = demographics(&json!({
        "name": [{"family": of("surname"), "given": [of("first_name")]}],
        "birthDate": of("dob"),
        "address": [{"city": of("city")}],
        "telecom": [{"system": "email", "value": of("email")}]
    }));
    (of("cluster"), person)
}

struct Figures {
    certain: (usize, usize),
    probable: (usize, usize),
    blocked: usize,
    clustered: (usize, usize),
    truth: usize,
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

fn measure(people: &[(String, Demographics)]) -> Figures {
    let model = Model::embedded();
    let homes: Vec<Home> =
        (0..people.len()).map(|i| Home::Chart(ChartKey::new(&format!("e{i:05}"), "1"))).collect();
    let mut blocks: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (i, (_, d)) in people.iter().enumerate() {
        for key in blocking_keys(&homes[i], d, &model) {
            blocks.entry(key).or_default().push(i);
        }
    }
    let mut pairs: BTreeSet<(usize, usize)> = BTreeSet::new();
    for block in blocks.values().filter(|b| b.len() <= model.block_cap()) {
        for (n, &i) in block.iter().enumerate() {
            pairs.extend(block[n + 1..].iter().map(|&j| (i, j)));
        }
    }
    let same = |i: usize, j: usize| people[i].0 == people[j].0;
    let mut edges: Vec<(Home, Home, Comparison)> = Vec::new();
    let (mut certain, mut probable, mut blocked) = ((0, 0), (0, 0), 0);
    let mut missed: BTreeMap<String, usize> = BTreeMap::new();
    for &(i, j) in &pairs {
        let found = compare_homes((&homes[i], &people[i].1), (&homes[j], &people[j].1), &model);
        let yes = usize::from(same(i, j));
        blocked += yes;
        if linking_grade(&found) == MatchGrade::Certain {
            certain = (certain.0 + yes, certain.1 + 1);
            if yes == 0 {
                println!("wrong:\n{}", waterfall_text(&found));
            }
        } else if yes == 1 {
            let levels = found
                .waterfall
                .iter()
                .filter(|s| ["name", "birth_date", "identifier"].contains(&&*s.field));
            let why: Vec<&str> = levels.map(|s| &*s.level).collect();
            let why = format!("{} {:?} {:?}", why.join(" / "), found.grade, found.vetoes);
            *missed.entry(why).or_default() += 1;
        }
        if found.grade >= MatchGrade::Probable {
            probable = (probable.0 + yes, probable.1 + 1);
        }
        if found.grade >= MatchGrade::Possible {
            edges.push((homes[i].clone(), homes[j].clone(), found));
        }
    }
    let mut missed: Vec<_> = missed.into_iter().collect();
    missed.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    for (why, n) in missed.iter().take(12) {
        println!("  not certain {n}: {why}");
    }
    let mut clustered = (0, 0);
    for group in cluster(&homes, &edges, &[]).groups {
        let members: Vec<usize> = group.iter().map(|h| homes.binary_search(h).unwrap()).collect();
        for (n, &i) in members.iter().enumerate() {
            for &j in &members[n + 1..] {
                clustered = (clustered.0 + usize::from(same(i, j)), clustered.1 + 1);
            }
        }
    }
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    for (entity, _) in people {
        *sizes.entry(entity).or_default() += 1;
    }
    let truth = sizes.values().map(|n| n * (n - 1) / 2).sum();
    Figures { certain, probable, blocked, clustered, truth }
}

#[test]
#[ignore = "needs the public sets in CAREWEAVE_CORPUS"]
fn the_untrained_model_is_precise_on_public_sets() {
    let Ok(folder) = std::env::var("CAREWEAVE_CORPUS") else {
        println!("skipped: set CAREWEAVE_CORPUS to the folder of the public sets");
        return;
    };
    type Read = fn(&Row) -> (String, Demographics);
    let sets: [(&str, Read, f64); 4] = [
        ("febrl-dataset1.csv", febrl, 0.999),
        ("febrl-dataset2.csv", febrl, 0.999),
        ("febrl-dataset3.csv", febrl, 0.999),
        ("splink-fake_1000.csv", fake, 0.995),
    ];
    for (file, read, least) in sets {
        let Some(rows) = rows(&Path::new(&folder).join(file)) else {
            println!("skipped: {file} is not in the folder");
            continue;
        };
        let people: Vec<_> = rows.iter().map(read).collect();
        let found = measure(&people);
        let line = |name: &str, (yes, all): (usize, usize)| {
            println!(
                "{file} {name}: precision {:.4} recall {:.4} ({yes}/{all} of {})",
                share(yes, all),
                share(yes, found.truth),
                found.truth
            );
        };
        println!("{file} blocking: recall {:.4}", share(found.blocked, found.truth));
        line("certain", found.certain);
        line("certain, clustered", found.clustered);
        line("probable and better", found.probable);
        assert!(share(found.certain.0, found.certain.1) >= least, "{file}");
    }
}
