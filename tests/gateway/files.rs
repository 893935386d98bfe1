//! `ingest` as its users run it: folders, odd files, exit states, a kill in the middle.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use super::site::Site;

const FILES_ENDPOINT: &str = "[[endpoint]]\nid = \"drop\"\nkind = \"files\"\n";

/// North's records, as the fixture has them, one a line.
fn north() -> String {
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/two-providers/north.ndjson");
    fs::read_to_string(fixture).unwrap()
}

#[test]
fn what_was_pulled_is_a_repeat_when_it_comes_in_files() {
    let site = Site::new(&["north"]);
    let pulled = site.json(&["pull", "--json"]);
    fs::create_dir(site.path("in")).unwrap();
    let bad = r#"{"resourceType":"Task","id":"bad","status":"someday","intent":"order"}"#;
    fs::write(site.path("in/north.ndjson"), north() + bad).unwrap();
    fs::write(site.path("in/README.md"), "# About").unwrap();
    let report = site.json(&["ingest", "in", "--endpoint", "north", "--json"]);
    assert_eq!(report["view"], pulled["view"], "{report:#}");
    assert_eq!(report["ledger"]["balanced"], true);
    assert_eq!(report["endpoints"][0]["state"], "complete");
    assert_eq!(report["quarantined"], 1);
    let lines: Vec<&Value> = report["ingested"].as_object().unwrap().values().collect();
    assert!(lines.iter().all(|line| line["new"] == 0), "{report:#}");
    assert!(lines.iter().any(|line| line["repeat"].as_u64() > Some(0)));
    assert_eq!(report["files"], json!({"read": 2, "odd": 1, "unread": 0}));
    assert_eq!(report["odd"][0]["place"], "in/README.md");
    let unusable = &report["quarantine"][0];
    assert_eq!((&unusable["type"], &unusable["code"]), (&json!("Task"), &json!("code-invalid")));
    assert!(unusable["place"].as_str().unwrap().starts_with("in/north.ndjson:"), "{unusable}");
}

#[test]
fn an_endpoint_that_only_gets_files_is_served_and_not_pulled() {
    let site = Site::with(&[], FILES_ENDPOINT);
    site.run(&["check-config"], 0);
    fs::write(site.path("north.ndjson"), north()).unwrap();
    let report = site.json(&["ingest", "north.ndjson", "--endpoint", "drop", "--json"]);
    assert_eq!(report["endpoints"][0]["state"], "complete");
    // Another process has other hash seeds; another place, another clock and alphabet.
    for (zone, locale) in [("Pacific/Kiritimati", "tr_TR.UTF-8"), ("America/Adak", "C")] {
        let mut command = site.command();
        command.envs([("TZ", zone), ("LC_ALL", locale)]).args(["verify", "--quiet"]);
        assert!(command.status().unwrap().success(), "the view differs in {zone}");
    }
    site.run(&["pull", "--quiet"], 0);
    let refused = site.run(&["pull", "--endpoint", "drop"], 2);
    assert!(refused.contains("careweave ingest"), "{refused}");
    let gateway = site.serve();
    let goals = gateway
        .get("Goal?patient=urn:careweave:endpoint:drop/Patient/1&_revinclude=Provenance:target");
    let text = goals.to_string();
    assert!(text.contains("urn:careweave:endpoint:drop/Goal/"), "named by its source: {goals:#}");
    assert!(!text.contains("OperationOutcome"), "complete: {goals:#}");
}

#[test]
fn exit_states_tell_what_a_script_must_know() {
    let site = Site::with(&[], FILES_ENDPOINT);
    let unknown = site.run(&["ingest", ".", "--endpoint", "other"], 2);
    assert!(unknown.contains("known: drop") && unknown.contains("kind = \"files\""), "{unknown}");
    site.run(&["ingest", "nowhere", "--endpoint", "drop"], 2);
    fs::write(site.path("good.json"), "{\"resourceType\":\"Patient\",\n\"id\":\"a\"}").unwrap();
    fs::write(site.path("bad.json"), "{\"resourceType\":\"Patient\"").unwrap();
    fs::write(site.path("note.txt"), "hello").unwrap();
    let run = |paths: &[&str], status| {
        let args = [&["ingest", "--endpoint", "drop"], paths].concat();
        site.run(&args, status)
    };
    run(&["good.json", "bad.json", "note.txt"], 0);
    let useless = run(&["bad.json", "note.txt"], 1);
    assert!(useless.contains("bad.json: not JSON"), "{useless}");
    let settings = "[limits]\nfile_bytes_max = 20\n";
    let large = site.run_with(settings, &["ingest", "good.json", "--endpoint", "drop"], 1);
    assert!(large.contains("good.json: larger than 20 bytes"), "{large}");
}

/// P8: killed wherever it stands and run again, it comes to what it would have come to at once.
#[test]
fn an_ingest_that_was_killed_is_run_again() {
    let at_once = Site::with(&[], FILES_ENDPOINT);
    let killed = Site::with(&[], FILES_ENDPOINT);
    for site in [&at_once, &killed] {
        fs::write(site.path("many.ndjson"), many(3_000)).unwrap();
    }
    let ingest = ["ingest", "many.ndjson", "--endpoint", "drop", "--json"];
    let expected = at_once.json(&ingest);
    for patience in [300, 900, 1_800, 2_700] {
        let mut process = killed.command().args(ingest).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(patience));
        process.kill().unwrap();
        process.wait().unwrap();
    }
    let report = killed.json(&ingest);
    for part in ["view", "source_records", "persons", "quarantined"] {
        assert_eq!(report[part], expected[part], "{part}");
    }
    assert_eq!(report["ledger"]["balanced"], true, "{report:#}");
    killed.run(&["verify", "--quiet"], 0);
}

/// Goals of some patients; one line in a hundred is broken.
fn many(lines: usize) -> String {
    let line = |n: usize| match (n % 100, n % 10) {
        (50, _) => "{broken\n".to_owned(),
        (_, 0) => format!("{{\"resourceType\":\"Patient\",\"id\":\"p{}\"}}\n", n / 10),
        _ => format!(
            "{{\"resourceType\":\"Goal\",\"id\":\"g{n}\",\"lifecycleStatus\":\"active\",\
             \"description\":{{\"text\":\"walk {n} steps\"}},\
             \"subject\":{{\"reference\":\"Patient/p{}\"}}}}\n",
            n / 10
        ),
    };
    (0..lines).map(line).collect()
}
