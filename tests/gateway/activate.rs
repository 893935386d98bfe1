//! `match activate`: another model is compared, taken into use, and stays so.

use serde_json::{Value, json};

use super::site::Site;

/// The model that comes with the program, with another version and another certain threshold.
fn model(version: &str, certain_bits: f64) -> String {
    let text = std::fs::read_to_string("profiles/match-model.json").unwrap();
    let mut model: Value = serde_json::from_str(&text).unwrap();
    model["version"] = json!(version);
    model["thresholds"]["certain_bits"] = json!(certain_bits);
    model["thresholds"]["name_and_birth_bits"] = json!(certain_bits.max(17.5));
    model.to_string()
}

fn persons(site: &Site) -> u64 {
    site.json(&["pull", "--json"])["persons"].as_u64().unwrap()
}

#[test]
fn another_model_is_compared_taken_into_use_and_given_up() {
    let site = Site::new(&["north", "south"]);
    let before = persons(&site);
    let file = site.path("strict.json");
    std::fs::write(&file, model("strict-1", 60.0)).unwrap();
    let file = file.to_str().unwrap();
    let id = || site.json(&["person", "find", "quistg", "--json"])[0]["id"].clone();
    let own = id();

    let told = site.json(&["match", "activate", file, "--dry-run", "--json"]);
    assert_eq!(
        (&told["activated"], &told["model"]["version"]),
        (&json!(false), &json!("strict-1"))
    );
    assert_ne!(told["model"]["hash"], told["in_use"]["hash"]);
    let (links, lost) = (&told["links"], told["links"]["lost"].as_u64().unwrap());
    assert_eq!((&links["gained"], &links["then"]), (&json!(0), &json!(0)), "{told:#}");
    assert_eq!(links["now"], lost);
    assert!(lost > 0 && lost == links["lost_first"].as_array().unwrap().len() as u64);
    let first = &links["lost_first"][0];
    assert_eq!(first["grade"], json!(["certain", "probable"]), "{first:#}");
    assert_eq!(told["persons"]["now"], before);
    let foretold = told["persons"]["then"].as_u64().unwrap();
    assert_eq!(persons(&site), before, "a dry run changes nothing");
    let none = site.run(&["match", "activate", file, "--dry-run", "--limit", "0"], 0);
    assert!(none.contains(&format!("{lost} more")) && !none.contains("Patient/"), "{none}");

    let text = site.run(&["match", "activate", file, "--by", "anna", "--note", "trial"], 0);
    assert!(text.contains("activated strict-1 by anna"), "{text}");
    assert_eq!(persons(&site), foretold, "as it was foretold, at once");
    std::fs::remove_file(file).unwrap();
    site.run(&["pull", "--full", "--quiet"], 0);
    site.run(&["rebuild", "--quiet"], 0);
    assert_eq!(persons(&site), foretold, "without its file, pulled and woven anew");
    site.run(&["verify", "--quiet"], 0);
    let explained =
        site.json(&["match", "explain", "north/Patient/1", "south/Patient/7", "--json"]);
    assert_eq!(explained["grade"], "probable", "{explained:#}");
    let checked = site.run(&["check-config"], 0);
    assert!(checked.contains("strict-1") && checked.contains("anna"), "{checked}");

    // A model file in the configuration does not take its place silently.
    std::fs::write(site.path("own.json"), model("own-1", 15.0)).unwrap();
    let own_model = "[identity]\nmodel = \"own.json\"\n[security]\nmode = \"open\"\n";
    let checked = site.run_with(own_model, &["check-config"], 0);
    assert!(checked.contains("strict-1") && checked.contains("identity.model"), "{checked}");

    let back = site.json(&["match", "activate", "--configured", "--json"]);
    assert_eq!((&back["activated"], &back["links"]["gained"]), (&json!(true), &json!(lost)));
    assert_eq!((persons(&site), id()), (before, own), "as if it had never been");
    site.run(&["verify", "--quiet"], 0);
    let again = site.run(&["match", "activate", "--configured"], 0);
    assert!(again.contains("in use already"), "{again}");
}

#[test]
fn what_cannot_be_activated_is_refused() {
    let site = Site::new(&["north"]);
    site.run(&["pull", "--quiet"], 0);
    let broken = site.path("broken.json");
    std::fs::write(&broken, model("x", 15.0).replace("block_cap", "block_kap")).unwrap();
    let broken = broken.to_str().unwrap();
    for (args, status, says) in [
        (&["match", "activate", "not-there.json"][..], 2, "not-there.json"),
        (&["match", "activate", broken], 2, "block_kap"),
        (&["match", "activate"], 2, "MODEL"),
        (&["match", "activate", broken, "--configured"], 2, "--configured"),
    ] {
        let told = site.run(args, status);
        assert!(told.contains(says), "{args:?}: {told}");
    }
    let activated = site.path("careweave-data/activated-model.json");
    assert!(!activated.exists());
    std::fs::write(&activated, "{\"model\": \"{}\", \"history\": []}").unwrap();
    let told = site.run(&["pull", "--quiet"], 1);
    assert!(told.contains("damaged") && told.contains("remove it"), "{told}");
}
