//! Disks that are full, and files that are damaged or gone: told clearly, and nothing is lost.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::pulled::{Providers, careweave, run};
use super::state::CRASHES;

/// Answers of a server are asked for so often at most.
const TRIES: usize = 400;

/// The program under a limit of file sizes: how a full disk shows without one.
fn limited(dir: &Path, kib: u64, args: &str) -> Command {
    let program = env!("CARGO_BIN_EXE_careweave");
    let script = format!("trap '' XFSZ; ulimit -f {kib}; exec {program} {args}");
    let mut command = Command::new("bash");
    command.env_remove(CRASHES).current_dir(dir).args(["-c", &script]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What two stores with different secrets have in common.
fn pulled(dir: &Path) -> Value {
    let mut report: Value = serde_json::from_str(&run(dir, &["pull", "--json"])).unwrap();
    run(dir, &["verify", "--quiet"]);
    let report = report.as_object_mut().unwrap();
    report.retain(|name, _| {
        ["source_records", "persons", "view", "merged", "conflicts", "findings"].contains(&&**name)
    });
    Value::Object(report.clone())
}

fn fails_clearly(command: &mut Command, because: &str) {
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains(because), "{told}");
    assert!(!told.contains("panicked") && !told.contains("stack backtrace"), "{told}");
}

#[test]
fn a_full_disk_is_told_and_costs_nothing() {
    let providers = Providers::start();
    let whole = tempfile::tempdir().unwrap();
    providers.write_config(whole.path());
    let expected = pulled(whole.path());
    for kib in [0, 8, 100, 500] {
        let full = tempfile::tempdir().unwrap();
        providers.write_config(full.path());
        fails_clearly(
            &mut limited(full.path(), kib, "pull --quiet"),
            "disk of the data directory is full",
        );
        assert_eq!(pulled(full.path()), expected, "after a limit of {kib} KiB");
    }
}

#[test]
fn a_server_on_a_full_disk_discloses_nothing_and_recovers() {
    let providers = Providers::start();
    let dir = tempfile::tempdir().unwrap();
    providers.write_config(dir.path());
    let (status, outcome) = serve(&mut limited(dir.path(), 100, "serve"), |status| status != 200);
    assert!((500..=503).contains(&status), "{status} {outcome}");
    let outcome: Value = serde_json::from_str(&outcome).unwrap();
    assert_eq!(outcome["resourceType"], "OperationOutcome", "{outcome:#}");
    pulled(dir.path());
    let (status, found) = serve(&mut careweave(dir.path(), &["serve"]), |_| true);
    assert_eq!(status, 200, "{found}");
}

/// Starts a server, asks it until the status is as wanted, and ends it.
fn serve(command: &mut Command, wanted: impl Fn(u16) -> bool) -> (u16, String) {
    careweave::net::install_crypto_provider();
    let mut server = command.stderr(Stdio::null()).spawn().unwrap();
    let line = BufReader::new(server.stdout.take().unwrap()).lines().next().unwrap().unwrap();
    let url = format!(
        "{}/Patient?identifier=http://a.example|1",
        line.strip_prefix("listening on ").unwrap()
    );
    let url = url.replace('|', "%7C");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut answer = (0, String::new());
    for _ in 0..TRIES {
        answer = runtime.block_on(async {
            let answer = reqwest::get(&url).await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        });
        if wanted(answer.0) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    server.kill().unwrap();
    server.wait().unwrap();
    answer
}

#[test]
fn damaged_files_are_told_and_a_new_pull_brings_everything_back() {
    let providers = Providers::start();
    let dir = tempfile::tempdir().unwrap();
    providers.write_config(dir.path());
    let expected = pulled(dir.path());
    let data = dir.path().join("careweave-data");
    let log = data.join("sled/db");
    let whole = std::fs::read(&log).unwrap();
    let mut garbage = whole.clone();
    garbage.iter_mut().zip((0_u32..).map(|n| n.wrapping_mul(2_654_435_761))).for_each(
        |(byte, n)| {
            *byte = n.to_be_bytes()[0];
        },
    );
    let mut first_block = whole.clone();
    first_block[..4096].copy_from_slice(&garbage[..4096]);
    let no_longer = |damaged: &[u8]| {
        std::fs::write(&log, damaged).unwrap();
        let advice = "set the data directory aside and pull again";
        fails_clearly(&mut careweave(dir.path(), &["verify"]), advice);
    };
    no_longer(&first_block);
    no_longer(&garbage);
    no_longer(&[]);
    std::fs::remove_file(&log).unwrap();
    let conf = data.join("sled/conf");
    std::fs::write(&conf, &garbage[..60]).unwrap();
    no_longer(&whole);
    std::fs::rename(&data, dir.path().join("aside")).unwrap();
    assert_eq!(pulled(dir.path()), expected);
}

#[test]
fn a_place_that_cannot_be_a_data_directory_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("taken");
    std::fs::write(&file, "a file").unwrap();
    let place = file.to_str().unwrap();
    fails_clearly(
        &mut careweave(dir.path(), &["ledger", "--data-dir", place]),
        "make the data directory",
    );
}
