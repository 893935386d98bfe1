//! Result parameters: order, counts, and how much is given of each row.
//! <https://hl7.org/fhir/R4/search.html#return>
#![expect(clippy::unwrap_used, reason = "test")]

use std::collections::BTreeSet;

use axum::http::StatusCode;

use super::world::World;

#[tokio::test]
async fn sort_by_several_parameters_and_downwards() {
    let world = World::new();
    let patient = format!("patient={}", world.ada());
    let goal = |name: &str| format!("Goal/{}", world.id("mercy", &format!("Goal/{name}")));
    for (sort, first) in [
        ("target-date", "g2"),
        ("-target-date", "g1"),
        ("lifecycle-status", "g1"),
        ("-lifecycle-status,target-date", "g2"),
        ("description,-target-date", "g1"),
        ("category&_sort=target-date", "g2"),
    ] {
        let told = world.get(&format!("/fhir/Goal?{patient}&_sort={sort}")).await;
        assert_eq!(told.status, StatusCode::OK, "{sort}: {}", told.body);
        assert_eq!(told.references("match")[0], goal(first), "{sort}");
    }
    // A stated order outranks "what we made goes first".
    let told = world.get(&format!("/fhir/CarePlan?{patient}&_sort=-status")).await;
    let completed = format!("CarePlan/{}", world.id("mercy", "CarePlan/p2"));
    assert_eq!(told.references("match")[0], completed);
    let told = world.get(&format!("/fhir/Provenance?{patient}&_sort=-_id&_count=3")).await;
    let found = told.references("match");
    assert!(found.len() == 3 && found.is_sorted_by(|a, b| a > b), "{found:?}");
}

#[tokio::test]
async fn a_sorted_row_that_stays_is_given_once_however_its_place_changes() {
    let world = World::new();
    for sort in ["date", "-date", "-_lastUpdated,date"] {
        let dated = |round: usize| move |n: usize| (n, (n * 7 + round * 11) % 28 + 1);
        let all: Vec<(usize, usize)> = (0..60).map(dated(0)).collect();
        world.date_observations(&all);
        let mut path = format!("/fhir/Observation?patient={}&_sort={sort}&_count=7", world.ada());
        let mut seen = Vec::new();
        for round in 1.. {
            let told = world.get(&path).await;
            assert_eq!(told.status, StatusCode::OK, "{}", told.body);
            seen.extend(told.references("match"));
            let Some(next) = told.link("next") else { break };
            // With the hyphen: the digits alone come about in any cursor.
            assert!(!next.contains("2026-"), "a cursor shows no value: {next}");
            path = next;
            // Each third row moves elsewhere in the order with every page.
            let moved = |n| if n % 3 == 0 { dated(round)(n) } else { dated(0)(n) };
            world.date_observations(&(0..60).map(moved).collect::<Vec<_>>());
        }
        let once: BTreeSet<&String> = seen.iter().collect();
        assert_eq!((seen.len(), once.len()), (60, 60), "{sort}");
    }
}

#[tokio::test]
async fn summaries_and_elements_keep_what_must_be_and_say_so() {
    let world = World::new();
    let patient = format!("patient={}", world.ada());
    let must = ["id", "lifecycleStatus", "description", "subject"];
    for (part, also, not) in [
        ("_summary=true", vec!["achievementStatus"], vec![]),
        ("_summary=text", vec![], vec!["achievementStatus", "target"]),
        ("_summary=data", vec!["achievementStatus", "target", "addresses"], vec!["text"]),
        ("_elements=target", vec!["target"], vec!["achievementStatus", "addresses"]),
        ("_elements=target,%20addresses", vec!["target", "addresses"], vec!["achievementStatus"]),
        ("_summary=true&_elements=target", vec!["target"], vec!["addresses"]),
    ] {
        let told = world.get(&format!("/fhir/Goal?{patient}&{part}")).await;
        assert!(told.link("self").unwrap().contains(part.split('=').next().unwrap()), "{part}");
        let goal = told.json()["entry"][0]["resource"].clone();
        for name in must.iter().chain(&also) {
            assert!(!goal[name].is_null(), "{part}: {name} of {goal}");
        }
        for name in not {
            assert!(goal[name].is_null(), "{part}: {name}");
        }
        assert!(goal["meta"]["tag"].to_string().contains("SUBSETTED"), "{part}");
    }
    let told = world.get(&format!("/fhir/Goal?{patient}&_summary=false")).await;
    assert!(!told.body.contains("SUBSETTED"));
    let told = world.get(&format!("/fhir/Goal?{patient}&_elements=target&_include=*")).await;
    let entries = told.json()["entry"].as_array().unwrap().clone();
    let included = entries.iter().find(|e| e["search"]["mode"] == "include").unwrap();
    assert!(!included.to_string().contains("SUBSETTED"));
    let text = format!("/fhir/Goal?{patient}&_summary=text&_include=*");
    assert_eq!(world.get(&text).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_read_gives_a_part_too() {
    let world = World::new();
    let goal = format!("/fhir/Goal/{}", world.id("mercy", "Goal/g1"));
    let told = world.get(&format!("{goal}?_elements=target")).await.json();
    assert!(!told["target"].is_null() && told["addresses"].is_null(), "{told}");
    assert!(told["meta"]["tag"].to_string().contains("SUBSETTED"));
    let whole = world.get(&format!("{goal}?_summary=false")).await.json();
    assert!(!whole["addresses"].is_null() && !whole.to_string().contains("SUBSETTED"));
    let refused = world.get(&format!("{goal}?_summary=all")).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn totals_are_left_out_when_nobody_wants_them() {
    let world = World::new();
    let patient = format!("patient={}", world.ada());
    for (query, total) in [
        ("_total=none", None),
        ("_total=accurate", Some(120)),
        ("_total=estimate", Some(120)),
        ("_total=none&_summary=count", Some(120)),
        ("_count=0", Some(120)),
    ] {
        let told = world.get(&format!("/fhir/Observation?{patient}&{query}")).await;
        assert_eq!(told.json()["total"].as_u64(), total, "{query}");
    }
}
