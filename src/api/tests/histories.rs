//! Histories: of a resource, a type, all types; what is closed stays closed.
#![expect(clippy::unwrap_used, reason = "test")]

use axum::http::StatusCode;
use serde_json::Value;

use super::live::{Live, goal, patient};
use super::world::{BASE, Told};
use crate::fhir::StructureCheck;
use crate::flow::Verdict;

const WALK: &str = "Walk 30 minutes a day";

/// Method, status and version of each entry, and whether it has its resource.
fn entries(told: &Told) -> Vec<(String, String, String, bool)> {
    assert_eq!(told.status, StatusCode::OK, "{}", told.body);
    let bundle = told.json();
    assert_eq!(bundle["type"], "history");
    let problems = StructureCheck::new(&[]).unwrap().check(&told.body, &bundle);
    assert!(problems.is_empty(), "{problems:?}");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    let entry = |entry: &Value| {
        let (request, response) = (&entry["request"], &entry["response"]);
        assert!(text(&entry["fullUrl"]).starts_with(BASE));
        assert!(response["lastModified"].is_string());
        let status = text(&response["status"])[..3].to_owned();
        let has_resource = entry["resource"].is_object();
        assert_eq!(has_resource, !["204", "410"].contains(&status.as_str()), "{entry}");
        (text(&request["method"]), status, text(&response["etag"]), has_resource)
    };
    entries.iter().map(entry).collect()
}

fn entry(method: &str, status: &str, version: u32) -> (String, String, String, bool) {
    let shown = !["204", "410"].contains(&status);
    (method.to_owned(), status.to_owned(), format!("W/\"{version}\""), shown)
}

fn one_goal_in_three_versions() -> Live {
    let live = Live::new();
    live.says("mercy", &[patient("m1", "Lovelace")]);
    for status in ["proposed", "active", "completed"] {
        live.says("mercy", &[goal("g", WALK, status)]);
    }
    live
}

#[tokio::test]
async fn the_history_of_a_resource_has_its_versions_newest_first() {
    let live = one_goal_in_three_versions();
    let path = format!("/fhir/Goal/{}/_history", live.id("mercy", "Goal/g"));
    let told = live.get(&path).await;
    let all = [entry("PUT", "200", 3), entry("PUT", "200", 2), entry("POST", "201", 1)];
    assert_eq!(entries(&told), all);
    let bundle = told.json();
    assert_eq!(bundle["total"], 3);
    assert_eq!(bundle["entry"][1]["resource"]["lifecycleStatus"], "active");
    let second = bundle["entry"][1]["resource"]["meta"]["lastUpdated"].as_str().unwrap().to_owned();
    let since = live.get(&format!("{path}?_since={second}")).await;
    assert_eq!(entries(&since), all[..2]);
    let at = live.get(&format!("{path}?_at={second}")).await;
    assert_eq!(entries(&at), all[1..2], "the one that held then");
    assert_eq!(entries(&live.get(&format!("{path}?_at=2020")).await), []);
    let none = live.get(&format!("{path}?_count=0")).await;
    assert_eq!((entries(&none).len(), none.json()["total"].clone()), (0, 3.into()));
    let nobody = live.get(&format!("/fhir/Goal/{}/_history", live.id("mercy", "Goal/none"))).await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_withdrawn_resource_has_a_deletion_and_no_bodies_in_its_history() {
    let live = one_goal_in_three_versions();
    let path = format!("/fhir/Goal/{}/_history", live.id("mercy", "Goal/g"));
    live.deletes("mercy", "Goal/g");
    let told = live.get(&path).await;
    let gone = [entry("DELETE", "204", 3), entry("PUT", "410", 3), entry("PUT", "410", 2)];
    assert_eq!(entries(&told)[..3], gone);
    assert!(!told.body.contains(WALK), "{}", told.body);
    live.says("mercy", &[goal("g", WALK, "active")]);
    let told = entries(&live.get(&path).await);
    let back = [entry("POST", "201", 4), entry("DELETE", "204", 3), entry("PUT", "200", 3)];
    assert_eq!(told[..3], back);
}

#[tokio::test]
async fn a_history_is_paged_without_repeats_whatever_comes_meanwhile() {
    let live = one_goal_in_three_versions();
    let goal_path = format!("/fhir/Goal/{}/_history", live.id("mercy", "Goal/g"));
    for (path, only) in [(goal_path.as_str(), 3), ("/fhir/Goal/_history", 3), ("/fhir/_history", 0)]
    {
        let all = entries(&live.get(&format!("{path}?_count=500")).await);
        assert!(all.len() >= only && all.len() > 2, "{path}");
        let mut found = Vec::new();
        let mut next = Some(format!("{path}?_count=1"));
        while let Some(page) = next {
            let told = live.get(&page).await;
            found.extend(entries(&told));
            next = told.link("next");
            if found.len() == 1 {
                live.says("mercy", &[goal(&format!("w{}", path.len()), "Drink water", "active")]);
            }
        }
        assert_eq!(found, all, "{path}");
    }
    let told = live.get("/fhir/Goal/_history?_count=1").await;
    let cursor = told.link("next").unwrap();
    let stolen = cursor.replace("/fhir/Goal/_history", "/fhir/Task/_history");
    assert_eq!(live.get(&stolen).await.status, StatusCode::BAD_REQUEST);
    let later = live.get("/fhir/_history?_since=2100-01-01").await;
    assert_eq!(entries(&later), []);
}

#[tokio::test]
async fn after_an_unlink_no_history_shows_what_was_the_others() {
    let live = Live::new();
    live.says("mercy", &[patient("m1", "Lovelace")]);
    let mut other = patient("v1", "Byron");
    other["birthDate"] = "1980-05-05".into();
    live.says("valley", &[other]);
    live.decides(Verdict::Link);
    let [mercy, valley] = ["mercy", "valley"].map(|endpoint| live.id(endpoint, "Patient/1"));
    let path = format!("/fhir/Patient/{mercy}/_history");
    let linked = live.get(&path).await;
    assert!(linked.body.contains("Byron"), "{}", linked.body);
    live.decides(Verdict::NoMatch);
    for (path, others) in
        [(path, "Byron"), (format!("/fhir/Patient/{valley}/_history"), "Lovelace")]
    {
        let told = live.get(&path).await;
        assert!(!told.body.contains(others), "{path}: {}", told.body);
        assert!(!entries(&told).is_empty());
    }
    let bundle = live.get("/fhir/Patient/_history").await.json();
    let entries = bundle["entry"].as_array().unwrap();
    assert!(entries.len() >= 4);
    for entry in entries {
        let text = entry.to_string();
        assert!(!(text.contains("Byron") && text.contains("Lovelace")), "{text}");
    }
}

#[tokio::test]
async fn the_history_of_a_type_tells_what_held_at_a_time() {
    let live = one_goal_in_three_versions();
    let path = format!("/fhir/Goal/{}/_history", live.id("mercy", "Goal/g"));
    let bundle = live.get(&path).await.json();
    let times: Vec<String> = (0..3)
        .map(|at| bundle["entry"][at]["resource"]["meta"]["lastUpdated"].as_str().unwrap().into())
        .collect();
    live.says("mercy", &[goal("later", "Swim", "active")]);
    let later = live.get("/fhir/Goal/_history?_count=1").await.json();
    let later = later["entry"][0]["resource"]["meta"]["lastUpdated"].as_str().unwrap().to_owned();
    let own = |version: u32| entry("PUT", "200", version);
    let first = entry("POST", "201", 1);
    for (at, held) in [
        (&times[0], vec![own(3)]),
        (&times[1], vec![own(2)]),
        (&times[2], vec![first.clone()]),
        (&later, vec![first.clone(), own(3)]),
        (&"2099".to_owned(), vec![first.clone(), own(3)]),
        (&"2001".to_owned(), vec![]),
    ] {
        let told = live.get(&format!("/fhir/Goal/_history?_at={at}")).await;
        assert_eq!(entries(&told), held, "{at}");
        // The same over pages that each begin anew.
        let mut paged = Vec::new();
        let mut next = Some(format!("/fhir/Goal/_history?_at={at}&_count=1"));
        while let Some(page) = next {
            let told = live.get(&page).await;
            paged.extend(entries(&told));
            next = told.link("next");
        }
        assert_eq!(paged, held, "{at} by pages");
    }
    let all = live.get(&format!("/fhir/_history?_at={}", times[1])).await;
    let bundle = all.json();
    let held = bundle["entry"].as_array().unwrap().iter().map(|entry| &entry["resource"]);
    let goals: Vec<&Value> = held.filter(|held| held["resourceType"] == "Goal").collect();
    assert_eq!(goals.len(), 1);
    assert_eq!(goals[0]["lifecycleStatus"], "active");
}
