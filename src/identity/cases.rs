//! Hard negatives, named by what makes them hard: none may be certain. And pairs that must be.

use serde_json::{Value, json};

use super::{Model, compare_homes, waterfall_text};
use crate::compare::demographics;
use crate::flow::{ChartKey, Comparison, Home, MatchGrade};

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

const APART: [(&str, &str, &str); 36] = [
    (
        "twins, same home and phone",
        "Ana|Diaz|2010-03-04|female|12 Elm St|02139|617-253-1234",
        "Eva|Diaz|2010-03-04|female|12 Elm St|02139|617-253-1234",
    ),
    (
        "twins with close names",
        "Jayden|Price|2012-07-09|male|4 Oak Ave|60601|312-253-1234",
        "Kayden|Price|2012-07-09|male|4 Oak Ave|60601|312-253-1234",
    ),
    (
        "twins one letter apart",
        "Marie|Stone|2001-01-17|female|4 Oak Ave|60601|312-253-1234",
        "Maris|Stone|2001-01-17|female|4 Oak Ave|60601|312-253-1234",
    ),
    (
        "twins with sequential SSNs",
        "Ella|Ruiz|2012-07-09|female|4 Oak Ave|60601|||212-34-5678",
        "Emma|Ruiz|2012-07-09|female|4 Oak Ave|60601|||212-34-5679",
    ),
    (
        "twins, birth order told",
        "Sam|Lane|2012-07-09|male|4 Oak Ave|60601|||||1",
        "Sam|Lane|2012-07-09|male|4 Oak Ave|60601|||||2",
    ),
    (
        "twin not yet named",
        "Baby Boy A|Shah|2024-05-06|male|4 Oak Ave|60601|312-253-1234",
        "Baby Boy B|Shah|2024-05-06|male|4 Oak Ave|60601|312-253-1234",
    ),
    (
        "newborn and named twin",
        "Baby Girl|Shah|2024-05-06|female|4 Oak Ave|60601|312-253-1234",
        "Mira|Shah|2024-05-06|female|4 Oak Ave|60601|312-253-1234",
    ),
    (
        "twins share an initial",
        "J|Wood|1999-11-12|male|4 Oak Ave|60601|312-253-1234",
        "Jacob|Wood|1999-11-12|male|4 Oak Ave|60601|312-253-1234",
    ),
    (
        "boy and girl of one stem",
        "Daniel|Cole|1999-11-12|male|4 Oak Ave|60601",
        "Danielle|Cole|1999-11-12|female|4 Oak Ave|60601",
    ),
    (
        "father and son, same name and home",
        "Robert|Hale|1960-05-12|male|9 Bay Rd|02139|617-253-1234",
        "Robert|Hale|1988-09-30|male|9 Bay Rd|02139|617-253-1234",
    ),
    (
        "father and son a digit apart",
        "Robert|Hale|1960-05-12|male|9 Bay Rd|02139|617-253-1234",
        "Robert|Hale|1990-05-12|male|9 Bay Rd|02139|617-253-1234",
    ),
    (
        "father and son, son's birth date missing",
        "Robert|Hale|1960-05-12|male|9 Bay Rd|02139|617-253-1234",
        "Robert|Hale||male|9 Bay Rd|02139|617-253-1234",
    ),
    (
        "Jr and Sr with one birth date",
        "Al|Ray|1960-05-12|male|9 Bay Rd|02139||||Jr",
        "Al|Ray|1960-05-12|male|9 Bay Rd|02139||||Sr",
    ),
    (
        "Jr and Sr with one SSN",
        "Al|Ray|1960-05-12|male|9 Bay Rd|02139|||212-34-5678|Jr",
        "Al|Ray|1960-05-12|male|9 Bay Rd|02139|||212-34-5678|Sr",
    ),
    (
        "II and III",
        "Al|Ray|1960-05-12|male|||||212-34-5678|II",
        "Al|Ray|1960-05-12|male|||||212-34-5678|III",
    ),
    (
        "son under his father's SSN",
        "Luis|Vega|1961-02-03|male|9 Bay Rd|02139|||212-34-5678",
        "Luis|Vega|1989-08-14|male|9 Bay Rd|02139|||212-34-5678",
    ),
    (
        "wife under her husband's SSN",
        "Luis|Vega|1961-02-03|male|9 Bay Rd|02139|617-253-1234||212-34-5678",
        "Rosa|Vega|1962-06-07|female|9 Bay Rd|02139|617-253-1234||212-34-5678",
    ),
    (
        "spouses sharing phone and e-mail",
        "Mark|Ames|1970-02-03|male|1 Fir Ct|60601|312-253-1234|ames@home.org",
        "Mary|Ames|1971-03-02|female|1 Fir Ct|60601|312-253-1234|ames@home.org",
    ),
    (
        "spouses born the same day",
        "Jan|Berg|1970-02-03|male|1 Fir Ct|60601|312-253-1234",
        "Jan|Berg|1970-02-03|female|1 Fir Ct|60601|312-253-1234",
    ),
    ("common name, same birth year", "John|Smith|1970-02-03|male", "John|Smith|1970-08-21|male"),
    (
        "common name and birth date, nothing else",
        "John|Smith|1970-02-03|male",
        "John|Smith|1970-02-03|male",
    ),
    (
        "common Spanish name and birth date",
        "Maria|Garcia|1970-02-03|female",
        "Maria|Garcia|1970-02-03|female",
    ),
    (
        "common name and birth date, other SSN",
        "John|Smith|1970-02-03|male|||||212-34-5678",
        "John|Smith|1970-02-03|male|||||315-78-1234",
    ),
    (
        "same everything, other SSN",
        "Ida|Quist|1970-02-03|female|1 Fir Ct|60601|312-253-1234||212-34-5678",
        "Ida|Quist|1970-02-03|female|1 Fir Ct|60601|312-253-1234||315-78-1234",
    ),
    ("rare name alone", "Zbyszko|Quistgaard", "Zbyszko|Quistgaard"),
    (
        "rare name and address, no birth date",
        "Zbyszko|Quistgaard|||1 Fir Ct|60601",
        "Zbyszko|Quistgaard|||1 Fir Ct|60601",
    ),
    (
        "placeholder birth date",
        "Ida|Quist|1900-01-01|female|1 Fir Ct|60601",
        "Ida|Quist|1900-01-01|female|1 Fir Ct|60601",
    ),
    (
        "placeholder name",
        "John|Doe|1970-02-03|male|1 Fir Ct|60601|312-253-1234",
        "John|Doe|1970-02-03|male|1 Fir Ct|60601|312-253-1234",
    ),
    (
        "placeholder SSN",
        "John|Smith|1970-02-03|male|||||999-99-9999",
        "John|Smith|1970-02-03|male|||||999-99-9999",
    ),
    (
        "placeholder phone",
        "John|Smith|1970-02-03|male|||555-555-5555",
        "John|Smith|1970-02-03|male|||555-555-5555",
    ),
    ("assigned first of January", "Ali|Hassan|1985-01-01|male", "Ali|Hassan|1985-01-01|male"),
    (
        "room mates with one first name",
        "Chris|Bell|1998-02-03|male|1 Fir Ct|60601|312-253-1234",
        "Chris|Ball|1998-11-23|male|1 Fir Ct|60601|312-253-1234",
    ),
    (
        "nursing home: one address and phone",
        "Ruth|Adams|1935-02-03|female|7 Care Ln|60601|312-253-1234",
        "Ruth|Allen|1938-02-13|female|7 Care Ln|60601|312-253-1234",
    ),
    (
        "siblings a year apart",
        "Ben|Katz|2010-02-03|male|1 Fir Ct|60601|312-253-1234",
        "Jon|Katz|2011-02-03|male|1 Fir Ct|60601|312-253-1234",
    ),
    (
        "same birth date and SSN, other name",
        "Ann|Lee|1970-02-03|female|||||212-34-5678",
        "Mei|Wong|1970-02-03|female|||||212-34-5678",
    ),
    (
        "cousins of one name, birth dates near",
        "Jose|Lopez|1970-02-03|male|1 Fir Ct|60601",
        "Jose|Lopez|1971-03-04|male|1 Fir Ct|60601",
    ),
];

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
