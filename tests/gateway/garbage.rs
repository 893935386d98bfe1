//! Garbage over the wire: every such request is told with a 4xx and an OperationOutcome what is
//! wrong with it, and the server goes on.

#[path = "garbage_rows.rs"]
mod rows;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

use serde_json::{Value, json};

use super::MEMBER;
use super::matches;
use super::site::{Gateway, Site};
use rows::{BODIES, BUNDLES, ENTRIES, HEADERS, METHODS, SEARCHES, URLS};

const CLIENT: &str = "[[endpoint]]\nid = \"clinic\"\nname = \"Clinic\"\nkind = \"client\"\n";
const JSON: &str = "application/fhir+json";

/// A running gateway, and what the rows name.
struct Target<'a> {
    gateway: Gateway<'a>,
    patient: String,
    goal: String,
    plan: String,
}

/// What was answered otherwise than it must be.
#[derive(Default)]
struct Wrong {
    asked: usize,
    lines: Vec<String>,
}

impl<'a> Target<'a> {
    fn new(site: &'a Site, log: Stdio) -> Self {
        site.run(&["pull", "--quiet"], 0);
        let gateway = site.serve_with("", log);
        let id =
            |path: &str| matches(&gateway.get(path))[0]["id"].as_str().map(str::to_owned).unwrap();
        let patient = id(&format!("Patient?identifier={MEMBER}"));
        let goal = id(&format!("Goal?patient={patient}"));
        let plan = id(&format!("CarePlan?patient={patient}&_tag=woven"));
        Self { gateway, patient, goal, plan }
    }

    /// A row's text with the ids in their places, and long parts spelled out.
    fn filled(&self, text: &str) -> String {
        let text = text.replace("{P}", &self.patient).replace("{G}", &self.goal);
        let text = text.replace("{W}", &self.plan).replace("{LONG}", &"x".repeat(4_097));
        text.replace("{ALTERNATIVES}", &["a"; 101].join(","))
            .replace("{PARAMS}", &"a=b&".repeat(201))
            .replace("{URL}", &"a".repeat(60_000))
            .replace("{DEEP}", &"[".repeat(10_000))
            .replace("{BIG}", &"y".repeat(100_000))
    }

    fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (u16, String) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        self.gateway.send(path, |client, url| {
            let mut request = client.request(method, url).body(body.to_owned());
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            request
        })
    }
}

impl Wrong {
    /// The answer must have this status, and an outcome that says what to do.
    fn unless_refused(&mut self, row: &str, status: u16, (told, body): (u16, String)) {
        self.asked += 1;
        let outcome: Value = serde_json::from_str(&body).unwrap_or_default();
        let issues = outcome["issue"].as_array().map(Vec::as_slice).unwrap_or_default();
        let says = |issue: &Value| {
            let text = issue["diagnostics"].as_str().unwrap_or_default();
            issue["severity"] == "error" && issue["code"].is_string() && text.len() > 20
        };
        let is_outcome = outcome["resourceType"] == "OperationOutcome" && issues.iter().any(says);
        if told != status || !is_outcome {
            let row: String = row.chars().take(90).collect();
            let body: String = body.chars().take(240).collect();
            self.lines.push(format!("{row}: expected {status}, got {told} {body}"));
        }
    }

    fn assert_none(self, at_least: usize) {
        assert!(self.asked >= at_least, "{} rows", self.asked);
        assert!(self.lines.is_empty(), "{} of {}:\n{}", self.lines.len(), self.asked, {
            self.lines.join("\n")
        });
    }
}

#[test]
fn every_garbage_request_is_refused_with_an_outcome_and_the_server_goes_on() {
    let mut site = Site::with(&["north", "south"], CLIENT);
    site.set("CAREWEAVE_LIMITS__REQUEST_BODY_BYTES_MAX", "65536");
    let log = std::fs::File::create(site.path("serve.log")).unwrap();
    let target = Target::new(&site, log.into());
    let mut wrong = Wrong::default();
    for (query, status) in SEARCHES {
        let path = target.filled(query);
        wrong.unless_refused(query, *status, target.send("GET", &path, &[], ""));
    }
    for (path, status) in URLS {
        wrong.unless_refused(path, *status, target.send("GET", &target.filled(path), &[], ""));
    }
    for (method, path, status) in METHODS {
        let told = target.send(method, &target.filled(path), &[], "");
        wrong.unless_refused(&format!("{method} {path}"), *status, told);
    }
    for (method, path, name, value, status) in HEADERS {
        let body =
            if *method == "GET" || *method == "DELETE" { String::new() } else { goal(&target) };
        let media = ("content-type", JSON);
        let headers = [media, (*name, *value)];
        let headers = if *name == "content-type" { &headers[1..] } else { &headers[..] };
        let told = target.send(method, &target.filled(path), headers, &body);
        wrong.unless_refused(&format!("{method} {path} {name}: {value}"), *status, told);
    }
    for (method, path, media, body, status) in BODIES {
        let headers = [("content-type", *media)];
        let told = target.send(method, &target.filled(path), &headers, &target.filled(body));
        wrong.unless_refused(&format!("{method} {path} {body}"), *status, told);
    }
    for (body, status) in BUNDLES {
        let told = target.send("POST", "", &[("content-type", JSON)], &target.filled(body));
        wrong.unless_refused(body, *status, told);
    }
    wrong.assert_none(120);
    assert_eq!(target.gateway.status("metadata"), 200);
    let found = target.gateway.get(&format!("Goal?patient={}", target.patient));
    assert_eq!(matches(&found).len(), 2, "nothing of it was taken");
    let log = std::fs::read_to_string(site.path("serve.log")).unwrap();
    assert!(log.contains(" status=400 "), "the log is read: {log}");
    let failed: Vec<&str> = log.lines().filter(|line| line.contains(" status=5")).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn garbage_within_a_batch_is_told_entry_by_entry() {
    let site = Site::with(&["north", "south"], CLIENT);
    let target = Target::new(&site, Stdio::null());
    let entries: Vec<Value> = ENTRIES
        .iter()
        .map(|(entry, _)| serde_json::from_str(&target.filled(entry)).unwrap())
        .collect();
    let bundle = json!({ "resourceType": "Bundle", "type": "batch", "entry": entries });
    let told = target.send("POST", "", &[("content-type", JSON)], &bundle.to_string());
    assert_eq!(told.0, 200, "{}", told.1);
    let answer: Value = serde_json::from_str(&told.1).unwrap();
    let mut wrong = Wrong::default();
    for ((entry, status), answered) in ENTRIES.iter().zip(answer["entry"].as_array().unwrap()) {
        let response = &answered["response"];
        let stated = response["status"].as_str().unwrap()[..3].parse().unwrap();
        wrong.unless_refused(entry, *status, (stated, response["outcome"].to_string()));
    }
    wrong.assert_none(ENTRIES.len());
}

#[test]
fn what_is_no_http_is_refused_and_the_server_goes_on() {
    let site = Site::with(&["north", "south"], CLIENT);
    let target = Target::new(&site, Stdio::null());
    let address = target.gateway.address();
    let lines = ["x: y\r\n".repeat(20_000), format!("x: {}\r\n", "y".repeat(500_000))];
    for request in [
        b"\0\0\0\0\r\n\r\n".to_vec(),
        b"GET\r\n\r\n".to_vec(),
        b"GET /fhir/metadata HTTP/9.9\r\n\r\n".to_vec(),
        b"GET /fhir/Goal?a b HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(),
        b"POST /fhir/Goal HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n".to_vec(),
        b"POST /fhir/Goal HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n".to_vec(),
        format!("GET /fhir/metadata HTTP/1.1\r\n{}\r\n", lines[0]).into_bytes(),
        format!("GET /fhir/metadata HTTP/1.1\r\n{}\r\n", lines[1]).into_bytes(),
    ] {
        let mut stream = TcpStream::connect(&address).unwrap();
        // It may close as soon as it has seen enough.
        let _ = stream.write_all(&request);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        let begin: String = String::from_utf8_lossy(&request).chars().take(40).collect();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{begin:?}: {answer}");
        assert_eq!(target.gateway.status("metadata"), 200, "after {begin:?}");
    }
}

fn goal(target: &Target<'_>) -> String {
    let goal = json!({
        "resourceType": "Goal", "id": target.goal, "lifecycleStatus": "active",
        "description": { "text": "Walk" },
        "subject": { "reference": format!("Patient/{}", target.patient) },
    });
    goal.to_string()
}
