//! The program itself, over real sockets: two providers' servers, `pull`, `serve`, and clients.
#![expect(clippy::unwrap_used, reason = "test")]

#[path = "gateway/activate.rs"]
mod activate;
#[path = "gateway/canary.rs"]
mod canary;
#[path = "gateway/care.rs"]
mod care;
#[path = "gateway/community.rs"]
mod community;
#[path = "gateway/files.rs"]
mod files;
#[path = "gateway/four_steps.rs"]
mod four_steps;
#[path = "gateway/garbage.rs"]
mod garbage;
#[path = "gateway/matching.rs"]
mod matching;
#[path = "gateway/panels.rs"]
mod panels;
#[path = "gateway/queue.rs"]
mod queue;
#[path = "gateway/review.rs"]
mod review;
#[path = "gateway/site.rs"]
mod site;
#[path = "gateway/stop.rs"]
mod stop;

use serde_json::Value;
use site::Site;

const MEMBER: &str = "http://plan.example/member-id|M-4711";

#[test]
fn two_providers_become_one_plan() {
    let site = Site::new(&["north", "south"]);
    let report = site.json(&["pull", "--json"]);
    assert_eq!(report["ledger"]["balanced"], true, "{report:#}");
    assert_eq!(report["persons"], 3, "{report:#}");
    assert_eq!(report["quarantined"], 1, "the Task with a status R4 does not have: {report:#}");
    assert_eq!(report["endpoints"][0]["state"], "complete");

    let again = site.json(&["pull", "--full", "--json"]);
    assert_eq!(again["view"], report["view"], "the same again changes nothing");
    assert_eq!(again["ledger"]["balanced"], true);
    site.run(&["verify", "--quiet"], 0);

    let found = site.json(&["person", "find", "quistg", "--json"]);
    assert_eq!(found.as_array().unwrap().len(), 1);
    assert_eq!(found[0]["records"].as_array().unwrap().len(), 2, "{found:#}");

    let gateway = site.serve();
    let patients = gateway.get(&format!("Patient?identifier={MEMBER}"));
    assert_eq!(matches(&patients).len(), 1);
    let person = matches(&patients)[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(found[0]["id"], person.as_str());

    let plans = gateway.get(&format!(
        "CarePlan?patient={person}&category=\
         http://hl7.org/fhir/us/core/CodeSystem/careplan-category|assess-plan&status=active"
    ));
    let plans = matches(&plans);
    assert_eq!(plans.len(), 2, "the woven plan and the source plan");
    assert_eq!(plans[0]["goal"].as_array().unwrap().len(), 2, "one shared, one of south's own");
    let order = references(plans[0], "activity");
    assert_eq!(order.len(), 2, "the order stated twice is one, and its task: {order:?}");

    let done = format!("ServiceRequest?patient={person}&status=completed,active");
    let orders = gateway.get(&done);
    assert_eq!(matches(&orders).len(), 1);
    let issues = gateway.get(&format!("DetectedIssue?patient={person}"));
    assert!(!matches(&issues).is_empty(), "the two statuses of the order disagree");

    let goals = gateway.get(&format!(
        "Goal?patient.identifier={MEMBER}&target-date=ge2027-01-01&_revinclude=Provenance:target"
    ));
    assert_eq!(matches(&goals).len(), 1);
    let provenances = included(&goals, "Provenance");
    assert_eq!(provenances.len(), 1);
    assert_eq!(provenances[0]["entity"].as_array().unwrap().len(), 2, "both sources are named");
}

#[test]
fn a_bare_source_id_is_nobody_and_equal_ids_stay_apart() {
    let site = Site::new(&["north", "south"]);
    site.run(&["pull", "--quiet"], 0);
    let gateway = site.serve();
    assert!(matches(&gateway.get("Goal?patient=1")).is_empty());
    let of_url = |endpoint: &str| {
        let url = format!("{}/Patient/1", site.base(endpoint));
        gateway.get(&format!("Goal?patient={url}"))
    };
    let north = of_url("north");
    let south = of_url("south");
    assert_eq!(matches(&north).len(), 2);
    assert_eq!(matches(&south).len(), 1);
    assert_eq!(matches(&south)[0]["description"]["text"], "Walk 20 minutes a day");
    let refused = gateway.status("Goal?description=walk");
    assert_eq!(refused, 400, "no patient and not in the index across persons");
}

#[test]
fn an_endpoint_that_is_down_does_not_stop_the_others_and_answers_say_so() {
    let site = Site::new(&["north", "gone"]);
    let told = site.run(&["pull", "--quiet"], 1);
    assert!(told.contains("gone"), "{told}");
    let gateway = site.serve();
    let patients = gateway.get(&format!("Patient?identifier={MEMBER}"));
    assert_eq!(matches(&patients).len(), 1, "north's data is there");
    let outcomes = included(&patients, "OperationOutcome");
    assert!(outcomes.iter().any(|o| o.to_string().contains("gone")), "{patients:#}");
}

#[test]
fn what_cannot_be_kept_is_refused() {
    let site = Site::new(&["north"]);
    let smart = site.run_with("[security]\nmode = \"smart\"\n", &["serve"], 2);
    assert!(smart.contains("not built yet"), "{smart}");
    let open = "[server]\nlisten = \"0.0.0.0:0\"\n[security]\nmode = \"open\"\n";
    let open = site.run_with(open, &["serve"], 2);
    assert!(open.contains("loopback"), "{open}");
    let typo = site.run_with("[sever]\nlisten = \"127.0.0.1:0\"\n", &["check-config"], 2);
    assert!(typo.contains("sever"), "{typo}");
    let unknown = site.run(&["pull", "--endpoint", "mercy"], 2);
    assert!(unknown.contains("known: north"), "{unknown}");
}

#[test]
fn the_demo_reports_what_it_promises() {
    let site = Site::new(&[]);
    let report = site.json(&["demo", "--once", "--json", "--patients", "8"]);
    for key in [
        "endpoints",
        "source_records",
        "persons",
        "view",
        "merged",
        "conflicts",
        "findings",
        "quarantined",
        "ledger",
        "truth",
        "seconds",
    ] {
        assert!(report.get(key).is_some(), "{key} is missing: {report:#}");
    }
    assert_eq!(report["ledger"]["balanced"], true);
    assert_eq!(report["truth"]["wrong_merges"], 0);
    let (planted, found) = (&report["truth"]["planted"], &report["truth"]["found"]);
    assert!(found.as_u64() > planted.as_u64().map(|p| p / 2), "{found} of {planted}");
}

fn matches(bundle: &Value) -> Vec<&Value> {
    in_mode(bundle, "match")
}

fn included<'a>(bundle: &'a Value, resource_type: &str) -> Vec<&'a Value> {
    let mut others = in_mode(bundle, "include");
    others.extend(in_mode(bundle, "outcome"));
    others.retain(|r| r["resourceType"] == resource_type);
    others
}

fn in_mode<'a>(bundle: &'a Value, mode: &str) -> Vec<&'a Value> {
    assert_eq!(bundle["resourceType"], "Bundle", "{bundle:#}");
    let entries = bundle["entry"].as_array().map(Vec::as_slice).unwrap_or_default();
    entries.iter().filter(|e| e["search"]["mode"] == mode).map(|e| &e["resource"]).collect()
}

fn references<'a>(plan: &'a Value, element: &str) -> Vec<&'a str> {
    let items = plan[element].as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(|i| i["reference"]["reference"].as_str()).collect()
}
