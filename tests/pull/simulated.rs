//! The surface of the simulated server itself: files in, FHIR over a socket out.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use careweave::files::Bounds;
use careweave::net::{Fetcher, FetcherOptions, ServeOptions, Url, serve};
use careweave::simulator::{Loaded, Simulator, SimulatorOptions, load};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// A folder with a bit of everything: a transaction, NDJSON, XML, a document, and odd files.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let transaction = json!({"resourceType": "Bundle", "type": "transaction", "entry": [
        {"fullUrl": "urn:uuid:a1", "request": {"method": "POST", "url": "Patient"},
            "resource": {"resourceType": "Patient", "identifier": [{"system": "s", "value": "7"}]}},
        {"fullUrl": "urn:uuid:b1", "request": {"method": "PUT", "url": "Goal/g1"},
            "resource": {"resourceType": "Goal", "subject": {"reference": "urn:uuid:a1"},
                "expressedBy": {"reference": "Practitioner?identifier=npi%7C1"},
                "addresses": [{"reference": "Condition?identifier=none"}],
                "target": [{"detailQuantity": {"value": "NUMBER"}}]}},
        {"request": {"method": "DELETE", "url": "Goal/g0"}}]});
    // Digits come out as they went in.
    write("in/transaction.json", &transaction.to_string().replace("\"NUMBER\"", "7.00"));
    let practitioner = json!({"resourceType": "Practitioner", "id": "dr",
        "identifier": [{"system": "npi", "value": "1"}]});
    let goal = |n: u32| {
        let meta = json!({"lastUpdated": format!("2024-01-0{n}T10:00:00.500Z"), "versionId": "3"});
        json!({"resourceType": "Goal", "id": format!("g{n}"), "meta": meta,
            "subject": {"reference": "Patient/p2"}})
    };
    let goals: Vec<String> = (2..9).map(|n| goal(n).to_string()).collect();
    write(
        "in/deep/er/lines.ndjson",
        &format!("{practitioner}\r\n{}\n{{oops\n", goals.join("\n\n")),
    );
    let task = r#"<Task xmlns="http://hl7.org/fhir"><id value="t1"/><status value="requested"/>
        <intent value="order"/><for><reference value="Patient/a1"/></for></Task>"#;
    write("in/task.xml", task);
    let patient = |updated: &str, family: &str| {
        json!({"resourceType": "Patient", "id": "p2", "meta": {"lastUpdated": updated},
            "name": [{"family": family}]})
    };
    write("in/new.json", &patient("2024-03-02T00:00:00Z", "new").to_string());
    write("in/old.json", &patient("2024-03-01T00:00:00Z", "old").to_string());
    let document = json!({"resourceType": "Bundle", "id": "doc", "type": "document", "entry": [
        {"fullUrl": "http://x.example/fhir/Condition/c1", "resource":
            {"resourceType": "Condition", "id": "c1", "subject": {"reference": "Patient/p2"}}},
        {"resource": {"resourceType": "Provenance",
            "target": [{"reference": "http://x.example/fhir/Condition/c1"}]}}]});
    write("in/document.json", &serde_json::to_string_pretty(&document).unwrap());
    for (name, text) in
        [("README.md", "# x"), ("LICENSE", "x"), ("package.json", "{}"), ("empty.json", "")]
    {
        write(&format!("in/{name}"), text);
    }
    fs::write(dir.path().join("in/binary.json"), b"\x00\x01").unwrap();
    dir
}

fn loaded(path: &Path) -> Loaded {
    load(&[path.to_owned()], &Bounds::default(), &mut |_, _| {}).unwrap()
}

struct Served {
    base: String,
    fetcher: Fetcher,
}

async fn served(options: SimulatorOptions) -> Served {
    let dir = folder();
    let simulator = Simulator::of_files(options, loaded(dir.path()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/fhir", listener.local_addr().unwrap());
    let forever = std::future::pending();
    tokio::spawn(serve(listener, simulator.router(), forever, ServeOptions::default()));
    let options = FetcherOptions { direct: true, retries_max: 0, ..Default::default() };
    Served { base, fetcher: Fetcher::new(options).unwrap() }
}

impl Served {
    async fn ask(&self, path: &str) -> (u16, String) {
        let url = Url::parse(&format!("{}/{path}", self.base)).unwrap();
        let fetched = self.fetcher.get(&url, "*/*").await.unwrap();
        (fetched.status.as_u16(), String::from_utf8(fetched.body.to_vec()).unwrap())
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask(path).await;
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// `Type/id` of all pages, by the next links as they stand, and the total of each page.
    async fn all(&self, path: &str) -> (Vec<String>, BTreeSet<u64>) {
        let (mut found, mut totals) = (Vec::new(), BTreeSet::new());
        let mut page = self.get(path).await;
        loop {
            totals.insert(page["total"].as_u64().unwrap());
            for entry in page["entry"].as_array().into_iter().flatten() {
                let of = |name: &str| entry["resource"][name].as_str().unwrap().to_owned();
                let key = format!("{}/{}", of("resourceType"), of("id"));
                assert_eq!(entry["fullUrl"], format!("{}/{key}", self.base));
                found.push(key);
            }
            let links = page["link"].as_array().unwrap();
            let Some(next) = links.iter().find(|l| l["relation"] == "next") else {
                return (found, totals);
            };
            // An absolute link under the base, or this panics.
            let rest = next["url"].as_str().unwrap().strip_prefix(&self.base).unwrap();
            page = self.get(&rest[1..]).await;
        }
    }

    async fn ids(&self, path: &str) -> String {
        let (found, totals) = self.all(path).await;
        assert_eq!(totals, BTreeSet::from([found.len() as u64]), "{path}");
        let ids = found.iter().map(|key| key.split_once('/').unwrap().1);
        ids.collect::<Vec<_>>().join(" ")
    }
}

#[test]
fn files_come_out_as_a_server_holds_them_and_odd_ones_are_named() {
    let dir = folder();
    let loaded = loaded(dir.path());
    let counts: Vec<String> =
        loaded.counts().iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    let expected = "Bundle 1,Condition 1,Goal 8,Patient 2,Practitioner 1,Provenance 1,Task 1";
    assert_eq!(counts.join(","), expected);
    let odd: BTreeSet<String> = loaded
        .notes
        .iter()
        .map(|note| {
            let name = note.place.path.file_name().unwrap().to_str().unwrap();
            let line = note.place.line.map(|line| format!(":{line}")).unwrap_or_default();
            format!("{name}{line} {}", note.code)
        })
        .collect();
    let expected = [
        "LICENSE not-fhir",
        "README.md not-fhir",
        "binary.json binary",
        "document.json no-id",
        "empty.json empty",
        "lines.ndjson:15 broken",
        "old.json twice",
        "package.json not-fhir",
        "transaction.json entry",
    ];
    assert_eq!(odd, expected.map(str::to_owned).into());
    let again = load(&[dir.path().to_owned()], &Bounds::default(), &mut |_, _| {}).unwrap();
    assert_eq!(again.notes, loaded.notes, "the same files give the same");
}

#[tokio::test]
async fn references_lead_to_what_is_held_and_digits_stay() {
    let served = served(SimulatorOptions::default()).await;
    let (_, goal) = served.ask("Goal/g1").await;
    assert!(goal.contains("\"value\":7.00"), "{goal}");
    let goal: Value = serde_json::from_str(&goal).unwrap();
    assert_eq!(goal["subject"]["reference"], "Patient/a1");
    assert_eq!(goal["expressedBy"]["reference"], "Practitioner/dr");
    assert_eq!(goal["addresses"][0]["reference"], "Condition?identifier=none", "nobody has it");
    assert_eq!(served.get("Patient/p2").await["name"][0]["family"], "new");
    assert_eq!(served.get("Bundle/doc").await["type"], "document");
    assert_eq!(served.get("Goal/g2/_history/3").await["id"], "g2");
    assert_eq!(served.ask("Goal/g2/_history/2").await.0, 404);
}

#[tokio::test]
async fn pages_have_absolute_links_and_hold_each_match_once() {
    let served = served(SimulatorOptions { page_size: 3, ..Default::default() }).await;
    assert_eq!(served.ids("Goal").await, "g1 g2 g3 g4 g5 g6 g7 g8");
    assert_eq!(served.ids("Goal?_count=2&patient=Patient/p2").await, "g2 g3 g4 g5 g6 g7 g8");
    assert_eq!(served.ids("Goal?subject=a1").await, "g1");
    assert_eq!(served.ids("Goal?patient=p2,a1&_count=1").await, "g1 g2 g3 g4 g5 g6 g7 g8");
    assert_eq!(served.ids("Goal?patient=Group/p2").await, "");
    assert_eq!(served.ids("Goal?_id=g8,g1,none").await, "g1 g8");
    assert_eq!(served.ids("Patient?identifier=s|7").await, "a1");
    assert_eq!(served.ids("Patient?identifier=t|7").await, "");
    let count = served.get("Goal?_summary=count").await;
    assert_eq!((&count["total"], &count["entry"]), (&json!(8), &Value::Null));
    assert_eq!(served.ask("Goal?colour=red").await.0, 400);
}

#[tokio::test]
async fn last_updated_has_all_prefixes_and_pages_too() {
    let served = served(SimulatorOptions { page_size: 2, ..Default::default() }).await;
    for (asked, expected) in [
        ("eq2024-01-04", "g4"),
        ("2024-01-04T10:00", "g4"),
        ("lt2024-01-04", "g2 g3"),
        ("eb2024-01-04", "g2 g3"),
        ("le2024-01-04", "g2 g3 g4"),
        ("ge2024-01-07", "g7 g8 g1"),
        ("gt2024-01-07", "g8 g1"),
        ("sa2024-01-07", "g8 g1"),
        ("ge2024-01-08T11:00:00.5%2B01:00", "g8 g1"),
        ("ge2024-01-08T11:00:00.501%2B01:00", "g1"),
        ("ap2024-01-04", "g2 g3 g4 g5 g6 g7 g8"),
    ] {
        let found = served.ids(&format!("Goal?_lastUpdated={asked}")).await;
        assert_eq!(found, expected, "{asked}");
    }
    let others = served.ids("Goal?_lastUpdated=ne2024-01-04").await;
    assert_eq!(others, "g2 g3 g5 g6 g7 g8 g1");
    let between = "Goal?_lastUpdated=ge2024-01-03&_lastUpdated=lt2024-01-06&patient=p2";
    assert_eq!(served.ids(between).await, "g3 g4 g5");
    assert_eq!(served.ask("Goal?_lastUpdated=yesterday").await.0, 400);
}

#[tokio::test]
async fn everything_about_a_patient_comes_page_by_page() {
    let served = served(SimulatorOptions { page_size: 4, ..Default::default() }).await;
    let (found, totals) = served.all("Patient/p2/$everything").await;
    let types: Vec<&str> = found.iter().map(|key| key.split('/').next().unwrap()).collect();
    assert_eq!(types[..2], ["Condition", "Goal"]);
    assert_eq!(types[8..], ["Patient", "Provenance"], "also what is about a record of the patient");
    assert_eq!(totals, BTreeSet::from([10]));
    assert_eq!(
        served
            .ids("Patient/p2/$everything?_since=2024-01-08T00:00:00Z&_count=1")
            .await
            .split(' ')
            .next(),
        Some("c1")
    );
    assert_eq!(served.ask("Patient/nobody/$everything").await.0, 404);
}

#[tokio::test]
async fn a_strict_server_wants_a_patient_where_there_is_one() {
    let served = served(SimulatorOptions { require_patient: true, ..Default::default() }).await;
    let (status, body) = served.ask("Goal").await;
    assert_eq!(status, 400);
    assert!(body.contains("add patient="), "{body}");
    assert_eq!(served.ask("Goal?identifier=s|1").await.0, 400);
    assert_eq!(served.ids("Goal?patient=a1").await, "g1");
    assert_eq!(served.ids("Patient").await, "a1 p2");
    assert_eq!(served.ids("Practitioner").await, "dr");
    let (status, body) = served.ask("Practitioner?patient=a1").await;
    assert_eq!(status, 400);
    assert!(body.contains("belong to no patient"), "{body}");
    let statement = served.get("metadata").await;
    let params = |name: &str| {
        let all = statement["rest"][0]["resource"].as_array().unwrap();
        let one = all.iter().find(|resource| resource["type"] == name).unwrap();
        one["searchParam"].to_string().contains("\"patient\"")
    };
    assert!(params("Goal") && !params("Practitioner"));
}

#[test]
fn the_command_serves_and_ends_in_peace() {
    let dir = folder();
    let from = dir.path().to_str().unwrap();
    let program = || Command::new(env!("CARGO_BIN_EXE_careweave"));
    let mut process = program()
        .args(["simulate", "--from", from, "--id", "mercy", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let out = process.stdout.take().unwrap();
    let told = first_json(out);
    assert_eq!(
        (&told["id"], &told["resources"], &told["types"]["Goal"]),
        (&json!("mercy"), &json!(15), &json!(8))
    );
    let url = told["url"].as_str().unwrap();
    assert!(told["endpoint"].as_str().unwrap().contains(&format!("url = \"{url}\"")));
    let odd = told["odd"].as_array().unwrap();
    assert!(odd.iter().any(|o| o["line"] == 15 && o["code"] == "broken"), "{odd:?}");
    let pid = process.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let ended = process.wait_with_output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    assert!(String::from_utf8_lossy(&ended.stderr).contains("package.json: JSON without a"));
}

#[test]
fn wrong_usage_is_told() {
    let dir = folder();
    let empty = tempfile::tempdir().unwrap();
    let (from, empty) = (dir.path().to_str().unwrap(), empty.path().to_str().unwrap());
    for (args, status, text) in [
        (&["--from", from, "--auth", "smart"][..], 2, "not built yet"),
        (&["--from", from, "--fault", "fire"], 2, "known: unavailable, slow"),
        (&["--from", from, "--id", "Mercy!"], 2, "lower-case letters"),
        (&["--from", "/no/such/folder"], 2, "/no/such/folder"),
        (&["--from", empty], 1, "no FHIR resource found"),
        (&["--fault", "truncated"], 2, "--from"),
        (&["--fault", "help"], 0, "endless-paging   every page has a next one"),
    ] {
        let program = Command::new(env!("CARGO_BIN_EXE_careweave"))
            .arg("simulate")
            .args(args)
            .output()
            .unwrap();
        let told = String::from_utf8([program.stdout, program.stderr].concat()).unwrap();
        assert_eq!(program.status.code(), Some(status), "{args:?}: {told}");
        assert!(told.contains(text), "{args:?}: {told}");
    }
}

/// Reads one JSON document from a stream that stays open behind it.
fn first_json(stream: impl std::io::Read) -> Value {
    serde_json::Deserializer::from_reader(stream).into_iter().next().unwrap().unwrap()
}
