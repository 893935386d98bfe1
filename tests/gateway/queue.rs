//! Stewards who share a queue: who looks at what, what they say, and links that need two of them.

use bytes::Bytes;
use serde_json::{Value, json};

use super::site::Site;

/// `id|given|family|birth|street`: a Patient.
fn patient(row: &str) -> Bytes {
    let [id, given, family, birth, street] = row.split('|').collect::<Vec<_>>()[..] else {
        panic!("five cells")
    };
    let mut patient = json!({"resourceType": "Patient", "id": id, "gender": "female",
        "name": [{"given": [given], "family": family}], "birthDate": birth});
    if !street.is_empty() {
        patient["address"] = json!([{"line": [street], "postalCode": "60601"}]);
    }
    patient.to_string().into()
}

/// Three pairs for review, and two persons of two charts each: (north 1, south 1) and (east 4,
/// west 4).
fn site() -> Site {
    let of = |rows: &[&str]| Some(rows.iter().map(|row| patient(row)).collect());
    let north = [
        "1|Josephine|Quistgaard|1970-02-03|1 Fir Ct",
        "2|Marta|Weatherby|1981-05-06|",
        "3|Ingrid|Abernathy|1955-11-12|",
        "6|Clara|Hoffmann|1990-07-08|",
    ];
    let south = [
        "1|Josephine|Quistgaard|1970-02-03|1 Fir Court",
        "2|Marta|Weatherby|1981-05-16|",
        "3|Ingrid|Abernathy|1955-12-11|",
        "6|Clarissa|Hoffmann|1990-07-08|",
    ];
    Site::of(vec![
        ("north", of(&north)),
        ("south", of(&south)),
        ("east", of(&["4|Beatrix|Dubrovsky|1962-03-04|7 Oak Ave"])),
        ("west", of(&["4|Beatrix|Dubrovsky|1962-03-04|7 Oak Avenue"])),
    ])
}

const POLICY: &str = "[identity]\nsecond_reviewer = \"risky\"\n[security]\nmode = \"open\"\n";

fn list(site: &Site, more: &[&str]) -> Vec<Value> {
    let told = site.json(&[&["review", "list", "--json"], more].concat());
    told["pairs"].as_array().unwrap().clone()
}

fn ids(pairs: &[Value]) -> Vec<String> {
    pairs.iter().map(|pair| pair["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_queue_is_shared_filtered_sorted_and_paged() {
    let site = site();
    site.run(&["pull", "--quiet"], 0);
    let all = list(&site, &[]);
    let queue = ids(&all);
    assert!(queue.len() >= 3, "{all:#?}");
    let weights: Vec<f64> = all.iter().map(|p| p["weight_bits"].as_f64().unwrap()).collect();
    assert!(weights.is_sorted_by(|a, b| a >= b), "{weights:?}");
    assert_eq!(all[0]["age_days"], 0);

    let (first, last) = (&queue[0], queue.last().unwrap());
    site.run(&["review", "assign", last, "--to", "anna", "--priority", "high", "--by", "lead"], 0);
    site.run(&["review", "assign", first, "--to", "ben"], 0);
    site.run(&["review", "assign", first, "--nobody"], 0);
    site.run(&["review", "assign", first, "--priority", "low"], 0);
    let told = site.run(&["review", "not-sure", last, "--by", "anna", "--note", "two births"], 0);
    assert!(told.contains("for anna, priority high"), "{told}");
    site.run(&["review", "note", last, "--by", "carl", "--note", "asked the clinic"], 0);

    assert_eq!(ids(&list(&site, &["--assignee", "anna"])), [last.as_str()]);
    assert_eq!(list(&site, &["--assignee", "ben"]).len(), 0);
    assert_eq!(list(&site, &["--unassigned"]).len(), queue.len() - 1);
    assert_eq!(ids(&list(&site, &["--priority", "low"])), [first.as_str()]);
    let urgent = ids(&list(&site, &["--sort", "priority"]));
    assert_eq!((&urgent[0], urgent.last().unwrap()), (last, first));
    assert_eq!(list(&site, &["--older-than", "1"]).len(), 0);
    assert_eq!(list(&site, &["--reason", "below", "--endpoint", "south"]).len(), queue.len());
    assert_eq!(list(&site, &["--endpoint", "east"]).len(), 0);
    let probable = list(&site, &["--grade", "probable"]);
    assert!(probable.iter().all(|pair| pair["grade"] == "probable"));

    // Page after page gives the same pairs in the same order, each once.
    for sort in ["score", "age", "priority"] {
        let whole = ids(&list(&site, &["--sort", sort]));
        let mut paged: Vec<String> = Vec::new();
        while paged.len() < whole.len() {
            let mut args = vec!["--sort", sort, "--limit", "1"];
            let after = paged.last().cloned();
            args.extend(after.iter().flat_map(|after| ["--after", after.as_str()]));
            let page = ids(&list(&site, &args));
            assert_eq!(page.len(), 1, "{sort}: {paged:?} of {whole:?}");
            paged.extend(page);
        }
        assert_eq!(paged, whole, "{sort}");
    }
    whatever_happens_it_stays(&site, last, &queue);
}

/// What was said stays with the pair, whatever is pulled, woven and decided.
fn whatever_happens_it_stays(site: &Site, last: &str, queue: &[String]) {
    let all = list(site, &[]);
    site.run(&["pull", "--full", "--quiet"], 0);
    site.run(&["rebuild", "--quiet"], 0);
    assert_eq!(ids(&list(site, &[])), queue, "each pair is queued once");
    site.run(&["review", "no-match", last, "--by", "anna", "--note", "sisters"], 0);
    assert!(!ids(&list(site, &[])).iter().any(|id| id == last));
    site.run(&["review", "undo", last, "--by", "ben"], 0);
    assert_eq!(list(site, &["--assignee", "anna"])[0]["not_sure"], json!(["anna"]));
    let chart = all.last().unwrap()["charts"][0]["chart"].as_str().unwrap().to_owned();
    let person = all.last().unwrap()["charts"][0]["person"].as_str().unwrap().to_owned();
    for name in [chart.as_str(), &person, last] {
        let log = site.json(&["review", "history", name, "--json"]);
        let events: Vec<&str> = log["entries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["event"].as_str().unwrap())
            .collect();
        let expected =
            ["assigned to anna", "priority high", "not sure", "note", "no-match", "undo no-match"];
        assert_eq!(events, expected, "of {name}");
    }
    let text = site.run(&["review", "history", last], 0);
    assert!(text.contains("no-match by anna: sisters") && text.contains("taken back by ben"));
    let shown = site.run(&["review", "show", last], 0);
    assert!(shown.contains("for anna") && shown.contains("noted") && shown.contains("by carl"));
    site.run(&["verify", "--quiet"], 0);
}

#[test]
fn a_risky_link_takes_two_stewards() {
    let site = site();
    site.run(&["pull", "--quiet"], 0);
    let (a, b) = ("north/Patient/1", "west/Patient/4");
    let risky = |args: &[&str], status: i32| site.run_with(POLICY, args, status);
    let persons = || {
        let shown = site.json(&["review", "show", a, b, "--json"]);
        (shown["one_person"].as_bool().unwrap(), shown)
    };
    let foretold = site.json(&["review", "link", a, b, "--dry-run", "--json"]);
    let effect = &foretold["if_linked"]["effect"];
    assert_eq!((&effect["joins"], &effect["moves"]["charts"]), (&json!(2), &json!(2)));
    assert_eq!(foretold["if_linked"]["risks"][0]["risk"], "several-charts", "{foretold:#}");
    let text = risky(&["review", "link", a, b, "--dry-run"], 0);
    assert!(text.contains("joins 2 persons, and moves 2 charts with 2 records"), "{text}");
    assert!(!persons().0, "a dry run decides nothing");

    let waits = risky(&["review", "link", a, b, "--by", "anna", "--note", "same card"], 0);
    assert!(waits.contains("proposed by anna") && waits.contains("another steward"), "{waits}");
    assert!(!persons().0, "nothing is linked yet");
    let again = risky(&["review", "link", a, b, "--by", " Anna"], 1);
    assert!(again.contains("another steward"), "{again}");
    let open = list(&site, &["--proposed"]);
    assert_eq!((open.len(), &open[0]["proposed_by"]), (1, &json!("anna")), "{open:#?}");
    assert_eq!(persons().1["proposal"]["note"], "same card");

    // Turned down, it is gone; proposed again and made by another, it stands and can be undone.
    risky(&["review", "undo", a, b, "--by", "ben", "--note", "no"], 0);
    assert!(list(&site, &["--proposed"]).is_empty());
    risky(&["review", "link", a, b, "--by", "anna"], 0);
    site.run(&["rebuild", "--quiet"], 0);
    site.run(&["pull", "--full", "--quiet"], 0);
    assert_eq!(list(&site, &["--proposed"]).len(), 1, "a proposal outlives rebuild and pull");
    let made = risky(&["review", "link", a, b, "--by", "ben"], 0);
    assert!(made.contains("now one person"), "{made}");
    let (together, shown) = persons();
    assert!(together && list(&site, &["--proposed"]).is_empty());
    assert_eq!(shown["charts"][0]["person"], effect["into"], "who was foretold to stay");
    let log = site.json(&["review", "history", a, "--json"]);
    let said = log["entries"].as_array().unwrap().iter();
    let said: Vec<(&str, &str)> = said
        .map(|entry| (entry["event"].as_str().unwrap(), entry["by"].as_str().unwrap()))
        .collect();
    let expected = [
        ("link proposed", "anna"),
        ("proposal declined", "ben"),
        ("link proposed", "anna"),
        ("link", "ben"),
    ];
    assert_eq!(said, expected);
    site.run(&["review", "undo", a, b], 0);
    assert!(!persons().0);

    // Two charts of one endpoint stay apart, so such a link takes each out of its person.
    let apart =
        site.json(&["review", "link", "north/Patient/1", "south/Patient/2", "--dry-run", "--json"]);
    let effect = &apart["if_linked"]["effect"];
    assert_eq!((&effect["joins"], &effect["parted"]), (&json!(2), &json!(1)), "{apart:#}");

    // One chart more is no risk, and without the policy one steward is enough for anything.
    let one = risky(&["review", "link", "north/Patient/2", "south/Patient/2", "--by", "anna"], 0);
    assert!(one.contains("now one person"), "{one}");
    site.run(&["review", "link", a, b, "--by", "anna"], 0);
    assert!(persons().0);
    site.run(&["verify", "--quiet"], 0);
}

#[test]
fn odd_notes_are_refused() {
    let site = site();
    site.run(&["pull", "--quiet"], 0);
    let long = "x".repeat(4_001);
    let (a, b) = ("north/Patient/1", "west/Patient/4");
    for (args, status, says) in [
        (&["review", "assign", a, b][..], 2, "--nobody"),
        (&["review", "assign", a, b, "--to", " "], 2, "names nobody"),
        (&["review", "assign", a, "--to", "anna"], 2, "name the other chart"),
        (&["review", "note", a, b], 2, "--note"),
        (&["review", "note", a, b, "--note", &long], 1, "make it shorter"),
        (&["review", "link", a, b, "--note", &long], 1, "make it shorter"),
        (&["review", "assign", a, b, "--to", &long], 1, "make it shorter"),
        (&["review", "not-sure", "zzzzz"], 1, "no pair has the id"),
        (&["review", "list", "--grade", "sure"], 2, "possible values"),
        (&["review", "history", "north/Patient/99"], 1, "no chart is known"),
        (&["review", "undo", a, b], 1, "no decision or proposal"),
    ] {
        let told = site.run(args, status);
        assert!(told.contains(says), "{args:?}: {told}");
    }
    let told = site.run_with("[identity]\nsecond_reviewer = \"maybe\"\n", &["check-config"], 2);
    assert!(told.contains("second_reviewer"), "{told}");
    let none = site.run(&["review", "history", a], 0);
    assert!(none.contains("no steward"), "{none}");
}
