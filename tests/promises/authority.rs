//! P2 for authority: whose word counts for an order follows from the directory, whenever the
//! Organization, the PractitionerRole and the Practitioner come, change or go.

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use serde_json::{Value, json};

use careweave::fhir::ResourceType;
use careweave::flow::Access;

use super::compared::{assert_conserved, assert_same, snapshot, to_the_byte};
use super::order::cases;
use super::statements::{Said, Statement, stated};
use super::world::World;

const NPI: &str = "http://hl7.org/fhir/sid/us-npi";
const DOCTOR: &str = "1999000015";
const OTHER_DOCTOR: &str = "1245319599";

/// What happens to the directory after its first statement.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Later {
    RoleGone,
    RoleElsewhere,
    OrganizationRenumbered,
    OrganizationGone,
    OtherDoctor,
    RoleAtValley,
}

const LATER: [Later; 6] = [
    Later::RoleGone,
    Later::RoleElsewhere,
    Later::OrganizationRenumbered,
    Later::OrganizationGone,
    Later::OtherDoctor,
    Later::RoleAtValley,
];

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn a_directory_that_comes_late_is_as_one_that_came_first(
        by_identifier in any::<[bool; 2]>(),
        later in prop::sample::subsequence(LATER.to_vec(), 0..=3),
        order in Just((0..12_usize).collect::<Vec<_>>()).prop_shuffle(),
        settled in prop::collection::vec(any::<bool>(), 12),
    ) {
        let directory = directory(&later);
        let mut first = World::new();
        first.take(&directory);
        first.settle();
        first.take(&person(by_identifier));
        first.settle();
        assert_conserved(&first)?;

        let mut late = World::new();
        late.take(&person(by_identifier));
        late.settle();
        for at in order {
            if let Some(statement) = directory.get(at) {
                late.take(std::slice::from_ref(statement));
                if settled[at] {
                    late.settle();
                }
            }
        }
        late.settle();
        assert_conserved(&late)?;
        assert_same(&snapshot(&first), &snapshot(&late))?;
        let before = to_the_byte(&late);
        late.gateway.rebuild(&mut |_, _| {}).unwrap();
        assert_same(&before, &to_the_byte(&late))?;
    }
}

/// Valley is trusted more and says the later status, and yet the order is Mercy's to close.
#[test]
fn the_requesters_system_decides_about_an_order() -> Result<(), TestCaseError> {
    for by_identifier in [[false, false], [true, false], [false, true], [true, true]] {
        let mut world = World::new();
        world.take(&person(by_identifier));
        world.settle();
        prop_assert_eq!(decided(&world), ("completed".to_owned(), "most-trusted".to_owned()));
        for statement in directory(&[]) {
            world.take(&[statement]);
            world.settle();
        }
        prop_assert_eq!(decided(&world), ("active".to_owned(), "requester-system".to_owned()));
        // What is withdrawn proves nothing any more, but Mercy's doctor stays known to Valley.
        let gone = directory(&[Later::RoleGone]).pop();
        world.take(&gone.into_iter().collect::<Vec<_>>());
        world.settle();
        prop_assert_eq!(decided(&world), ("completed".to_owned(), "most-trusted".to_owned()));
    }
    Ok(())
}

/// More homes are dirty than one settle takes on, so all are linked first: what that changes for
/// others must not be forgotten. Doctors by identifier were asked for before there were any.
#[test]
fn a_directory_that_comes_at_once_reaches_who_asked_before() -> Result<(), TestCaseError> {
    let mut world = World::new();
    world.take(&person([true, true]));
    world.settle();
    world.take(&directory(&[]));
    world.settle();
    prop_assert_eq!(decided(&world), ("active".to_owned(), "requester-system".to_owned()));
    assert_conserved(&world)
}

/// The one doctor turns out to be two: the record that did not change is left alone, and must not
/// be left without a view.
#[test]
fn an_entry_parted_among_many_changes_leaves_no_record_behind() -> Result<(), TestCaseError> {
    let mut world = World::new();
    world.take(&person([false, false]));
    world.take(&directory(&[]));
    world.settle();
    let before = directory(&[]).len();
    let changes = directory(&[
        Later::OtherDoctor,
        Later::RoleElsewhere,
        Later::OrganizationRenumbered,
        Later::RoleAtValley,
    ]);
    world.take(&changes[before..]);
    world.settle();
    assert_conserved(&world)
}

/// Without roles a doctor whom one endpoint alone knows is taken for its own.
#[test]
fn a_practitioner_whom_one_endpoint_alone_knows_leads_to_it() -> Result<(), TestCaseError> {
    let mut world = World::new();
    world.take(&person([false, true]));
    let all = directory(&[]);
    let at_mercy = |s: &&Statement| {
        &*s.key.endpoint == "mercy" && s.key.resource_type.name() == "Practitioner"
    };
    world.take(&all.iter().filter(at_mercy).cloned().collect::<Vec<_>>());
    world.settle();
    prop_assert_eq!(decided(&world), ("active".to_owned(), "requester-system".to_owned()));
    let at_valley = |s: &&Statement| {
        &*s.key.endpoint == "valley" && s.key.resource_type.name() == "Practitioner"
    };
    world.take(&all.iter().filter(at_valley).cloned().collect::<Vec<_>>());
    world.settle();
    prop_assert_eq!(decided(&world), ("completed".to_owned(), "most-trusted".to_owned()));
    Ok(())
}

/// One person with one order, as Mercy and Valley have it.
fn person(by_identifier: [bool; 2]) -> Vec<Statement> {
    let mut all = Vec::new();
    let states = [("mercy", "active"), ("valley", "completed")];
    for ((endpoint, status), by_identifier) in states.into_iter().zip(by_identifier) {
        let requester = match by_identifier {
            true => json!({"type": "Practitioner",
                "identifier": {"system": NPI, "value": DOCTOR}}),
            false => json!({"reference": "Practitioner/d"}),
        };
        let ssn = json!([{"system": "http://hl7.org/fhir/sid/us-ssn", "value": "123-45-6789"}]);
        all.push(json!({"resourceType": "Patient", "id": "p", "identifier": ssn,
            "name": [{"family": "Vale", "given": ["Ida"]}], "birthDate": "1931-02-03",
            "gender": "female"}));
        all.push(json!({"resourceType": "ServiceRequest", "id": "s", "status": status,
            "identifier": [{"system": "http://mercy.example/order", "value": "1"}],
            "intent": "order", "code": {"text": "Lipid panel"}, "authoredOn": "2024-05-05",
            "subject": {"reference": "Patient/p"}, "requester": requester}));
        let of_endpoint = all.split_off(all.len() - 2);
        all.extend(of_endpoint.into_iter().map(|r| json!([endpoint, r])));
    }
    let stated_by = |v: Value| stated(v[0].as_str().unwrap(), v[1].clone(), 0);
    all.into_iter().map(stated_by).collect()
}

/// The doctor, known to both, who works for Mercy.
fn directory(later: &[Later]) -> Vec<Statement> {
    let doctor = |npi: &str| {
        json!({"resourceType": "Practitioner", "id": "d",
            "name": [{"family": "Lee", "given": ["Ann"]}],
            "identifier": [{"system": NPI, "value": npi}]})
    };
    let organization = |id: &str, system: &str, number: &str| {
        json!({"resourceType": "Organization", "id": id, "name": id,
            "identifier": [{"system": format!("http://{system}.example/org"), "value": number}]})
    };
    let role = |id: &str, organization: &str| {
        json!({"resourceType": "PractitionerRole", "id": id,
            "practitioner": {"reference": "Practitioner/d"},
            "organization": {"reference": format!("Organization/{organization}")}})
    };
    let mut all = vec![
        stated("mercy", doctor(DOCTOR), 0),
        stated("valley", doctor(DOCTOR), 0),
        stated("mercy", organization("o", "mercy", "O100"), 0),
        stated("mercy", organization("x", "elsewhere", "O9"), 0),
        stated("valley", organization("v", "valley", "O101"), 0),
        stated("mercy", role("r", "o"), 0),
    ];
    all.extend(later.iter().map(|later| match later {
        Later::RoleGone => {
            Statement { wave: 2, said: Said::Gone, ..stated("mercy", role("r", "o"), 0) }
        }
        Later::RoleElsewhere => stated("mercy", role("r", "x"), 1),
        Later::OrganizationRenumbered => stated("mercy", organization("o", "elsewhere", "O8"), 1),
        Later::OrganizationGone => {
            let first = stated("mercy", organization("o", "mercy", "O100"), 0);
            Statement { wave: 2, said: Said::Gone, ..first }
        }
        Later::OtherDoctor => stated("valley", doctor(OTHER_DOCTOR), 1),
        Later::RoleAtValley => stated("valley", role("q", "v"), 0),
    }));
    all
}

/// The status of the one order, and the rule that chose it.
fn decided(world: &World) -> (String, String) {
    let (store, access) = (world.gateway.store(), Access::system());
    let kind = ResourceType::of("ServiceRequest");
    let mut found = Vec::new();
    for owner in store.owners(&access, None, 100).unwrap() {
        let Some(table) = store.table(&access, owner, kind).unwrap() else { continue };
        for row in &table.rows {
            let body = store.bodies(&access, owner, kind, &[row.id]).unwrap();
            let body: Value = serde_json::from_slice(body[0].as_ref().unwrap()).unwrap();
            let status = row.choices.iter().find(|c| &*c.element == "ServiceRequest.status");
            let rule = status.map(|c| c.rule.to_string()).unwrap_or_default();
            found.push((body["status"].as_str().unwrap().to_owned(), rule));
        }
    }
    assert_eq!(found.len(), 1, "one order: {found:?}");
    found.remove(0)
}
