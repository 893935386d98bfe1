//! P7: no patient data in logs, metrics or error texts, wherever it stands and whatever fails.

use std::process::Stdio;

use bytes::Bytes;
use careweave::simulator::Fault;
use serde_json::{Value, json};

use super::site::{Gateway, Site};

/// Each stands in one place only, so that a leak says where from. In lower case, for comparison.
const CANARIES: [&str; 16] = [
    "zzfamily",
    "zzgiven",
    "1931-07-13",
    "zzmrn",
    "zzstreet",
    "5550142",
    "zzsource",
    "zzsecond",
    "zzcode",
    "zzelement",
    "zzdate",
    "zzquery",
    "zzsearch",
    "zzpath",
    "zzheader",
    "zznote",
];

#[test]
fn no_patient_data_in_logs_metrics_and_error_texts() {
    let providers = vec![("north", Some(stated())), ("south", Some(others())), ("down", None)];
    let site = Site::made(providers, "[[endpoint]]\nid = \"clinic\"\nkind = \"client\"\n");
    let mut told = String::new();
    for faults in [
        vec![Fault::Truncated],
        vec![Fault::WrongContent],
        vec![Fault::ForeignLinks],
        vec![Fault::Unavailable { every: 2 }],
    ] {
        site.set_faults("south", faults);
        told += &site.run_traced(&["pull", "--quiet", "--full"], 1);
    }
    site.set_faults("south", vec![]);
    told += &site.run_traced(&["pull", "--quiet", "--full"], 1);
    told += &site.run_traced(&["rebuild", "--quiet"], 0);
    told += &site.run_traced(&["verify", "--quiet"], 0);

    for format in ["text", "json"] {
        let log = site.path("serve.log");
        let to = Stdio::from(std::fs::File::create(&log).unwrap());
        let settings = format!("log = {{ level = \"trace\", format = \"{format}\" }}");
        let mut gateway = site.serve_with(&settings, to);
        ask(&gateway);
        let (status, metrics) = gateway.root("metrics");
        assert_eq!(status, 200, "{metrics}");
        assert_eq!(gateway.terminate(), Some(0));
        let lines = std::fs::read_to_string(&log).unwrap();
        assert_metrics(&metrics);
        assert_logged(&lines, format);
        told += &metrics;
        told += &lines;
    }
    let told = told.to_lowercase();
    for canary in CANARIES {
        let at = told.find(canary);
        let around = at.map(|at| told[..at].lines().last().unwrap_or_default().to_owned());
        assert_eq!(around, None, "{canary} is told");
    }
}

#[test]
fn the_canaries_are_in_the_data() {
    let site = Site::of(vec![("north", Some(stated()))]);
    site.run(&["pull", "--quiet"], 0);
    let ledger = site.run(&["ledger", "--json"], 0);
    assert!(ledger.contains("quarantined"), "{ledger}");
    let gateway = site.serve();
    let found = gateway.get("Patient?family=zzfamily").to_string().to_lowercase();
    for canary in ["zzgiven", "1931-07-13", "zzmrn", "zzstreet", "5550142"] {
        assert!(found.contains(canary), "{canary} is missing: {found}");
    }
}

/// Good and bad requests, with data wherever a client can put it.
fn ask(gateway: &Gateway<'_>) {
    for (path, expected) in [
        ("Patient?family=Zzfamily&birthdate=1931-07-13", 200),
        ("Patient?identifier=http://north.example/mrn|ZZMRN-1", 200),
        ("Patient?family=Zzsearch", 200),
        ("Patient?birthdate=zzsearch-1931-07-13", 400),
        ("Patient?zzsearch:zzsearch=Zzfamily&_cursor=zzsearch", 400),
        ("Patient?address-zzsearch=1&name:zzsearch=2", 400),
        ("Goal?description=zzsearch", 400),
        ("Goal?patient=zzsearch", 200),
        ("Goal?patient=Patient/%FFzzsearch", 400),
        ("Patient/zzpath-zzfamily", 404),
        ("Zzpath/zzpath", 404),
        ("Patient/zzpath/_history/zzpath", 404),
        ("../sources/zzpath/fhir/Patient/zzsource-1", 404),
        ("../sources/north/fhir/Patient/zzsource-1", 200),
        ("../zzpath/zzfamily?name=zzsearch", 404),
    ] {
        assert_eq!(gateway.status(path), expected, "{path}");
    }
    let long = format!("Patient?family={}", "zzsearch".repeat(2000));
    assert_eq!(gateway.status(&long), 414);
    let header = |client: &reqwest::Client, url| {
        client.get(url).header("x-request-id", "ZZHEADER-1").header("prefer", "zzheader")
    };
    assert_eq!(gateway.send("Patient?family=zzfamily", header).0, 200);
    let form = |client: &reqwest::Client, url| {
        let form = client.post(url).header("content-type", "application/x-www-form-urlencoded");
        form.body("family=zzsearch&birthdate=zzsearch")
    };
    assert_eq!(gateway.send("Patient/_search", form).0, 400);
    let write = |client: &reqwest::Client, url| client.put(url).body("{\"zzsearch\":1");
    assert_eq!(gateway.send("Patient/zzpath", write).0, 415);
    for (body, expected) in [
        (r#"{"resourceType":"Patient","name":[{"family":"Zzfamily"}],"zzelement":1}"#, 4),
        (r#"{"resourceType":"Patient","zzsearch":1,"zzsearch":2}"#, 4),
        (
            r#"{"resourceType":"Patient","name":[{"family":"Zzfamily"}],"birthDate":"1931-07-13"}"#,
            2,
        ),
    ] {
        let write = |client: &reqwest::Client, url| {
            let write = client.post(url).header("content-type", "application/fhir+json");
            write.header("if-none-exist", "identifier=zzsearch").body(body)
        };
        assert_eq!(gateway.send("Patient", write).0 / 100, expected, "{body}");
    }
}

fn assert_metrics(metrics: &str) {
    for line in [
        "careweave_http_requests_total{route=\"/fhir/{type}\",status=\"2xx\"} ",
        "careweave_http_requests_total{route=\"/fhir/{type}/{id}\",status=\"4xx\"} ",
        "careweave_http_request_seconds_bucket{route=\"/fhir/{type}\",le=\"+Inf\"} ",
        "careweave_endpoint_stale{endpoint=\"down\"} 1",
        "careweave_quarantined_inputs{endpoint=\"north\"} 3",
        "careweave_commit_seconds_count{stage=\"settle\"} ",
        "careweave_audit_entries_total ",
        "careweave_store_bytes ",
        "process_resident_memory_bytes ",
    ] {
        assert!(metrics.contains(line), "{line} is missing in\n{metrics}");
    }
}

/// The log tells what it is for; else it would be easy to tell nothing.
fn assert_logged(lines: &str, format: &str) {
    let words = ["answered", "/fhir/{type}", "pulled part", "pulled incompletely", "stopping"];
    for word in words {
        assert!(lines.contains(word), "{word} is missing in\n{lines}");
    }
    let objects = lines.lines().filter(|line| line.starts_with('{'));
    let events: Vec<Value> = objects.map(|line| serde_json::from_str(line).unwrap()).collect();
    match format {
        "json" => {
            let answer = events.iter().find(|e| e["message"] == "answered").unwrap();
            assert!(answer["request_id"].is_string() && answer["status"].is_number(), "{answer}");
        }
        _ => assert!(events.is_empty()),
    }
}

/// A patient with everything, and resources that are wrong with data in wrong elements.
fn stated() -> Vec<Bytes> {
    let of = json!({"reference": "Patient/zzsource-1"});
    let text = |text: &str| json!({"text": text});
    resources(&[
        patient("zzsource-1", "Zzgiven"),
        json!({"resourceType": "Goal", "id": "zzsource-2", "lifecycleStatus": "zzcode Zzfamily",
               "description": text("zznote"), "subject": of}),
        json!({"resourceType": "Goal", "id": "zzsource-3", "lifecycleStatus": "active",
               "description": text("zznote"), "subject": of, "zzelement": "Zzfamily"}),
        json!({"resourceType": "Goal", "id": "zzsource-4", "lifecycleStatus": "active",
               "description": text("zznote"), "subject": of, "startDate": "zzdate-1931-07-13"}),
        json!({"resourceType": "Condition", "id": "zzsource-5", "code": text("zznote"),
               "subject": {"reference": "Patient?identifier=http://north.example/mrn|zzquery"},
               "note": [{"text": "zznote"}]}),
        json!({"resourceType": "Task", "id": "zzsource-6", "status": "requested",
               "intent": "order", "description": "zznote", "for": of,
               "focus": {"reference": "https://user:zzquery@other.example/Goal?name=zzquery"}}),
    ])
}

/// The same person at another provider, uncertain enough for the queue.
fn others() -> Vec<Bytes> {
    let of = json!({"reference": "Patient/zzsource-9"});
    let mut all = vec![patient("zzsource-9", "Zzsecond")];
    all.extend((0..150).map(|n| {
        json!({"resourceType": "Goal", "id": format!("zzsource-g{n}"), "subject": of,
               "lifecycleStatus": "active", "description": {"text": format!("zznote {n}")}})
    }));
    resources(&all)
}

fn patient(id: &str, given: &str) -> Value {
    json!({
        "resourceType": "Patient", "id": id, "gender": "female", "birthDate": "1931-07-13",
        "identifier": [{"system": "http://north.example/mrn", "value": "ZZMRN-1"}],
        "name": [{"family": "Zzfamily", "given": [given]}],
        "address": [{"line": ["12 Zzstreet"], "city": "Zzstreet", "postalCode": "43921"}],
        "telecom": [{"system": "phone", "value": "5550142"}]
    })
}

fn resources(all: &[Value]) -> Vec<Bytes> {
    all.iter().map(|resource| Bytes::from(resource.to_string())).collect()
}
