//! The directory, validity of all that is woven, and a measurement.

use super::*;

#[test]
fn a_directory_entry_unites_its_members() {
    let organization = |name: &str, phone: &str| {
        json!({"resourceType": "Organization", "id": "o", "name": name,
            "telecom": [{"system": "phone", "value": phone}]})
    };
    let records = records(&[
        ("mercy", organization("Mercy Clinic", "555-0100")),
        ("valley", organization("Mercy Clinic Inc", "(555) 0100")),
    ]);
    let endpoints = BTreeMap::new();
    let stamp = woven(Vec::new(), &NoPreviousRows).stamp;
    let input = DirectoryInput { records, outside: &NothingOutside, endpoints: &endpoints, stamp };
    let view = weave_directory(&input, &NoPreviousRows, &POLICY, &KEY);
    let [row] = &view.tables[&ResourceType::of("Organization")][..] else { panic!("one entry") };
    assert_eq!((row.members.len(), view.owner), (2, Owner::Directory(row.id)));
    assert_eq!(body(row)["telecom"].as_array().unwrap().len(), 1);
    let words: Vec<_> = view.dispositions.iter().map(|d| d.disposition).collect();
    assert!(words.contains(&Disposition::Kept) && words.contains(&Disposition::Merged));
}

#[test]
fn a_patient_shows_each_phone_name_and_address_once_in_its_fullest_spelling() {
    let person = |given: &str, family: &str, phone: &str, line: &str| {
        json!({"resourceType": "Patient", "id": "p",
            "name": [{"family": family, "given": [given]}],
            "telecom": [{"system": "phone", "value": phone}],
            "address": [{"line": [line], "city": "Salem", "state": "MA", "postalCode": "01970"}]})
    };
    let view = view(&[
        ("mercy", person("JOSE", "DIAZ", "6172531234", "12 Oak Rd")),
        ("valley", person("José", "Díaz", "(617) 253-1234", "12 Oak Road")),
    ]);
    let shown = body(rows(&view, "Patient")[0]);
    for name in ["name", "telecom", "address"] {
        assert_eq!(shown[name].as_array().unwrap().len(), 1, "{shown}");
    }
    assert_eq!(shown["name"][0]["family"], "Díaz");
}

/// Prints how long a large person takes, with and without stored rows.
#[test]
#[ignore = "a measurement, not a check"]
#[expect(clippy::print_stdout, reason = "a measurement")]
fn a_person_of_twenty_thousand_observations() {
    let observation = |i: usize| {
        let day = date(2015, 1, 1).checked_add(jiff::Span::new().days((i / 8) as i64)).unwrap();
        about_p(json!({
            "resourceType": "Observation", "id": format!("o{i}"), "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": format!("{}-1", i % 8)}]},
            "effectiveDateTime": format!("{day}T08:00:00Z"),
            "valueQuantity": {"value": i % 50, "unit": "mg", "code": "mg",
                "system": "http://unitsofmeasure.org"}
        }))
    };
    let mut sources = vec![("valley", patient()), ("mercy", patient())];
    for i in 0..10_000 {
        sources.push(("valley", observation(i)));
        sources.push(("mercy", observation(i)));
    }
    let input = records(&sources);
    let start = std::time::Instant::now();
    let first = woven(charts(input.clone()), &NoPreviousRows);
    let cold = start.elapsed();
    assert_eq!(rows(&first, "Observation").len(), 10_000);
    let stored = first
        .tables
        .iter()
        .flat_map(|(kind, rows)| rows.iter().map(move |r| ((*kind, r.id), r.clone())))
        .collect();
    let start = std::time::Instant::now();
    woven(charts(input), &Previous(stored));
    println!("without stored rows {cold:?}, with them {:?}", start.elapsed());
}

#[test]
fn everything_woven_is_a_valid_resource() {
    let check = StructureCheck::new(&[]).unwrap();
    let mut sources = three_sources();
    sources[1].1["target"] = json!([{"dueDate": "2026-02-01"}]);
    sources[9].1["lifecycleStatus"] = json!("entered-in-error");
    let view = view(&sources);
    for row in view.tables.values().flatten() {
        let text = std::str::from_utf8(&row.body).unwrap();
        let problems = check.check(text, &body(row));
        assert!(problems.iter().all(|p| !p.fatal), "{text}: {problems:?}");
        assert!(body(row)["meta"]["versionId"].is_null() && body(row)["meta"].is_object());
        assert!(text.find("\"meta\":{").unwrap() < 100, "meta stands third");
    }
    assert!(rules(&view).contains(&"C12".to_owned()));
}
