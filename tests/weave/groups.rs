//! Field groups: what belongs together comes from one source, also where each source has half.

use super::*;

/// The woven resource of two halves, and whether its elements are those of one of them.
fn woven_of(kind: &'static str, a: &Value, b: &Value) -> Value {
    let view = view(&[
        ("valley", patient()),
        ("mercy", patient()),
        ("valley", a.clone()),
        ("mercy", b.clone()),
    ]);
    let [row] = rows(&view, kind)[..] else { panic!("one {kind}: {:?}", rows(&view, kind)) };
    assert_eq!(row.members.len(), 2);
    body(row)
}

fn assert_of_one(woven: &Value, sources: [&Value; 2], elements: &[&str]) {
    let of_one = |source: &&Value| elements.iter().all(|name| woven[*name] == source[*name]);
    assert!(sources.iter().any(of_one), "{elements:?} are mixed: {woven}");
}

fn identified(mut resource: Value, rest: &Value) -> Value {
    resource["identifier"] = json!([{"system": "http://shared.example/id", "value": "1"}]);
    for (name, value) in rest.as_object().unwrap() {
        resource[name] = value.clone();
    }
    about_p(resource)
}

#[test]
fn a_dose_is_of_the_medication_it_was_stated_for() {
    let request = |id: &str, rest: &Value| {
        let base = json!({"resourceType": "MedicationRequest", "id": id, "status": "active",
            "intent": "order", "authoredOn": "2026-01-05"});
        identified(base, rest)
    };
    let concept = |text: &str| {
        json!({"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm",
            "code": "860975"}], "text": text})
    };
    let strong = request(
        "a",
        &json!({"medicationCodeableConcept": concept("metformin 1000 mg"),
            "dosageInstruction": [{"text": "1 tablet"}]}),
    );
    let weak = request(
        "b",
        &json!({"medicationCodeableConcept": concept("metformin 500 mg"),
            "dosageInstruction": [{"text": "2 tablets", "patientInstruction": "with food"}],
            "dispenseRequest": {"numberOfRepeatsAllowed": 3}}),
    );
    let elements = ["medicationCodeableConcept", "dosageInstruction", "dispenseRequest"];
    assert_of_one(&woven_of("MedicationRequest", &strong, &weak), [&strong, &weak], &elements);
    assert_of_one(&woven_of("MedicationRequest", &weak, &strong), [&strong, &weak], &elements);
}

#[test]
fn halves_of_a_target_a_period_and_a_status_are_not_made_one() {
    let goal = |id: &str, rest: &Value| {
        let base = json!({"resourceType": "Goal", "id": id,
            "description": {"text": "Walk daily"}});
        identified(base, rest)
    };
    let measure = goal(
        "a",
        &json!({"lifecycleStatus": "active", "target": [{"measure": {"text": "steps"},
            "detailQuantity": {"value": 5000, "unit": "steps"}}],
            "achievementStatus": {"text": "improving"}}),
    );
    let due = goal(
        "b",
        &json!({"lifecycleStatus": "on-hold", "target": [{"dueDate": "2026-06-01"}],
            "statusReason": "knee pain", "statusDate": "2026-01-01"}),
    );
    let woven = woven_of("Goal", &measure, &due);
    assert_of_one(&woven, [&measure, &due], &["target"]);
    assert_of_one(&woven, [&measure, &due], &["lifecycleStatus", "statusReason"]);
    assert_of_one(&woven, [&measure, &due], &["achievementStatus", "statusDate"]);

    let plan = |id: &str, period: &Value| {
        let base = json!({"resourceType": "CarePlan", "id": id, "status": "active",
            "intent": "plan", "title": "Plan", "period": period});
        identified(base, &json!({}))
    };
    let starts = plan("a", &json!({"start": "2026-01-01"}));
    let ends = plan("b", &json!({"end": "2026-02-01"}));
    assert_of_one(&woven_of("CarePlan", &starts, &ends), [&starts, &ends], &["period"]);
}

#[test]
fn halves_of_an_address_and_of_a_name_stay_apart() {
    let door = json!({"line": ["12 Oak Road"], "city": "Salem"});
    let area = json!({"city": "Salem", "state": "MA", "postalCode": "01970"});
    let person = |name: &Value, address: &Value| {
        let (names, addresses) = ([name], [address]);
        json!({"resourceType": "Patient", "id": "p", "name": names, "address": addresses})
    };
    let (given, family) = (json!({"given": ["Ida"]}), json!({"family": "Vale"}));
    let (one, other) = (person(&given, &door), person(&family, &area));
    let view = view(&[("valley", one), ("mercy", other)]);
    let shown = body(rows(&view, "Patient")[0]);
    let items = |name: &str| shown[name].as_array().unwrap().clone();
    assert_eq!(items("address").len(), 2);
    assert!(items("address").contains(&door) && items("address").contains(&area), "{shown}");
    assert!(items("name").contains(&given) && items("name").contains(&family), "{shown}");
}

/// Nothing tells which was said last: what may be open stays open, what is over stays over.
#[test]
fn an_undated_pause_does_not_hide_what_is_active_and_an_end_is_an_end() {
    let shown = |kind: &'static str, element: &str, states: [&str; 2]| {
        let stated = |id: &str, status: &str| {
            let base = match kind {
                "Goal" => json!({"resourceType": kind, "id": id,
                    "description": {"text": "Walk daily"}}),
                _ => json!({"resourceType": kind, "id": id, "intent": "order",
                    "code": {"text": "Lipid panel"}}),
            };
            identified(base, &json!({element: status}))
        };
        let woven = woven_of(kind, &stated("a", states[0]), &stated("b", states[1]));
        woven[element].as_str().unwrap().to_owned()
    };
    for states in [["active", "on-hold"], ["on-hold", "active"]] {
        assert_eq!(shown("Goal", "lifecycleStatus", states), "active");
        assert_eq!(shown("ServiceRequest", "status", states), "active");
    }
    for states in [["active", "completed"], ["completed", "on-hold"]] {
        assert_eq!(shown("Goal", "lifecycleStatus", states), "completed");
        assert_eq!(shown("ServiceRequest", "status", states), "completed");
    }
}

/// An exchange passes on what others wrote: they are the authors, it is the transmitter.
#[test]
fn original_author_and_transmitter_are_kept() {
    let view = view(&three_sources());
    let goal = rows(&view, "Goal")[0];
    let target = (ResourceType::of("Goal"), goal.id);
    let agent = |code: &str, who: &str| {
        let kind = json!({"coding": [{"code": code}]});
        json!({"type": kind, "who": {"reference": who}})
    };
    let (author, transmitter) =
        (agent("author", "Practitioner/w"), agent("transmitter", "Organization/hie"));
    let stated = StatedProvenance {
        reference: "Provenance/x".to_owned(),
        endpoints: ["mercy".into()].into(),
        agents: vec![author.clone(), transmitter.clone()],
    };
    let url = |e: &str| Some(base(e));
    let trace = (&goal.members[..], &goal.choices[..]);
    let rendered = provenance(target, at(), trace, &[stated], &url, "http://127.0.0.1:8080");
    let agents = rendered["agent"].as_array().unwrap();
    assert!(agents.contains(&author) && agents.contains(&transmitter), "{rendered}");
    let displays: Vec<_> = agents.iter().filter_map(|a| a["who"]["display"].as_str()).collect();
    assert_eq!(displays, ["careweave", "stjude", "valley"], "mercy wrote nothing itself");
    let entities = rendered["entity"].as_array().unwrap();
    let at_mercy = |e: &&Value| e["what"]["reference"].to_string().contains("//mercy.example");
    let of_mercy = entities.iter().find(at_mercy).unwrap();
    assert_eq!(of_mercy["agent"], json!([author, transmitter]));
    assert_eq!(of_mercy["extension"][1]["valueReference"]["reference"], "Provenance/x");
    assert_eq!(entities.iter().filter(|e| e["agent"].is_array()).count(), 1);
    let check = StructureCheck::new(&[]).unwrap();
    let problems = check.check(&rendered.to_string(), &rendered);
    assert!(problems.iter().all(|p| !p.fatal), "{problems:?}");
}
