//! The concept map against a table of its own, and the care record there and back.
#![expect(clippy::unwrap_used, reason = "test")]

mod records;
mod table;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Concept, Concepts, Target};
use table::{CELLS, SYSTEMS};

/// The value at a path, through lists; the way a reader of FHIR would look for it.
fn at<'v>(resource: &'v Value, element: &str) -> Option<&'v Value> {
    let first = |value: &'v Value| value.as_array().map_or(Some(value), |list| list.first());
    element.split('.').skip(1).try_fold(resource, |value, name| first(value.get(name)?))
}

fn target<'c>(concept: &'c Concept, element: &str, code: &str) -> &'c Target {
    let fits = |t: &&Target| {
        t.element == element && (code.is_empty() || t.codes.iter().any(|c| c.code == code))
    };
    concept.targets.iter().find(fits).unwrap_or_else(|| panic!("{}: {element}", concept.id))
}

#[test]
fn each_of_the_62_concepts_goes_to_its_element_and_code_and_back() {
    let concepts = Concepts::embedded();
    assert_eq!(concepts.all().iter().filter_map(|c| c.row).collect::<Vec<_>>(), {
        (1..=62).collect::<Vec<u16>>()
    });
    for &(row, id, element, system, code) in CELLS {
        let concept = concepts.find(id).unwrap();
        assert_eq!(concept.row, Some(row), "{id}");
        let target = target(concept, element, code);
        let value = if code.is_empty() {
            target.example.clone().unwrap()
        } else {
            let place = target.codes.iter().position(|c| c.code == code).unwrap();
            target.values().swap_remove(place)
        };
        let resource = target.holding(value);
        assert_eq!(resource["resourceType"], element.split('.').next().unwrap());
        let stated = at(&resource, element).unwrap_or_else(|| panic!("{id}: no {element}"));
        if !code.is_empty() {
            let (_, url) = SYSTEMS.iter().find(|(short, _)| *short == system).unwrap();
            let coding = stated.pointer("/coding/0").unwrap_or(stated);
            assert_eq!((&coding["system"], &coding["code"]), (&json!(url), &json!(code)), "{id}");
        }
        let back: BTreeSet<_> = concepts
            .stated_by(&resource)
            .iter()
            .map(|s| (s.concept.id.as_str(), s.element, s.code.map_or("", |c| c.code.as_str())))
            .collect();
        assert!(back.contains(&(id, element, code)), "{id}: {resource} says {back:?}");
    }
    let rows: BTreeSet<u16> = CELLS.iter().map(|cell| cell.0).collect();
    assert_eq!(rows.len(), 62);
}

#[test]
fn a_resource_says_only_what_its_codes_say() {
    let concepts = Concepts::embedded();
    let said = |resource: Value| -> Vec<String> {
        concepts.stated_by(&resource).iter().map(|s| s.concept.id.clone()).collect()
    };
    let coded = |system: &str, code: &str| json!({"coding": [{"system": system, "code": code}]});
    let snomed = "http://snomed.info/sct";
    let referral = json!({"resourceType": "ServiceRequest", "code": coded(snomed, "3457005")});
    assert_eq!(said(referral), ["referral"]);
    let elsewhere = json!({"resourceType": "Task", "code": coded(snomed, "3457005")});
    assert_eq!(said(elsewhere), [""; 0]);
    let other_system =
        json!({"resourceType": "ServiceRequest", "code": coded("http://loinc.org", "3457005")});
    assert_eq!(said(other_system), [""; 0]);
    let other_url = json!({"resourceType": "CarePlan", "extension": [{"url": "http://x.example"}]});
    assert_eq!(said(other_url), [""; 0]);
    assert_eq!(concepts.find("Support System").map(|c| c.id.as_str()), Some("caregiver"));
}

#[test]
fn a_site_replaces_and_adds_rows_and_is_told_what_does_not_exist() {
    let row = |id: &str, element: &str, system: &str, code: &str| {
        json!({"systems": {"ours": {"url": "urn:ours", "check": "listed", "codes": ["a"]}},
            "concepts": [{"id": id, "says": "x", "term": "X", "source": "ours", "targets":
            [{"element": element, "codes": [{"system": system, "code": code}]}]}]})
        .to_string()
    };
    let with = |text: &str| Concepts::embedded().with(text);
    let replaced = with(&row("tier", "Flag.code", "ours", "a")).unwrap();
    assert_eq!(replaced.all().len(), 62);
    assert_eq!(replaced.find("tier").unwrap().targets[0].codes[0].system, "urn:ours");
    assert_eq!(with(&row("our-own", "Goal.category", "loinc", "96574-9")).unwrap().all().len(), 63);
    for (text, wrong) in [
        (row("a", "Goal.nothing", "ours", "a"), "Goal.nothing"),
        (row("a", "Goal.category", "theirs", "a"), "unknown system \"theirs\""),
        (row("a", "Goal.category", "ours", "b"), "no code \"b\""),
        (row("a", "Goal.category", "loinc", "96574-8"), "no code \"96574-8\""),
        (row("a", "Goal.category", "snomed", "3457006"), "no code \"3457006\""),
        ("{}".to_owned(), "concepts"),
    ] {
        let error = with(&text).unwrap_err();
        assert!(error.contains(wrong), "{error}");
    }
}

#[test]
fn the_map_is_a_valid_concept_map_and_a_table() {
    let concepts = Concepts::embedded();
    let map = concepts.concept_map();
    let check = crate::fhir::StructureCheck::embedded().unwrap();
    let problems = check.check(&map.to_string(), &map);
    assert!(problems.is_empty(), "{problems:?}");
    let text = String::from_utf8(Concepts::csv(concepts.all().iter())).unwrap();
    let codes: usize =
        concepts.all().iter().flat_map(|c| &c.targets).map(|t| t.codes.len().max(1)).sum();
    assert_eq!(text.lines().count(), codes + 1);
    assert!(
        text.contains("40,referral,Referral,Referral order,ServiceRequest.code,,http://snomed")
    );
}
