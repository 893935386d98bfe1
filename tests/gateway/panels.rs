//! Panels of a payer: imported and posted, found through merges and unlinks, and how their goals
//! stand.

use std::fs;

use careweave::fhir::StructureCheck;
use serde_json::{Value, json};

use super::site::{Gateway, Site};

const CLIENTS: &str = "[[endpoint]]\nid = \"payer\"\nkind = \"client\"\n\
                       [[endpoint]]\nid = \"clinic\"\nkind = \"client\"\n";
const MEMBER: &str = "http://plan.example/member-id|M-4711";
const SOUTH: &str = "south/Patient/7";

/// A site with everybody pulled, and the ids of Tor and Bo, who have one record each.
fn pulled() -> (Site, String, String) {
    let site = Site::with(&["north", "south"], CLIENTS);
    site.run(&["pull", "--quiet"], 0);
    let id = |name: &str| {
        site.json(&["person", "find", name, "--json"])[0]["id"].as_str().unwrap().to_owned()
    };
    let (tor, bo) = (id("brandvold"), id("vestergren"));
    (site, tor, bo)
}

fn goals(gateway: &Gateway<'_>, panel: &str, query: &str) -> Value {
    let (status, body) = gateway.root(&format!("care/panel/{panel}/goals{query}"));
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

fn send(
    gateway: &Gateway<'_>,
    method: &str,
    path: &str,
    client: &str,
    body: &Value,
) -> (u16, Value) {
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let (status, text) = gateway.send(path, |http, url| {
        http.request(method, url)
            .header("X-Careweave-Client", client)
            .header("Content-Type", "application/fhir+json")
            .body(body.to_string())
    });
    (status, serde_json::from_str(&text).unwrap_or_default())
}

#[test]
fn an_imported_panel_finds_its_persons_through_unlinks_and_links() {
    let (site, tor, bo) = pulled();
    let north = site.base("north");
    let rows = format!(
        "note,patient,identifier\nby URL,{north}/Patient/1,\nthe same one,,{MEMBER}\nby id,{bo},\n\
         \"left, long ago\",,http://plan.example/member-id|M-9999\nby id,{tor},\n"
    );
    fs::write(site.path("roster.csv"), rows).unwrap();
    let import = ["panel", "import", "roster.csv", "--client", "payer", "--json"];
    let made = site.json(&import);
    assert_eq!((&made["members"], &made["persons"]), (&json!(5), &json!(3)), "{made:#}");
    let nobody = json!([{"member": "http://plan.example/member-id|M-9999",
                         "why": "names nobody in the view"}]);
    assert_eq!(made["unmatched"], nobody);
    assert_eq!(site.json(&import)["version"], 1, "the same again is the same");
    let panel = made["id"].as_str().unwrap();

    let gateway = site.serve();
    let told = goals(&gateway, panel, "");
    assert_eq!(told["total"]["goals"], 3, "one of HbA1c, stated twice: {told:#}");
    assert_eq!(told["panel"]["persons"], 3);
    let two = |line: &&Value| line["members"].as_array().unwrap().len() == 2;
    let mother = told["persons"].as_array().unwrap().iter().find(two).unwrap();
    assert_eq!(mother["goals"], 2, "{told:#}");
    drop(gateway);

    // Parted, the number is two persons' and names neither; the URL names its own.
    let parted = site.json(&["review", "unlink", SOUTH, "--json"]);
    let shown = site.json(&["panel", "show", "roster", "--json"]);
    assert_eq!(shown["persons"], 3, "{shown:#}");
    assert_eq!(shown["unmatched"][0]["member"], MEMBER);
    assert_eq!(shown["unmatched"][0]["why"], "an identifier that several persons have");
    let gateway = site.serve();
    assert_eq!(goals(&gateway, panel, "")["total"]["goals"], 2);
    drop(gateway);

    // Taken back, all is as before; and two members who turn out to be one count once.
    site.run(&["review", "undo", parted["pairs"][0].as_str().unwrap()], 0);
    let gateway = site.serve();
    assert_eq!(goals(&gateway, panel, ""), told);
    drop(gateway);
    site.run(&["review", "link", "north/Patient/2", "south/Patient/1", "--quiet"], 0);
    let shown = site.json(&["panel", "show", panel, "--json"]);
    assert_eq!(shown["persons"], 2, "{shown:#}");
    let both = shown["listed"].as_array().unwrap().iter().find(|p| {
        p["members"] == json!([format!("Patient/{bo}"), format!("Patient/{tor}")])
            || p["members"] == json!([format!("Patient/{tor}"), format!("Patient/{bo}")])
    });
    assert!(both.is_some(), "{shown:#}");
    site.run(&["verify", "--quiet"], 0);

    let list = site.json(&["panel", "list", "--json"]);
    assert_eq!((list[0]["name"].as_str(), list.as_array().unwrap().len()), (Some("roster"), 1));
    for (rows, status, expected) in [
        ("name\nx\n", 2, "no column says who is meant"),
        ("identifier\nA1\n", 1, "bad.csv:2: column identifier has no system"),
        ("patient,identifier\n,\n", 1, "bad.csv:2: columns patient and identifier are empty"),
    ] {
        fs::write(site.path("bad.csv"), rows).unwrap();
        let told = site.run(&["panel", "import", "bad.csv", "--client", "payer"], status);
        assert!(told.contains(expected), "{told}");
    }
    let told = site.run(&["panel", "import", "roster.csv", "--client", "north"], 2);
    assert!(told.contains("unknown client \"north\"; known: payer, clinic"), "{told}");
}

#[test]
fn a_posted_panel_is_paged_tabled_and_reported() {
    let (site, tor, bo) = pulled();
    let gateway = site.serve();
    let member = |reference: String| json!({"entity": {"reference": reference}});
    let (system, value) = MEMBER.split_once('|').unwrap();
    let group = json!({
        "resourceType": "Group", "type": "person", "actual": true, "name": "Diabetes programme",
        "identifier": [{"system": "http://plan.example/panel", "value": "DM"}],
        "member": [
            member(format!("Patient/{bo}")), member("Patient/77".to_owned()),
            {"entity": {"identifier": {"system": system, "value": value}}},
            {"entity": {"reference": format!("Patient/{tor}")}, "inactive": true},
        ],
    });
    let (status, made) = send(&gateway, "POST", "Group", "payer", &group);
    assert_eq!(status, 201, "{made:#}");
    let id = made["id"].as_str().unwrap();
    assert_eq!(send(&gateway, "POST", "Group", "payer", &group).0, 200, "the same is the same");
    let person = made["member"][2]["entity"]["reference"].as_str().unwrap().to_owned();
    assert_eq!(
        gateway.get(&person)["name"][0]["family"].as_str().unwrap().get(..6),
        Some("Quistg")
    );
    let dangling = &made["member"][1];
    assert_eq!(dangling["entity"]["reference"], "urn:careweave:endpoint:payer/Patient/77");
    assert_eq!(dangling["extension"][0]["valueCode"], "nobody", "{made:#}");
    let check = StructureCheck::new(&[]).unwrap();
    assert_eq!(check.check(&made.to_string(), &made), []);
    let found = gateway.get("Group?identifier=http://plan.example/panel|DM");
    assert_eq!((&found["total"], &found["entry"][0]["resource"]["id"]), (&json!(1), &json!(id)));

    let whole = goals(&gateway, id, "?_since=2026-01-01");
    let numbers = |of: &str| whole["panel"][of].as_u64().unwrap();
    assert_eq!(["members", "persons", "unmatched", "left"].map(numbers), [4, 2, 1, 1]);
    assert_eq!((&whole["total"]["goals"], &whole["total"]["changed"]), (&json!(3), &json!(3)));
    assert_eq!(goals(&gateway, id, "?_since=2099-01-01")["total"]["changed"], 0);
    let mut pages = vec![goals(&gateway, id, "?_since=2026-01-01&_count=1")];
    while let Some(next) = pages.last().unwrap()["next"].as_str() {
        let query = next.split_once('?').unwrap().1.to_owned();
        pages.push(goals(&gateway, id, &format!("?{query}")));
    }
    assert_eq!(pages.len(), 2);
    let persons: Vec<&Value> =
        pages.iter().flat_map(|page| page["persons"].as_array().unwrap()).collect();
    assert_eq!(persons, whole["persons"].as_array().unwrap().iter().collect::<Vec<_>>());

    tabled_and_reported(&gateway, id);

    let mut changed = made.clone();
    changed["member"] = json!([member(format!("Patient/{tor}"))]);
    let path = format!("Group/{id}");
    assert_eq!(send(&gateway, "PUT", &path, "clinic", &changed).0, 405);
    assert_eq!(send(&gateway, "PUT", &path, "payer", &changed).0, 200);
    assert_eq!(goals(&gateway, id, "")["total"]["goals"], 0);
    let devices = json!({"resourceType": "Group", "type": "device", "actual": true});
    let (status, refused) = send(&gateway, "POST", "Group", "payer", &devices);
    assert_eq!((status, &refused["issue"][0]["expression"][0]), (422, &json!("Group.type")));
    assert_eq!(send(&gateway, "DELETE", &path, "payer", &json!({})).0, 204);
    assert_eq!(gateway.status(&path), 410);
    assert_eq!(gateway.root(&format!("care/panel/{id}/goals")).0, 410);
}

/// Two persons with three goals, and one who was not found.
fn tabled_and_reported(gateway: &Gateway<'_>, id: &str) {
    let check = StructureCheck::new(&[]).unwrap();
    let (_, table) = gateway.root(&format!("care/panel/{id}/goals?_format=csv"));
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 4, "a header, two persons, one who was not found: {table}");
    assert!(
        lines[0].starts_with("person,member,goals,proposed,planned,accepted,active"),
        "{table}"
    );
    assert!(
        table.contains(",Patient/77,") && table.contains("names nobody in the view"),
        "{table}"
    );
    let report = goals(gateway, id, "?_format=application/fhir%2Bjson");
    assert_eq!(check.check(&report.to_string(), &report), []);
    assert_eq!(report["subject"]["reference"], format!("Group/{id}"));
    let counted = |code: &str| {
        let groups = report["group"].as_array().unwrap();
        let group = groups.iter().find(|g| g["code"]["coding"][0]["code"] == code).unwrap();
        group["population"][0]["count"].as_u64().unwrap()
    };
    assert_eq!(["persons", "unmatched", "goals"].map(counted), [2, 1, 3]);
}
