//! Other people's data (see `corpus_fhir`) served by simulated endpoints and pulled over sockets:
//! everything that a server holds is on the ledger, and who is seen at two endpoints is found.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "test that tells what it saw")]

#[path = "corpus_pull/archive.rs"]
mod archive;
#[path = "corpus_pull/site.rs"]
mod site;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use careweave::simulator::SimulatorOptions;

use archive::{Truth, files_of, spread};
use site::{Held, Site, held_in};

#[tokio::test(flavor = "multi_thread")]
async fn every_record_of_real_data_is_on_the_ledger() {
    let Some(data) = data() else { return };
    let dir = tempfile::tempdir().unwrap();
    let patients = files_of(&data.join("04-synthea-r4"));
    let truth = spread(&patients, 2, dir.path());
    let strict = SimulatorOptions { require_patient: true, ..SimulatorOptions::default() };
    let one_by_one = SimulatorOptions { everything: false, ..strict.clone() };
    let folders = [
        ("first", dir.path().join("e0"), SimulatorOptions::default()),
        ("second", dir.path().join("e1"), strict),
        ("coordination", data.join("05-care-coordination"), SimulatorOptions::default()),
        ("documents", data.join("06-transition-documents-fhir"), SimulatorOptions::default()),
        ("strict", data.join("05-care-coordination/chronic-care-multi-provider/mae"), one_by_one),
    ];
    pulled_and_checked(&folders, &truth).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "some minutes in a debug build: cargo test --test corpus_pull -- --ignored"]
async fn all_synthea_patients_over_four_endpoints() {
    let Some(data) = data() else { return };
    let dir = tempfile::tempdir().unwrap();
    let Some(unpacked) = archive::unpacked(&data.join("04-synthea-r4")) else { return };
    let truth = spread(&files_of(unpacked.path()), 4, dir.path());
    assert_eq!(truth.len(), 120);
    let strict = |n: usize| SimulatorOptions {
        require_patient: n >= 2,
        everything: n == 2,
        ..SimulatorOptions::default()
    };
    let names = ["first", "second", "third", "fourth"];
    let folders: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(n, name)| (*name, dir.path().join(format!("e{n}")), strict(n)))
        .collect();
    pulled_and_checked(&folders, &truth).await;
}

/// Serves, pulls, settles, and compares with what stands in the files.
async fn pulled_and_checked(folders: &[(&str, PathBuf, SimulatorOptions)], truth: &Truth) {
    let site = Site::pulled(folders).await;
    let report = site.gateway.report().unwrap();
    println!("{:#?}", report.ledger);
    site.tell_quarantined();
    let ledger = site.ledger();
    for (endpoint, folder, _) in folders {
        let rows = ledger.get(*endpoint).cloned().unwrap_or_default();
        nothing_is_lost(endpoint, &held_in(folder), &rows);
    }
    assert!(report.ledger.balanced, "{:?}", report.ledger);
    assert_eq!(report.ledger.pending, 0);
    persons_are_the_true_ones(&site.persons(), truth);
    let verified = site.gateway.verify(&mut |_| {}).unwrap();
    println!("{} views, {} resources", verified.owners, verified.resources);
    assert_eq!(verified.findings_total, 0, "{:#?}", verified.findings);
}

/// Types that a pull leaves out (`endpoints/capability.rs`), as far as the data has them.
const NOT_PULLED: [&str; 6] =
    ["Binary", "Bundle", "OperationOutcome", "SearchParameter", "StructureDefinition", "ValueSet"];

/// What the files hold is on the ledger, and nothing else but what was lifted out of it.
fn nothing_is_lost(endpoint: &str, held: &Held, ledger: &BTreeSet<(String, String)>) {
    let (left_out, pulled): (Vec<_>, Vec<_>) =
        held.keys.iter().partition(|(kind, _)| NOT_PULLED.contains(&kind.as_str()));
    let lost: Vec<_> = pulled.iter().filter(|key| !ledger.contains(**key)).collect();
    assert!(lost.is_empty(), "{endpoint} lost {}: {:?}", lost.len(), &lost[..lost.len().min(9)]);
    let own = |key: &&(String, String)| !key.1.contains('#') && !held.keys.contains(*key);
    let new = ledger.iter().filter(own).count();
    assert_eq!(new, held.without_id, "{endpoint}: only ids that were missing are made");
    println!(
        "{endpoint}: {} held, {} of them of types not pulled, {} on the ledger",
        held.keys.len() + held.without_id,
        left_out.len(),
        ledger.len()
    );
}

/// No two patients are taken for one, and who has charts at two endpoints is found.
fn persons_are_the_true_ones(persons: &BTreeMap<(String, String), String>, truth: &Truth) {
    let person_of = |chart: &(String, String)| persons.get(chart).unwrap();
    let mut patients_of: BTreeMap<&String, BTreeSet<&String>> = BTreeMap::new();
    let (mut planted, mut found) = (0, 0);
    for (patient, charts) in truth {
        for chart in charts {
            patients_of.entry(person_of(chart)).or_default().insert(patient);
        }
        planted += charts.len() - 1;
        let first = charts.first().map(person_of);
        found += charts.iter().skip(1).filter(|chart| first == Some(person_of(chart))).count();
    }
    println!("{planted} patients are seen at two endpoints, {found} of them found");
    let wrong: Vec<_> = patients_of.values().filter(|patients| patients.len() > 1).collect();
    assert!(wrong.is_empty(), "taken for one: {wrong:?}");
    assert!(planted > 0 && found == planted, "{found} of {planted}");
}

fn data() -> Option<PathBuf> {
    let data = std::env::var("CAREWEAVE_DATA").map_or_else(
        |_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        PathBuf::from,
    );
    if !data.is_dir() {
        println!("skipped: no {}", data.display());
        return None;
    }
    Some(data)
}
