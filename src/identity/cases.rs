//! Hard negatives, named by what makes them hard: none may be certain. And pairs that must be.

use serde_json::{Value, json};

use super::hard_negatives::APART;
use super::{Model, compare_homes, waterfall_text};
use crate::compare::demographics;
use crate::flow::{ChartKey, Comparison, Demographics, Home, MatchGrade, PartialDate};

const SSN: &str = "http://hl7.org/fhir/sid/us-ssn";

fn compare_at(endpoints: [&str; 2], a: &str, b: &str) -> Comparison {
    let model = Model::embedded();
    let homes = endpoints.map(|e| Home::Chart(ChartKey::new(e, e)));
    let (a, b) = (demographics(&patient(a)), demographics(&patient(b)));
    let second = if endpoints[0] == endpoints[1] {
        Home::Chart(ChartKey::new(endpoints[1], "other"))
    } else {
        homes[1].clone()
    };
    compare_homes((&homes[0], &a), (&second, &b), &model)
}

/// `given|family|birth|gender|number and street|zip|phone|email|ssn|suffix|birth place`, each
/// may be empty or missing.
fn patient(row: &str) -> Value {
    let mut parts = row.split('|').map(str::trim);
    let mut next = || parts.next().unwrap_or_default();
    let (given, family, birth, gender) = (next(), next(), next(), next());
    let (street, zip, phone, email, ssn, suffix) = (next(), next(), next(), next(), next(), next());
    let order: Option<u8> = next().parse().ok();
    json!({
        "resourceType": "Patient",
        "name": [{"given": given.split(' ').collect::<Vec<_>>(), "family": family,
                  "suffix": [suffix]}],
        "birthDate": birth,
        "gender": gender,
        "address": [{"line": [street], "postalCode": zip}],
        "telecom": [{"system": "phone", "value": phone}, {"system": "email", "value": email}],
        "identifier": [{"system": SSN, "value": ssn}],
        "multipleBirthInteger": order
    })
}

const SAME: [(&str, &str, &str); 22] = [
    (
        "all equal",
        "Ida|Quist|1970-02-03|female|1 Fir Ct|60601|312-253-1234",
        "Ida|Quist|1970-02-03|female|1 Fir Ct|60601|312-253-1234",
    ),
    (
        "common name with an address",
        "John|Smith|1970-02-03|male|1 Fir Ct|60601",
        "John|Smith|1970-02-03|male|1 Fir Court|60601-1234",
    ),
    (
        "common name with a phone",
        "John|Smith|1970-02-03|male|||312-253-1234",
        "John|Smith|1970-02-03|male|||(312) 253 1234",
    ),
    (
        "common name with an SSN",
        "John|Smith|1970-02-03|male|||||212-34-5678",
        "John|Smith|1970-02-03|male|||||212345678",
    ),
    (
        "rare name, birth date, gender",
        "Zbyszko|Quistgaard|1970-02-03|male",
        "Zbyszko|Quistgaard|1970-02-03|male",
    ),
    (
        "nickname",
        "William|Hale|1970-02-03|male|1 Fir Ct|60601",
        "Bill|Hale|1970-02-03|male|1 Fir Ct|60601",
    ),
    (
        "Spanish nickname",
        "Francisco|Vega|1970-02-03|male|1 Fir Ct|60601",
        "Paco|Vega|1970-02-03|male|1 Fir Ct|60601",
    ),
    (
        "diacritics",
        "José|Muñoz|1970-02-03|male|1 Fir Ct|60601",
        "JOSE|MUNOZ|1970-02-03|male|1 Fir Ct|60601",
    ),
    (
        "apostrophe",
        "Pat|O'Brien|1970-02-03|male|1 Fir Ct|60601",
        "Pat|OBrien|1970-02-03|male|1 Fir Ct|60601",
    ),
    (
        "hyphen",
        "Ann|Hale-Quist|1970-02-03|female|1 Fir Ct|60601",
        "Ann|Hale Quist|1970-02-03|female|1 Fir Ct|60601",
    ),
    (
        "half of a double name",
        "Ann|Hale-Quist|1970-02-03|female|1 Fir Ct|60601",
        "Ann|Quist|1970-02-03|female|1 Fir Ct|60601",
    ),
    (
        "misspelt family name",
        "Ida|Petersen|1970-02-03|female|1 Fir Ct|60601",
        "Ida|Peterson|1970-02-03|female|1 Fir Ct|60601",
    ),
    (
        "given and family swapped",
        "Ida|Quist|1970-02-03|female|1 Fir Ct|60601|312-253-1234",
        "Quist|Ida|1970-02-03|female|1 Fir Ct|60601|312-253-1234",
    ),
    (
        "middle name used",
        "Mary Ines|Quist|1970-02-03|female|1 Fir Ct|60601",
        "Ines|Quist|1970-02-03|female|1 Fir Ct|60601",
    ),
    (
        "married, same SSN",
        "Ida|Quist|1970-02-03|female|||||212-34-5678",
        "Ida|Hale|1970-02-03|female|||||212-34-5678",
    ),
    (
        "birth day and month swapped",
        "Ida|Quist|1970-02-03|female|1 Fir Ct|60601|312-253-1234",
        "Ida|Quist|1970-03-02|female|1 Fir Ct|60601|312-253-1234",
    ),
    (
        "one digit of the birth date off, same phone",
        "Ida|Quist|1970-02-03|female|1 Fir Ct|60601|312-253-1234",
        "Ida|Quist|1970-02-08|female|1 Fir Ct|60601|312-253-1234",
    ),
    (
        "misspelt given name, same SSN",
        "Catalina|Quist|1970-02-03|female|||||212-34-5678",
        "Catalnia|Quist|1970-02-03|female|||||212-34-5678",
    ),
    (
        "moved, same SSN",
        "Ida|Quist|1970-02-03|female|1 Fir Ct|60601|||212-34-5678",
        "Ida|Quist|1970-02-03|female|88 Sea Rd|02139|||212-34-5678",
    ),
    (
        "birth date missing, same SSN",
        "Ida|Quist||female|||||212-34-5678",
        "Ida|Quist|1970-02-03|female|||||212-34-5678",
    ),
    (
        "suffix on one side",
        "Al|Ray|1960-05-12|male|9 Bay Rd|02139||||Jr",
        "Al|Ray|1960-05-12|male|9 Bay Rd|02139",
    ),
    (
        "same e-mail",
        "John|Smith|1970-02-03|male||||jsmith70@mail.org",
        "John|Smith|1970-02-03|male||||JSmith70@mail.org",
    ),
];

#[test]
fn hard_negatives_are_never_certain() {
    for (name, a, b) in APART {
        let found = compare_at(["a", "b"], a, b);
        assert!(found.grade < MatchGrade::Certain, "{name}\n{}", waterfall_text(&found));
    }
}

#[test]
fn plain_matches_are_certain() {
    let mut missed = String::new();
    for (name, a, b) in SAME {
        let found = compare_at(["a", "b"], a, b);
        if found.grade != MatchGrade::Certain {
            missed += &format!("{name}\n{}\n", waterfall_text(&found));
        }
    }
    assert!(missed.is_empty(), "{missed}");
}

#[test]
fn two_active_charts_of_one_endpoint_go_to_review() {
    for (name, a, b) in SAME {
        let found = compare_at(["a", "a"], a, b);
        assert_eq!(found.grade, MatchGrade::Probable, "{name}");
    }
}

#[test]
fn twins_under_one_family_number_are_not_certain() {
    let model = Model::embedded();
    let twin = |given: &str| {
        demographics(&json!({
            "name": [{"given": [given], "family": "Price"}],
            "birthDate": "2012-07-09",
            "identifier": [{"system": "urn:example:plan", "value": "8812345"}],
            "address": [{"line": ["4 Oak Ave"], "postalCode": "60601"}]
        }))
    };
    let (a, b) = (Home::Chart(ChartKey::new("a", "1")), Home::Chart(ChartKey::new("b", "1")));
    for (one, other) in [("Jayden", "Kayden"), ("Baby Boy", "Kayden"), ("J", "Jayden")] {
        let found = compare_homes((&a, &twin(one)), (&b, &twin(other)), &model);
        assert!(found.grade < MatchGrade::Certain, "{one} {other}\n{}", waterfall_text(&found));
    }
}

#[test]
fn who_was_seen_after_a_death_is_not_the_dead() {
    let model = Model::embedded();
    let (a, b) = (Home::Chart(ChartKey::new("a", "1")), Home::Chart(ChartKey::new("b", "1")));
    let day = |year, month, day| Some(PartialDate { year, month, day });
    for (death, seen, grade) in [
        (day(2024, 1, 10), day(2024, 6, 1), MatchGrade::Probable),
        (day(2024, 1, 10), day(2024, 2, 9), MatchGrade::Certain),
        (day(2024, 1, 0), day(2024, 3, 9), MatchGrade::Probable),
        (day(2024, 0, 0), day(2024, 6, 1), MatchGrade::Certain),
        (day(2024, 1, 10), None, MatchGrade::Certain),
    ] {
        let stated = demographics(&patient(SAME[0].1));
        let dead = Demographics { deceased_date: death, ..stated.clone() };
        let seen = Demographics { last_seen: seen, ..stated };
        let found = compare_homes((&a, &dead), (&b, &seen), &model);
        assert_eq!(found.grade, grade, "{death:?} {:?}", seen.last_seen);
        assert_eq!(found, compare_homes((&b, &seen), (&a, &dead), &model));
    }
}
