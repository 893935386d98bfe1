//! Precision and recall on public linkage sets, with the embedded model and with one that was
//! learned from each set without its labels.
//!
//! Run with `CAREWEAVE_CORPUS=<folder> cargo test --release --test corpus_identity -- --ignored
//! --nocapture`; the folder holds `febrl-dataset{1,2,3}.csv`, `splink-fake_1000.csv` and
//! `cdc-recordlinker/`.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "test that reports figures")]

use std::collections::BTreeMap;
use std::path::Path;

use careweave::flow::MatchGrade;
use careweave::identity::Model;
use careweave::pipeline::linkage::{
    Quality, Records, Share, TableOptions, Truth, learn, pairs, persons,
};

fn measure(path: &Path, id: &str, trained: bool) -> Quality {
    let options = TableOptions { id: Some(id.to_owned()), ..TableOptions::default() };
    let records = Records::read(path, &options).unwrap();
    let base = Model::embedded();
    let model = match trained {
        true => learn(&records, &base, 1).unwrap().model,
        false => base.for_records(records.len()),
    };
    let found = pairs(&records, &model);
    let certain = persons(&records, &found, &model, MatchGrade::Certain);
    let probable = persons(&records, &found, &model, MatchGrade::Probable);
    let truth = Truth::read(path, &records).unwrap();
    truth.quality(&records, &found, &certain, &probable)
}

#[test]
#[ignore = "needs the public sets in CAREWEAVE_CORPUS"]
fn public_sets_are_linked_precisely_trained_and_untrained() {
    let Ok(folder) = std::env::var("CAREWEAVE_CORPUS") else {
        println!("skipped: set CAREWEAVE_CORPUS to the folder of the public sets");
        return;
    };
    // File, id, least precision at certain, least F1 of persons untrained and trained, least
    // recall of persons made of certain links, trained.
    let sets = [
        ("febrl-dataset1.csv", "rec_id", 0.999, [0.98, 0.9985], 0.98),
        ("febrl-dataset2.csv", "rec_id", 0.999, [0.98, 0.999], 0.98),
        ("febrl-dataset3.csv", "rec_id", 0.999, [0.98, 0.999], 0.98),
        ("splink-fake_1000.csv", "unique_id", 0.995, [0.8, 0.96], 0.75),
    ];
    for (file, id, precision, f1, recall) in sets {
        let path = Path::new(&folder).join(file);
        if !path.is_file() {
            println!("skipped: {file} is not in the folder");
            continue;
        }
        for (trained, least) in [false, true].into_iter().zip(f1) {
            let quality = measure(&path, id, trained);
            let line = |name: &str, s: &Share| {
                println!(
                    "{file} trained {trained} {name}: precision {:.4} recall {:.4} F1 {:.4}",
                    s.precision, s.recall, s.f1
                );
            };
            line("pairs, certain", &quality.certain);
            line("persons, certain", &quality.persons_certain);
            line("persons, probable", &quality.persons_probable);
            assert!(quality.certain.precision >= precision, "{file}");
            assert!(quality.persons_certain.precision >= precision, "{file}");
            assert!(quality.persons_probable.f1 >= least, "{file} trained {trained}");
            assert!(!trained || quality.persons_certain.recall >= recall, "{file}");
            for (bits, share) in &quality.curve {
                println!("  from {bits} bits: {:.5} {:.5}", share.precision, share.recall);
            }
        }
    }
}

/// Each case states a record, the one of the seed file it is compared with, and what was expected.
#[test]
#[ignore = "needs the public sets in CAREWEAVE_CORPUS"]
fn cases_of_a_public_health_matcher_are_never_linked_against_their_expectation() {
    let Ok(folder) = std::env::var("CAREWEAVE_CORPUS") else {
        println!("skipped: set CAREWEAVE_CORPUS to the folder of the public sets");
        return;
    };
    let folder = Path::new(&folder).join("cdc-recordlinker");
    let seed = folder.join("nbs_seed.csv");
    if !seed.is_file() {
        println!("skipped: cdc-recordlinker/ is not in the folder");
        return;
    }
    let column = |path: &Path, name: &str| -> Vec<String> {
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(path).unwrap();
        let at = reader.headers().unwrap().iter().position(|h| h.trim() == name).unwrap();
        reader.records().map(|row| row.unwrap().get(at).unwrap_or("").trim().to_owned()).collect()
    };
    let options = TableOptions { id: Some("ID".to_owned()), ..TableOptions::default() };
    let seeds = column(&seed, "Match Id");
    // What is expected in `better_test.csv` is what a rule would say that never links without a
    // birth date or under another family name, also where the SSN is the same: only told, not held.
    let files =
        [("better_test.csv", None), ("nbs_test.csv", Some(0)), ("expanded_nbs_test.csv", Some(1))];
    for (file, most_wrong) in files {
        let path = folder.join(file);
        let records = Records::read_two(&seed, &path, &options).unwrap();
        let model = Model::embedded().for_records(records.len());
        let found = pairs(&records, &model);
        let (of, expected) = (column(&path, "Match Id"), column(&path, "Expected Result"));
        let mut tally: BTreeMap<(&str, String), usize> = BTreeMap::new();
        for (n, (seed_id, expected)) in of.iter().zip(&expected).enumerate() {
            let Some(at) = seeds.iter().position(|id| id == seed_id) else { continue };
            let case = u32::try_from(seeds.len() + n).unwrap();
            let at = u32::try_from(at).unwrap();
            let grade = found.list.iter().find(|p| (p.a, p.b) == (at, case)).map(|p| p.grade);
            let grade = grade.unwrap_or(MatchGrade::CertainlyNot);
            *tally.entry((expected, format!("{grade:?}"))).or_default() += 1;
        }
        println!("{file}: {tally:?}");
        let wrong: usize = tally
            .iter()
            .filter(|((expected, grade), _)| *expected == "no_match" && grade == "Certain")
            .map(|(_, n)| n)
            .sum();
        let certain: usize =
            tally.iter().filter(|((_, grade), _)| grade == "Certain").map(|(_, n)| n).sum();
        println!("  {certain} certain, {wrong} of them not expected to match");
        assert!(most_wrong.is_none_or(|most| wrong <= most), "{file}");
    }
}
