//! Precision and recall on public linkage sets, with the embedded model and with one that was
//! learned from each set without its labels.
//!
//! Run with `CAREWEAVE_CORPUS=<folder> cargo test --release --test corpus_identity -- --ignored
//! --nocapture`; the folder holds `febrl-dataset{1,2,3}.csv` and `splink-fake_1000.csv`.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "test that reports figures")]

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
    // File, id, least precision at certain, least F1 of persons untrained and trained.
    let sets = [
        ("febrl-dataset1.csv", "rec_id", 0.999, [0.98, 0.99]),
        ("febrl-dataset2.csv", "rec_id", 0.999, [0.98, 0.99]),
        ("febrl-dataset3.csv", "rec_id", 0.999, [0.98, 0.99]),
        ("splink-fake_1000.csv", "unique_id", 0.995, [0.8, 0.94]),
    ];
    for (file, id, precision, f1) in sets {
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
            assert!(quality.persons_probable.f1 >= least, "{file} trained {trained}");
        }
    }
}
