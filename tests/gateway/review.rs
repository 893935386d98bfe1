//! The steward's commands, and what the world sees of their decisions.

use super::site::Site;
use serde_json::{Value, json};

const NORTH: &str = "north/Patient/2";
const SOUTH: &str = "south/Patient/1";

#[test]
fn a_steward_links_parts_and_takes_back() {
    let site = Site::new(&["north", "south"]);
    site.run(&["pull", "--quiet"], 0);
    let own = |chart: &str| person_of(&site, chart);
    let (north, south) = (own(NORTH), own(SOUTH));
    assert_ne!(north, south);

    let linked = site.json(&["review", "link", NORTH, SOUTH, "--by", "anna", "--json"]);
    assert_eq!(linked["persons"].as_array().unwrap().len(), 1, "{linked:#}");
    let shown = linked["persons"][0]["id"].as_str().unwrap().to_owned();
    let retired = if shown == north { &south } else { &north };
    let gateway = site.serve();
    let alias = gateway.get(&format!("Patient/{retired}"));
    assert_eq!(alias["active"], false, "{alias:#}");
    assert_eq!(alias["link"][0]["type"], "replaced-by");
    assert!(alias["link"][0]["other"]["reference"].as_str().unwrap().contains(&shown));
    let told = site.run(&["review", "list"], 1);
    assert!(told.contains("in use") && told.contains("serve"), "{told}");
    drop(gateway);

    // The pair answers to its id, to its charts and to ids of the gateway; the decision is there.
    let id = linked["pairs"][0].as_str().unwrap();
    for names in [vec![id], vec![&id[..5]], vec![NORTH, SOUTH], vec![&*north, SOUTH]] {
        let pair = site.json(&[&["review", "show", "--json"], &*names].concat());
        assert_eq!(pair["id"], id);
        assert_eq!(pair["one_person"], true);
        assert_eq!(pair["decisions"][0]["by"], "anna", "{pair:#}");
        assert!(pair["comparison"]["steps"].as_array().unwrap().len() > 1, "{pair:#}");
    }

    let parted = site.json(&["review", "unlink", SOUTH, "--note", "not him", "--json"]);
    assert_eq!(parted["persons"].as_array().unwrap().len(), 2, "{parted:#}");
    assert_ne!(own(NORTH), own(SOUTH));
    site.run(&["rebuild", "--quiet"], 0);
    site.run(&["pull", "--full", "--quiet"], 0);
    assert_ne!(own(NORTH), own(SOUTH), "pulled and woven anew, and still two");

    let stands = site.run(&["review", "undo", id], 0);
    assert!(stands.contains("link by anna stands again"), "{stands}");
    assert_eq!(own(NORTH), own(SOUTH));
    site.run(&["review", "undo", NORTH, SOUTH], 0);
    assert_eq!((own(NORTH), own(SOUTH)), (north.clone(), south.clone()), "the ids of before");
    site.run(&["verify", "--quiet"], 0);
    let gateway = site.serve();
    for (id, name, other) in
        [(north, "Brandvold", "Vestergren"), (south, "Vestergren", "Brandvold")]
    {
        let now = gateway.get(&format!("Patient/{id}"));
        assert_eq!(now["id"], *id);
        // Earlier versions answer, but none that was woven of both.
        let last: u32 = now["meta"]["versionId"].as_str().unwrap().parse().unwrap();
        let earlier = (1..=last).map(|version| format!("Patient/{id}/_history/{version}"));
        let told: Vec<(u16, String)> =
            earlier.map(|path| gateway.root(&format!("fhir/{path}"))).collect();
        assert!(told.iter().any(|(status, body)| *status == 200 && body.contains(name)));
        assert!(told.iter().all(|(_, body)| !body.contains(other)), "{told:#?}");
        let hidden = told.iter().filter(|(status, _)| *status == 404).count();
        assert!(id != shown || hidden > 0, "the joined version is not shown: {told:#?}");
    }
}

#[test]
fn a_steward_resolves_a_conflict_and_reopens_it() {
    let stated = |resource: Value| bytes::Bytes::from(resource.to_string());
    let patient = json!({"resourceType": "Patient", "id": "1", "name": [{"family": "Vale"}]});
    let goal = json!({"resourceType": "Goal", "id": "g", "lifecycleStatus": "proposed",
        "description": {"text": "Walk daily"}, "subject": {"reference": "Patient/1"},
        "achievementStatus": {"coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/goal-achievement",
            "code": "improving"}]}});
    let site = Site::of(vec![("north", Some(vec![stated(patient), stated(goal)]))]);
    site.run(&["pull", "--quiet"], 0);
    let listed = |more: &[&str]| {
        let all = site.json(&[&["review", "conflicts", "--json"], more].concat());
        all["conflicts"].as_array().unwrap().clone()
    };
    let open = listed(&[]);
    assert_eq!((open.len(), &open[0]["rule"]), (1, &json!("C4")), "{open:#?}");
    let (id, person) = (open[0]["id"].as_str().unwrap(), open[0]["person"].as_str().unwrap());
    assert_eq!(listed(&[person, "--rule", "C4"]), open);
    assert!(listed(&["--rule", "C5"]).is_empty());

    for (args, status, says) in [
        (&["review", "resolve", id][..], 2, "--accept"),
        (&["review", "resolve", id, "--prefer", "north/Goal/g"], 1, "no single value"),
        (&["review", "resolve", person, "--accept"], 1, "no conflict"),
        (&["review", "reopen", id], 1, "it is open"),
        (&["review", "resolve", "--help"], 0, "Example: careweave review resolve"),
    ] {
        let told = site.run(args, status);
        assert!(told.contains(says), "{args:?}: {told}");
    }
    let note = ["--note", "the clinic counts it", "--by", "anna"];
    let resolve = ["review", "resolve", id, "--accept", "--json"];
    let told = site.json(&[&resolve[..], &note].concat());
    assert!(told["conflict"]["resolved"].as_str().unwrap().contains("anna"), "{told:#}");
    assert!(listed(&[]).is_empty());
    assert_eq!(listed(&["--resolved"]).len(), 1);
    let shown = site.run(&["person", "show", person], 0);
    assert!(shown.contains("resolved by anna") && shown.contains("the clinic counts it"));
    site.run(&["rebuild", "--quiet"], 0);
    assert!(listed(&[]).is_empty(), "woven anew, and still resolved");
    site.run(&["review", "reopen", id, "--by", "anna"], 0);
    assert_eq!(listed(&[]), open);
    site.run(&["verify", "--quiet"], 0);
}

#[test]
fn a_steward_who_errs_is_told() {
    let site = Site::new(&["north", "south"]);
    site.run(&["pull", "--quiet"], 0);
    for (args, status, says) in [
        (&["review", "link", "north/Patient/99", SOUTH][..], 1, "no chart is known"),
        (&["review", "link", NORTH, NORTH], 2, "name two charts"),
        (&["review", "link", NORTH], 2, "name the other chart"),
        (&["review", "show", "zzzzz"], 1, "no pair has the id"),
        (&["review", "unlink", NORTH], 1, "nothing to part"),
        (&["review", "unlink", NORTH, SOUTH], 1, "two persons already"),
        (&["review", "undo", NORTH, SOUTH], 1, "no decision or proposal stands"),
        (&["review", "no-match", NORTH, SOUTH, "--by", " "], 2, "give a name"),
        (&["review", "link", "--help"], 0, "Example: careweave review link"),
    ] {
        let told = site.run(args, status);
        assert!(told.contains(says), "{args:?}: {told}");
    }
    // north/1 and south/7 are one person by their member number.
    site.run(&["review", "no-match", NORTH, "south/Patient/7", "--by", "anna"], 0);
    let refused = site.run(&["review", "link", NORTH, "north/Patient/1"], 1);
    assert!(refused.contains("anna") && refused.contains("south/Patient/7"), "{refused}");
    let shown = site.run(&["review", "show", NORTH, "north/Patient/1"], 0);
    assert!(shown.contains("a link is refused"), "{shown}");
    site.run(&["verify", "--quiet"], 0);
}

fn person_of(site: &Site, chart: &str) -> String {
    let other = if chart == NORTH { SOUTH } else { NORTH };
    let pair = site.json(&["review", "show", chart, other, "--json"]);
    let charts: &Vec<Value> = pair["charts"].as_array().unwrap();
    let side = charts.iter().find(|side| side["chart"] == chart).unwrap();
    side["person"].as_str().unwrap().to_owned()
}
