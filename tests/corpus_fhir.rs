//! Checks and canonical bytes over the example resources of a developer's data folder, beside
//! the repository. Without that folder it says so and passes.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "test")]

#[path = "corpus_fhir/suite.rs"]
mod suite;
#[path = "corpus_fhir/validated.rs"]
mod validated;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use careweave::fhir::bundle::{Split, split};
use careweave::fhir::{Problem, StructureCheck, canonical_bytes_of, canonicalise};
use serde_json::Value;

/// Types whose examples must pass without a fatal problem.
const CARE_TYPES: [&str; 8] = [
    "CarePlan",
    "Goal",
    "ServiceRequest",
    "Task",
    "CareTeam",
    "Patient",
    "Condition",
    "Observation",
];

fn folder(prefix: &str) -> Option<PathBuf> {
    let data = std::env::var("CAREWEAVE_DATA").map_or_else(
        |_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        PathBuf::from,
    );
    let entries = fs::read_dir(&data).ok()?;
    let found = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with(prefix)));
    if found.is_none() {
        println!("skipped: no {prefix}* in {}", data.display());
    }
    found
}

fn json_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "json") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Every resource of a folder, those in Bundles one by one, as (file, text).
fn resources(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for path in json_files(folder) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let entries = match split(&fs::read(&path).unwrap()).unwrap() {
            Split::Resource(entry) => vec![entry],
            Split::Bundle { entries, .. } => entries,
        };
        let texts = entries.into_iter().filter_map(|entry| entry.resource);
        found.extend(texts.map(|text| (name.clone(), text.to_vec())));
    }
    found
}

fn fatal(check: &StructureCheck, folder: &Path) -> (usize, Vec<(String, String, Problem)>) {
    let mut faults = Vec::new();
    let all = resources(folder);
    let count = all.len();
    for (file, text) in all {
        let value: Value = serde_json::from_slice(&text).unwrap();
        let kind = value["resourceType"].as_str().unwrap_or_default().to_owned();
        let problems = check.check(std::str::from_utf8(&text).unwrap(), &value);
        let fatal = problems.into_iter().filter(|p| p.fatal);
        faults.extend(fatal.map(|p| (file.clone(), kind.clone(), p)));
    }
    (count, faults)
}

#[test]
fn official_examples_of_care_types_have_no_fatal_problem() {
    let check = StructureCheck::new(&[]).unwrap();
    for prefix in ["02-", "03-"] {
        let Some(folder) = folder(prefix) else { return };
        let (count, faults) = fatal(&check, &folder);
        println!("{prefix}: {count} resources, {} fatal problems", faults.len());
        for (file, _, problem) in &faults {
            println!("  {file}: {} {}: {}", problem.code, problem.expression, problem.text);
        }
        let care = faults.iter().filter(|(_, kind, _)| CARE_TYPES.contains(&kind.as_str()));
        assert_eq!(care.count(), 0);
    }
}

#[test]
fn what_other_sources_get_wrong_is_told_by_code_and_place() {
    let check = StructureCheck::new(&[]).unwrap();
    for prefix in ["04-", "05-", "06-"] {
        let Some(folder) = folder(prefix) else { return };
        let (count, faults) = fatal(&check, &folder);
        let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
        for (_, _, problem) in &faults {
            let place = problem.expression.replace(|c: char| c.is_ascii_digit(), "");
            *kinds.entry(format!("{} {place}: {}", problem.code, problem.text)).or_default() += 1;
        }
        println!("{prefix}: {count} resources, {} fatal problems", faults.len());
        kinds.iter().for_each(|(kind, count)| println!("  {count:4} {kind}"));
        assert!(faults.iter().all(|(_, _, problem)| !problem.text.is_empty()));
    }
}

#[test]
fn canonical_bytes_keep_the_content_of_every_example() {
    let Some(folder) = folder("02-") else { return };
    for path in json_files(&folder) {
        let value: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let bytes = canonical_bytes_of(&value);
        let again: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(again, value, "{}", path.display());
        // The examples are published in R4 order, so nothing may move.
        let compact = serde_json::to_vec(&value).unwrap();
        let moved = compact != bytes;
        assert_eq!(serde_json::to_vec(&canonicalise(value)).unwrap(), bytes);
        if moved {
            println!("reordered: {}", path.display());
        }
    }
}
