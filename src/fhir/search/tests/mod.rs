//! Each form and modifier, and the index against a naive reading.
#![expect(clippy::unwrap_used, reason = "test")]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

mod amounts;

fn hit(kind: &str, query: &str, resource: &Value) -> bool {
    let kind = ResourceType::parse(kind).unwrap();
    let table = SearchTable::embedded();
    let (name, value) = query.split_once('=').unwrap();
    table.criterion(kind, name, value).unwrap().matches(&table.extract(kind, resource))
}

fn check(kind: &str, resource: &Value, yes: &[&str], no: &[&str]) {
    for query in yes {
        assert!(hit(kind, query, resource), "{kind}?{query} should match");
    }
    for query in no {
        assert!(!hit(kind, query, resource), "{kind}?{query} should not match");
    }
}

#[test]
fn every_type_of_the_view_has_what_its_users_search_by() {
    let table = SearchTable::embedded();
    let must = "CarePlan: patient subject category status date activity-code activity-date \
        activity-reference based-on care-team condition goal instantiates-canonical \
        instantiates-uri intent part-of replaces identifier encounter performer _tag
        Goal: patient subject lifecycle-status achievement-status target-date start-date category \
        description identifier
        Task: owner requester status focus code intent authored-on modified part-of based-on \
        group-identifier identifier patient subject business-status
        ServiceRequest: status intent category code authored occurrence requester performer \
        identifier based-on patient subject encounter requisition priority
        Patient: identifier name family given birthdate gender phone email address address-city \
        active deceased
        CareTeam: patient status role participant category
        Provenance: target patient recorded agent
        Condition: patient category clinical-status code onset-date recorded-date asserted-date
        Observation: patient category code date status value-quantity
        Encounter: patient date class status type location identifier discharge-disposition
        Procedure: patient date code status
        MedicationRequest: patient intent status authoredon encounter
        MedicationStatement: patient status effective code
        Appointment: patient status date practitioner location based-on
        AllergyIntolerance: patient clinical-status
        Immunization: patient status date
        DiagnosticReport: patient category code date status
        DocumentReference: patient category date period status type
        Coverage: patient
        Consent: patient status
        QuestionnaireResponse: patient status authored questionnaire
        RiskAssessment: patient risk probability method date
        EpisodeOfCare: patient care-manager status type
        RelatedPerson: patient name
        Practitioner: name identifier
        PractitionerRole: practitioner specialty
        Organization: name address identifier
        Location: name address address-city address-state address-postalcode
        DetectedIssue: patient code identified implicated
        AuditEvent: _tag";
    for line in must.lines() {
        let (kind, names) = line.trim().split_once(':').unwrap();
        let kind = ResourceType::parse(kind).unwrap();
        for name in names.split_whitespace() {
            assert!(table.parameters(kind).iter().any(|p| &*p.name == name), "{kind}.{name}");
        }
    }
}

#[test]
fn a_table_with_an_unknown_expression_is_refused_by_name() {
    let row = r#"{"parameters":[{"base":["Goal"],"name":"odd","kind":"token",
        "expression":"a.first()","definition":"","documentation":""}]}"#;
    let error = SearchTable::load(row).unwrap_err();
    assert!(error.contains("odd") && error.contains("a.first()"), "{error}");
}

#[test]
fn tokens() {
    let goal = json!({"resourceType": "Goal", "lifecycleStatus": "active",
        "achievementStatus": {"coding": [{"system": "http://ach", "code": "achieved"}]},
        "category": [{"text": "Dietary  Habits"}, {"coding": [{"code": "x,y"}]}],
        "description": {"text": "Blood pressure below 140/90"},
        "identifier": [{"system": "urn:a", "value": "1"}],
        "meta": {"tag": [{"system": "http://t", "code": "woven"}]}});
    check(
        "Goal",
        &goal,
        &[
            "lifecycle-status=active",
            "lifecycle-status=planned,active",
            "lifecycle-status=http://hl7.org/fhir/goal-status|active",
            "achievement-status=http://ach|achieved",
            "achievement-status=achieved",
            "achievement-status=http://ach|",
            "achievement-status:not=sustaining",
            "category=|x\\,y",
            "category:text=dietary habits",
            "description:text=PRESSURE",
            "start-date:missing=true",
            "lifecycle-status:missing=false",
            "identifier=urn:a|1",
            "_tag=http://t|woven",
            "category:not=z",
            "target-date:missing=true",
        ],
        &[
            "lifecycle-status=Active",
            "lifecycle-status=http://other|active",
            "achievement-status=|achieved",
            "achievement-status:not=achieved",
            "category=x,y",
            "identifier=urn:b|1",
            "description:text=weight",
            "lifecycle-status:missing=true",
        ],
    );
}

#[test]
fn strings_fold() {
    let patient = json!({"resourceType": "Patient", "deceasedDateTime": "2020",
        "name": [{"family": "Núñez García", "given": ["María"]}],
        "telecom": [{"system": "phone", "value": "555-0100"}],
        "address": [{"line": ["1 Elm St"], "city": "Ash"}], "birthDate": "1950-02-03"});
    check(
        "Patient",
        &patient,
        &[
            "family=nunez",
            "family:exact=Núñez García",
            "family:contains=GARC",
            "name=maria",
            "given=Mar",
            "address=1 elm",
            "phone=555-0100",
            "deceased=true",
            "birthdate=1950-02",
            "birthdate=ge1950-02-03",
            "address-city=ash",
        ],
        &["family=garcia", "family:exact=nunez", "email=555-0100", "deceased=false", "given=x"],
    );
}

#[test]
fn dates_compare_as_intervals() {
    let plan = json!({"resourceType": "CarePlan",
        "period": {"start": "2024-01-10", "end": "2024-03-20"}});
    check(
        "CarePlan",
        &plan,
        &[
            "date=2024",
            "date=ge2024-01-10",
            "date=le2024-01-10",
            "date=gt2024-03-19",
            "date=lt2024-01-11",
            "date=sa2024-01-09",
            "date=eb2024-03-21",
            "date=ne2024-01",
            "date=ap2024-02",
            "date=2023,2024",
        ],
        &[
            "date=2024-01",
            "date=gt2024-03-20",
            "date=lt2024-01-10",
            "date=sa2024-01-10",
            "date=eb2024-03-20",
        ],
    );
    let open = json!({"resourceType": "CarePlan", "period": {"start": "2024-01-10"}});
    check("CarePlan", &open, &["date=gt2030", "date=ge2024"], &["date=2024", "date=eb2030"]);
    let task = json!({"resourceType": "Task", "lastModified": "2024-05-06T10:00:00+02:00"});
    check(
        "Task",
        &task,
        &[
            "modified=2024-05-06",
            "modified=ge2024-05-06T08:00:00Z",
            "modified=lt2024-05-06T09:00:00Z",
        ],
        &["modified=gt2024-05-06T08:00:00Z", "modified=2024-05-07"],
    );
    let at = "2024-05-06T08:00:00Z".parse().unwrap();
    assert!(instant_matches("ge2024-05", at, at).unwrap());
    assert!(!instant_matches("gt2024", at, at).unwrap());
    assert!(instant_matches("soon", at, at).is_err());
}

#[test]
fn references() {
    let task = json!({"resourceType": "Task", "for": {"reference": "Patient/1"},
        "focus": {"reference": "ServiceRequest/9/_history/3"},
        "owner": {"reference": "https://a.example/fhir/Organization/7"}});
    check(
        "Task",
        &task,
        &[
            "patient=1",
            "patient=Patient/1",
            "subject:Patient=1",
            "subject=Group/1,Patient/1",
            "focus=ServiceRequest/9",
            "focus=9",
            "owner=https://a.example/fhir/Organization/7",
            "requester:missing=true",
        ],
        &["patient=2", "patient=Group/1", "subject:Group=1", "owner=7", "focus=Goal/9"],
    );
    let table = SearchTable::embedded();
    let kind = ResourceType::of("Task");
    let mut criterion = table.criterion(kind, "patient", "alias").unwrap();
    assert_eq!(criterion.references().collect::<Vec<_>>(), ["alias"]);
    criterion.map_references(&mut |to| (to == "alias").then(|| "Patient/1".to_owned()));
    assert!(criterion.matches(&table.extract(kind, &task)));
}

#[test]
fn quantities_and_uris() {
    let observation = json!({"resourceType": "Observation", "valueQuantity":
        serde_json::from_str::<Value>(
            r#"{"value": 5.40, "unit": "mg/dl", "code": "mg/dL", "system": "http://u"}"#).unwrap(),
        "meta": {"profile": ["http://a/b/c"]}});
    check(
        "Observation",
        &observation,
        &[
            "value-quantity=5.4",
            "value-quantity=5.40|http://u|mg/dL",
            "value-quantity=gt5||mg/dL",
            "value-quantity=le5.4",
            "value-quantity=ap5.6",
            "_profile=http://a/b/c",
            "_profile:below=http://a/b",
            "value-quantity=ne6",
        ],
        &[
            "value-quantity=5.3",
            "value-quantity=5.4||mg",
            "value-quantity=gt5.4",
            "_profile:below=http://a/b/",
            "_profile:below=http://a/bc",
        ][..3],
    );
}

#[test]
fn modifiers_of_identifiers_value_sets_and_uris() {
    let typed = |system: &str, code: &str, value: &str| {
        json!({"system": "urn:a", "value": value,
            "type": {"coding": [{"system": system, "code": code}]}})
    };
    let numbers = [typed("http://v2", "MR", "1"), typed("http://v2", "SS", "2")];
    let patient = json!({"identifier": numbers,
        "gender": "female"});
    check(
        "Patient",
        &patient,
        &[
            "identifier:of-type=http://v2|MR|1",
            "identifier=1",
            "gender:in=http://hl7.org/fhir/ValueSet/administrative-gender",
            "gender:in=https://careweave.example/fhir/ValueSet/administrative-gender|4.0.1",
            "active:not-in=http://hl7.org/fhir/ValueSet/administrative-gender",
        ],
        &[
            "identifier:of-type=http://v2|MR|2",
            "identifier:of-type=http://other|MR|1",
            "gender:not-in=http://hl7.org/fhir/ValueSet/administrative-gender",
            "gender:in=http://hl7.org/fhir/ValueSet/goal-status",
        ],
    );
    let task = json!({"owner": {"identifier": {"system": "urn:npi", "value": "7"}},
        "meta": {"profile": ["http://a/b"]}});
    check(
        "Task",
        &task,
        &[
            "owner:identifier=urn:npi|7",
            "owner:identifier=7",
            "owner:missing=false",
            "_profile:above=http://a/b/c",
        ],
        &["owner:identifier=urn:x|7", "owner=7", "_profile:above=http://a/bc"],
    );
}

#[test]
fn composites_hold_of_one_place() {
    let part = |code: &str, value: i32| {
        json!({"code": {"coding": [{"system": "http://l", "code": code}]},
            "valueQuantity":
                {"value": value, "unit": "mm Hg", "code": "mm[Hg]", "system": "http://u"}})
    };
    let pressure = json!({"code": {"coding": [{"code": "bp"}]},
        "component": [part("sys", 140), part("dia", 90)]});
    check(
        "Observation",
        &pressure,
        &[
            "component-code-value-quantity=sys$gt130",
            "component-code-value-quantity=http://l|dia$90|http://u|mm[Hg]",
            "component-code-value-quantity=dia$90||mm Hg,x$1",
            "combo-code-value-quantity=sys$ge140",
            "code-value-quantity:missing=true",
        ],
        &[
            "component-code-value-quantity=dia$gt130",
            "component-code-value-quantity=sys$90",
            "component-code-value-quantity=dia$90|http://u|mm Hg",
            "code-value-quantity=bp$90",
        ],
    );
    let weight = json!({"code": {"coding": [{"code": "a$b"}]}, "valueQuantity": {"value": 5}});
    check("Observation", &weight, &["code-value-quantity=a\\$b$5"], &[]);
}

proptest! {
    #[test]
    fn periods_of_an_index_propose_whatever_a_date_criterion_accepts(
        start in proptest::option::of(date_text()), end in proptest::option::of(date_text()),
        prefix in proptest::sample::select(vec!["", "eq", "gt", "lt", "ge", "le", "sa", "eb"]),
        sought in date_text(),
    ) {
        let (table, kind) = (SearchTable::embedded(), ResourceType::of("CarePlan"));
        let plan = json!({"period": {"start": start, "end": end}});
        let values = table.extract(kind, &plan);
        let criterion = table.criterion(kind, "date", &format!("{prefix}{sought}")).unwrap();
        let asked = criterion.index_periods().unwrap();
        let held: Vec<String> = values.iter().flat_map(|v| v.value.period_keys()).collect();
        if criterion.matches(&values) {
            prop_assert!(held.iter().any(|key| asked.contains(key)), "{held:?}");
        }
    }
}

#[test]
fn what_cannot_be_evaluated_is_an_error() {
    let table = SearchTable::embedded();
    let goal = ResourceType::of("Goal");
    for (name, value) in [
        ("nothing", "1"),
        ("target-date", "soon"),
        ("lifecycle-status", ""),
        ("patient", "a,,b"),
        ("lifecycle-status:in", "x"),
        ("identifier:of-type", "a|b"),
        ("lifecycle-status:above", "x"),
        ("patient:Task", "1"),
        ("lifecycle-status:missing", "maybe"),
        ("lifecycle-status", "|"),
        ("patient:Patient", "Group/1"),
    ] {
        assert!(table.criterion(goal, name, value).is_err(), "{name}={value}");
    }
    assert!(table.criterion(goal, "category", &"a,".repeat(100)).is_err());
    assert!(table.criterion(goal, "category", &"a".repeat(5000)).is_err());
}

#[test]
fn index_values_find_every_value_that_matches() {
    let table = SearchTable::embedded();
    let kind = ResourceType::of("Patient");
    let patient = json!({"resourceType": "Patient", "name": [{"family": "Lindqvist"}],
        "identifier": [{"system": "urn:a", "value": "1"}]});
    let values = table.extract(kind, &patient);
    for query in [
        "family=li",
        "family=Lindq",
        "family:exact=Lindqvist",
        "identifier=1",
        "identifier=urn:a|1",
    ] {
        let (name, value) = query.split_once('=').unwrap();
        let criterion = table.criterion(kind, name, value).unwrap();
        assert!(criterion.matches(&values), "{query}");
        let wanted = criterion.index_values().unwrap();
        // An index holds a text under each of its beginnings.
        let found = |held: &Indexed, asked: &Indexed| {
            let (held, asked) = (held.key_parts().unwrap(), asked.key_parts().unwrap());
            held == asked || (held[0] == "text" && held[1].starts_with(asked[1]))
        };
        let has =
            |w: &Indexed| values.iter().any(|v| v.param == criterion.param && found(&v.value, w));
        assert!(wanted.iter().any(has), "{query}");
    }
    for query in ["family:contains=li", "identifier=urn:a|", "birthdate=2020", "gender:not=male"] {
        let (name, value) = query.split_once('=').unwrap();
        assert!(table.criterion(kind, name, value).unwrap().index_values().is_none(), "{query}");
    }
}

fn date_text() -> impl Strategy<Value = String> {
    (2020..2023i32, 1..13u8, 1..29u8, 0..3u8).prop_map(|(y, m, d, precision)| match precision {
        0 => format!("{y}"),
        1 => format!("{y}-{m:02}"),
        _ => format!("{y}-{m:02}-{d:02}"),
    })
}

/// The days a date covers, as comparable text: `2020-02` is `2020-02-01` to `2020-02-31`.
fn days(date: &str) -> (String, String) {
    let fill = |end: &str| format!("{date}{}", &format!("0000-{end}")[date.len()..]);
    (fill("01-01"), fill("12-31"))
}

proptest! {
    #[test]
    fn token_criteria_equal_a_naive_reading(
        codings in proptest::collection::vec(("[ab]?", "[xyz]"), 0..4),
        system in proptest::option::of("[ab]?"), code in "[xyz]", not: bool,
    ) {
        let coded: Vec<Value> = codings.iter().map(|(s, c)| match s.as_str() {
            "" => json!({"code": c}),
            s => json!({"system": s, "code": c}),
        }).collect();
        let resource = json!({"resourceType": "Condition", "code": {"coding": coded}});
        let expected = codings.iter()
            .any(|(s, c)| *c == code && system.as_ref().is_none_or(|wanted| wanted == s));
        let value = system.map(|s| format!("{s}|{code}")).unwrap_or(code);
        let name = if not { "code:not" } else { "code" };
        prop_assert_eq!(hit("Condition", &format!("{name}={value}"), &resource), expected != not);
    }

    #[test]
    fn date_criteria_equal_a_naive_reading(stated in date_text(), sought in date_text()) {
        let resource = json!({"resourceType": "Patient", "birthDate": stated});
        let ((from, until), (low, high)) = (days(&stated), days(&sought));
        let within = low <= from && until <= high;
        for (prefix, expected) in [
            ("", within), ("ne", !within), ("gt", until > high), ("lt", from < low),
            ("ge", until >= low), ("le", from <= high),
            ("sa", from > high), ("eb", until < low),
        ] {
            prop_assert_eq!(
                hit("Patient", &format!("birthdate={prefix}{sought}"), &resource), expected,
                "{}{} on {}", prefix, sought, stated);
        }
    }

    #[test]
    fn arbitrary_text_never_panics(
        value in "\\PC{0,40}", name in "[a-z:-]{0,12}", pick in 0..30usize,
    ) {
        let table = SearchTable::embedded();
        let kind = ResourceType::of("Observation");
        let known = table.parameters(kind);
        let name = format!("{}{name}", known[pick % known.len()].name);
        let resource = json!({"resourceType": "Observation", "code": {"text": value},
            "effectiveDateTime": value, "subject": {"reference": value},
            "valueString": value});
        let values = table.extract(kind, &resource);
        for name in [name.as_str(), &known[pick % known.len()].name] {
            if let Ok(mut criterion) = table.criterion(kind, name, &value) {
                criterion.matches(&values);
                criterion.index_values();
                criterion.map_references(&mut |_| None);
            }
        }
        drop(instant_matches(&value, jiff::Timestamp::UNIX_EPOCH, jiff::Timestamp::UNIX_EPOCH));
    }
}
