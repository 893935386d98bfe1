//! Deduplicates a made table: quality, time, and what a decision about one record costs.
//!
//! `cargo bench --bench identity -- [RECORDS] [SEED]` deduplicates; a million records by default.
//! `cargo bench --bench identity -- decide [CHARTS] [SEED]` decides about one record more against
//! a store; 100,000 charts by default.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::expect_used,
    reason = "made data, small numbers"
)]

mod decide;
mod world;

use std::time::Instant;

use careweave::flow::MatchGrade;
use careweave::identity::Model;
use careweave::pipeline::linkage::{Records, Share, TableOptions, Truth, learn, pairs, persons};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|word| word.parse::<u64>().ok());
    let count = numbers.next().map(|n| n as usize);
    let seed = numbers.next().unwrap_or(7);
    if std::env::args().any(|word| word == "decide") {
        return decide::decide(count.unwrap_or(100_000), seed);
    }
    dedupe(count.unwrap_or(1_000_000), seed);
}

fn dedupe(count: usize, seed: u64) {
    let path = std::env::temp_dir().join(format!("careweave-identity-{count}-{seed}.csv"));
    std::fs::write(&path, world::table(count, seed)).expect("the temporary folder is writable");

    let begun = Instant::now();
    let so_far = |what: &str| println!("{:7.1} s  {what}", begun.elapsed().as_secs_f64());
    let records = Records::read(&path, &TableOptions::default()).expect("it was just written");
    so_far("read and normalised");
    let learned = learn(&records, &Model::embedded(), seed).expect("there are enough records");
    let model = learned.model;
    so_far("trained");
    let found = pairs(&records, &model);
    so_far(&format!("compared {} pairs, kept {}", found.compared, found.list.len()));
    let certain = persons(&records, &found, &model, MatchGrade::Certain);
    let probable = persons(&records, &found, &model, MatchGrade::Probable);
    so_far("grouped twice");

    let truth = Truth::read(&path, &records).expect("it was just written");
    let quality = truth.quality(&records, &found, &certain, &probable);
    let line = |name: &str, s: &Share| {
        println!(
            "{name:18} precision {:.5} recall {:.5} F1 {:.5} wrong {}",
            s.precision, s.recall, s.f1, s.wrong
        );
    };
    line("pairs, certain", &quality.certain);
    line("pairs, probable", &quality.probable);
    line("persons, certain", &quality.persons_certain);
    line("persons, probable", &quality.persons_probable);
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        status.lines().filter(|l| l.starts_with("VmHWM")).for_each(|l| println!("{l}"));
    }
    // Nothing is lost if it stays.
    let _ = std::fs::remove_file(&path);
}
