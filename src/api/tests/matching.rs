//! `$match`, `$member-match`, `$ihe-pix` and the `$mdm-*` operations, on a whole gateway.
#![expect(clippy::unwrap_used, reason = "test")]

use serde_json::{Value, json};

use super::live::Live;
use super::world::Told;
use crate::config::SecondReviewer;
use crate::flow::{Access, ChartKey, Verdict};
use crate::pipeline::Gateway;

const JSON: [(&str, &str); 1] = [("content-type", "application/fhir+json")];

/// `given|family|birth|street|member number`
fn patient(id: &str, row: &str) -> Value {
    let [given, family, birth, street, member] = row.split('|').collect::<Vec<_>>()[..] else {
        panic!("five cells")
    };
    let mut patient = json!({
        "resourceType": "Patient", "id": id, "gender": "female", "birthDate": birth,
        "name": [{"family": family, "given": [given]}],
    });
    if !street.is_empty() {
        patient["address"] = json!([{"line": [street], "postalCode": "60601"}]);
    }
    if !member.is_empty() {
        let kind = json!({"coding": [
            {"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MB"}]});
        patient["identifier"] =
            json!([{"type": kind, "system": "http://plan.test/member", "value": member}]);
    }
    patient
}

const ADA: &str = "Ada|Quistgaard|1960-02-22|1 Fir Ct|M-1";
const MARTA: &str = "Marta|Weatherby|1981-05-06||";

/// Ada at both, one person; Marta at both with another birth date, queued.
fn world() -> Live {
    said_in(Live::new())
}

fn said_in(live: Live) -> Live {
    let marta = "Marta|Weatherby|1981-05-16||";
    let mut second = patient("1", ADA);
    second["identifier"]
        .as_array_mut()
        .unwrap()
        .push(json!({"system": "http://valley.test/mrn", "value": "V-7"}));
    live.says("mercy", &[patient("1", ADA), patient("2", MARTA)]);
    live.says("valley", &[second, patient("2", marta)]);
    live
}

async fn post(live: &Live, operation: &str, body: &Value) -> Told {
    live.send("POST", &format!("/fhir/{operation}"), &JSON, body.to_string()).await
}

fn given(parameters: &[(&str, Value)]) -> Value {
    let parameter = parameters.iter().map(|(name, value)| match value {
        Value::Object(_) => json!({"name": name, "resource": value}),
        Value::Bool(on) => json!({"name": name, "valueBoolean": on}),
        Value::Number(n) => json!({"name": name, "valueInteger": n}),
        other => json!({"name": name, "valueString": other}),
    });
    json!({"resourceType": "Parameters", "parameter": parameter.collect::<Vec<_>>()})
}

/// The parts of the parameters of a name, as name → value.
fn parts(told: &Told, name: &str) -> Vec<Value> {
    let body = told.json();
    let all = body["parameter"].as_array().cloned().unwrap_or_default();
    let named = all.into_iter().filter(|parameter| parameter["name"] == name);
    named
        .map(|parameter| {
            let mut read = json!({});
            for part in parameter["part"].as_array().unwrap() {
                let value = part.as_object().unwrap().iter().find(|(k, _)| k.starts_with("value"));
                read[part["name"].as_str().unwrap()] = value.unwrap().1.clone();
            }
            read
        })
        .collect()
}

fn grades(told: &Told) -> Vec<String> {
    assert_eq!(told.status, 200, "{}", told.body);
    let bundle = told.json();
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    let grade = |entry: &Value| {
        let extension = &entry["search"]["extension"][0];
        assert_eq!(extension["url"], "http://hl7.org/fhir/StructureDefinition/match-grade");
        extension["valueCode"].as_str().unwrap().to_owned()
    };
    entries.iter().map(grade).collect()
}

#[tokio::test]
async fn match_grades_scores_and_explains() {
    let live = world();
    let told = post(&live, "Patient/$match", &given(&[("resource", patient("x", ADA))])).await;
    assert_eq!(grades(&told), ["certain"]);
    let entry = told.json()["entry"][0].clone();
    assert_eq!(entry["resource"]["id"], live.id("mercy", "Patient/1"));
    assert_eq!(entry["search"]["mode"], "match");
    assert!(entry["search"]["score"].as_f64().unwrap() > 0.99);
    let explained = entry["search"]["extension"][1]["extension"].as_array().unwrap().clone();
    let steps: Vec<&Value> = explained.iter().filter(|e| e["url"] == "step").collect();
    assert!(steps.len() > 3, "{explained:#?}");
    let sum: f64 = steps.iter().map(|s| s["extension"][2]["valueDecimal"].as_f64().unwrap()).sum();
    let total = explained.iter().find(|e| e["url"] == "total").unwrap();
    assert!((sum - total["valueDecimal"].as_f64().unwrap()).abs() < 0.1);

    // A Patient by itself, and one that two persons may be.
    let alone = post(&live, "Patient/$match", &patient("x", ADA)).await;
    assert_eq!(grades(&alone), ["certain"]);
    let vague = patient("x", "Marta|Weatherby|1981-05||");
    let both = post(&live, "Patient/$match", &given(&[("resource", vague.clone())])).await;
    assert_eq!(grades(&both).len(), 2, "{}", both.body);
    let one = [("resource", vague.clone()), ("count", json!(1))];
    let one = post(&live, "Patient/$match", &given(&one)).await;
    assert_eq!((grades(&one).len(), &one.json()["total"]), (1, &json!(2)));
    let only = [("resource", vague), ("onlyCertainMatches", json!(true))];
    let none = post(&live, "Patient/$match", &given(&only)).await;
    assert_eq!((grades(&none).len(), &none.json()["total"]), (0, &json!(0)));
    assert_eq!(none.json()["resourceType"], "Bundle", "empty, and no error");
    let only = [("resource", patient("x", ADA)), ("onlyCertainMatches", json!(true))];
    assert_eq!(grades(&post(&live, "Patient/$match", &given(&only)).await), ["certain"]);
    let nobody = patient("x", "Zoe|Nobody|1931-01-09||");
    assert!(
        grades(&post(&live, "Patient/$match", &given(&[("resource", nobody)])).await).is_empty()
    );
}

#[tokio::test]
async fn member_match_gives_one_member_with_consent_or_422() {
    let live = world();
    let coverage = json!({"resourceType": "Coverage", "status": "active"});
    let consent = |status: &str, end: &str| {
        json!({"resourceType": "Consent", "status": status,
        "provision": {"type": "permit", "period": {"start": "2020-01-01", "end": end}}})
    };
    let ask = |member: Value, consent: Option<Value>| {
        let mut all = vec![("MemberPatient", member), ("CoverageToMatch", coverage.clone())];
        all.extend(consent.map(|consent| ("Consent", consent)));
        given(&all)
    };
    let good = consent("active", "2999-01-01");
    let body = ask(patient("x", ADA), Some(good.clone()));
    let told = post(&live, "Patient/$member-match", &body).await;
    assert_eq!(told.status, 200, "{}", told.body);
    let answer = told.json();
    assert_eq!(answer["parameter"][0]["name"], "MemberIdentifier");
    assert_eq!(answer["parameter"][0]["valueIdentifier"]["value"], "M-1");
    let id = format!("Patient/{}", live.id("mercy", "Patient/1"));
    assert_eq!(answer["parameter"][1]["valueReference"]["reference"], id);
    for (body, code) in [
        (ask(patient("x", "Zoe|Nobody|1931-01-09||"), Some(good.clone())), "not-found"),
        (ask(patient("x", "Marta|Weatherby|1981-05||"), Some(good)), "not-found"),
        (ask(patient("x", ADA), None), "suppressed"),
        (ask(patient("x", ADA), Some(consent("inactive", "2999-01-01"))), "suppressed"),
        (ask(patient("x", ADA), Some(consent("active", "2021-01-01"))), "suppressed"),
        (ask(patient("x", ADA), Some(consent("active", "soon"))), "suppressed"),
    ] {
        let told = post(&live, "Patient/$member-match", &body).await;
        assert_eq!(told.status, 422, "{}", told.body);
        assert_eq!(told.issue_codes(), [code]);
        assert!(!told.body.contains("M-1") && !told.body.contains(&id), "{}", told.body);
    }
}

#[tokio::test]
async fn ihe_pix_tells_the_other_identifiers() {
    let live = world();
    let pix = "/fhir/Patient/$ihe-pix?sourceIdentifier=";
    let all = live.get(&format!("{pix}http://plan.test/member%7CM-1")).await;
    assert_eq!(all.status, 200, "{}", all.body);
    let told = all.json()["parameter"].clone();
    assert_eq!(told[0]["valueIdentifier"]["value"], "V-7");
    let person = live.id("mercy", "Patient/1");
    assert!(told[1]["valueReference"]["reference"].as_str().unwrap().ends_with(&person));
    let one = live
        .get(&format!("{pix}http://plan.test/member%7CM-1&targetSystem=http://valley.test/mrn"))
        .await;
    assert_eq!(one.json()["parameter"].as_array().unwrap().len(), 1);
    let unknown = live.get(&format!("{pix}http://plan.test/member%7CM-99")).await;
    assert_eq!((unknown.status.as_u16(), unknown.issue_codes()), (404, vec!["not-found".into()]));
    for bad in ["", "M-1", "%7CM-1", "http://plan.test/member%7C"] {
        let told = live.get(&format!("{pix}{bad}")).await;
        assert_eq!(told.status, 400, "{bad}: {}", told.body);
    }
}

#[tokio::test]
async fn ihe_pix_knows_the_domains_of_the_site() {
    let domains = ["http://plan.test/member", "http://valley.test/mrn"];
    let live = said_in(Live::as_set_up(|gateway| gateway.with_domains(domains.map(Box::from))));
    let pix = "/fhir/Patient/$ihe-pix?sourceIdentifier=http://plan.test/member%7CM-1&targetSystem=";
    let known = live.get(&format!("{pix}{}", domains[1])).await;
    assert_eq!(known.json()["parameter"][0]["valueIdentifier"]["value"], "V-7");
    let source = "/fhir/Patient/$ihe-pix?sourceIdentifier=http://else.test%7CM-1";
    for (path, status) in [
        (source.to_owned(), 400),
        (format!("{pix}http://else.test"), 403),
        (format!("{pix}{},http://else.test", domains[1]), 403),
    ] {
        let told = live.get(&path).await;
        assert_eq!(told.status, status, "{path}: {}", told.body);
        assert_eq!(told.issue_codes(), ["code-invalid"], "{path}");
        assert!(!told.body.contains("V-7") && !told.body.contains("M-1"), "{}", told.body);
    }
}

#[tokio::test]
async fn a_link_that_needs_two_stewards_waits_for_the_second() {
    let always = |gateway: Gateway| gateway.with_second_reviewer(SecondReviewer::Always);
    let live = said_in(Live::as_set_up(always));
    let [north, south] =
        ["mercy", "valley"].map(|e| format!("Patient/{}", live.id(e, "Patient/2")));
    let link = given(&[("goldenResourceId", json!(north)), ("resourceId", json!(south))]);
    let links = async || {
        let told = live.get(&format!("/fhir/$mdm-query-links?goldenResourceId={north}")).await;
        parts(&told, "link").into_iter().filter(|l| l["matchResult"] == "MATCH").count()
    };
    let first = post(&live, "$mdm-create-link", &link).await;
    assert_eq!(first.status, 202, "{}", first.body);
    assert_eq!(first.issue_codes(), ["business-rule"]);
    assert_eq!(links().await, 1, "proposed, not linked");
    let again = post(&live, "$mdm-create-link", &link).await;
    assert_eq!(again.status, 409, "the same steward is no second one: {}", again.body);
    assert_eq!(links().await, 1);
    let pair = (&ChartKey::new("mercy", "2"), &ChartKey::new("valley", "2"));
    live.gateway.decide(Verdict::Link, pair, "anna", "saw the card").unwrap();
    assert_eq!(links().await, 2, "made by a second one");
}

/// In either order of arrival: an encounter after a death tells that there are two.
#[tokio::test]
async fn the_dead_and_who_was_seen_later_are_not_linked() {
    let mut dead = patient("1", ADA);
    dead["deceasedDateTime"] = json!("2024-01-10");
    for (status, day, charts) in [
        ("finished", "2024-06-01", 1),
        ("finished", "2024-01-20", 2),
        ("planned", "2024-06-01", 2),
        ("entered-in-error", "2024-06-01", 2),
    ] {
        let seen = json!({
            "resourceType": "Encounter", "id": "e", "status": status,
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
            "subject": {"reference": "Patient/1"}, "period": {"start": day}
        });
        let other = [patient("1", ADA), seen];
        for dead_first in [true, false] {
            let live = Live::new();
            if dead_first {
                live.says("mercy", std::slice::from_ref(&dead));
            }
            live.says("valley", &other);
            if !dead_first {
                live.says("mercy", std::slice::from_ref(&dead));
            }
            let chart = ChartKey::new("mercy", "1");
            let persons = live.gateway.persons_of(&Access::system(), &[chart]).unwrap();
            assert_eq!(persons[0].charts.len(), charts, "{status} {day} {dead_first}");
            assert!(live.gateway.verify(&mut |_| {}).unwrap().findings.is_empty());
        }
    }
}

#[tokio::test]
async fn a_steward_works_by_the_names_of_mdm() {
    let live = world();
    let [north, south] =
        ["mercy", "valley"].map(|e| format!("Patient/{}", live.id(e, "Patient/2")));
    let ada = format!("Patient/{}", live.id("mercy", "Patient/1"));
    let links = async |query: &str| {
        let told = live.get(&format!("/fhir/$mdm-query-links?{query}")).await;
        assert_eq!(told.status, 200, "{}", told.body);
        parts(&told, "link")
    };
    let own = links(&format!("goldenResourceId={ada}")).await;
    assert_eq!(own.len(), 2, "a link a chart: {own:#?}");
    assert!(own.iter().all(|l| l["matchResult"] == "MATCH" && l["linkSource"] == "AUTO"));
    let open = links("matchResult=POSSIBLE_MATCH").await;
    assert_eq!(open.len(), 1, "{open:#?}");
    let duplicates = live.get("/fhir/$mdm-duplicate-golden-resources").await;
    let duplicates = parts(&duplicates, "link");
    assert_eq!(duplicates[0]["matchResult"], "POSSIBLE_DUPLICATE");

    let merge = [("fromGoldenResourceId", json!(south)), ("toGoldenResourceId", json!(north))];
    let dry = [&merge[..], &[("dryRun", json!(true))]].concat();
    let dry = post(&live, "$mdm-merge-golden-resources", &given(&dry)).await.json();
    let told = dry["parameter"].as_array().unwrap().iter();
    let joins = told.clone().find(|p| p["name"] == "joinsPersons").unwrap();
    assert_eq!(joins["valueInteger"], 2, "{dry:#}");
    let into =
        told.clone().find(|p| p["name"] == "goldenResourceId").unwrap()["valueString"].clone();
    assert_eq!(links("matchResult=POSSIBLE_MATCH").await.len(), 1, "a dry run decides nothing");
    let merge = [&merge[..], &[("note", json!("same card"))]].concat();
    let merged = post(&live, "$mdm-merge-golden-resources", &given(&merge)).await;
    assert_eq!(merged.status, 200, "{}", merged.body);
    assert_eq!(json!(format!("Patient/{}", merged.json()["id"].as_str().unwrap())), into);
    let manual = links(&format!("resourceId={south}&linkSource=MANUAL")).await;
    assert_eq!(manual[0]["matchResult"], "MATCH");

    // Parted again, and no link against it.
    let update = |result: &str| {
        let [golden, source] = [&north, &south];
        given(&[
            ("goldenResourceId", json!(golden)),
            ("resourceId", json!(source)),
            ("matchResult", json!(result)),
        ])
    };
    let parted = post(&live, "$mdm-update-link", &update("NO_MATCH")).await;
    assert_eq!((parted.status.as_u16(), &parted.json()["id"]), (200, &json!(north[8..])));
    let apart = links(&format!("resourceId={south}&matchResult=NO_MATCH")).await;
    assert_eq!((apart.len(), &apart[0]["goldenResourceId"]), (1, &json!(north)));
    let not = [("goldenResourceId", json!(ada)), ("targetGoldenResourceId", json!(south))];
    let not = post(&live, "$mdm-not-duplicate", &given(&not)).await;
    assert_eq!(not.json()["parameter"][0]["valueBoolean"], true);
    let created = [("goldenResourceId", json!(north)), ("resourceId", json!(live_second(&live)))];
    let created = post(&live, "$mdm-create-link", &given(&created)).await;
    assert_eq!(created.status, 200, "{}", created.body);

    let history = live.get(&format!("/fhir/$mdm-link-history?resourceId={south}")).await;
    let history = parts(&history, "historical link");
    let events: Vec<&str> = history.iter().map(|h| h["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["no-match", "no-match", "link"], "the latest first: {history:#?}");
    assert_eq!(history[2]["note"], "same card");
    assert_eq!(history[2]["by"], "open");
    // What the operations did is what the commands see.
    let trail = live.gateway.store();
    let access = Access::system();
    let rows = trail.audit_trail(&access, 0, 100).unwrap();
    assert!(rows.iter().any(|row| &*row.entry.action == "mdm-merge-golden-resources"));
    assert!(live.gateway.verify(&mut |_| {}).unwrap().findings.is_empty());
}

/// Valley's Patient 1, by the id of its own.
fn live_second(live: &Live) -> String {
    format!("Patient/{}", live.id("valley", "Patient/1"))
}

#[tokio::test]
async fn operations_refuse_garbage() {
    let live = world();
    let deep = format!("{}1{}", "[".repeat(400), "]".repeat(400));
    let deep = format!(r#"{{"resourceType":"Parameters","parameter":{deep}}}"#);
    let long = " ".repeat(70_000);
    let all = [
        "Patient/$match",
        "Patient/$member-match",
        "Patient/$ihe-pix",
        "$mdm-query-links",
        "$mdm-duplicate-golden-resources",
        "$mdm-link-history",
        "$mdm-create-link",
        "$mdm-update-link",
        "$mdm-not-duplicate",
        "$mdm-merge-golden-resources",
    ];
    for operation in all {
        let path = format!("/fhir/{operation}");
        for (body, media, status) in [
            ("{", "application/fhir+json", 400),
            ("[]", "application/fhir+json", 400),
            ("{}", "application/fhir+json", 400),
            ("\"\\ud800\"", "application/fhir+json", 400),
            (deep.as_str(), "application/fhir+json", 400),
            (r#"{"resourceType":"Parameters","parameter":{}}"#, "application/json", 400),
            (r#"{"resourceType":"Parameters","parameter":[1]}"#, "application/json", 400),
            ("<Parameters", "application/fhir+xml", 400),
            ("a=b", "application/x-www-form-urlencoded", 415),
            ("{}", "text/csv", 415),
            (long.as_str(), "application/fhir+json", 413),
        ] {
            let told = live.send("POST", &path, &[("content-type", media)], body.to_owned()).await;
            let shown = &body[..body.len().min(30)];
            assert_eq!(told.status, status, "{operation} {shown}: {}", told.body);
            assert_eq!(told.json()["resourceType"], "OperationOutcome", "{operation} {shown}");
        }
        let told = live.send("DELETE", &path, &[], "").await;
        assert_eq!(told.status, 405, "{operation}");
    }
    let golden = |value: Value| ("goldenResourceId", value);
    let ada = json!(format!("Patient/{}", live.id("mercy", "Patient/1")));
    let cases = [
        ("Patient/$match", given(&[]), 400),
        ("Patient/$match", given(&[("resource", json!({"resourceType": "Goal"}))]), 400),
        ("Patient/$match", given(&[("resource", json!({"resourceType": "Patient"}))]), 400),
        ("Patient/$match", given(&[("resource", patient("x", ADA)), ("count", json!(-1))]), 400),
        ("Patient/$match", given(&[("resource", patient("x", ADA)), ("count", json!("x"))]), 400),
        ("Patient/$member-match", given(&[("MemberPatient", patient("x", ADA))]), 400),
        ("$mdm-query-links", given(&[]), 400),
        ("$mdm-query-links", given(&[golden(json!("Goal/1"))]), 400),
        ("$mdm-query-links", given(&[golden(ada.clone()), ("matchResult", json!("?"))]), 400),
        ("$mdm-query-links", given(&[golden(json!("0000000000000000000000000a"))]), 404),
        ("$mdm-create-link", given(&[golden(ada.clone())]), 400),
        ("$mdm-create-link", given(&[golden(ada.clone()), ("resourceId", ada.clone())]), 400),
        ("$mdm-link-history", given(&[]), 400),
    ];
    for (operation, body, status) in cases {
        let told = post(&live, operation, &body).await;
        assert_eq!(told.status, status, "{operation} {body}: {}", told.body);
        assert_eq!(told.json()["resourceType"], "OperationOutcome");
        assert!(!told.body.contains("Quistgaard"), "no value is repeated: {}", told.body);
    }
}
